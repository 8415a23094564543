//! What goes to the network and to the application.

use crate::reassembly::Reassembly;
use crate::{Output, Timestamp};

use super::engine::{Engine, Request, RequestKey, WebSocketKey, WebSocketRequest};
use super::event::{AckOutcome, Event};
use super::socket::SocketState;
use super::{Manager, Standing};

impl Manager {
    /// The next HTTP request to make. Report what came of it by
    /// [`handle_response`](Self::handle_response) or
    /// [`handle_request_failed`](Self::handle_request_failed).
    pub fn poll_request(&mut self) -> Option<Request> {
        let wants_packets = self.wants_input();
        let config = &self.config;
        let mut engines = self.closing.iter_mut().chain(&mut self.engine);
        engines.find_map(|engine| engine.next_request(config, wants_packets))
    }

    /// Whether the answer to a request is still waited for. A driver drops a request for which it
    /// is not.
    pub fn awaits(&self, request: RequestKey) -> bool {
        let mut engines = self.engine.iter().chain(&self.closing);
        engines.any(|engine| engine.epoch() == request.epoch && engine.awaits(request))
    }

    /// The next WebSocket to open.
    pub fn poll_websocket(&mut self) -> Option<WebSocketRequest> {
        self.engine.as_mut()?.next_websocket(&self.config)
    }

    /// What to do next on a WebSocket. Take no more than the network takes: what stays here counts
    /// towards the limit of the outbox, and lets volatile messages be dropped.
    pub fn poll_output(&mut self, websocket: WebSocketKey) -> Option<Output> {
        let mut engines = self.engine.iter_mut().chain(&mut self.closing);
        let Some(engine) = engines.find(|engine| engine.epoch() == websocket.epoch) else {
            return Some(Output::Close);
        };
        let output = engine.next_output(websocket);
        self.closing.retain(|engine| !engine.is_closed());
        output
    }

    /// What happened, in order. A driver that must wait for the application stops calling this, and
    /// reading, see [`wants_input`](Self::wants_input).
    pub fn poll_event(&mut self) -> Option<Event> {
        self.inbox.pop()
    }

    /// What became of acknowledgements. Apart from the events, because a handler may be waiting for
    /// one while the events that follow it wait for the handler.
    pub fn poll_ack(&mut self) -> Option<AckOutcome> {
        self.outcomes.pop_front()
    }

    /// Whether more may be read. While it may not, stop reading from the WebSockets: the
    /// application does not keep up. Nor is a lost connection made again before it does.
    pub fn wants_input(&self) -> bool {
        let limits = &self.config.limits;
        !self.inbox.is_full(limits.inbox_events, limits.inbox_bytes)
    }

    /// When to call [`handle_timeout`](Self::handle_timeout). After such a call it is later than
    /// that call's time; only a deadline that the application gives for an acknowledgement, and that
    /// has passed, a delay of zero, or a reconnection for whose events there was no room, makes it
    /// earlier again. Takes time in proportion to the number of namespaces.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let standing = match &self.standing {
            Standing::Opening { deadline, .. } => *deadline,
            Standing::Waiting { until } => Some(*until).filter(|_| self.wants_input()),
            Standing::Closed | Standing::Open { .. } => None,
        };
        let reassembly = self.reassembly.as_ref().map(Reassembly::deadline);
        let engines = self.engine.iter().chain(&self.closing).filter_map(Engine::deadline);
        let sockets = self.sockets.values().filter_map(SocketState::deadline);
        let postponed = self.sockets.values().any(|socket| self.can_resume(socket));
        let resumption = postponed.then_some(self.now);
        engines.chain(sockets).chain(standing).chain(reassembly).chain(resumption).min()
    }

    /// Whether there is room by now for what a namespace is to send again and again.
    pub(super) fn can_resume(&self, socket: &SocketState) -> bool {
        let bytes_max = self.config.limits.outbox_bytes;
        let postponed = socket.queue.postponed().zip(self.engine.as_ref());
        postponed.is_some_and(|(message, engine)| engine.has_room(message, bytes_max))
    }
}
