//! Random lives of a few clients, an application that makes mistakes, and a driver that keeps to
//! its side of the contract.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;

use super::super::{Server, Standing, Stats};
use super::pair::check;
use crate::codec::message::{Encoder, Message};
use crate::codec::{engine, payload};
use crate::{
    AckId, Config, ConnectionKey, Delivery, Event, Excess, NamespaceRequestKey, Output, PollKey,
    PostKey, Rate, RateLimit, SocketKey, Target, Timestamp, TransportKey,
};

/// What no honest client says, or not now.
const NONSENSE: [&str; 16] = [
    "40",
    "40/a,",
    "40/nope,",
    "41",
    "41/a,",
    r#"42["x"]"#,
    r#"42/a,["x"]"#,
    r#"451-["x"]"#,
    "bAQ==",
    "2probe",
    "5",
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
    requests: Vec<NamespaceRequestKey>,
    phases: BTreeMap<SocketKey, (usize, Phase)>,
    next_ack: u64,
    /// How many outcomes of each acknowledgement are still to come.
    owed: BTreeMap<u64, usize>,
    trace: Vec<String>,
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        cases: 200,
        ..ProptestConfig::default()
    })]

    #[test]
    fn nothing_breaks_and_nothing_is_left(
        steps in proptest::collection::vec(any::<Step>(), 0..1000)
    ) {
        let trace = run(&steps, Rates::default());
        let again = run(&steps, Rates::default());
        prop_assert_eq!(trace, again, "the same inputs give the same outputs");
    }

    #[test]
    fn nor_where_clients_have_rates(
        rates in (rate_limit(), rate_limit()),
        steps in proptest::collection::vec(any::<Step>(), 0..1000)
    ) {
        prop_assert_eq!(run(&steps, rates), run(&steps, rates));
    }
}

/// What a socket, and a connection, may send.
type Rates = (Option<RateLimit>, Option<RateLimit>);

fn rate_limit() -> impl Strategy<Value = Option<RateLimit>> {
    let excess = prop::sample::select(alloc::vec![Excess::Drop, Excess::Delay, Excess::Disconnect]);
    let limit = (1..20_u32, 1..5_u32, 1..100_u32, any::<bool>(), excess).prop_map(
        |(per_second, burst, bytes, has_bytes, excess)| {
            let limit = RateLimit::new().events(Rate::per_second(per_second).burst(burst));
            let rate = Rate::per_second(bytes).burst(50);
            let limit = if has_bytes { limit.bytes(rate) } else { limit };
            limit.excess(excess)
        },
    );
    prop::option::of(limit)
}

fn run(steps: &[Step], rates: Rates) -> Vec<String> {
    let mut world = World::new(rates);
    for step in steps {
        world.step(*step);
        check(&world.server);
        world.check_limits();
    }
    world.finish();
    world.trace
}

impl World {
    fn new((socket_rate, connection_rate): Rates) -> Self {
        let mut config = Config { socket_rate, connection_rate, ..Config::default() };
        config.limits.sessions = 3;
        config.limits.outbox_bytes = 300;
        config.limits.pending_acks = 3;
        config.limits.rooms = 2;
        config.limits.attachments_timeout = Duration::from_millis(5_000);
        let mut server = Server::new(config, [3; 32]);
        server.create_namespace("/a");
        server.set_dynamic_namespaces(true);
        Self {
            server,
            now: Timestamp::ZERO,
            encoder: Encoder::new(),
            clients: Vec::new(),
            sockets: Vec::new(),
            requests: Vec::new(),
            phases: BTreeMap::new(),
            next_ack: 1,
            owed: BTreeMap::new(),
            trace: Vec::new(),
        }
    }

    fn step(&mut self, (kind, who, how, what): Step) {
        let live = (0..self.clients.len()).rev().filter(|index| !self.clients[*index].closed);
        let live: Vec<_> = live.take(3).collect();
        let client = pick(&live, who);
        // The latest sockets are the most interesting, and older ones are stale keys.
        let socket = self.sockets.iter().rev().nth(usize::from(who) % 4).copied();
        match kind % 32 {
            0 if live.len() < 3 => self.open(how),
            1..=14 => {
                if let Some(client) = client {
                    self.network(kind % 32, client, how, what);
                }
            }
            15 | 16 => {
                if let Some(client) = client {
                    self.take_events(client, usize::from(how % 4) + 1);
                    self.take_acks(client);
                }
            }
            17..=26 => {
                if let Some(socket) = socket {
                    self.command(kind % 32, socket, how, what);
                }
            }
            27 | 28 => self.broadcast(how, what),
            29 => self.advance(u64::from(how) * 40),
            30 if how > 254 => self.server.shut_down(self.now),
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
        match kind {
            1 | 2 => {
                if (client.poll.is_none() || how > 253)
                    && let Ok(poll) = server.begin_poll(key)
                {
                    assert!(client.poll.replace(poll).is_none(), "overlap");
                }
            }
            3 | 4 => self.take_poll(index),
            5 if how > 250 => {
                if let Some(poll) = client.poll.take() {
                    server.handle_poll_aborted(key, poll);
                }
            }
            5 => {
                if client.posts.is_empty() || how > 245 {
                    client.posts.extend(server.begin_post(key).ok());
                }
            }
            6 => {
                let Some(post) = client.posts.pop() else { return };
                match how {
                    0..5 => server.handle_post_aborted(key, post),
                    5..40 => server.handle_post_rejected(key, post),
                    40.. => self.post(index, post, how, what),
                }
            }
            7 | 8 => {
                if let Some(transport) = server.begin_upgrade(now, key) {
                    client.open.push(transport);
                    client.transports.push(transport);
                } else if let Some(transport) = client.transports.last().copied() {
                    let packet = if how < 128 { "2probe" } else { "5" };
                    if server.connections.get(key).is_some_and(|c| c.session.is_polling()) {
                        self.send(index, transport, packet);
                    }
                }
            }
            9 | 10 => self.take_output(index, how, what),
            11 if how > 253 => {
                client.open.clear();
                server.abandon(key);
            }
            11 if how > 245 => self.close_websocket(index, usize::from(what), how > 250),
            12 if how > 240 => {
                if let Some(transport) = pick(&client.transports, how) {
                    self.send(index, transport, NONSENSE[usize::from(what % 16)]);
                }
            }
            _ => self.speak(index, how, what),
        }
    }

    /// The client says something sensible.
    fn speak(&mut self, index: usize, how: u8, what: u8) {
        let key = self.clients[index].key;
        let Some(connection) = self.server.connections.get(key) else { return };
        if !connection.session.is_polling() {
            let transport = self.clients[index].transports.last().copied();
            for packet in self.sensible(index, what) {
                self.send(index, transport.expect("it is on one"), &packet);
            }
        } else if self.clients[index].posts.is_empty()
            && let Ok(post) = self.server.begin_post(key)
        {
            self.post(index, post, how, what);
        }
    }

    fn sensible(&self, index: usize, what: u8) -> Vec<String> {
        let namespace = if what.is_multiple_of(4) { "/a," } else { "" };
        let name = if namespace.is_empty() { "/" } else { "/a" };
        let connection = &self.server.connections[self.clients[index].key];
        let standing = connection.sockets.iter().find_map(|socket| {
            let socket = &self.server.sockets[*socket];
            let found = self.server.namespace_name(socket.namespace) == Some(name);
            found.then_some(socket.standing)
        });
        match (standing, what / 4) {
            (None, _) => [format!("40{namespace}")].to_vec(),
            (Some(Standing::Pending), _) => ["3".to_string()].to_vec(),
            (Some(_), 0..2) => [format!("41{namespace}")].to_vec(),
            (Some(_), 2..12) => [format!(r#"42{namespace}["x"]"#)].to_vec(),
            (Some(_), 12..20) => {
                let header = r#"["x",{"_placeholder":true,"num":0}]"#;
                [format!("451-{namespace}{header}"), "bAQ==".to_string()].to_vec()
            }
            (Some(_), 20..40) => {
                let ack = self.next_ack.saturating_sub(1 + u64::from(what % 3));
                [format!("43{namespace}{ack}[1]")].to_vec()
            }
            (Some(_), _) => ["3".to_string()].to_vec(),
        }
    }

    fn send(&mut self, index: usize, transport: TransportKey, packet: &str) {
        let packet = Bytes::from(packet.to_string());
        let packet = engine::decode_text(packet, &self.server.config().limits);
        self.server.handle_packet(self.now, self.clients[index].key, transport, packet);
    }

    fn post(&mut self, index: usize, post: PostKey, how: u8, what: u8) {
        let key = self.clients[index].key;
        let mut packets = match self.server.connections.contains_key(key) {
            true => self.sensible(index, what),
            false => Vec::new(),
        };
        if how > 245 {
            packets.push(NONSENSE[usize::from(what % 16)].to_string());
        }
        let limits = self.server.config().limits.clone();
        let packets = payload::decode(Bytes::from(packets.join("\u{1e}")), &limits);
        let _gone = self.server.handle_post(self.now, key, post, packets);
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
        let open = &self.clients[index].open;
        let last = open.last().copied().filter(|_| what > 40);
        let Some(transport) = last.or_else(|| pick(open, what)) else { return };
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
        match kind {
            17..=19 => self.decide(key, how),
            20 | 21 => self.emit(key, how),
            22 | 23 => {
                let now = self.now;
                let Some(mut socket) = self.server.socket(key) else { return };
                match how {
                    0..160 => _ = socket.join(room),
                    160..240 => _ = socket.leave(room),
                    240..246 => socket.disconnect(&Message::disconnect("/")),
                    246..248 => socket.close_connection(now),
                    248.. => {
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
        if let Some(request) = self.requests.pop() {
            let namespace = (how < 128).then(|| self.server.create_namespace("/nope"));
            let _ = self.server.answer_namespace_request(request, namespace);
        } else if let Some(namespace) = self.server.namespace_names.get("/nope").copied()
            && self.server.unlist_namespace(namespace)
        {
            self.server.remove_namespace(namespace);
        }
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
        if socket.emit(message, delivery).is_ok() {
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
        if socket.emit_with_ack(message, Delivery::Reliable, ack, deadline).is_ok() {
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
                Event::NamespaceRequested(request) => self.requests.push(request.key),
                Event::Received(received) => self.expect(received.socket, Phase::Accepted),
                Event::Disconnected(disconnected) => {
                    self.expect(disconnected.socket, Phase::Accepted);
                    self.phases.insert(disconnected.socket, (index, Phase::Ended));
                }
                Event::RateExceeded(_) | Event::Violation(_) => {}
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
        assert!(stats.sessions <= 3);
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
