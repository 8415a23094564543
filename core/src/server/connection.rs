//! What a server holds for one session and the sockets on it.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use smallvec::SmallVec;

use crate::engine::Session;
use crate::inbox::{Inbox, Weigh};
use crate::reassembly::Reassembly;
use crate::{AckId, Limits, SocketKey, Timestamp};

use super::event::{AckOutcome, Event};
use super::limiter::Limiter;

/// One Engine.IO session and the Socket.IO connection that it carries.
pub(crate) struct Connection {
    pub(super) session: Session,
    /// The connection's sockets, pending and connected.
    pub(super) sockets: SmallVec<[SocketKey; 1]>,
    /// A packet whose attachments are still coming.
    pub(super) reassembly: Option<Box<Reassembly>>,
    pub(super) acks: PendingAcks,
    pub(super) inbox: Inbox<Event>,
    pub(super) outcomes: VecDeque<AckOutcome>,
    /// When the connection is closed unless it has joined a namespace.
    pub(super) connect_deadline: Option<Timestamp>,
    /// Whether the inbox has been full since the last heartbeat was due, so that the driver stopped
    /// reading, and a pong or attachments may be among what it has not read.
    pub(super) input_was_held: bool,
    /// What it may still send, where that is limited and it has sent anything.
    pub(super) limiter: Option<Box<Limiter>>,
    /// The time of this connection's one valid entry in the timer heap.
    pub(super) armed: Option<Timestamp>,
    /// Whether the connection is on the dirty list.
    pub(super) dirty: bool,
    /// Whether whoever serves the session looks at it anyway.
    pub(super) attended: bool,
}

impl Connection {
    pub(super) fn new(session: Session, connect_deadline: Timestamp) -> Self {
        Self {
            session,
            sockets: SmallVec::new(),
            reassembly: None,
            acks: PendingAcks::default(),
            inbox: Inbox::default(),
            outcomes: VecDeque::new(),
            connect_deadline: Some(connect_deadline),
            input_was_held: false,
            limiter: None,
            armed: None,
            dirty: false,
            attended: false,
        }
    }

    /// The earliest time at which something is due.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        let reassembly = self.reassembly.as_ref().map(|reassembly| reassembly.deadline());
        let deadline =
            [self.session.deadline(), self.connect_deadline, self.acks.deadline, reassembly]
                .into_iter()
                .flatten()
                .min();
        // Few servers have rates, and few clients exceed them.
        match self.held_until() {
            None => deadline,
            Some(held) => Some(deadline.map_or(held, |deadline| deadline.min(held))),
        }
    }

    /// Something has happened. Whether the connection now has to be put on the dirty list.
    pub(super) fn mark_dirty(&mut self) -> bool {
        let is_noticed = self.attended && !self.session.has_poll();
        !is_noticed && !core::mem::replace(&mut self.dirty, true)
    }

    /// Whether more may come: the application has taken enough of what there is, and the client is
    /// within its rate.
    pub(super) fn wants_input(&self, limits: &Limits) -> bool {
        !self.inbox.is_full(limits.inbox_events, limits.inbox_bytes) && self.held_until().is_none()
    }

    fn held_until(&self) -> Option<Timestamp> {
        self.limiter.as_ref()?.held_until
    }

    /// The session is no longer open, so nothing is awaited from the client any more.
    pub(super) fn stop_waiting(&mut self) {
        self.connect_deadline = None;
        self.reassembly = None;
        self.limiter = None;
    }

    /// Whether nobody holds or waits for anything of this connection.
    pub(super) fn is_at_rest(&self) -> bool {
        self.session.is_at_rest()
            && self.sockets.is_empty()
            && self.inbox.is_empty()
            && self.outcomes.is_empty()
    }
}

impl Weigh for Event {
    fn bytes(&self) -> usize {
        match self {
            Self::Received(received) => received.bytes(),
            Self::ConnectRequested(request) => request.packet.len_bytes(),
            Self::NamespaceRequested(request) => request.packet.len_bytes(),
            Self::RateExceeded(_)
            | Self::Disconnected(_)
            | Self::Violation(_)
            | Self::Closed(_) => 0,
        }
    }
}

/// The acknowledgements that the client owes.
#[derive(Default)]
pub(super) struct PendingAcks {
    entries: BTreeMap<AckId, PendingAck>,
    /// Not later than the earliest deadline. May be earlier, after acknowledgements came in.
    deadline: Option<Timestamp>,
}

#[derive(Clone, Copy)]
struct PendingAck {
    socket: SocketKey,
    deadline: Timestamp,
}

impl PendingAcks {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whoever owes one; for tests.
    #[cfg(test)]
    pub(super) fn sockets(&self) -> impl Iterator<Item = SocketKey> {
        self.entries.values().map(|pending| pending.socket)
    }

    pub(super) fn insert(&mut self, id: AckId, socket: SocketKey, deadline: Timestamp) {
        self.entries.insert(id, PendingAck { socket, deadline });
        self.deadline = Some(self.deadline.map_or(deadline, |earliest| earliest.min(deadline)));
    }

    /// Forgets an acknowledgement that `socket` owes, because it came.
    pub(super) fn resolve(&mut self, id: AckId, socket: SocketKey) -> bool {
        let owed = self.entries.get(&id).is_some_and(|pending| pending.socket == socket);
        if owed {
            self.entries.remove(&id);
        }
        owed
    }

    /// Forgets what is due by `now`, and gives it.
    pub(super) fn expire(&mut self, now: Timestamp) -> Vec<(AckId, SocketKey)> {
        if self.deadline.is_none_or(|deadline| deadline > now) {
            return Vec::new();
        }
        self.remove_where(|pending| pending.deadline <= now)
    }

    /// Forgets what `socket` owes, and gives it.
    pub(super) fn remove_socket(&mut self, socket: SocketKey) -> Vec<(AckId, SocketKey)> {
        self.remove_where(|pending| pending.socket == socket)
    }

    fn remove_where(&mut self, unwanted: impl Fn(&PendingAck) -> bool) -> Vec<(AckId, SocketKey)> {
        let mut removed = Vec::new();
        self.entries.retain(|id, pending| {
            let remove = unwanted(pending);
            if remove {
                removed.push((*id, pending.socket));
            }
            !remove
        });
        self.deadline = self.entries.values().map(|pending| pending.deadline).min();
        removed
    }
}
