//! What the application does with one socket.

use alloc::sync::Arc;

use crate::codec::message::Message;
use crate::engine::{Push, Volatile};
use crate::{AckId, DisconnectReason, NamespaceKey, SocketId, SocketKey, Timestamp};

use super::broadcast::Delivery;
use super::event::EmitError;
use super::{Server, SocketState, Standing};

/// A view of one connected socket, for as long as the server is borrowed.
pub struct Socket<'a> {
    server: &'a mut Server,
    key: SocketKey,
}

impl Server {
    /// The socket of that key; `None` unless it is connected.
    pub fn socket(&mut self, key: SocketKey) -> Option<Socket<'_>> {
        self.member(key)?;
        Some(Socket { server: self, key })
    }
}

impl Socket<'_> {
    /// The socket's id.
    pub fn id(&self) -> Option<SocketId> {
        Some(self.state()?.id)
    }

    /// The namespace that it is in.
    pub fn namespace(&self) -> Option<NamespaceKey> {
        Some(self.state()?.namespace)
    }

    /// Sends an event.
    ///
    /// # Errors
    ///
    /// [`EmitError::Full`] at [`Limits::outbox_bytes`](crate::Limits), [`EmitError::Dropped`] for a
    /// volatile message that the transport could not take at once.
    pub fn emit(&mut self, message: Message, delivery: Delivery) -> Result<(), EmitError> {
        let sent = self.send(message, delivery);
        match sent {
            Ok(()) => self.server.counters.events_sent += 1,
            Err(EmitError::Dropped) => self.server.counters.events_dropped += 1,
            Err(EmitError::NotConnected | EmitError::Full | EmitError::TooManyAcks) => {}
        }
        sent
    }

    fn send(&mut self, message: Message, delivery: Delivery) -> Result<(), EmitError> {
        let server = &mut *self.server;
        let key = server.sockets.get(self.key).ok_or(EmitError::NotConnected)?.connection;
        let connection = server.connections.get_mut(key).ok_or(EmitError::NotConnected)?;
        let limit = server.config.limits.outbox_bytes;
        let volatile = match delivery {
            Delivery::Reliable => Volatile::No,
            Delivery::Volatile => Volatile::Yes,
        };
        match connection.session.push(message, volatile, limit) {
            Push::Queued => {}
            Push::Dropped => return Err(EmitError::Dropped),
            Push::Full => return Err(EmitError::Full),
            Push::Closed => return Err(EmitError::NotConnected),
        }
        server.touch(key);
        Ok(())
    }

    /// Sends an event that asks for an acknowledgement. `message` must have been encoded with
    /// `ack`, an id that no other pending acknowledgement of this connection has. What becomes of
    /// it is said by [`Server::poll_ack`], exactly once.
    ///
    /// # Errors
    ///
    /// As for [`emit`](Self::emit), and [`EmitError::TooManyAcks`].
    pub fn emit_with_ack(
        &mut self,
        message: Message,
        delivery: Delivery,
        ack: AckId,
        deadline: Timestamp,
    ) -> Result<(), EmitError> {
        let key = self.state().ok_or(EmitError::NotConnected)?.connection;
        let limit = self.server.config.limits.pending_acks;
        let connection = self.server.connections.get(key).ok_or(EmitError::NotConnected)?;
        if connection.acks.len() >= limit {
            return Err(EmitError::TooManyAcks);
        }
        self.emit(message, delivery)?;
        if let Some(connection) = self.server.connections.get_mut(key) {
            connection.acks.insert(ack, self.key, deadline);
        }
        self.server.arm(key);
        Ok(())
    }

    /// Answers an event that asked for it. `message` is a [`Message::ack`] with the client's id.
    ///
    /// # Errors
    ///
    /// [`EmitError::Full`] at [`Limits::outbox_bytes`](crate::Limits).
    pub fn acknowledge(&mut self, message: Message) -> Result<(), EmitError> {
        self.send(message, Delivery::Reliable)
    }

    /// Joins a room. `false` if the socket was in it already, or is in
    /// [`Limits::rooms`](crate::Limits) rooms.
    pub fn join(&mut self, room: &str) -> bool {
        let rooms_max = self.server.config.limits.rooms;
        let Some(member) = self.server.member(self.key) else { return false };
        let Some(state) = self.server.sockets.get_mut(self.key) else { return false };
        if let Some(in_own_room) = state.own_room(room) {
            return !core::mem::replace(in_own_room, true);
        }
        let namespace = state.namespace;
        if self.server.rooms.count_of(self.key) >= rooms_max {
            return false;
        }
        self.server.rooms.join(namespace, room, member)
    }

    /// Leaves a room. `false` if the socket was not in it.
    pub fn leave(&mut self, room: &str) -> bool {
        let Some(state) = self.server.sockets.get_mut(self.key) else { return false };
        if let Some(in_own_room) = state.own_room(room) {
            return core::mem::replace(in_own_room, false);
        }
        let namespace = state.namespace;
        self.server.rooms.leave(namespace, room, self.key)
    }

    /// The rooms that the socket is in, its own not among them.
    pub fn rooms(&self) -> impl Iterator<Item = &Arc<str>> {
        self.server.rooms.rooms_of(self.key)
    }

    /// Whether the socket is in the room that bears its id.
    pub fn is_in_own_room(&self) -> bool {
        self.state().is_some_and(|state| match state.standing {
            Standing::Pending => false,
            Standing::Connected { in_own_room, .. } => in_own_room,
        })
    }

    /// The sockets of its connection, itself among them.
    pub fn of_connection(&self) -> &[SocketKey] {
        let connection =
            self.state().and_then(|state| self.server.connections.get(state.connection));
        connection.map_or(&[], |connection| &connection.sockets)
    }

    /// Disconnects the socket, which tells its client by `disconnect`, a
    /// [`Message::disconnect`]. The connection stays open for other namespaces.
    pub fn disconnect(self, disconnect: &Message) {
        let reason = DisconnectReason::ServerNamespaceDisconnect;
        self.server.disconnect_socket(self.key, disconnect, reason);
    }

    /// Ends the connection as if it had been lost, because the same client has another one: its
    /// sockets are told `transport close`, and nothing that is queued is sent.
    pub fn supersede(self) {
        let Some(key) = self.state().map(|state| state.connection) else { return };
        if let Some(connection) = self.server.connections.get_mut(key) {
            connection.session.close_now(DisconnectReason::TransportClose);
        }
        self.server.settle(key);
    }

    /// Disconnects every socket of the connection and closes it.
    pub fn close_connection(self, now: Timestamp) {
        let Some(state) = self.state() else { return };
        let key = state.connection;
        let now = self.server.advance(now);
        self.server.tell_sockets_of_end(key, DisconnectReason::ServerNamespaceDisconnect);
        self.server.close_connection(now, key, DisconnectReason::ForcedClose);
    }

    fn state(&self) -> Option<&SocketState> {
        self.server.sockets.get(self.key)
    }
}

impl SocketState {
    pub(super) fn is_connected(&self) -> bool {
        self.standing != Standing::Pending
    }

    /// Whether the socket is in its own room, if `room` is that.
    fn own_room(&mut self, room: &str) -> Option<&mut bool> {
        if self.id.as_str() != room {
            return None;
        }
        match &mut self.standing {
            Standing::Pending => None,
            Standing::Connected { in_own_room, .. } => Some(in_own_room),
        }
    }
}
