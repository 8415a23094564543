//! A session's life: opening, heartbeat, sending, closing.

#[cfg(test)]
mod tests;

use core::time::Duration;

use crate::codec::message::Message;
use crate::{Config, Dialect, DisconnectReason, Revision, Sid, Timestamp};

use super::outbox::{Outbox, Remains};
use super::polling::{PendingPoll, PostKey};
use super::state::{Channel, Lifecycle, PacketClass, Reaction, react};
use super::upgrade::{Probe, TransportKey};

/// One Engine.IO session.
///
/// It is driven by the [`Server`](crate::Server), which asks after each input whether the session
/// has closed ([`take_closed`](Self::take_closed)) and whether anything waits for a transport.
pub(crate) struct Session {
    pub(super) sid: Sid,
    pub(super) dialect: Dialect,
    pub(super) state: Lifecycle,
    pub(super) current: Current,
    pub(super) probe: Option<Probe>,
    /// The GET that waits for an answer. It outlives a switch of transports and the session's end,
    /// because it must be answered all the same.
    pub(super) poll: Option<PendingPoll>,
    /// The POST whose body is being read.
    pub(super) post: Option<PostKey>,
    pub(super) outbox: Outbox,
    /// Every key of this session has another number.
    pub(super) keys: u32,
    /// WebSockets that the driver has not yet reported as closed.
    pub(super) open_websockets: u32,
    heartbeat: Heartbeat,
    /// A ping of the client is not answered yet. One answer is enough for many, so that a client
    /// which pings and does not read makes us hold nothing.
    pub(super) pong_due: bool,
    /// While the session is closing: for how long, and why it closes.
    closing: Option<(Timestamp, DisconnectReason)>,
    closed: Option<DisconnectReason>,
}

/// The transport that carries messages.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Current {
    Polling,
    WebSocket(TransportKey),
}

/// The server pings and the client answers, or in Engine.IO 3 the client pings. Exactly one deadline
/// is armed while the session is open, also across an upgrade (the reference loses it there).
#[derive(Clone, Copy)]
enum Heartbeat {
    /// Send a ping at this time.
    PingAt(Timestamp),
    /// A pong must have come by this time.
    PongBy(Timestamp),
    /// The client must have pinged by this time.
    PingBy(Timestamp),
    /// The session is no longer open.
    Stopped,
}

impl Heartbeat {
    /// The client was heard of.
    fn begin(now: Timestamp, config: &Config, revision: Revision) -> Self {
        match revision {
            Revision::V4 => Self::PingAt(now + config.ping_interval),
            Revision::V3 => Self::PingBy(now + config.ping_interval + config.ping_timeout),
        }
    }
}

/// Timers are this late as a matter of course, which does not move the deadline of the pong. A driver
/// that was held up for longer gives the client its whole time.
const TIMER_LATENESS: Duration = Duration::from_millis(10);

/// Whether a message may be dropped where it could not be sent at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Volatile {
    Yes,
    No,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Push {
    Queued,
    /// Volatile, and the transport was not ready.
    Dropped,
    /// The outbox is at its limit.
    Full,
    /// The session is closing or closed.
    Closed,
}

/// What the server must do about a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing, or what [`Session::take_closed`] says.
    Done,
    /// Hand the message to Socket.IO.
    Deliver,
    /// The client ended its session by a POST.
    Left,
}

impl Session {
    /// A session on polling, with its open packet queued.
    pub(crate) fn polling(
        now: Timestamp,
        config: &Config,
        dialect: Dialect,
        sid: Sid,
        open: Message,
    ) -> Self {
        let mut session = Self {
            sid,
            dialect,
            state: Lifecycle::Open,
            current: Current::Polling,
            probe: None,
            poll: None,
            post: None,
            outbox: Outbox::default(),
            keys: 0,
            open_websockets: 0,
            heartbeat: Heartbeat::begin(now, config, dialect.revision()),
            pong_due: false,
            closing: None,
            closed: None,
        };
        session.outbox.push(open);
        session
    }

    /// A session on a WebSocket from the start, with its open packet queued.
    pub(crate) fn websocket(
        now: Timestamp,
        config: &Config,
        dialect: Dialect,
        sid: Sid,
        open: Message,
    ) -> (Self, TransportKey) {
        let mut session = Self::polling(now, config, dialect, sid, open);
        let key = session.attach_websocket();
        session.current = Current::WebSocket(key);
        (session, key)
    }

    pub(crate) fn sid(&self) -> &Sid {
        &self.sid
    }

    pub(crate) fn revision(&self) -> Revision {
        self.dialect.revision()
    }

    #[cfg(test)]
    pub(crate) fn is_open(&self) -> bool {
        self.state == Lifecycle::Open
    }

    #[cfg(test)]
    pub(crate) fn pending_post(&self) -> Option<PostKey> {
        self.post
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state == Lifecycle::Closed
    }

    pub(crate) fn is_polling(&self) -> bool {
        self.current == Current::Polling
    }

    /// Whether the driver holds nothing of this session any more, and nothing waits for it.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.state == Lifecycle::Closed
            && self.poll.is_none()
            && self.post.is_none()
            && self.open_websockets == 0
    }

    /// The reason of the session's end, once.
    pub(crate) fn take_closed(&mut self) -> Option<DisconnectReason> {
        self.closed.take()
    }

    /// What is to be freed with the session, if it is much.
    pub(crate) fn into_remains(self) -> Option<Remains> {
        self.outbox.into_remains()
    }

    pub(crate) fn outbox_bytes(&self) -> usize {
        self.outbox.bytes()
    }

    /// Queues a message, or says why not.
    pub(crate) fn push(
        &mut self,
        message: Message,
        volatile: Volatile,
        outbox_bytes_max: usize,
    ) -> Push {
        if self.state != Lifecycle::Open {
            return Push::Closed;
        }
        if volatile == Volatile::Yes && !self.is_writable() {
            return Push::Dropped;
        }
        // A message larger than the whole limit may still go out alone.
        if !self.outbox.is_empty()
            && self.outbox.bytes() + message.websocket_bytes() > outbox_bytes_max
        {
            return Push::Full;
        }
        self.outbox.push(message);
        Push::Queued
    }

    /// Queues what the protocol itself has to say. A client that asks for more of it than it reads
    /// is disconnected.
    pub(crate) fn push_control(&mut self, message: &Message, outbox_bytes_max: usize) {
        if self.push(message.clone(), Volatile::No, outbox_bytes_max) == Push::Full {
            self.close_now(DisconnectReason::OutboxOverflow);
        }
    }

    /// A packet, or the news that bytes were none, from a WebSocket (`Some`) or a POST (`None`).
    pub(crate) fn handle_packet(
        &mut self,
        now: Timestamp,
        config: &Config,
        transport: Option<TransportKey>,
        class: PacketClass,
    ) -> Verdict {
        match react(self.revision(), self.state, self.channel(transport), class) {
            Reaction::Ignore => {}
            Reaction::Deliver => return Verdict::Deliver,
            Reaction::Heartbeat => self.hear(now, config),
            Reaction::AnswerPing => {
                self.hear(now, config);
                self.pong_due = true;
            }
            Reaction::Close(reason) if class == PacketClass::Close && self.is_polling() => {
                self.release_poll_with_noop();
                self.close_now(reason);
                return Verdict::Left;
            }
            Reaction::Close(reason) => self.close_now(reason),
            Reaction::AnswerProbe => self.answer_probe(),
            Reaction::TakeOver => self.take_over(now, config),
            Reaction::AbortProbe => self.probe = None,
        }
        Verdict::Done
    }

    /// Closes after what is queued, as far as the client lets us: a WebSocket is handed the rest
    /// and then closed, a polling client is told by the answer to the first GET behind the rest.
    pub(crate) fn close(&mut self, now: Timestamp, config: &Config, reason: DisconnectReason) {
        if self.state != Lifecycle::Open {
            return;
        }
        match self.current {
            Current::WebSocket(_) => self.finish(reason),
            // A pending GET can carry the farewell at once, unless it has something to carry.
            Current::Polling if self.can_answer_poll() && self.outbox.is_empty() => {
                self.finish(reason);
            }
            Current::Polling => {
                self.state = Lifecycle::Closing;
                self.heartbeat = Heartbeat::Stopped;
                self.closing = Some((now + config.polling_close_timeout, reason));
            }
        }
    }

    /// Closes at once; what is queued is lost.
    pub(crate) fn close_now(&mut self, reason: DisconnectReason) {
        self.outbox.discard();
        self.finish(reason);
    }

    /// The earliest time at which [`handle_timeout`](Self::handle_timeout) has something to do.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        let heartbeat = match self.heartbeat {
            Heartbeat::PingAt(at) | Heartbeat::PongBy(at) | Heartbeat::PingBy(at) => Some(at),
            Heartbeat::Stopped => None,
        };
        let probe = self.probe.as_ref().map(|probe| probe.deadline);
        let closing = self.closing.map(|(deadline, _)| deadline);
        [heartbeat, probe, closing].into_iter().flatten().min()
    }

    /// Does what is due.
    pub(crate) fn handle_timeout(&mut self, now: Timestamp, config: &Config) {
        if self.probe.as_ref().is_some_and(|probe| probe.deadline <= now) {
            self.probe = None;
        }
        match self.heartbeat {
            Heartbeat::PingAt(at) if at <= now => {
                let is_on_time = now <= at + TIMER_LATENESS;
                let sent_at = if is_on_time { at } else { now };
                self.heartbeat = Heartbeat::PongBy(sent_at + config.ping_timeout);
                self.outbox.push(Message::ping());
            }
            Heartbeat::PongBy(at) | Heartbeat::PingBy(at) if at <= now => {
                self.close_now(DisconnectReason::PingTimeout);
            }
            Heartbeat::PingAt(_)
            | Heartbeat::PongBy(_)
            | Heartbeat::PingBy(_)
            | Heartbeat::Stopped => {}
        }
        if let Some((deadline, reason)) = self.closing
            && deadline <= now
        {
            self.close_now(reason);
        }
    }

    /// What the client has sent is not being read, for reasons that are not its own. The pong or
    /// the ping that is due may be among it.
    pub(crate) fn excuse_silence(&mut self, now: Timestamp, config: &Config) {
        if matches!(self.heartbeat, Heartbeat::PongBy(at) | Heartbeat::PingBy(at) if at <= now) {
            self.restart_heartbeat(now, config);
        }
    }

    fn hear(&mut self, now: Timestamp, config: &Config) {
        self.heartbeat = Heartbeat::begin(now, config, self.revision());
    }

    /// A pong that was due under the old transport may be lost with it: the client gets the whole
    /// time again, and no session is ever without a deadline.
    pub(super) fn restart_heartbeat(&mut self, now: Timestamp, config: &Config) {
        match self.heartbeat {
            Heartbeat::PingAt(_) | Heartbeat::Stopped => {}
            Heartbeat::PongBy(_) => self.heartbeat = Heartbeat::PongBy(now + config.ping_timeout),
            Heartbeat::PingBy(_) => self.hear(now, config),
        }
    }

    /// Ends a session that was closing, with the reason for which it was.
    pub(super) fn finish_closing(&mut self) {
        if let Some((_, reason)) = self.closing {
            self.finish(reason);
        }
    }

    /// The end. Transports that are still open learn of it when they ask for output.
    pub(super) fn finish(&mut self, reason: DisconnectReason) {
        if self.state == Lifecycle::Closed {
            return;
        }
        self.state = Lifecycle::Closed;
        self.heartbeat = Heartbeat::Stopped;
        self.pong_due = false;
        self.closing = None;
        self.probe = None;
        self.closed = Some(reason);
        self.release_poll_with_close();
    }

    pub(super) fn next_key(&mut self) -> u32 {
        self.keys = self.keys.wrapping_add(1);
        self.keys
    }

    fn is_writable(&self) -> bool {
        match self.current {
            Current::WebSocket(_) => self.outbox.is_empty(),
            Current::Polling => self.outbox.is_empty() && self.can_answer_poll(),
        }
    }

    fn channel(&self, transport: Option<TransportKey>) -> Channel {
        match (transport, self.current) {
            (None, Current::Polling) => Channel::Current,
            (None, Current::WebSocket(_)) => Channel::Stale,
            (Some(key), Current::WebSocket(current)) if key == current => Channel::Current,
            (Some(key), Current::Polling | Current::WebSocket(_)) => match &self.probe {
                Some(probe) if probe.key == key => Channel::Probe { probed: probe.probed },
                Some(_) | None => Channel::Stale,
            },
        }
    }
}
