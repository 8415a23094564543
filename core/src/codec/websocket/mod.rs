//! WebSocket (RFC 6455) for both roles: frames, messages, masking, the opening handshake.
//!
//! Everything here is a function of the bytes it is given: no IO, no clock, no randomness (a
//! client supplies its own mask keys and nonces). Errors are the peer's fault only, and
//! [`Error::close_code`] says what it is told. One extension is known, compression, where the feature
//! `deflate` is on.
//!
//! - [`Decoder`] turns what was read into whole [`Message`]s, in any division into reads. While
//!   nothing is incomplete it holds no buffer.
//! - The encoder writes frames that can be shared: an unmasked frame is the same for every
//!   recipient, and [`write_header_before`] puts its header in front of a payload that is already
//!   in place.
//! - [`handshake`] decides about the HTTP request and its response.
//!
//! ```
//! use sansocket_core::codec::websocket::{
//!     self, Decoder, DecoderConfig, Message, Opcode, Role,
//! };
//!
//! // What a client sends ...
//! let mut wire = Vec::new();
//! websocket::encode_masked_into(&mut wire, Opcode::Text, b"hello", [1, 2, 3, 4]);
//! websocket::encode_masked_into(&mut wire, Opcode::Ping, b"?", [5, 6, 7, 8]);
//!
//! // ... is what a server reads, here in two reads that cut a frame in two.
//! let config = DecoderConfig { message_bytes_max: 1_000_000, message_fragments_max: 1_024 };
//! let mut decoder = Decoder::new(Role::Server, config);
//! let mut answers = Vec::new();
//! for read in wire.chunks_mut(8) {
//!     let mut input = read;
//!     while let Some(message) = decoder.decode(&mut input)? {
//!         match message {
//!             Message::Text(text) => websocket::encode_into(&mut answers, Opcode::Text, &text),
//!             Message::Ping(data) => answers.extend_from_slice(&websocket::encode_pong(&data)),
//!             Message::Binary(_) | Message::Pong(_) | Message::Close(_) => {}
//!         }
//!     }
//! }
//! assert_eq!(answers, b"\x81\x05hello\x8a\x01?");
//! # Ok::<(), websocket::Error>(())
//! ```

mod buffer;
mod decoder;
#[cfg(feature = "deflate")]
pub mod deflate;
mod encoder;
pub mod handshake;
mod header;
#[cfg(feature = "deflate")]
mod inflate;
#[cfg(not(feature = "deflate"))]
#[path = "inflate_absent.rs"]
mod inflate;
mod mask;
mod utf8;

#[cfg(test)]
mod tests;

pub use decoder::{CloseFrame, Decoder, DecoderConfig, Message};
pub use encoder::{
    SERVER_HEADER_BYTES_MAX, close_payload, encode_close, encode_frame_into, encode_into,
    encode_masked_into, encode_pong, header, write_header_before,
};
pub use header::{FrameHeader, HEADER_BYTES_MAX, HeaderBytes};
pub use mask::apply_mask;

use core::fmt;
use thiserror::Error;

/// The largest payload of a control frame, in bytes (RFC 6455, 5.5).
pub const CONTROL_PAYLOAD_BYTES_MAX: usize = 125;

/// Which end of the connection *we* are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Receives masked frames, sends unmasked ones.
    Server,
    /// Receives unmasked frames, sends masked ones.
    Client,
}

/// What a frame is (RFC 6455, 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opcode {
    /// A further fragment of the message that is under way.
    Continuation,
    /// A message of UTF-8, or its first fragment.
    Text,
    /// A message of bytes, or its first fragment.
    Binary,
    /// The last frame of its sender.
    Close,
    /// Asks for a pong with the same payload.
    Ping,
    /// Answers a ping, or nothing.
    Pong,
}

impl Opcode {
    /// The opcode with this number, or `None` for the reserved ones.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            _ => return None,
        })
    }

    /// Its number on the wire.
    pub const fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0x0,
            Self::Text => 0x1,
            Self::Binary => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xA,
        }
    }

    /// Whether its frames are short, whole, and allowed between the fragments of a message.
    pub const fn is_control(self) -> bool {
        match self {
            Self::Continuation | Self::Text | Self::Binary => false,
            Self::Close | Self::Ping | Self::Pong => true,
        }
    }
}

/// The two kinds of data message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// UTF-8.
    Text,
    /// Bytes.
    Binary,
}

impl From<MessageKind> for Opcode {
    fn from(kind: MessageKind) -> Self {
        match kind {
            MessageKind::Text => Self::Text,
            MessageKind::Binary => Self::Binary,
        }
    }
}

/// A status code that may stand in a close frame (RFC 6455, 7.4, and the IANA registry).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CloseCode(u16);

impl CloseCode {
    /// The purpose of the connection is fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// The server shuts down, or the page was left.
    pub const GOING_AWAY: Self = Self(1001);
    /// The peer broke the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// A kind of message that the receiver does not take.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// A message that is not what its kind says, such as text that is no UTF-8.
    pub const INVALID_PAYLOAD: Self = Self(1007);
    /// A rule of the receiver for which there is no other code.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// A message larger than the receiver takes.
    pub const TOO_LARGE: Self = Self(1009);
    /// The server met something that it cannot handle.
    pub const INTERNAL_ERROR: Self = Self(1011);

    /// The code `value`, or `None` where no peer may send it: below 1000, the reserved 1004, the
    /// codes that only stand for what happened locally (1005, 1006, 1015), and those that are not
    /// assigned. 3000 to 4999 belong to libraries and applications.
    pub const fn new(value: u16) -> Option<Self> {
        match value {
            1000..=1003 | 1007..=1014 | 3000..=4999 => Some(Self(value)),
            _ => None,
        }
    }

    /// The number on the wire.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl From<CloseCode> for u16 {
    fn from(code: CloseCode) -> Self {
        code.0
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How a peer broke the protocol, or a limit. Ends the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// A reserved bit is set that no extension has given a meaning.
    #[error("reserved bits are set")]
    ReservedBits,
    /// An opcode that RFC 6455 reserves.
    #[error("unknown opcode {opcode:#x}")]
    UnknownOpcode {
        /// The opcode.
        opcode: u8,
    },
    /// A frame from a client without a mask.
    #[error("unmasked frame from a client")]
    Unmasked,
    /// A frame from a server with a mask.
    #[error("masked frame from a server")]
    Masked,
    /// A control frame without FIN.
    #[error("fragmented control frame")]
    FragmentedControl,
    /// A control frame of more than [`CONTROL_PAYLOAD_BYTES_MAX`].
    #[error("control frame of more than 125 bytes")]
    ControlTooLong,
    /// A length of more than 63 bits.
    #[error("payload length with its highest bit set")]
    LengthOverflow,
    /// A length in a longer form than it needs.
    #[error("payload length is not in its shortest form")]
    LengthNotMinimal,
    /// A continuation while no message is under way.
    #[error("continuation without a message to continue")]
    UnexpectedContinuation,
    /// A new message while another one is under way.
    #[error("new message inside a fragmented message")]
    ExpectedContinuation,
    /// A close frame with half a status code.
    #[error("close frame of one byte")]
    ClosePayload,
    /// A close frame with a status code that [`CloseCode::new`] refuses.
    #[error("illegal close code {code}")]
    CloseCode {
        /// The code.
        code: u16,
    },
    /// A text message or a close reason that is no UTF-8.
    #[error("invalid UTF-8")]
    InvalidUtf8,
    /// A message of more than [`DecoderConfig::message_bytes_max`].
    #[error("message is too large")]
    TooLarge,
    /// A compressed message that is no such thing.
    #[error("invalid compressed data")]
    Deflate,
    /// A message of more than [`DecoderConfig::message_fragments_max`].
    #[error("message has too many fragments")]
    TooManyFragments,
}

impl Error {
    /// What the peer is told about it.
    pub const fn close_code(self) -> CloseCode {
        match self {
            Self::ReservedBits
            | Self::UnknownOpcode { .. }
            | Self::Unmasked
            | Self::Masked
            | Self::FragmentedControl
            | Self::ControlTooLong
            | Self::LengthOverflow
            | Self::LengthNotMinimal
            | Self::UnexpectedContinuation
            | Self::ExpectedContinuation
            | Self::ClosePayload
            | Self::CloseCode { .. } => CloseCode::PROTOCOL_ERROR,
            Self::InvalidUtf8 | Self::Deflate => CloseCode::INVALID_PAYLOAD,
            Self::TooLarge => CloseCode::TOO_LARGE,
            Self::TooManyFragments => CloseCode::POLICY_VIOLATION,
        }
    }
}
