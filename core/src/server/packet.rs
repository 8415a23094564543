//! What a Socket.IO packet does (protocol 5, "Packet types").

use alloc::boxed::Box;

use bytes::Bytes;

use crate::codec::parser::Complete;
use crate::codec::socket::{Packet, PacketKind};
use crate::reassembly::Reassembly;
use crate::{
    AckId, ConnectionKey, DisconnectReason, NamespaceKey, PacketError, SocketKey, Timestamp,
};

use super::event::{AckOutcome, ConnectRequest, Event, Received};
use super::{Server, SocketState, Standing};

impl Server {
    pub(super) fn handle_socket_packet(
        &mut self,
        now: Timestamp,
        key: ConnectionKey,
        packet: Packet,
    ) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if connection.reassembly.is_some() {
            return self.handle_violation(now, key, PacketError::UnexpectedText);
        }
        if packet.attachments > 0 {
            let deadline = now + self.config.limits.attachments_timeout;
            connection.reassembly = Some(Box::new(Reassembly::new(packet, deadline)));
            return self.arm(key);
        }
        self.dispatch(now, key, packet, alloc::vec::Vec::new());
    }

    /// A packet whose attachments have come with it.
    pub(super) fn handle_complete_packet(
        &mut self,
        now: Timestamp,
        key: ConnectionKey,
        complete: Complete,
    ) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if connection.reassembly.is_some() {
            return self.handle_violation(now, key, PacketError::UnexpectedText);
        }
        self.dispatch(now, key, complete.packet, complete.attachments);
    }

    pub(super) fn handle_attachment(&mut self, now: Timestamp, key: ConnectionKey, data: Bytes) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let Some(mut reassembly) = connection.reassembly.take() else {
            return self.handle_violation(now, key, PacketError::UnexpectedBinary);
        };
        match reassembly.push(data, self.config.limits.max_payload) {
            Ok(true) => {
                let (packet, attachments) = reassembly.into_parts();
                self.dispatch(now, key, packet, attachments);
            }
            Ok(false) => connection.reassembly = Some(reassembly),
            Err(error) => self.handle_violation(now, key, error),
        }
    }

    /// The peer broke the protocol: its sockets end, its connection closes.
    pub(super) fn handle_violation(
        &mut self,
        now: Timestamp,
        key: ConnectionKey,
        error: PacketError,
    ) {
        if let Some(connection) = self.connections.get_mut(key) {
            connection.inbox.push(Event::Violation(error));
        }
        self.force_close(now, key, DisconnectReason::ForcedClose);
    }

    /// A packet that is well-formed but may not come now.
    fn handle_misplaced(&mut self, now: Timestamp, key: ConnectionKey) {
        self.force_close(now, key, DisconnectReason::ForcedServerClose);
    }

    /// Ends the sockets at once and the connection as soon as it can tell the client. A
    /// transport that closes here and now makes it `forced close`, as in the reference.
    pub(super) fn force_close(
        &mut self,
        now: Timestamp,
        key: ConnectionKey,
        reason: DisconnectReason,
    ) {
        if let Some(connection) = self.connections.get_mut(key) {
            connection.session.close(now, &self.config, DisconnectReason::ForcedClose);
            connection.stop_waiting();
        }
        self.settle(key);
        // What a synchronous close has not ended already.
        self.disconnect_sockets(key, reason);
        self.arm(key);
        self.settle(key);
    }

    fn dispatch(
        &mut self,
        now: Timestamp,
        key: ConnectionKey,
        packet: Packet,
        attachments: alloc::vec::Vec<Bytes>,
    ) {
        match packet.kind {
            PacketKind::Connect => self.handle_connect(now, key, packet),
            PacketKind::Event => match self.joined(key, packet.namespace()) {
                Some(socket) => {
                    let received = Received { socket, packet, attachments };
                    if self.config.has_rates() && !self.admit_event(now, key, &received) {
                        return;
                    }
                    self.counters.events_received += 1;
                    if let Some(connection) = self.connections.get_mut(key) {
                        connection.inbox.push(Event::Received(received));
                        connection.input_was_held |= !connection.wants_input(&self.config.limits);
                    }
                }
                None => self.handle_misplaced(now, key),
            },
            PacketKind::Ack => match self.joined(key, packet.namespace()) {
                Some(socket) => self.handle_ack(key, socket, packet, attachments),
                None => self.handle_misplaced(now, key),
            },
            PacketKind::Disconnect => match self.joined(key, packet.namespace()) {
                Some(socket) => {
                    self.end_socket(socket, DisconnectReason::ClientNamespaceDisconnect);
                }
                None => self.handle_misplaced(now, key),
            },
            // Only servers send it.
            PacketKind::ConnectError => self.handle_misplaced(now, key),
        }
    }

    fn handle_connect(&mut self, now: Timestamp, key: ConnectionKey, packet: Packet) {
        let name = packet.namespace();
        let namespace = self.namespace_names.get(name).copied();
        if namespace.is_none() && !self.dynamic_namespaces {
            return self.refuse_namespace(key, name);
        }
        let Some(connection) = self.connections.get(key) else { return };
        let joined = connection.sockets.iter().any(|socket| {
            self.sockets.get(*socket).is_some_and(|socket| Some(socket.namespace) == namespace)
        });
        let count = connection.sockets.len() + self.requests.count(key);
        if joined || self.requests.contains(key, name) || count >= self.config.limits.namespaces {
            return self.handle_misplaced(now, key);
        }
        match namespace {
            Some(namespace) => self.request_connect(key, namespace, packet),
            None => self.request_namespace(key, packet),
        }
    }

    /// A client asks to join a namespace, and the application is to decide.
    pub(super) fn request_connect(
        &mut self,
        key: ConnectionKey,
        namespace: NamespaceKey,
        packet: Packet,
    ) {
        let name = packet.namespace();
        let id = self.new_socket_id(key, name);
        let (Some(connection), Some(state)) =
            (self.connections.get_mut(key), self.namespaces.get_mut(namespace))
        else {
            return;
        };
        state.sockets += 1;
        let socket = self.sockets.insert(SocketState {
            connection: key,
            namespace,
            id,
            standing: Standing::Pending,
            visit: 0,
        });
        self.socket_ids.insert(id, socket);
        connection.sockets.push(socket);
        let revision = connection.session.revision();
        let request = ConnectRequest { socket, id, namespace, revision, packet };
        connection.inbox.push(Event::ConnectRequested(Box::new(request)));
    }

    fn handle_ack(
        &mut self,
        key: ConnectionKey,
        socket: SocketKey,
        packet: Packet,
        attachments: alloc::vec::Vec<Bytes>,
    ) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        // Unknown and repeated acknowledgements are ignored, as in the reference.
        let owed = |id: &AckId| connection.acks.resolve(*id, socket);
        if let Some(id) = packet.ack.filter(owed) {
            let result = Ok(packet.into_args(attachments));
            connection.outcomes.push_back(AckOutcome { id, socket, result });
        }
    }

    /// The connection's connected socket in that namespace.
    fn joined(&self, key: ConnectionKey, namespace: &str) -> Option<SocketKey> {
        let connection = self.connections.get(key)?;
        connection.sockets.iter().copied().find(|socket| {
            self.sockets.get(*socket).is_some_and(|state| {
                state.standing != Standing::Pending
                    && self
                        .namespaces
                        .get(state.namespace)
                        .is_some_and(|joined| *joined.name == *namespace)
            })
        })
    }
}
