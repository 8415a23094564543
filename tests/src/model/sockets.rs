//! What Socket.IO packets do to a connection.

use super::engine::Verdict;
use super::{
    Connection, Happened, Kind, Member, Micros, Missed, Model, Note, Outcome, Packet, Reason, Said,
    Socket, WebSocket, frame_bytes,
};

/// A packet whose attachments are still to come.
#[derive(Debug)]
pub(super) struct Partial {
    packet: Packet,
    attachments: u8,
    bytes: usize,
    pub(super) until: Micros,
}

/// `44/nope,{"message":"Invalid namespace"}`, the answer to the one unknown namespace that clients
/// of a simulation ask for.
const UNKNOWN_NAMESPACE_BYTES: usize = 2 + 6 + 31;

impl Model {
    pub(super) fn handle_said(
        &mut self,
        now: Micros,
        connection: Connection,
        websocket: Option<WebSocket>,
        said: Said,
    ) {
        let Some(session) = self.sessions.get_mut(&connection) else { return };
        let verdict = session.engine.react(now, &self.rules, websocket, &said);
        if verdict == Verdict::Done {
            return;
        }
        match said {
            Said::Packet(_) if session.partial.is_some() => self.violation(now, connection),
            Said::Packet(packet) if packet.attachments > 0 => {
                let until = now + self.rules.attachments_timeout;
                let bytes = packet.bytes;
                session.partial = Some(Partial { packet, attachments: 0, bytes, until });
            }
            Said::Packet(packet) => self.dispatch(now, connection, packet),
            Said::Binary { bytes } => self.attach(now, connection, bytes),
            Said::BadPacket => self.violation(now, connection),
            Said::Open
            | Said::Close
            | Said::Ping
            | Said::ProbePing
            | Said::Pong
            | Said::Upgrade
            | Said::Noop
            | Said::Malformed => {}
        }
    }

    fn attach(&mut self, now: Micros, connection: Connection, bytes: usize) {
        let Some(session) = self.sessions.get_mut(&connection) else { return };
        let Some(mut partial) = session.partial.take() else {
            return self.violation(now, connection);
        };
        partial.bytes += bytes;
        partial.attachments += 1;
        if partial.bytes > self.rules.max_payload {
            self.violation(now, connection);
        } else if partial.attachments < partial.packet.attachments {
            session.partial = Some(partial);
        } else {
            self.dispatch(now, connection, Packet { bytes: partial.bytes, ..partial.packet });
        }
    }

    pub(super) fn violation(&mut self, now: Micros, connection: Connection) {
        if let Some(session) = self.sessions.get_mut(&connection) {
            session.tell(Happened::Violation, 0);
        }
        self.force_close(now, connection, "forced close");
    }

    /// Ends a connection whose client made a mistake. What ends at once ends as `forced close`.
    pub(super) fn force_close(&mut self, now: Micros, connection: Connection, reason: Reason) {
        if let Some(session) = self.sessions.get_mut(&connection) {
            session.engine.close(now, &self.rules, "forced close");
            session.connect_by = None;
            session.partial = None;
        }
        self.settle(connection);
        self.end_sockets(connection, reason);
        self.settle(connection);
    }

    fn dispatch(&mut self, now: Micros, connection: Connection, packet: Packet) {
        if packet.kind == Kind::Connect {
            return self.handle_connect(now, connection, packet);
        }
        let joined = packet.namespace.and_then(|namespace| self.joined(connection, namespace));
        let Some(socket) = joined.filter(|_| packet.kind != Kind::ConnectError) else {
            return self.force_close(now, connection, "forced server close");
        };
        let Some(session) = self.sessions.get_mut(&connection) else { return };
        match packet.kind {
            Kind::Event => {
                let Packet { tag, ack, attachments, bytes, .. } = packet;
                session.tell(Happened::Received { socket, tag, ack, attachments }, bytes);
                session.was_held |= session.is_full(&self.rules);
            }
            Kind::Ack => {
                let owed = packet
                    .ack
                    .filter(|id| session.acks.get(id).is_some_and(|(debtor, _)| *debtor == socket));
                if let Some(id) = owed {
                    session.acks.remove(&id);
                    session.outcomes.push_back(Outcome { id, socket, result: Ok(packet.tag) });
                }
            }
            Kind::Disconnect => self.end_socket(socket, "client namespace disconnect"),
            Kind::Connect | Kind::ConnectError => {}
        }
    }

    fn handle_connect(&mut self, now: Micros, connection: Connection, packet: Packet) {
        let Some(session) = self.sessions.get_mut(&connection) else { return };
        let Some(namespace) = packet.namespace else {
            let bytes = frame_bytes(UNKNOWN_NAMESPACE_BYTES);
            let max = self.rules.outbox_bytes_max;
            return session.engine.push_control(Note::UnknownNamespace, bytes, max);
        };
        let asked = session
            .sockets
            .iter()
            .any(|socket| self.sockets.get(socket).is_some_and(|m| m.namespace == namespace));
        if asked || session.sockets.len() >= self.rules.namespaces_max {
            return self.force_close(now, connection, "forced server close");
        }
        let socket = self.sockets_made;
        self.sockets_made += 1;
        session.sockets.push(socket);
        session.tell(Happened::Requested { namespace, socket }, packet.bytes);
        let member = Member {
            connection,
            namespace,
            connected: false,
            own_room: false,
            rooms: Default::default(),
        };
        self.sockets.insert(socket, member);
    }

    /// The connected socket of a connection in a namespace.
    fn joined(&self, connection: Connection, namespace: u8) -> Option<Socket> {
        let session = self.sessions.get(&connection)?;
        session.sockets.iter().copied().find(|socket| {
            self.sockets.get(socket).is_some_and(|m| m.connected && m.namespace == namespace)
        })
    }

    pub(super) fn end_sockets(&mut self, connection: Connection, reason: Reason) {
        let Some(session) = self.sessions.get(&connection) else { return };
        for socket in session.sockets.clone() {
            self.end_socket(socket, reason);
        }
    }

    /// Ends a socket: what it owes is failed, and the application told if it had accepted it.
    pub(super) fn end_socket(&mut self, socket: Socket, reason: Reason) {
        let Some(member) = self.sockets.remove(&socket) else { return };
        let Some(session) = self.sessions.get_mut(&member.connection) else { return };
        session.sockets.retain(|other| *other != socket);
        let owed: Vec<u64> = session
            .acks
            .iter()
            .filter(|(_, (debtor, _))| *debtor == socket)
            .map(|(id, _)| *id)
            .collect();
        for id in owed {
            session.acks.remove(&id);
            session.outcomes.push_back(Outcome { id, socket, result: Err(Missed::Disconnect) });
        }
        session.acks_due = session.first_ack();
        if member.connected {
            session.tell(Happened::Disconnected { socket, reason, rooms: member.rooms }, 0);
        }
    }
}
