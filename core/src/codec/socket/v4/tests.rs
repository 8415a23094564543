use std::string::{String, ToString};

use super::*;
use crate::codec::socket::PacketKind;

/// The namespace and the payload of a CONNECT packet.
fn connect(text: &str) -> (String, String) {
    let packet = decode(Bytes::copy_from_slice(text.as_bytes()), &Limits::default())
        .unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(packet.kind, PacketKind::Connect);
    (packet.namespace().to_string(), packet.payload().to_string())
}

#[test]
fn the_query_of_a_namespace_becomes_its_payload() {
    let cases = [
        ("40", "/", ""),
        ("40/admin", "/admin", ""),
        ("40/admin,", "/admin", ""),
        ("40/admin?token=abc&x=1,", "/admin", r#"{"token":"abc","x":"1"}"#),
        ("40/admin?token=abc", "/admin", r#"{"token":"abc"}"#),
        ("40/admin?x=1&x=2,", "/admin", r#"{"x":"2"}"#),
        ("40/admin?a=%22%2C+%C3%A9,", "/admin", "{\"a\":\"\\\", é\"}"),
        ("40/admin?,", "/admin", "{}"),
        (r#"40/admin,{"a":1}"#, "/admin", ""),
        (r#"40/admin?a=1,{"a":2}"#, "/admin", r#"{"a":"1"}"#),
    ];
    for (text, namespace, payload) in cases {
        assert_eq!(connect(text), (namespace.to_string(), payload.to_string()), "{text}");
    }
}

#[test]
fn the_limit_of_names_does_not_count_the_query() {
    let limits = Limits { namespace_bytes: 6, ..Limits::default() };
    let decode = |text: &'static str| decode(Bytes::from_static(text.as_bytes()), &limits);
    assert!(decode("40/admin?token=a-long-secret,").is_ok());
    assert_eq!(decode("40/admins?token=abc,").unwrap_err(), PacketError::TooLong);
}

#[test]
fn other_packets_are_those_of_socket_io_5() {
    let decode =
        |text: &'static str| decode(Bytes::from_static(text.as_bytes()), &Limits::default());
    let event = decode(r#"42/admin?x,7["a",1]"#).expect("an event");
    assert_eq!((event.namespace(), event.event_name()), ("/admin?x", "a"));
    assert_eq!(decode("4").unwrap_err(), PacketError::Empty);
}
