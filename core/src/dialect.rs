//! How a client wants to be spoken to. Its handshake says it, and it holds for the whole session.

use core::fmt;

use bytes::Bytes;

use crate::codec::engine::{self, Inbound, v3};
use crate::codec::payload::PayloadFormat;
use crate::{EngineError, Limits, SharedParser};

/// A revision of Engine.IO, and of Socket.IO with it: Engine.IO 3 carries Socket.IO 4, and
/// Engine.IO 4 carries Socket.IO 5.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Revision {
    /// That of `socket.io-client` 2.
    V3,
    /// That of `socket.io-client` 3 and 4.
    #[default]
    V4,
}

impl Revision {
    /// Decodes a WebSocket text message.
    ///
    /// # Errors
    ///
    /// As for [`engine::decode_text`].
    #[inline]
    pub fn decode_text(self, text: Bytes, limits: &Limits) -> Result<Inbound, EngineError> {
        match self {
            Self::V4 => engine::decode_text(text, limits),
            Self::V3 => v3::decode_text(text, limits),
        }
    }

    /// Decodes a WebSocket binary message.
    ///
    /// # Errors
    ///
    /// None for revision 4, for 3 those of [`v3::decode_binary`].
    #[inline]
    pub fn decode_binary(self, data: Bytes) -> Result<Inbound, EngineError> {
        match self {
            Self::V4 => Ok(engine::decode_binary(data)),
            Self::V3 => v3::decode_binary(data),
        }
    }

    /// As [`decode_text`](Self::decode_text), where messages are packets of `parser`.
    ///
    /// # Errors
    ///
    /// The same.
    #[inline]
    pub fn decode_text_by(
        self,
        parser: Option<&SharedParser>,
        text: Bytes,
        limits: &Limits,
    ) -> Result<Inbound, EngineError> {
        match parser {
            None => self.decode_text(text, limits),
            Some(parser) => parser.decode_text(self, text, limits),
        }
    }

    /// As [`decode_binary`](Self::decode_binary), where messages are packets of `parser`.
    ///
    /// # Errors
    ///
    /// The same.
    #[inline]
    pub fn decode_binary_by(
        self,
        parser: Option<&SharedParser>,
        data: Bytes,
        limits: &Limits,
    ) -> Result<Inbound, EngineError> {
        match parser {
            None => self.decode_binary(data),
            Some(parser) => parser.decode_binary(self, data, limits),
        }
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V3 => "3",
            Self::V4 => "4",
        })
    }
}

/// The revision that a session speaks, and what its bodies look like while it is on polling.
///
/// A script takes no binary data, so what goes to JSONP is text in every revision; there is no
/// other value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dialect {
    payload: PayloadFormat,
    jsonp: Option<u32>,
}

impl Dialect {
    /// `base64` is whether the client takes no binary bodies (parameter `b64`), `jsonp` the index
    /// of the function that takes its packets (parameter `j`), if it polls by scripts.
    pub fn new(revision: Revision, base64: bool, jsonp: Option<u32>) -> Self {
        let payload = match revision {
            Revision::V4 => PayloadFormat::V4,
            Revision::V3 if base64 || jsonp.is_some() => PayloadFormat::V3Base64,
            Revision::V3 => PayloadFormat::V3,
        };
        Self { payload, jsonp }
    }

    /// The revision.
    pub fn revision(self) -> Revision {
        match self.payload {
            PayloadFormat::V4 => Revision::V4,
            PayloadFormat::V3 | PayloadFormat::V3Base64 => Revision::V3,
        }
    }

    /// How packets share a body.
    pub fn payload(self) -> PayloadFormat {
        self.payload
    }

    /// The index of the function that takes the packets of a GET, if the client polls by scripts.
    pub fn jsonp(self) -> Option<u32> {
        self.jsonp
    }
}
