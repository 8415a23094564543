//! How the connection comes and goes, and comes again.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::{AckId, SocketKey, Timestamp};

use super::engine::{Cause, Engine};
use super::event::{AckFailure, AckOutcome, ConnectError, DisconnectReason, Event, TransportError};
use super::socket::{SocketState, Standing as SocketStanding};
use super::{Manager, Standing};

/// Sessions that may be closing at the same time. An application that connects and disconnects
/// faster than its sessions can say goodbye loses the goodbye of the oldest.
const CLOSING_MAX: usize = 4;

impl From<Cause> for DisconnectReason {
    fn from(cause: Cause) -> Self {
        match cause {
            Cause::Local => Self::IoClientDisconnect,
            Cause::PingTimeout => Self::PingTimeout,
            Cause::Remote => Self::TransportClose,
            Cause::Failed(_) => Self::TransportError,
        }
    }
}

impl Manager {
    /// Makes a connection, unless there is one, or one is being made, or the delay before that is
    /// under way.
    pub(super) fn open(&mut self, now: Timestamp) {
        match self.standing {
            Standing::Closed => {
                self.attempt = 0;
                self.begin(now);
            }
            Standing::Opening { .. } | Standing::Open { .. } | Standing::Waiting { .. } => {}
        }
    }

    /// The delay before a reconnection is over.
    pub(super) fn reconnect(&mut self, now: Timestamp) {
        self.attempt = self.attempt.saturating_add(1);
        self.inbox.push(Event::ReconnectAttempt { attempt: self.attempt });
        self.begin(now);
    }

    /// The handshake is complete.
    pub(super) fn handle_opened(&mut self, now: Timestamp) {
        self.standing = Standing::Open { since: now };
        self.inbox.push(Event::Opened);
        if self.attempt > 0 {
            self.inbox.push(Event::Reconnected { attempts: self.attempt });
            self.attempt = 0;
        }
        let keys: Vec<_> = self.sockets.keys().collect();
        for key in keys {
            self.join(key);
        }
    }

    /// The session could not be opened by the transport that was tried.
    pub(super) fn handle_transport_failed(&mut self, now: Timestamp, error: TransportError) {
        if let Standing::Opening { untried, .. } = &mut self.standing
            && self.config.try_all_transports
            && let Some(transport) = untried.pop_front()
        {
            let transports = core::iter::once(transport).chain(untried.iter().copied()).collect();
            return self.begin_session(transports);
        }
        self.handle_connect_failed(now, &ConnectError::Transport(error));
    }

    /// The connection could not be made.
    pub(super) fn handle_connect_failed(&mut self, now: Timestamp, error: &ConnectError) {
        self.standing = Standing::Closed;
        for (socket, state) in &self.sockets {
            if state.is_active() {
                self.inbox.push(Event::ConnectError { socket, error: error.clone() });
            }
        }
        if self.attempt > 0 {
            self.inbox.push(Event::ReconnectError(error.clone()));
        }
        if error.is_final() {
            // Every other attempt would end in the same way.
            self.attempt = 0;
            return;
        }
        self.plan_reconnection(now);
    }

    /// The connection was lost.
    pub(super) fn handle_connection_lost(&mut self, now: Timestamp, reason: DisconnectReason) {
        if let Standing::Open { since } = self.standing {
            self.backoff.lost_after(now.saturating_duration_since(since), &self.config);
        }
        self.standing = Standing::Closed;
        self.attempt = 0;
        self.reassembly = None;
        self.inbox.push(Event::Closed(reason));
        let keys: Vec<_> = self.sockets.keys().collect();
        for key in keys {
            self.detach_socket(key, reason);
        }
        self.plan_reconnection(now);
    }

    /// The server sent what is no Socket.IO packet.
    pub(super) fn handle_violation(&mut self) {
        let now = self.now;
        if self.engine.is_some() {
            self.retire_engine(now);
            self.handle_connection_lost(now, DisconnectReason::ParseError);
        }
    }

    /// No namespace needs the connection any more: it is closed as soon as what is queued was sent.
    pub(super) fn close_if_unused(&mut self, now: Timestamp) {
        if self.sockets.values().any(SocketState::is_active) {
            return;
        }
        let was_open = matches!(self.standing, Standing::Open { .. });
        self.retire_engine(now);
        self.standing = Standing::Closed;
        self.attempt = 0;
        self.backoff.reset();
        self.reassembly = None;
        if was_open {
            self.inbox.push(Event::Closed(DisconnectReason::IoClientDisconnect));
        }
        let keys: Vec<_> = self.sockets.keys().collect();
        for key in keys {
            self.detach_socket(key, DisconnectReason::IoClientDisconnect);
        }
    }

    /// Lets the session end in its own time; nothing is heard of it any more.
    pub(super) fn retire_engine(&mut self, now: Timestamp) {
        let Some(mut engine) = self.engine.take() else { return };
        engine.close(now + self.config.close_timeout);
        if !engine.is_closed() {
            if self.closing.len() >= CLOSING_MAX {
                self.closing.remove(0);
            }
            self.closing.push(engine);
        }
    }

    /// A namespace has lost its connection.
    fn detach_socket(&mut self, key: SocketKey, reason: DisconnectReason) {
        let Some(socket) = self.sockets.get_mut(key) else { return };
        let next = if socket.is_active() { SocketStanding::Waiting } else { SocketStanding::Idle };
        let before = core::mem::replace(&mut socket.standing, next);
        socket.early.take();
        match before {
            SocketStanding::Connected { .. } => {
                self.inbox.push(Event::Disconnected { socket: key, reason });
                self.fail_sent(key, reason);
            }
            SocketStanding::Idle
            | SocketStanding::Waiting
            | SocketStanding::AuthAsked
            | SocketStanding::Requested
            | SocketStanding::Leaving { .. } => {}
        }
        self.forget_if_removed(key);
    }

    /// What a namespace has sent will not be acknowledged any more.
    pub(super) fn fail_sent(&mut self, key: SocketKey, reason: DisconnectReason) {
        let Some(socket) = self.sockets.get_mut(key) else { return };
        let interrupted = match reason {
            // A disconnection by the application is not of the message's making.
            DisconnectReason::IoClientDisconnect => {
                socket.queue.rest();
                None
            }
            DisconnectReason::IoServerDisconnect
            | DisconnectReason::PingTimeout
            | DisconnectReason::TransportClose
            | DisconnectReason::TransportError
            | DisconnectReason::ParseError => socket.queue.interrupt(),
        };
        let sent = socket.acks.remove_sent();
        if let Some((id, message)) = interrupted {
            self.budget.give_back(&message);
            self.push_failure(key, id, AckFailure::Interrupted);
        }
        for id in sent {
            self.push_failure(key, id, AckFailure::Disconnected);
        }
    }

    pub(super) fn push_failure(&mut self, socket: SocketKey, id: AckId, failure: AckFailure) {
        self.outcomes.push_back(AckOutcome { id, socket, result: Err(failure) });
    }

    pub(super) fn forget_if_removed(&mut self, key: SocketKey) {
        let is_over =
            |socket: &SocketState| socket.is_removed && socket.standing == SocketStanding::Idle;
        if self.sockets.get(key).is_some_and(is_over)
            && let Some(socket) = self.sockets.remove(key)
        {
            self.names.remove(&socket.namespace);
        }
    }

    fn plan_reconnection(&mut self, now: Timestamp) {
        let is_wanted = self.sockets.values().any(SocketState::is_active);
        if !self.config.reconnection || !is_wanted {
            self.attempt = 0;
            return;
        }
        if self.config.reconnection_attempts.is_some_and(|limit| self.attempt >= limit) {
            self.attempt = 0;
            self.backoff.reset();
            self.inbox.push(Event::ReconnectFailed);
            return;
        }
        let delay = self.backoff.next(&self.config, &mut self.entropy);
        self.standing = Standing::Waiting { until: now + delay };
    }

    /// Begins to make a connection.
    fn begin(&mut self, now: Timestamp) {
        let deadline = self.config.connect_timeout.map(|timeout| now + timeout);
        self.standing = Standing::Opening { deadline, untried: VecDeque::new() };
        let mut transports = VecDeque::new();
        for transport in &self.config.transports {
            if !transports.contains(transport) {
                transports.push_back(*transport);
            }
        }
        if transports.is_empty() {
            return self.handle_transport_failed(now, TransportError::NoTransport);
        }
        self.begin_session(transports);
    }

    /// Begins a session by the first of these transports, of which there is one.
    fn begin_session(&mut self, mut transports: VecDeque<crate::Transport>) {
        let Some(transport) = transports.pop_front() else { return };
        self.epochs = self.epochs.wrapping_add(1);
        // A session that comes back to polling because WebSocket failed does not try that again.
        let may_upgrade = transports.contains(&crate::Transport::WebSocket);
        self.engine = Some(Engine::new(self.epochs, transport, may_upgrade, &self.config));
        if let Standing::Opening { untried, .. } = &mut self.standing {
            *untried = transports;
        }
    }
}
