use super::Wire;
use super::wire::HANDSHAKE;

#[test]
fn a_websocket_is_closed_behind_what_is_queued() {
    let mut wire = Wire::connected_websocket();
    wire.emit("last");
    wire.client.close(wire.now);
    let expected = ["disconnected /: io client disconnect", "closed: io client disconnect"];
    assert_eq!(wire.events(), expected);
    assert!(!wire.client.is_at_rest());
    assert_eq!(wire.output(), [r#"42["last"]"#, "41", "(close)"]);
    assert!(wire.client.is_at_rest());
    wire.finish();
}

#[test]
fn polling_is_closed_behind_what_is_queued() {
    let mut wire = Wire::connected();
    wire.emit("a");
    wire.requests();
    wire.emit("b");
    wire.client.close(wire.now);
    assert!(wire.requests().is_empty(), "one POST at a time");
    wire.posted();
    assert_eq!(wire.requests(), [r#"POST 42["b"]|41"#]);
    wire.posted();
    assert_eq!(wire.requests(), ["POST 1"]);
    assert!(!wire.client.is_at_rest());
    wire.posted();
    assert!(wire.client.is_at_rest());
    let get = wire.take_get();
    assert!(!wire.client.awaits(get), "the GET is of no interest any more");
    wire.finish();
}

/// Trap 4: the reference leaves the session in the server.
#[test]
fn a_close_during_the_handshake_by_polling_closes_the_session_that_comes_of_it() {
    let mut wire = Wire::polling();
    wire.connect(wire.root);
    wire.requests();
    wire.disconnect(wire.root);
    assert!(wire.events().is_empty(), "nothing was connected");
    assert!(wire.requests().is_empty() && !wire.client.is_at_rest());
    wire.answer(HANDSHAKE);
    assert_eq!(wire.requests(), ["POST 1"]);
    wire.posted();
    assert!(wire.client.is_at_rest() && wire.events().is_empty());
    wire.finish();
}

#[test]
fn a_close_before_the_first_request_needs_none() {
    let mut wire = Wire::polling();
    wire.connect(wire.root);
    wire.disconnect(wire.root);
    assert!(wire.client.is_at_rest() && wire.requests().is_empty());

    let mut wire = Wire::websocket();
    wire.connect(wire.root);
    wire.disconnect(wire.root);
    assert!(wire.client.is_at_rest() && wire.client.poll_websocket().is_none());
    wire.connect(wire.root);
    wire.dial();
    wire.disconnect(wire.root);
    assert_eq!(wire.output(), ["(close)"], "also while it is being opened");
    wire.finish();
}

#[test]
fn a_connection_that_cannot_be_closed_in_time_is_dropped() {
    let mut wire = Wire::connected();
    wire.disconnect(wire.root);
    wire.requests();
    wire.advance(9_999);
    assert!(!wire.client.is_at_rest());
    wire.advance(1);
    assert!(wire.client.is_at_rest());
    wire.finish();
}

#[test]
fn a_new_connection_may_begin_while_the_old_one_closes() {
    let mut wire = Wire::connected_websocket();
    let old = wire.key();
    wire.emit("old");
    wire.disconnect(wire.root);
    wire.connect(wire.root);
    wire.events();
    wire.dial();
    assert_ne!(old, wire.key());
    wire.client.handle_websocket_text(wire.now, old, "42[\"late\"]".into());
    wire.text(HANDSHAKE);
    wire.text(r#"40{"sid":"new"}"#);
    assert_eq!(wire.events(), ["opened", "connected / new"]);
    let new = wire.websocket.replace(old);
    assert_eq!(wire.output(), [r#"42["old"]"#, "41", "(close)"]);
    wire.websocket = new;
    assert!(wire.root().is_connected());
    wire.finish();
}

#[test]
fn the_oldest_goodbye_is_given_up_where_there_are_too_many() {
    let mut wire = Wire::websocket();
    for _ in 0..20 {
        wire.connect(wire.root);
        wire.dial();
        wire.text(HANDSHAKE);
        wire.text(r#"40{"sid":"id"}"#);
        wire.disconnect(wire.root);
        assert!(wire.client.stats().sessions <= 4);
    }
    wire.finish();
}

#[test]
fn what_comes_on_a_connection_that_closes_is_ignored() {
    let mut wire = Wire::connected_websocket();
    wire.disconnect(wire.root);
    wire.events();
    for packet in [r#"42["a"]"#, "41", "2", "43[]", r#"40{"sid":"b"}"#] {
        wire.text(packet);
    }
    assert!(wire.events().is_empty());
    assert_eq!(wire.output(), ["41", "(close)"]);
    wire.finish();
}

#[test]
fn a_close_during_the_delay_ends_the_reconnection() {
    let mut wire = Wire::connected_websocket();
    wire.client.handle_websocket_closed(wire.now, wire.key());
    wire.events();
    wire.client.close(wire.now);
    assert!(wire.client.is_at_rest());
    assert!(wire.events().is_empty(), "it was not connected");
    wire.advance(100_000);
    assert!(wire.client.poll_websocket().is_none());
    wire.finish();
}

#[test]
fn removing_a_namespace_fails_what_it_is_owed() {
    let mut wire = Wire::connected_websocket();
    wire.ask(1, None);
    wire.emit_at_least_once("a", 2);
    let now = wire.now;
    wire.root().remove(now);
    let lost = ["1: socket was disconnected", "2: socket was disconnected"];
    assert_eq!(wire.acks(), lost);
    assert!(wire.client.socket(wire.root).is_none());
    wire.finish();
}

#[test]
fn a_closing_session_keeps_nothing_of_what_it_has_brought() {
    let mut wire = Wire::connected();
    wire.answer(r#"42["a"]|49|42["b"]|42["c"]"#);
    let expected = [r#"["a"]"#, "closed: parse error", "disconnected /: parse error"];
    assert_eq!(wire.events(), expected);
    assert_eq!(wire.client.closing.len(), 1);
    assert!(wire.client.closing[0].next_news().is_none());
    wire.finish();
}
