//! A session's life: handshake, heartbeat, sending, closing.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use core::time::Duration;

use bytes::Bytes;

use crate::codec::engine::Inbound;
use crate::codec::message::{Frame, Message};
use crate::codec::parser::Complete;
use crate::codec::payload;
use crate::codec::socket::Packet;
use crate::{EngineError, PacketError, Timestamp, Transport};

use super::super::config::Config;
use super::super::event::TransportError;
use super::codec::Codec;
use super::handshake::Handshake;
use super::outbox::Outbox;
use super::state::{Channel, Lifecycle, PacketClass, Reaction, react};
use super::websocket::Probe;

/// One session.
///
/// It is driven by the [`Manager`](super::super::Manager), which takes its news after each input.
pub(crate) struct Engine {
    /// Which session this is. It is part of every key, so what belongs to another is recognized.
    pub(super) epoch: u32,
    pub(super) state: Lifecycle,
    pub(super) current: Current,
    pub(super) probe: Option<Probe>,
    pub(super) sid: Option<Box<str>>,
    /// The GET that is under way.
    pub(super) poll: Option<u32>,
    /// The POST that is under way.
    pub(super) post: Option<u32>,
    pub(super) outbox: Outbox,
    /// Answers to pings that wait to be sent. One is enough for many questions.
    pub(super) pong_due: bool,
    /// The goodbye of a closing session was sent.
    pub(super) close_sent: bool,
    /// A WebSocket that is to be opened.
    pub(super) dial: Option<u32>,
    pub(super) max_payload: Option<usize>,
    may_upgrade: bool,
    upgrade_timeout: Duration,
    /// How long the server may be silent, and until when.
    silence_max: Duration,
    heartbeat: Option<Timestamp>,
    closing: Option<Timestamp>,
    /// Every key of this session has another number.
    keys: u32,
    news: VecDeque<News>,
}

/// The transport that carries messages.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Current {
    Polling,
    WebSocket {
        number: u32,
        /// The packet that completes an upgrade is still to be sent, before all others.
        upgrade_due: bool,
    },
}

/// What happened to a session, in order.
#[derive(Debug)]
pub(crate) enum News {
    /// The handshake is complete.
    Opened,
    /// A WebSocket has taken over.
    Upgraded,
    Packet(Result<Packet, PacketError>),
    /// A packet whose attachments have come with it.
    Complete(Box<Complete>),
    Attachment(Bytes),
    /// It is over. The last news.
    Closed(Cause),
}

/// Why a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// It was closed from here.
    Local,
    PingTimeout,
    /// The server, or the network, closed it.
    Remote,
    Failed(TransportError),
}

impl Engine {
    /// A session that is to be opened by `transport`, and may go to a WebSocket where it is polling.
    pub(crate) fn new(
        epoch: u32,
        transport: Transport,
        may_upgrade: bool,
        config: &Config,
    ) -> Self {
        let mut engine = Self {
            epoch,
            state: Lifecycle::Opening,
            current: Current::Polling,
            probe: None,
            sid: None,
            poll: None,
            post: None,
            outbox: Outbox::default(),
            pong_due: false,
            close_sent: false,
            dial: None,
            max_payload: None,
            may_upgrade: false,
            upgrade_timeout: config.upgrade_timeout,
            silence_max: Duration::ZERO,
            heartbeat: None,
            closing: None,
            keys: 0,
            news: VecDeque::new(),
        };
        match transport {
            Transport::Polling => engine.may_upgrade = config.upgrade && may_upgrade,
            Transport::WebSocket => {
                let number = engine.next_key();
                engine.current = Current::WebSocket { number, upgrade_due: false };
                engine.dial = Some(number);
            }
        }
        engine
    }

    pub(crate) fn epoch(&self) -> u32 {
        self.epoch
    }

    pub(crate) fn is_open(&self) -> bool {
        self.state == Lifecycle::Open
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state == Lifecycle::Closed
    }

    /// The transport that carries messages.
    pub(crate) fn transport(&self) -> Transport {
        match self.current {
            Current::Polling => Transport::Polling,
            Current::WebSocket { .. } => Transport::WebSocket,
        }
    }

    /// Bytes of the largest packet that the server takes, as far as it has said so.
    pub(super) fn max_payload(&self) -> usize {
        self.max_payload.unwrap_or(usize::MAX)
    }

    /// What the server takes at most, where a packet of the message is larger, as the current
    /// transport carries it.
    pub(crate) fn exceeded_by(&self, message: &Message) -> Option<usize> {
        let limit = self.max_payload();
        let len = |frame: &Frame| match self.current {
            Current::Polling => payload::encoded_len(frame),
            Current::WebSocket { .. } => frame.packet().len(),
        };
        message.frames().iter().any(|frame| len(frame) > limit).then_some(limit)
    }

    pub(crate) fn outbox_bytes(&self) -> usize {
        self.outbox.bytes()
    }

    pub(crate) fn next_news(&mut self) -> Option<News> {
        self.news.pop_front()
    }

    /// Queues a message. One larger than the whole limit may still go out alone.
    #[must_use]
    pub(crate) fn push(&mut self, message: &Message, outbox_bytes_max: usize) -> bool {
        let has_room = self.has_room(message, outbox_bytes_max);
        if has_room {
            self.push_control(message);
        }
        has_room
    }

    /// Whether a message would be queued.
    pub(crate) fn has_room(&self, message: &Message, outbox_bytes_max: usize) -> bool {
        self.outbox.is_empty()
            || self.outbox.bytes() + message.websocket_bytes() <= outbox_bytes_max
    }

    /// Queues what must be sent in any case, and what has been limited elsewhere.
    pub(crate) fn push_control(&mut self, message: &Message) {
        if self.state == Lifecycle::Open {
            self.outbox.push(message);
        }
    }

    /// Whether a message would go out at once.
    pub(crate) fn is_writable(&self) -> bool {
        let is_ready = match self.current {
            Current::Polling => self.post.is_none() && !self.is_paused(),
            Current::WebSocket { upgrade_due, .. } => !upgrade_due,
        };
        self.state == Lifecycle::Open && is_ready && self.outbox.is_empty()
    }

    /// Closes after what is queued, as far as the server lets us. Nothing is heard of it any more.
    pub(crate) fn close(&mut self, deadline: Timestamp) {
        self.news = VecDeque::new();
        match self.state {
            // The server opens a session for a GET whether we wait for its answer or not.
            Lifecycle::Opening if self.poll.is_some() => self.state = Lifecycle::Leaving,
            Lifecycle::Opening => return self.finish(Cause::Local),
            Lifecycle::Open => self.state = Lifecycle::Closing,
            Lifecycle::Leaving | Lifecycle::Closing | Lifecycle::Closed => return,
        }
        // Until `5` is sent, the session is on polling.
        self.abort_probe();
        self.heartbeat = None;
        self.closing = Some(deadline);
    }

    /// The earliest time at which [`handle_timeout`](Self::handle_timeout) has something to do.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        let probe = self.probe.as_ref().map(|probe| probe.deadline);
        [self.heartbeat, probe, self.closing].into_iter().flatten().min()
    }

    /// Does what is due. `excused` says that nothing was read for a while, for reasons that are not
    /// the server's: a ping may be among it.
    pub(crate) fn handle_timeout(&mut self, now: Timestamp, excused: bool) {
        let is_due = |deadline: Option<Timestamp>| deadline.is_some_and(|at| at <= now);
        if is_due(self.probe.as_ref().map(|probe| probe.deadline)) {
            self.abort_probe();
        }
        if is_due(self.heartbeat) {
            match excused {
                true => self.heartbeat = Some(now + self.silence_max.max(EXCUSE)),
                false => self.finish(Cause::PingTimeout),
            }
        }
        if is_due(self.closing) {
            self.finish(Cause::Local);
        }
    }

    /// The text of one packet.
    pub(super) fn handle_text(
        &mut self,
        now: Timestamp,
        codec: &Codec,
        channel: Channel,
        text: Bytes,
    ) {
        let is_opening = matches!(self.state, Lifecycle::Opening | Lifecycle::Leaving);
        if channel == Channel::Current && is_opening && text.first() == Some(&b'0') {
            return self.open(now, &text);
        }
        self.handle_packet(now, channel, codec.decode_text(text));
    }

    pub(super) fn handle_packet(
        &mut self,
        now: Timestamp,
        channel: Channel,
        packet: Result<Inbound, EngineError>,
    ) {
        let class = packet.as_ref().map_or(PacketClass::Malformed, PacketClass::of);
        match react(self.state, channel, class) {
            Reaction::Ignore => {}
            Reaction::Deliver => match packet {
                Ok(Inbound::Message(packet)) => self.news.push_back(News::Packet(packet)),
                Ok(Inbound::Complete(complete)) => self.news.push_back(News::Complete(complete)),
                Ok(Inbound::Binary(data)) => self.news.push_back(News::Attachment(data)),
                // Only messages are delivered.
                Ok(
                    Inbound::Open
                    | Inbound::Close
                    | Inbound::Ping { .. }
                    | Inbound::Pong { .. }
                    | Inbound::Upgrade
                    | Inbound::Noop,
                )
                | Err(_) => {}
            },
            Reaction::AnswerPing => {
                self.pong_due = true;
                self.heartbeat = Some(now + self.silence_max);
            }
            Reaction::Close => {
                let was_opening = self.state == Lifecycle::Opening;
                self.finish(match was_opening {
                    true => Cause::Failed(TransportError::Closed),
                    false => Cause::Remote,
                });
            }
            Reaction::Fail => self.finish(Cause::Failed(match packet {
                Err(error) => TransportError::Packet(error),
                Ok(_) => TransportError::Handshake,
            })),
            // A handshake is looked at before it gets here, for its data are needed.
            Reaction::Handshake => self.finish(Cause::Failed(TransportError::Handshake)),
            Reaction::Pause => self.pause(),
            Reaction::AbortProbe => self.abort_probe(),
        }
    }

    /// The handshake.
    pub(super) fn open(&mut self, now: Timestamp, packet: &[u8]) {
        let Some(handshake) = Handshake::decode(packet) else {
            return self.finish(Cause::Failed(TransportError::Handshake));
        };
        self.sid = Some(handshake.sid);
        self.max_payload = handshake.max_payload;
        self.silence_max = handshake.silence_max;
        if self.state == Lifecycle::Leaving {
            self.state = Lifecycle::Closing;
            return;
        }
        self.state = Lifecycle::Open;
        self.heartbeat = Some(now + self.silence_max);
        self.news.push_back(News::Opened);
        if self.may_upgrade && handshake.offers_websocket {
            self.begin_probe(now + self.upgrade_timeout);
        }
    }

    pub(super) fn announce_upgrade(&mut self) {
        self.news.push_back(News::Upgraded);
    }

    /// The end. WebSockets that are still open learn of it when they ask for output.
    pub(crate) fn finish(&mut self, cause: Cause) {
        if self.state == Lifecycle::Closed {
            return;
        }
        self.state = Lifecycle::Closed;
        self.heartbeat = None;
        self.closing = None;
        self.probe = None;
        self.dial = None;
        self.poll = None;
        self.post = None;
        self.pong_due = false;
        self.outbox.clear();
        self.news.push_back(News::Closed(cause));
    }

    pub(super) fn next_key(&mut self) -> u32 {
        self.keys = self.keys.wrapping_add(1);
        self.keys
    }

    /// The path and query of a request by `transport`.
    pub(super) fn target(&self, config: &Config, transport: Transport) -> String {
        let mut target = String::with_capacity(config.path.len() + config.query.len() + 64);
        target.push_str(&config.path);
        target.push('?');
        if !config.query.is_empty() {
            target.push_str(&config.query);
            target.push('&');
        }
        target.push_str("EIO=4&transport=");
        target.push_str(transport.as_str());
        if let Some(sid) = &self.sid {
            target.push_str("&sid=");
            target.push_str(sid);
        }
        target
    }
}

/// What a server that could not be heard is given at least, lest an excuse be due again at once.
const EXCUSE: Duration = Duration::from_millis(1);
