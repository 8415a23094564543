//! Engine.IO 3 packets, where they differ from those of Engine.IO 4: binary data has a type.
//!
//! That type is a byte of its value in binary data, and a digit behind the `b` of base64. Only
//! messages are binary; the reference takes other types so too, which no client sends.

#[cfg(test)]
mod tests;

use bytes::{Buf, Bytes};

use crate::codec::base64;
use crate::codec::engine::{self, Inbound};
use crate::codec::socket;
use crate::{EngineError, Limits};

/// The type of a binary message.
pub(crate) const BINARY_MESSAGE: u8 = 4;

/// Decodes the text of one packet, as [`engine::decode_text`] does for Engine.IO 4. A message is
/// the text of a Socket.IO 4 packet.
///
/// # Errors
///
/// [`EngineError::Empty`] and [`EngineError::UnknownType`].
pub fn decode_text(text: Bytes, limits: &Limits) -> Result<Inbound, EngineError> {
    match *text {
        [b'4', ..] => Ok(Inbound::Message(socket::v4::decode(text, limits))),
        [b'b', b'4', ref data @ ..] => Ok(Inbound::Binary(Bytes::from(base64::decode(data)))),
        [b'b', byte, ..] => Err(EngineError::UnknownType { byte }),
        [b'b'] => Err(EngineError::Empty),
        _ => engine::decode_text(text, limits),
    }
}

/// Decodes a binary packet: a type of one byte, and data.
///
/// # Errors
///
/// [`EngineError::Empty`] and [`EngineError::UnknownType`].
pub fn decode_binary(mut packet: Bytes) -> Result<Inbound, EngineError> {
    match packet.first() {
        Some(&BINARY_MESSAGE) => {
            packet.advance(1);
            Ok(Inbound::Binary(packet))
        }
        Some(&byte) => Err(EngineError::UnknownType { byte }),
        None => Err(EngineError::Empty),
    }
}
