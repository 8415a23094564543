//! One value that stays undecoded.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;
use serde::de::{DeserializeOwned, Error, SeqAccess, Visitor};
use serde::ser::{Error as _, SerializeTuple};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::decode::{self, Attachments};
use super::encode::Output;
use crate::codec::json::{placeholders, write_placeholder};
use crate::codec::message::Frame;
use crate::{ArgsError, EncodeError};

/// The name of a newtype struct by which our serializer and our deserializer know [`Raw`].
pub(super) const RAW_TOKEN: &str = "$sansocket::Raw";

/// One argument, or a part of one, as it came: its JSON text and the attachments that it refers to.
///
/// It can be decoded later, or be sent again, which copies its text without a look at it. Cloning
/// it costs a reference count, and one for each attachment.
///
/// It is serialized by [`Message`](crate::codec::message::Message)'s constructors only, and
/// deserialized by [`Args::decode`](super::Args::decode), [`Raw::decode`], or serde_json.
#[derive(Clone, PartialEq, Eq)]
pub struct Raw {
    text: Bytes,
    /// Those that its placeholders name, in the order in which they do.
    attachments: Vec<Bytes>,
}

impl Raw {
    /// `text` is valid JSON, whose placeholders are numbered from 0 as they follow one another.
    pub(crate) fn new(text: Bytes, attachments: Vec<Bytes>) -> Self {
        Self { text, attachments }
    }

    /// The one value that `value` serializes as.
    ///
    /// # Errors
    ///
    /// If it cannot be encoded.
    pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Self, EncodeError> {
        let mut output = Output::default();
        value.serialize(&mut output)?;
        let attachments = output.attachments.iter().map(Frame::packet_bytes).collect();
        Ok(Self { text: Bytes::from(output.json), attachments })
    }

    /// Decodes it as a `T`.
    ///
    /// # Errors
    ///
    /// If it does not fit.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, ArgsError> {
        if self.attachments.is_empty() {
            return Ok(decode::plain_value(&self.text)?);
        }
        let attachments = Attachments::new(self.attachments.clone(), false);
        Ok(decode::value(&self.text, &attachments)?)
    }

    /// Its JSON text, with a placeholder for each attachment.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.text).unwrap_or_default()
    }

    /// The attachments that its placeholders name, in order.
    pub fn attachments(&self) -> &[Bytes] {
        &self.attachments
    }

    /// The value in `text` with the attachments that its placeholders name. Each placeholder gets
    /// an attachment of its own.
    pub(super) fn extract(text: Bytes, mut take: impl FnMut(u32) -> Option<Bytes>) -> Self {
        let mut attachments = Vec::new();
        let rewritten = rewrite(&text, |number| {
            attachments.push(number.and_then(&mut take).unwrap_or_default());
            attachments.len() - 1
        });
        Self { text: rewritten.map_or(text, Bytes::from), attachments }
    }
}

/// Copies `text` with each placeholder's number replaced; `None` if it has no placeholders.
fn rewrite(text: &[u8], mut renumber: impl FnMut(Option<u32>) -> usize) -> Option<Vec<u8>> {
    let placeholders = placeholders(text);
    if placeholders.is_empty() {
        return None;
    }
    let mut json = Vec::with_capacity(text.len());
    let mut copied = 0;
    for placeholder in placeholders {
        json.extend_from_slice(text.get(copied..placeholder.start).unwrap_or_default());
        write_placeholder(&mut json, renumber(placeholder.number));
        copied = placeholder.end;
    }
    json.extend_from_slice(text.get(copied..).unwrap_or_default());
    Some(json)
}

/// Appends `text`, a [`Raw`]'s, whose first attachment is number `base` of the packet.
pub(super) fn write_renumbered(json: &mut Vec<u8>, text: &[u8], base: usize) {
    match rewrite(text, |number| base + number.unwrap_or_default() as usize) {
        None => json.extend_from_slice(text),
        Some(text) => json.extend_from_slice(&text),
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())?;
        if self.attachments.is_empty() { Ok(()) } else { self.attachments.fmt(f) }
    }
}

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(RAW_TOKEN, &Parts(self))
    }
}

/// A [`Raw`] on its way to the sink of our serializer.
///
/// serde lets a value find out nothing about its serializer. So this one hands over its parts and
/// then fails whatever happened; the sink, which has got them, knows better, while any other
/// serializer reports the failure to its caller.
struct Parts<'a>(&'a Raw);

impl Serialize for Parts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Raw { text, attachments } = self.0;
        let mut parts = serializer.serialize_tuple(attachments.len() + 1)?;
        for attachment in attachments {
            parts.serialize_element(attachment)?;
        }
        parts.serialize_element(text)?;
        parts.end()?;
        Err(S::Error::custom("Raw can only be serialized as part of a Socket.IO message"))
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(RAW_TOKEN, RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    /// From serde_json itself, which is what decodes arguments without attachments.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Raw, D::Error> {
        let text = Box::<RawValue>::deserialize(inner)?;
        Ok(Raw::new(Bytes::from(String::from(Box::<str>::from(text))), Vec::new()))
    }

    /// From our deserializer of arguments, where there are no attachments: the text.
    fn visit_bytes<E: Error>(self, text: &[u8]) -> Result<Raw, E> {
        // The text has been validated, but for its encoding.
        core::str::from_utf8(text).map_err(E::custom)?;
        Ok(Raw::new(Bytes::copy_from_slice(text), Vec::new()))
    }

    /// From our deserializer, which knows the attachments: text and attachments one by one.
    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Raw, A::Error> {
        let text = parts.next_element::<String>()?.unwrap_or_default();
        let mut attachments = Vec::new();
        while let Some(attachment) = parts.next_element()? {
            attachments.push(attachment);
        }
        Ok(Raw::new(Bytes::from(text), attachments))
    }
}
