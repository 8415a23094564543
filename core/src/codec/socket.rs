//! Socket.IO 5 packets.
use crate::codec::args::Args;
use crate::{AckId, Limits, PacketError};
use alloc::vec::Vec;
use bytes::Bytes;
/// Kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PacketKind {
    /// `0`.
    Connect,
    /// `1`.
    Disconnect,
    /// `2`, `5`.
    Event,
    /// `3`, `6`.
    Ack,
    /// `4`.
    ConnectError,
}
/// A packet.
#[derive(Clone, Debug)]
pub struct Packet {
    /// Kind.
    pub kind: PacketKind,
    /// Acknowledgement id.
    pub ack: Option<AckId>,
    /// Attachments that follow.
    pub attachments: u32,
    text: Bytes,
}
impl Packet {
    /// Decodes `text`, the whole Engine.IO packet with its `4`.
    pub fn decode(_text: Bytes, _limits: &Limits) -> Result<Self, PacketError> {
        Err(PacketError::Empty)
    }
    /// Namespace.
    pub fn namespace(&self) -> &str {
        "/"
    }
    /// Event.
    pub fn event_name(&self) -> &str {
        ""
    }
    /// JSON.
    pub fn payload(&self) -> &str {
        ""
    }
    /// Bytes of the header packet.
    pub fn len_bytes(&self) -> usize {
        self.text.len()
    }
    /// Arguments.
    pub fn into_args(self, _attachments: Vec<Bytes>) -> Args {
        Args::default()
    }
}
