//! Deserializers: of all arguments together, and of JSON with attachments.

mod attached;
mod attachments;

pub(super) use self::attachments::Attachments;

use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IgnoredAny, SeqAccess, Visitor,
};
use serde_json::Error;
use serde_json::de::StrRead;

use self::attached::Attached;
use crate::codec::args::raw::RAW_TOKEN;
use crate::codec::json::plain_run_end;

/// Decodes `text`, one JSON value, with the attachments that its placeholders name.
pub(super) fn value<T: DeserializeOwned>(
    text: &[u8],
    attachments: &Attachments,
) -> Result<T, Error> {
    let mut json = parser(text)?;
    let value = T::deserialize(Attached::new(&mut json, attachments))?;
    json.end()?;
    Ok(value)
}

/// Decodes `text`, one JSON value without attachments.
pub(super) fn plain_value<T: DeserializeOwned>(text: &[u8]) -> Result<T, Error> {
    let mut json = parser(text)?;
    let value = T::deserialize(&mut json)?;
    json.end()?;
    Ok(value)
}

/// serde_json's parser of `text`. One check of the whole spares it that of each string.
#[inline]
fn parser(text: &[u8]) -> Result<serde_json::Deserializer<StrRead<'_>>, Error> {
    let text = core::str::from_utf8(text).map_err(Error::custom)?;
    Ok(serde_json::Deserializer::from_str(text))
}

/// Deserializes all arguments together: a tuple takes one for each element, anything else the
/// first.
///
/// serde_json does the work on the text as it is. For several arguments it reads the array of which
/// they are part, and skips the event's name.
#[derive(Clone, Copy)]
pub(super) struct Arguments<'a> {
    /// A valid array.
    array: &'a [u8],
    /// Where the first argument in it begins, behind an event's name.
    first_start: usize,
    /// The first argument; empty if there is none.
    first: &'a [u8],
    attachments: Option<&'a Attachments>,
}

impl<'a> Arguments<'a> {
    #[inline]
    pub(super) fn new(
        array: &'a [u8],
        first_start: usize,
        first: &'a [u8],
        attachments: Option<&'a Attachments>,
    ) -> Self {
        Self { array, first_start, first, attachments }
    }

    /// The first argument, if there is one.
    #[inline]
    fn first(self) -> Result<Option<serde_json::Deserializer<StrRead<'a>>>, Error> {
        if self.first.is_empty() { Ok(None) } else { parser(self.first).map(Some) }
    }

    /// Whether the whole first argument was read. As a 128-bit integer, serde_json reads of `1.5` the
    /// `1`, and leaves it to its caller to find the rest.
    #[inline]
    fn finish(self, json: serde_json::Deserializer<StrRead<'a>>) -> Result<(), Error> {
        match json.into_iter::<IgnoredAny>().byte_offset() == self.first.len() {
            true => Ok(()),
            false => Err(Error::custom("trailing characters")),
        }
    }

    /// The first argument, if it is a string without escape sequences. It is what most events have,
    /// and it has been validated, so it needs no parser.
    #[inline]
    fn plain_string(self) -> Option<&'a str> {
        let [b'"', content @ .., b'"'] = self.first else { return None };
        let is_plain = plain_run_end(content, 0) == content.len();
        if is_plain { core::str::from_utf8(content).ok() } else { None }
    }

    /// The attachment, if the first argument is a placeholder as every encoder writes it.
    #[inline]
    fn plain_attachment(self) -> Option<Bytes> {
        let number = self.first.strip_prefix(br#"{"_placeholder":true,"num":"#)?;
        let number = core::str::from_utf8(number.strip_suffix(b"}")?).ok()?;
        self.attachments?.take(number.parse().ok()?)
    }

    /// Whether an event's name stands in front of the arguments.
    fn has_name(self) -> bool {
        let inner = self.array.get(1..self.first_start).unwrap_or_default();
        inner.iter().any(|byte| !byte.is_ascii_whitespace())
    }
}

/// Lets serde_json parse the first argument.
macro_rules! parse_first {
    ($arguments:ident.$method:ident($($argument:expr),* $(,)?)) => {{
        let Some(mut json) = $arguments.first()? else {
            return Missing { index: 0 }.$method($($argument),*);
        };
        let value = match $arguments.attachments {
            None => json.$method($($argument),*),
            Some(attachments) => Attached::new(&mut json, attachments).$method($($argument),*),
        }?;
        $arguments.finish(json)?;
        Ok(value)
    }};
}

macro_rules! first_argument {
    ($($method:ident($($parameter:ident: $type:ty),*);)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, $($parameter: $type,)* visitor: V) -> Result<V::Value, Error> {
            parse_first!(self.$method($($parameter,)* visitor))
        }
    )*};
}

impl<'de> Deserializer<'de> for Arguments<'de> {
    type Error = Error;

    first_argument! {
        deserialize_bool();
        deserialize_i8();
        deserialize_i16();
        deserialize_i32();
        deserialize_i64();
        deserialize_i128();
        deserialize_u8();
        deserialize_u16();
        deserialize_u32();
        deserialize_u64();
        deserialize_u128();
        deserialize_f32();
        deserialize_f64();
        deserialize_char();
        deserialize_option();
        deserialize_unit_struct(name: &'static str);
        deserialize_seq();
        deserialize_tuple_struct(name: &'static str, len: usize);
        deserialize_map();
        deserialize_struct(name: &'static str, fields: &'static [&'static str]);
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
        deserialize_identifier();
    }

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.plain_string() {
            Some(text) => visitor.visit_borrowed_str(text),
            None => parse_first!(self.deserialize_any(visitor)),
        }
    }

    #[inline]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.plain_string() {
            Some(text) => visitor.visit_borrowed_str(text),
            None => parse_first!(self.deserialize_str(visitor)),
        }
    }

    #[inline]
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    #[inline]
    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.plain_attachment() {
            Some(attachment) => visitor.visit_byte_buf(Vec::from(attachment)),
            None => parse_first!(self.deserialize_bytes(visitor)),
        }
    }

    #[inline]
    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_bytes(visitor)
    }

    /// A [`Raw`](super::Raw) needs no parser either, unless attachments are to be found for it.
    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.attachments {
            None if name == RAW_TOKEN && !self.first.is_empty() => visitor.visit_bytes(self.first),
            None | Some(_) => parse_first!(self.deserialize_newtype_struct(name, visitor)),
        }
    }

    #[inline]
    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    #[inline]
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    #[inline]
    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        let mut json = parser(self.array)?;
        json.deserialize_seq(TupleVisitor { arguments: self, visitor })
    }
}

/// Visits the array of which the arguments are part, and lets `visitor` see them only.
struct TupleVisitor<'a, V> {
    arguments: Arguments<'a>,
    visitor: V,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for TupleVisitor<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    #[inline]
    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<V::Value, A::Error> {
        if self.arguments.has_name() {
            array.next_element::<IgnoredAny>()?;
        }
        let attachments = self.arguments.attachments;
        let value =
            self.visitor.visit_seq(Elements { array: &mut array, attachments, index: 0 })?;
        while array.next_element::<IgnoredAny>()?.is_some() {}
        Ok(value)
    }
}

/// The elements of a tuple. It never runs out of them: whatever accepts to be [`Missing`] is there.
struct Elements<'a, A> {
    array: &'a mut A,
    attachments: Option<&'a Attachments>,
    index: usize,
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Elements<'_, A> {
    type Error = A::Error;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        let index = self.index;
        self.index += 1;
        let mut seed = Some(seed);
        let element = ElementSeed { seed: &mut seed, attachments: self.attachments };
        if let Some(value) = self.array.next_element_seed(element)? {
            return Ok(value);
        }
        let missing = Missing { index };
        let value = seed.map(|seed| seed.deserialize(missing)).transpose();
        value.map_err(A::Error::custom)
    }
}

/// Leaves the seed behind when there is no element to use it on.
struct ElementSeed<'a, S> {
    seed: &'a mut Option<S>,
    attachments: Option<&'a Attachments>,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for ElementSeed<'_, S> {
    /// `None` only if the seed has been used before.
    type Value = Option<S::Value>;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        let Some(seed) = self.seed.take() else { return Ok(None) };
        match self.attachments {
            None => seed.deserialize(json).map(Some),
            Some(attachments) => seed.deserialize(Attached::new(json, attachments)).map(Some),
        }
    }
}

/// The argument that is not there: `undefined`, as JavaScript would have it.
#[derive(Clone, Copy)]
struct Missing {
    index: usize,
}

macro_rules! missing {
    ($($method:ident($($parameter:ident: $type:ty),*);)*) => {$(
        fn $method<V: Visitor<'de>>(self, $(_: $type,)* visitor: V) -> Result<V::Value, Error> {
            Err(self.error(&visitor))
        }
    )*};
}

impl<'de> Deserializer<'de> for Missing {
    type Error = Error;

    /// For what takes any value, the nearest that JSON has to `undefined`.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_none()
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    missing! {
        deserialize_bool();
        deserialize_i8();
        deserialize_i16();
        deserialize_i32();
        deserialize_i64();
        deserialize_i128();
        deserialize_u8();
        deserialize_u16();
        deserialize_u32();
        deserialize_u64();
        deserialize_u128();
        deserialize_f32();
        deserialize_f64();
        deserialize_char();
        deserialize_str();
        deserialize_string();
        deserialize_bytes();
        deserialize_byte_buf();
        deserialize_unit_struct(name: &'static str);
        deserialize_newtype_struct(name: &'static str);
        deserialize_seq();
        deserialize_tuple(len: usize);
        deserialize_tuple_struct(name: &'static str, len: usize);
        deserialize_map();
        deserialize_struct(name: &'static str, fields: &'static [&'static str]);
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
        deserialize_identifier();
    }
}

impl Missing {
    #[cold]
    fn error<'de, V: Visitor<'de>>(self, visitor: &V) -> Error {
        struct Expected<'a, V>(&'a V);

        impl<'de, V: Visitor<'de>> fmt::Display for Expected<'_, V> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.expecting(f)
            }
        }

        Error::custom(format_args!(
            "missing argument {}, expected {}",
            self.index,
            Expected(visitor)
        ))
    }
}
