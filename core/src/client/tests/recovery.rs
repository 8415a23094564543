use super::super::{Auth, AuthSource};
use super::Wire;
use super::wire::HANDSHAKE;

/// A client whose server can recover connections.
fn recoverable() -> Wire {
    let mut wire = Wire::websocket();
    wire.connect(wire.root);
    wire.dial();
    wire.text(HANDSHAKE);
    assert_eq!(wire.output(), ["40"]);
    wire.text(r#"40{"sid":"id","pid":"secret"}"#);
    wire.events();
    wire
}

/// Loses the connection; gives the next CONNECT.
fn connect_again(wire: &mut Wire) -> alloc::string::String {
    wire.client.handle_websocket_closed(wire.now, wire.key());
    wire.sleep();
    wire.events();
    wire.dial();
    wire.text(HANDSHAKE);
    wire.events();
    wire.output().remove(0)
}

#[test]
fn what_was_missed_is_brought_by_the_next_connection() {
    let mut wire = recoverable();
    wire.text(r#"42["a",1,"o1"]"#);
    wire.text(r#"42["b","o2"]"#);
    assert_eq!(connect_again(&mut wire), r#"40{"pid":"secret","offset":"o2"}"#);
    wire.text(r#"42["missed","o3"]"#);
    wire.text(r#"40{"sid":"id","pid":"secret"}"#);
    assert_eq!(wire.events(), ["connected / id recovered", r#"["missed","o3"]"#]);
    assert_eq!(connect_again(&mut wire), r#"40{"pid":"secret","offset":"o3"}"#);
    wire.finish();
}

#[test]
fn a_server_that_cannot_recover_gives_another_secret() {
    let mut wire = recoverable();
    wire.text(r#"42["a","o1"]"#);
    connect_again(&mut wire);
    wire.text(r#"40{"sid":"other","pid":"new"}"#);
    assert_eq!(wire.events(), ["connected / other"]);
    assert_eq!(connect_again(&mut wire), r#"40{"pid":"new"}"#, "offsets belong to a secret");
    wire.text(r#"40{"sid":"third"}"#);
    assert_eq!(wire.events(), ["connected / third"]);
    assert_eq!(connect_again(&mut wire), "40");
    wire.finish();
}

/// Trap 16, as far as it can be told.
#[test]
fn what_cannot_be_an_offset_is_none() {
    let mut wire = recoverable();
    wire.text(r#"42["a","o1"]"#);
    wire.text(r#"42["no string",1]"#);
    wire.text(r#"42["alone"]"#);
    wire.text(r#"427["asks","no offset"]"#);
    wire.text(&alloc::format!(r#"42["long","{}"]"#, "x".repeat(129)));
    assert_eq!(connect_again(&mut wire), r#"40{"pid":"secret","offset":"o1"}"#);
    wire.finish();
}

#[test]
fn without_a_secret_there_are_no_offsets() {
    let mut wire = Wire::connected_websocket();
    wire.text(r#"42["a","text"]"#);
    assert_eq!(connect_again(&mut wire), "40");
    wire.finish();
}

/// Trap 17: the reference lets the application's keys win.
#[test]
fn what_the_application_tells_does_not_disturb() {
    for (auth, told) in [
        (r#"{"pid":"mine","token":"t"}"#, r#"40{"pid":"mine","token":"t","pid":"secret"}"#),
        ("{}", r#"40{"pid":"secret"}"#),
    ] {
        let value: alloc::collections::BTreeMap<&str, &str> =
            serde_json::from_str(auth).expect("an object");
        let mut wire = Wire::with_root(
            |config| config.transports = [crate::Transport::WebSocket].into(),
            |root| root.auth = AuthSource::Value(Auth::encode(&value).expect("an object")),
        );
        wire.connect(wire.root);
        wire.dial();
        wire.text(HANDSHAKE);
        wire.output();
        wire.text(r#"40{"sid":"id","pid":"secret"}"#);
        assert_eq!(connect_again(&mut wire), told);
        wire.finish();
    }
}

#[test]
fn secrets_and_offsets_are_escaped() {
    let mut wire = Wire::websocket();
    wire.connect(wire.root);
    wire.dial();
    wire.text(HANDSHAKE);
    wire.output();
    wire.text(r#"40{"sid":"id","pid":"a\"b"}"#);
    wire.text(r#"42["a","\n"]"#);
    assert_eq!(connect_again(&mut wire), r#"40{"pid":"a\"b","offset":"\n"}"#);
    wire.finish();
}

/// For one because a token had expired.
#[test]
fn a_refusal_in_between_does_not_lose_what_was_missed() {
    let mut wire = recoverable();
    let chat = wire.add("/chat");
    wire.connect(chat);
    wire.text(r#"42["a","o1"]"#);
    connect_again(&mut wire);
    wire.text(r#"44{"message":"expired"}"#);
    wire.output();
    wire.connect(wire.root);
    assert_eq!(wire.output(), [r#"40{"pid":"secret","offset":"o1"}"#]);
    wire.events();
    wire.text(r#"42["missed","o2"]"#);
    wire.text(r#"40{"sid":"id","pid":"secret"}"#);
    assert_eq!(wire.events(), ["connected / id recovered", r#"["missed","o2"]"#]);
    wire.finish();
}

/// What the first of two answers has recovered was not wanted, and the second cannot tell it from
/// what was under way.
#[test]
fn a_connect_that_was_left_recovers_nothing() {
    let mut wire = recoverable();
    wire.text(r#"42["a","o1"]"#);
    connect_again(&mut wire);
    wire.disconnect(wire.root);
    let chat = wire.add("/chat");
    wire.connect(chat);
    wire.connect(wire.root);
    wire.dial();
    wire.text(HANDSHAKE);
    assert!(wire.output().contains(&r#"40{"pid":"secret","offset":"o1"}"#.into()));
    wire.disconnect(wire.root);
    wire.connect(wire.root);
    wire.text(r#"42["missed","o2"]"#);
    wire.text(r#"40{"sid":"id","pid":"secret"}"#);
    assert_eq!(wire.output(), ["41", "40"]);
    wire.events();
    wire.text(r#"40{"sid":"other","pid":"new"}"#);
    assert_eq!(wire.events(), ["connected / other"]);
    wire.finish();
}
