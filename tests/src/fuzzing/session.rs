//! One session, from its opening to its last trace: whatever comes, in whichever order.
//!
//! The input is a script of [`Choices`]. Each step is something that a network, a client, a clock or
//! an application may do, sensible or not; the driver between them keeps to its side of the
//! contract. `Client` and `Application` check what they are told.

mod application;
mod client;

use std::time::Duration;

use bytes::Bytes;
use sansocket_core::codec::{engine, payload};
use sansocket_core::http::Route;
use sansocket_core::{
    Config, ConnectionKey, DisconnectReason, Event, News, Output, PollKey, PostKey, Server, Stats,
    Timestamp, TransportKey,
};

use self::application::Application;
use self::client::Client;
use crate::choices::Choices;

/// Packets that mean something in some state, the most useful first.
const PACKETS: [&str; 24] = [
    "40",
    r#"42["event",1]"#,
    r#"427["asks",{"a":[]}]"#,
    "3",
    "2probe",
    "5",
    "40/a,",
    r#"42/a,["event"]"#,
    "430[]",
    "431[1]",
    r#"451-["binary",{"_placeholder":true,"num":0}]"#,
    "bAQID",
    r#"461-2[{"_placeholder":true,"num":0}]"#,
    "41",
    "41/a,",
    "40/unknown,",
    r#"452-/a,3["binary",{"_placeholder":true,"num":1}]"#,
    "1",
    "2",
    "6",
    "0",
    "4",
    "x",
    r#"44"no""#,
];

/// Steps that an input may have: more would not reach more, but take longer.
const STEPS_MAX: usize = 400;

/// The bytes past its limit that an outbox may hold: one ping, which is never refused.
const PING_BYTES: usize = 3;

/// Plays the script, and again: the same inputs give the same outputs.
pub fn run(bytes: &[u8]) {
    let trace = play(bytes);
    assert_eq!(play(bytes), trace, "the second run differs from the first");
}

fn play(bytes: &[u8]) -> Vec<String> {
    let mut choices = Choices::new(bytes);
    let mut world = World::open(&mut choices);
    for _ in 0..STEPS_MAX {
        if choices.is_exhausted() {
            break;
        }
        world.step(&mut choices);
        world.check();
    }
    world.finish()
}

struct World {
    server: Server,
    now: Timestamp,
    connection: ConnectionKey,
    route: Route,
    client: Client,
    application: Application,
    poll: Option<PollKey>,
    posts: Vec<PostKey>,
    /// WebSockets that were not reported as closed, the newest last.
    websockets: Vec<TransportKey>,
    /// The session began on this WebSocket, so that it is current as long as it lives.
    only_websocket: Option<TransportKey>,
    trace: Vec<String>,
}

fn config(choices: &mut Choices<'_>) -> Config {
    let mut config = Config::default();
    if choices.chance(128) {
        config.limits.namespaces = 1;
        config.limits.rooms = 1;
        config.limits.pending_acks = 2;
        config.limits.attachments = 1;
        config.limits.max_payload = 60;
        config.limits.outbox_bytes = 200;
        config.limits.inbox_events = 3;
        config.limits.inbox_bytes = 100;
        config.limits.json_depth = 3;
        config.limits.payload_packets = 4;
    }
    config.limits.sessions = 1;
    config.allow_upgrades = !choices.chance(32);
    config
}

impl World {
    fn open(choices: &mut Choices<'_>) -> Self {
        let mut server = Server::new(config(choices), [5; 32]);
        server.create_namespace("/a");
        let now = Timestamp::ZERO;
        let (opened, websocket) = if choices.chance(128) {
            let (opened, websocket) = server.open_websocket(now).expect("the first session");
            (opened, Some(websocket))
        } else {
            (server.open_polling(now).expect("the first session"), None)
        };
        assert!(server.open_polling(now).is_err(), "past the limit of sessions");
        Self {
            client: Client::new(opened.sid),
            application: Application::default(),
            connection: opened.connection,
            route: Route::Poll(opened.sid),
            server,
            now,
            poll: None,
            posts: Vec::new(),
            websockets: websocket.into_iter().collect(),
            only_websocket: websocket,
            trace: Vec::new(),
        }
    }

    fn step(&mut self, choices: &mut Choices<'_>) {
        match choices.weighted(&[8, 6, 4, 4, 2, 1, 3, 6, 2, 1, 1, 1]) {
            0 => self.send(choices),
            1 => self.take_output(choices),
            2 => self.take_poll(),
            3 => self.take_events(choices.index(4) + 1),
            4 => self.pass_time(choices),
            5 => self.begin_poll(),
            6 => self.begin_upgrade(),
            7 => self.application.command(&mut self.server, self.now, choices),
            8 => self.begin_post(),
            9 => self.break_off(choices),
            10 => while self.server.poll_dirty().is_some() {},
            _ if choices.chance(32) => self.server.shut_down(self.now),
            _ => {}
        }
    }

    /// A packet, or several in a POST.
    fn send(&mut self, choices: &mut Choices<'_>) {
        // A driver stops reading when it is told to.
        if !self.server.wants_input(self.connection) {
            return self.take_events(1);
        }
        if let Some(post) = self.posts.pop() {
            let count = choices.index(6) + 1;
            let packets: Vec<Bytes> = (0..count).map(|_| packet(choices)).collect();
            let body = Bytes::from(packets.join(&0x1e));
            let limits = self.server.config().limits.clone();
            let packets = payload::decode(body, &limits);
            let gone = self.server.handle_post(self.now, self.connection, post, packets);
            self.trace.push(format!("{gone:?}"));
            return;
        }
        let newest = self.websockets.len().saturating_sub(choices.index(2) + 1);
        let Some(transport) = self.websockets.get(newest).copied() else {
            return self.begin_post();
        };
        let packet = packet(choices);
        let was_over = self.server.is_over(self.connection);
        let decoded = if choices.chance(64) {
            Ok(engine::decode_binary(packet.clone()))
        } else {
            engine::decode_text(packet.clone(), &self.server.config().limits)
        };
        let expected = reason_to_close(&decoded);
        self.server.handle_packet(self.now, self.connection, transport, decoded);
        if self.only_websocket == Some(transport) && !was_over {
            let is_over = self.server.is_over(self.connection);
            if let Some(reason) = expected {
                assert!(is_over, "{packet:?} ends the session");
                self.application.expect_reason(reason);
            }
        }
    }

    fn take_output(&mut self, choices: &mut Choices<'_>) {
        let index = self.websockets.len().saturating_sub(choices.index(2) + 1);
        let Some(transport) = self.websockets.get(index).copied() else { return };
        for _ in 0..=choices.index(4) {
            match self.server.poll_output(self.connection, transport) {
                Some(Output::Message(message)) => {
                    self.client.receive_message(&message);
                    self.trace.push(format!("{message:?}"));
                }
                Some(Output::Close) => return self.close_websocket(index, true),
                None => return,
            }
        }
    }

    fn close_websocket(&mut self, index: usize, clean: bool) {
        let transport = self.websockets.remove(index);
        self.server.handle_websocket_closed(self.connection, transport, clean);
        let output = self.server.poll_output(self.connection, transport);
        assert!(!matches!(output, Some(Output::Message(_))), "{output:?} after its end");
        if self.only_websocket == Some(transport) {
            assert!(self.server.is_over(self.connection));
        }
    }

    fn begin_poll(&mut self) {
        let found = self.server.find(&self.route);
        let overlaps = self.poll.is_some();
        match self.server.begin_poll(self.connection) {
            Ok(poll) => {
                assert!(!overlaps && found == Ok(self.connection));
                self.poll = Some(poll);
            }
            Err(refusal) => {
                assert!(overlaps || found.err() == Some(refusal), "{refusal:?}");
                self.trace.push(format!("{refusal:?}"));
            }
        }
    }

    fn take_poll(&mut self) {
        let Some(poll) = self.poll else { return self.begin_poll() };
        let is_ready = self.server.wants(self.connection).poll;
        let response = self.server.take_poll_response(self.connection, poll);
        assert_eq!(response.is_some(), is_ready);
        if let Some(response) = response {
            self.poll = None;
            let body = response.into_body();
            self.client.receive_body(&body);
            self.trace.push(format!("{body:?}"));
        }
    }

    fn begin_post(&mut self) {
        let overlaps = !self.posts.is_empty();
        if let Ok(post) = self.server.begin_post(self.connection) {
            assert!(!overlaps);
            self.posts.push(post);
        } else if overlaps {
            assert!(self.server.is_over(self.connection) || self.server.find(&self.route).is_err());
        }
    }

    fn begin_upgrade(&mut self) {
        let transport = self.server.begin_upgrade(self.now, self.connection);
        assert!(transport.is_none() || self.server.config().allow_upgrades);
        self.websockets.extend(transport);
    }

    /// What no peer announces.
    fn break_off(&mut self, choices: &mut Choices<'_>) {
        match choices.index(5) {
            0 if !self.websockets.is_empty() => {
                let index = choices.index(self.websockets.len());
                self.close_websocket(index, choices.chance(128));
            }
            1 => {
                if let Some(poll) = self.poll.take() {
                    self.server.handle_poll_aborted(self.connection, poll);
                }
            }
            2 => {
                if let Some(post) = self.posts.pop() {
                    self.server.handle_post_aborted(self.connection, post);
                }
            }
            3 => {
                if let Some(post) = self.posts.pop() {
                    self.server.handle_post_rejected(self.connection, post);
                }
            }
            _ if choices.chance(64) => {
                self.websockets.clear();
                self.server.abandon(self.connection);
                assert!(self.server.is_over(self.connection));
            }
            _ => {}
        }
    }

    fn pass_time(&mut self, choices: &mut Choices<'_>) {
        match choices.index(6) {
            // As a driver does it, as well as it can.
            0 => self.now = self.server.poll_timeout().unwrap_or(self.now).max(self.now),
            1 => {}
            2 => self.now = self.now + Duration::from_millis(choices.number(0..=300)),
            3 => self.now = self.now + Duration::from_millis(choices.number(0..=65_535)),
            4 => self.now = self.now + Duration::from_micros(1),
            // A clock that runs backwards is one that stands still.
            _ => {
                let before = Timestamp::from_micros(self.now.as_micros() / 2);
                return self.server.handle_timeout(before);
            }
        }
        self.server.handle_timeout(self.now);
        let next = self.server.poll_timeout();
        assert!(next.is_none_or(|next| next > self.now), "{next:?} at {}", self.now);
    }

    fn take_events(&mut self, count: usize) {
        for _ in 0..count {
            if let Some(outcome) = self.server.poll_ack(self.connection) {
                self.trace.push(format!("{outcome:?}"));
                self.application.resolve(&outcome);
            }
            let Some(event) = self.server.poll_event(self.connection) else { return };
            self.trace.push(format!("{event:?}"));
            if matches!(event, Event::Closed(_)) {
                assert!(self.server.is_over(self.connection));
            }
            self.application.take(event);
        }
    }

    /// What holds after every step.
    fn check(&mut self) {
        let stats = self.server.stats();
        let limits = self.server.config().limits.clone();
        assert!(stats.sessions <= 1 && stats.connections <= 1);
        assert!(stats.sockets <= limits.namespaces, "{stats:?}");
        assert!(stats.rooms <= limits.rooms * limits.namespaces, "{stats:?}");
        assert!(stats.pending_acks <= limits.pending_acks, "{stats:?}");
        let outbox_bytes_max = limits.outbox_bytes.max(application::MESSAGE_BYTES_MAX) + PING_BYTES;
        assert!(stats.outbox_bytes <= outbox_bytes_max, "{stats:?}");
        if stats.connections == 0 {
            assert_eq!(stats, Stats::default());
        }
        let wants = self.server.wants(self.connection);
        if !wants.session {
            for transport in &self.websockets {
                let output = self.server.poll_output(self.connection, *transport);
                let is_known = stats.connections == 1;
                assert!(output.is_none() || !is_known, "{output:?}, and nobody was told");
            }
        }
        // Where all has been taken, nothing counts towards the limit any more.
        let is_taken_by_polls = self.poll.is_some() && !wants.poll;
        let is_taken_by_websocket = self.only_websocket.is_some() && !wants.session;
        if is_taken_by_polls || is_taken_by_websocket {
            assert_eq!(stats.outbox_bytes, 0);
        }
        let is_over = self.server.is_over(self.connection);
        assert_eq!(is_over, stats.sessions == 0);
        let timeout = self.server.poll_timeout();
        if !is_over {
            assert!(timeout.is_some(), "an open session has a deadline");
            assert!(self.server.find(&self.route).is_ok() || !self.websockets.is_empty());
        }
        let latest = self.now + self.longest_deadline();
        assert!(timeout.is_none_or(|at| at <= latest), "{timeout:?} at {}", self.now);
    }

    /// No client that is silent stays longer.
    fn longest_deadline(&self) -> Duration {
        let config = self.server.config();
        config.connect_timeout + config.ping_interval + config.ping_timeout
    }

    /// Everything is given back, and taken; then nothing may be left. Returns the trace.
    fn finish(mut self) -> Vec<String> {
        if self.poll.is_some() {
            self.take_poll();
        }
        if let Some(poll) = self.poll.take() {
            self.server.handle_poll_aborted(self.connection, poll);
        }
        while let Some(post) = self.posts.pop() {
            self.server.handle_post_aborted(self.connection, post);
        }
        while !self.websockets.is_empty() {
            self.close_websocket(0, true);
        }
        // The client is heard of no more, so in the end its time is over; unless the application
        // takes nothing, in which case it is not the client's fault that nothing is heard.
        self.take_events(usize::MAX);
        let last = self.now + self.longest_deadline();
        while let Some(at) = self.server.poll_timeout().filter(|at| *at <= last) {
            self.now = self.now.max(at);
            self.server.handle_timeout(self.now);
        }
        assert!(self.server.is_over(self.connection), "heartbeats end every session");
        while {
            let News { acks, events, .. } = self.server.news(self.connection);
            acks || events
        } {
            self.take_events(1);
        }
        while self.server.poll_dirty().is_some() {}
        assert_eq!(self.server.stats(), Stats::default(), "something is left");
        assert_eq!(self.server.poll_timeout(), None);
        self.application.finish();
        self.trace
    }
}

/// A packet's text: one of the useful ones, or any bytes.
fn packet(choices: &mut Choices<'_>) -> Bytes {
    let index = choices.index(PACKETS.len() + 4);
    if let Some(packet) = PACKETS.get(index) {
        return Bytes::from_static(packet.as_bytes());
    }
    let length = choices.index(48);
    let text = String::from_utf8_lossy(&choices.bytes(length)).into_owned();
    // Any packet, any message, any event.
    Bytes::from(match index - PACKETS.len() {
        0 => text,
        1 => format!("4{text}"),
        2 => format!("42[\"event\",{text}]"),
        _ => format!("451-[\"event\",{text}]"),
    })
}

/// Why a packet on the transport that carries the session ends it, whatever happened before.
fn reason_to_close(
    packet: &Result<engine::Inbound, sansocket_core::EngineError>,
) -> Option<DisconnectReason> {
    match packet {
        Err(_) => Some(DisconnectReason::ParseError),
        Ok(engine::Inbound::Close) => Some(DisconnectReason::TransportClose),
        Ok(engine::Inbound::Ping { .. }) => Some(DisconnectReason::TransportError),
        Ok(engine::Inbound::Message(Err(_))) => Some(DisconnectReason::ForcedClose),
        Ok(
            engine::Inbound::Open
            | engine::Inbound::Pong { .. }
            | engine::Inbound::Message(Ok(_))
            | engine::Inbound::Complete(_)
            | engine::Inbound::Binary(_)
            | engine::Inbound::Upgrade
            | engine::Inbound::Noop,
        ) => None,
    }
}

#[cfg(test)]
mod tests;
