//! A client, and a server that may say anything, at any time.
//!
//! The input is a script of [`Choices`]. The driver keeps to its side of the contract; what it is told
//! by the server, the clock and the application is the script's.

mod application;

use std::time::Duration;

use bytes::Bytes;
use sansocket_core::client::{
    AuthSource, Config, Manager, RequestKey, SocketConfig, Stats, WebSocketKey,
};
use sansocket_core::http::Method;
use sansocket_core::{Output, Timestamp, Transport};

use self::application::Application;
use crate::choices::Choices;

/// Packets that mean something in some state, the most useful first.
const PACKETS: [&str; 30] = [
    r#"0{"sid":"s","upgrades":["websocket"],"pingInterval":50,"pingTimeout":50}"#,
    r#"40{"sid":"a","pid":"p"}"#,
    r#"40/a,{"sid":"a"}"#,
    r#"42["event","offset"]"#,
    "2",
    "3probe",
    "6",
    r#"4217["asks",{"a":[]}]"#,
    r#"42/a,["event",{}]"#,
    "430[]",
    r#"431["x"]"#,
    "43/a,2[2]",
    r#"451-["binary",{"_placeholder":true,"num":0}]"#,
    "bAAAA",
    r#"461-3[{"_placeholder":true,"num":0}]"#,
    "41",
    "41/a,",
    r#"44{"message":"no","data":[1]}"#,
    r#"44/a,"no""#,
    "1",
    r#"0{"sid":"s","upgrades":[],"pingInterval":0,"pingTimeout":0,"maxPayload":0}"#,
    r#"452-["binary"]"#,
    r#"40/a,{"sid":"a","pid":"p"}"#,
    "40",
    "2probe",
    "3",
    "4",
    "5",
    "x",
    "",
];

/// Steps that an input may have: more would not reach more, but take longer.
const STEPS_MAX: usize = 400;

/// Sessions that may be closing at the same time, and the one that is not.
const SESSIONS_MAX: usize = 5;

/// What one answer may bring past the limit of the inbox, and what a client has to tell of itself.
const EVENTS_PAST_LIMIT: usize = 40;

/// Plays the script, and again: the same inputs give the same outputs.
pub fn run(bytes: &[u8]) {
    let trace = play(bytes);
    assert_eq!(play(bytes), trace, "the second run differs from the first");
}

fn play(bytes: &[u8]) -> Vec<String> {
    let mut choices = Choices::new(bytes);
    let mut world = World::new(&mut choices);
    for _ in 0..STEPS_MAX {
        if choices.is_exhausted() {
            break;
        }
        world.step(&mut choices);
        world.ask();
        world.check();
    }
    world.finish()
}

struct World {
    manager: Manager,
    now: Timestamp,
    application: Application,
    /// Requests that were asked for and not answered.
    requests: Vec<(RequestKey, Method)>,
    /// WebSockets that were asked for and not reported as closed.
    websockets: Vec<WebSocketKey>,
}

fn config(choices: &mut Choices<'_>) -> Config {
    let mut config = Config::default();
    config.transports = match choices.index(4) {
        0 => vec![Transport::Polling, Transport::WebSocket],
        1 => vec![Transport::WebSocket],
        2 => vec![Transport::Polling],
        _ => vec![Transport::WebSocket, Transport::Polling],
    };
    config.try_all_transports = choices.chance(128);
    config.reconnection = !choices.chance(32);
    if choices.chance(64) {
        config.reconnection_attempts = Some(1);
    }
    config.limits.inbox_events = 4;
    config.limits.pending_acks = 4;
    config.limits.buffered_packets = 4;
    config.limits.outbox_bytes = 200;
    config.limits.early_events = 4;
    config.limits.early_bytes = 100;
    config.limits.message_bytes = 100;
    config.limits.response_bytes = 300;
    config.limits.attachments = 2;
    config
}

impl World {
    fn new(choices: &mut Choices<'_>) -> Self {
        let mut manager = Manager::new(config(choices), [5; 32]);
        let mut asked = SocketConfig::default();
        asked.auth = AuthSource::Ask;
        asked.retries = 1;
        let sockets = [("/", SocketConfig::default()), ("/a", asked)]
            .map(|(name, config)| manager.namespace(name, config).expect("it may be added"));
        let application = Application::new(sockets);
        application.connect(&mut manager, Timestamp::ZERO, 0);
        let (requests, websockets) = (Vec::new(), Vec::new());
        let mut world = Self { manager, now: Timestamp::ZERO, application, requests, websockets };
        world.ask();
        world
    }

    fn step(&mut self, choices: &mut Choices<'_>) {
        match choices.weighted(&[8, 8, 3, 4, 4, 6, 1, 1, 1]) {
            // Each attempt to connect ends with events, and an application that takes none could go on
            // with it for ever.
            5 | 8 if !self.manager.wants_input() => self.application.take(&mut self.manager, 1),
            0 => self.answer(choices),
            1 => self.say(choices),
            2 => self.open_websocket(choices),
            3 => self.take_output(choices.index(4) + 1),
            4 => self.application.take(&mut self.manager, choices.index(4) + 1),
            5 => self.application.command(&mut self.manager, self.now, choices),
            6 => self.pass_time(choices),
            7 => self.break_off(choices),
            _ => self.manager.reconnect_now(self.now),
        }
    }

    /// The driver: begins what is asked for, and drops what is not awaited any more.
    fn ask(&mut self) {
        self.manager.handle_timeout(self.now);
        while let Some(request) = self.manager.poll_request() {
            self.requests.push((request.key, request.method));
            let (method, body) = (request.method, request.into_body());
            assert_eq!(body.is_empty(), method == Method::Get, "{method:?} of {body:?}");
        }
        self.requests.retain(|(key, _)| self.manager.awaits(*key));
        while let Some(request) = self.manager.poll_websocket() {
            self.websockets.push(request.key);
        }
    }

    /// A request is answered.
    fn answer(&mut self, choices: &mut Choices<'_>) {
        if self.requests.is_empty() {
            return;
        }
        let (key, method) = self.requests.remove(choices.index(self.requests.len()));
        let status = if choices.chance(8) { 400 } else { 200 };
        let body = match method {
            Method::Post => Bytes::from_static(b"ok"),
            Method::Get | Method::Other => words(&self.manager, choices),
        };
        self.manager.handle_response(self.now, key, status, body);
    }

    /// A message comes on a WebSocket.
    fn say(&mut self, choices: &mut Choices<'_>) {
        let Some(key) = self.a_websocket(choices) else { return };
        if !self.manager.wants_input() {
            return;
        }
        if choices.chance(32) {
            let length = choices.index(120);
            let data = Bytes::from(choices.bytes(length));
            self.manager.handle_websocket_binary(self.now, key, data);
        } else {
            let text = words(&self.manager, choices);
            self.manager.handle_websocket_text(self.now, key, text);
        }
    }

    fn open_websocket(&mut self, choices: &mut Choices<'_>) {
        if let Some(key) = self.a_websocket(choices) {
            self.manager.handle_websocket_open(self.now, key);
        }
    }

    fn take_output(&mut self, count: usize) {
        let Self { manager, now, websockets, .. } = self;
        websockets.retain(|key| {
            for _ in 0..count {
                match manager.poll_output(*key) {
                    Some(Output::Message(_)) => {}
                    Some(Output::Close) => {
                        manager.handle_websocket_closed(*now, *key);
                        return false;
                    }
                    None => break,
                }
            }
            true
        });
    }

    /// Up to 25 s, or to what is due next.
    fn pass_time(&mut self, choices: &mut Choices<'_>) {
        let next = self.manager.poll_timeout();
        self.now = match (choices.index(3), next) {
            (0, Some(next)) => self.now.max(next),
            (1, _) => self.now + Duration::from_millis(choices.number(1..=200)),
            _ => self.now + Duration::from_millis(choices.number(1..=250) * 100),
        };
        self.manager.handle_timeout(self.now);
        if let Some(next) = self.manager.poll_timeout() {
            assert!(next > self.now, "what was due is due still");
        }
    }

    /// The network fails.
    fn break_off(&mut self, choices: &mut Choices<'_>) {
        if choices.chance(128) && !self.requests.is_empty() {
            let (key, _) = self.requests.remove(choices.index(self.requests.len()));
            self.manager.handle_request_failed(self.now, key);
        } else if let Some(key) = self.a_websocket(choices) {
            self.websockets.retain(|other| *other != key);
            match choices.chance(128) {
                true => self.manager.handle_websocket_closed(self.now, key),
                false => self.manager.handle_websocket_failed(self.now, key),
            }
        }
    }

    fn a_websocket(&self, choices: &mut Choices<'_>) -> Option<WebSocketKey> {
        let newest_first = self.websockets.len().checked_sub(1)?;
        self.websockets.get(newest_first - choices.index(self.websockets.len())).copied()
    }

    fn check(&mut self) {
        let is_connected = self.application.is_connected_now(&mut self.manager);
        let (stats, limits) = (self.manager.stats(), &self.manager.config().limits);
        assert!(stats.buffered_packets <= limits.buffered_packets, "{stats:?}");
        assert!(stats.early_events <= limits.early_events, "{stats:?}");
        assert!(stats.inbox_events <= limits.inbox_events + EVENTS_PAST_LIMIT, "{stats:?}");
        assert!(stats.outcomes <= limits.pending_acks * 2 + limits.buffered_packets, "{stats:?}");
        // Nobody else answers what was sent, so all that is owed is still to be sent.
        assert!(is_connected || stats.pending_acks <= stats.buffered_packets, "{stats:?}");
        assert!(stats.sessions <= SESSIONS_MAX, "{stats:?}");
        assert!(self.requests.len() <= 2 * SESSIONS_MAX, "{:?}", self.requests);
    }

    /// The application leaves: everything ends, and nothing stays.
    fn finish(mut self) -> Vec<String> {
        self.manager.close(self.now);
        while !self.manager.is_at_rest() {
            self.ask();
            self.take_output(usize::MAX);
            self.application.take(&mut self.manager, usize::MAX);
            match self.manager.poll_timeout() {
                Some(next) => self.now = self.now.max(next),
                None => assert!(self.manager.is_at_rest(), "nothing will happen any more"),
            }
            self.manager.handle_timeout(self.now);
        }
        self.application.leave(&mut self.manager, self.now);
        assert_eq!(self.manager.stats(), Stats::default());
        self.application.into_trace()
    }
}

/// What a hostile server says: what is due, packets as in an answer or a single one, or anything.
fn words(manager: &Manager, choices: &mut Choices<'_>) -> Bytes {
    // Without it, few sessions would come as far as to a namespace.
    if choices.chance(128) {
        let due = match manager.transport() {
            None => &PACKETS[..1],
            Some(_) => &PACKETS[1..7],
        };
        return Bytes::from_static(choices.pick(due).as_bytes());
    }
    if choices.chance(16) {
        let length = choices.index(40);
        return Bytes::from(choices.bytes(length));
    }
    let count = choices.weighted(&[8, 2, 1]) + 1;
    let packets: Vec<_> = (0..count).map(|_| *choices.pick(&PACKETS)).collect();
    Bytes::from(packets.join("\u{1e}"))
}
