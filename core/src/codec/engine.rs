//! Engine.IO 4 packets: one type character and its data, or binary data without a type. For
//! Engine.IO 3 see [`v3`].

#[cfg(test)]
mod tests;
pub mod v3;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;

use crate::codec::base64;
use crate::codec::message::{Frame, Message, write_decimal, write_string};
use crate::codec::parser::Complete;
use crate::codec::socket::Packet;
use crate::{EngineError, Limits, PacketError};

/// One received packet.
#[derive(Clone, Debug)]
pub enum Inbound {
    /// `0`: a server's handshake, of no meaning to a server.
    Open,
    /// `1`: the peer closes the session.
    Close,
    /// `2`: the peer asks for a pong.
    Ping {
        /// It probes a transport to which it wants to upgrade.
        probe: bool,
    },
    /// `3`: the answer to a ping.
    Pong {
        /// It answers the probe of a transport.
        probe: bool,
    },
    /// `4`: a message, which is the text of a Socket.IO packet. A fault of the latter does not make
    /// the Engine.IO packet a faulty one, so it comes as a value.
    Message(Result<Packet, PacketError>),
    /// A message that is a Socket.IO packet with all its attachments, by a
    /// [`Parser`](crate::Parser). What such a parser gives without any is a
    /// [`Message`](Self::Message).
    Complete(Box<Complete>),
    /// A binary message, which is an attachment.
    Binary(Bytes),
    /// `5`: the probed transport becomes the session's.
    Upgrade,
    /// `6`: nothing.
    Noop,
}

impl Inbound {
    /// Whether it may set a deadline when it comes on a WebSocket. Most packets set none there, and
    /// may be handled as of any time that has been. A POST always needs the time.
    pub fn needs_time(&self) -> bool {
        match self {
            Self::Message(Ok(packet)) => packet.attachments > 0,
            Self::Complete(_) => false,
            Self::Message(Err(_))
            | Self::Open
            | Self::Close
            | Self::Ping { .. }
            | Self::Pong { .. }
            | Self::Binary(_)
            | Self::Upgrade
            | Self::Noop => true,
        }
    }
}

/// Decodes the text of one packet: a WebSocket text message, or a part of a polling payload.
///
/// `b` and base64 are binary data on every transport. `text` should be UTF-8; where it is not, names
/// read as empty and arguments do not decode.
///
/// # Errors
///
/// [`EngineError::Empty`] and [`EngineError::UnknownType`].
#[inline(always)]
pub fn decode_text(text: Bytes, limits: &Limits) -> Result<Inbound, EngineError> {
    let Some((&kind, data)) = text.split_first() else { return Err(EngineError::Empty) };
    Ok(match kind {
        b'4' => Inbound::Message(Packet::decode(text, limits)),
        b'0' => Inbound::Open,
        b'1' => Inbound::Close,
        b'2' => Inbound::Ping { probe: data == b"probe" },
        b'3' => Inbound::Pong { probe: data == b"probe" },
        b'5' => Inbound::Upgrade,
        b'6' => Inbound::Noop,
        b'b' => Inbound::Binary(Bytes::from(base64::decode(data))),
        byte => return Err(EngineError::UnknownType { byte }),
    })
}

/// Decodes a WebSocket binary message, which has no type character.
pub fn decode_binary(data: Bytes) -> Inbound {
    Inbound::Binary(data)
}

/// What the open packet tells the client.
#[derive(Clone, Copy, Debug)]
pub struct Handshake<'a> {
    /// The session's id.
    pub sid: &'a str,
    /// The transports to which the client may upgrade.
    pub upgrades: &'a [&'a str],
    /// From one ping to the next; told in whole milliseconds.
    pub ping_interval: Duration,
    /// For how long a pong is awaited; told in whole milliseconds.
    pub ping_timeout: Duration,
    /// Bytes of the largest polling payload that the server takes.
    pub max_payload: usize,
}

impl Handshake<'_> {
    /// The open packet.
    pub fn encode(&self) -> Message {
        let mut packet = Vec::with_capacity(128);
        packet.extend_from_slice(br#"0{"sid":"#);
        write_string(&mut packet, self.sid);
        packet.extend_from_slice(br#","upgrades":["#);
        for (index, upgrade) in self.upgrades.iter().enumerate() {
            if index > 0 {
                packet.push(b',');
            }
            write_string(&mut packet, upgrade);
        }
        packet.push(b']');
        let numbers: [(&[u8], u64); 3] = [
            (br#","pingInterval":"#, saturating_millis(self.ping_interval)),
            (br#","pingTimeout":"#, saturating_millis(self.ping_timeout)),
            (br#","maxPayload":"#, self.max_payload as u64),
        ];
        for (name, number) in numbers {
            packet.extend_from_slice(name);
            write_decimal(&mut packet, number);
        }
        packet.push(b'}');
        Message::from(Frame::utf8(&packet))
    }
}

fn saturating_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
