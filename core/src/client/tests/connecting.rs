use super::Wire;
use super::wire::HANDSHAKE;
use crate::Transport;

#[test]
fn a_session_by_polling() {
    let mut wire = Wire::polling();
    assert!(wire.requests().is_empty(), "nothing happens without a command");
    wire.connect(wire.root);
    assert_eq!(wire.requests(), ["GET /socket.io/?EIO=4&transport=polling"]);
    wire.answer(HANDSHAKE);
    assert_eq!(wire.events(), ["opened"]);
    assert_eq!(wire.requests(), ["GET /socket.io/?EIO=4&transport=polling&sid=s", "POST 40"]);
    wire.posted();
    wire.answer(r#"40{"sid":"id"}|42["a",1]"#);
    assert_eq!(wire.events(), ["connected / id", r#"["a",1]"#]);
    assert_eq!(wire.root().id().as_deref(), Some("id"));
    assert_eq!(wire.client.transport(), Some(Transport::Polling));
    assert_eq!(wire.emit("b"), "ok");
    assert_eq!(wire.requests().last().map(|request| &request[..]), Some(r#"POST 42["b"]"#));
    wire.finish();
}

#[test]
fn a_session_by_websocket() {
    let mut wire = Wire::websocket();
    wire.connect(wire.root);
    assert_eq!(wire.dial(), "/socket.io/?EIO=4&transport=websocket");
    assert!(wire.requests().is_empty());
    assert!(wire.output().is_empty(), "the server speaks first");
    wire.text(HANDSHAKE);
    assert_eq!(wire.output(), ["40"]);
    wire.text(r#"40{"sid":"id"}"#);
    wire.text(r#"42["a",1]"#);
    assert_eq!(wire.events(), ["opened", "connected / id", r#"["a",1]"#]);
    assert_eq!(wire.client.transport(), Some(Transport::WebSocket));
    wire.emit("b");
    assert_eq!(wire.output(), [r#"42["b"]"#]);
    wire.finish();
}

#[test]
fn packets_behind_the_handshake_count() {
    let mut wire = Wire::polling();
    wire.connect(wire.root);
    wire.requests();
    wire.answer(&[HANDSHAKE, "2", r#"42["ignored"]"#].join("|"));
    assert_eq!(wire.events(), ["opened"]);
    assert_eq!(wire.requests()[1], "POST 3|40");
    wire.finish();
}

#[test]
fn path_and_query_are_the_applications() {
    let mut wire = Wire::with(|config| {
        config.path = "/chat/".into();
        config.query = "token=a%20b".into();
    });
    wire.connect(wire.root);
    assert_eq!(wire.requests(), ["GET /chat/?token=a%20b&EIO=4&transport=polling"]);
    wire.finish();
}

/// Trap 1: the reference notices it with its connect timeout.
#[test]
fn a_close_before_the_handshake_is_a_failed_connect_at_once() {
    let mut wire = Wire::websocket();
    wire.connect(wire.root);
    wire.dial();
    wire.client.handle_websocket_closed(wire.now, wire.key());
    let closed = "connect error /: connection was closed before the handshake";
    assert_eq!(wire.events(), [closed]);
    assert!(wire.root().is_active(), "it is tried again");
    wire.finish();

    let mut wire = Wire::polling();
    wire.connect(wire.root);
    wire.requests();
    wire.answer("1");
    assert_eq!(wire.events(), [closed]);
    wire.finish();
}

/// Traps 30 and 40.
#[test]
fn malformed_handshakes_fail() {
    for body in ["", "0", "0{}", "40", "2", "6", "x", "ok", HANDSHAKE.trim_end_matches('}')] {
        let mut wire = Wire::polling();
        wire.connect(wire.root);
        wire.requests();
        wire.answer(body);
        let events = wire.events();
        assert_eq!(events.len(), 1, "{events:?}");
        assert!(events[0].starts_with("connect error /: "), "{events:?}");
        wire.finish();
    }
}

/// Trap 40.
#[test]
fn a_second_handshake_ends_the_session() {
    let mut wire = Wire::connected();
    wire.answer(HANDSHAKE);
    assert_eq!(wire.events(), ["closed: transport error", "disconnected /: transport error"]);
    wire.finish();
}

#[test]
fn a_refused_handshake_says_its_status() {
    let mut wire = Wire::polling();
    wire.connect(wire.root);
    wire.requests();
    wire.answer_with(403, r#"{"code":4,"message":"Forbidden"}"#);
    assert_eq!(wire.events(), ["connect error /: request was answered with status 403"]);
    wire.finish();
}

#[test]
fn the_connect_timeout_spans_everything_up_to_the_handshake() {
    let mut wire = Wire::websocket();
    wire.connect(wire.root);
    wire.advance(19_999);
    wire.dial();
    assert!(wire.events().is_empty());
    wire.advance(1);
    assert_eq!(wire.events(), ["connect error /: timeout"]);
    assert_eq!(wire.output(), ["(close)"]);
    wire.text(HANDSHAKE);
    assert!(wire.events().is_empty(), "what is late is ignored");
    wire.finish();

    let mut wire = Wire::with(|config| config.connect_timeout = None);
    wire.connect(wire.root);
    assert_eq!(wire.client.poll_timeout(), None);
    wire.finish();
}

#[test]
fn the_next_transport_is_tried_where_one_fails() {
    let mut wire = Wire::with(|config| {
        config.transports = [Transport::WebSocket, Transport::Polling].into();
        config.try_all_transports = true;
    });
    wire.connect(wire.root);
    wire.dial();
    let late = wire.key();
    wire.client.handle_websocket_failed(wire.now, late);
    assert!(wire.events().is_empty(), "the failure is not the last word");
    assert_eq!(wire.requests(), ["GET /socket.io/?EIO=4&transport=polling"]);
    wire.client.handle_websocket_failed(wire.now, late);
    wire.answer(super::wire::UPGRADABLE);
    assert_eq!(wire.events(), ["opened"]);
    assert!(wire.client.poll_websocket().is_none(), "what has failed is not tried again");
    wire.finish();
}

#[test]
fn one_timeout_spans_all_transports() {
    let mut wire = Wire::with(|config| config.try_all_transports = true);
    wire.connect(wire.root);
    wire.requests();
    wire.advance(15_000);
    wire.get_failed();
    wire.dial();
    wire.advance(4_999);
    assert!(wire.events().is_empty());
    wire.advance(1);
    assert_eq!(wire.events(), ["connect error /: timeout"]);
    wire.finish();
}

#[test]
fn the_last_failure_is_told() {
    let mut wire = Wire::with(|config| config.try_all_transports = true);
    wire.connect(wire.root);
    wire.requests();
    wire.answer_with(500, "");
    wire.dial();
    wire.client.handle_websocket_failed(wire.now, wire.key());
    assert_eq!(wire.events(), ["connect error /: WebSocket failed"]);
    wire.finish();
}

#[test]
fn without_transports_there_is_no_connection() {
    let mut wire = Wire::with(|config| config.transports.clear());
    wire.connect(wire.root);
    assert_eq!(wire.events(), ["connect error /: no transports available"]);
    assert!(wire.client.is_at_rest() && wire.client.poll_timeout().is_none());
    wire.connect(wire.root);
    assert_eq!(wire.events(), ["connect error /: no transports available"]);
    wire.finish();
}

#[test]
fn transports_are_tried_once_each() {
    let mut wire = Wire::with(|config| {
        config.transports = [Transport::Polling, Transport::Polling].into();
        config.try_all_transports = true;
    });
    wire.connect(wire.root);
    wire.requests();
    wire.get_failed();
    assert_eq!(wire.events(), ["connect error /: request failed"]);
    wire.finish();
}

#[test]
fn a_manager_may_be_shared() {
    fn is_send<T: Send>() {}
    is_send::<super::super::Manager>();
}
