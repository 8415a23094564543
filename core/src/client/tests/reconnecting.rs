use super::Wire;
use super::wire::HANDSHAKE;

/// A WebSocket client without randomness.
fn wire() -> Wire {
    Wire::with(|config| {
        config.transports = [crate::Transport::WebSocket].into();
        config.randomization_percent = 0;
    })
}

fn fail(wire: &mut Wire) {
    wire.dial();
    wire.client.handle_websocket_failed(wire.now, wire.key());
}

#[test]
fn a_lost_connection_is_made_again() {
    let mut wire = wire();
    wire.connect(wire.root);
    wire.establish_websocket();
    wire.client.handle_websocket_failed(wire.now, wire.key());
    assert_eq!(wire.events(), ["closed: transport error", "disconnected /: transport error"]);
    wire.advance(999);
    assert!(wire.client.poll_websocket().is_none());
    wire.advance(1);
    assert_eq!(wire.events(), ["attempt 1"]);
    wire.dial();
    wire.text(HANDSHAKE);
    assert_eq!(wire.output(), ["40"]);
    wire.text(r#"40{"sid":"b"}"#);
    assert_eq!(wire.events(), ["opened", "reconnected: 1", "connected / b"]);
    wire.finish();
}

#[test]
fn failures_are_told_and_delays_grow() {
    let mut wire = wire();
    wire.connect(wire.root);
    fail(&mut wire);
    assert_eq!(wire.events(), ["connect error /: WebSocket failed"]);
    for (attempt, delay) in [(1, 1_000), (2, 2_000), (3, 4_000), (4, 5_000), (5, 5_000)] {
        wire.advance(delay - 1);
        assert!(wire.events().is_empty());
        wire.advance(1);
        assert_eq!(wire.events(), [alloc::format!("attempt {attempt}")]);
        fail(&mut wire);
        let errors = ["connect error /: WebSocket failed", "attempt failed: WebSocket failed"];
        assert_eq!(wire.events(), errors);
    }
    wire.sleep();
    wire.dial();
    wire.text(HANDSHAKE);
    assert_eq!(wire.events(), ["attempt 6", "opened", "reconnected: 6"]);
    wire.finish();
}

/// Trap 10: the last failure is told before the end.
#[test]
fn attempts_may_be_limited() {
    let mut wire = Wire::with(|config| {
        config.transports = [crate::Transport::WebSocket].into();
        config.reconnection_attempts = Some(2);
    });
    for _ in 0..2 {
        wire.connect(wire.root);
        fail(&mut wire);
        wire.events();
        wire.sleep();
        fail(&mut wire);
        wire.events();
        wire.sleep();
        fail(&mut wire);
        let expected = [
            "attempt 2",
            "connect error /: WebSocket failed",
            "attempt failed: WebSocket failed",
            "all attempts failed",
        ];
        assert_eq!(wire.events(), expected);
        assert!(wire.client.is_at_rest());
    }
    wire.finish();
}

#[test]
fn no_attempt_may_be_allowed() {
    let mut wire = Wire::with(|config| config.reconnection_attempts = Some(0));
    wire.connect(wire.root);
    wire.requests();
    wire.get_failed();
    assert_eq!(wire.events(), ["connect error /: request failed", "all attempts failed"]);
    wire.finish();
}

#[test]
fn reconnection_may_be_unwanted() {
    let mut wire = Wire::with(|config| {
        config.transports = [crate::Transport::WebSocket].into();
        config.reconnection = false;
    });
    wire.connect(wire.root);
    wire.establish_websocket();
    wire.client.handle_websocket_closed(wire.now, wire.key());
    assert_eq!(wire.events().len(), 2);
    assert!(wire.client.is_at_rest());
    wire.connect(wire.root);
    wire.establish_websocket();
    assert!(wire.root().is_connected(), "by a command it is connected again");
    wire.finish();
}

/// Trap 9: the reference never reconnects after it.
#[test]
fn a_connect_during_the_delay_waits_for_it() {
    let mut wire = wire();
    wire.connect(wire.root);
    wire.establish_websocket();
    for _ in 0..2 {
        wire.client.handle_websocket_closed(wire.now, wire.key());
        wire.connect(wire.root);
        assert!(wire.client.poll_websocket().is_none());
        wire.sleep();
        wire.events();
        wire.establish_websocket();
        assert!(wire.root().is_connected());
    }
    wire.finish();
}

/// Trap 7: the reference asks such a server again and again at the shortest delay.
#[test]
fn a_server_that_accepts_and_drops_is_asked_less_and_less_often() {
    let mut wire = wire();
    wire.connect(wire.root);
    let mut delays = alloc::vec::Vec::new();
    for _ in 0..4 {
        wire.establish_websocket();
        wire.client.handle_websocket_closed(wire.now, wire.key());
        delays.push(wire.sleep() - 1);
        wire.events();
    }
    assert_eq!(delays, [1_000, 2_000, 4_000, 5_000]);
    wire.establish_websocket();
    wire.advance(5_000);
    wire.client.handle_websocket_closed(wire.now, wire.key());
    assert_eq!(wire.sleep() - 1, 1_000, "one that held lets them begin anew");
    wire.finish();
}

/// A server that cannot be reached would otherwise fill the memory of one who does not listen.
#[test]
fn an_attempt_waits_for_room_for_its_events() {
    let mut wire = Wire::with(|config| {
        config.transports = [crate::Transport::WebSocket].into();
        config.limits.inbox_events = 3;
    });
    wire.connect(wire.root);
    fail(&mut wire);
    wire.sleep();
    fail(&mut wire);
    assert_eq!(wire.client.stats().inbox_events, 4);
    assert_eq!(wire.client.poll_timeout(), None);
    wire.advance(100_000);
    wire.client.handle_timeout(wire.now);
    assert!(wire.client.poll_websocket().is_none());
    assert_eq!(wire.client.stats().inbox_events, 4);
    wire.events();
    assert!(wire.client.poll_timeout().is_some_and(|due| due <= wire.now), "it is due at once");
    wire.client.handle_timeout(wire.now);
    assert_eq!(wire.events(), ["attempt 2"]);
    wire.establish_websocket();
    wire.finish();
}

#[test]
fn all_namespaces_are_connected_again() {
    let mut wire = wire();
    let chat = wire.add("/chat");
    let idle = wire.add("/idle");
    wire.connect(wire.root);
    wire.connect(chat);
    wire.dial();
    wire.text(HANDSHAKE);
    wire.output();
    wire.text(r#"40{"sid":"a"}"#);
    wire.text(r#"40/chat,{"sid":"b"}"#);
    wire.client.handle_websocket_closed(wire.now, wire.key());
    wire.sleep();
    wire.dial();
    wire.text(HANDSHAKE);
    assert_eq!(wire.output(), ["40", "40/chat,"]);
    assert!(!wire.socket(idle).is_active());
    wire.finish();
}

#[test]
fn the_same_inputs_give_the_same_delays_and_other_seeds_others() {
    let delays = |seed| {
        let mut client = super::super::Manager::new(super::super::Config::default(), [seed; 32]);
        let key = client.namespace("/", super::super::SocketConfig::default()).expect("a name");
        client.socket(key).expect("it is there").connect(crate::Timestamp::ZERO);
        let request = client.poll_request().expect("a GET");
        client.handle_request_failed(crate::Timestamp::ZERO, request.key);
        client.poll_timeout()
    };
    assert_eq!(delays(1), delays(1));
    assert_ne!(delays(1), delays(2));
}

#[test]
fn a_delay_can_be_cut_short() {
    let mut wire = Wire::connected_websocket();
    wire.client.reconnect_now(wire.now);
    assert!(wire.client.poll_websocket().is_none(), "there is a connection");
    wire.client.handle_websocket_closed(wire.now, wire.key());
    wire.events();
    wire.advance(10);
    wire.client.reconnect_now(wire.now);
    assert_eq!(wire.client.poll_timeout(), Some(wire.now));
    wire.client.handle_timeout(wire.now);
    assert_eq!(wire.events(), ["attempt 1"]);
    wire.establish_websocket();
    assert!(wire.root().is_connected());
    wire.finish();
}
