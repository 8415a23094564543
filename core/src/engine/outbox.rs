//! What waits to be sent to one client.

#[cfg(test)]
mod tests;

use alloc::collections::VecDeque;

use crate::codec::message::Message;

/// A queue of whole messages, in the order in which they were emitted. Messages are shared with
/// other outboxes, so an entry costs a reference, not a copy.
#[derive(Default)]
pub(crate) struct Outbox {
    queue: VecDeque<Message>,
    /// Invariant: the sum over `queue` of the bytes that each takes on a WebSocket.
    bytes: usize,
}

/// An empty queue keeps room for this many messages, so that a connection which sends now and then
/// does not allocate each time, and one that had a burst gives the memory back.
const KEPT_CAPACITY: usize = 32;

impl Outbox {
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn push(&mut self, message: Message) {
        self.bytes += message.websocket_bytes();
        self.queue.push_back(message);
    }

    pub(crate) fn pop(&mut self) -> Option<Message> {
        let message = self.queue.pop_front()?;
        self.bytes -= message.websocket_bytes();
        if self.queue.is_empty() && self.queue.capacity() > KEPT_CAPACITY {
            self.queue = VecDeque::new();
        }
        Some(message)
    }

    /// Everything, leaving nothing.
    pub(crate) fn take(&mut self) -> VecDeque<Message> {
        self.bytes = 0;
        core::mem::take(&mut self.queue)
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}
