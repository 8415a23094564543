//! How connections and sockets come and go.

use alloc::sync::Arc;

use bytes::Bytes;
use smallvec::SmallVec;

use crate::codec::engine::Handshake;
use crate::codec::message::Message;
use crate::codec::parser::encode_for;
use crate::codec::socket::Packet;
use crate::engine::{Session, TransportKey};
use crate::rooms::Member;
use crate::{
    Config, ConnectionKey, Dialect, DisconnectReason, Gone, Refusal, Revision, Sid, SocketId,
    SocketKey, Timestamp, Transport,
};

use super::connection::Connection;
use super::event::{AckFailure, AckOutcome, Disconnected, Event};
use super::{Server, Standing};

/// A session that was just opened.
#[derive(Clone, Copy, Debug)]
pub struct Opened {
    /// Its connection.
    pub connection: ConnectionKey,
    /// Its id.
    pub sid: Sid,
}

/// A socket that was connected before, see [`Server::accept_recovered`].
#[derive(Clone, Copy, Debug)]
pub struct RecoveredSocket<'a> {
    /// Its id.
    pub id: SocketId,
    /// The rooms that it was in, its own not among them.
    pub rooms: &'a [Arc<str>],
    /// What was sent to it and its rooms meanwhile.
    pub missed: &'a [Message],
}

impl Server {
    /// A secret by which a client can recover its state later.
    pub fn new_recovery_id(&mut self) -> Sid {
        Sid::generate(self.config.shard, &mut self.entropy)
    }

    /// A client of Engine.IO 4 opens a session by a GET. Answer the request by
    /// [`begin_poll`](Self::begin_poll), which has the open packet ready.
    ///
    /// # Errors
    ///
    /// [`Refusal::Unavailable`] at the limit of sessions, or while shutting down.
    pub fn open_polling(&mut self, now: Timestamp) -> Result<Opened, Refusal> {
        self.open_polling_as(now, Dialect::default(), None)
    }

    /// As [`open_polling`](Self::open_polling), for a client that wants to be spoken to in this
    /// way. One of Engine.IO 3 asks to join `/` by opening its session.
    ///
    /// # Errors
    ///
    /// The same.
    pub fn open_polling_in(&mut self, now: Timestamp, dialect: Dialect) -> Result<Opened, Refusal> {
        self.open_polling_as(now, dialect, None)
    }

    /// As [`open_polling_in`](Self::open_polling_in), for a session of that id, if one is given. An
    /// id is a secret by which its client is known, so it must not be guessable, and no other
    /// session of this server, or of another shard of it, may have it.
    ///
    /// # Errors
    ///
    /// Also [`Refusal::SessionId`], where a session or a socket of this server has the id.
    pub fn open_polling_as(
        &mut self,
        now: Timestamp,
        dialect: Dialect,
        sid: Option<Sid>,
    ) -> Result<Opened, Refusal> {
        let now = self.advance(now);
        let (sid, open) = self.admit(Transport::Polling, sid)?;
        let session = Session::polling(now, &self.config, dialect, sid, open);
        Ok(Opened { connection: self.register(now, session), sid })
    }

    /// A client of Engine.IO 4 opens a session by a WebSocket, which is open.
    ///
    /// # Errors
    ///
    /// [`Refusal::Unavailable`] at the limit of sessions, or while shutting down.
    pub fn open_websocket(&mut self, now: Timestamp) -> Result<(Opened, TransportKey), Refusal> {
        self.open_websocket_as(now, Dialect::default(), None)
    }

    /// As [`open_websocket`](Self::open_websocket), for a client that wants to be spoken to in this
    /// way. One of Engine.IO 3 asks to join `/` by opening its session.
    ///
    /// # Errors
    ///
    /// The same.
    pub fn open_websocket_in(
        &mut self,
        now: Timestamp,
        dialect: Dialect,
    ) -> Result<(Opened, TransportKey), Refusal> {
        self.open_websocket_as(now, dialect, None)
    }

    /// As [`open_websocket_in`](Self::open_websocket_in), for a session of that id, see
    /// [`open_polling_as`](Self::open_polling_as).
    ///
    /// # Errors
    ///
    /// The same as there.
    pub fn open_websocket_as(
        &mut self,
        now: Timestamp,
        dialect: Dialect,
        sid: Option<Sid>,
    ) -> Result<(Opened, TransportKey), Refusal> {
        let now = self.advance(now);
        let (sid, open) = self.admit(Transport::WebSocket, sid)?;
        let (session, transport) = Session::websocket(now, &self.config, dialect, sid, open);
        Ok((Opened { connection: self.register(now, session), sid }, transport))
    }

    /// Takes a socket into its namespace: it joins the room of its own id, and its client is told
    /// by `connect`, a [`Message::connect`] with that id.
    ///
    /// # Errors
    ///
    /// [`Gone`] where the client has left meanwhile, or the socket is no longer pending.
    pub fn accept_socket(&mut self, key: SocketKey, connect: &Message) -> Result<(), Gone> {
        self.connect_socket(key, None, connect)
    }

    /// As [`accept_socket`](Self::accept_socket), for a socket that was connected before, on a
    /// connection that was lost. It gets its id and its rooms back, and its client is told what it
    /// has missed before it is told by `connect` that it is connected.
    ///
    /// Nothing may be sent to these rooms between the end of `missed` and this.
    ///
    /// # Errors
    ///
    /// As for [`accept_socket`](Self::accept_socket), and where a socket of that id is there.
    /// Nothing has changed then.
    pub fn accept_recovered(
        &mut self,
        key: SocketKey,
        recovered: &RecoveredSocket<'_>,
        connect: &Message,
    ) -> Result<(), Gone> {
        self.connect_socket(key, Some(recovered), connect)
    }

    fn connect_socket(
        &mut self,
        key: SocketKey,
        recovered: Option<&RecoveredSocket<'_>>,
        connect: &Message,
    ) -> Result<(), Gone> {
        let socket = self.sockets.get_mut(key).ok_or(Gone)?;
        if socket.standing != Standing::Pending {
            return Err(Gone);
        }
        let member = Member { socket: key, connection: socket.connection };
        let namespace_key = socket.namespace;
        let namespace = self.namespaces.get_mut(namespace_key).ok_or(Gone)?;
        if let Some(recovered) = recovered {
            if self.socket_ids.contains_key(&recovered.id) {
                return Err(Gone);
            }
            self.socket_ids.remove(&socket.id);
            socket.id = recovered.id;
            self.socket_ids.insert(recovered.id, key);
        }
        let position = namespace.members.len() as u32;
        namespace.members.push(member);
        socket.standing = Standing::Connected { position, in_own_room: true };
        self.counters.sockets_connected += 1;
        let connection = member.connection;
        let limit = self.config.limits.outbox_bytes;
        let missed = recovered.map_or(&[][..], |recovered| recovered.missed);
        if let Some(state) = self.connections.get_mut(connection) {
            state.connect_deadline = None;
            for message in missed.iter().chain([connect]) {
                state.session.push_control(message, limit);
            }
        }
        for room in recovered.iter().flat_map(|recovered| recovered.rooms) {
            self.rooms.join(namespace_key, room, member);
        }
        self.settle(connection);
        Ok(())
    }

    /// Refuses a socket; its client is told by `error`, a [`Message::connect_error`]. The
    /// connection stays open, and the client may ask again.
    ///
    /// # Errors
    ///
    /// [`Gone`] where the client has left meanwhile, or the socket is no longer pending.
    pub fn reject_socket(&mut self, key: SocketKey, error: &Message) -> Result<(), Gone> {
        let socket = self.sockets.get(key).ok_or(Gone)?;
        if socket.standing != Standing::Pending {
            return Err(Gone);
        }
        let connection = socket.connection;
        self.remove_socket(key);
        let limit = self.config.limits.outbox_bytes;
        if let Some(state) = self.connections.get_mut(connection) {
            state.session.push_control(error, limit);
        }
        self.settle(connection);
        Ok(())
    }

    /// Refuses new sessions from now on, and ends those there are: their sockets are told
    /// `server shutting down`. What is queued for a WebSocket is still sent; a GET that waits is
    /// answered by the close, and polling sessions without one end untold.
    pub fn shut_down(&mut self, now: Timestamp) {
        let now = self.advance(now);
        self.accepting = false;
        let keys: alloc::vec::Vec<_> = self.sids.values().copied().collect();
        for key in keys {
            let reason = DisconnectReason::ServerShuttingDown;
            self.disconnect_sockets(key, reason);
            // A polling client without a GET could only be told by its next one, which a server
            // that goes away does not take any more.
            if let Some(connection) = self.connections.get_mut(key)
                && connection.session.is_polling()
            {
                connection.session.close_now(reason);
            }
            self.close_connection(now, key, reason);
        }
    }

    /// The driver can no longer serve a connection, because its task has ended: the session is
    /// closed, and its WebSockets count as closed. What the application is still to be told is
    /// there to be taken; the connection is forgotten with the last of it.
    pub fn abandon(&mut self, key: ConnectionKey) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        connection.session.close_now(DisconnectReason::TransportError);
        connection.session.detach_all_websockets();
        self.settle(key);
    }

    fn admit(
        &mut self,
        transport: Transport,
        given: Option<Sid>,
    ) -> Result<(Sid, Message), Refusal> {
        if !self.accepting || self.sids.len() >= self.config.limits.sessions {
            return Err(Refusal::Unavailable);
        }
        let sid = match given {
            None => Sid::generate(self.config.shard, &mut self.entropy),
            // The socket of a client of Socket.IO 4 will have the session's id.
            Some(sid)
                if self.sids.contains_key(&sid)
                    || self.socket_ids.contains_key(&SocketId::of_session(&sid)) =>
            {
                return Err(Refusal::SessionId);
            }
            Some(sid) => sid,
        };
        Ok((sid, open_packet(&self.config, &sid, transport)))
    }

    fn register(&mut self, now: Timestamp, session: Session) -> ConnectionKey {
        let (sid, revision) = (*session.sid(), session.revision());
        let connection = Connection::new(session, now + self.config.connect_timeout);
        let key = self.connections.insert(connection);
        self.sids.insert(sid, key);
        self.counters.sessions_opened += 1;
        if revision == Revision::V3 {
            self.join_main_namespace(key);
        }
        self.arm(key);
        self.touch(key);
        key
    }

    /// Clients of Socket.IO 4 are in `/` without asking for it: they wait for the confirmation.
    fn join_main_namespace(&mut self, key: ConnectionKey) {
        let connect = Packet::decode(Bytes::from_static(b"40"), &self.config.limits);
        if let (Some(namespace), Ok(connect)) = (self.namespace_names.get("/"), connect) {
            self.request_connect(key, *namespace, connect);
        }
    }

    /// The id of the socket that a connection will have in a namespace. A client of Socket.IO 4
    /// makes its own of the session's, which in `/` is the same.
    pub(super) fn new_socket_id(&mut self, key: ConnectionKey, namespace: &str) -> SocketId {
        match self.connections.get(key).map(|connection| &connection.session) {
            Some(session) if session.revision() == Revision::V3 && namespace == "/" => {
                SocketId::of_session(session.sid())
            }
            Some(_) | None => SocketId::generate(self.config.shard, &mut self.entropy),
        }
    }

    /// Closes a connection after what it has queued; its sockets were told before.
    pub(super) fn close_connection(
        &mut self,
        now: Timestamp,
        key: ConnectionKey,
        reason: DisconnectReason,
    ) {
        self.requests.forget(key);
        if let Some(connection) = self.connections.get_mut(key) {
            connection.session.close(now, &self.config, reason);
            connection.stop_waiting();
        }
        self.arm(key);
        self.settle(key);
    }

    /// Ends every socket of a connection, and forgets what it asks for.
    pub(super) fn disconnect_sockets(&mut self, key: ConnectionKey, reason: DisconnectReason) {
        self.requests.forget(key);
        let sockets: SmallVec<[SocketKey; 1]> = match self.connections.get(key) {
            Some(connection) => connection.sockets.clone(),
            None => return,
        };
        for socket in sockets {
            self.end_socket(socket, reason);
        }
    }

    /// Ends one socket, and tells its client by `disconnect`.
    pub(super) fn disconnect_socket(
        &mut self,
        key: SocketKey,
        disconnect: &Message,
        reason: DisconnectReason,
    ) {
        let Some(connection) = self.sockets.get(key).map(|state| state.connection) else { return };
        let limit = self.config.limits.outbox_bytes;
        if let Some(state) = self.connections.get_mut(connection) {
            state.session.push_control(disconnect, limit);
        }
        self.end_socket(key, reason);
        self.settle(connection);
    }

    /// Ends every socket of a connection, and tells the client of each that it knows of.
    pub(super) fn tell_sockets_of_end(&mut self, key: ConnectionKey, reason: DisconnectReason) {
        let limit = self.config.limits.outbox_bytes;
        let sockets = match self.connections.get(key) {
            Some(connection) => connection.sockets.clone(),
            None => return,
        };
        for socket in sockets {
            // A client knows nothing of a socket that was not accepted yet.
            let connected = self.sockets.get(socket).filter(|state| state.is_connected());
            let name = connected.and_then(|state| self.namespace_name(state.namespace));
            let message = name.and_then(|name| self.disconnect_message(name));
            if let (Some(message), Some(connection)) = (message, self.connections.get_mut(key)) {
                connection.session.push_control(&message, limit);
            }
            self.end_socket(socket, reason);
        }
    }

    /// What a client is told that it is no longer in a namespace by; `None` where the parser has no
    /// form for it.
    pub(super) fn disconnect_message(&self, namespace: &str) -> Option<Message> {
        encode_for(self.config.parser.as_ref(), Message::disconnect(namespace)).ok()
    }

    /// Ends one socket: out of its rooms and namespace, its acknowledgements failed, the
    /// application told if it had accepted it.
    pub(super) fn end_socket(&mut self, key: SocketKey, reason: DisconnectReason) {
        let Some(socket) = self.sockets.get(key) else { return };
        let (connection, standing) = (socket.connection, socket.standing);
        let rooms = self.rooms.rooms_of(key).cloned().collect();
        self.remove_socket(key);
        let Some(connection) = self.connections.get_mut(connection) else { return };
        for (id, socket) in connection.acks.remove_socket(key) {
            let result = Err(AckFailure::Disconnected);
            connection.outcomes.push_back(AckOutcome { id, socket, result });
        }
        match standing {
            Standing::Pending => {}
            Standing::Connected { .. } => {
                let disconnected = Disconnected { socket: key, reason, rooms };
                connection.inbox.push(Event::Disconnected(disconnected));
                self.counters.sockets_disconnected += 1;
            }
        }
    }

    /// Takes a socket out of every index.
    fn remove_socket(&mut self, key: SocketKey) {
        let Some(socket) = self.sockets.remove(key) else { return };
        self.socket_ids.remove(&socket.id);
        self.rooms.leave_all(key);
        if let Some(connection) = self.connections.get_mut(socket.connection) {
            connection.sockets.retain(|other| *other != key);
            if let Some(limiter) = &mut connection.limiter {
                limiter.forget(key);
            }
        }
        let Some(namespace) = self.namespaces.get_mut(socket.namespace) else { return };
        namespace.sockets -= 1;
        let Standing::Connected { position, .. } = socket.standing else { return };
        namespace.members.swap_remove(position as usize);
        let moved = namespace.members.get(position as usize).copied();
        if let Some(moved) = moved.and_then(|moved| self.sockets.get_mut(moved.socket))
            && let Standing::Connected { position: old, .. } = &mut moved.standing
        {
            *old = position;
        }
    }

    /// To be called after anything that may have changed a connection: passes on the news of its
    /// end, lists it as dirty, and forgets it when nothing of it is left.
    pub(super) fn settle(&mut self, key: ConnectionKey) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if let Some(reason) = connection.session.take_closed() {
            connection.stop_waiting();
            let sid = *connection.session.sid();
            self.sids.remove(&sid);
            self.counters.count_closed(reason);
            self.disconnect_sockets(key, reason);
            if let Some(connection) = self.connections.get_mut(key) {
                connection.inbox.push(Event::Closed(reason));
            }
        }
        self.touch(key);
        self.forget_if_at_rest(key);
    }

    pub(super) fn forget_if_at_rest(&mut self, key: ConnectionKey) {
        if self.connections.get(key).is_some_and(Connection::is_at_rest) {
            let connection = self.connections.remove(key);
            let remains = connection.and_then(|connection| connection.session.into_remains());
            if remains.is_some() {
                self.remains = remains;
            }
        }
        if self.connections.is_empty() {
            self.timers.clear();
        }
    }

    /// Puts a connection on the dirty list, where that is needed.
    pub(super) fn touch(&mut self, key: ConnectionKey) {
        if self.connections.get_mut(key).is_some_and(Connection::mark_dirty) {
            self.dirty.push(key);
        }
    }
}

fn open_packet(config: &Config, sid: &Sid, transport: Transport) -> Message {
    let upgrade = transport == Transport::Polling
        && config.allow_upgrades
        && config.transports.contains(Transport::WebSocket);
    Handshake {
        sid: sid.as_str(),
        upgrades: if upgrade { &["websocket"] } else { &[] },
        ping_interval: config.ping_interval,
        ping_timeout: config.ping_timeout,
        max_payload: config.limits.max_payload,
    }
    .encode()
}
