//! Arguments.
use crate::ArgsError;
use alloc::vec::Vec;
use bytes::Bytes;
use serde::de::DeserializeOwned;
/// Arguments of an event or an acknowledgement, undecoded.
#[derive(Clone, Debug, Default)]
pub struct Args {
    text: Bytes,
    attachments: Vec<Bytes>,
}
/// One undecoded argument.
#[derive(Clone, Debug)]
pub struct Raw {
    text: Bytes,
    attachments: Vec<Bytes>,
}
impl Args {
    /// Decodes.
    pub fn decode<T: DeserializeOwned>(self) -> Result<T, ArgsError> {
        Ok(serde_json::from_slice(&self.text)?)
    }
    /// How many.
    pub fn len(&self) -> usize {
        self.attachments.len()
    }
    /// None.
    pub fn is_empty(&self) -> bool {
        true
    }
    /// The argument at `index`.
    pub fn get(&self, _index: usize) -> Option<Raw> {
        None
    }
}
impl Raw {
    /// JSON.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.text).unwrap_or_default()
    }
    /// Attachments.
    pub fn attachments(&self) -> &[Bytes] {
        &self.attachments
    }
    /// Decodes.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, ArgsError> {
        Ok(serde_json::from_slice(&self.text)?)
    }
}
