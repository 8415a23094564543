use super::Wire;

#[test]
fn an_acknowledgement_comes_once() {
    let mut wire = Wire::connected_websocket();
    assert_eq!(wire.ask(1, None), "ok");
    assert_eq!(wire.ask(2, Some(5_000)), "ok");
    assert_eq!(wire.output(), [r#"421["ask"]"#, r#"422["ask"]"#]);
    wire.text(r#"432["b"]"#);
    wire.text(r#"431[1,{"x":2}]"#);
    wire.text(r#"431["again"]"#);
    wire.text(r#"439["unknown"]"#);
    assert_eq!(wire.acks(), [r#"2: ["b"]"#, r#"1: [1, {"x":2}]"#]);
    wire.advance(10_000);
    assert!(wire.acks().is_empty());
    wire.finish();
}

#[test]
fn one_that_does_not_come_times_out() {
    let mut wire = Wire::connected_websocket();
    wire.ask(1, Some(5_000));
    wire.ask(2, Some(0));
    wire.advance(4_999);
    assert_eq!(wire.acks(), ["2: operation has timed out"]);
    wire.advance(1);
    assert_eq!(wire.acks(), ["1: operation has timed out"]);
    wire.text("431[]");
    assert!(wire.acks().is_empty(), "what is late is ignored");
    wire.finish();
}

/// Trap 22: the reference loses those without a timeout.
#[test]
fn those_pending_fail_with_the_connection() {
    let mut wire = Wire::connected_websocket();
    wire.ask(1, None);
    wire.ask(2, Some(60_000));
    wire.client.handle_websocket_closed(wire.now, wire.key());
    let lost = ["1: socket was disconnected", "2: socket was disconnected"];
    assert_eq!(wire.acks(), lost);
    wire.finish();

    let mut wire = Wire::connected_websocket();
    wire.ask(1, None);
    wire.disconnect(wire.root);
    assert_eq!(wire.acks(), lost[..1]);
    wire.finish();

    let mut wire = Wire::connected_websocket();
    wire.ask(1, None);
    wire.text("41");
    assert_eq!(wire.acks(), lost[..1]);
    wire.finish();
}

#[test]
fn those_of_buffered_messages_outlive_the_connection() {
    let mut wire = Wire::connected_websocket();
    wire.client.handle_websocket_closed(wire.now, wire.key());
    wire.ask(1, None);
    wire.sleep();
    wire.dial();
    wire.client.handle_websocket_failed(wire.now, wire.key());
    assert!(wire.acks().is_empty());
    wire.sleep();
    wire.events();
    wire.establish_websocket();
    assert_eq!(wire.output(), [r#"421["ask"]"#]);
    wire.text("431[]");
    assert_eq!(wire.acks(), ["1: []"]);
    wire.finish();
}

/// Trap 23, which is kept: the application is told that it failed, so it is not sent after all.
#[test]
fn a_buffered_message_whose_time_is_over_is_not_sent() {
    let mut wire = Wire::websocket();
    wire.emit("a");
    wire.ask(1, Some(100));
    wire.emit("b");
    wire.advance(100);
    assert_eq!(wire.acks(), ["1: operation has timed out"]);
    wire.connect(wire.root);
    wire.establish_websocket();
    assert_eq!(wire.output(), [r#"42["a"]"#, r#"42["b"]"#]);
    wire.finish();
}

#[test]
fn a_server_cannot_acknowledge_what_was_not_sent() {
    let mut wire = Wire::connected_websocket();
    wire.disconnect(wire.root);
    wire.ask(1, None);
    wire.connect(wire.root);
    wire.dial();
    wire.text(super::wire::HANDSHAKE);
    wire.text("431[]");
    assert!(wire.acks().is_empty());
    wire.finish();
}

#[test]
fn an_id_that_is_pending_cannot_be_used_again() {
    let mut wire = Wire::connected_websocket();
    wire.ask(1, None);
    assert_eq!(wire.ask(1, None), "acknowledgement id is in use");
    assert_eq!(wire.emit_at_least_once("a", 1), "acknowledgement id is in use");
    assert_eq!(wire.emit_at_least_once("a", 2), "ok");
    assert_eq!(wire.ask(2, None), "acknowledgement id is in use");
    wire.text("431[]");
    assert_eq!(wire.ask(1, None), "ok");
    wire.finish();
}

#[test]
fn a_dropped_message_is_not_owed() {
    let mut wire = Wire::websocket();
    let message = wire.message("a", Some(1));
    let (now, ack) = (wire.now, crate::AckId::new(1).expect("small"));
    let result = wire.root().emit_with_ack(now, message, crate::Delivery::Volatile, ack, None);
    assert_eq!(result, Err(super::super::EmitError::Dropped));
    assert_eq!(wire.client.stats().pending_acks, 0);
    wire.finish();
}

#[test]
fn questions_of_the_server_are_answered() {
    let mut wire = Wire::connected_websocket();
    wire.text(r#"4212["q"]"#);
    assert_eq!(wire.events(), [r#"["q"] ack 12"#]);
    assert_eq!(wire.acknowledge(), "ok");
    assert_eq!(wire.output(), [r#"4312["yes"]"#]);
    wire.finish();
}

/// Trap 14: the reference sends it on whatever connection there is.
#[test]
fn an_answer_for_another_connection_is_refused() {
    const STALE: &str = "the connection that asked is gone";
    let mut wire = Wire::connected_websocket();
    wire.text(r#"421["a"]"#);
    wire.text(r#"422["b"]"#);
    wire.text(r#"423["c"]"#);
    wire.events();
    wire.client.handle_websocket_closed(wire.now, wire.key());
    assert_eq!(wire.acknowledge(), STALE);
    wire.sleep();
    wire.events();
    wire.dial();
    wire.text(super::wire::HANDSHAKE);
    wire.output();
    assert_eq!(wire.acknowledge(), STALE);
    wire.text(r#"40{"sid":"id"}"#);
    assert_eq!(wire.acknowledge(), STALE);
    assert!(wire.output().is_empty());
    wire.finish();
}
