mod limits;
mod properties;
mod values;

use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use super::MessagePack;
use crate::codec::engine::Inbound;
use crate::codec::message::{Encoder, Frame, Message};
use crate::codec::parser::{PacketParts, Parser, SharedParser, Wire};
use crate::codec::socket::{Packet, PacketKind};
use crate::{AckId, Args, Limits, PacketError, Revision};

/// Decodes a message as a connection does.
fn receive(data: impl Into<Bytes>, limits: &Limits) -> Result<(Packet, Vec<Bytes>), PacketError> {
    let parser = SharedParser::from(MessagePack);
    let packet = parser.decode_binary(Revision::V4, data.into(), limits);
    let packet = packet.expect("Engine.IO 4 takes any binary data");
    if let Inbound::Complete(complete) = packet {
        return Ok((complete.packet, complete.attachments));
    }
    let Inbound::Message(packet) = packet else { panic!("{packet:?} is no packet") };
    packet.map(|packet| (packet, Vec::new()))
}

fn args(data: impl Into<Bytes>) -> Result<Args, PacketError> {
    let (packet, attachments) = receive(data, &Limits::default())?;
    assert_eq!(packet.attachments as usize, attachments.len());
    Ok(packet.into_args(attachments))
}

/// `{type: 2, data: ["e", <value>], nsp: "/"}`.
fn event(value: &[u8]) -> Vec<u8> {
    [b"\x83\xa4type\x02\xa4data\x92\xa1e", value, b"\xa3nsp\xa1/"].concat()
}

/// The JSON of the argument that the value is.
fn json(value: &[u8]) -> Result<String, PacketError> {
    args(event(value)).map(|args| args.get(0).expect("one argument").as_str().into())
}

/// What is sent for a message.
fn encoded(message: &Message) -> Bytes {
    let message = SharedParser::from(MessagePack).encode(message).expect("it has a form");
    let [frame] = message.frames() else { panic!("one message is one packet") };
    assert!(frame.is_binary());
    frame.packet_bytes()
}

/// How a JSON value is written, without what is around it.
fn packed(value: &str) -> Vec<u8> {
    let text = alloc::format!(r#"42["e",{value}]"#);
    let message = encoded(&Message::from(Frame::text(&text)));
    let inner = message.strip_prefix(b"\x83\xa4type\x02\xa4data\x92\xa1e").expect("an event");
    inner.strip_suffix(b"\xa3nsp\xa1/").expect("an event").to_vec()
}

#[test]
fn packets_are_written_as_the_javascript_parser_writes_them() {
    let encoder = &mut Encoder::new();
    let id = AckId::new(300);
    let data = Bytes::from_static(&[1, 2]);
    let cases: [(Message, &[u8]); 8] = [
        (
            Message::event(encoder, "/", "e", &(1, "x"), None).expect("encodes"),
            b"\x83\xa4type\x02\xa4data\x93\xa1e\x01\xa1x\xa3nsp\xa1/",
        ),
        (
            Message::event(encoder, "/chat", "e", &data, id).expect("encodes"),
            b"\x84\xa4type\x02\xa4data\x92\xa1e\xc4\x02\x01\x02\xa2id\xcd\x01\x2c\xa3nsp\xa5/chat",
        ),
        (
            Message::ack(encoder, "/", AckId::new(0).expect("small"), &()).expect("encodes"),
            b"\x84\xa4type\x03\xa4data\x90\xa2id\x00\xa3nsp\xa1/",
        ),
        (
            Message::connect("/", "id", None),
            b"\x83\xa4type\x00\xa4data\x81\xa3sid\xa2id\xa3nsp\xa1/",
        ),
        (Message::connect_v4("/"), b"\x82\xa4type\x00\xa3nsp\xa1/"),
        (Message::disconnect("/chat"), b"\x82\xa4type\x01\xa3nsp\xa5/chat"),
        (
            Message::connect_error(encoder, "/", "no", Some(&1)).expect("encodes"),
            b"\x83\xa4type\x04\xa4data\x82\xa7message\xa2no\xa4data\x01\xa3nsp\xa1/",
        ),
        (
            Message::error_v4(encoder, "/", "no").expect("encodes"),
            b"\x83\xa4type\x04\xa4data\xa2no\xa3nsp\xa1/",
        ),
    ];
    for (message, expected) in cases {
        let text = message.frames()[0].packet_bytes();
        assert_eq!(encoded(&message), expected, "{text:?}");
    }
}

#[test]
fn fields_may_come_in_any_order_and_others_are_passed_over() {
    let packet = b"\x86\xa3nsp\xa1/\xa2id\x07\xa7options\x81\xa8compress\xc3\xa4type\x02\
                   \xabattachments\xd4\x00\x00\xa4data\x91\xa1e";
    let (packet, attachments) = receive(&packet[..], &Limits::default()).expect("a packet");
    assert_eq!((packet.kind, packet.namespace()), (PacketKind::Event, "/"));
    assert_eq!((packet.ack.map(AckId::get), packet.event_name()), (Some(7), "e"));
    assert!(attachments.is_empty());
}

#[test]
fn what_every_kind_of_packet_must_have_is_checked() {
    use PacketError::{
        IllegalAckId, IllegalNamespace, InvalidPayload, ReservedName, UnexpectedText, UnknownType,
    };
    let undefined = b"\xd4\x00\x00";
    let with_data = |kind: u8, data: &[u8]| {
        [&b"\x83\xa4type"[..], &[kind], b"\xa4data", data, b"\xa3nsp\xa1/"].concat()
    };
    let with_id =
        |id: &[u8]| [&b"\x84\xa4type\x02\xa4data\x91\xa1e\xa3nsp\xa1/\xa2id"[..], id].concat();
    let accepted = [
        b"\x82\xa4type\x00\xa3nsp\xa1/".to_vec(),
        with_data(0, undefined),
        with_data(0, b"\x80"),
        with_data(1, undefined),
        with_data(3, b"\x90"),
        with_data(4, b"\xa2no"),
        with_data(4, b"\x80"),
        with_id(undefined),
        with_id(b"\xcb\x3f\xf0\0\0\0\0\0\0"),
        with_id(b"\xd3\0\0\0\0\0\0\0\x01"),
    ];
    for packet in accepted {
        let result = receive(packet.clone(), &Limits::default());
        assert!(result.is_ok(), "{packet:x?}: {result:?}");
    }
    let refused = [
        (Vec::new(), InvalidPayload),
        (b"\xc0".to_vec(), InvalidPayload),
        (b"\x90".to_vec(), InvalidPayload),
        (b"\x80".to_vec(), InvalidPayload),
        (b"\x82\xa4type\x05\xa3nsp\xa1/".to_vec(), UnknownType { byte: 5 }),
        (b"\x82\xa4type\xcd\x01\x02\xa3nsp\xa1/".to_vec(), UnknownType { byte: 255 }),
        (b"\x82\xa4type\xff\xa3nsp\xa1/".to_vec(), InvalidPayload),
        (b"\x82\xa4type\xa11\xa3nsp\xa1/".to_vec(), InvalidPayload),
        (b"\x82\xa4type\xcb\x3f\xf8\0\0\0\0\0\0\xa3nsp\xa1/".to_vec(), InvalidPayload),
        (b"\x81\xa4type\x00".to_vec(), IllegalNamespace),
        (b"\x82\xa4type\x00\xa3nsp\x01".to_vec(), IllegalNamespace),
        (b"\x82\xa4type\x00\xa3nsp\xa4chat".to_vec(), IllegalNamespace),
        (b"\x82\xa4type\x00\xa3nsp\xa4/a,b".to_vec(), IllegalNamespace),
        (with_data(0, b"\x90"), InvalidPayload),
        (with_data(0, b"\xc0"), InvalidPayload),
        // A date is a text here, and an object of its own in JavaScript.
        (with_data(0, b"\xd7\0\0\0\0\0\0\0\0\0"), InvalidPayload),
        (with_data(1, b"\x80"), InvalidPayload),
        (with_data(2, b"\x80"), InvalidPayload),
        (with_data(2, b"\x90"), InvalidPayload),
        (with_data(2, b"\x91\xc0"), InvalidPayload),
        (with_data(2, b"\x91\xa7connect"), ReservedName),
        (with_data(2, undefined), InvalidPayload),
        (with_data(3, b"\xc0"), InvalidPayload),
        (with_data(4, b"\x90"), InvalidPayload),
        (with_data(4, undefined), InvalidPayload),
        (b"\x82\xa4type\x04\xa3nsp\xa1/".to_vec(), InvalidPayload),
        (with_id(b"\xc0"), IllegalAckId),
        (with_id(b"\xff"), IllegalAckId),
        (with_id(b"\xcf\0\x20\0\0\0\0\0\0"), IllegalAckId),
        (with_id(b"\xcb\x3f\xf8\0\0\0\0\0\0"), IllegalAckId),
        (with_id(b"\xa11"), IllegalAckId),
        // Something follows, and something lacks.
        (b"\x82\xa4type\x00\xa3nsp\xa1/\xc0".to_vec(), InvalidPayload),
        (b"\x83\xa4type\x00\xa3nsp\xa1/".to_vec(), InvalidPayload),
        (b"\x82\x00\x00\xa3nsp\xa1/".to_vec(), InvalidPayload),
    ];
    for (packet, error) in refused {
        let result = receive(packet.clone(), &Limits::default());
        assert_eq!(result.map(|(packet, _)| packet.kind), Err(error), "{packet:x?}");
    }
    let text = MessagePack.decode(Wire::Text("[]".into()), &Limits::default());
    assert_eq!(text, Err(UnexpectedText));
}

#[test]
fn a_packet_that_is_cut_off_is_refused() {
    let message = Message::event(
        &mut Encoder::new(),
        "/chat",
        "e",
        &(Bytes::from_static(b"data"), "x".repeat(300), [1.5], u64::MAX, i64::MIN),
        AckId::new(70_000),
    );
    let packet = encoded(&message.expect("encodes"));
    assert!(receive(packet.clone(), &Limits::default()).is_ok());
    for end in 0..packet.len() {
        let cut = receive(packet.slice(..end), &Limits::default());
        assert!(cut.is_err(), "{end}: {cut:?}");
    }
}
