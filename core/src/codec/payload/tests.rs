use std::format;
use std::string::ToString;
use std::vec;

use proptest::prelude::*;

use super::*;
use crate::codec::args::Raw;
use crate::codec::message::Encoder;

fn decoded(body: &[u8]) -> Vec<String> {
    decode(Bytes::copy_from_slice(body), &Limits::default())
        .map(|packet| match packet {
            Ok(Inbound::Message(Ok(packet))) => {
                format!("{} {}", packet.event_name(), packet.payload())
            }
            Ok(other) => format!("{other:?}"),
            Err(error) => error.to_string(),
        })
        .collect()
}

#[test]
fn decodes_packets_in_order() {
    assert_eq!(decoded(b"2"), ["Ping { probe: false }"]);
    assert_eq!(
        decoded(b"42[\"a\"]\x1ebAQI=\x1e42[\"b\",1]\x1e1"),
        [r#"a ["a"]"#, r#"Binary(b"\x01\x02")"#, r#"b ["b",1]"#, "Close"]
    );
}

#[test]
fn ends_with_the_first_malformed_packet() {
    assert_eq!(decoded(b""), ["empty packet"]);
    assert_eq!(decoded(b"6\x1e"), ["Noop", "empty packet"]);
    assert_eq!(decoded(b"\x1e6"), ["empty packet"]);
    assert_eq!(decoded(b"6\x1e\x1e6"), ["Noop", "empty packet"]);
    assert_eq!(decoded(b"6\x1e9\x1e6"), ["Noop", "unknown packet type 0x39"]);
    // A malformed message is a well-formed packet.
    assert_eq!(decoded(b"4\x1e6"), ["Message(Err(Empty))", "Noop"]);
}

#[test]
fn replaces_what_is_not_utf8() {
    assert_eq!(decoded(b"42[\"\xff\"]"), ["\u{fffd} [\"\u{fffd}\"]"]);
    assert_eq!(decoded(b"\xff"), ["unknown packet type 0xef"]);
}

#[test]
fn a_small_message_does_not_keep_a_large_body() {
    let shared = |first: usize, second: usize| {
        let packet = |len| format!("42[\"{}\"]", "x".repeat(len - 6));
        let body = Bytes::from([packet(first), packet(second)].join("\u{1e}"));
        let within = body.as_ptr_range();
        let limits = Limits { event_name_bytes: usize::MAX, ..Limits::default() };
        let packets: Vec<_> = decode(body, &limits).collect();
        packets
            .iter()
            .map(|packet| match packet {
                Ok(Inbound::Message(Ok(packet))) => within.contains(&packet.payload().as_ptr()),
                other => panic!("{other:?}"),
            })
            .collect::<Vec<_>>()
    };
    let max = SHARED_BYTES_MAX;
    assert_eq!(shared(10, max - 11), [true, true]);
    assert_eq!(shared(10, max - 10), [false, true]);
    assert_eq!(shared(max, max), [true, true]);
    assert_eq!(shared(max, 4 * max), [false, true]);
    assert_eq!(shared(max + 1, 3 * max - 1), [true, true], "a quarter is enough");
}

#[test]
fn limits_the_number_of_packets() {
    let limits = Limits { payload_packets: 2, ..Limits::default() };
    let count = |body: &'static [u8]| {
        let packets: Vec<_> = decode(Bytes::from_static(body), &limits).collect();
        (packets.len(), packets.last().cloned().unwrap().err())
    };
    assert_eq!(count(b"6\x1e6"), (2, None));
    assert_eq!(count(b"6\x1e6\x1e6\x1e6"), (3, Some(EngineError::TooManyPackets { limit: 2 })));
}

#[test]
fn encodes_text_and_binary() {
    let mut encoder = Encoder::new();
    let binary = (Bytes::from_static(&[1, 2]), Bytes::new());
    let event = Message::event(&mut encoder, "/", "b", &binary, None).unwrap();
    let placeholders = r#"{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}"#;
    let expected = format!("2\u{1e}452-[\"b\",{placeholders}]\u{1e}bAQI=\u{1e}b\u{1e}6");
    let body = encode(&[Message::ping(), event, Message::noop()]);
    assert_eq!(body, expected);
    assert!(encode(&[]).is_empty());
    assert_eq!(encode(&[Message::from(Frame::binary(&[1, 2, 3]))]), "bAQID");
}

#[test]
fn shares_the_memory_of_a_single_packet() {
    let message = Message::disconnect("/admin");
    let body = encode(core::iter::once(&message));
    assert_eq!(body, "41/admin,");
    assert_eq!(body.as_ptr(), message.frames()[0].packet().as_ptr());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn decodes_what_it_encodes(events: Vec<(String, Vec<u8>)>) {
        prop_assume!(!events.is_empty());
        let mut encoder = Encoder::new();
        let messages: Vec<Message> = events
            .iter()
            .map(|(text, data)| {
                let args = (text, Bytes::copy_from_slice(data));
                Message::event(&mut encoder, "/", "event", &args, None).unwrap()
            })
            .collect();
        let body = encode(&messages);
        let frames = messages.iter().flat_map(Message::frames);
        prop_assert_eq!(frames.map(|frame| encoded_len(frame) + 1).sum::<usize>(), body.len() + 1);
        let limits = Limits::default();
        let mut packets = decode(body, &limits);
        for (text, data) in events {
            let Some(Ok(Inbound::Message(Ok(packet)))) = packets.next() else { panic!("message") };
            let Some(Ok(Inbound::Binary(binary))) = packets.next() else { panic!("binary") };
            let (text_raw, raw): (Raw, Raw) =
                packet.clone().into_args(vec![binary.clone()]).decode().unwrap();
            prop_assert_eq!(text_raw.decode::<String>().unwrap(), text);
            prop_assert_eq!(raw.decode::<Bytes>().unwrap(), data);
        }
        prop_assert!(packets.next().is_none());
    }

    #[test]
    fn never_panics(body in prop::collection::vec(prop_oneof![Just(SEPARATOR), any::<u8>()], 0..64)) {
        let limits = Limits::default();
        let packets: Vec<_> = decode(Bytes::from(body.clone()), &limits).collect();
        let separators = body.iter().filter(|&&byte| byte == SEPARATOR).count();
        prop_assert!(packets.len() <= separators + 1);
        let errors = packets.iter().filter(|packet| packet.is_err()).count();
        prop_assert!(errors <= 1 && packets.iter().take(packets.len() - 1).all(Result::is_ok));
    }
}

#[test]
fn a_body_is_one_allocation_of_its_exact_size() {
    let messages = [Frame::text("4abc"), Frame::binary(&[7; 1_000]), Frame::text("4d")];
    let messages = messages.map(Message::from);
    let body = encode(&messages);
    let len = body.len();
    assert_eq!(Vec::from(body).capacity(), len);
}
