use bytes::Bytes;

use super::super::EmitError;
use super::Wire;
use super::wire::HANDSHAKE;
use crate::{AckId, Delivery, Encoder, Message};

#[test]
fn binary_data_come_and_go_on_a_websocket() {
    let mut wire = Wire::connected_websocket();
    wire.text(r#"452-["a",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]"#);
    wire.binary(&[1]);
    assert!(wire.events().is_empty());
    wire.text("bAg==");
    wire.text(r#"42["b"]"#);
    let events = wire.events();
    assert!(events[0].ends_with("<[1]> <[2]>") && events[1] == r#"["b"]"#, "{events:?}");
    let received = wire.received.remove(0);
    let args = received.packet.into_args(received.attachments);
    let (first, second): (Bytes, Bytes) = args.decode().expect("they are bytes");
    assert_eq!((&first[..], &second[..]), (&[2][..], &[1][..]));

    let data = Bytes::from_static(&[3, 4]);
    let message = Message::event(&mut Encoder::new(), "/", "c", &data, None).expect("encodes");
    let now = wire.now;
    wire.root().emit(now, message, Delivery::Reliable).expect("it is connected");
    let expected = [r#"451-["c",{"_placeholder":true,"num":0}]"#, "<[3, 4]>"];
    assert_eq!(wire.output(), expected);
    wire.finish();
}

#[test]
fn binary_data_come_and_go_by_polling() {
    let mut wire = Wire::connected();
    wire.answer(r#"451-["a",{"_placeholder":true,"num":0}]|bAQID"#);
    assert!(wire.events()[0].ends_with("<[1, 2, 3]>"));
    let data = (Bytes::from_static(&[0; 60]), Bytes::from_static(&[0; 3]));
    let message = Message::event(&mut Encoder::new(), "/", "c", &data, None).expect("encodes");
    let now = wire.now;
    wire.root().emit(now, message, Delivery::Reliable).expect("it is connected");
    // The server takes 100 bytes at once: the parts of a message may go in several bodies.
    let requests = wire.requests();
    assert!(requests[1].starts_with(r#"POST 452-["c","#) && !requests[1].contains('|'));
    wire.posted();
    assert_eq!(wire.requests(), [alloc::format!("POST b{}|bAAAA", "A".repeat(80))]);
    wire.finish();
}

#[test]
fn acknowledgements_have_attachments_too() {
    let mut wire = Wire::connected_websocket();
    wire.ask(1, None);
    wire.text(r#"461-1[{"_placeholder":true,"num":0}]"#);
    wire.binary(&[9]);
    assert_eq!(wire.acks().len(), 1);
    wire.finish();
}

#[test]
fn attachments_that_do_not_come_end_the_connection() {
    let mut wire = Wire::connected_websocket();
    wire.text(r#"451-["a",{"_placeholder":true,"num":0}]"#);
    wire.text("2");
    wire.advance(30_000);
    assert_eq!(wire.events(), ["closed: parse error", "disconnected /: parse error"]);
    wire.finish();
}

/// The server has sent them; it is the application that has kept the driver from reading them.
#[test]
fn attachments_are_given_their_time_anew_where_nobody_read() {
    let mut wire = Wire::with(|config| {
        config.transports = [crate::Transport::WebSocket].into();
        config.limits.inbox_events = 1;
    });
    wire.connect(wire.root);
    wire.establish_websocket();
    wire.text(r#"42["slow"]"#);
    wire.text(r#"451-["a",{"_placeholder":true,"num":0}]"#);
    assert!(!wire.client.wants_input());
    wire.advance(31_000);
    assert_eq!(wire.events(), [r#"["slow"]"#]);
    wire.text("2");
    wire.binary(&[1]);
    assert_eq!(wire.events().len(), 1, "they came in time after all");

    wire.text(r#"451-["a",{"_placeholder":true,"num":0}]"#);
    for _ in 0..3 {
        wire.advance(20_000);
        wire.text("2");
    }
    assert_eq!(wire.events()[0], "closed: parse error", "but not for ever");
    wire.finish();
}

#[test]
fn parts_are_forgotten_with_the_connection() {
    let mut wire = Wire::connected_websocket();
    wire.text(r#"451-["a",{"_placeholder":true,"num":0}]"#);
    wire.client.handle_websocket_closed(wire.now, wire.key());
    wire.sleep();
    wire.events();
    wire.establish_websocket();
    wire.text(r#"42["b"]"#);
    assert_eq!(wire.events(), [r#"["b"]"#]);
    wire.finish();
}

/// The server would answer 413, which ends the session, each time that it is repeated.
#[test]
fn by_polling_binary_data_are_as_large_as_their_base64() {
    // 80 bytes are 108 characters and one in front, and the server takes 100.
    let message = |wire: &mut Wire, ack| wire.message_of(&Bytes::from_static(&[0; 80]), ack);
    let mut wire = Wire::connected();
    let (now, large) = (wire.now, message(&mut wire, None));
    let refused = Err(EmitError::TooLarge { limit: 100 });
    assert_eq!(wire.root().emit(now, large, Delivery::Reliable), refused);
    let large = message(&mut wire, Some(1));
    let ack = AckId::new(1).expect("small");
    assert_eq!(wire.root().emit_at_least_once(now, large, ack), refused);
    assert!(wire.requests().is_empty());
    wire.finish();

    let mut wire = Wire::polling();
    let large = message(&mut wire, None);
    wire.root().emit(now, large, Delivery::Reliable).expect("nobody knows what is too large");
    let large = message(&mut wire, Some(1));
    wire.root().emit_at_least_once(now, large, ack).expect("nobody knows what is too large");
    wire.connect(wire.root);
    wire.requests();
    wire.answer(HANDSHAKE);
    wire.requests();
    wire.posted();
    wire.answer(r#"40{"sid":"id"}"#);
    let expected = ["opened", "connected / id", "discarded /: 100", "discarded /: 100"];
    assert_eq!(wire.events(), expected);
    assert_eq!(wire.acks().len(), 1);
    assert_eq!(wire.requests(), ["GET /socket.io/?EIO=4&transport=polling&sid=s"]);
    wire.finish();

    let mut wire = Wire::connected_websocket();
    let large = message(&mut wire, None);
    wire.root().emit(now, large, Delivery::Reliable).expect("a WebSocket takes bytes");
    assert_eq!(wire.output().len(), 2);
    wire.finish();
}
