use super::Wire;
use super::wire::UPGRADABLE;
use crate::{Delivery, Transport};

/// A client that has asked for its WebSocket, with a GET under way.
fn upgradable() -> Wire {
    let mut wire = Wire::with(|_| {});
    wire.connect(wire.root);
    wire.requests();
    wire.answer(UPGRADABLE);
    wire.requests();
    wire.posted();
    wire.answer(r#"40{"sid":"id"}"#);
    wire.events();
    wire.requests();
    wire
}

#[test]
fn a_websocket_takes_over() {
    let mut wire = upgradable();
    assert_eq!(wire.dial(), "/socket.io/?EIO=4&transport=websocket&sid=s");
    assert_eq!(wire.output(), ["2probe"]);
    wire.emit("by polling");
    assert_eq!(wire.requests(), [r#"POST 42["by polling"]"#]);
    wire.text("3probe");
    assert!(wire.output().is_empty(), "polling is not at rest yet");
    wire.emit("a");
    wire.posted();
    assert!(wire.requests().is_empty(), "no request begins any more");
    assert!(wire.output().is_empty());
    wire.answer(r#"42["last"]"#);
    assert_eq!(wire.events(), [r#"["last"]"#, "upgraded"]);
    wire.emit("b");
    assert_eq!(wire.output(), ["5", r#"42["a"]"#, r#"42["b"]"#]);
    assert!(wire.requests().is_empty());
    assert_eq!(wire.client.transport(), Some(Transport::WebSocket));
    wire.finish();
}

#[test]
fn it_waits_for_a_post_that_is_under_way() {
    let mut wire = upgradable();
    wire.dial();
    wire.output();
    wire.emit("a");
    assert_eq!(wire.requests(), [r#"POST 42["a"]"#]);
    wire.text("3probe");
    wire.answer("6");
    assert!(wire.requests().is_empty(), "no GET begins any more");
    assert!(wire.output().is_empty());
    wire.posted();
    assert_eq!(wire.output(), ["5"]);
    wire.finish();
}

#[test]
fn a_get_that_ended_before_does_not_delay_it() {
    let mut wire = upgradable();
    wire.dial();
    wire.output();
    wire.answer("6");
    wire.text("3probe");
    assert_eq!(wire.events(), ["upgraded"]);
    assert_eq!(wire.output(), ["5"]);
    wire.finish();
}

#[test]
fn a_ping_in_the_last_get_is_answered_on_the_websocket() {
    let mut wire = upgradable();
    wire.dial();
    wire.output();
    wire.text("3probe");
    wire.answer("2");
    assert_eq!(wire.output(), ["5", "3"]);
    wire.finish();
}

/// Trap 2: the reference neither reads nor writes until its heartbeat fails.
#[test]
fn a_probe_that_dies_during_the_pause_resumes_polling() {
    let mut wire = upgradable();
    wire.dial();
    wire.output();
    wire.text("3probe");
    wire.emit("a");
    assert!(wire.requests().is_empty());
    wire.client.handle_websocket_closed(wire.now, wire.key());
    assert_eq!(wire.requests(), [r#"POST 42["a"]"#]);
    wire.answer("6");
    assert_eq!(wire.requests().len(), 1);
    assert!(wire.events().is_empty());
    assert!(wire.client.poll_websocket().is_none(), "it is not tried again in this session");
    wire.finish();
}

#[test]
fn a_probe_that_takes_too_long_resumes_polling() {
    for answers in [0, 1, 2] {
        let mut wire = upgradable();
        if answers > 0 {
            wire.dial();
            wire.output();
        }
        if answers > 1 {
            wire.text("3probe");
        }
        wire.emit("a");
        wire.advance(10_000);
        assert_eq!(wire.requests(), [r#"POST 42["a"]"#]);
        if answers > 0 {
            assert_eq!(wire.output(), ["(close)"]);
        } else {
            assert!(wire.client.poll_websocket().is_none());
        }
        wire.answer("6");
        assert_eq!(wire.client.transport(), Some(Transport::Polling));
        wire.finish();
    }
}

/// Trap 3: the reference leaves the second WebSocket open.
#[test]
fn a_wrong_answer_closes_the_probe() {
    for answer in ["3", "2", "6", "0{}", r#"42["a"]"#, "x", "", "5"] {
        let mut wire = upgradable();
        wire.dial();
        wire.output();
        wire.text(answer);
        assert_eq!(wire.output(), ["(close)"], "{answer}");
        assert!(wire.events().is_empty());
        wire.emit("a");
        assert_eq!(wire.requests(), [r#"POST 42["a"]"#]);
        wire.finish();
    }
}

#[test]
fn an_answer_before_the_question_closes_the_probe() {
    let mut wire = upgradable();
    wire.dial();
    wire.text("3probe");
    assert_eq!(wire.output(), ["(close)"]);
    wire.finish();
}

#[test]
fn a_failed_request_during_the_pause_ends_the_session() {
    let mut wire = upgradable();
    wire.dial();
    wire.output();
    wire.text("3probe");
    wire.get_failed();
    assert_eq!(wire.events(), ["closed: transport error", "disconnected /: transport error"]);
    assert_eq!(wire.output(), ["(close)"]);
    wire.finish();
}

#[test]
fn a_websocket_that_has_taken_over_is_the_connection() {
    let mut wire = upgradable();
    wire.dial();
    wire.output();
    wire.answer("6");
    wire.text("3probe");
    wire.client.handle_websocket_closed(wire.now, wire.key());
    let expected = ["upgraded", "closed: transport close", "disconnected /: transport close"];
    assert_eq!(wire.events(), expected);
    wire.finish();
}

#[test]
fn volatile_messages_are_dropped_during_the_pause() {
    let mut wire = upgradable();
    assert_eq!(wire.emit_by("a", Delivery::Volatile), "ok");
    wire.requests();
    wire.posted();
    wire.dial();
    wire.output();
    wire.text("3probe");
    assert_eq!(wire.emit_by("b", Delivery::Volatile), "volatile message was dropped");
    wire.finish();
}

#[test]
fn closing_during_the_upgrade_goes_by_polling() {
    for answered in [false, true] {
        let mut wire = upgradable();
        wire.dial();
        wire.output();
        if answered {
            wire.text("3probe");
        }
        wire.disconnect(wire.root);
        assert_eq!(wire.output(), ["(close)"]);
        assert_eq!(wire.requests(), ["POST 41"]);
        wire.posted();
        assert_eq!(wire.requests(), ["POST 1"]);
        wire.posted();
        assert!(wire.client.is_at_rest());
        wire.finish();
    }
}

#[test]
fn upgrades_may_be_unwanted() {
    let mut wire = Wire::polling();
    wire.connect(wire.root);
    wire.requests();
    wire.answer(UPGRADABLE);
    assert!(wire.client.poll_websocket().is_none());
    wire.finish();
}
