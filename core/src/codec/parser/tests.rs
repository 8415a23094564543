//! What holds for every parser, with one of our own.

use alloc::format;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::Encoder;
use crate::codec::base64;
use crate::codec::engine::decode_text;
use crate::codec::payload::{self, v3};

/// Everything on lines of its own: type, namespace, id, payload, attachments in base64. A packet
/// without an id has an empty line. It has no form for an event `formless`.
#[derive(Debug)]
pub(crate) struct Lines;

impl Parser for Lines {
    fn encode<'a>(&self, packet: &'a PacketParts<'_>) -> Result<Wire<'a>, EncodeError> {
        let PacketParts { kind, namespace, ack, payload, attachments } = packet;
        if payload.starts_with(r#"["formless""#) {
            return Err(EncodeError::Value { message: "formless".into() });
        }
        let ack = ack.map(|id| id.to_string()).unwrap_or_default();
        let mut text = format!("{}\n{namespace}\n{ack}\n{payload}", kind.number()).into_bytes();
        for attachment in attachments {
            text.push(b'\n');
            base64::encode_into(attachment, &mut text);
        }
        Ok(Wire::Text(String::from_utf8(text).expect("it is text").into()))
    }

    fn decode<'a>(&self, wire: Wire<'a>, _: &Limits) -> Result<PacketParts<'a>, PacketError> {
        let Wire::Text(text) = wire else { return Err(PacketError::UnexpectedBinary) };
        let mut lines = text.split('\n');
        let mut next = || lines.next().ok_or(PacketError::InvalidPayload);
        let kind = next()?.parse().map_err(|_| PacketError::Empty)?;
        let namespace = next()?.to_string();
        let ack = match next()? {
            "" => None,
            id => Some(id.parse().ok().and_then(AckId::new).ok_or(PacketError::IllegalAckId)?),
        };
        let payload = next()?.to_string();
        let attachments = lines.map(|line| base64::decode(line.as_bytes()).into()).collect();
        let (namespace, payload) = (namespace.into(), payload.into());
        let kind = PacketKind::from_number(kind)?;
        Ok(PacketParts { kind, namespace, ack, payload, attachments })
    }
}

fn lines() -> SharedParser {
    SharedParser::from(Lines)
}

/// A packet, as the default form has it, with its attachments.
fn shown(packet: &Inbound) -> String {
    if let Inbound::Complete(complete) = packet {
        return show(&complete.packet, &complete.attachments);
    }
    let Inbound::Message(Ok(packet)) = packet else { return format!("{packet:?}") };
    show(packet, &[])
}

fn show(packet: &Packet, attachments: &[Bytes]) -> String {
    assert_eq!(packet.attachments as usize, attachments.len());
    let ack = packet.ack.map(|id| id.to_string()).unwrap_or_default();
    let (kind, namespace) = (packet.kind.number(), packet.namespace());
    format!("{kind} {namespace} {ack} {} {attachments:?}", packet.payload())
}

fn decoded(revision: Revision, text: &str, limits: &Limits) -> Result<String, PacketError> {
    let text = Bytes::from(format!("4{text}"));
    let packet = lines().decode_text(revision, text, limits).expect("it is a message");
    if let Inbound::Message(Err(error)) = packet { Err(error) } else { Ok(shown(&packet)) }
}

#[test]
fn every_message_comes_back_as_what_it_was() {
    let encoder = &mut Encoder::new();
    let id = AckId::new(7);
    let data = Bytes::from_static(&[1, 2]);
    let messages = [
        Message::event(encoder, "/", "a", &(1, "x"), None).expect("encodes"),
        Message::event(encoder, "/chat", "a", &(), id).expect("encodes"),
        Message::event(encoder, "/", "a", &(&data, [&data]), id).expect("encodes"),
        Message::event_with_offset(encoder, "/", "a", &data, 5).expect("encodes"),
        Message::ack(encoder, "/", AckId::new(0).expect("small"), &data).expect("encodes"),
        Message::ack(encoder, "/chat", AckId::MAX, &()).expect("encodes"),
        Message::connect("/chat", "id", Some("pid")),
        Message::connect_v4("/"),
        Message::connect_request(encoder, "/", Some(&vec![("a", 1)])).expect("encodes"),
        Message::connect_error(encoder, "/chat", "no", Some("why")).expect("encodes"),
        Message::error_v4(encoder, "/chat", "no").expect("encodes"),
        Message::invalid_namespace("/nope"),
        Message::disconnect("/chat"),
    ];
    let parser = lines();
    for message in messages {
        // The default form, read by the default decoder.
        let (header, attachments) = message.frames().split_first().expect("a header");
        let attachments: Vec<_> = attachments.iter().map(Frame::packet_bytes).collect();
        let expected = Packet::decode(header.packet_bytes(), &Limits::default());
        let Ok(expected) = expected else {
            // Only a client has this for a payload.
            assert_eq!(header.packet(), br#"40[["a",1]]"#);
            continue;
        };
        let encoded = parser.encode(&message).expect("it has a form");
        let [frame] = encoded.frames() else { panic!("one message is one packet") };
        let text = frame.packet_bytes();
        let packet = parser.decode_text(Revision::V4, text, &Limits::default()).expect("a message");
        assert_eq!(shown(&packet), show(&expected, &attachments));
    }
}

#[test]
fn what_is_no_packet_of_socket_io_stays_as_it_is() {
    for message in [Message::ping(), Message::pong_probe(), Message::close(), Message::noop()] {
        let encoded = lines().encode(&message).expect("it needs no form");
        assert_eq!(encoded.frames()[0].packet(), message.frames()[0].packet());
    }
    let limits = Limits::default();
    for text in ["2", "2probe", "3", "5", "6", "1", "0{}"] {
        let text = Bytes::copy_from_slice(text.as_bytes());
        let ours = lines().decode_text(Revision::V4, text.clone(), &limits).expect("a packet");
        assert_eq!(shown(&ours), shown(&decode_text(text, &limits).expect("a packet")));
    }
    for (text, error) in [("", EngineError::Empty), ("7", EngineError::UnknownType { byte: b'7' })]
    {
        let text = Bytes::from_static(text.as_bytes());
        assert_eq!(lines().decode_text(Revision::V4, text, &limits).unwrap_err(), error);
    }
}

#[test]
fn a_message_without_a_form_is_an_error() {
    let message = Message::event(&mut Encoder::new(), "/", "formless", &(), None).expect("JSON");
    let error = encode_for(Some(&lines()), message.clone()).unwrap_err();
    assert_eq!(error.to_string(), "formless");
    assert!(encode_for(None, message).is_ok());
}

/// On polling it would be two packets.
#[test]
fn a_text_with_a_separator_is_not_sent() {
    #[derive(Debug)]
    struct Separated;

    impl Parser for Separated {
        fn encode<'a>(&self, packet: &'a PacketParts<'_>) -> Result<Wire<'a>, EncodeError> {
            Ok(Wire::Text(format!("{}\u{1e}", packet.payload).into()))
        }

        fn decode<'a>(&self, _: Wire<'a>, _: &Limits) -> Result<PacketParts<'a>, PacketError> {
            Err(PacketError::Empty)
        }
    }

    let message = Message::event(&mut Encoder::new(), "/", "e", &(), None).expect("JSON");
    assert!(SharedParser::from(Separated).encode(&message).is_err());
}

#[test]
fn what_a_parser_gives_is_checked() {
    let limits = Limits {
        namespace_bytes: 8,
        event_name_bytes: 7,
        json_depth: 3,
        attachments: 2,
        max_payload: 100,
        ..Limits::default()
    };
    let placeholder = r#"{"_placeholder":true,"num":0}"#;
    let cases = [
        ("2\n/\n\n[\"a\"]".to_string(), Ok("2 /  [\"a\"] []")),
        ("2\n/1234567\n5\n[\"name\"]".to_string(), Ok("2 /1234567 5 [\"name\"] []")),
        ("2\n/12345678\n\n[\"a\"]".to_string(), Err(PacketError::TooLong)),
        ("2\n/\n\n[\"12345678\"]".to_string(), Err(PacketError::TooLong)),
        ("2\n/\n\n[\"a\",[[0]]]".to_string(), Ok("2 /  [\"a\",[[0]]] []")),
        ("2\n/\n\n[\"a\",[[[]]]]".to_string(), Err(PacketError::TooLong)),
        ("2\nchat\n\n[\"a\"]".to_string(), Err(PacketError::IllegalNamespace)),
        ("2\n/a,b\n\n[\"a\"]".to_string(), Err(PacketError::IllegalNamespace)),
        ("2\n\n\n[\"a\"]".to_string(), Err(PacketError::IllegalNamespace)),
        ("2\n/\n\n".to_string(), Err(PacketError::InvalidPayload)),
        ("2\n/\n\n[]".to_string(), Err(PacketError::InvalidPayload)),
        ("2\n/\n\n5[\"a\"]".to_string(), Err(PacketError::InvalidPayload)),
        ("2\n/\n\n/b,[\"a\"]".to_string(), Err(PacketError::InvalidPayload)),
        ("2\n/\n\n[\"connect\"]".to_string(), Err(PacketError::ReservedName)),
        ("2\n/\n9007199254740992\n[\"a\"]".to_string(), Err(PacketError::IllegalAckId)),
        ("0\n/\n5\n{}".to_string(), Ok("0 /  {} []")),
        ("0\n/\n\n[]".to_string(), Err(PacketError::InvalidPayload)),
        ("1\n/\n\n{}".to_string(), Err(PacketError::InvalidPayload)),
        ("4\n/\n\n\"no\"".to_string(), Ok("4 /  \"no\" []")),
        ("5\n/\n\n[\"a\"]".to_string(), Err(PacketError::UnknownType { byte: 5 })),
        (
            format!("2\n/\n\n[\"a\",{placeholder}]"),
            Ok("2 /  [\"a\",{\"_placeholder\":true,\"num\":0}] []"),
        ),
        (
            format!("3\n/\n1\n[{placeholder}]\nAQ=="),
            Ok("3 / 1 [{\"_placeholder\":true,\"num\":0}] [b\"\\x01\"]"),
        ),
        (
            "2\n/\n\n[\"a\"]\nAQ==\nAQ==\nAQ==".to_string(),
            Err(PacketError::TooManyAttachments { limit: 2 }),
        ),
        ("0\n/\n\n{}\nAQ==".to_string(), Err(PacketError::IllegalAttachments)),
        (
            r#"2
/

["a",{"_placeholder":true,"num":1}]
AQ=="#
                .to_string(),
            Err(PacketError::IllegalAttachments),
        ),
        (
            format!("2\n/\n\n[\"a\",\"{}\"]", "x".repeat(793)),
            Err(PacketError::TooLarge { limit: 800 }),
        ),
    ];
    for (text, expected) in cases {
        let expected = expected.map(ToString::to_string);
        assert_eq!(decoded(Revision::V4, &text, &limits), expected, "{text}");
    }
    let fits = format!("2\n/\n\n[\"a\",\"{}\"]", "x".repeat(792));
    assert!(decoded(Revision::V4, &fits, &limits).is_ok());
}

#[test]
fn clients_of_socket_io_4_tell_who_they_are_in_the_namespace() {
    let limits = Limits::default();
    let cases = [
        ("0\n/\n\n", "0 /   []"),
        ("0\n/\n\n{}", "0 /   []"),
        ("0\n/admin\n\n", "0 /admin   []"),
        ("0\n/admin?token=a%20b&x\n\n", r#"0 /admin  {"token":"a b","x":""} []"#),
        ("2\n/admin?a\n\n[\"a\"]", "2 /admin?a  [\"a\"] []"),
    ];
    for (text, expected) in cases {
        assert_eq!(decoded(Revision::V3, text, &limits).as_deref(), Ok(expected), "{text}");
    }
    assert_eq!(
        decoded(Revision::V4, "0\n/admin?token=a\n\n{}", &limits).as_deref(),
        Ok("0 /admin?token=a  {} []")
    );
}

#[test]
fn payloads_have_packets_of_the_parser() {
    let limits = Limits::default();
    let parser = lines();
    let event = "42\n/\n\n[\"a\"]";
    let shown = |packets: Vec<Result<Inbound, EngineError>>| {
        packets.iter().map(|packet| shown(packet.as_ref().expect("a packet"))).collect::<Vec<_>>()
    };
    let body = Bytes::from(format!("{event}\u{1e}2\u{1e}bAQ=="));
    let packets = shown(payload::decode(body, &limits).by(Some(&parser)).collect());
    let binary = "Message(Err(UnexpectedBinary))";
    assert_eq!(packets, ["2 /  [\"a\"] []", "Ping { probe: false }", binary]);

    let body = Bytes::from(format!("{}:{event}1:26:b4AQ==", event.len()));
    let packets = v3::decode(body, v3::Body::Text, &limits).by(Some(&parser)).collect();
    assert_eq!(shown(packets), ["2 /  [\"a\"] []", "Ping { probe: false }", binary]);

    let mut body = vec![0, 1, 1, 0xff];
    body.extend_from_slice(event.as_bytes());
    body.extend_from_slice(&[1, 2, 0xff, 4, 1]);
    let packets = v3::decode(body.into(), v3::Body::Binary, &limits).by(Some(&parser)).collect();
    assert_eq!(shown(packets), ["2 /  [\"a\"] []", binary]);
}

#[test]
fn text_that_is_none_is_refused() {
    let packet = lines().decode_text(
        Revision::V4,
        Bytes::from_static(b"42\n/\n\n[\"\xff\"]"),
        &Limits::default(),
    );
    assert!(matches!(packet, Ok(Inbound::Message(Err(PacketError::InvalidPayload)))));
}

#[test]
fn two_are_equal_if_they_are_the_same() {
    let parser = lines();
    assert_eq!(parser, parser.clone());
    assert_ne!(parser, lines());
    assert_eq!(format!("{parser:?}"), "Lines");
    let shared: Arc<dyn Parser> = Arc::new(Lines);
    assert_eq!(SharedParser::from(shared.clone()), SharedParser::from(shared));
}
