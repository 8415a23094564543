//! The application of a client, which checks that what it is told makes sense.

use std::collections::BTreeMap;
use std::time::Duration;

use sansocket_core::client::{AckToken, Auth, Event, Manager};
use sansocket_core::{AckId, Delivery, Encoder, Message, SocketKey, Timestamp};

use crate::choices::Choices;

const NAMES: [&str; 2] = ["/", "/a"];

pub(super) struct Application {
    sockets: [SocketKey; 2],
    is_open: bool,
    is_connected: [bool; 2],
    /// Acknowledgements that are asked for, and of which nothing was told yet: how many of each id.
    asked: BTreeMap<(usize, u64), usize>,
    /// Events that ask for an answer and have none.
    to_answer: Vec<(usize, AckToken)>,
    trace: Vec<String>,
}

impl Application {
    pub(super) fn new(sockets: [SocketKey; 2]) -> Self {
        Self {
            sockets,
            is_open: false,
            is_connected: [false; 2],
            asked: BTreeMap::new(),
            to_answer: Vec::new(),
            trace: Vec::new(),
        }
    }

    pub(super) fn connect(&self, manager: &mut Manager, now: Timestamp, which: usize) {
        manager.socket(self.sockets[which]).expect("it is there").connect(now);
    }

    pub(super) fn command(
        &mut self,
        manager: &mut Manager,
        now: Timestamp,
        choices: &mut Choices<'_>,
    ) {
        let which = choices.index(2);
        let key = self.sockets[which];
        let mut socket = manager.socket(key).expect("it is there");
        let number = choices.number(0..=3);
        let id = AckId::new(number).expect("small");
        let event = |ack| {
            let text = "x".repeat(usize::from(number == 3) * 90);
            Message::event(&mut Encoder::new(), NAMES[which], "e", &text, ack).expect("it encodes")
        };
        let taken = match choices.weighted(&[4, 4, 3, 2, 3, 2, 1]) {
            0 => return socket.connect(now),
            1 => socket.emit(now, event(None), Delivery::Reliable).map(|()| false),
            2 => {
                let deadline = choices.chance(128).then(|| now + Duration::from_millis(300));
                let delivery =
                    if choices.chance(32) { Delivery::Volatile } else { Delivery::Reliable };
                socket.emit_with_ack(now, event(Some(id)), delivery, id, deadline).map(|()| true)
            }
            3 => socket.emit_at_least_once(now, event(Some(id)), id).map(|()| true),
            4 => {
                let Some((of, token)) = self.to_answer.pop() else { return };
                let mut socket = manager.socket(self.sockets[of]).expect("it is there");
                let answer = Message::ack(&mut Encoder::new(), NAMES[of], token.id(), &1);
                socket.acknowledge(now, token, answer.expect("it encodes")).map(|()| false)
            }
            5 => socket.emit(now, event(None), Delivery::Volatile).map(|()| false),
            _ => return socket.disconnect(now),
        };
        self.trace.push(format!("{taken:?}"));
        if taken == Ok(true) {
            *self.asked.entry((which, number)).or_default() += 1;
        }
    }

    /// Takes up to `count` events, and whatever was acknowledged.
    pub(super) fn take(&mut self, manager: &mut Manager, count: usize) {
        while let Some(outcome) = manager.poll_ack() {
            self.trace.push(format!("{outcome:?}"));
            let asked = self.asked.get_mut(&(self.index(outcome.socket), outcome.id.get()));
            let asked = asked.filter(|count| **count > 0);
            *asked.unwrap_or_else(|| panic!("nobody has asked: {outcome:?}")) -= 1;
        }
        for _ in 0..count {
            let Some(event) = manager.poll_event() else { return };
            self.trace.push(format!("{event:?}"));
            self.hear(manager, event);
        }
    }

    fn hear(&mut self, manager: &mut Manager, event: Event) {
        match event {
            Event::Opened => assert!(!std::mem::replace(&mut self.is_open, true), "open already"),
            Event::Upgraded => assert!(self.is_open, "upgraded, but not open"),
            Event::Closed(_) => assert!(std::mem::take(&mut self.is_open), "closed, but not open"),
            Event::Reconnected { attempts } => assert!(self.is_open && attempts > 0),
            Event::ReconnectAttempt { attempt } => assert!(!self.is_open && attempt > 0),
            Event::ReconnectError(_) | Event::ReconnectFailed => assert!(!self.is_open),
            Event::AuthRequested(request) => {
                let auth = Auth::encode(&BTreeMap::from([("token", 1)])).expect("an object");
                // The connect may be over by now.
                if let Some(mut socket) = manager.socket(request.socket) {
                    let _gone = socket.authenticate(&request, &auth);
                }
            }
            Event::Connected(connected) => {
                let which = self.index(connected.socket);
                assert!(self.is_open, "connected, but not open");
                assert!(!std::mem::replace(&mut self.is_connected[which], true), "connected twice");
            }
            Event::ConnectError { socket, .. } => {
                assert!(!self.is_connected[self.index(socket)], "refused, but connected");
            }
            Event::Disconnected { socket, .. } => {
                let which = self.index(socket);
                assert!(std::mem::take(&mut self.is_connected[which]), "disconnected twice");
            }
            Event::Received(received) => {
                let which = self.index(received.socket);
                assert!(self.is_connected[which], "an event for who is not connected");
                let _checked = received.packet.into_args(received.attachments).iter().count();
                self.to_answer.extend(received.ack.map(|token| (which, token)));
            }
            Event::Discarded { .. } => {}
            // The core may tell more in a later version.
            _ => {}
        }
    }

    /// Removes the namespaces; then nothing may be left that was asked for.
    pub(super) fn leave(&mut self, manager: &mut Manager, now: Timestamp) {
        for socket in self.sockets {
            manager.socket(socket).expect("it is there").remove(now);
        }
        self.take(manager, usize::MAX);
        assert!(self.asked.values().all(|count| *count == 0), "never told: {:?}", self.asked);
        assert_eq!((self.is_open, self.is_connected), (false, [false; 2]));
    }

    /// Whether any namespace is connected, by now.
    pub(super) fn is_connected_now(&self, manager: &mut Manager) -> bool {
        let mut sockets = self.sockets.iter();
        sockets.any(|key| manager.socket(*key).is_some_and(|socket| socket.is_connected()))
    }

    pub(super) fn into_trace(self) -> Vec<String> {
        self.trace
    }

    fn index(&self, socket: SocketKey) -> usize {
        self.sockets.iter().position(|key| *key == socket).expect("one of ours")
    }
}
