use super::Wire;
use super::wire::HANDSHAKE;
use crate::Delivery;

const DROPPED: &str = "volatile message was dropped";

#[test]
fn what_is_emitted_before_the_connect_is_sent_in_order() {
    let mut wire = Wire::websocket();
    wire.emit("a");
    wire.connect(wire.root);
    wire.emit("b");
    wire.dial();
    wire.text(HANDSHAKE);
    wire.emit("c");
    assert_eq!(wire.output(), ["40"], "not before the confirmation");
    wire.text(r#"40{"sid":"id"}"#);
    wire.emit("d");
    let expected = [r#"42["a"]"#, r#"42["b"]"#, r#"42["c"]"#, r#"42["d"]"#];
    assert_eq!(wire.output(), expected);
    assert_eq!(wire.client.stats().buffered_packets, 0);
    wire.finish();
}

/// Trap 24, which is kept.
#[test]
fn the_buffer_outlives_a_disconnection() {
    let mut wire = Wire::connected_websocket();
    wire.disconnect(wire.root);
    wire.output();
    assert_eq!(wire.emit("later"), "ok");
    wire.advance(100_000);
    wire.connect(wire.root);
    wire.establish_websocket();
    assert_eq!(wire.output(), [r#"42["later"]"#]);
    wire.finish();
}

/// Trap 25, which is kept: what was given to a connection is not sent on another.
#[test]
fn what_was_queued_on_a_lost_connection_is_lost() {
    let mut wire = Wire::connected_websocket();
    wire.emit("lost");
    wire.client.handle_websocket_failed(wire.now, wire.key());
    wire.emit("kept");
    wire.sleep();
    wire.events();
    wire.establish_websocket();
    assert_eq!(wire.output(), [r#"42["kept"]"#]);
    wire.finish();
}

/// Trap 21: the reference buffers them where the transport is ready and the namespace is not.
#[test]
fn volatile_messages_are_never_buffered() {
    let mut wire = Wire::websocket();
    assert_eq!(wire.emit_by("a", Delivery::Volatile), DROPPED);
    wire.connect(wire.root);
    wire.dial();
    wire.text(HANDSHAKE);
    wire.output();
    assert_eq!(wire.emit_by("b", Delivery::Volatile), DROPPED);
    wire.text(r#"40{"sid":"id"}"#);
    assert!(wire.output().is_empty());
    wire.finish();
}

#[test]
fn volatile_messages_are_dropped_where_the_network_is_busy() {
    let mut wire = Wire::connected_websocket();
    assert_eq!(wire.emit_by("a", Delivery::Volatile), "ok");
    assert_eq!(wire.emit_by("b", Delivery::Volatile), DROPPED);
    assert_eq!(wire.output(), [r#"42["a"]"#]);

    let mut wire = Wire::connected();
    assert_eq!(wire.emit_by("a", Delivery::Volatile), "ok");
    wire.requests();
    assert_eq!(wire.emit_by("b", Delivery::Volatile), DROPPED);
    wire.posted();
    assert_eq!(wire.emit_by("c", Delivery::Volatile), "ok");
    wire.finish();
}

/// Trap 15: the reference delivers them before `connect`.
#[test]
fn what_came_before_the_confirmation_follows_it() {
    let mut wire = Wire::websocket();
    wire.connect(wire.root);
    wire.dial();
    wire.text(HANDSHAKE);
    wire.text(r#"42["early",1]"#);
    wire.text(r#"427["early",2]"#);
    wire.events();
    wire.text(r#"40{"sid":"id"}"#);
    wire.text(r#"42["later"]"#);
    let expected = ["connected / id", r#"["early",1]"#, r#"["early",2] ack 7"#, r#"["later"]"#];
    assert_eq!(wire.events(), expected);
    wire.received.remove(0);
    wire.output();
    assert_eq!(wire.acknowledge(), "ok");
    assert_eq!(wire.output(), [r#"437["yes"]"#]);
    wire.finish();
}

#[test]
fn what_came_early_is_forgotten_with_the_connection() {
    let mut wire = Wire::websocket();
    wire.connect(wire.root);
    wire.dial();
    wire.text(HANDSHAKE);
    wire.text(r#"42["early"]"#);
    wire.client.handle_websocket_closed(wire.now, wire.key());
    // Trap 11: what was not connected is not disconnected.
    assert_eq!(wire.events(), ["opened", "closed: transport close"]);
    assert_eq!(wire.client.stats().early_events, 0);
    wire.sleep();
    wire.events();
    wire.establish_websocket();
    assert!(wire.events().is_empty());
    wire.finish();
}

#[test]
fn what_was_under_way_at_a_disconnection_is_not_of_the_next_connect() {
    let mut wire = Wire::connected_websocket();
    let chat = wire.add("/chat");
    wire.connect(chat);
    wire.text(r#"40/chat,{"sid":"a"}"#);
    wire.disconnect(chat);
    wire.connect(chat);
    wire.text(r#"42/chat,["old"]"#);
    wire.events();
    wire.text(r#"40/chat,{"sid":"b"}"#);
    wire.text(r#"42/chat,["new"]"#);
    assert_eq!(wire.events(), ["connected /chat b", r#"["new"]"#]);
    wire.finish();
}

/// The reference sends it, and the server closes the connection, again and again with `retries`.
#[test]
fn what_the_server_does_not_take_is_discarded() {
    let mut wire = Wire::websocket();
    let long = "x".repeat(100);
    wire.emit("a");
    wire.emit(&long);
    wire.emit("b");
    wire.emit_at_least_once(&long, 1);
    wire.emit_at_least_once("c", 2);
    wire.connect(wire.root);
    wire.dial();
    wire.text(HANDSHAKE);
    wire.output();
    wire.text(r#"40{"sid":"id"}"#);
    let expected = ["opened", "connected / id", "discarded /: 100", "discarded /: 100"];
    assert_eq!(wire.events(), expected);
    assert_eq!(wire.output(), [r#"42["a"]"#, r#"42["b"]"#, r#"422["c"]"#]);
    assert_eq!(wire.acks(), ["1: packet exceeds the 100 bytes that the server takes"]);
    wire.finish();
}

#[test]
fn an_acknowledgement_of_what_was_discarded_fails() {
    let mut wire = Wire::with(|config| {
        config.transports = [crate::Transport::WebSocket].into();
    });
    wire.ask(1, None);
    wire.connect(wire.root);
    wire.dial();
    wire.text(r#"0{"sid":"s","pingInterval":25000,"pingTimeout":20000,"maxPayload":9}"#);
    wire.text(r#"40{"sid":"id"}"#);
    wire.events();
    assert_eq!(wire.acks(), ["1: packet exceeds the 9 bytes that the server takes"]);
    wire.finish();
}
