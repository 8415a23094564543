//! Engine.IO 4 packets.
use crate::codec::message::Message;
use crate::codec::socket::Packet;
use crate::{EngineError, Limits, PacketError};
use bytes::Bytes;
use core::time::Duration;
/// One received packet.
#[derive(Debug)]
pub enum Inbound {
    /// `0`.
    Open,
    /// `1`.
    Close,
    /// `2`.
    Ping {
        /// Probe.
        probe: bool,
    },
    /// `3`.
    Pong {
        /// Probe.
        probe: bool,
    },
    /// `4`.
    Message(Result<Packet, PacketError>),
    /// Binary.
    Binary(Bytes),
    /// `5`.
    Upgrade,
    /// `6`.
    Noop,
}
/// Decodes text.
pub fn decode_text(_text: Bytes, _limits: &Limits) -> Result<Inbound, EngineError> {
    Err(EngineError::Empty)
}
/// Decodes binary.
pub fn decode_binary(data: Bytes) -> Inbound {
    Inbound::Binary(data)
}
/// What the open packet tells the client.
#[derive(Clone, Copy, Debug)]
pub struct Handshake<'a> {
    /// Session id.
    pub sid: &'a str,
    /// Transports.
    pub upgrades: &'a [&'a str],
    /// Interval.
    pub ping_interval: Duration,
    /// Timeout.
    pub ping_timeout: Duration,
    /// Bytes.
    pub max_payload: usize,
}
impl Handshake<'_> {
    /// The open packet.
    pub fn encode(&self) -> Message {
        Message::noop()
    }
}
