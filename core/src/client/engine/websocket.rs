//! WebSockets, and how one takes over from polling without loss, duplication or reordering.
//!
//! A WebSocket is opened beside the polling and asked by `2probe` whether it works. With the answer,
//! `3probe`, the polling *pauses*: no request begins any more, and those that are under way end, the
//! GET because the server releases it. What they bring is delivered as ever. Only then is `5` sent
//! on the WebSocket, and from there on everything goes over it.
//!
//! Nothing is lost or sent twice: a message leaves the outbox exactly once, by a POST before the
//! pause or by the WebSocket after `5`. Nothing is reordered: no request of either kind is under
//! way when `5` is sent. And where the WebSocket dies before that, the pause is over with it, and
//! polling goes on; the reference then neither reads nor writes until its heartbeat fails.

use alloc::string::String;

use bytes::Bytes;

use crate::codec::message::Message;
use crate::{Output, Timestamp, Transport};

use super::super::config::Config;
use super::super::event::TransportError;
use super::codec::Codec;
use super::session::{Cause, Current, Engine};
use super::state::{Channel, Lifecycle};

/// Names one WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WebSocketKey {
    pub(in crate::client) epoch: u32,
    pub(super) number: u32,
}

/// A WebSocket to open.
#[derive(Debug)]
pub struct WebSocketRequest {
    /// Names it in what is reported about it.
    pub key: WebSocketKey,
    /// Path and query.
    pub target: String,
}

/// A WebSocket that is to take over.
pub(super) struct Probe {
    number: u32,
    stage: Stage,
    /// When it is given up.
    pub(super) deadline: Timestamp,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It is not open yet.
    Dialing,
    /// `2probe` is to be sent.
    Opened,
    /// `3probe` is to come.
    Asked,
    /// Polling is to come to rest.
    Pausing,
}

impl Engine {
    /// The next WebSocket to open.
    pub(crate) fn next_websocket(&mut self, config: &Config) -> Option<WebSocketRequest> {
        let number = self.dial.take()?;
        let key = WebSocketKey { epoch: self.epoch, number };
        Some(WebSocketRequest { key, target: self.target(config, Transport::WebSocket) })
    }

    /// A WebSocket is open.
    pub(crate) fn handle_websocket_open(&mut self, key: WebSocketKey) {
        if let Some(probe) = &mut self.probe
            && probe.number == key.number
            && probe.stage == Stage::Dialing
        {
            probe.stage = Stage::Opened;
        }
    }

    /// A text message came on a WebSocket: one packet.
    pub(crate) fn handle_websocket_text(
        &mut self,
        now: Timestamp,
        codec: &Codec,
        key: WebSocketKey,
        text: Bytes,
    ) {
        self.handle_text(now, codec, self.channel(key), text);
        self.complete_upgrade();
    }

    /// A binary message came on a WebSocket.
    pub(crate) fn handle_websocket_binary(
        &mut self,
        now: Timestamp,
        codec: &Codec,
        key: WebSocketKey,
        data: Bytes,
    ) {
        self.handle_packet(now, self.channel(key), codec.decode_binary(data));
    }

    /// A WebSocket was closed, or, where it was not `clean`, has failed.
    pub(crate) fn handle_websocket_closed(&mut self, key: WebSocketKey, clean: bool) {
        match self.channel(key) {
            Channel::Current => self.finish(match self.state {
                Lifecycle::Opening if clean => Cause::Failed(TransportError::Closed),
                Lifecycle::Opening | Lifecycle::Open if !clean => {
                    Cause::Failed(TransportError::WebSocket)
                }
                Lifecycle::Opening | Lifecycle::Open => Cause::Remote,
                Lifecycle::Leaving | Lifecycle::Closing | Lifecycle::Closed => Cause::Local,
            }),
            Channel::Probe { .. } => self.abort_probe(),
            Channel::Stale => {}
        }
    }

    /// What to do next on a WebSocket.
    pub(crate) fn next_output(&mut self, key: WebSocketKey) -> Option<Output> {
        match self.channel(key) {
            Channel::Current => self.next_current_output(),
            Channel::Probe { .. } => {
                let probe = self.probe.as_mut().filter(|probe| probe.stage == Stage::Opened)?;
                probe.stage = Stage::Asked;
                Some(Output::Message(Message::ping_probe()))
            }
            Channel::Stale => Some(Output::Close),
        }
    }

    fn next_current_output(&mut self) -> Option<Output> {
        if let Current::WebSocket { upgrade_due, .. } = &mut self.current
            && core::mem::take(upgrade_due)
        {
            return Some(Output::Message(Message::upgrade()));
        }
        if core::mem::take(&mut self.pong_due) {
            return Some(Output::Message(Message::pong()));
        }
        if let Some(frame) = self.outbox.pop() {
            return Some(Output::Message(Message::from(frame)));
        }
        match self.state {
            Lifecycle::Opening | Lifecycle::Open => None,
            Lifecycle::Leaving | Lifecycle::Closing | Lifecycle::Closed => {
                self.finish(Cause::Local);
                Some(Output::Close)
            }
        }
    }

    /// Whether polling is to come to rest.
    pub(super) fn is_paused(&self) -> bool {
        self.probe.as_ref().is_some_and(|probe| probe.stage == Stage::Pausing)
    }

    pub(super) fn begin_probe(&mut self, deadline: Timestamp) {
        let number = self.next_key();
        self.dial = Some(number);
        self.probe = Some(Probe { number, stage: Stage::Dialing, deadline });
    }

    /// The WebSocket is given up; it learns of it when it asks for output.
    pub(super) fn abort_probe(&mut self) {
        if let Some(probe) = self.probe.take() {
            self.dial.take_if(|number| *number == probe.number);
        }
    }

    /// The server has answered the probe.
    pub(super) fn pause(&mut self) {
        if let Some(probe) = &mut self.probe {
            probe.stage = Stage::Pausing;
        }
    }

    /// Lets the WebSocket take over, once polling has come to rest.
    pub(super) fn complete_upgrade(&mut self) {
        if !self.is_paused() || self.poll.is_some() || self.post.is_some() {
            return;
        }
        if let Some(probe) = self.probe.take() {
            self.current = Current::WebSocket { number: probe.number, upgrade_due: true };
            self.announce_upgrade();
        }
    }

    fn channel(&self, key: WebSocketKey) -> Channel {
        let is_current = match self.current {
            Current::WebSocket { number, .. } => number == key.number,
            Current::Polling => false,
        };
        match &self.probe {
            _ if self.state == Lifecycle::Closed => Channel::Stale,
            _ if is_current => Channel::Current,
            Some(probe) if probe.number == key.number => {
                Channel::Probe { waiting: probe.stage == Stage::Asked }
            }
            Some(_) | None => Channel::Stale,
        }
    }
}
