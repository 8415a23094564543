use super::Wire;

#[test]
fn pings_are_answered() {
    let mut wire = Wire::connected();
    wire.answer("2");
    assert_eq!(wire.requests()[1], "POST 3");
    wire.posted();
    let mut wire2 = Wire::connected_websocket();
    wire2.text("2");
    assert_eq!(wire2.output(), ["3"]);
    wire.finish();
    wire2.finish();
}

#[test]
fn one_pong_answers_many_pings() {
    let mut wire = Wire::connected_websocket();
    for _ in 0..1_000 {
        wire.text("2");
    }
    assert_eq!(wire.output(), ["3"]);
    wire.finish();
}

#[test]
fn a_silent_server_is_given_up() {
    let mut wire = Wire::connected_websocket();
    wire.advance(44_999);
    assert!(wire.events().is_empty());
    wire.advance(1);
    assert_eq!(wire.events(), ["closed: ping timeout", "disconnected /: ping timeout"]);
    assert_eq!(wire.output(), ["(close)"]);
    wire.finish();
}

/// As in the reference: other traffic does not count.
#[test]
fn only_pings_move_the_deadline() {
    let mut wire = Wire::connected_websocket();
    wire.advance(40_000);
    wire.text(r#"42["a"]"#);
    wire.events();
    wire.advance(5_000);
    assert_eq!(wire.events()[0], "closed: ping timeout");

    let mut wire = Wire::connected_websocket();
    wire.advance(40_000);
    wire.text("2");
    wire.advance(44_999);
    assert!(wire.events().is_empty());
    wire.finish();
}

/// Trap 5: after a sleep of the machine, nothing is sent on a connection that is dead.
#[test]
fn an_emit_after_the_deadline_waits_for_the_next_connection() {
    let mut wire = Wire::connected_websocket();
    wire.now = wire.after(45_000);
    assert_eq!(wire.emit("late"), "ok");
    assert_eq!(wire.events(), ["closed: ping timeout", "disconnected /: ping timeout"]);
    assert_eq!(wire.output(), ["(close)"]);
    wire.sleep();
    wire.dial();
    wire.text(super::wire::HANDSHAKE);
    wire.output();
    wire.text(r#"40{"sid":"id"}"#);
    assert_eq!(wire.output(), [r#"42["late"]"#]);
    wire.finish();
}

#[test]
fn an_application_that_does_not_keep_up_is_no_fault_of_the_server() {
    let mut wire = Wire::with(|config| {
        config.upgrade = false;
        config.limits.inbox_events = 2;
    });
    wire.connect(wire.root);
    wire.establish();
    wire.answer(r#"42["a"]|42["b"]"#);
    assert!(!wire.client.wants_input());
    assert!(wire.requests().is_empty(), "no GET where nothing may come");
    wire.advance(45_000);
    assert_eq!(wire.events(), [r#"["a"]"#, r#"["b"]"#]);
    assert_eq!(wire.requests().len(), 1);
    wire.advance(44_999);
    wire.answer("2");
    wire.advance(44_999);
    assert!(wire.events().is_empty());
    wire.finish();
}
