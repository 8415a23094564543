//! Messages that are sent until they are acknowledged, one after the other: at least once, in
//! order. The reference's option `retries`.
//!
//! Only the first of the queue is under way. It is sent again, always the same message with the same
//! id, where no acknowledgement came in time or the connection was lost; so an acknowledgement of
//! any of its tries counts. What the loss of a connection interrupts is no try: a link that comes
//! and goes would otherwise use them up. But a message that is under way at each of many losses in a
//! row is given up: it may be the cause, for one because it is more than the server or something in
//! front of it can take, and would keep the client from everything else for ever.

use alloc::collections::{BTreeSet, VecDeque};
use alloc::vec::Vec;
use core::time::Duration;

use crate::codec::message::Message;
use crate::{AckId, Timestamp};

/// Losses of the connection in a row that a message may be under way at.
pub(super) const INTERRUPTIONS_MAX: u32 = 32;

/// The messages, the oldest first.
#[derive(Default)]
pub(super) struct Queue {
    entries: VecDeque<Entry>,
    /// Invariant: the ids in `entries`.
    ids: BTreeSet<AckId>,
    /// Until when the acknowledgement of the first is waited for; `None` where it is not under way.
    deadline: Option<Timestamp>,
    /// There was no room for the first; it is to be sent as soon as there is.
    is_postponed: bool,
}

struct Entry {
    message: Message,
    ack: AckId,
    /// How often no acknowledgement came in time.
    failures: u32,
    /// How often the connection was lost meanwhile, since one last held for a whole try.
    interruptions: u32,
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn contains(&self, id: AckId) -> bool {
        self.ids.contains(&id)
    }

    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.deadline
    }

    pub(super) fn push(&mut self, message: Message, ack: AckId) {
        self.ids.insert(ack);
        self.entries.push_back(Entry { message, ack, failures: 0, interruptions: 0 });
    }

    /// The message to send, unless it is under way already.
    pub(super) fn start(&mut self, now: Timestamp, ack_timeout: Duration) -> Option<Message> {
        if self.deadline.is_some() {
            return None;
        }
        let message = self.entries.front()?.message.clone();
        self.deadline = Some(now + ack_timeout);
        self.is_postponed = false;
        Some(message)
    }

    /// There is no room for what was started, which is no try.
    pub(super) fn postpone(&mut self) {
        self.deadline = None;
        self.is_postponed = true;
    }

    /// The message that waits for room.
    pub(super) fn postponed(&self) -> Option<&Message> {
        self.entries.front().filter(|_| self.is_postponed).map(|entry| &entry.message)
    }

    /// Gives up the message that is to be sent next.
    pub(super) fn discard(&mut self) -> Option<(AckId, Message)> {
        self.rest();
        let entry = self.pop()?;
        Some((entry.ack, entry.message))
    }

    /// Nothing is under way any more, and nobody is to blame.
    pub(super) fn rest(&mut self) {
        self.deadline = None;
        self.is_postponed = false;
    }

    /// What was under way is lost with the connection. Gives the message where that happened too
    /// often.
    pub(super) fn interrupt(&mut self) -> Option<(AckId, Message)> {
        let was_under_way = self.deadline.is_some();
        self.rest();
        if !was_under_way {
            return None;
        }
        let entry = self.entries.front_mut()?;
        entry.interruptions = entry.interruptions.saturating_add(1);
        if entry.interruptions < INTERRUPTIONS_MAX { None } else { self.discard() }
    }

    /// An acknowledgement came, of the last try or of one before it. Gives the message that it ends.
    pub(super) fn resolve(&mut self, id: AckId) -> Option<Message> {
        let was_started = self.deadline.is_some() || self.is_postponed;
        self.entries.front().filter(|entry| was_started && entry.ack == id)?;
        self.rest();
        Some(self.pop()?.message)
    }

    /// None came by `now`. Gives the message where it was the last try.
    pub(super) fn expire(&mut self, now: Timestamp, retries: u32) -> Option<(AckId, Message)> {
        if self.deadline.is_none_or(|deadline| deadline > now) {
            return None;
        }
        self.deadline = None;
        let entry = self.entries.front_mut()?;
        entry.failures = entry.failures.saturating_add(1);
        entry.interruptions = 0;
        if entry.failures <= retries {
            return None;
        }
        self.discard()
    }

    /// Everything, leaving nothing.
    pub(super) fn take(&mut self) -> Vec<(AckId, Message)> {
        self.rest();
        self.ids.clear();
        self.entries.drain(..).map(|entry| (entry.ack, entry.message)).collect()
    }

    fn pop(&mut self) -> Option<Entry> {
        let entry = self.entries.pop_front()?;
        self.ids.remove(&entry.ack);
        Some(entry)
    }
}
