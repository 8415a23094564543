//! Any order of network, time and commands: with the real server, and with one that is hostile.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;

use super::super::{
    Auth, AuthSource, Config, Event, Limits, Manager, RequestKey, SocketConfig, WebSocketKey,
};
use super::world::World;
use crate::http::Method;
use crate::{AckId, Delivery, Encoder, Message, Output, SocketKey, Timestamp, Transport};

/// One step: what is done, and how.
type Step = (u8, u8);

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        cases: 150,
        ..ProptestConfig::default()
    })]

    #[test]
    fn nothing_is_lost_repeated_or_left(
        transports in 0_u8..5,
        steps in proptest::collection::vec(any::<Step>(), 0..400),
    ) {
        let trace = with_a_server(transports, &steps);
        if steps.len() < 100 {
            prop_assert_eq!(trace, with_a_server(transports, &steps), "the same inputs");
        }
    }

    #[test]
    fn an_upgrade_in_the_middle_of_traffic_keeps_everything(
        steps in proptest::collection::vec(any::<Step>(), 0..150),
    ) {
        with_an_upgrade(&steps);
    }

    #[test]
    fn a_hostile_server_breaks_nothing(
        websocket in any::<bool>(),
        steps in proptest::collection::vec((any::<Step>(), noise()), 0..200),
    ) {
        with_a_hostile_server(websocket, steps);
    }
}

fn config(transports: u8) -> Config {
    let names: &[Transport] = match transports {
        0 => &[Transport::Polling],
        1 => &[Transport::WebSocket],
        2 => &[Transport::WebSocket, Transport::Polling],
        _ => &[Transport::Polling, Transport::WebSocket],
    };
    let limits = Limits {
        buffered_packets: 20,
        outbox_bytes: 2_000,
        inbox_events: 8,
        pending_acks: 8,
        ..Limits::default()
    };
    Config {
        transports: names.into(),
        try_all_transports: transports == 2,
        upgrade_timeout: Duration::from_secs(3),
        limits,
        ..Config::default()
    }
}

fn with_a_server(transports: u8, steps: &[Step]) -> Vec<String> {
    let mut world = World::new(config(transports));
    let mut trace = Vec::new();
    world.connect(0);
    for (kind, how) in steps.iter().copied() {
        let which = usize::from(how);
        let side = which % 2;
        match kind % 64 {
            0..=9 => world.drive(),
            10..=17 => {
                world.drive();
                world.write(which % 4 + 1);
            }
            18..=27 => world.move_http(which),
            28..=35 => world.move_link(which / 2, which.is_multiple_of(2)),
            36 | 37 => world.flow(),
            38 | 39 => world.serve(),
            40 | 41 => world.server_emit(which / 2, how.is_multiple_of(2)),
            42 | 43 => world.decide(how < 230),
            44..=46 => world.emit(side, which / 4),
            47 => world.emit_binary(side),
            48 => world.ask(side, (how > 100).then(|| u64::from(how) * 20)),
            49 => world.emit_at_least_once(side),
            50 => world.emit_volatile(side),
            51 => world.answer(side),
            52 => world.authenticate(side),
            53 | 54 => world.take_events(which % 8),
            55 => world.server_emit(which / 2, how.is_multiple_of(2)),
            56 => world.connect(side),
            57 if how > 150 => world.disconnect(side),
            58 if how > 150 => world.server_disconnect(which, how > 200),
            59 => world.advance(u64::from(how) * 10),
            60 if how > 150 => world.cut_http(which),
            61 if how > 150 => world.cut_link(which, how.is_multiple_of(2)),
            62 if how > 250 => world.restart(),
            _ => world.advance(u64::from(how)),
        }
        world.check();
        trace.push(world.trace());
    }
    world.settle();
    trace
}

/// Nothing is cut and no time passes, so each event must arrive.
fn with_an_upgrade(steps: &[Step]) {
    let mut world = World::new(config(3));
    world.connect(0);
    while !world.is_connected() {
        world.flow_by_polling();
    }
    for (kind, how) in steps.iter().copied() {
        let which = usize::from(how);
        match kind % 16 {
            0 | 1 => world.drive(),
            2 => world.write(1),
            3..=5 => world.move_http(which),
            6..=9 => world.move_link(0, which.is_multiple_of(2)),
            10 | 11 => world.emit(0, which / 4),
            12 => world.server_emit(0, false),
            13 => world.serve(),
            14 => world.take_events(which % 8),
            _ => {
                world.drive();
                world.move_http(which);
            }
        }
        world.check();
    }
    world.check_that_nothing_is_lost();
    world.settle();
}

/// What a hostile server says: almost packets, or anything.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    let packets = prop::sample::select(alloc::vec![
        r#"0{"sid":"s","upgrades":["websocket"],"pingInterval":10,"pingTimeout":10}"#,
        r#"0{"sid":"s","pingInterval":0,"pingTimeout":0,"maxPayload":0}"#,
        "1",
        "2",
        "2probe",
        "3",
        "3probe",
        "5",
        "6",
        "40",
        r#"40{"sid":"a","pid":"p"}"#,
        r#"40/a,{"sid":"a"}"#,
        "41",
        "41/a,",
        r#"42["a","offset"]"#,
        r#"4217["a"]"#,
        r#"42/a,["b",{}]"#,
        r#"451-["a",{"_placeholder":true,"num":0}]"#,
        r#"452-["a"]"#,
        "bAAAA",
        "430[]",
        "431[1]",
        r#"461-2[{"_placeholder":true,"num":0}]"#,
        r#"44{"message":"no","data":[1]}"#,
        r#"44/a,"no""#,
        "4",
        "",
    ]);
    let payload = proptest::collection::vec(packets, 1..4)
        .prop_map(|packets| packets.join("\u{1e}").into_bytes());
    prop_oneof![8 => payload, 1 => proptest::collection::vec(any::<u8>(), 0..40)]
}

fn with_a_hostile_server(websocket: bool, steps: Vec<(Step, Vec<u8>)>) {
    let mut config = config(if websocket { 1 } else { 3 });
    config.limits.early_events = 4;
    config.limits.early_bytes = 100;
    config.limits.message_bytes = 100;
    config.limits.attachments = 2;
    let limits = config.limits.clone();
    let mut client = Manager::new(config, [1; 32]);
    let asked = SocketConfig { auth: AuthSource::Ask, ..SocketConfig::default() };
    let sockets = [
        client.namespace("/", SocketConfig::default()).expect("it may be added"),
        client.namespace("/a", asked).expect("it may be added"),
    ];
    let mut driver = Driver::default();
    let mut now = Timestamp::ZERO;
    for ((kind, how), noise) in steps {
        let socket = sockets[usize::from(how) % 2];
        match kind % 8 {
            0 => client.socket(socket).expect("it is there").connect(now),
            1 if how > 200 => client.socket(socket).expect("it is there").disconnect(now),
            2 => command(&mut client, now, socket, how),
            3 => {
                now = now + Duration::from_millis(u64::from(how) * 10);
                client.handle_timeout(now);
                assert!(client.poll_timeout().is_none_or(|next| next > now) || how == 0);
            }
            _ => driver.feed(&mut client, now, kind, how, noise),
        }
        driver.take(&mut client, now, how);
        check_limits(&client, &limits);
    }
    client.close(now);
    for _ in 0..100 {
        now = now + Duration::from_secs(60);
        client.handle_timeout(now);
        driver.take(&mut client, now, 255);
    }
    assert!(client.is_at_rest());
    for socket in sockets {
        client.socket(socket).expect("it is there").remove(now);
    }
    driver.take(&mut client, now, 255);
    assert_eq!(client.stats(), super::super::Stats::default());
}

fn command(client: &mut Manager, now: Timestamp, socket: SocketKey, how: u8) {
    let mut encoder = Encoder::new();
    let ack = AckId::new(u64::from(how % 4)).expect("small");
    let message = Message::event(&mut encoder, "/", "x", &how, Some(ack)).expect("it encodes");
    let mut socket = client.socket(socket).expect("it is there");
    let deadline = now + Duration::from_millis(u64::from(how) * 10);
    // Whether it was taken is of no interest.
    let _taken = match how % 3 {
        0 => socket.emit(now, message, Delivery::Reliable),
        1 => socket.emit_with_ack(now, message, Delivery::Reliable, ack, Some(deadline)),
        _ => socket.emit_at_least_once(now, message, ack),
    };
}

/// A driver of requests and WebSockets that nobody carries out.
#[derive(Default)]
struct Driver {
    requests: Vec<(RequestKey, Method)>,
    websockets: Vec<WebSocketKey>,
    outcomes: Vec<u64>,
}

impl Driver {
    fn feed(&mut self, client: &mut Manager, now: Timestamp, kind: u8, how: u8, noise: Vec<u8>) {
        let request = self.requests.len().checked_sub(1 + usize::from(how % 2));
        let websocket = self.websockets.last().copied();
        match (kind % 8, request, websocket) {
            (4 | 5, Some(index), _) => {
                let (key, method) = self.requests.remove(index);
                let status = if how > 240 { 400 } else { 200 };
                if how == 0 {
                    client.handle_request_failed(now, key);
                } else if method == Method::Post || client.wants_input() {
                    client.handle_response(now, key, status, Bytes::from(noise));
                }
            }
            (6, _, Some(key)) if how < 20 => client.handle_websocket_open(now, key),
            (6, _, Some(key)) if how < 25 => client.handle_websocket_closed(now, key),
            (6, _, Some(key)) if how < 30 => client.handle_websocket_failed(now, key),
            (_, _, Some(key)) if client.wants_input() && how.is_multiple_of(8) => {
                client.handle_websocket_binary(now, key, Bytes::from(noise));
            }
            (_, _, Some(key)) if client.wants_input() => {
                client.handle_websocket_text(now, key, Bytes::from(noise));
            }
            (_, _, _) => {}
        }
    }

    fn take(&mut self, client: &mut Manager, now: Timestamp, how: u8) {
        while let Some(request) = client.poll_request() {
            self.requests.push((request.key, request.method));
            request.into_body();
        }
        self.requests.retain(|(key, _)| client.awaits(*key));
        assert!(self.requests.len() <= 10);
        while let Some(request) = client.poll_websocket() {
            self.websockets.push(request.key);
        }
        if how.is_multiple_of(2) && how < 254 {
            return;
        }
        self.websockets.retain(|key| {
            while let Some(output) = client.poll_output(*key) {
                match output {
                    Output::Message(_) => {}
                    Output::Close => return false,
                }
            }
            true
        });
        while let Some(event) = client.poll_event() {
            if let Event::AuthRequested(request) = event
                && let Some(mut socket) = client.socket(request.socket)
            {
                let _gone = socket.authenticate(&request, &Auth::none());
            }
        }
        while let Some(outcome) = client.poll_ack() {
            self.outcomes.push(outcome.id.get());
        }
        client.handle_timeout(now);
    }
}

fn check_limits(client: &Manager, limits: &Limits) {
    let stats = client.stats();
    assert!(stats.buffered_packets <= limits.buffered_packets);
    assert!(stats.early_events <= limits.early_events);
    // Beyond its limit by what one answer brings, and by what the client itself has to tell.
    assert!(stats.inbox_events <= limits.inbox_events + 40, "{stats:?}");
    assert!(stats.outcomes <= limits.pending_acks * 2 + limits.buffered_packets);
    assert!(stats.sessions <= 5);
}
