//! What can be wrong, by whose fault it is.
//!
//! - The peer's: [`EngineError`] for bytes that are no Engine.IO packet, [`PacketError`] for a
//!   message that is no Socket.IO packet. They close the connection, never more.
//! - The caller's: [`Gone`] for a key whose owner has left meanwhile, which is normal,
//!   [`EncodeError`] and [`ArgsError`] for a value that does not fit, and the errors of single
//!   operations.
//! - Ours: assertions. No input can reach one.

use alloc::boxed::Box;
use alloc::string::ToString;
use core::fmt;

use thiserror::Error;

/// Bytes that are not an Engine.IO packet. Closes the session with `parse error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EngineError {
    /// A packet without even a type.
    #[error("empty packet")]
    Empty,
    /// The first character is none of `0` to `6` and not `b`.
    #[error("unknown packet type {byte:#04x}")]
    UnknownType {
        /// The first byte.
        byte: u8,
    },
    /// The length in front of a packet is no number, or is not that of what follows; Engine.IO 3
    /// only.
    #[error("illegal packet length")]
    IllegalLength,
    /// More packets in one payload than [`Limits::payload_packets`](crate::Limits).
    #[error("more than {limit} packets in one payload")]
    TooManyPackets {
        /// The limit.
        limit: usize,
    },
}

/// A message that is not a Socket.IO packet, or one that may not come now. Closes the connection
/// gracefully, which its sockets see as `forced close`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PacketError {
    /// A message without data.
    #[error("empty message")]
    Empty,
    /// The first character is none of `0` to `6`.
    #[error("unknown packet type {byte:#04x}")]
    UnknownType {
        /// The first byte.
        byte: u8,
    },
    /// The payload is no JSON, or not of the form that its packet type asks for.
    #[error("invalid payload")]
    InvalidPayload,
    /// An event with a name that only the library itself may emit.
    #[error("reserved event name")]
    ReservedName,
    /// The count of attachments is no number, or a placeholder names none of them.
    #[error("illegal attachments")]
    IllegalAttachments,
    /// More attachments than [`Limits::attachments`](crate::Limits).
    #[error("more than {limit} attachments")]
    TooManyAttachments {
        /// The limit.
        limit: usize,
    },
    /// An acknowledgement id that is no integer which JavaScript represents exactly.
    #[error("illegal acknowledgement id")]
    IllegalAckId,
    /// The name of a namespace that does not begin with `/`, or holds a comma; other parsers than
    /// the default one only, which would not find such a name.
    #[error("illegal namespace")]
    IllegalNamespace,
    /// A name, or a depth of nesting, past its limit.
    #[error("too long or too deep")]
    TooLong,
    /// Text where an attachment was due.
    #[error("text while attachments are due")]
    UnexpectedText,
    /// An attachment that no packet announced.
    #[error("binary data that no packet announced")]
    UnexpectedBinary,
    /// Header and attachments together exceed [`Limits::max_payload`](crate::Limits).
    #[error("event exceeds {limit} bytes with its attachments")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
}

/// The key's owner has gone. Peers vanish at any time, so this is no fault of anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("gone")]
pub struct Gone;

/// A value that could not be encoded as a message. The peer has not seen any of it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// An event name that only the library itself may emit.
    #[error("reserved event name")]
    ReservedName,
    /// The value's own `Serialize` failed, or JSON has no form for it.
    #[error("{message}")]
    Value {
        /// What went wrong, for a developer to read.
        message: Box<str>,
    },
}

impl serde::ser::Error for EncodeError {
    #[cold]
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Value { message: message.to_string().into_boxed_str() }
    }
}

/// Arguments that do not fit the type that they were to be decoded as.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct ArgsError(#[from] serde_json::Error);

impl serde::de::Error for ArgsError {
    #[cold]
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(serde::de::Error::custom(message))
    }
}
