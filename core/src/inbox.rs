//! Events that the application has not yet taken, of a server's connection or of a client.

#[cfg(test)]
mod tests;

use alloc::collections::VecDeque;

/// A queue that knows how much its events keep.
pub(crate) struct Inbox<E> {
    events: VecDeque<E>,
    /// Invariant: the sum over `events` of what each keeps.
    bytes: usize,
}

/// What knows how many bytes of the peer's it keeps.
pub(crate) trait Weigh {
    fn bytes(&self) -> usize;
}

/// An empty queue keeps room for this many events, and gives the memory of a burst back.
const KEPT_CAPACITY: usize = 16;

impl<E> Default for Inbox<E> {
    fn default() -> Self {
        Self { events: VecDeque::new(), bytes: 0 }
    }
}

impl<E: Weigh> Inbox<E> {
    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    pub(crate) fn is_full(&self, events_max: usize, bytes_max: usize) -> bool {
        self.events.len() >= events_max || self.bytes >= bytes_max
    }

    pub(crate) fn push(&mut self, event: E) {
        self.bytes += event.bytes();
        if self.events.capacity() == 0 {
            // Most connections only ever join, and four events would be the first room otherwise.
            self.events.reserve_exact(1);
        }
        self.events.push_back(event);
    }

    pub(crate) fn pop(&mut self) -> Option<E> {
        let event = self.events.pop_front()?;
        self.bytes -= event.bytes();
        if self.events.is_empty() && self.events.capacity() > KEPT_CAPACITY {
            self.events = VecDeque::new();
        }
        Some(event)
    }
}
