//! A second reader of MessagePack: the shortest one, which recurses and copies.

/// Any value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Nil,
    Undefined,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(Vec<u8>),
    Data(Vec<u8>),
    Date(i64),
    Ext(i8, Vec<u8>),
    List(Vec<Self>),
    Map(Vec<(Self, Self)>),
}

/// How deep this reader goes: less than the stack would take, and more than any limit.
const DEPTH_MAX: usize = 300;

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fault {
    Malformed,
    /// Nothing is known then.
    TooDeep,
}

impl Value {
    /// The one that `bytes` are.
    pub(super) fn read(mut bytes: &[u8]) -> Result<Self, Fault> {
        let mut is_too_deep = false;
        let value = Self::take(&mut bytes, DEPTH_MAX, &mut is_too_deep);
        match value.filter(|_| bytes.is_empty()) {
            _ if is_too_deep => Err(Fault::TooDeep),
            Some(value) => Ok(value),
            None => Err(Fault::Malformed),
        }
    }

    fn take(bytes: &mut &[u8], depth: usize, is_too_deep: &mut bool) -> Option<Self> {
        if depth == 0 {
            *is_too_deep = true;
            return None;
        }
        let mut list = |bytes: &mut &[u8], length: usize| {
            let mut list = Vec::new();
            for _ in 0..length {
                list.push(Self::take(bytes, depth - 1, is_too_deep)?);
            }
            Some(list)
        };
        let [tag] = chunk(bytes)?;
        Some(match tag {
            0x00..=0x7f => Self::Integer(tag.into()),
            0x80..=0x8f => Self::map(list(bytes, 2 * usize::from(tag & 15))?),
            0x90..=0x9f => Self::List(list(bytes, (tag & 15).into())?),
            0xa0..=0xbf => Self::Text(some(bytes, (tag & 31).into())?),
            0xc0 => Self::Nil,
            0xc2 | 0xc3 => Self::Bool(tag == 0xc3),
            0xc4..=0xc6 => {
                let length = length(bytes, tag - 0xc4)?;
                Self::Data(some(bytes, length)?)
            }
            0xc7..=0xc9 => {
                let length = length(bytes, tag - 0xc7)?;
                let [kind] = chunk(bytes)?;
                let data = some(bytes, length)?;
                if kind == 0 { Self::Data(data) } else { Self::Ext(kind as i8, data) }
            }
            0xca => Self::Float(f32::from_be_bytes(chunk(bytes)?).into()),
            0xcb => Self::Float(f64::from_be_bytes(chunk(bytes)?)),
            0xcc => Self::Integer(u8::from_be_bytes(chunk(bytes)?).into()),
            0xcd => Self::Integer(u16::from_be_bytes(chunk(bytes)?).into()),
            0xce => Self::Integer(u32::from_be_bytes(chunk(bytes)?).into()),
            0xcf => Self::Integer(u64::from_be_bytes(chunk(bytes)?).into()),
            0xd0 => Self::Integer(i8::from_be_bytes(chunk(bytes)?).into()),
            0xd1 => Self::Integer(i16::from_be_bytes(chunk(bytes)?).into()),
            0xd2 => Self::Integer(i32::from_be_bytes(chunk(bytes)?).into()),
            0xd3 => Self::Integer(i64::from_be_bytes(chunk(bytes)?).into()),
            0xd4..=0xd8 => {
                let [kind] = chunk(bytes)?;
                let data = some(bytes, 1 << (tag - 0xd4))?;
                match (kind, data.len()) {
                    (0, 1) => Self::Undefined,
                    (0, 8) => Self::Date(i64::from_be_bytes(data.try_into().ok()?)),
                    (_, _) => Self::Ext(kind as i8, data),
                }
            }
            0xd9..=0xdb => {
                let length = length(bytes, tag - 0xd9)?;
                Self::Text(some(bytes, length)?)
            }
            0xdc | 0xdd => {
                let length = length(bytes, tag - 0xdb)?;
                Self::List(list(bytes, length)?)
            }
            0xde | 0xdf => {
                let length = length(bytes, tag - 0xdd)?;
                Self::map(list(bytes, length.saturating_mul(2))?)
            }
            0xe0..=0xff => Self::Integer((tag as i8).into()),
            0xc1 => return None,
        })
    }

    /// The text that it is, repaired.
    pub(super) fn text(&self) -> Option<String> {
        let Self::Text(text) = self else { return None };
        Some(String::from_utf8_lossy(text).into_owned())
    }

    /// The text that it is as a key.
    pub(super) fn key(&self) -> Option<String> {
        if let Self::Integer(value) = self { Some(value.to_string()) } else { self.text() }
    }

    /// The integer that it is, if it is not negative.
    pub(super) fn index(&self) -> Option<u64> {
        if let Self::Integer(value) = self {
            return u64::try_from(*value).ok();
        }
        let Self::Float(value) = self else { return None };
        (value.fract() == 0.0 && *value >= 0.0).then_some(*value as u64)
    }

    fn map(keys_and_values: Vec<Self>) -> Self {
        let mut values = keys_and_values.into_iter();
        let entries = std::iter::from_fn(|| Some((values.next()?, values.next()?)));
        Self::Map(entries.collect())
    }

    /// Calls `visit` for each value in it, itself first, but not for keys.
    pub(super) fn walk(&self, visit: &mut impl FnMut(&Self)) {
        visit(self);
        match self {
            Self::List(list) => list.iter().for_each(|value| value.walk(visit)),
            Self::Map(map) => map.iter().for_each(|(_, value)| value.walk(visit)),
            Self::Nil
            | Self::Undefined
            | Self::Bool(_)
            | Self::Integer(_)
            | Self::Float(_)
            | Self::Text(_)
            | Self::Data(_)
            | Self::Date(_)
            | Self::Ext(..) => {}
        }
    }
}

/// A length of one, two or four bytes.
fn length(bytes: &mut &[u8], size: u8) -> Option<usize> {
    Some(match size {
        0 => u8::from_be_bytes(chunk(bytes)?).into(),
        1 => u16::from_be_bytes(chunk(bytes)?).into(),
        _ => u32::from_be_bytes(chunk(bytes)?) as usize,
    })
}

fn chunk<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (chunk, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*chunk)
}

fn some(bytes: &mut &[u8], length: usize) -> Option<Vec<u8>> {
    let (some, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(some.to_vec())
}
