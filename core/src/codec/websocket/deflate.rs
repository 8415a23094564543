//! Compressed messages: the extension `permessage-deflate` (RFC 7692).
//!
//! [`PerMessageDeflate`] is what an end wants, and negotiates it in the opening handshake;
//! [`Agreed`] is what came of that. A [`Decoder`](super::Decoder) that is told of it inflates what
//! comes, within the limits that it has for plain messages, and an [`Outgoing`] decides what goes out
//! compressed.
//!
//! The window is always 32 KiB. What is sent to many is compressed once for all of them, see
//! [`Message::compressed`](crate::Message::compressed): a message that refers to nothing before it
//! means the same to every receiver, also to one that kept its context.
//!
//! # Memory
//!
//! A [`Deflater`] takes some 330 KiB, so one is best lent to all connections of a thread. It becomes a
//! connection's own where that end keeps its context from message to message, which both ends must
//! want; it does not by default.
//!
//! For what comes, a connection holds nothing between messages, or where its peer keeps its context,
//! up to 48 KiB of what it inflated last. While a compressed message is incomplete, it has 11 KiB
//! beside what was inflated, which never exceeds the largest message.

mod extension;
mod outgoing;

pub use extension::{Accepted, Agreed, PerMessageDeflate};
pub use outgoing::{Deflater, Outgoing};

/// What ends the compressed form of a message and is left off (RFC 7692, 7.2.1).
pub(super) const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

/// How far back compressed data can refer, in bytes.
pub(super) const WINDOW_BYTES: usize = 32 << 10;
