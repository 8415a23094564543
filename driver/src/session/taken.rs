//! What one look at the machine brought.

use std::sync::Arc;
use std::task::Waker;

use sansocket_core::{AckOutcome, DisconnectReason, ExceededRate, PacketError};

use crate::app::{self, SocketShared};

use super::Session;
use super::lane::Cancelled;

/// What one look at the machine brought.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) post: Option<Waker>,
    /// What most looks do not bring.
    pub(super) endings: Option<Box<Endings>>,
    /// Whether there is a new WebSocket, whose first read is still to be started.
    pub(super) has_joined: bool,
    /// Whether the output was taken too, and a waker left.
    pub(super) parked: Option<Parked>,
}

/// What has gone wrong or come to its end, to be told when the shard is no longer locked.
#[derive(Default)]
pub(super) struct Endings {
    pub(super) violations: Vec<PacketError>,
    /// Sockets whose clients send too much.
    pub(super) exceeded: Vec<(Arc<SocketShared>, ExceededRate)>,
    /// Sockets that could be recovered.
    pub(super) sockets: Vec<(Arc<SocketShared>, DisconnectReason, Vec<Arc<str>>)>,
    /// What was cancelled. It is the application's, so it is not dropped with the shard locked.
    pub(super) cancelled: Cancelled,
    /// The session.
    pub(super) closed: Option<DisconnectReason>,
}

/// What the machine still has, after the output was taken and a waker left.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Parked {
    /// Nothing that could be taken now.
    Idle,
    /// More output than one turn takes.
    OutputLeft,
    /// Events, or a WebSocket to take over, that came while handlers ran.
    EventsLeft,
}

impl Taken {
    pub(super) fn endings(&mut self) -> &mut Endings {
        self.endings.get_or_insert_default()
    }
}

impl Session {
    /// Tells the application what does not belong to a handler.
    pub(super) fn report(&self, outcomes: impl Iterator<Item = AckOutcome>, taken: Taken) {
        outcomes.for_each(|outcome| self.inner.app.resolve(outcome));
        if let Some(post) = taken.post {
            post.wake();
        }
        let Some(endings) = taken.endings else { return };
        let Endings { violations, exceeded, sockets, cancelled, closed } = *endings;
        for error in violations {
            app::violation(&self.inner, error);
        }
        for (socket, rate) in exceeded {
            app::rate_exceeded(&socket, rate);
        }
        for (socket, reason, rooms) in sockets {
            app::ended(&socket, reason, rooms);
        }
        cancelled.clean_up(&self.inner);
        if let Some(reason) = closed {
            tracing::debug!(%reason, "session closed");
        }
    }
}
