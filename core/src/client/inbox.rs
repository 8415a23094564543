//! Events that the application has not yet taken.

use alloc::collections::VecDeque;

use super::event::Event;
use super::limits::Limits;
use super::socket::bytes_of;

#[derive(Default)]
pub(super) struct Inbox {
    events: VecDeque<Event>,
    /// Invariant: the bytes of the received events in `events`.
    bytes: usize,
}

/// An empty queue keeps room for this many events, and gives the memory of a burst back.
const KEPT_CAPACITY: usize = 16;

impl Inbox {
    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    pub(super) fn is_full(&self, limits: &Limits) -> bool {
        self.events.len() >= limits.inbox_events || self.bytes >= limits.inbox_bytes
    }

    pub(super) fn push(&mut self, event: Event) {
        self.bytes += event_bytes(&event);
        self.events.push_back(event);
    }

    pub(super) fn pop(&mut self) -> Option<Event> {
        let event = self.events.pop_front()?;
        self.bytes -= event_bytes(&event);
        if self.events.is_empty() && self.events.capacity() > KEPT_CAPACITY {
            self.events = VecDeque::new();
        }
        Some(event)
    }
}

fn event_bytes(event: &Event) -> usize {
    match event {
        Event::Received(received) => bytes_of(received),
        Event::Opened
        | Event::Upgraded
        | Event::Closed(_)
        | Event::ReconnectAttempt { .. }
        | Event::ReconnectError(_)
        | Event::ReconnectFailed
        | Event::Reconnected { .. }
        | Event::AuthRequested(_)
        | Event::Connected(_)
        | Event::ConnectError { .. }
        | Event::Disconnected { .. }
        | Event::Discarded { .. } => 0,
    }
}
