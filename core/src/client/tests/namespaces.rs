use super::super::AuthSource;
use super::Wire;
use super::wire::HANDSHAKE;

#[test]
fn namespaces_share_one_connection() {
    let mut wire = Wire::websocket();
    let chat = wire.add("/chat");
    wire.connect(wire.root);
    wire.connect(chat);
    wire.dial();
    wire.text(HANDSHAKE);
    assert_eq!(wire.output(), ["40", "40/chat,"]);
    wire.text(r#"40/chat,{"sid":"b"}"#);
    wire.text(r#"40{"sid":"a"}"#);
    wire.text(r#"42/chat,["x"]"#);
    let expected = ["opened", "connected /chat b", "connected / a", r#"["x"]"#];
    assert_eq!(wire.events(), expected);
    let admin = wire.add("/admin");
    wire.connect(admin);
    assert_eq!(wire.output(), ["40/admin,"]);
    assert!(wire.client.poll_websocket().is_none());
    wire.finish();
}

/// Trap 13: the reference sends CONNECT twice.
#[test]
fn connect_is_not_sent_twice() {
    let mut wire = Wire::websocket();
    wire.connect(wire.root);
    wire.connect(wire.root);
    wire.dial();
    wire.text(HANDSHAKE);
    wire.connect(wire.root);
    assert_eq!(wire.output(), ["40"]);
    wire.text(r#"40{"sid":"a"}"#);
    wire.connect(wire.root);
    assert!(wire.output().is_empty());
    // A server that confirms twice changes nothing.
    wire.text(r#"40{"sid":"b"}"#);
    assert_eq!(wire.events(), ["opened", "connected / a"]);
    wire.finish();
}

#[test]
fn a_refusal_is_final_and_has_its_data() {
    let mut wire = Wire::websocket();
    let chat = wire.add("/chat");
    wire.connect(wire.root);
    wire.connect(chat);
    wire.dial();
    wire.text(HANDSHAKE);
    wire.text(r#"40{"sid":"a"}"#);
    wire.events();
    wire.text(r#"44/chat,{"message":"no","data":{"code":7}}"#);
    assert_eq!(wire.events(), [r#"connect error /chat: no {"code":7}"#]);
    assert!(!wire.socket(chat).is_active());
    wire.output();
    wire.connect(chat);
    assert_eq!(wire.output(), ["40/chat,"], "it may ask again");
    wire.text(r#"44/chat,"old""#);
    assert_eq!(wire.events(), ["connect error /chat: old"]);
    assert!(wire.root().is_connected());
    wire.finish();
}

/// Trap 12: the only namespace was refused. The application learns why, and only then that the
/// connection is closed.
#[test]
fn the_refusal_of_the_last_namespace_closes_the_connection() {
    let mut wire = Wire::websocket();
    wire.connect(wire.root);
    wire.dial();
    wire.text(HANDSHAKE);
    wire.output();
    wire.text(r#"44{"message":"Invalid namespace"}"#);
    let expected = ["opened", "connect error /: Invalid namespace", "closed: io client disconnect"];
    assert_eq!(wire.events(), expected);
    assert_eq!(wire.output(), ["(close)"]);
    assert!(wire.client.is_at_rest());
    wire.connect(wire.root);
    wire.dial();
    wire.finish();
}

#[test]
fn a_confirmation_without_an_id_is_of_another_protocol() {
    let mut wire = Wire::websocket();
    wire.connect(wire.root);
    wire.dial();
    wire.text(HANDSHAKE);
    wire.text("40");
    let error = "connect error /: the server speaks another version of the protocol";
    assert_eq!(wire.events()[1], error);
    assert!(!wire.root().is_active());
    wire.finish();
}

#[test]
fn a_disconnection_by_the_server_is_final() {
    let mut wire = Wire::connected_websocket();
    let chat = wire.add("/chat");
    wire.connect(chat);
    wire.text(r#"40/chat,{"sid":"b"}"#);
    wire.events();
    wire.text("41/chat,");
    assert_eq!(wire.events(), ["disconnected /chat: io server disconnect"]);
    assert!(!wire.socket(chat).is_active() && wire.root().is_connected());
    wire.text(r#"42/chat,["late"]"#);
    wire.text("41/chat,");
    assert!(wire.events().is_empty());
    wire.text("41");
    let expected = ["disconnected /: io server disconnect", "closed: io client disconnect"];
    assert_eq!(wire.events(), expected);
    wire.advance(100_000);
    assert!(wire.client.is_at_rest(), "nothing is connected again by itself");
    wire.finish();
}

#[test]
fn a_disconnection_by_the_application_tells_the_server() {
    let mut wire = Wire::connected_websocket();
    let chat = wire.add("/chat");
    wire.connect(chat);
    wire.text(r#"40/chat,{"sid":"b"}"#);
    wire.events();
    wire.output();
    wire.disconnect(chat);
    assert_eq!(wire.events(), ["disconnected /chat: io client disconnect"]);
    assert_eq!(wire.output(), ["41/chat,"]);
    wire.connect(chat);
    assert_eq!(wire.output(), ["40/chat,"]);
    wire.disconnect(wire.root);
    assert_eq!(wire.output(), ["41"], "the connection stays for the other");
    wire.finish();
}

/// Before the answer to CONNECT, the server would take DISCONNECT for a violation.
#[test]
fn a_disconnection_before_the_confirmation_waits_for_it() {
    let mut wire = Wire::connected_websocket();
    let chat = wire.add("/chat");
    wire.connect(chat);
    wire.output();
    wire.disconnect(chat);
    assert!(wire.output().is_empty());
    wire.text(r#"42/chat,["unwanted"]"#);
    wire.text(r#"40/chat,{"sid":"b"}"#);
    assert_eq!(wire.output(), ["41/chat,"]);
    assert!(wire.events().is_empty());

    wire.connect(chat);
    wire.output();
    wire.disconnect(chat);
    wire.connect(chat);
    wire.connect(chat);
    assert!(wire.socket(chat).is_active());
    assert!(wire.output().is_empty(), "CONNECT is under way already");
    wire.text(r#"40/chat,{"sid":"c"}"#);
    assert_eq!(wire.output(), ["41/chat,", "40/chat,"]);
    assert!(wire.events().is_empty(), "it was the answer to the first");
    wire.text(r#"40/chat,{"sid":"d"}"#);
    assert_eq!(wire.events(), ["connected /chat d"]);

    wire.disconnect(chat);
    wire.connect(chat);
    wire.output();
    wire.events();
    wire.disconnect(chat);
    wire.text(r#"44/chat,{"message":"no"}"#);
    assert!(wire.events().is_empty() && wire.output().is_empty());
    wire.finish();
}

#[test]
fn a_namespace_that_is_removed_before_the_confirmation_is_left() {
    let mut wire = Wire::connected_websocket();
    let chat = wire.add("/chat");
    wire.connect(chat);
    wire.output();
    let now = wire.now;
    wire.socket(chat).remove(now);
    assert!(wire.client.socket(chat).is_none());
    assert_eq!(wire.client.stats().namespaces, 2);
    wire.text(r#"40/chat,{"sid":"b"}"#);
    assert_eq!(wire.output(), ["41/chat,"]);
    assert_eq!(wire.client.stats().namespaces, 1);

    // One that is added again in the meantime is not what is under way.
    let chat = wire.add("/chat");
    wire.connect(chat);
    wire.output();
    wire.socket(chat).remove(now);
    let again = wire.add("/chat");
    assert_eq!(again, chat);
    wire.connect(again);
    wire.text(r#"40/chat,{"sid":"c"}"#);
    assert_eq!(wire.output(), ["41/chat,", "40/chat,"]);
    wire.text(r#"40/chat,{"sid":"d"}"#);
    assert_eq!(wire.events(), ["connected /chat d"]);
    wire.finish();
}

/// A login that follows a logout at once must not go on with what the logout has left.
#[test]
fn a_connect_after_a_disconnection_tells_what_is_to_be_told_by_then() {
    for (answer, output) in
        [(r#"40/chat,{"sid":"b"}"#, &["41/chat,"][..]), (r#"44/chat,{"message":"no"}"#, &[])]
    {
        let mut wire = Wire::connected_websocket();
        let config = super::super::SocketConfig { auth: AuthSource::Ask, ..Default::default() };
        let chat = wire.client.namespace("/chat", config).expect("it may be added");
        wire.connect(chat);
        assert_eq!(wire.events(), ["auth? /chat"]);
        wire.authenticate("old");
        assert_eq!(wire.output(), [r#"40/chat,{"token":"old"}"#]);
        wire.disconnect(chat);
        wire.connect(chat);
        wire.text(answer);
        assert_eq!(wire.output(), output);
        assert_eq!(wire.events(), ["auth? /chat"]);
        wire.authenticate("new");
        assert_eq!(wire.output(), [r#"40/chat,{"token":"new"}"#]);
        wire.text(r#"40/chat,{"sid":"c"}"#);
        assert_eq!(wire.events(), ["connected /chat c"]);
        wire.finish();
    }
}

#[test]
fn one_that_is_wanted_again_keeps_the_connection_and_outlives_it() {
    let mut wire = Wire::websocket();
    let chat = wire.add("/chat");
    wire.connect(wire.root);
    wire.connect(chat);
    wire.dial();
    wire.text(HANDSHAKE);
    wire.output();
    wire.disconnect(chat);
    wire.connect(chat);
    wire.disconnect(wire.root);
    assert_eq!(wire.events(), ["opened"], "the connection is still needed");
    wire.client.handle_websocket_closed(wire.now, wire.key());
    assert!(wire.socket(chat).is_active() && !wire.root().is_active());
    wire.sleep();
    wire.dial();
    wire.text(HANDSHAKE);
    assert_eq!(wire.output(), ["40/chat,"]);
    wire.disconnect(chat);
    wire.events();

    wire.connect(chat);
    wire.dial();
    wire.text(HANDSHAKE);
    wire.connect(wire.root);
    wire.events();
    wire.output();
    wire.disconnect(chat);
    wire.connect(chat);
    wire.disconnect(chat);
    wire.client.handle_websocket_closed(wire.now, wire.key());
    assert!(!wire.socket(chat).is_active());
    wire.finish();
}

/// Trap 36.
#[test]
fn names_are_compared_as_they_are() {
    let mut wire = Wire::polling();
    let one = wire.add("/a");
    assert_ne!(one, wire.add("/a/"));
    assert_eq!(one, wire.add("/a"));
    for name in ["", "a", "a/", "/a,b"] {
        assert!(wire.client.namespace(name, super::super::SocketConfig::default()).is_err());
    }
    wire.finish();
}

#[test]
fn packets_for_namespaces_that_are_not_connected_are_ignored() {
    let mut wire = Wire::connected_websocket();
    let chat = wire.add("/chat");
    for packet in [
        r#"42/chat,["a"]"#,
        r#"42/other,["a"]"#,
        r#"40/chat,{"sid":"b"}"#,
        "41/chat,",
        r#"44/chat,{"message":"no"}"#,
        "43/chat,1[]",
        r#"44{"message":"no"}"#,
    ] {
        wire.text(packet);
        assert!(wire.events().is_empty(), "{packet}");
    }
    assert!(!wire.socket(chat).is_active() && wire.root().is_connected());
    wire.finish();
}

/// Trap 35: the reference waits for ever.
#[test]
fn a_connect_that_is_not_answered_fails() {
    let mut wire = Wire::connected_websocket();
    let chat = wire.add("/chat");
    wire.connect(chat);
    wire.output();
    for _ in 0..2 {
        wire.advance(20_000);
        wire.text("2");
    }
    assert_eq!(wire.events(), [""; 0]);
    wire.advance(5_000);
    let unanswered = ["connect error /chat: the namespace was not confirmed in time"];
    assert_eq!(wire.events(), unanswered);
    assert!(!wire.socket(chat).is_active() && wire.root().is_connected());
    wire.output();

    // Another CONNECT would be a violation, before the first is answered.
    wire.connect(chat);
    wire.text("2");
    wire.advance(20_000);
    wire.text("2");
    wire.advance(25_000);
    assert_eq!(wire.events(), unanswered);
    assert_eq!(wire.output(), ["3"], "one answer to both pings, and no CONNECT");

    // An answer that comes after all is one to a connect that nobody wants any more.
    wire.text(r#"40/chat,{"sid":"late"}"#);
    assert_eq!(wire.events(), [""; 0]);
    assert_eq!(wire.output(), ["41/chat,"]);
    wire.connect(chat);
    assert_eq!(wire.output(), ["40/chat,"]);
    wire.text(r#"40/chat,{"sid":"b"}"#);
    assert_eq!(wire.events(), ["connected /chat b"]);
    wire.text("2");
    wire.advance(20_000);
    wire.text("2");
    wire.advance(20_000);
    wire.text("2");
    wire.advance(20_000);
    assert_eq!(wire.events(), [""; 0], "once connected, nothing is awaited");
    wire.finish();
}

#[test]
fn with_the_last_namespace_that_is_not_answered_the_connection_is_closed() {
    let mut wire = Wire::with_root(
        |config| config.transports = [crate::Transport::WebSocket].into(),
        |root| root.connect_timeout = Some(core::time::Duration::from_millis(100)),
    );
    wire.connect(wire.root);
    wire.dial();
    wire.text(HANDSHAKE);
    assert_eq!(wire.output(), ["40"]);
    wire.advance(100);
    let unanswered = "connect error /: the namespace was not confirmed in time";
    assert_eq!(wire.events(), ["opened", unanswered, "closed: io client disconnect"]);
    assert_eq!(wire.output(), ["(close)"]);
    assert!(wire.client.is_at_rest());
    wire.finish();
}

#[test]
fn an_answer_that_nobody_could_read_is_waited_for() {
    let mut wire = Wire::with(|config| {
        config.transports = [crate::Transport::WebSocket].into();
        config.limits.inbox_events = 1;
    });
    wire.connect(wire.root);
    wire.establish_websocket();
    let chat = wire.add("/chat");
    wire.connect(chat);
    wire.text(r#"42["slow"]"#);
    wire.advance(50_000);
    assert_eq!(wire.events(), [r#"["slow"]"#]);
    wire.text(r#"40/chat,{"sid":"b"}"#);
    assert_eq!(wire.events(), ["connected /chat b"]);
    wire.finish();
}
