//! A client whose packets have another form than the default one.

use alloc::vec;

use bytes::Bytes;
use serde_json::json;

use super::super::{Auth, AuthSource};
use super::Wire;
use super::wire::HANDSHAKE;
use crate::codec::parser::encode_for;
use crate::codec::parser::tests::Lines;
use crate::{AckId, Delivery, Encoder, Message, SharedParser, Transport};

fn encoded(message: Message) -> Message {
    encode_for(Some(&SharedParser::from(Lines)), message).expect("it has a form")
}

/// A client on a WebSocket that is connected, after what the test does with its handshake.
fn connected(auth: Auth) -> Wire {
    let mut wire = Wire::with_root(
        |config| {
            config.transports = vec![Transport::WebSocket];
            config.parser = Some(SharedParser::from(Lines));
        },
        |root| root.auth = AuthSource::Value(auth),
    );
    wire.connect(wire.root);
    wire.dial();
    wire.text(HANDSHAKE);
    assert_eq!(wire.events(), ["opened"]);
    wire
}

#[test]
fn everything_has_the_form_of_the_parser() {
    let mut wire = connected(Auth::encode(&json!({ "token": 1 })).expect("an object"));
    assert_eq!(wire.output(), ["40\n/\n\n{\"token\":1}"]);
    wire.text("40\n/\n\n{\"sid\":\"id\"}");
    assert_eq!(wire.events().len(), 1);

    wire.text("42\n/\n5\n[\"a\",{\"_placeholder\":true,\"num\":0}]\nAQI=");
    wire.text("42\n/\n\n[\"b\"]");
    assert_eq!(wire.events().len(), 2);
    let received = wire.received.remove(0);
    let token = received.ack.expect("it asks");
    let args = received.packet.into_args(received.attachments);
    assert_eq!(&args.decode::<Bytes>().expect("bytes")[..], [1, 2]);
    let now = wire.now;
    let data = Bytes::from_static(&[3]);
    let answer = Message::ack(&mut Encoder::new(), "/", token.id(), &data).expect("encodes");
    wire.root().acknowledge(now, token, encoded(answer)).expect("it is connected");
    assert_eq!(wire.output(), ["43\n/\n5\n[{\"_placeholder\":true,\"num\":0}]\nAw=="]);

    let id = AckId::new(0).expect("small");
    let ask = Message::event(&mut Encoder::new(), "/", "c", &(), Some(id)).expect("encodes");
    let ask = encoded(ask);
    wire.root().emit_with_ack(now, ask, Delivery::Reliable, id, None).expect("there is room");
    assert_eq!(wire.output(), ["42\n/\n0\n[\"c\"]"]);
    wire.text("43\n/\n0\n[{\"_placeholder\":true,\"num\":0}]\nBA==");
    assert_eq!(wire.acks().len(), 1);

    wire.disconnect(wire.root);
    assert_eq!(wire.output(), ["41\n/\n\n", "(close)"]);
    wire.finish();
}

#[test]
fn a_refusal_and_its_data_are_understood() {
    let mut wire = connected(Auth::none());
    assert_eq!(wire.output(), ["40\n/\n\n"]);
    wire.text("44\n/\n\n{\"message\":\"no\",\"data\":{\"code\":1}}");
    let events = wire.events();
    assert!(events[0].contains("no") && events[0].contains("code"), "{events:?}");
    wire.finish();
}

#[test]
fn what_is_no_packet_ends_the_connection() {
    for text in ["42[\"a\"]", "42\n/\n\n[]", "bAQ=="] {
        let mut wire = connected(Auth::none());
        wire.output();
        wire.text("40\n/\n\n{\"sid\":\"id\"}");
        wire.events();
        wire.text(text);
        let events = wire.events();
        assert!(events[0].contains("parse error"), "{text}: {events:?}");
    }
}
