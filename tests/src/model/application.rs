//! What the application does.

use std::collections::BTreeSet;

use super::engine::Push;
use super::{Connection, Micros, Model, Note, Socket, frame_bytes};

/// What became of an emit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "their names say it")]
pub enum Emit {
    Queued,
    NotConnected,
    Full,
    Dropped,
    TooManyAcks,
}

/// What became of a broadcast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in the server's report")]
pub struct Report {
    pub queued: usize,
    pub dropped: usize,
    pub overflowed: usize,
    pub owing: usize,
}

impl Model {
    /// Lets a socket in; whether it was waiting for that.
    pub fn accept(&mut self, socket: Socket, bytes: usize) -> bool {
        let Some(member) = self.sockets.get_mut(&socket).filter(|m| !m.connected) else {
            return false;
        };
        member.connected = true;
        member.own_room = true;
        let (connection, namespace) = (member.connection, member.namespace);
        if let Some(session) = self.sessions.get_mut(&connection) {
            session.connect_by = None;
            let note = Note::Connected { namespace, socket };
            session.engine.push_control(note, bytes, self.rules.outbox_bytes_max);
        }
        self.settle(connection);
        true
    }

    /// Refuses a socket; whether it was waiting.
    pub fn reject(&mut self, socket: Socket, bytes: usize) -> bool {
        let Some(member) = self.sockets.get(&socket).filter(|m| !m.connected) else { return false };
        let (connection, namespace) = (member.connection, member.namespace);
        self.end_socket(socket, "");
        self.control(connection, Note::Refused { namespace }, bytes);
        self.settle(connection);
        true
    }

    /// Sends one socket something, by `ack`'s deadline to be answered.
    pub fn emit(
        &mut self,
        socket: Socket,
        note: Note,
        bytes: usize,
        volatile: bool,
        ack: Option<(u64, Micros)>,
    ) -> Emit {
        let Some(member) = self.sockets.get(&socket).filter(|m| m.connected) else {
            return Emit::NotConnected;
        };
        let Some(session) = self.sessions.get_mut(&member.connection) else {
            return Emit::NotConnected;
        };
        if ack.is_some() && session.acks.len() >= self.rules.pending_acks_max {
            return Emit::TooManyAcks;
        }
        match session.engine.push(note, bytes, volatile, self.rules.outbox_bytes_max) {
            Push::Queued => {}
            Push::Dropped => return Emit::Dropped,
            Push::Full => return Emit::Full,
            Push::Closed => return Emit::NotConnected,
        }
        if let Some((id, deadline)) = ack {
            session.acks.insert(id, (socket, deadline));
            session.acks_due = Some(session.acks_due.map_or(deadline, |at| at.min(deadline)));
        }
        Emit::Queued
    }

    /// Sends those whom a broadcast was for, as far as they are still there.
    pub fn deliver(
        &mut self,
        recipients: &BTreeSet<Socket>,
        note: Note,
        bytes: usize,
        volatile: bool,
        ack: Option<(u64, Micros)>,
    ) -> Report {
        let mut report = Report::default();
        let mut overflowed = Vec::new();
        for socket in recipients {
            match self.emit(*socket, note, bytes, volatile, ack) {
                Emit::Queued => report.queued += 1,
                Emit::Dropped => report.dropped += 1,
                Emit::TooManyAcks => report.owing += 1,
                Emit::NotConnected => {}
                Emit::Full => {
                    report.overflowed += 1;
                    overflowed.extend(self.sockets.get(socket).map(|member| member.connection));
                }
            }
        }
        for connection in overflowed {
            if let Some(engine) = self.engine(connection) {
                engine.close_now("outbox overflow");
            }
            self.settle(connection);
        }
        report
    }

    /// Ends a socket, whose client is told.
    pub fn disconnect(&mut self, socket: Socket) {
        let Some(member) = self.sockets.get(&socket).filter(|m| m.connected) else { return };
        let (connection, namespace) = (member.connection, member.namespace);
        self.control(
            connection,
            Note::Disconnected { namespace },
            self.disconnect_bytes(namespace),
        );
        self.end_socket(socket, "server namespace disconnect");
        self.settle(connection);
    }

    /// Ends all sockets of a socket's connection, and closes it.
    pub fn close(&mut self, now: Micros, socket: Socket) {
        let Some(member) = self.sockets.get(&socket).filter(|m| m.connected) else { return };
        let connection = member.connection;
        let now = self.advance(connection, now);
        let sockets = self.sessions.get(&connection).map(|session| session.sockets.clone());
        for socket in sockets.unwrap_or_default() {
            if let Some(member) = self.sockets.get(&socket).filter(|m| m.connected) {
                let namespace = member.namespace;
                let bytes = self.disconnect_bytes(namespace);
                self.control(connection, Note::Disconnected { namespace }, bytes);
            }
            self.end_socket(socket, "server namespace disconnect");
        }
        self.close_connection(now, connection, "forced close");
    }

    /// Ends a shard.
    pub fn shut_down(&mut self, shard: u8, now: Micros) {
        let now = self.advance_shard(shard, now);
        self.accepting.insert(shard, false);
        let open = self
            .sessions
            .iter()
            .filter(|(_, session)| session.shard == shard && !session.engine.is_closed());
        for connection in open.map(|(connection, _)| *connection).collect::<Vec<_>>() {
            self.end_sockets(connection, "server shutting down");
            if let Some(engine) = self.engine(connection) {
                engine.close_polling_now("server shutting down");
            }
            self.close_connection(now, connection, "server shutting down");
        }
    }

    fn close_connection(&mut self, now: Micros, connection: Connection, reason: super::Reason) {
        if let Some(session) = self.sessions.get_mut(&connection) {
            session.engine.close(now, &self.rules, reason);
            session.connect_by = None;
            session.partial = None;
        }
        self.settle(connection);
    }

    fn control(&mut self, connection: Connection, note: Note, bytes: usize) {
        let max = self.rules.outbox_bytes_max;
        if let Some(engine) = self.engine(connection) {
            engine.push_control(note, bytes, max);
        }
    }

    /// `41`, or `41/name,`.
    fn disconnect_bytes(&self, namespace: u8) -> usize {
        let name = self.rules.namespaces.get(usize::from(namespace)).copied().unwrap_or("/");
        frame_bytes(if name == "/" { 2 } else { 2 + name.len() + 1 })
    }
}
