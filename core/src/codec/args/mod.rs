//! Arguments of events and acknowledgements: from Rust values and back, by serde.
//!
//! | Rust | arguments |
//! | --- | --- |
//! | `()` | none |
//! | a tuple, or an array of fixed length, at the top level | one for each element |
//! | anything else | that one |
//! | `bytes::Bytes` and whatever else serializes as bytes, at any depth | a placeholder and an attachment |
//! | [`Raw`], at any depth | any one value, undecoded |
//!
//! To send one array, wrap it: `([1, 2],)`; and so a `serde_json::Value`, whose `Null` is to serde
//! the same as `()`. Decoding mirrors this, and takes what JavaScript takes: arguments past the last
//! element of a tuple are ignored, as all of them are by `()`, and an `Option` without an argument
//! is `None`.
//!
//! Bytes decode from an attachment, and also from what serde_json accepts for them: a string or an
//! array of numbers. Types that buffer their input without knowing what it is (`serde(untagged)`,
//! `serde(flatten)`, `serde_json::Value`) see placeholders as the objects that they are.

mod decode;
mod encode;
mod raw;
#[cfg(test)]
mod tests;

pub use self::raw::Raw;

#[cfg(feature = "msgpack")]
pub(crate) use self::encode::write_float;
pub(crate) use self::encode::{Output, encode, encode_plain, write_decimal, write_string};

use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::ser::SerializeTuple as _;
use serde::{Serialize, Serializer};

use self::decode::{Arguments, Attachments};
use crate::ArgsError;
use crate::codec::json;

/// The arguments of a received event or acknowledgement: validated, and not yet decoded.
#[derive(Clone, Default)]
pub struct Args {
    text: Bytes,
    /// The beginning of the array of which they are part, which ends with the text.
    array_start: usize,
    /// The first argument; empty and in front of the array's closing bracket if there is none.
    first: Range<usize>,
    attachments: Vec<Bytes>,
    attachments_are_shared: bool,
}

impl Args {
    /// `text` ends with a valid array that begins at `array_start`, and holds its first argument, or
    /// nothing and then the closing bracket, at `first`.
    pub(crate) fn new(
        array_start: usize,
        first: Range<usize>,
        text: Bytes,
        attachments: Vec<Bytes>,
        attachments_are_shared: bool,
    ) -> Self {
        Self { text, array_start, first, attachments, attachments_are_shared }
    }

    /// Decodes them as a `T`, by the rules of [this module](self).
    ///
    /// # Errors
    ///
    /// If there are too few, or one does not fit its type.
    pub fn decode<T: DeserializeOwned>(self) -> Result<T, ArgsError> {
        let array = self.text.get(self.array_start..).unwrap_or_default();
        let first = self.text.get(self.first.clone()).unwrap_or_default();
        let first_start = self.first.start.saturating_sub(self.array_start);
        let value = if self.attachments.is_empty() {
            T::deserialize(Arguments::new(array, first_start, first, None))?
        } else {
            let attachments = Attachments::new(self.attachments, self.attachments_are_shared);
            T::deserialize(Arguments::new(array, first_start, first, Some(&attachments)))?
        };
        Ok(value)
    }

    /// How many there are. Takes a pass over their text.
    pub fn len(&self) -> usize {
        self.ranges().count()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    /// The argument at `index`, if there are so many. Takes a pass over the text in front of it.
    pub fn get(&self, index: usize) -> Option<Raw> {
        self.ranges().nth(index).map(|range| self.raw(range))
    }

    /// All arguments, each undecoded.
    pub fn iter(&self) -> impl Iterator<Item = Raw> {
        self.ranges().map(|range| self.raw(range))
    }

    fn raw(&self, range: Range<usize>) -> Raw {
        let text = self.text.slice(range);
        if self.attachments.is_empty() {
            Raw::new(text, Vec::new())
        } else {
            Raw::extract(text, |number| self.attachments.get(number as usize).cloned())
        }
    }

    fn ranges(&self) -> impl Iterator<Item = Range<usize>> {
        let mut next = (!self.is_empty()).then_some(self.first.start);
        core::iter::from_fn(move || {
            let start = next?;
            let end = match start == self.first.start {
                true => self.first.end,
                false => json::value_end(&self.text, start)?,
            };
            let separator = json::whitespace_end(&self.text, end);
            let follows = self.text.get(separator) == Some(&b',');
            next = follows.then(|| json::whitespace_end(&self.text, separator + 1));
            Some(start..end)
        })
    }
}

/// As several arguments, unchanged: for an event that is passed on.
impl Serialize for Args {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(self.len())?;
        for argument in self.iter() {
            tuple.serialize_element(&argument)?;
        }
        tuple.end()
    }
}

impl fmt::Debug for Args {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
