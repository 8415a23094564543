//! MessagePack, token by token.

use core::ops::Range;

/// A value, or the beginning of one. What is in an array or a map follows it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token<'a> {
    Nil,
    Undefined,
    Bool(bool),
    Unsigned(u64),
    /// A negative integer, or one that was written with a sign.
    Signed(i64),
    Float(f64),
    /// Need not be UTF-8.
    Str(&'a [u8]),
    /// Where the data are.
    Bin(Range<usize>),
    /// Milliseconds since 1970.
    Date(i64),
    Ext(i8, Range<usize>),
    /// So many values follow.
    Array(u32),
    /// So many keys and values follow.
    Map(u32),
}

/// An ext of type 0 with one byte of data.
const UNDEFINED_BYTES: usize = 3;

fn is_undefined(value: &[u8]) -> bool {
    matches!(value, [0xd4, 0, _, ..])
}

/// Reads tokens. It gives `None` where the bytes end within one, or are none.
#[derive(Clone, Debug)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// A reader of `bytes` from `at` on.
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// The position behind what was read.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// Whether the next value is `true`.
    pub(super) fn is_true_next(&self) -> bool {
        self.bytes.get(self.at) == Some(&0xc3)
    }

    /// Passes over the next value if that is `undefined`.
    pub(super) fn skip_undefined(&mut self) -> bool {
        let is_undefined = self.bytes.get(self.at..).is_some_and(is_undefined);
        self.at += if is_undefined { UNDEFINED_BYTES } else { 0 };
        is_undefined
    }

    /// The next token.
    pub(super) fn token(&mut self) -> Option<Token<'a>> {
        let [first] = self.chunk()?;
        Some(match first {
            0x00..=0x7f => Token::Unsigned(u64::from(first)),
            0x80..=0x8f => Token::Map(u32::from(first & 0x0f)),
            0x90..=0x9f => Token::Array(u32::from(first & 0x0f)),
            0xa0..=0xbf => self.str(u32::from(first & 0x1f))?,
            0xc0 => Token::Nil,
            0xc1 => return None,
            0xc2 => Token::Bool(false),
            0xc3 => Token::Bool(true),
            0xc4 => self.len_8().and_then(|len| self.bin(len))?,
            0xc5 => self.len_16().and_then(|len| self.bin(len))?,
            0xc6 => self.len_32().and_then(|len| self.bin(len))?,
            0xc7 => self.len_8().and_then(|len| self.ext(len))?,
            0xc8 => self.len_16().and_then(|len| self.ext(len))?,
            0xc9 => self.len_32().and_then(|len| self.ext(len))?,
            0xca => Token::Float(f64::from(f32::from_be_bytes(self.chunk()?))),
            0xcb => Token::Float(f64::from_be_bytes(self.chunk()?)),
            0xcc => Token::Unsigned(u64::from(u8::from_be_bytes(self.chunk()?))),
            0xcd => Token::Unsigned(u64::from(u16::from_be_bytes(self.chunk()?))),
            0xce => Token::Unsigned(u64::from(u32::from_be_bytes(self.chunk()?))),
            0xcf => Token::Unsigned(u64::from_be_bytes(self.chunk()?)),
            0xd0 => Token::Signed(i64::from(i8::from_be_bytes(self.chunk()?))),
            0xd1 => Token::Signed(i64::from(i16::from_be_bytes(self.chunk()?))),
            0xd2 => Token::Signed(i64::from(i32::from_be_bytes(self.chunk()?))),
            0xd3 => Token::Signed(i64::from_be_bytes(self.chunk()?)),
            0xd4 => self.fixext(1)?,
            0xd5 => self.fixext(2)?,
            0xd6 => self.fixext(4)?,
            0xd7 => self.fixext(8)?,
            0xd8 => self.fixext(16)?,
            0xd9 => self.len_8().and_then(|len| self.str(len))?,
            0xda => self.len_16().and_then(|len| self.str(len))?,
            0xdb => self.len_32().and_then(|len| self.str(len))?,
            0xdc => Token::Array(self.len_16()?),
            0xdd => Token::Array(self.len_32()?),
            0xde => Token::Map(self.len_16()?),
            0xdf => Token::Map(self.len_32()?),
            0xe0..=0xff => Token::Signed(i64::from(first as i8)),
        })
    }

    /// Whether the value that begins there is `undefined`.
    pub(super) fn is_undefined_at(&self, at: usize) -> bool {
        self.bytes.get(at..).is_some_and(is_undefined)
    }

    /// Passes over one value with all that is in it. It counts what is still to come instead of
    /// descending, so depth is of no matter; each value takes a byte, so neither is what a length
    /// announces.
    pub(super) fn skip(&mut self) -> Option<()> {
        let mut left = 1_u64;
        while left > 0 {
            let inside = match self.token()? {
                Token::Array(len) => u64::from(len),
                Token::Map(len) => 2 * u64::from(len),
                Token::Nil
                | Token::Undefined
                | Token::Bool(_)
                | Token::Unsigned(_)
                | Token::Signed(_)
                | Token::Float(_)
                | Token::Str(_)
                | Token::Bin(_)
                | Token::Date(_)
                | Token::Ext(..) => 0,
            };
            left = (left - 1).saturating_add(inside);
        }
        Some(())
    }

    fn len_8(&mut self) -> Option<u32> {
        self.chunk().map(|[len]| u32::from(len))
    }

    fn len_16(&mut self) -> Option<u32> {
        Some(u32::from(u16::from_be_bytes(self.chunk()?)))
    }

    fn len_32(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.chunk()?))
    }

    fn str(&mut self, len: u32) -> Option<Token<'a>> {
        let range = self.range(len)?;
        Some(Token::Str(self.bytes.get(range)?))
    }

    fn bin(&mut self, len: u32) -> Option<Token<'a>> {
        Some(Token::Bin(self.range(len)?))
    }

    fn ext(&mut self, len: u32) -> Option<Token<'a>> {
        let [kind] = self.chunk()?;
        let range = self.range(len)?;
        Some(if kind == 0 { Token::Bin(range) } else { Token::Ext(kind as i8, range) })
    }

    /// What notepack, the library below the JavaScript parser, writes for `undefined` and for dates
    /// has the type 0 too, and is known by its length.
    fn fixext(&mut self, len: u32) -> Option<Token<'a>> {
        let [kind] = self.chunk()?;
        let range = self.range(len)?;
        let data = self.bytes.get(range.clone())?;
        Some(match (kind, data) {
            (0, [_]) => Token::Undefined,
            (0, &[a, b, c, d, e, f, g, h]) => {
                Token::Date(i64::from_be_bytes([a, b, c, d, e, f, g, h]))
            }
            (_, _) => Token::Ext(kind as i8, range),
        })
    }

    fn range(&mut self, len: u32) -> Option<Range<usize>> {
        let start = self.at;
        let end = start.checked_add(usize::try_from(len).ok()?)?;
        if end > self.bytes.len() {
            return None;
        }
        self.at = end;
        Some(start..end)
    }

    fn chunk<const N: usize>(&mut self) -> Option<[u8; N]> {
        let chunk = *self.bytes.get(self.at..)?.first_chunk()?;
        self.at += N;
        Some(chunk)
    }
}
