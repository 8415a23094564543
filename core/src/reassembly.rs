//! Packets whose attachments are still coming.

use alloc::vec::Vec;

use bytes::Bytes;

use crate::codec::socket::Packet;
use crate::{PacketError, Timestamp};

/// A packet and the attachments that have come so far. One for each connection, not for each
/// namespace: the parts of a packet follow one another.
pub(crate) struct Reassembly {
    packet: Packet,
    attachments: Vec<Bytes>,
    bytes: usize,
    deadline: Timestamp,
}

impl Reassembly {
    pub(crate) fn new(packet: Packet, deadline: Timestamp) -> Self {
        let bytes = packet.len_bytes();
        Self { packet, attachments: Vec::new(), bytes, deadline }
    }

    pub(crate) fn deadline(&self) -> Timestamp {
        self.deadline
    }

    /// Gives the peer more time, because it was us who did not read.
    pub(crate) fn postpone(&mut self, deadline: Timestamp) {
        self.deadline = deadline;
    }

    /// Takes one attachment; `true` with the last.
    ///
    /// # Errors
    ///
    /// [`PacketError::TooLarge`], if the packet and its attachments have more than `bytes_max`.
    pub(crate) fn push(&mut self, data: Bytes, bytes_max: usize) -> Result<bool, PacketError> {
        self.bytes += data.len();
        if self.bytes > bytes_max {
            return Err(PacketError::TooLarge { limit: bytes_max });
        }
        self.attachments.push(data);
        Ok(self.attachments.len() >= self.packet.attachments as usize)
    }

    pub(crate) fn into_parts(self) -> (Packet, Vec<Bytes>) {
        (self.packet, self.attachments)
    }
}
