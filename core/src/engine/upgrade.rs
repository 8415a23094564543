//! From polling to WebSocket, without loss, duplication or reordering.
//!
//! The client opens a WebSocket beside its polling and sends `2probe` on it; the server answers
//! `3probe` and releases the client's GET, so that the client can stop polling. When no request is
//! under way any more, the client sends `5`, and from then on everything goes over the WebSocket.
//!
//! Nothing is lost: what is emitted meanwhile stays in the outbox, or goes out by the GET that is
//! being released. Nothing is sent twice: a message leaves the outbox exactly once, and until `5`
//! only GETs take from it, after `5` only the WebSocket does. Nothing is reordered from the client:
//! it has no POST under way when it sends `5`, and a message on the WebSocket before `5` aborts the
//! probe.

use crate::codec::message::Message;
use crate::{Config, DisconnectReason, Timestamp};

use super::session::{Current, Session};
use super::state::Lifecycle;

/// Names one WebSocket of one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransportKey(u32);

/// A WebSocket that may take over.
pub(super) struct Probe {
    pub(super) key: TransportKey,
    /// Whether it has sent `2probe`.
    pub(super) probed: bool,
    /// `3probe` packets that wait to be sent on it. One is enough for many questions.
    answer_due: bool,
    /// When it is given up.
    pub(super) deadline: Timestamp,
}

/// What a WebSocket is to do next.
#[derive(Debug)]
pub(crate) enum WebSocketOutput {
    Message(Message),
    Close,
}

impl Session {
    /// A WebSocket for this session was opened. `None` where it must be closed at once: another
    /// one is probing, or has taken over.
    pub(crate) fn begin_upgrade(
        &mut self,
        now: Timestamp,
        config: &Config,
    ) -> Option<TransportKey> {
        if self.current != Current::Polling
            || self.probe.is_some()
            || self.state == Lifecycle::Closed
            || !config.allow_upgrades
        {
            return None;
        }
        let key = self.attach_websocket();
        let deadline = now + config.upgrade_timeout;
        self.probe = Some(Probe { key, probed: false, answer_due: false, deadline });
        Some(key)
    }

    pub(super) fn attach_websocket(&mut self) -> TransportKey {
        self.open_websockets += 1;
        TransportKey(self.next_key())
    }

    /// The driver has closed a WebSocket, for whatever reason. Every key is reported once.
    pub(crate) fn detach_websocket(&mut self, key: TransportKey, reason: DisconnectReason) {
        self.open_websockets = self.open_websockets.saturating_sub(1);
        if self.current == Current::WebSocket(key) {
            self.close_now(reason);
        } else if self.probe.as_ref().is_some_and(|probe| probe.key == key) {
            self.probe = None;
        }
    }

    /// No driver is left to report that WebSockets are closed.
    pub(crate) fn detach_all_websockets(&mut self) {
        self.open_websockets = 0;
    }

    /// Whether [`next_websocket_output`](Self::next_websocket_output) has something for any of the
    /// session's WebSockets.
    pub(crate) fn has_websocket_output(&self) -> bool {
        if self.open_websockets == 0 {
            return false;
        }
        let probing = u32::from(self.probe.is_some());
        let carrying = u32::from(self.current != Current::Polling);
        self.probe.as_ref().is_some_and(|probe| probe.answer_due)
            || (carrying == 1
                && (!self.outbox.is_empty() || self.pong_due || self.state == Lifecycle::Closed))
            || self.open_websockets > probing + carrying
    }

    /// What to do next on a WebSocket.
    pub(crate) fn next_websocket_output(&mut self, key: TransportKey) -> Option<WebSocketOutput> {
        if self.current == Current::WebSocket(key) {
            return match self.outbox.pop() {
                Some(message) => Some(WebSocketOutput::Message(message)),
                None if core::mem::take(&mut self.pong_due) => {
                    Some(WebSocketOutput::Message(Message::pong()))
                }
                None if self.state == Lifecycle::Closed => Some(WebSocketOutput::Close),
                None => None,
            };
        }
        match &mut self.probe {
            Some(probe) if probe.key == key => core::mem::take(&mut probe.answer_due)
                .then(|| WebSocketOutput::Message(Message::pong_probe())),
            Some(_) | None => Some(WebSocketOutput::Close),
        }
    }

    /// Answers `2probe`. A waiting GET is released by it, see `has_poll_response`.
    pub(super) fn answer_probe(&mut self) {
        if let Some(probe) = &mut self.probe {
            probe.probed = true;
            probe.answer_due = true;
        }
    }

    /// The probing WebSocket takes over.
    pub(super) fn take_over(&mut self, now: Timestamp, config: &Config) {
        let Some(probe) = self.probe.take() else { return };
        // No honest client has a GET under way now. One that has is told that polling is over.
        self.release_poll_with_close();
        self.current = Current::WebSocket(probe.key);
        self.restart_heartbeat(now, config);
        self.finish_closing();
    }
}
