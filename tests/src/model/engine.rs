//! The transports of one session: polling, a WebSocket, and the way from one to the other.

use std::collections::{BTreeSet, VecDeque};

use super::{Micros, Note, Reason, Rules, Said, WebSocket, frame_bytes};

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
pub(super) enum State {
    Open,
    Closing,
    Closed,
}

/// The GET that waits, and what it must be answered with if not with the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Get {
    Waits,
    Answer(Note),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Probe {
    pub(super) websocket: WebSocket,
    pub(super) asked: bool,
    pub(super) answer_due: bool,
    pub(super) until: Micros,
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
    pub(super) state: State,
    /// The WebSocket that carries messages; `None` on polling.
    pub(super) current: Option<WebSocket>,
    pub(super) probe: Option<Probe>,
    pub(super) get: Option<Get>,
    pub(super) post: bool,
    pub(super) websockets: BTreeSet<WebSocket>,
    pub(super) outbox: VecDeque<(Note, usize)>,
    pub(super) outbox_bytes: usize,
    heartbeat: Heartbeat,
    closing: Option<(Micros, Reason)>,
    /// Why the session has ended, until that is passed on.
    pub(super) ended: Option<Reason>,
    /// The client closed by a POST while none of its GETs waited.
    pub(super) awaits_get: bool,
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

impl Engine {
    pub(super) fn new(websocket: Option<WebSocket>, ping_at: Micros, open_bytes: usize) -> Self {
        let mut engine = Self {
            state: State::Open,
            current: websocket,
            probe: None,
            get: None,
            post: false,
            websockets: websocket.into_iter().collect(),
            outbox: VecDeque::new(),
            outbox_bytes: 0,
            heartbeat: Heartbeat::PingAt(ping_at),
            closing: None,
            ended: None,
            awaits_get: false,
        };
        engine.queue(Note::Open, open_bytes);
        engine
    }

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
                Said::Open
                | Said::Close
                | Said::Ping
                | Said::Pong
                | Said::Upgrade
                | Said::Noop
                | Said::Malformed
                | Said::BadPacket
                | Said::Packet(_)
                | Said::Binary { .. } => self.probe = None,
            }
        }
        Verdict::Done
    }

    fn react_current(&mut self, now: Micros, rules: &Rules, said: &Said) -> Verdict {
        match said {
            Said::Open | Said::Upgrade | Said::Noop => {}
            Said::Close => {
                if self.current.is_none() {
                    self.awaits_get = self.get.is_none();
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

    pub(super) fn has_answer(&self) -> bool {
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

    pub(super) fn take_answer(&mut self) -> Option<Vec<Note>> {
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
