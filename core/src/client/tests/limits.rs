use super::super::{NamespaceError, SocketConfig};
use super::Wire;
use super::wire::HANDSHAKE;

const FULL: &str = "too much waits to be sent";

#[test]
fn buffered_messages() {
    let mut wire = Wire::with(|config| config.limits.buffered_packets = 2);
    assert_eq!(wire.emit("a"), "ok");
    assert_eq!(wire.emit_at_least_once("b", 1), "ok");
    assert_eq!(wire.emit("c"), FULL);
    assert_eq!(wire.emit_at_least_once("c", 2), FULL);
    assert_eq!(wire.ask(3, None), FULL);
    assert_eq!(wire.client.stats().pending_acks, 1);
    wire.finish();
}

#[test]
fn buffered_bytes() {
    let mut wire = Wire::with(|config| config.limits.buffered_bytes = 20);
    assert_eq!(wire.emit("aaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), "ok", "one alone may be larger");
    assert_eq!(wire.emit("b"), FULL);
    wire.finish();
}

#[test]
fn messages_on_a_connection() {
    let mut wire = Wire::with(|config| {
        config.transports = [crate::Transport::WebSocket].into();
        config.limits.outbox_bytes = 20;
    });
    wire.connect(wire.root);
    wire.establish_websocket();
    assert_eq!(wire.emit("aaaa"), "ok");
    assert_eq!(wire.emit("bbbb"), FULL);
    assert_eq!(wire.ask(1, None), FULL);
    assert_eq!(wire.client.stats().pending_acks, 0);
    assert_eq!(wire.output().len(), 1);
    assert_eq!(wire.emit("bbbb"), "ok");
    wire.finish();
}

#[test]
fn acknowledgements() {
    let mut wire = Wire::with(|config| config.limits.pending_acks = 2);
    assert_eq!(wire.ask(1, Some(100)), "ok");
    assert_eq!(wire.ask(2, None), "ok");
    let many = "too many pending acknowledgements";
    assert_eq!(wire.ask(3, None), many);
    wire.advance(100);
    assert_eq!(wire.ask(3, None), many, "its outcome was not taken yet");
    wire.acks();
    assert_eq!(wire.ask(3, None), "ok");
    wire.finish();
}

#[test]
fn outcomes_of_what_is_repeated() {
    let mut wire = Wire::with(|config| {
        config.transports = [crate::Transport::WebSocket].into();
        config.limits.pending_acks = 2;
    });
    wire.connect(wire.root);
    wire.establish_websocket();
    for ack in 0..2 {
        assert_eq!(wire.emit_at_least_once("a", ack), "ok");
        wire.text(&alloc::format!("43{ack}[]"));
    }
    assert_eq!(wire.emit_at_least_once("a", 2), "too many pending acknowledgements");
    assert_eq!(wire.client.stats().buffered_packets, 0);
    wire.acks();
    assert_eq!(wire.emit_at_least_once("a", 2), "ok");
    wire.finish();
}

#[test]
fn namespaces() {
    let mut wire = Wire::with(|config| {
        config.limits.namespaces = 2;
        config.limits.namespace_bytes = 5;
    });
    let long = wire.client.namespace("/longer", SocketConfig::default());
    assert_eq!(long, Err(NamespaceError::InvalidName));
    wire.add("/a");
    let result = wire.client.namespace("/b", SocketConfig::default());
    assert_eq!(result, Err(NamespaceError::TooMany { limit: 2 }));
    wire.finish();
}

#[test]
fn events_before_the_confirmation() {
    for (events, bytes) in [(1, usize::MAX), (usize::MAX, 12)] {
        let mut wire = Wire::with(|config| {
            config.transports = [crate::Transport::WebSocket].into();
            config.limits.early_events = events;
            config.limits.early_bytes = bytes;
        });
        wire.connect(wire.root);
        wire.dial();
        wire.text(HANDSHAKE);
        wire.text(r#"42["a"]"#);
        assert_eq!(wire.events(), ["opened"]);
        wire.text(r#"42["b"]"#);
        assert_eq!(wire.events(), ["closed: parse error"]);
        assert_eq!(wire.client.stats().early_events, 0);
        wire.finish();
    }
}

/// Otherwise a server could make a client keep so much for each of its namespaces.
#[test]
fn events_before_the_confirmation_of_several_namespaces() {
    for (events, bytes) in [(2, usize::MAX), (usize::MAX, 20)] {
        let mut wire = Wire::with(|config| {
            config.transports = [crate::Transport::WebSocket].into();
            config.limits.early_events = events;
            config.limits.early_bytes = bytes;
        });
        let other = wire.add("/a");
        wire.connect(wire.root);
        wire.connect(other);
        wire.dial();
        wire.text(HANDSHAKE);
        wire.text(r#"42["a"]"#);
        wire.text(r#"42/a,["b"]"#);
        assert_eq!(wire.events(), ["opened"]);
        assert_eq!(wire.client.stats().early_events, 2);
        wire.text(r#"42["c"]"#);
        assert_eq!(wire.events(), ["closed: parse error"]);
        wire.finish();
    }
}

#[test]
fn what_the_server_sends() {
    let lost =
        |reason| [alloc::format!("closed: {reason}"), alloc::format!("disconnected /: {reason}")];
    let mut wire = Wire::with(|config| {
        config.limits.response_bytes = 100;
        config.upgrade = false;
    });
    wire.connect(wire.root);
    wire.establish();
    wire.answer(&alloc::format!(r#"42["a","{}"]"#, "x".repeat(100)));
    assert_eq!(wire.events(), lost("transport error"));

    let mut wire = Wire::with(|config| {
        config.limits.response_packets = 2;
        config.upgrade = false;
    });
    wire.connect(wire.root);
    wire.establish();
    wire.answer("6|6|6");
    assert_eq!(wire.events(), lost("transport error"));

    for packet in [r#"453-["a"]"#, r#"42["a",[[[1]]]]"#, r#"42["aaaaaaaaa"]"#] {
        let mut wire = Wire::with(|config| {
            config.transports = [crate::Transport::WebSocket].into();
            config.limits.attachments = 2;
            config.limits.json_depth = 2;
            config.limits.event_name_bytes = 8;
        });
        wire.connect(wire.root);
        wire.establish_websocket();
        wire.text(packet);
        assert_eq!(wire.events(), lost("parse error"), "{packet}");
    }

    let mut wire = Wire::with(|config| {
        config.transports = [crate::Transport::WebSocket].into();
        config.limits.message_bytes = 60;
    });
    wire.connect(wire.root);
    wire.establish_websocket();
    wire.text(r#"451-["a",{"_placeholder":true,"num":0}]"#);
    wire.binary(&[0; 30]);
    assert_eq!(wire.events(), lost("parse error"));
}
