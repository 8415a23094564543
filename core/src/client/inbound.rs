//! What comes from the network, and the time.

use bytes::Bytes;

use crate::Timestamp;
use crate::reassembly::Reassembly;

use super::engine::{Cause, Codec, Engine, News, RequestKey, WebSocketKey};
use super::event::{AckFailure, ConnectError, Event, TransportError};
use super::socket::Standing as SocketStanding;
use super::{Manager, Standing};

impl Manager {
    /// Does what is due. See [`poll_timeout`](Self::poll_timeout).
    pub fn handle_timeout(&mut self, now: Timestamp) {
        let now = self.advance(now);
        let is_due = |deadline: Option<Timestamp>| deadline.is_some_and(|at| at <= now);
        let was_held = self.input_was_held;
        self.expire_sessions(now);
        if is_due(self.reassembly.as_ref().map(Reassembly::deadline)) {
            match &mut self.reassembly {
                Some(parts) if was_held => {
                    parts.postpone(now + self.config.limits.attachments_timeout);
                    self.input_was_held = !self.wants_input();
                }
                Some(_) | None => self.handle_violation(),
            }
        }
        self.expire_connects(now, was_held);
        match &self.standing {
            Standing::Opening { deadline, .. } if is_due(*deadline) => {
                self.retire_engine(now);
                self.handle_connect_failed(now, &ConnectError::TimedOut);
            }
            // What becomes of an attempt is told, and there must be room for it.
            Standing::Waiting { until } if *until <= now && self.wants_input() => {
                self.reconnect(now);
            }
            Standing::Closed
            | Standing::Opening { .. }
            | Standing::Open { .. }
            | Standing::Waiting { .. } => {}
        }
        self.expire_acks(now);
    }

    /// A request was answered. `body` may be cut off behind
    /// [`Limits::response_bytes`](super::Limits) and one byte more.
    pub fn handle_response(
        &mut self,
        now: Timestamp,
        request: RequestKey,
        status: u16,
        body: Bytes,
    ) {
        let bytes_max = self.config.limits.response_bytes;
        self.on_session(now, request.epoch, |engine, now, codec| {
            engine.handle_response(now, codec, bytes_max, request, status, body);
        });
    }

    /// A request could not be made, or had no answer.
    pub fn handle_request_failed(&mut self, now: Timestamp, request: RequestKey) {
        self.on_session(now, request.epoch, |engine, _, _| engine.handle_request_failed(request));
    }

    /// A WebSocket is open.
    pub fn handle_websocket_open(&mut self, now: Timestamp, websocket: WebSocketKey) {
        self.on_session(now, websocket.epoch, |engine, _, _| {
            engine.handle_websocket_open(websocket);
        });
    }

    /// A text message came on a WebSocket.
    pub fn handle_websocket_text(&mut self, now: Timestamp, websocket: WebSocketKey, text: Bytes) {
        self.on_session(now, websocket.epoch, |engine, now, codec| {
            engine.handle_websocket_text(now, codec, websocket, text);
        });
    }

    /// A binary message came on a WebSocket.
    pub fn handle_websocket_binary(
        &mut self,
        now: Timestamp,
        websocket: WebSocketKey,
        data: Bytes,
    ) {
        self.on_session(now, websocket.epoch, |engine, now, codec| {
            engine.handle_websocket_binary(now, codec, websocket, data);
        });
    }

    /// A WebSocket was closed, by whichever side: by a close frame, or by the end of the stream.
    pub fn handle_websocket_closed(&mut self, now: Timestamp, websocket: WebSocketKey) {
        self.on_session(now, websocket.epoch, |engine, _, _| {
            engine.handle_websocket_closed(websocket, true);
        });
    }

    /// A WebSocket could not be opened, or failed, for one because the server broke RFC 6455.
    pub fn handle_websocket_failed(&mut self, now: Timestamp, websocket: WebSocketKey) {
        self.on_session(now, websocket.epoch, |engine, _, _| {
            engine.handle_websocket_closed(websocket, false);
        });
    }

    /// Hands an input to the session that it belongs to, if that exists, and takes its news.
    fn on_session(
        &mut self,
        now: Timestamp,
        epoch: u32,
        input: impl FnOnce(&mut Engine, Timestamp, &Codec),
    ) {
        let now = self.advance(now);
        let mut engines = self.engine.iter_mut().chain(&mut self.closing);
        if let Some(engine) = engines.find(|engine| engine.epoch() == epoch) {
            input(engine, now, &self.codec);
        }
        self.settle(now);
    }

    /// Takes the news of all sessions. Called after whatever may have caused some.
    pub(super) fn settle(&mut self, now: Timestamp) {
        while let Some(news) = self.engine.as_mut().and_then(Engine::next_news) {
            match news {
                News::Opened => self.handle_opened(now),
                News::Upgraded => self.inbox.push(Event::Upgraded),
                News::Packet(Ok(packet)) => self.handle_packet(now, packet),
                News::Packet(Err(_)) => self.handle_violation(),
                News::Complete(complete) => self.handle_complete_packet(now, *complete),
                News::Attachment(data) => self.handle_attachment(now, data),
                News::Closed(cause) => self.handle_engine_closed(now, cause),
            }
        }
        self.input_was_held |= !self.wants_input();
        self.closing.retain(|engine| !engine.is_closed());
    }

    /// What is due in the sessions.
    pub(super) fn expire_sessions(&mut self, now: Timestamp) {
        let is_due = |engine: &Engine| engine.deadline().is_some_and(|deadline| deadline <= now);
        if let Some(engine) = self.engine.as_mut().filter(|engine| is_due(engine)) {
            engine.handle_timeout(now, self.input_was_held);
            self.input_was_held = !self.wants_input();
        }
        for engine in self.closing.iter_mut().filter(|engine| is_due(engine)) {
            engine.handle_timeout(now, false);
        }
        self.settle(now);
    }

    fn handle_engine_closed(&mut self, now: Timestamp, cause: Cause) {
        self.engine = None;
        match (&self.standing, cause) {
            (Standing::Opening { .. }, Cause::Failed(error)) => {
                self.handle_transport_failed(now, error);
            }
            (Standing::Opening { .. }, Cause::Remote | Cause::PingTimeout | Cause::Local) => {
                self.handle_transport_failed(now, TransportError::Closed);
            }
            (Standing::Open { .. } | Standing::Closed | Standing::Waiting { .. }, cause) => {
                self.handle_connection_lost(now, cause.into());
            }
        }
    }

    /// Gives up what was not answered in time; but not where the answer may be among what the driver
    /// was kept from reading.
    fn expire_connects(&mut self, now: Timestamp, was_held: bool) {
        let (mut given_up, mut excused) = (false, false);
        for (key, socket) in &mut self.sockets {
            if socket.connect_deadline().is_none_or(|deadline| deadline > now) {
                continue;
            }
            if was_held {
                socket.await_answer(now);
                excused = true;
                continue;
            }
            socket.standing = match socket.standing {
                SocketStanding::Requested | SocketStanding::Leaving { .. } => {
                    SocketStanding::Leaving { again: false }
                }
                SocketStanding::Idle
                | SocketStanding::Waiting
                | SocketStanding::AuthAsked
                | SocketStanding::Connected { .. } => SocketStanding::Idle,
            };
            socket.early.take();
            self.inbox.push(Event::ConnectError { socket: key, error: ConnectError::Unanswered });
            given_up = true;
        }
        if excused {
            self.input_was_held = !self.wants_input();
        }
        if given_up {
            self.close_if_unused(now);
        }
    }

    fn expire_acks(&mut self, now: Timestamp) {
        let is_due = |deadline: Option<Timestamp>| deadline.is_some_and(|at| at <= now);
        let due = self
            .sockets
            .iter()
            .filter(|(_, socket)| is_due(socket.deadline()) || self.can_resume(socket));
        let keys: alloc::vec::Vec<_> = due.map(|(key, _)| key).collect();
        for key in keys {
            let Some(socket) = self.sockets.get_mut(key) else { continue };
            let mut failed = socket.acks.expire(now);
            let (buffer, acks, budget) = (&mut socket.buffer, &socket.acks, &mut self.budget);
            // The application is told that it failed, so it must not be sent after all.
            buffer.retain(|buffered| {
                let keep = buffered.ack.is_none_or(|id| acks.contains(id));
                if !keep {
                    budget.give_back(&buffered.message);
                }
                keep
            });
            if let Some((id, message)) = socket.queue.expire(now, socket.config.retries) {
                self.budget.give_back(&message);
                failed.push(id);
            }
            for id in failed {
                self.push_failure(key, id, AckFailure::TimedOut);
            }
            self.drain_queue(now, key);
        }
    }
}
