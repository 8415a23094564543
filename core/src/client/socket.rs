//! What a client holds for one namespace.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::codec::message::Message;
use crate::inbox::Weigh;
use crate::{AckId, Timestamp};

use super::config::SocketConfig;
use super::event::Received;
use super::limits::Limits;
use super::queue::Queue;

/// One namespace.
pub(super) struct SocketState {
    pub(super) namespace: Arc<str>,
    pub(super) config: SocketConfig,
    pub(super) standing: Standing,
    /// Counts the connects. What belongs to another than the current one is recognized by it.
    pub(super) session: u32,
    pub(super) recovery: Option<Recovery>,
    pub(super) acks: PendingAcks,
    /// Messages that wait for the namespace to be connected.
    pub(super) buffer: VecDeque<Buffered>,
    /// Messages that are sent until they are acknowledged.
    pub(super) queue: Queue,
    /// Events that came before the confirmation.
    pub(super) early: Early,
    /// The last session in which the server has confirmed the namespace. A refusal leaves nothing
    /// under way.
    pub(super) epoch: Option<u32>,
    /// Whether events that come before the confirmation are its own. In a session in which it was
    /// connected before, they may be what was under way when it was disconnected.
    pub(super) takes_early: bool,
    /// When the answer to the connect that is under way must have come; of no meaning where none
    /// is.
    pub(super) answer_deadline: Option<Timestamp>,
    /// The application does not want it any more; a confirmation is still waited for.
    pub(super) is_removed: bool,
}

/// Where a namespace stands.
///
/// ```text
///                       connection is open    (answered)       CONNECT sent
///   Idle ---> Waiting ------------------> AuthAsked -------> Requested ------> Connected
///    ^           ^                                               |    confirmed
///    |           | answered, and wanted again                    | disconnected by the command
///    |           '------------------------------------------- Leaving
///    |           refused, or answered and not wanted             |
///    '-----------------------------------------------------------'
/// ```
///
/// What is not answered in time goes from `AuthAsked` to `Idle`, and from `Requested` to `Leaving`: the
/// answer may still come.
///
/// From `AuthAsked`, `Requested` and `Connected` the loss of the connection leads to `Waiting`, from
/// `Leaving` to `Waiting` where it is wanted again, or else to `Idle`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is not to be connected.
    Idle,
    /// It is to be connected as soon as there is a connection.
    Waiting,
    /// The application was asked what to tell the server.
    AuthAsked,
    /// CONNECT was sent. Another one must not be: the server would take it for a violation, or
    /// connect the namespace twice.
    Requested,
    /// CONNECT was sent and is not wanted any more. DISCONNECT must wait for the answer: before it,
    /// the server would take it for a violation.
    Leaving {
        /// Another CONNECT is to follow, with what the application tells by then.
        again: bool,
    },
    Connected {
        id: Arc<str>,
    },
}

/// What the server needs to restore the state of a connection that was lost.
pub(super) struct Recovery {
    pub(super) pid: Box<str>,
    /// The last event that came.
    pub(super) offset: Option<Box<str>>,
}

/// A message that waits for its namespace to be connected.
pub(super) struct Buffered {
    pub(super) message: Message,
    /// The acknowledgement that it asks for.
    pub(super) ack: Option<AckId>,
}

impl SocketState {
    pub(super) fn new(namespace: Arc<str>, config: SocketConfig) -> Self {
        Self {
            namespace,
            config,
            standing: Standing::Idle,
            session: 0,
            recovery: None,
            acks: PendingAcks::default(),
            buffer: VecDeque::new(),
            queue: Queue::default(),
            early: Early::default(),
            epoch: None,
            takes_early: false,
            answer_deadline: None,
            is_removed: false,
        }
    }

    /// Whether it is connected or to be connected.
    pub(super) fn is_active(&self) -> bool {
        match self.standing {
            Standing::Idle | Standing::Leaving { again: false } => false,
            Standing::Waiting
            | Standing::Leaving { again: true }
            | Standing::AuthAsked
            | Standing::Requested
            | Standing::Connected { .. } => true,
        }
    }

    pub(super) fn is_connected(&self) -> bool {
        matches!(self.standing, Standing::Connected { .. })
    }

    /// Whether an acknowledgement of that id is pending.
    pub(super) fn owes(&self, id: AckId) -> bool {
        self.acks.contains(id) || self.queue.contains(id)
    }

    /// A connect is under way, of which this is the time by which it must be answered.
    pub(super) fn await_answer(&mut self, now: Timestamp) {
        self.answer_deadline = self.config.connect_timeout.map(|timeout| now + timeout);
    }

    /// When a connect that is wanted has failed for want of an answer.
    pub(super) fn connect_deadline(&self) -> Option<Timestamp> {
        match self.standing {
            Standing::AuthAsked | Standing::Requested | Standing::Leaving { again: true } => {
                self.answer_deadline
            }
            Standing::Idle
            | Standing::Waiting
            | Standing::Leaving { again: false }
            | Standing::Connected { .. } => None,
        }
    }

    /// The earliest time at which something is due.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        let deadlines = [self.acks.deadline, self.queue.deadline(), self.connect_deadline()];
        deadlines.into_iter().flatten().min()
    }
}

/// How much waits in the buffers of all namespaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Budget {
    pub(super) packets: usize,
    pub(super) bytes: usize,
}

impl Budget {
    /// Whether a message fits. One larger than the whole limit may still wait alone.
    #[must_use]
    pub(super) fn take(&mut self, message: &Message, limits: &Limits) -> bool {
        let bytes = message.websocket_bytes();
        let is_full = self.packets > 0
            && (self.packets >= limits.buffered_packets
                || self.bytes + bytes > limits.buffered_bytes);
        if !is_full {
            self.packets += 1;
            self.bytes += bytes;
        }
        !is_full
    }

    pub(super) fn give_back(&mut self, message: &Message) {
        self.packets -= 1;
        self.bytes -= message.websocket_bytes();
    }
}

/// Events that came before the confirmation of their namespace.
#[derive(Default)]
pub(super) struct Early {
    events: VecDeque<Received>,
    bytes: usize,
}

impl Early {
    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn push(&mut self, event: Received) {
        self.bytes += event.bytes();
        self.events.push_back(event);
    }

    pub(super) fn take(&mut self) -> VecDeque<Received> {
        self.bytes = 0;
        core::mem::take(&mut self.events)
    }
}

/// The acknowledgements that the server owes a namespace.
#[derive(Default)]
pub(super) struct PendingAcks {
    entries: BTreeMap<AckId, PendingAck>,
    /// Not later than the earliest deadline. May be earlier, after acknowledgements came in.
    deadline: Option<Timestamp>,
}

#[derive(Clone, Copy)]
struct PendingAck {
    deadline: Option<Timestamp>,
    /// The message waits in the buffer: the server knows nothing of it.
    is_buffered: bool,
}

impl PendingAcks {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn contains(&self, id: AckId) -> bool {
        self.entries.contains_key(&id)
    }

    pub(super) fn insert(&mut self, id: AckId, deadline: Option<Timestamp>, is_buffered: bool) {
        self.entries.insert(id, PendingAck { deadline, is_buffered });
        self.deadline = [self.deadline, deadline].into_iter().flatten().min();
    }

    /// The message was sent.
    pub(super) fn mark_sent(&mut self, id: AckId) {
        if let Some(pending) = self.entries.get_mut(&id) {
            pending.is_buffered = false;
        }
    }

    /// Forgets an acknowledgement, because it came.
    pub(super) fn resolve(&mut self, id: AckId) -> bool {
        self.entries.remove(&id).is_some()
    }

    /// Forgets what is due by `now`, and gives it.
    pub(super) fn expire(&mut self, now: Timestamp) -> Vec<AckId> {
        if self.deadline.is_none_or(|deadline| deadline > now) {
            return Vec::new();
        }
        self.remove_where(|pending| pending.deadline.is_some_and(|deadline| deadline <= now))
    }

    /// Forgets what was sent, and gives it: nobody will answer it any more.
    pub(super) fn remove_sent(&mut self) -> Vec<AckId> {
        self.remove_where(|pending| !pending.is_buffered)
    }

    /// Forgets everything, and gives it.
    pub(super) fn remove_all(&mut self) -> Vec<AckId> {
        self.remove_where(|_| true)
    }

    fn remove_where(&mut self, unwanted: impl Fn(&PendingAck) -> bool) -> Vec<AckId> {
        let mut removed = Vec::new();
        self.entries.retain(|id, pending| {
            let remove = unwanted(pending);
            if remove {
                removed.push(*id);
            }
            !remove
        });
        self.deadline = self.entries.values().filter_map(|pending| pending.deadline).min();
        removed
    }
}
