//! JSON, against serde_json.

use sansocket_core::PacketError;
use sansocket_core::codec::json::{MAX_DEPTH, validate};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Our scanner and serde_json must agree about what is JSON, with one difference: the scanner
/// refuses what nests deeper than its limit, while serde_json passes over values of any depth.
///
/// The encoding of bytes from 0x80 in strings is looked at by neither.
///
/// # Panics
///
/// If they do not agree.
pub fn compare(text: &[u8], depth_limit: usize) {
    let accepted = is_json(text);
    let depth_limit = depth_limit.min(MAX_DEPTH);
    match validate(text, depth_limit) {
        Ok(()) => {
            assert!(accepted, "accepted, but no JSON");
            assert!(depth(text) <= depth_limit, "deeper than {depth_limit}");
        }
        Err(PacketError::InvalidPayload) => assert!(!accepted, "refused, but JSON"),
        Err(PacketError::TooLong) => assert!(depth(text) > depth_limit, "not that deep"),
        Err(other) => panic!("{other:?} is no error of the scanner"),
    }
}

/// Whether it is JSON for serde_json.
pub(super) fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(text).is_ok()
}

/// How deep the arrays and objects of `text` nest, which need not be JSON.
pub(super) fn depth(text: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// A JSON value with its keys in order, duplicates included.
///
/// serde_json builds values for less than it accepts: not for surrogates without a partner, numbers
/// past the range of a double, and nesting from 128 on.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Tree {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    /// What a placeholder stands for; [`resolve`](Self::resolve) makes them.
    Bytes(Vec<u8>),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
}

impl Tree {
    /// The value that `text` is, if serde_json can build it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The number of the attachment for which this object stands, by the rules of JavaScript: the
    /// last of duplicate keys counts, and any notation of an integer. `None` if it is no placeholder,
    /// `Some(None)` if its number is none.
    pub(super) fn placeholder(&self) -> Option<Option<usize>> {
        let Self::Map(entries) = self else { return None };
        let last = |name: &str| entries.iter().rev().find(|(key, _)| key == name);
        if last("_placeholder").map(|(_, value)| value) != Some(&Self::Bool(true)) {
            return None;
        }
        let Some((_, Self::Number(number))) = last("num") else { return Some(None) };
        let is_index = *number >= 0.0 && number.fract() == 0.0 && *number <= f64::from(u32::MAX);
        Some(is_index.then_some(*number as usize))
    }

    /// Calls `visit` for each value in it, itself first.
    pub(super) fn walk(&self, visit: &mut impl FnMut(&Self)) {
        visit(self);
        match self {
            Self::List(elements) => elements.iter().for_each(|element| element.walk(visit)),
            Self::Map(entries) => entries.iter().for_each(|(_, value)| value.walk(visit)),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::Bytes(_) => {}
        }
    }

    /// With each placeholder replaced by its attachment; `None` if one is missing.
    pub(super) fn resolve<T: AsRef<[u8]>>(&self, attachments: &[T]) -> Option<Self> {
        if let Some(number) = self.placeholder() {
            return Some(Self::Bytes(attachments.get(number?)?.as_ref().to_vec()));
        }
        Some(match self {
            Self::List(elements) => {
                Self::List(elements.iter().map(|e| e.resolve(attachments)).collect::<Option<_>>()?)
            }
            Self::Map(entries) => {
                let resolve = |(key, value): &(String, Self)| {
                    Some((key.clone(), value.resolve(attachments)?))
                };
                Self::Map(entries.iter().map(resolve).collect::<Option<_>>()?)
            }
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::Bytes(_) => {
                self.clone()
            }
        })
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct TreeVisitor;

        impl<'de> Visitor<'de> for TreeVisitor {
            type Value = Tree;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("any value")
            }

            fn visit_unit<E>(self) -> Result<Tree, E> {
                Ok(Tree::Null)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
                Ok(Tree::Bool(value))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
                Ok(Tree::Number(value as f64))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
                Ok(Tree::Number(value as f64))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
                Ok(Tree::Number(value))
            }

            fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
                Ok(Tree::Text(value.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Tree, A::Error> {
                let mut list = Vec::new();
                while let Some(element) = elements.next_element()? {
                    list.push(element);
                }
                Ok(Tree::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Tree, A::Error> {
                let mut map = Vec::new();
                while let Some(entry) = entries.next_entry()? {
                    map.push(entry);
                }
                Ok(Tree::Map(map))
            }
        }

        json.deserialize_any(TreeVisitor)
    }
}

#[cfg(test)]
mod tests;
