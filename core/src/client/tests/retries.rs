use super::super::queue::INTERRUPTIONS_MAX;
use super::Wire;
use super::wire::HANDSHAKE;

fn retrying(retries: u32) -> Wire {
    let mut wire = Wire::with_root(
        |config| config.transports = [crate::Transport::WebSocket].into(),
        |root| {
            root.retries = retries;
            root.ack_timeout = core::time::Duration::from_millis(1_000);
        },
    );
    wire.connect(wire.root);
    wire.establish_websocket();
    wire
}

#[test]
fn one_after_the_other() {
    let mut wire = retrying(3);
    wire.emit_at_least_once("a", 1);
    wire.emit_at_least_once("b", 2);
    wire.emit_at_least_once("c", 3);
    assert_eq!(wire.output(), [r#"421["a"]"#]);
    wire.text("432[]");
    assert!(wire.acks().is_empty(), "what was not sent cannot be acknowledged");
    wire.text(r#"431["x"]"#);
    assert_eq!(wire.output(), [r#"422["b"]"#]);
    wire.text("432[]");
    assert_eq!(wire.output(), [r#"423["c"]"#]);
    wire.text("433[]");
    assert_eq!(wire.acks(), [r#"1: ["x"]"#, "2: []", "3: []"]);
    assert_eq!(wire.client.stats().buffered_packets, 0);
    wire.finish();
}

#[test]
fn it_is_sent_again_where_no_acknowledgement_comes() {
    let mut wire = retrying(2);
    wire.emit_at_least_once("a", 1);
    wire.emit_at_least_once("b", 2);
    for _ in 0..3 {
        assert_eq!(wire.output(), [r#"421["a"]"#]);
        wire.advance(1_000);
    }
    assert_eq!(wire.acks(), ["1: operation has timed out"]);
    assert_eq!(wire.output(), [r#"422["b"]"#], "the next one has its turn");
    wire.text("431[]");
    assert!(wire.acks().is_empty());
    wire.finish();
}

#[test]
fn a_late_acknowledgement_of_an_earlier_try_counts() {
    let mut wire = retrying(2);
    wire.emit_at_least_once("a", 1);
    wire.output();
    wire.advance(1_000);
    assert_eq!(wire.output(), [r#"421["a"]"#]);
    wire.text("431[1]");
    wire.text("431[2]");
    assert_eq!(wire.acks(), ["1: [1]"]);
    wire.finish();
}

/// Trap 20: a link that comes and goes does not use up the tries.
#[test]
fn a_lost_connection_is_no_failed_try() {
    let mut wire = retrying(0);
    wire.emit_at_least_once("a", 1);
    wire.emit_at_least_once("b", 2);
    for _ in 0..5 {
        assert_eq!(wire.output(), [r#"421["a"]"#]);
        wire.client.handle_websocket_closed(wire.now, wire.key());
        assert!(wire.acks().is_empty());
        wire.sleep();
        wire.events();
        wire.establish_websocket();
    }
    wire.text("431[]");
    assert_eq!(wire.output(), [r#"421["a"]"#, r#"422["b"]"#]);
    wire.finish();
}

fn lose(wire: &mut Wire) {
    wire.client.handle_websocket_closed(wire.now, wire.key());
    wire.sleep();
    wire.events();
    wire.establish_websocket();
}

/// What kills each connection would otherwise be repeated for ever, and nothing behind it sent.
#[test]
fn a_message_that_may_be_what_loses_the_connection_is_given_up() {
    let mut wire = retrying(0);
    wire.emit_at_least_once("a", 1);
    wire.emit_at_least_once("b", 2);
    for _ in 0..INTERRUPTIONS_MAX {
        assert!(wire.acks().is_empty());
        assert_eq!(wire.output(), [r#"421["a"]"#]);
        lose(&mut wire);
    }
    assert_eq!(wire.acks(), ["1: connection was lost at each try"]);
    assert_eq!(wire.output(), [r#"422["b"]"#]);
    wire.text("432[]");
    assert_eq!(wire.acks(), ["2: []"]);
    wire.finish();
}

#[test]
fn only_losses_in_a_row_while_it_is_under_way_are_counted() {
    let mut wire = retrying(1);
    wire.emit_at_least_once("a", 1);
    for _ in 1..INTERRUPTIONS_MAX {
        lose(&mut wire);
    }
    wire.disconnect(wire.root);
    wire.output();
    wire.events();
    wire.connect(wire.root);
    wire.establish_websocket();
    // This connection holds for a whole try.
    wire.advance(1_000);
    assert!(wire.acks().is_empty());
    for _ in 1..INTERRUPTIONS_MAX {
        lose(&mut wire);
    }
    assert_eq!(wire.output(), [r#"421["a"]"#]);
    assert!(wire.acks().is_empty());
    lose(&mut wire);
    assert_eq!(wire.acks(), ["1: connection was lost at each try"]);
    wire.finish();
}

#[test]
fn nothing_is_sent_before_the_connect_and_once_with_it() {
    let mut wire = Wire::websocket();
    wire.emit_at_least_once("a", 1);
    wire.emit("b");
    wire.connect(wire.root);
    wire.dial();
    wire.text(HANDSHAKE);
    assert_eq!(wire.output(), ["40"]);
    wire.advance(20_000);
    wire.text(r#"40{"sid":"id"}"#);
    // What was emitted without it does not wait for acknowledgements.
    assert_eq!(wire.output(), [r#"42["b"]"#, r#"421["a"]"#]);
    wire.finish();
}

/// Trap 19: an expired heartbeat made the reference send it twice.
#[test]
fn an_emit_after_the_deadline_is_sent_once() {
    let mut wire = retrying(3);
    wire.now = wire.after(45_000);
    wire.emit_at_least_once("a", 1);
    assert_eq!(wire.events()[0], "closed: ping timeout");
    wire.output();
    wire.sleep();
    wire.events();
    wire.establish_websocket();
    assert_eq!(wire.output(), [r#"421["a"]"#]);
    wire.finish();
}

#[test]
fn what_could_not_be_sent_is_no_failed_try() {
    let mut wire = Wire::with_root(
        |config| {
            config.transports = [crate::Transport::WebSocket].into();
            config.limits.outbox_bytes = 12;
        },
        |root| {
            root.retries = 0;
            root.ack_timeout = core::time::Duration::from_millis(1_000);
        },
    );
    wire.connect(wire.root);
    wire.establish_websocket();
    wire.emit("a");
    wire.emit_at_least_once("b", 1);
    wire.advance(5_000);
    assert!(wire.acks().is_empty());
    assert_eq!(wire.output(), [r#"42["a"]"#]);
    wire.advance(0);
    assert_eq!(wire.output(), [r#"421["b"]"#], "as soon as there is room");
    wire.text("431[]");
    assert_eq!(wire.acks(), ["1: []"]);
    wire.finish();
}

#[test]
fn what_could_not_be_sent_is_not_tried_again_and_again() {
    let mut wire = Wire::with_root(
        |config| {
            config.transports = [crate::Transport::WebSocket].into();
            config.limits.outbox_bytes = 12;
        },
        |root| {
            root.retries = 0;
            root.ack_timeout = core::time::Duration::ZERO;
        },
    );
    wire.connect(wire.root);
    wire.establish_websocket();
    wire.emit("a");
    wire.emit_at_least_once("b", 1);
    let before = wire.client.poll_timeout();
    assert!(before.is_some_and(|due| due > wire.now), "nothing is due while there is no room");
    wire.client.handle_timeout(wire.now);
    assert_eq!(wire.client.poll_timeout(), before);
    wire.output();
    wire.client.handle_timeout(wire.now);
    assert_eq!(wire.output(), [r#"421["b"]"#]);
    wire.client.handle_timeout(wire.now);
    assert_eq!(wire.acks(), ["1: operation has timed out"]);
    wire.finish();
}

/// The first try was answered while there was no room for the second.
#[test]
fn an_acknowledgement_ends_what_was_postponed() {
    let mut wire = Wire::with_root(
        |config| {
            config.transports = [crate::Transport::WebSocket].into();
            config.limits.outbox_bytes = 12;
        },
        |root| root.ack_timeout = core::time::Duration::from_millis(1_000),
    );
    wire.connect(wire.root);
    wire.establish_websocket();
    wire.emit_at_least_once("b", 1);
    wire.output();
    wire.emit("a");
    wire.advance(1_000);
    wire.text("431[]");
    assert_eq!(wire.acks(), ["1: []"]);
    assert_eq!(wire.output(), [r#"42["a"]"#]);
    wire.advance(0);
    assert!(wire.output().is_empty());
    wire.finish();
}
