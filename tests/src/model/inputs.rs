//! Requests, packets and WebSockets, as they come in, and what is given to them.

use std::collections::VecDeque;

use super::engine::{Engine, Get, Probe, Refused, State, Taken};
use super::{Connection, Member, Micros, Model, Note, Said, Session, WebSocket};

impl Model {
    /// A client opens a session, on a WebSocket if one is named.
    ///
    /// # Errors
    ///
    /// At the limit of sessions, and after the shutdown.
    pub fn open(
        &mut self,
        shard: u8,
        now: Micros,
        websocket: Option<WebSocket>,
        open_bytes: usize,
    ) -> Result<Connection, Refused> {
        let now = self.advance_shard(shard, now);
        let is_open = |session: &&Session| session.shard == shard && !session.engine.is_closed();
        let open = self.sessions.values().filter(is_open).count();
        if !self.accepting.get(&shard).copied().unwrap_or(true) || open >= self.rules.sessions_max {
            return Err(Refused::Unavailable);
        }
        let engine = Engine::new(websocket, now + self.rules.ping_interval, open_bytes);
        let connection = self.shards.len() as Connection;
        self.shards.push(shard);
        let session = Session {
            shard,
            engine,
            sockets: Vec::new(),
            partial: None,
            acks: Default::default(),
            acks_due: None,
            events: VecDeque::new(),
            events_bytes: 0,
            outcomes: VecDeque::new(),
            connect_by: Some(now + self.rules.connect_timeout),
            was_held: false,
        };
        self.sessions.insert(connection, session);
        Ok(connection)
    }

    /// Whether a request of that transport finds the session.
    ///
    /// # Errors
    ///
    /// If there is none, or it is on a WebSocket and the request is of polling.
    pub fn find(&self, connection: Connection, polling: bool) -> Result<(), Refused> {
        let session = self.sessions.get(&connection).ok_or(Refused::Unknown)?;
        match (&session.engine.state, session.engine.current) {
            (State::Closed, _) => Err(Refused::Unknown),
            (State::Open | State::Closing, Some(_)) if polling => Err(Refused::Mismatch),
            (State::Open | State::Closing, _) => Ok(()),
        }
    }

    /// A GET comes in.
    ///
    /// # Errors
    ///
    /// As for [`find`](Self::find); or one waits already, which ends the session.
    pub fn begin_get(&mut self, connection: Connection) -> Result<(), Refused> {
        self.find(connection, true)?;
        let engine = self.engine(connection).ok_or(Refused::Unknown)?;
        let result = match engine.get {
            Some(_) => {
                engine.close_now("transport error");
                Err(Refused::Overlap)
            }
            None => {
                engine.get = Some(Get::Waits);
                Ok(())
            }
        };
        self.settle(connection);
        result
    }

    /// A GET comes in that is refused; whether its client's close has only overtaken it.
    pub fn take_late_get(&mut self, connection: Connection) -> bool {
        let awaited = |late_gets: &mut VecDeque<Connection>| {
            let before = late_gets.len();
            late_gets.retain(|late| *late != connection);
            late_gets.len() < before
        };
        self.late_gets.values_mut().any(awaited)
    }

    /// A POST comes in.
    ///
    /// # Errors
    ///
    /// As for [`begin_get`](Self::begin_get).
    pub fn begin_post(&mut self, connection: Connection) -> Result<(), Refused> {
        self.find(connection, true)?;
        let engine = self.engine(connection).ok_or(Refused::Unknown)?;
        let result = if engine.post {
            engine.close_now("transport error");
            Err(Refused::Overlap)
        } else {
            engine.post = true;
            Ok(())
        };
        self.settle(connection);
        result
    }

    /// The GET is broken off.
    pub fn abort_get(&mut self, connection: Connection) {
        let Some(engine) = self.engine(connection) else { return };
        if engine.get.take().is_some() && engine.current.is_none() {
            engine.close_now("transport error");
        }
        self.settle(connection);
    }

    /// The POST is over without packets; whether that ends the session.
    pub fn end_post(&mut self, connection: Connection, broken: bool) {
        let Some(engine) = self.engine(connection) else { return };
        let was_under_way = std::mem::take(&mut engine.post);
        if broken && was_under_way && engine.current.is_none() {
            engine.close_now("transport error");
        }
        self.settle(connection);
    }

    /// The POST brings packets; `false` if the session has ended.
    pub fn handle_post(
        &mut self,
        now: Micros,
        connection: Connection,
        packets: impl IntoIterator<Item = Said>,
    ) -> bool {
        let now = self.advance(connection, now);
        let Some(engine) = self.engine(connection) else { return false };
        let under_way = std::mem::take(&mut engine.post) && !engine.is_closed();
        if under_way {
            for said in packets {
                self.handle_said(now, connection, None, said);
            }
        }
        self.settle(connection);
        under_way
    }

    /// A packet comes on a WebSocket.
    pub fn handle_packet(
        &mut self,
        now: Micros,
        connection: Connection,
        websocket: WebSocket,
        said: Said,
    ) {
        let now = self.advance(connection, now);
        self.handle_said(now, connection, Some(websocket), said);
        self.settle(connection);
    }

    /// A second transport is opened; whether the session takes it.
    pub fn begin_upgrade(
        &mut self,
        now: Micros,
        connection: Connection,
        websocket: WebSocket,
    ) -> bool {
        let now = self.advance(connection, now);
        let until = now + self.rules.upgrade_timeout;
        let allowed = self.rules.allow_upgrades;
        let Some(engine) = self.engine(connection) else { return false };
        let free = engine.current.is_none() && engine.probe.is_none() && !engine.is_closed();
        if free && allowed {
            engine.websockets.insert(websocket);
            engine.probe = Some(Probe { websocket, asked: false, answer_due: false, until });
        }
        free && allowed
    }

    /// A WebSocket is closed.
    pub fn websocket_closed(&mut self, connection: Connection, websocket: WebSocket, clean: bool) {
        let Some(engine) = self.engine(connection) else { return };
        engine.websockets.remove(&websocket);
        if engine.current == Some(websocket) {
            engine.close_now(if clean { "transport close" } else { "transport error" });
        } else {
            engine.probe.take_if(|probe| probe.websocket == websocket);
        }
        self.settle(connection);
    }

    /// The answer to the GET, which is taken.
    pub fn take_answer(&mut self, connection: Connection) -> Option<Vec<Note>> {
        let engine = self.engine(connection)?;
        let answer = engine.take_answer();
        self.settle(connection);
        answer
    }

    /// What the WebSocket is to send next, which is taken.
    pub fn take_output(&mut self, connection: Connection, websocket: WebSocket) -> Option<Taken> {
        let Some(engine) = self.engine(connection) else { return Some(Taken::Close) };
        if engine.current == Some(websocket) {
            if let Some((note, bytes)) = engine.outbox.pop_front() {
                engine.outbox_bytes -= bytes;
                return Some(Taken::Note(note));
            }
            return engine.is_closed().then_some(Taken::Close);
        }
        match &mut engine.probe {
            Some(probe) if probe.websocket == websocket => {
                std::mem::take(&mut probe.answer_due).then_some(Taken::Note(Note::ProbePong))
            }
            Some(_) | None => Some(Taken::Close),
        }
    }

    /// The driver gives the session up.
    pub fn abandon(&mut self, connection: Connection) {
        let Some(engine) = self.engine(connection) else { return };
        engine.close_now("transport error");
        engine.websockets.clear();
        self.settle(connection);
    }

    /// Whether the GET has an answer.
    pub fn has_answer(&self, connection: Connection) -> bool {
        self.sessions.get(&connection).is_some_and(|session| session.engine.has_answer())
    }

    /// Whether everything for the client was taken.
    pub fn is_drained(&self, connection: Connection) -> bool {
        self.sessions.get(&connection).is_none_or(|session| session.engine.outbox.is_empty())
    }

    pub(super) fn engine(&mut self, connection: Connection) -> Option<&mut Engine> {
        Some(&mut self.sessions.get_mut(&connection)?.engine)
    }

    pub(super) fn connection_of(&self, member: &Member) -> Option<&Session> {
        self.sessions.get(&member.connection)
    }
}
