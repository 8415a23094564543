//! Parsers: what packets look like on the wire, where it is not the default.
//!
//! By default a Socket.IO packet is a text, and its binary data follow in messages of their own. A
//! [`Parser`] gives packets another form. Both ends must use the same one, for it is not negotiated:
//! it is chosen for a whole server, and for a whole client.
//!
//! Nothing but the wire is concerned. Received packets are translated into the default form as soon
//! as they are decoded, messages out of it once for all recipients, and everything between works as
//! ever: namespaces, rooms, acknowledgements, the types of arguments, recovery, and every limit.
//!
//! `MessagePack`, of the feature `msgpack`, is what `socket.io-msgpack-parser` speaks. A parser of
//! one's own is two functions:
//!
//! ```
//! use bytes::Bytes;
//! use sansocket_core::{
//!     AckId, EncodeError, Encoder, Limits, Message, PacketError, PacketKind, PacketParts, Parser,
//!     SharedParser, Wire,
//! };
//! use serde::{Deserialize, Serialize};
//!
//! /// Everything in one JSON text, for a network that carries nothing else.
//! #[derive(Debug)]
//! struct OneText;
//!
//! #[derive(Serialize, Deserialize)]
//! struct Fields(u8, String, Option<u64>, String, Vec<Bytes>);
//!
//! impl Parser for OneText {
//!     fn encode<'a>(&self, packet: &'a PacketParts<'_>) -> Result<Wire<'a>, EncodeError> {
//!         let fields = Fields(
//!             packet.kind.number(),
//!             packet.namespace.to_string(),
//!             packet.ack.map(AckId::get),
//!             packet.payload.to_string(),
//!             packet.attachments.clone(), // Arrays of numbers.
//!         );
//!         let text = serde_json::to_string(&fields).map_err(|error| EncodeError::Value {
//!             message: error.to_string().into(),
//!         })?;
//!         Ok(Wire::Text(text.into()))
//!     }
//!
//!     fn decode<'a>(&self, wire: Wire<'a>, _: &Limits) -> Result<PacketParts<'a>, PacketError> {
//!         let Wire::Text(text) = wire else { return Err(PacketError::UnexpectedBinary) };
//!         let Fields(kind, namespace, ack, payload, attachments) =
//!             serde_json::from_str(&text).map_err(|_| PacketError::InvalidPayload)?;
//!         let ack = ack.map(|id| AckId::new(id).ok_or(PacketError::IllegalAckId)).transpose()?;
//!         let kind = PacketKind::from_number(kind)?;
//!         let (namespace, payload) = (namespace.into(), payload.into());
//!         Ok(PacketParts { kind, namespace, ack, payload, attachments })
//!     }
//! }
//!
//! let parser = SharedParser::from(OneText);
//! let event = Message::event(&mut Encoder::new(), "/chat", "greet", &("you", 2), None)?;
//! let message = parser.encode(&event)?;
//! let text = &message.frames()[0];
//! assert_eq!(text.packet(), br#"4[2,"/chat",null,"[\"greet\",\"you\",2]",[]]"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(feature = "msgpack")]
mod msgpack;
#[cfg(test)]
pub(crate) mod tests;

#[cfg(feature = "msgpack")]
pub use self::msgpack::MessagePack;

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

use crate::codec::engine::Inbound;
use crate::codec::message::{Frame, Message};
use crate::codec::socket::{Header, Packet, PacketKind};
use crate::{AckId, EncodeError, EngineError, Limits, PacketError, Revision};

/// The form of packets on the wire. [The module](self) has an example.
///
/// Its functions are pure: the same arguments give the same result, and nothing else happens. They
/// keep no state between packets, do no IO and do not wait. They may be called while a server is
/// locked, so they call none of its methods. One packet is one Engine.IO message.
pub trait Parser: fmt::Debug + Send + Sync {
    /// What is sent for a packet.
    ///
    /// # Errors
    ///
    /// If the packet has no form here. An event or an acknowledgement then fails where it is
    /// emitted, and nobody has got anything of it; a packet of another kind is not sent.
    fn encode<'a>(&self, packet: &'a PacketParts<'_>) -> Result<Wire<'a>, EncodeError>;

    /// The packet that one received message is, from a peer that may send anything. Time and memory
    /// must be bounded by the size of the message.
    ///
    /// What is returned is checked against `limits`, and the payload for what its kind of packet
    /// may have, so a parser need not do that. What it builds before must not exceed them by much.
    ///
    /// # Errors
    ///
    /// If it is none. The peer's connection is closed.
    fn decode<'a>(&self, wire: Wire<'a>, limits: &Limits) -> Result<PacketParts<'a>, PacketError>;
}

/// What stands between the packets of a payload.
const SEPARATOR: char = '\u{1e}';

/// What one Engine.IO message carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wire<'a> {
    /// A text, without the type of an Engine.IO packet in front. One that holds U+001E cannot be
    /// sent, because on polling that stands between packets.
    Text(Cow<'a, str>),
    /// Binary data; on a transport that carries only text they travel as base64.
    Binary(Bytes),
}

/// A Socket.IO packet, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PacketParts<'a> {
    /// Its type.
    pub kind: PacketKind,
    /// The name of its namespace, which begins with `/` and holds no comma.
    pub namespace: Cow<'a, str>,
    /// The acknowledgement that an event asks for, or that this is.
    pub ack: Option<AckId>,
    /// JSON, or nothing. The array of an event begins with its name. For each attachment there is a
    /// placeholder, `{"_placeholder":true,"num":0}` for the first.
    pub payload: Cow<'a, str>,
    /// Binary data. Only events and acknowledgements have some.
    pub attachments: Vec<Bytes>,
}

/// A received packet with its attachments, as a [`Parser`] gives it.
#[derive(Clone, Debug)]
pub struct Complete {
    /// The packet.
    pub packet: Packet,
    /// As many as the packet has.
    pub attachments: Vec<Bytes>,
}

/// A [`Parser`] that a server and its clients' messages, or a client, have in common. Cloning it
/// costs a reference count; two are equal if they are the same one.
#[derive(Clone)]
pub struct SharedParser(Arc<dyn Parser>);

impl SharedParser {
    /// What is sent in place of `message`, which is in the default form. Messages that are no
    /// Socket.IO packets, such as a ping, stay as they are.
    ///
    /// # Errors
    ///
    /// If the parser has no form for it.
    pub fn encode(&self, message: &Message) -> Result<Message, EncodeError> {
        let Some((header, attachments)) = message.frames().split_first() else {
            return Ok(message.clone());
        };
        let Some(header) = Header::split(header.packet()) else { return Ok(message.clone()) };
        let parts = PacketParts {
            kind: header.kind,
            namespace: String::from_utf8_lossy(header.namespace),
            ack: header.ack,
            payload: String::from_utf8_lossy(header.payload),
            attachments: attachments.iter().map(Frame::packet_bytes).collect(),
        };
        match self.0.encode(&parts)? {
            Wire::Text(text) if text.contains(SEPARATOR) => {
                Err(EncodeError::Value { message: "U+001E in the text of a packet".into() })
            }
            Wire::Text(text) => Ok(Message::from(Frame::message(&text))),
            Wire::Binary(data) => Ok(Message::from(Frame::binary(&data))),
        }
    }

    /// Decodes the text of one Engine.IO packet.
    ///
    /// # Errors
    ///
    /// As for [`Revision::decode_text`].
    #[cold]
    #[inline(never)]
    pub(crate) fn decode_text(
        &self,
        revision: Revision,
        text: Bytes,
        limits: &Limits,
    ) -> Result<Inbound, EngineError> {
        if let Some((b'4', text)) = text.split_first() {
            let packet = match core::str::from_utf8(text) {
                Ok(text) => self.decode(revision, Wire::Text(Cow::Borrowed(text)), limits),
                Err(_) => Inbound::Message(Err(PacketError::InvalidPayload)),
            };
            return Ok(packet);
        }
        let packet = revision.decode_text(text, limits)?;
        Ok(self.decode_if_binary(revision, packet, limits))
    }

    /// Decodes a WebSocket binary message.
    ///
    /// # Errors
    ///
    /// As for [`Revision::decode_binary`].
    #[cold]
    #[inline(never)]
    pub(crate) fn decode_binary(
        &self,
        revision: Revision,
        data: Bytes,
        limits: &Limits,
    ) -> Result<Inbound, EngineError> {
        let packet = revision.decode_binary(data)?;
        Ok(self.decode_if_binary(revision, packet, limits))
    }

    fn decode_if_binary(&self, revision: Revision, packet: Inbound, limits: &Limits) -> Inbound {
        match packet {
            Inbound::Binary(data) => self.decode(revision, Wire::Binary(data), limits),
            Inbound::Open
            | Inbound::Close
            | Inbound::Ping { .. }
            | Inbound::Pong { .. }
            | Inbound::Message(_)
            | Inbound::Complete(_)
            | Inbound::Upgrade
            | Inbound::Noop => packet,
        }
    }

    fn decode(&self, revision: Revision, wire: Wire<'_>, limits: &Limits) -> Inbound {
        let parts = self.0.decode(wire, limits);
        match parts.and_then(|parts| Packet::from_parts(parts, revision, limits)) {
            Ok((packet, attachments)) if attachments.is_empty() => Inbound::Message(Ok(packet)),
            Ok((packet, attachments)) => {
                Inbound::Complete(Box::new(Complete { packet, attachments }))
            }
            Err(error) => Inbound::Message(Err(error)),
        }
    }
}

/// `message` as `parser` has it, or as it is where there is none.
///
/// # Errors
///
/// As for [`SharedParser::encode`].
#[inline]
pub fn encode_for(parser: Option<&SharedParser>, message: Message) -> Result<Message, EncodeError> {
    match parser {
        None => Ok(message),
        Some(parser) => parser.encode(&message),
    }
}

impl<P: Parser + 'static> From<P> for SharedParser {
    fn from(parser: P) -> Self {
        Self(Arc::new(parser))
    }
}

impl From<Arc<dyn Parser>> for SharedParser {
    fn from(parser: Arc<dyn Parser>) -> Self {
        Self(parser)
    }
}

impl PartialEq for SharedParser {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for SharedParser {}

impl fmt::Debug for SharedParser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
