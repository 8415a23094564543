//! What the application does.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::codec::message::Message;
use crate::codec::parser::encode_for;
use crate::{AckId, Delivery, Gone, SocketKey, Timestamp};

use super::config::{Auth, AuthSource, SocketConfig};
use super::event::{
    AckFailure, AckToken, AuthRequest, DisconnectReason, EmitError, Event, NamespaceError,
};
use super::socket::{Buffered, SocketState, Standing};
use super::{Manager, Standing as ConnectionStanding};

/// A view of one namespace, for as long as the manager is borrowed.
pub struct Socket<'a> {
    manager: &'a mut Manager,
    key: SocketKey,
}

impl Manager {
    /// Adds a namespace, which is not connected yet; or gives the one of that name, with the
    /// settings that it has.
    ///
    /// Names are compared as they are: the reference's `/a` and `/a/` are two.
    ///
    /// # Errors
    ///
    /// If it is no name, or at [`Limits::namespaces`](super::Limits).
    pub fn namespace(
        &mut self,
        name: &str,
        config: SocketConfig,
    ) -> Result<SocketKey, NamespaceError> {
        if let Some(key) = self.names.get(name).copied() {
            if let Some(socket) = self.sockets.get_mut(key).filter(|socket| socket.is_removed) {
                socket.is_removed = false;
                socket.config = config;
            }
            return Ok(key);
        }
        let limits = &self.config.limits;
        let is_name =
            name.starts_with('/') && !name.contains(',') && name.len() <= limits.namespace_bytes;
        if !is_name {
            return Err(NamespaceError::InvalidName);
        }
        if self.sockets.len() >= limits.namespaces {
            return Err(NamespaceError::TooMany { limit: limits.namespaces });
        }
        let name: Arc<str> = Arc::from(name);
        let key = self.sockets.insert(SocketState::new(Arc::clone(&name), config));
        self.names.insert(name, key);
        Ok(key)
    }

    /// The namespace of that key; `None` if it was removed.
    pub fn socket(&mut self, key: SocketKey) -> Option<Socket<'_>> {
        self.sockets.get(key).filter(|socket| !socket.is_removed)?;
        Some(Socket { manager: self, key })
    }

    /// Ends the delay before a reconnection, for one because the network is back: it is begun by the
    /// next [`handle_timeout`](Self::handle_timeout). Of no effect where none is under way.
    pub fn reconnect_now(&mut self, now: Timestamp) {
        let now = self.advance(now);
        if let ConnectionStanding::Waiting { until } = &mut self.standing {
            *until = now.min(*until);
        }
    }

    /// Disconnects every namespace, and closes the connection as soon as what is queued was sent.
    pub fn close(&mut self, now: Timestamp) {
        let keys: Vec<_> = self.sockets.keys().collect();
        for key in keys {
            if let Some(socket) = self.socket(key) {
                socket.disconnect(now);
            }
        }
    }
}

impl Socket<'_> {
    /// The namespace's name.
    pub fn namespace(&self) -> Option<Arc<str>> {
        Some(Arc::clone(&self.state()?.namespace))
    }

    /// The id that the server gave it; `None` while it is not connected.
    pub fn id(&self) -> Option<Arc<str>> {
        match &self.state()?.standing {
            Standing::Connected { id } => Some(Arc::clone(id)),
            Standing::Idle
            | Standing::Waiting
            | Standing::AuthAsked
            | Standing::Requested
            | Standing::Leaving { .. } => None,
        }
    }

    /// Whether it is connected.
    pub fn is_connected(&self) -> bool {
        self.state().is_some_and(SocketState::is_connected)
    }

    /// Whether it is connected, or will be by itself.
    pub fn is_active(&self) -> bool {
        self.state().is_some_and(SocketState::is_active)
    }

    /// Connects the namespace, and makes a connection for it if there is none. Of no effect where
    /// it is connected or being connected; in the delay before a reconnection it waits for that.
    pub fn connect(&mut self, now: Timestamp) {
        let now = self.manager.advance(now);
        let Some(socket) = self.manager.sockets.get_mut(self.key) else { return };
        match socket.standing {
            Standing::Idle => socket.standing = Standing::Waiting,
            // What is under way tells the server what the application told then.
            Standing::Leaving { again } => {
                if !again {
                    socket.await_answer(now);
                }
                socket.standing = Standing::Leaving { again: true };
                return;
            }
            // The connection may have been given up.
            Standing::Waiting => {}
            Standing::AuthAsked | Standing::Requested | Standing::Connected { .. } => return,
        }
        match self.manager.standing {
            ConnectionStanding::Open { .. } => self.manager.join(self.key),
            ConnectionStanding::Closed
            | ConnectionStanding::Opening { .. }
            | ConnectionStanding::Waiting { .. } => self.manager.open(now),
        }
    }

    /// Changes what the server is told, from the next connect on.
    pub fn set_auth(&mut self, auth: AuthSource) {
        if let Some(socket) = self.manager.sockets.get_mut(self.key) {
            socket.config.auth = auth;
        }
    }

    /// Answers what the server is to be told. It is kept for this connect only.
    ///
    /// # Errors
    ///
    /// [`Gone`] where that connect is over: the connection was lost, or the namespace disconnected.
    pub fn authenticate(&mut self, request: &AuthRequest, auth: &Auth) -> Result<(), Gone> {
        let socket = self.state().ok_or(Gone)?;
        if socket.standing != Standing::AuthAsked
            || socket.session != request.session
            || self.key != request.socket
        {
            return Err(Gone);
        }
        self.manager.request_connect(self.key, auth);
        Ok(())
    }

    /// Sends an event, or keeps it until the namespace is connected. `message` is a
    /// [`Message::event`] of this namespace.
    ///
    /// # Errors
    ///
    /// [`EmitError::Full`] at a limit, [`EmitError::Dropped`] for a volatile message that could not
    /// be sent at once, [`EmitError::TooLarge`]; without a connection nobody knows what is, see
    /// [`Event::Discarded`].
    pub fn emit(
        &mut self,
        now: Timestamp,
        message: Message,
        delivery: Delivery,
    ) -> Result<(), EmitError> {
        self.send(now, message, delivery, None)
    }

    /// Sends an event that asks for an acknowledgement, or keeps it until the namespace is
    /// connected. `message` must have been encoded with `ack`, an id that no other pending
    /// acknowledgement of this namespace has, and better none ever had. What becomes of it is said
    /// by [`Manager::poll_ack`], exactly once; without a deadline, that may take until the namespace
    /// is connected again, or removed.
    ///
    /// # Errors
    ///
    /// As for [`emit`](Self::emit), [`EmitError::TooManyAcks`] and [`EmitError::AckInUse`].
    pub fn emit_with_ack(
        &mut self,
        now: Timestamp,
        message: Message,
        delivery: Delivery,
        ack: AckId,
        deadline: Option<Timestamp>,
    ) -> Result<(), EmitError> {
        self.check_ack(ack)?;
        self.send(now, message, delivery, Some(ack))?;
        if let Some(socket) = self.manager.sockets.get_mut(self.key) {
            let is_buffered = !socket.is_connected();
            socket.acks.insert(ack, deadline, is_buffered);
        }
        Ok(())
    }

    /// Sends an event until it is acknowledged: again where no acknowledgement came within
    /// [`SocketConfig::ack_timeout`](super::SocketConfig), up to
    /// [`SocketConfig::retries`](super::SocketConfig) times, and again after each loss of the
    /// connection, unless it seems to be the cause, see
    /// [`AckFailure::Interrupted`]. One after the other, so they
    /// arrive in order, each at least once. Otherwise as [`emit_with_ack`](Self::emit_with_ack); the
    /// server must acknowledge it.
    ///
    /// # Errors
    ///
    /// [`EmitError::Full`] at a limit, [`EmitError::TooManyAcks`], [`EmitError::AckInUse`],
    /// [`EmitError::TooLarge`].
    pub fn emit_at_least_once(
        &mut self,
        now: Timestamp,
        message: Message,
        ack: AckId,
    ) -> Result<(), EmitError> {
        let now = self.expire_session(now);
        self.check_size(&message)?;
        self.check_ack(ack)?;
        let Some(socket) = self.manager.sockets.get_mut(self.key) else {
            return Err(EmitError::Stale);
        };
        if !self.manager.budget.take(&message, &self.manager.config.limits) {
            return Err(EmitError::Full);
        }
        socket.queue.push(message, ack);
        self.manager.drain_queue(now, self.key);
        Ok(())
    }

    /// Answers an event that asked for it. `message` is a [`Message::ack`] with the token's id.
    ///
    /// # Errors
    ///
    /// [`EmitError::Stale`] where the connection that brought the event is gone: on another, the
    /// server would take the answer for a violation, or for that to a question of its own.
    /// [`EmitError::Full`] at a limit, [`EmitError::TooLarge`].
    pub fn acknowledge(
        &mut self,
        now: Timestamp,
        token: AckToken,
        message: Message,
    ) -> Result<(), EmitError> {
        self.expire_session(now);
        let is_current =
            |socket: &&SocketState| socket.is_connected() && socket.session == token.session;
        self.state().filter(is_current).ok_or(EmitError::Stale)?;
        self.send(now, message, Delivery::Reliable, None)
    }

    /// Disconnects the namespace, which tells the server. With the last namespace the connection is
    /// closed. What waits to be sent is kept for the next connect.
    pub fn disconnect(self, now: Timestamp) {
        let now = self.manager.advance(now);
        let Some(socket) = self.manager.sockets.get_mut(self.key) else { return };
        let next = match socket.standing {
            Standing::Idle | Standing::Leaving { again: false } => return,
            Standing::Requested | Standing::Leaving { again: true } => {
                Standing::Leaving { again: false }
            }
            Standing::Waiting | Standing::AuthAsked | Standing::Connected { .. } => Standing::Idle,
        };
        let was_connected = socket.is_connected();
        socket.standing = next;
        socket.early.take();
        if was_connected {
            let disconnect = Message::disconnect(&socket.namespace);
            let disconnect = encode_for(self.manager.config.parser.as_ref(), disconnect);
            if let (Some(engine), Ok(disconnect)) = (&mut self.manager.engine, disconnect) {
                engine.push_control(&disconnect);
            }
            let reason = DisconnectReason::IoClientDisconnect;
            self.manager.inbox.push(Event::Disconnected { socket: self.key, reason });
            self.manager.fail_sent(self.key, reason);
        }
        self.manager.close_if_unused(now);
    }

    /// Disconnects the namespace and forgets it, with all that waits to be sent.
    pub fn remove(self, now: Timestamp) {
        let Socket { manager, key } = self;
        let Some(socket) = manager.sockets.get_mut(key) else { return };
        socket.is_removed = true;
        let mut failed = socket.acks.remove_all();
        for buffered in socket.buffer.drain(..) {
            manager.budget.give_back(&buffered.message);
        }
        for (id, message) in socket.queue.take() {
            manager.budget.give_back(&message);
            failed.push(id);
        }
        socket.recovery = None;
        for id in failed {
            manager.push_failure(key, id, AckFailure::Disconnected);
        }
        Socket { manager: &mut *manager, key }.disconnect(now);
        manager.forget_if_removed(key);
    }

    fn send(
        &mut self,
        now: Timestamp,
        message: Message,
        delivery: Delivery,
        ack: Option<AckId>,
    ) -> Result<(), EmitError> {
        self.expire_session(now);
        self.check_size(&message)?;
        let manager = &mut *self.manager;
        let Some(socket) = manager.sockets.get_mut(self.key) else { return Err(EmitError::Stale) };
        let engine = manager.engine.as_mut().filter(|_| socket.is_connected());
        match (engine, delivery) {
            (Some(engine), Delivery::Volatile) if !engine.is_writable() => Err(EmitError::Dropped),
            (Some(engine), Delivery::Volatile | Delivery::Reliable) => {
                let queued = engine.push(&message, manager.config.limits.outbox_bytes);
                queued.then_some(()).ok_or(EmitError::Full)
            }
            (None, Delivery::Volatile) => Err(EmitError::Dropped),
            (None, Delivery::Reliable) => {
                if !manager.budget.take(&message, &manager.config.limits) {
                    return Err(EmitError::Full);
                }
                socket.buffer.push_back(Buffered { message, ack });
                Ok(())
            }
        }
    }

    /// A connection whose heartbeat has failed may not have been told the time for long, for one
    /// because the machine slept: what is sent on it would be lost.
    fn expire_session(&mut self, now: Timestamp) -> Timestamp {
        let now = self.manager.advance(now);
        self.manager.expire_sessions(now);
        now
    }

    fn check_size(&self, message: &Message) -> Result<(), EmitError> {
        let engine = self.manager.engine.as_ref();
        match engine.and_then(|engine| engine.exceeded_by(message)) {
            Some(limit) => Err(EmitError::TooLarge { limit }),
            None => Ok(()),
        }
    }

    fn check_ack(&self, ack: AckId) -> Result<(), EmitError> {
        let Some(socket) = self.state() else { return Err(EmitError::Stale) };
        // Outcomes that nobody takes count, or their number would have no limit.
        let owed = socket.acks.len() + self.manager.outcomes.len();
        if owed >= self.manager.config.limits.pending_acks {
            return Err(EmitError::TooManyAcks);
        }
        if socket.owes(ack) { Err(EmitError::AckInUse) } else { Ok(()) }
    }

    fn state(&self) -> Option<&SocketState> {
        self.manager.sockets.get(self.key)
    }
}
