//! Random lives of a few clients, an application that makes mistakes, and a driver that keeps to
//! its side of the contract.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;

use super::super::{Server, Stats};
use super::pair::check;
use crate::codec::message::{Encoder, Message};
use crate::codec::{engine, payload};
use crate::{
    AckId, Config, ConnectionKey, Delivery, Event, Output, PollKey, PostKey, SocketKey, Target,
    Timestamp, TransportKey,
};

/// What clients say; the sensible things more often, so that some of them live long.
const PACKETS: [&str; 32] = [
    "40",
    "40",
    "40/a,",
    "40/a,",
    "40/nope,",
    "41",
    "41/a,",
    r#"42["x"]"#,
    r#"42["x"]"#,
    r#"421["x",2]"#,
    r#"42/a,["x"]"#,
    r#"42/a,["x"]"#,
    r#"451-["x",{"_placeholder":true,"num":0}]"#,
    "bAQ==",
    "431[]",
    "43/a,2[1]",
    "2probe",
    "2probe",
    "5",
    "5",
    "3",
    "3",
    "6",
    "6",
    "0",
    "6",
    "3",
    "1",
    "2",
    "x",
    "4",
    r#"44"a""#,
];

const ROOMS: [&str; 3] = ["r", "s", "t"];

/// One step: what is done, and three numbers that say to whom and how.
type Step = (u8, u8, u8, u8);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Requested,
    Accepted,
    Ended,
}

struct Client {
    key: ConnectionKey,
    poll: Option<PollKey>,
    posts: Vec<PostKey>,
    /// WebSockets that were not reported as closed, and all there ever were.
    open: Vec<TransportKey>,
    transports: Vec<TransportKey>,
    /// Numbers of the messages that were queued for it, and of those that it received.
    queued: u32,
    received: u32,
    closed: bool,
}

struct World {
    server: Server,
    now: Timestamp,
    encoder: Encoder,
    clients: Vec<Client>,
    sockets: Vec<SocketKey>,
    phases: BTreeMap<SocketKey, (usize, Phase)>,
    next_ack: u64,
    /// How many outcomes of each acknowledgement are still to come.
    owed: BTreeMap<u64, usize>,
    trace: Vec<String>,
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        cases: 400,
        ..ProptestConfig::default()
    })]

    #[test]
    fn nothing_breaks_and_nothing_is_left(
        steps in proptest::collection::vec(any::<Step>(), 0..300)
    ) {
        let trace = run(&steps);
        prop_assert_eq!(trace, run(&steps), "the same inputs give the same outputs");
    }
}

fn run(steps: &[Step]) -> Vec<String> {
    let mut world = World::new();
    for step in steps {
        world.step(*step);
        check(&world.server);
        world.check_limits();
    }
    world.finish();
    world.trace
}

impl World {
    fn new() -> Self {
        let mut config = Config::default();
        config.limits.sessions = 4;
        config.limits.outbox_bytes = 300;
        config.limits.pending_acks = 3;
        config.limits.rooms = 2;
        config.limits.attachments_timeout = Duration::from_millis(5_000);
        let mut server = Server::new(config, [3; 32]);
        server.create_namespace("/a");
        Self {
            server,
            now: Timestamp::ZERO,
            encoder: Encoder::new(),
            clients: Vec::new(),
            sockets: Vec::new(),
            phases: BTreeMap::new(),
            next_ack: 1,
            owed: BTreeMap::new(),
            trace: Vec::new(),
        }
    }

    fn step(&mut self, (kind, who, how, what): Step) {
        let client = usize::from(who) % self.clients.len().max(1);
        // The latest sockets are the most interesting, and older ones are stale keys.
        let socket = self.sockets.iter().rev().nth(usize::from(who) % 6).copied();
        match kind % 32 {
            0 | 1 if self.clients.len() < 8 => self.open(how),
            2..=12 => {
                if !self.clients.is_empty() {
                    self.network(kind, client, how, what);
                }
            }
            13..=15 if !self.clients.is_empty() => {
                self.take_events(client, usize::from(how % 4) + 1);
                self.take_acks(client);
            }
            16..=26 => {
                if let Some(socket) = socket {
                    self.command(kind, socket, how, what);
                }
            }
            27 | 28 => self.broadcast(how, what),
            29 | 30 => self.advance(u64::from(how) * 40),
            31 if how > 250 => self.server.shut_down(self.now),
            _ => while self.server.poll_dirty().is_some() {},
        }
    }

    fn open(&mut self, how: u8) {
        let (key, transport) = if how.is_multiple_of(2) {
            let Ok(opened) = self.server.open_polling(self.now) else { return };
            (opened.connection, None)
        } else {
            let Ok((opened, key)) = self.server.open_websocket(self.now) else { return };
            (opened.connection, Some(key))
        };
        self.clients.push(Client {
            key,
            poll: None,
            posts: Vec::new(),
            open: transport.into_iter().collect(),
            transports: transport.into_iter().collect(),
            queued: 0,
            received: 0,
            closed: false,
        });
    }

    fn network(&mut self, kind: u8, index: usize, how: u8, what: u8) {
        let now = self.now;
        let server = &mut self.server;
        let client = &mut self.clients[index];
        let key = client.key;
        match kind % 32 {
            2 => {
                if let Ok(poll) = server.begin_poll(key) {
                    assert!(client.poll.replace(poll).is_none(), "overlap");
                }
            }
            3 => self.take_poll(index),
            4 if how > 200 => {
                if let Some(poll) = client.poll.take() {
                    server.handle_poll_aborted(key, poll);
                }
            }
            5 if how > 100 => client.posts.extend(server.begin_post(key).ok()),
            6 => {
                let Some(post) = client.posts.pop() else { return };
                match how {
                    0..20 => server.handle_post_aborted(key, post),
                    20..40 => server.handle_post_rejected(key, post),
                    40.. => self.post(index, post, how, what),
                }
            }
            7 if how > 250 => client.posts.extend(server.begin_post(key).ok()),
            8 => {
                if let Some(transport) = server.begin_upgrade(now, key) {
                    client.open.push(transport);
                    client.transports.push(transport);
                }
            }
            9 | 10 => {
                if let Some(transport) = pick(&client.transports, how) {
                    let packet = engine::decode_text(packet(what), &server.config().limits);
                    server.handle_packet(now, key, transport, packet);
                }
            }
            11 => self.take_output(index, how, what),
            _ if how > 220 => self.close_websocket(index, usize::from(what), how > 240),
            _ => self.post_at_once(index, how, what),
        }
    }

    fn post_at_once(&mut self, index: usize, how: u8, what: u8) {
        let key = self.clients[index].key;
        if self.clients[index].posts.is_empty()
            && let Ok(post) = self.server.begin_post(key)
        {
            self.post(index, post, how, what);
        }
    }

    fn post(&mut self, index: usize, post: PostKey, how: u8, what: u8) {
        let mut body = packet(what).to_vec();
        if how > 128 {
            body.push(0x1e);
            body.extend_from_slice(&packet(how));
        }
        let limits = self.server.config().limits.clone();
        let packets = payload::decode(Bytes::from(body), &limits);
        let _gone = self.server.handle_post(self.now, self.clients[index].key, post, packets);
    }

    fn take_poll(&mut self, index: usize) {
        let client = &mut self.clients[index];
        let Some(poll) = client.poll else { return };
        let Some(response) = self.server.take_poll_response(client.key, poll) else { return };
        client.poll = None;
        let body = String::from_utf8(response.into_body().to_vec()).expect("text");
        assert!(!body.is_empty());
        for packet in body.split('\u{1e}') {
            self.receive(index, packet);
        }
    }

    fn take_output(&mut self, index: usize, how: u8, what: u8) {
        let key = self.clients[index].key;
        let Some(transport) = pick(&self.clients[index].open, what) else { return };
        for _ in 0..=how % 8 {
            match self.server.poll_output(key, transport) {
                Some(Output::Message(message)) => {
                    let packet = String::from_utf8(message.frames()[0].packet().to_vec());
                    self.receive(index, &packet.expect("text"));
                }
                Some(Output::Close) => {
                    let client = &mut self.clients[index];
                    client.open.retain(|open| *open != transport);
                    self.server.handle_websocket_closed(key, transport, true);
                    return;
                }
                None => return,
            }
        }
    }

    /// Whatever was queued arrives in order, each message once and without a gap.
    fn receive(&mut self, index: usize, packet: &str) {
        let client = &mut self.clients[index];
        if let Some((_, number)) = packet.split_once("[\"n\",") {
            assert_eq!(number, format!("{}]", client.received));
            client.received += 1;
        }
        self.trace.push(packet.to_string());
    }

    fn close_websocket(&mut self, index: usize, which: usize, clean: bool) {
        let client = &mut self.clients[index];
        if client.open.is_empty() {
            return;
        }
        let transport = client.open.swap_remove(which % client.open.len());
        self.server.handle_websocket_closed(client.key, transport, clean);
    }

    fn command(&mut self, kind: u8, key: SocketKey, how: u8, what: u8) {
        let room = ROOMS[usize::from(what) % ROOMS.len()];
        match kind % 32 {
            16..=19 => self.decide(key, how),
            20 | 21 => self.emit(key, how),
            22 | 23 => {
                let now = self.now;
                let Some(mut socket) = self.server.socket(key) else { return };
                match how {
                    0..120 => _ = socket.join(room),
                    120..200 => _ = socket.leave(room),
                    200..230 => socket.disconnect(&Message::disconnect("/")),
                    230..240 => socket.close_connection(now),
                    240.. => {
                        let Some(id) = socket.id() else { return };
                        if what.is_multiple_of(2) {
                            socket.join(id.as_str());
                        } else {
                            socket.leave(id.as_str());
                        }
                    }
                }
            }
            _ => self.emit_with_ack(key, how),
        }
    }

    fn decide(&mut self, key: SocketKey, how: u8) {
        let message = Message::connect("/", "x", None);
        let (_, phase) = self.phases.get_mut(&key).expect("it was requested");
        if how < 200 {
            if self.server.accept_socket(key, &message).is_ok() {
                assert_eq!(*phase, Phase::Requested);
                *phase = Phase::Accepted;
            }
        } else if self.server.reject_socket(key, &message).is_ok() {
            assert_eq!(*phase, Phase::Requested);
            *phase = Phase::Ended;
        }
    }

    fn emit(&mut self, key: SocketKey, how: u8) {
        let (index, phase) = self.phases[&key];
        let number = self.clients[index].queued;
        let message = Message::event(&mut self.encoder, "/", "n", &number, None).expect("a number");
        let delivery = if how > 200 { Delivery::Volatile } else { Delivery::Reliable };
        let Some(mut socket) = self.server.socket(key) else { return };
        assert_eq!(phase, Phase::Accepted);
        if socket.emit(&message, delivery).is_ok() {
            self.clients[index].queued += 1;
        }
    }

    fn emit_with_ack(&mut self, key: SocketKey, how: u8) {
        let (index, number) = (self.phases[&key].0, self.next_ack);
        let ack = AckId::new(number).expect("small");
        let sequence = self.clients[index].queued;
        let message =
            Message::event(&mut self.encoder, "/", "n", &sequence, Some(ack)).expect("a number");
        let deadline = self.now + Duration::from_millis(u64::from(how) * 20);
        let Some(mut socket) = self.server.socket(key) else { return };
        if socket.emit_with_ack(&message, Delivery::Reliable, ack, deadline).is_ok() {
            self.clients[index].queued += 1;
            self.next_ack += 1;
            self.owed.insert(number, 1);
        }
    }

    fn broadcast(&mut self, how: u8, what: u8) {
        let namespace =
            self.server.create_namespace(if how.is_multiple_of(4) { "/a" } else { "/" });
        let room = ROOMS[usize::from(what) % ROOMS.len()];
        let target = match what % 5 {
            0 => Target::room(room),
            1 => Target::room(room).to("r").except("s"),
            2 => Target::everybody().except(room),
            _ => Target::everybody(),
        };
        let mut recipients = self.server.recipients(namespace, &target);
        let number = self.next_ack;
        let ack = (how > 128).then(|| AckId::new(number).expect("small"));
        let message = Message::event(&mut self.encoder, "/", "all", &(), ack).expect("no value");
        while !recipients.is_done() {
            if let Some(ack) = ack {
                let deadline = self.now + Duration::from_millis(u64::from(what) * 20);
                self.server.deliver_with_ack(&mut recipients, &message, ack, deadline, 2);
            } else {
                let delivery =
                    if how.is_multiple_of(2) { Delivery::Reliable } else { Delivery::Volatile };
                self.server.deliver(&mut recipients, &message, delivery, 2);
            }
        }
        if ack.is_some() && recipients.report().queued > 0 {
            self.next_ack += 1;
            self.owed.insert(number, recipients.report().queued);
        }
        self.trace.push(format!("{:?}", recipients.report()));
    }

    fn advance(&mut self, millis: u64) {
        self.now = self.now + Duration::from_millis(millis);
        self.server.handle_timeout(self.now);
        assert!(self.server.poll_timeout().is_none_or(|next| next > self.now));
    }

    fn take_events(&mut self, index: usize, max: usize) {
        for _ in 0..max {
            let Some(event) = self.server.poll_event(self.clients[index].key) else { return };
            assert!(!self.clients[index].closed, "{event:?} after the last event");
            match event {
                Event::ConnectRequested(request) => {
                    self.sockets.push(request.socket);
                    let before = self.phases.insert(request.socket, (index, Phase::Requested));
                    assert!(before.is_none());
                }
                Event::Received(received) => self.expect(received.socket, Phase::Accepted),
                Event::Disconnected(disconnected) => {
                    self.expect(disconnected.socket, Phase::Accepted);
                    self.phases.insert(disconnected.socket, (index, Phase::Ended));
                }
                Event::Violation(_) => {}
                Event::Closed(_) => self.clients[index].closed = true,
            }
        }
    }

    fn expect(&self, socket: SocketKey, expected: Phase) {
        assert_eq!(self.phases[&socket].1, expected);
    }

    fn take_acks(&mut self, index: usize) {
        while let Some(outcome) = self.server.poll_ack(self.clients[index].key) {
            let owed = self.owed.get_mut(&outcome.id.get()).expect("it was asked for");
            *owed = owed.checked_sub(1).expect("each comes once");
            self.trace.push(format!("{} {:?}", outcome.id, outcome.result));
        }
    }

    /// What a peer or the application can make grow.
    fn check_limits(&self) {
        let stats = self.server.stats();
        assert!(stats.sessions <= 4);
        assert!(stats.timers <= 2 * stats.connections + 257);
        assert!(stats.pending_acks <= 3 * stats.connections);
        // One message may be alone past the limit, and a ping is never refused.
        assert!(stats.outbox_bytes <= (300 + 160) * stats.connections);
    }

    fn finish(&mut self) {
        for index in 0..self.clients.len() {
            self.take_poll(index);
            let client = &mut self.clients[index];
            if let Some(poll) = client.poll.take() {
                self.server.handle_poll_aborted(client.key, poll);
            }
            while let Some(post) = client.posts.pop() {
                self.server.handle_post_aborted(client.key, post);
            }
            while let Some(transport) = client.open.pop() {
                self.server.handle_websocket_closed(client.key, transport, true);
            }
            if let Ok(poll) = self.server.begin_poll(client.key) {
                self.server.handle_poll_aborted(client.key, poll);
            }
            self.take_events(index, usize::MAX);
            self.take_acks(index);
            assert!(self.clients[index].closed);
        }
        check(&self.server);
        while self.server.poll_dirty().is_some() {}
        assert_eq!(self.server.stats(), Stats::default());
        assert!(self.owed.values().all(|owed| *owed == 0), "every acknowledgement has an outcome");
        assert!(self.phases.values().all(|(_, phase)| *phase != Phase::Accepted));
    }
}

fn pick<T: Copy>(items: &[T], choice: u8) -> Option<T> {
    items.get(usize::from(choice).checked_rem(items.len())?).copied()
}

fn packet(choice: u8) -> Bytes {
    Bytes::from_static(PACKETS[usize::from(choice) % PACKETS.len()].as_bytes())
}
