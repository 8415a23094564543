use std::format;
use std::string::String;
use std::vec;

use proptest::prelude::*;
use serde::ser::Error as _;

#[cfg(feature = "deflate")]
mod compression;

use super::*;

/// The packets of a message, attachments in hexadecimal.
fn packets(message: &Message) -> Vec<String> {
    let text = |frame: &Frame| match frame.is_binary() {
        true => format!("{:02x?}", frame.packet()),
        false => String::from_utf8(frame.packet().to_vec()).unwrap(),
    };
    message.frames().iter().map(text).collect()
}

fn event<T: Serialize + ?Sized>(namespace: &str, args: &T, id: Option<u64>) -> Vec<String> {
    let id = id.and_then(AckId::new);
    packets(&Message::event(&mut Encoder::new(), namespace, "foo", args, id).unwrap())
}

#[test]
fn encodes_events() {
    assert_eq!(event("/", &(), None), [r#"42["foo"]"#]);
    assert_eq!(event("/", &(), Some(12)), [r#"4212["foo"]"#]);
    assert_eq!(event("/admin", "x", None), [r#"42/admin,["foo","x"]"#]);
    assert_eq!(event("/admin", &(1, "x", [2]), Some(0)), [r#"42/admin,0["foo",1,"x",[2]]"#]);
    let data = Bytes::from_static(&[1, 255]);
    assert_eq!(
        event("/a", &data, Some(3)),
        [r#"451-/a,3["foo",{"_placeholder":true,"num":0}]"#, "[01, ff]"]
    );
    assert_eq!(event("/", &vec![data; 11], None)[0].get(..13), Some(r#"4511-["foo",["#));
}

#[test]
fn encodes_acks() {
    let mut encoder = Encoder::new();
    let id = AckId::new(13).unwrap();
    let mut ack = |args: &str| packets(&Message::ack(&mut encoder, "/admin", id, args).unwrap());
    assert_eq!(ack("bar"), [r#"43/admin,13["bar"]"#]);
    assert_eq!(
        packets(&Message::ack(&mut encoder, "/", AckId::MAX, &()).unwrap()),
        ["439007199254740991[]"]
    );
    let data = Bytes::from_static(&[7]);
    assert_eq!(
        packets(&Message::ack(&mut encoder, "/", id, &("bar", data)).unwrap()),
        [r#"461-13["bar",{"_placeholder":true,"num":0}]"#, "[07]"]
    );
}

#[test]
fn encodes_the_life_of_a_socket() {
    let mut encoder = Encoder::new();
    assert_eq!(packets(&Message::connect("/", "a\"b", None)), [r#"40{"sid":"a\"b"}"#]);
    assert_eq!(
        packets(&Message::connect("/admin", "a", Some("p"))),
        [r#"40/admin,{"sid":"a","pid":"p"}"#]
    );
    let auth = Some([("token", 1)]).map(|entries| entries.into_iter().collect());
    let auth: Option<std::collections::BTreeMap<_, _>> = auth;
    let request = Message::connect_request(&mut encoder, "/a", auth.as_ref()).unwrap();
    assert_eq!(packets(&request), [r#"40/a,{"token":1}"#]);
    let request = Message::connect_request::<()>(&mut encoder, "/", None).unwrap();
    assert_eq!(packets(&request), ["40"]);
    let refusal = |encoder: &mut Encoder, data: Option<&Bytes>| {
        packets(&Message::connect_error(encoder, "/random", "Invalid namespace", data).unwrap())
    };
    assert_eq!(refusal(&mut encoder, None), [r#"44/random,{"message":"Invalid namespace"}"#]);
    assert_eq!(
        refusal(&mut encoder, Some(&Bytes::from_static(&[1, 2]))),
        [r#"44/random,{"message":"Invalid namespace","data":[1,2]}"#]
    );
    assert_eq!(packets(&Message::disconnect("/")), ["41"]);
    assert_eq!(packets(&Message::disconnect("/admin")), ["41/admin,"]);
}

#[test]
fn encodes_engine_packets() {
    let all = [
        (Message::close(), "1"),
        (Message::ping(), "2"),
        (Message::ping_probe(), "2probe"),
        (Message::pong(), "3"),
        (Message::pong_probe(), "3probe"),
        (Message::upgrade(), "5"),
        (Message::noop(), "6"),
    ];
    for (message, packet) in all {
        assert_eq!(packets(&message), [packet]);
        // The constants are what the encoder would have written.
        assert_eq!(message.frames()[0].websocket(), Frame::text(packet).websocket());
    }
}

#[test]
fn frames_begin_with_the_header_of_rfc_6455() {
    let cases: &[(usize, &[u8])] = &[
        (0, &[0x82, 0]),
        (125, &[0x82, 125]),
        (126, &[0x82, 126, 0, 126]),
        (65_535, &[0x82, 126, 0xff, 0xff]),
        (65_536, &[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
    ];
    for &(len, header) in cases {
        let data = vec![7; len];
        let frame = Frame::binary(&data);
        assert_eq!(frame.websocket(), &[header, &data].concat());
        assert_eq!(frame.packet(), data);
        assert_eq!(frame.packet_bytes(), data);
        assert!(frame.is_binary());
    }
    for len in [0, 100, 200, 70_000] {
        let text = "x".repeat(len);
        let message = Message::event(&mut Encoder::new(), "/", "e", &text, None).unwrap();
        let packet = format!("42[\"e\",\"{text}\"]");
        assert_eq!(message.frames()[0].websocket(), Frame::text(&packet).websocket());
        assert_eq!(message.websocket_bytes(), message.frames()[0].websocket().len());
    }
}

#[test]
fn hands_over_its_frames_one_by_one() {
    let data = Bytes::from_static(&[1, 2]);
    for args in [None, Some(&data)] {
        let message = Message::event(&mut Encoder::new(), "/", "e", &args, None).unwrap();
        let expected: Vec<_> = message.frames().iter().map(Frame::websocket).cloned().collect();
        assert_eq!(message.websocket_bytes(), expected.iter().map(Bytes::len).sum::<usize>());
        let mut taken = Vec::new();
        message.into_websocket(|frame| taken.push(frame));
        assert_eq!(taken, expected);
    }
}

#[test]
fn binary_frames_have_a_form_as_text() {
    let frame = Frame::binary(&[1, 2]).to_text();
    assert_eq!((frame.packet(), frame.is_binary()), (&b"bAQI="[..], false));
    let frame = Frame::text("4x").to_text();
    assert_eq!((frame.packet(), frame.is_binary()), (&b"4x"[..], false));
}

#[test]
fn is_shown_packet_by_packet() {
    let data = Bytes::from_static(&[1, 255]);
    let message = Message::event(&mut Encoder::new(), "/", "e", &data, None).unwrap();
    let shown = format!("{message:?}");
    assert!(shown.starts_with("[Text(b\"451-[") && shown.ends_with("Binary(b\"\\x01\\xff\")]"));
}

#[test]
fn refuses_reserved_names() {
    for name in ["connect", "disconnect", "newListener"] {
        let result = Message::event(&mut Encoder::new(), "/", name, &(), None);
        assert_eq!(result.unwrap_err(), EncodeError::ReservedName);
    }
}

#[test]
fn reports_why_a_value_cannot_be_encoded() {
    struct Broken;

    impl Serialize for Broken {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(S::Error::custom("broken"))
        }
    }

    let mut encoder = Encoder::new();
    let broken = (Bytes::from_static(&[1]), Broken);
    let error = Message::event(&mut encoder, "/", "e", &broken, None).unwrap_err();
    assert_eq!(error, EncodeError::custom("broken"));
    assert_eq!(format!("{error}"), "broken");
    // Nothing of it is left in the encoder.
    let message = Message::event(&mut encoder, "/", "e", &(), None).unwrap();
    assert_eq!(packets(&message), [r#"42["e"]"#]);
}

#[test]
fn returns_memory_that_a_large_message_needed() {
    let mut encoder = Encoder::new();
    Message::event(&mut encoder, "/", "e", &"x".repeat(1_000_000), None).unwrap();
    assert!(encoder.output.json.capacity() <= Encoder::KEPT_BYTES_MAX);
    Message::event(&mut encoder, "/", "e", &"x".repeat(1_000), None).unwrap();
    assert!(encoder.output.json.capacity() > 1_000);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn escapes_names_and_text_as_serde_json_does(name: String, text: String) {
        prop_assume!(!is_reserved(name.as_bytes()));
        let message = Message::event(&mut Encoder::new(), "/", &name, &text, None).unwrap();
        let expected = format!("42{}", serde_json::to_string(&(name, text)).unwrap());
        prop_assert_eq!(packets(&message), [expected]);
    }
}

#[test]
fn binary_data_has_the_form_that_the_client_wants() {
    let pieces = |frame: &Frame, form| {
        let mut pieces = Vec::new();
        frame.websocket_as(form, |piece| pieces.extend_from_slice(&piece));
        pieces
    };
    let forms = [BinaryForm::Bare, BinaryForm::Typed, BinaryForm::Base64, BinaryForm::TypedBase64];
    let binary = Frame::binary(&[1, 2]);
    let expected: [&[u8]; 4] =
        [b"\x82\x02\x01\x02", b"\x82\x03\x04\x01\x02", b"\x81\x05bAQI=", b"\x81\x06b4AQI="];
    for (form, expected) in forms.into_iter().zip(expected) {
        assert_eq!(pieces(&binary, form), expected, "{form:?}");
        assert_eq!(pieces(&Frame::text("6"), form), b"\x81\x016", "{form:?}");
    }
    // The type counts towards the length, which may then need a longer header.
    assert!(
        pieces(&Frame::binary(&[0; 125]), BinaryForm::Typed).starts_with(b"\x82\x7e\0\x7e\x04")
    );
}

#[test]
fn clients_of_socket_io_4_are_told_no_id_and_errors_as_they_are() {
    let text = |message: &Message| message.frames()[0].packet_bytes();
    assert_eq!(text(&Message::connect_v4("/")), "40");
    assert_eq!(text(&Message::connect_v4("/admin")), "40/admin,");
    let error = |value: serde_json::Value| {
        text(&Message::error_v4(&mut Encoder::new(), "/admin", &value).unwrap())
    };
    assert_eq!(error("no".into()), r#"44/admin,"no""#);
    assert_eq!(error(serde_json::json!({ "code": 1 })), r#"44/admin,{"code":1}"#);
}
