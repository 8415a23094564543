//! How much lies between a core's inbox, which has the limits, and the handlers.

use bytes::Bytes;
use sansocket_core::codec::socket::Packet;

/// What may wait for handlers that are busy. The rest stays in the core's inbox.
///
/// Each event counts at least [`LEAST`], and more the larger it is, so that the few that handlers
/// are given in advance bound their bytes as well as their number: 64 events, or 256 KiB and one
/// event.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Backlog {
    weight: usize,
}

/// What an event without data counts.
pub(crate) const LEAST: usize = 1;

/// The weight from which nothing more is taken.
const FULL: usize = 64;

/// The bytes that count as much as one event more.
const BYTES_PER_WEIGHT: usize = 4 << 10;

/// What an event with that packet and these attachments counts.
pub(crate) fn weight(packet: &Packet, attachments: &[Bytes]) -> usize {
    let bytes = packet.len_bytes() + attachments.iter().map(Bytes::len).sum::<usize>();
    LEAST + bytes / BYTES_PER_WEIGHT
}

impl Backlog {
    pub(crate) fn has_room(self) -> bool {
        self.weight < FULL
    }

    pub(crate) fn add(&mut self, weight: usize) {
        self.weight += weight;
    }

    /// Takes away what was added before.
    pub(crate) fn remove(&mut self, weight: usize) {
        self.weight -= weight;
    }
}
