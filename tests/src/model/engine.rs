//! The transports of one session: polling, a WebSocket, and the way from one to the other.

use std::collections::{BTreeSet, VecDeque};

use super::{
    Connection, Member, Micros, Model, Note, Reason, Rules, Said, Session, WebSocket, frame_bytes,
};

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "their names say it")]
pub enum Refused {
    Unknown,
    Mismatch,
    Overlap,
    Unavailable,
}

/// What a WebSocket is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "their names say it")]
pub enum Taken {
    Note(Note),
    Close,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Closing,
    Closed,
}

/// The GET that waits, and what it must be answered with if not with the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Get {
    Waits,
    Answer(Note),
}

#[derive(Clone, Copy, Debug)]
struct Probe {
    websocket: WebSocket,
    asked: bool,
    answer_due: bool,
    until: Micros,
}

#[derive(Clone, Copy, Debug)]
enum Heartbeat {
    PingAt(Micros),
    PongBy(Micros),
    Stopped,
}

/// A ping that is later than this moves the time of the pong.
const LATENESS: Micros = 10_000;

#[derive(Debug)]
pub(super) struct Engine {
    state: State,
    /// The WebSocket that carries messages; `None` on polling.
    current: Option<WebSocket>,
    probe: Option<Probe>,
    get: Option<Get>,
    post: bool,
    websockets: BTreeSet<WebSocket>,
    pub(super) outbox: VecDeque<(Note, usize)>,
    pub(super) outbox_bytes: usize,
    heartbeat: Heartbeat,
    closing: Option<(Micros, Reason)>,
    /// Why the session has ended, until that is passed on.
    pub(super) ended: Option<Reason>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Push {
    Queued,
    Dropped,
    Full,
    Closed,
}

/// What the connection does about a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Done,
    Deliver,
}

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
        let mut engine = Engine {
            state: State::Open,
            current: websocket,
            probe: None,
            get: None,
            post: false,
            websockets: websocket.into_iter().collect(),
            outbox: VecDeque::new(),
            outbox_bytes: 0,
            heartbeat: Heartbeat::PingAt(now + self.rules.ping_interval),
            closing: None,
            ended: None,
        };
        engine.queue(Note::Open, open_bytes);
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

impl Engine {
    pub(super) fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    pub(super) fn is_at_rest(&self) -> bool {
        self.is_closed() && self.get.is_none() && !self.post && self.websockets.is_empty()
    }

    /// What the transport makes of a packet; messages are for the connection.
    pub(super) fn react(
        &mut self,
        now: Micros,
        rules: &Rules,
        websocket: Option<WebSocket>,
        said: &Said,
    ) -> Verdict {
        if websocket == self.current {
            if self.state == State::Open {
                return self.react_current(now, rules, said);
            }
        } else if let Some(probe) = &mut self.probe
            && Some(probe.websocket) == websocket
        {
            match said {
                Said::ProbePing => (probe.asked, probe.answer_due) = (true, true),
                Said::Upgrade if probe.asked => self.take_over(now, rules),
                _ => self.probe = None,
            }
        }
        Verdict::Done
    }

    fn react_current(&mut self, now: Micros, rules: &Rules, said: &Said) -> Verdict {
        match said {
            Said::Open | Said::Upgrade | Said::Noop => {}
            Said::Close => {
                if self.current.is_none() {
                    self.release_get(Note::Noop);
                }
                self.close_now("transport close");
            }
            Said::Ping | Said::ProbePing => self.close_now("transport error"),
            Said::Pong => self.heartbeat = Heartbeat::PingAt(now + rules.ping_interval),
            Said::Malformed => self.close_now("parse error"),
            Said::BadPacket | Said::Packet(_) | Said::Binary { .. } => return Verdict::Deliver,
        }
        Verdict::Done
    }

    fn take_over(&mut self, now: Micros, rules: &Rules) {
        self.release_get(Note::Close);
        self.current = self.probe.take().map(|probe| probe.websocket);
        self.excuse(now, rules, Micros::MAX);
        if let Some((_, reason)) = self.closing {
            self.finish(reason);
        }
    }

    /// A pong that is due by `until` gets the whole time again.
    pub(super) fn excuse(&mut self, now: Micros, rules: &Rules, until: Micros) {
        if matches!(self.heartbeat, Heartbeat::PongBy(at) if at <= until) {
            self.heartbeat = Heartbeat::PongBy(now + rules.ping_timeout);
        }
    }

    /// Closes behind what is queued.
    pub(super) fn close(&mut self, now: Micros, rules: &Rules, reason: Reason) {
        if self.state != State::Open {
            return;
        }
        if self.current.is_some() || (self.get == Some(Get::Waits) && self.outbox.is_empty()) {
            return self.finish(reason);
        }
        self.state = State::Closing;
        self.heartbeat = Heartbeat::Stopped;
        self.closing = Some((now + rules.polling_close_timeout, reason));
    }

    /// Closes; what is queued is lost.
    pub(super) fn close_now(&mut self, reason: Reason) {
        self.outbox.clear();
        self.outbox_bytes = 0;
        self.finish(reason);
    }

    pub(super) fn close_polling_now(&mut self, reason: Reason) {
        if self.current.is_none() {
            self.close_now(reason);
        }
    }

    fn finish(&mut self, reason: Reason) {
        if self.is_closed() {
            return;
        }
        self.state = State::Closed;
        self.heartbeat = Heartbeat::Stopped;
        self.closing = None;
        self.probe = None;
        self.ended = Some(reason);
        self.release_get(Note::Close);
    }

    fn release_get(&mut self, note: Note) {
        if self.get == Some(Get::Waits) {
            self.get = Some(Get::Answer(note));
        }
    }

    fn has_answer(&self) -> bool {
        match self.get {
            None => false,
            Some(Get::Answer(_)) => true,
            Some(Get::Waits) => {
                !self.outbox.is_empty()
                    || self.state != State::Open
                    || self.probe.is_some_and(|probe| probe.asked)
            }
        }
    }

    fn take_answer(&mut self) -> Option<Vec<Note>> {
        if !self.has_answer() {
            return None;
        }
        if let Some(Get::Answer(note)) = self.get.take() {
            return Some(vec![note]);
        }
        let mut notes: Vec<_> = self.outbox.drain(..).map(|(note, _)| note).collect();
        self.outbox_bytes = 0;
        if notes.is_empty() {
            notes.push(Note::Noop);
            if let Some((_, reason)) = self.closing {
                notes.push(Note::Close);
                self.finish(reason);
            }
        }
        Some(notes)
    }

    pub(super) fn has_output(&self) -> bool {
        let carries = |websocket: &WebSocket| Some(*websocket) == self.current;
        let probes =
            |websocket: &WebSocket| self.probe.is_some_and(|probe| probe.websocket == *websocket);
        self.websockets.iter().any(|websocket| {
            if carries(websocket) {
                !self.outbox.is_empty() || self.is_closed()
            } else if probes(websocket) {
                self.probe.is_some_and(|probe| probe.answer_due)
            } else {
                true
            }
        })
    }

    pub(super) fn push(&mut self, note: Note, bytes: usize, volatile: bool, max: usize) -> Push {
        if self.state != State::Open {
            return Push::Closed;
        }
        let ready =
            self.outbox.is_empty() && (self.current.is_some() || self.get == Some(Get::Waits));
        if volatile && !ready {
            return Push::Dropped;
        }
        if !self.outbox.is_empty() && self.outbox_bytes + bytes > max {
            return Push::Full;
        }
        self.queue(note, bytes);
        Push::Queued
    }

    /// What the protocol itself has to say.
    pub(super) fn push_control(&mut self, note: Note, bytes: usize, max: usize) {
        if self.push(note, bytes, false, max) == Push::Full {
            self.close_now("outbox overflow");
        }
    }

    fn queue(&mut self, note: Note, bytes: usize) {
        self.outbox.push_back((note, bytes));
        self.outbox_bytes += bytes;
    }

    pub(super) fn deadline(&self) -> Option<Micros> {
        let heartbeat = match self.heartbeat {
            Heartbeat::PingAt(at) | Heartbeat::PongBy(at) => Some(at),
            Heartbeat::Stopped => None,
        };
        let probe = self.probe.map(|probe| probe.until);
        let closing = self.closing.map(|(at, _)| at);
        [heartbeat, probe, closing].into_iter().flatten().min()
    }

    pub(super) fn handle_timeout(&mut self, now: Micros, rules: &Rules) {
        self.probe.take_if(|probe| probe.until <= now);
        match self.heartbeat {
            Heartbeat::PingAt(at) if at <= now => {
                let sent_at = if now <= at + LATENESS { at } else { now };
                self.heartbeat = Heartbeat::PongBy(sent_at + rules.ping_timeout);
                self.queue(Note::Ping, frame_bytes(1));
            }
            Heartbeat::PongBy(at) if at <= now => self.close_now("ping timeout"),
            Heartbeat::PingAt(_) | Heartbeat::PongBy(_) | Heartbeat::Stopped => {}
        }
        if let Some((at, reason)) = self.closing
            && at <= now
        {
            self.close_now(reason);
        }
    }
}
