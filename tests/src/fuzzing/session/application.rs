//! The application's end: what it is told must make sense to it.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use sansocket_core::codec::message::{Encoder, Message};
use sansocket_core::{
    AckId, AckOutcome, Delivery, DisconnectReason, Event, Server, SocketKey, Target, Timestamp,
};
use serde_json::Value;

use crate::choices::Choices;

/// The largest message that is emitted, with the header of its frames.
pub(super) const MESSAGE_BYTES_MAX: usize = 400;

const ROOMS: [&str; 3] = ["r", "s", "t"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Requested,
    Connected,
    Ended,
}

#[derive(Default)]
pub(super) struct Application {
    encoder: Encoder,
    sockets: BTreeMap<SocketKey, Phase>,
    /// The same keys, the newest last.
    keys: Vec<SocketKey>,
    /// Acknowledgements that clients asked for.
    asked: Vec<(SocketKey, AckId)>,
    /// How many numbered events were emitted.
    emitted: u32,
    next_ack: u64,
    /// Acknowledgements that clients owe.
    owed: BTreeMap<AckId, SocketKey>,
    closed: Option<DisconnectReason>,
    /// What the session must have been closed for.
    expected: Option<DisconnectReason>,
}

impl Application {
    /// The session has just ended, for this reason.
    pub(super) fn expect_reason(&mut self, reason: DisconnectReason) {
        assert!(self.expected.is_none_or(|before| before == reason), "it ended before");
        self.expected = Some(reason);
    }

    pub(super) fn take(&mut self, event: Event) {
        assert_eq!(self.closed, None, "{event:?} after the last event");
        match event {
            Event::ConnectRequested(request) => {
                assert!(self.sockets.insert(request.socket, Phase::Requested).is_none());
                self.keys.push(request.socket);
                if let Some(auth) = request.packet.into_raw() {
                    assert!(auth.as_str().starts_with('{'));
                }
            }
            Event::Received(received) => {
                assert_eq!(self.phase(received.socket), Phase::Connected);
                assert_eq!(received.packet.attachments as usize, received.attachments.len());
                self.asked.extend(received.ack().map(|ack| (received.socket, ack)));
                let args = received.packet.into_args(received.attachments);
                assert_eq!(args.iter().count(), args.len());
                let _may_be_unfit_for_rust = args.decode::<Value>();
            }
            Event::Disconnected(disconnected) => {
                assert_eq!(self.phase(disconnected.socket), Phase::Connected);
                self.sockets.insert(disconnected.socket, Phase::Ended);
            }
            Event::Violation(_) => {}
            Event::Closed(reason) => {
                self.closed = Some(reason);
                assert!(self.expected.is_none_or(|expected| expected == reason), "{reason}");
                let connected = self.sockets.values().filter(|phase| **phase == Phase::Connected);
                assert_eq!(connected.count(), 0, "sockets end before their session");
            }
            Event::NamespaceRequested(_) => panic!("namespaces are not dynamic"),
            other @ (Event::RateExceeded(_) | _) => panic!("{other:?} is new"),
        }
    }

    pub(super) fn resolve(&mut self, outcome: &AckOutcome) {
        assert_eq!(self.owed.remove(&outcome.id), Some(outcome.socket), "once, if asked for");
    }

    pub(super) fn finish(&self) {
        assert!(self.closed.is_some(), "the session has ended");
        assert!(self.owed.is_empty(), "every acknowledgement has an outcome");
    }

    /// Does something, with any socket there ever was.
    pub(super) fn command(
        &mut self,
        server: &mut Server,
        now: Timestamp,
        choices: &mut Choices<'_>,
    ) {
        let newest = self.keys.len().saturating_sub(choices.index(3) + 1);
        let Some(key) = self.keys.get(newest).copied() else { return };
        match choices.index(10) {
            0 => self.accept(server, key),
            1 => self.emit(server, key, choices),
            2 => self.emit_with_ack(server, key, now, choices),
            3 => self.acknowledge(server),
            4 => self.broadcast(server, choices),
            5 => {
                let room = *choices.pick(&ROOMS);
                if let Some(mut socket) = server.socket(key) {
                    let joined = socket.join(room);
                    assert!(!joined || socket.rooms().any(|joined| **joined == *room));
                }
            }
            6 => {
                let room = *choices.pick(&ROOMS);
                if let Some(mut socket) = server.socket(key) {
                    let was_in = socket.rooms().any(|joined| **joined == *room);
                    assert_eq!(socket.leave(room), was_in);
                    assert!(!socket.rooms().any(|joined| **joined == *room));
                }
            }
            7 => self.reject(server, key),
            8 => {
                if let Some(socket) = server.socket(key) {
                    socket.disconnect(&Message::disconnect("/"));
                    assert!(server.socket(key).is_none());
                }
            }
            _ if choices.chance(64) => {
                if let Some(socket) = server.socket(key) {
                    socket.close_connection(now);
                    assert!(server.socket(key).is_none());
                }
            }
            _ => {}
        }
    }

    fn phase(&self, key: SocketKey) -> Phase {
        *self.sockets.get(&key).expect("it was requested")
    }

    fn accept(&mut self, server: &mut Server, key: SocketKey) {
        if server.accept_socket(key, &Message::connect("/", "id", None)).is_ok() {
            assert_eq!(self.phase(key), Phase::Requested);
            self.sockets.insert(key, Phase::Connected);
        }
    }

    fn reject(&mut self, server: &mut Server, key: SocketKey) {
        let refusal = Message::connect_error(&mut self.encoder, "/", "no", None::<&()>);
        if server.reject_socket(key, &refusal.expect("no value")).is_ok() {
            assert_eq!(self.phase(key), Phase::Requested);
            self.sockets.insert(key, Phase::Ended);
        }
    }

    fn emit(&mut self, server: &mut Server, key: SocketKey, choices: &mut Choices<'_>) {
        let filler = "x".repeat(choices.index(200));
        let data = choices.chance(64).then(|| Bytes::from_static(b"data"));
        let args = (self.emitted, filler, data);
        let message = Message::event(&mut self.encoder, "/", "numbered", &args, None);
        let message = message.expect("all of it has a form in JSON");
        assert!(message.websocket_bytes() <= MESSAGE_BYTES_MAX);
        let delivery = if choices.chance(64) { Delivery::Volatile } else { Delivery::Reliable };
        let Some(mut socket) = server.socket(key) else { return };
        if socket.emit(message, delivery).is_ok() {
            self.emitted += 1;
        }
    }

    fn emit_with_ack(
        &mut self,
        server: &mut Server,
        key: SocketKey,
        now: Timestamp,
        choices: &mut Choices<'_>,
    ) {
        let ack = AckId::new(self.next_ack).expect("it is small");
        let deadline = now + Duration::from_millis(choices.number(0..=10_000));
        let message = Message::event(&mut self.encoder, "/", "numbered", &self.emitted, Some(ack));
        let message = message.expect("a number");
        let Some(mut socket) = server.socket(key) else { return };
        if socket.emit_with_ack(message, Delivery::Reliable, ack, deadline).is_ok() {
            self.emitted += 1;
            self.next_ack += 1;
            assert!(self.owed.insert(ack, key).is_none());
        }
    }

    fn acknowledge(&mut self, server: &mut Server) {
        let Some((key, ack)) = self.asked.pop() else { return };
        let message = Message::ack(&mut self.encoder, "/", ack, &(1, "two")).expect("it is JSON");
        if let Some(mut socket) = server.socket(key) {
            let _may_be_full = socket.acknowledge(message);
        }
    }

    fn broadcast(&mut self, server: &mut Server, choices: &mut Choices<'_>) {
        let namespace = server.create_namespace("/");
        let room: &str = ROOMS[choices.index(ROOMS.len())];
        let target = match choices.index(3) {
            0 => Target::everybody(),
            1 => Target::room(room),
            _ => Target::everybody().except(room),
        };
        let message = Message::event(&mut self.encoder, "/", "all", &(), None).expect("no value");
        let mut recipients = server.recipients(namespace, &target);
        while !recipients.is_done() {
            server.deliver(&mut recipients, &message, Delivery::Reliable, 1);
        }
        let matching = server.matching(namespace, &target);
        assert!(matching.iter().all(|key| server.socket(*key).is_some()));
    }
}
