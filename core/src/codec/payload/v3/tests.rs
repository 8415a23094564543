use std::format;
use std::string::{String, ToString};
use std::vec;

use proptest::prelude::*;

use super::*;
use crate::codec::message::{Encoder, Message};
use crate::codec::payload::PayloadFormat;

fn decoded(body: &[u8], form: Body) -> Vec<String> {
    decode(Bytes::copy_from_slice(body), form, &Limits::default())
        .map(|packet| match packet {
            Ok(Inbound::Message(Ok(packet))) => packet.payload().to_string(),
            Ok(other) => format!("{other:?}"),
            Err(error) => error.to_string(),
        })
        .collect()
}

const ILLEGAL: &str = "illegal packet length";

#[test]
fn decodes_texts_by_their_utf16_length() {
    let cases: &[(&str, &[&str])] = &[
        ("1:2", &["Ping { probe: false }"]),
        ("6:2probe1:6", &["Ping { probe: true }", "Noop"]),
        ("7:42[\"€\"]1:6", &["[\"€\"]", "Noop"]),
        ("8:42[\"😀\"]1:6", &["[\"😀\"]", "Noop"]),
        ("10:b4AQIDBA==", &["Binary(b\"\\x01\\x02\\x03\\x04\")"]),
        ("0:", &[]),
        ("0:1:6", &["Noop"]),
        ("01:6", &["Noop"]),
        ("1:4", &["Message(Err(Empty))"]),
        ("1:11:6", &["Close", "Noop"]),
        // Malformed, behind what is not.
        ("", &[ILLEGAL]),
        ("x:4a", &[ILLEGAL]),
        (" 2:4a", &[ILLEGAL]),
        (":4a", &[ILLEGAL]),
        ("4a", &[ILLEGAL]),
        ("2:", &[ILLEGAL]),
        ("3:4a", &[ILLEGAL]),
        ("2:4😀", &[ILLEGAL]),
        ("1:9", &["unknown packet type 0x39"]),
        ("1:62", &["Noop", ILLEGAL]),
        ("99999999999999999999999:6", &[ILLEGAL]),
    ];
    for (body, packets) in cases {
        assert_eq!(decoded(body.as_bytes(), Body::Text), *packets, "{body}");
    }
    assert_eq!(decoded(b"7:42[\"\xff\"]", Body::Text), ["[\"\u{fffd}\"]"]);
}

#[test]
fn decodes_binary_bodies() {
    let cases: &[(&[u8], &[&str])] = &[
        (b"", &[]),
        (b"\x00\x01\xff6", &["Noop"]),
        (b"\x01\x05\xff\x04\x01\x02\x03\x04", &["Binary(b\"\\x01\\x02\\x03\\x04\")"]),
        (b"\x00\x09\xff42[\"\xe2\x82\xac\"]\x01\x01\xff\x04", &["[\"€\"]", "Binary(b\"\")"]),
        (b"\x00\x01\x00\xff42[\"abcd\"]", &["[\"abcd\"]"]),
        (b"\x00\x00\x01\xff6", &["Noop"]),
        (b"\x00\x07\xff42[\"\xff\"]", &["[\"\u{fffd}\"]"]),
        // Malformed.
        (b"\x00", &[ILLEGAL]),
        (b"\x00\xff", &[ILLEGAL]),
        (b"\x00\x01", &[ILLEGAL]),
        (b"\x00\x01\xff", &[ILLEGAL]),
        (b"\x00\x09\xff4", &[ILLEGAL]),
        (b"\x00\x0a\xff4", &[ILLEGAL]),
        (b"\x00\x00\xff", &["empty packet"]),
        (b"\x01\x00\xff", &["empty packet"]),
        (b"\x01\x01\xff4", &["unknown packet type 0x34"]),
        (b"\x02\x01\xff6", &["unknown packet type 0x02"]),
        (b"\x00\x01\xff6\x00\x01\xff9", &["Noop", "unknown packet type 0x39"]),
    ];
    for (body, packets) in cases {
        assert_eq!(decoded(body, Body::Binary), *packets, "{body:?}");
    }
    // A length that nobody could hold, and one of very many digits.
    let long = [b"\x00".as_slice(), &[9; 100_000], b"\xff6"].concat();
    assert_eq!(decoded(&long, Body::Binary), [ILLEGAL]);
    assert_eq!(decoded(&vec![9; 100_000], Body::Binary), [ILLEGAL]);
}

#[test]
fn limits_the_number_of_packets_empty_ones_included() {
    let limits = Limits { payload_packets: 2, ..Limits::default() };
    let count = |body: &'static [u8], form| {
        let packets: Vec<_> = decode(Bytes::from_static(body), form, &limits).collect();
        (packets.len(), packets.last().cloned().unwrap().err())
    };
    let too_many = Some(EngineError::TooManyPackets { limit: 2 });
    assert_eq!(count(b"1:61:6", Body::Text), (2, None));
    assert_eq!(count(b"1:61:61:6", Body::Text), (3, too_many));
    assert_eq!(count(b"0:0:1:6", Body::Text), (1, too_many));
    assert_eq!(count(b"\x00\x01\xff6\x00\x01\xff6\x00\x01\xff6", Body::Binary), (3, too_many));
}

#[test]
fn a_small_message_does_not_keep_a_large_body() {
    let small = b"\x00\x07\xff42[\"a\"]\x01\x03\xff\x04ab";
    let large = format!("\x00\x01\x00\x00\x00\x00\x00\u{7f}42[\"{}\"]", "x".repeat(99_994));
    let mut body = [small, large.as_bytes()].concat();
    let end = body.iter().position(|byte| *byte == 0x7f).unwrap();
    body[end] = LENGTH_END;
    let body = Bytes::from(body);
    let within = body.as_ptr_range();
    let limits = Limits { event_name_bytes: usize::MAX, ..Limits::default() };
    let shares: Vec<_> = decode(body, Body::Binary, &limits)
        .map(|packet| match packet {
            Ok(Inbound::Message(Ok(packet))) => within.contains(&packet.payload().as_ptr()),
            Ok(Inbound::Binary(data)) => within.contains(&data.as_ptr()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(shares, [false, false, true]);
}

fn message<T: serde::Serialize + ?Sized>(args: &T) -> Message {
    Message::event(&mut Encoder::new(), "/", "a", args, None).expect("it can be encoded")
}

#[test]
fn encodes_as_the_reference_does() {
    let text = [Message::noop(), message("€😀")];
    let binary = [message(&Bytes::from_static(&[1, 2, 3, 4]))];
    let (v3, base64) = (PayloadFormat::V3, PayloadFormat::V3Base64);
    let expected = "1:613:42[\"a\",\"€😀\"]";
    assert_eq!(v3.encode(&text), expected);
    assert_eq!(base64.encode(&text), expected);
    assert!(!v3.is_binary(&text) && v3.is_binary(&binary) && !base64.is_binary(&binary));
    let header = r#"451-["a",{"_placeholder":true,"num":0}]"#;
    assert_eq!(base64.encode(&binary), format!("{}:{header}10:b4AQIDBA==", header.len()));
    let mut expected = Vec::from(b"\x00\x03\x09\xff");
    expected.extend_from_slice(header.as_bytes());
    expected.extend_from_slice(b"\x01\x05\xff\x04\x01\x02\x03\x04");
    assert_eq!(v3.encode(&binary), expected);
    assert_eq!(v3.encode(&[]), "");
}

fn packets(body: Bytes, form: Body) -> Vec<Result<Inbound, EngineError>> {
    decode(body, form, &Limits::default()).collect()
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(
        texts in prop::collection::vec(any::<String>(), 1..4),
        data in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut messages: Vec<_> = texts.iter().map(|text| message(&**text)).collect();
        messages.push(message(&Bytes::from(data.clone())));
        for format in [PayloadFormat::V3, PayloadFormat::V3Base64] {
            let form = if format.is_binary(&messages) { Body::Binary } else { Body::Text };
            let found = packets(format.encode(&messages), form);
            prop_assert_eq!(found.len(), texts.len() + 2);
            for (found, text) in found.iter().zip(&texts) {
                let Ok(Inbound::Message(Ok(packet))) = found else { panic!("{found:?}") };
                let value: (String, String) = serde_json::from_str(packet.payload()).unwrap();
                prop_assert_eq!(&value.1, text);
            }
            let Some(Ok(Inbound::Binary(found))) = found.last() else { panic!("{found:?}") };
            prop_assert_eq!(&found[..], &data[..]);
        }
    }

    /// Nothing that comes makes it panic, go on for ever, or give more than there is.
    #[test]
    fn any_bytes_end(body in prop::collection::vec(any::<u8>(), 0..200)) {
        for form in [Body::Text, Body::Binary] {
            prop_assert!(packets(Bytes::from(body.clone()), form).len() <= body.len() + 1);
        }
    }
}
