//! What waits to be sent to one client.

#[cfg(test)]
mod tests;

use alloc::collections::VecDeque;

use crate::codec::message::Message;

/// A queue of whole messages, in the order in which they were emitted. Messages are shared with
/// other outboxes, so an entry costs a reference, not a copy.
#[derive(Default)]
pub(crate) struct Outbox {
    /// While `bytes` is zero, messages that were discarded.
    queue: VecDeque<Message>,
    /// Invariant: the sum over `queue` of the bytes that each takes on a WebSocket, or zero.
    bytes: usize,
}

/// Messages that nobody will send any more. A client may have had very many of them queued, which
/// take their time to be freed.
#[derive(Debug)]
pub struct Remains(VecDeque<Message>);

impl Remains {
    /// Fewer are freed in no time.
    const FEW: usize = 256;

    /// Frees so many messages at most. Whether there are more.
    pub fn free(&mut self, count: usize) -> bool {
        self.0.drain(..count.min(self.0.len()));
        !self.0.is_empty()
    }
}

/// An empty queue keeps room for this many messages, so that a connection which sends now and then
/// does not allocate each time, and one that had a burst gives the memory back.
const KEPT_CAPACITY: usize = 32;

impl Outbox {
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn push(&mut self, message: Message) {
        debug_assert_eq!(
            self.is_empty(),
            self.queue.is_empty(),
            "nothing follows what was discarded"
        );
        self.bytes += message.websocket_bytes();
        self.queue.push_back(message);
    }

    pub(crate) fn pop(&mut self) -> Option<Message> {
        if self.is_empty() {
            return None;
        }
        let message = self.queue.pop_front()?;
        self.bytes -= message.websocket_bytes();
        if self.queue.is_empty() && self.queue.capacity() > KEPT_CAPACITY {
            self.queue = VecDeque::new();
        }
        Some(message)
    }

    /// Everything, leaving nothing.
    pub(crate) fn take(&mut self) -> VecDeque<Message> {
        if core::mem::take(&mut self.bytes) == 0 {
            return VecDeque::new();
        }
        core::mem::take(&mut self.queue)
    }

    /// Leaves nothing to be sent. What it was is freed with the outbox, or by whoever takes the
    /// [`remains`](Self::into_remains).
    pub(crate) fn discard(&mut self) {
        self.bytes = 0;
    }

    /// What is left, if it is much.
    pub(crate) fn into_remains(self) -> Option<Remains> {
        (self.queue.len() > Remains::FEW).then_some(Remains(self.queue))
    }
}
