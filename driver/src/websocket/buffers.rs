//! What the WebSockets of one thread share.

use std::cell::Cell;

use bytes::Bytes;
use sansocket_core::codec::engine::Inbound;
use sansocket_core::codec::websocket::Message;
use sansocket_core::{AckOutcome, EngineError, TransportKey};

use super::{GATHER_BYTES, READ_BYTES};

/// Messages, packets and acknowledgements of one turn for which room is kept.
const KEPT_CAPACITY: usize = 512;

/// Buffers that the WebSockets of one thread share, because only one is at work at a time.
pub(crate) struct Buffers {
    pub(super) read: Box<[u8]>,
    pub(super) gather: Vec<u8>,
    /// Frames to be written, drained by [`write`](super::WebSocket::write).
    pub(crate) frames: Vec<Bytes>,
    /// Messages to be written in another form than they have, see [`takes_frames`](super::WebSocket::takes_frames).
    pub(crate) to_encode: Vec<sansocket_core::Message>,
    /// Messages that one read brought, for the caller to drain.
    pub(crate) messages: Vec<Message>,
    /// What they are, until the machine is given it.
    pub(crate) packets: Vec<Packet>,
    /// Acknowledgements that one look at the machine brought, for the caller to drain.
    pub(crate) outcomes: Vec<AckOutcome>,
    /// What was done since they were taken.
    pub(crate) work: Work,
}

/// What a task has done since others had their chance.
#[derive(Clone, Copy, Default)]
pub(crate) struct Work {
    pub(super) bytes_read: usize,
    /// Frames that were read, and events that handlers were given.
    pub(super) steps: usize,
}

impl Work {
    /// The share of a task, after which others get their chance.
    const SHARE: Self = Self { bytes_read: 128 << 10, steps: 64 };
    /// Of who does less than that at a time, nobody notices. With 16 questions in flight, one does.
    const LITTLE: Self = Self { bytes_read: 16 << 10, steps: 48 };

    pub(crate) fn add_step(&mut self) {
        self.steps += 1;
    }

    pub(crate) fn is_a_share(self) -> bool {
        self.reaches(Self::SHARE)
    }

    pub(crate) fn is_little(self) -> bool {
        !self.reaches(Self::LITTLE)
    }

    fn reaches(self, other: Self) -> bool {
        self.bytes_read >= other.bytes_read || self.steps >= other.steps
    }
}

/// A packet, and the WebSocket that it came on.
pub(crate) type Packet = (TransportKey, Result<Inbound, EngineError>);

thread_local! {
    static BUFFERS: Cell<Option<Box<Buffers>>> = const { Cell::new(None) };
}

impl Buffers {
    /// This thread's buffers, or new ones where they are in use further up the stack.
    pub(crate) fn take() -> Box<Self> {
        BUFFERS.take().unwrap_or_else(|| {
            Box::new(Self {
                read: vec![0; READ_BYTES].into_boxed_slice(),
                gather: Vec::with_capacity(GATHER_BYTES),
                frames: Vec::new(),
                to_encode: Vec::new(),
                messages: Vec::new(),
                packets: Vec::new(),
                outcomes: Vec::new(),
                work: Work::default(),
            })
        })
    }

    /// Leaves the buffers for the next one.
    pub(crate) fn put_back(mut self: Box<Self>) {
        // What a burst needed is not kept.
        self.messages.shrink_to(KEPT_CAPACITY);
        self.packets.shrink_to(KEPT_CAPACITY);
        self.outcomes.shrink_to(KEPT_CAPACITY);
        self.work = Work::default();
        BUFFERS.set(Some(self));
    }
}
