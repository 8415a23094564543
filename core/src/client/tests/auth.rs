use super::super::{Auth, AuthError, AuthSource};
use super::Wire;
use super::wire::HANDSHAKE;

fn asking() -> Wire {
    Wire::with_root(
        |config| config.transports = [crate::Transport::WebSocket].into(),
        |root| root.auth = AuthSource::Ask,
    )
}

#[test]
fn a_value_is_told_at_each_connect() {
    let auth = Auth::encode(&[("token", "t")].into_iter().collect::<Map>()).expect("an object");
    let mut wire = Wire::with_root(
        |config| config.transports = [crate::Transport::WebSocket].into(),
        |root| root.auth = AuthSource::Value(auth),
    );
    wire.connect(wire.root);
    for _ in 0..2 {
        wire.dial();
        wire.text(HANDSHAKE);
        assert_eq!(wire.output(), [r#"40{"token":"t"}"#]);
        wire.client.handle_websocket_closed(wire.now, wire.key());
        wire.sleep();
    }
    wire.finish();
}

#[test]
fn the_application_is_asked_at_each_connect() {
    let mut wire = asking();
    wire.connect(wire.root);
    for token in ["a", "b"] {
        wire.dial();
        wire.text(HANDSHAKE);
        wire.connect(wire.root);
        assert!(wire.output().is_empty(), "nothing is sent before the answer");
        assert!(wire.events().contains(&"auth? /".into()));
        assert!(wire.authenticate(token));
        assert_eq!(wire.output(), [alloc::format!(r#"40{{"token":"{token}"}}"#)]);
        wire.text(r#"40{"sid":"id"}"#);
        assert_eq!(wire.events(), ["connected / id"]);
        wire.client.handle_websocket_closed(wire.now, wire.key());
        wire.sleep();
    }
    wire.finish();
}

#[test]
fn what_is_told_can_be_changed_for_the_next_connect() {
    let mut wire = Wire::connected_websocket();
    let auth = Auth::encode(&[("token", "t")].into_iter().collect::<Map>()).expect("an object");
    wire.root().set_auth(AuthSource::Value(auth));
    assert!(wire.output().is_empty());
    wire.client.handle_websocket_closed(wire.now, wire.key());
    wire.sleep();
    wire.dial();
    wire.text(HANDSHAKE);
    assert_eq!(wire.output(), [r#"40{"token":"t"}"#]);
    wire.finish();
}

/// Trap 35: an application that never answers holds nothing for ever.
#[test]
fn an_application_that_does_not_say_what_to_tell_has_time_until_the_connect_fails() {
    let mut wire = Wire::with_root(
        |config| config.transports = [crate::Transport::WebSocket].into(),
        |root| {
            root.auth = AuthSource::Ask;
            root.connect_timeout = Some(core::time::Duration::from_millis(1_000));
        },
    );
    wire.connect(wire.root);
    wire.dial();
    wire.text(HANDSHAKE);
    wire.advance(999);
    assert!(wire.root().is_active());
    wire.advance(1);
    let unanswered = "connect error /: the namespace was not confirmed in time";
    assert!(wire.events().contains(&unanswered.into()));
    assert!(!wire.authenticate("late"));
    wire.finish();
}

#[test]
fn an_answer_for_an_earlier_connect_is_stale() {
    let mut wire = asking();
    wire.connect(wire.root);
    wire.dial();
    wire.text(HANDSHAKE);
    wire.events();
    wire.client.handle_websocket_closed(wire.now, wire.key());
    wire.sleep();
    wire.dial();
    wire.text(HANDSHAKE);
    wire.events();
    assert!(!wire.authenticate("old"));
    assert!(wire.output().is_empty());
    assert!(wire.authenticate("new"));
    assert_eq!(wire.output(), [r#"40{"token":"new"}"#]);
    wire.finish();
}

#[test]
fn an_answer_after_a_disconnection_is_stale() {
    let mut wire = asking();
    wire.connect(wire.root);
    wire.dial();
    wire.text(HANDSHAKE);
    wire.events();
    wire.disconnect(wire.root);
    assert!(!wire.authenticate("late"));
    assert_eq!(wire.output(), ["(close)"]);
    wire.finish();
}

#[test]
fn only_objects_can_be_told() {
    assert_eq!(Auth::encode("token"), Err(AuthError::NoObject));
    assert_eq!(Auth::encode(&[1, 2]), Err(AuthError::NoObject));
    assert!(matches!(Auth::encode(&Failing), Err(AuthError::Encode(_))));
}

struct Failing;

impl serde::Serialize for Failing {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("no"))
    }
}

type Map = alloc::collections::BTreeMap<&'static str, &'static str>;
