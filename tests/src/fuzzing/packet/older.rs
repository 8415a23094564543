//! Payloads of Engine.IO 3, and scripts and forms.

use bytes::Bytes;
use sansocket_core::Limits;
use sansocket_core::codec::engine::Inbound;
use sansocket_core::codec::jsonp;
use sansocket_core::codec::message::{Frame, Message};
use sansocket_core::codec::payload::PayloadFormat;
use sansocket_core::codec::payload::v3::{self, Body};

use crate::fuzzing::{take, take_byte};

/// Whatever comes, there are no more packets than allowed, no more data than came, and nothing
/// behind what is malformed.
pub(super) fn check_payload(mut bytes: &[u8]) {
    let mut limits = Limits::default();
    let settings = take_byte(&mut bytes);
    limits.payload_packets = usize::from(settings >> 1) % 16;
    let form = if settings & 1 == 0 { Body::Text } else { Body::Binary };
    let mut payload = v3::decode(Bytes::copy_from_slice(bytes), form, &limits);
    let packets: Vec<_> = payload.by_ref().collect();
    assert!(payload.next().is_none(), "it is fused");
    assert!(packets.len() <= limits.payload_packets + 1);
    let errors = packets.iter().rev().skip(1).filter(|packet| packet.is_err());
    assert_eq!(errors.count(), 0, "nothing follows an error");
    let mut data_bytes = 0;
    for packet in packets.iter().flatten() {
        if let Inbound::Binary(data) = packet {
            data_bytes += data.len();
        }
    }
    assert!(data_bytes <= bytes.len(), "no amplification");
}

/// Frames, each told by a byte for its kind and one for its length, come back from a payload in
/// either form.
pub(super) fn check_encoding(mut bytes: &[u8]) {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let is_binary = take_byte(&mut bytes) & 1 == 1;
        let length = take_byte(&mut bytes);
        let data = take(&mut bytes, usize::from(length));
        frames.push(match is_binary {
            true => Frame::binary(data),
            false => Frame::text(&format!("6{}", String::from_utf8_lossy(data))),
        });
    }
    let messages: Vec<Message> = frames.iter().cloned().map(Message::from).collect();
    for format in [PayloadFormat::V3, PayloadFormat::V3Base64] {
        let form = if format.is_binary(&messages) { Body::Binary } else { Body::Text };
        let body = format.encode(&messages);
        if frames.is_empty() {
            assert!(body.is_empty());
            continue;
        }
        let limits = Limits::default();
        let packets: Vec<_> = v3::decode(body, form, &limits).collect();
        let expected = frames.len().min(limits.payload_packets + 1);
        assert_eq!(packets.len(), expected);
        for (packet, frame) in packets.iter().zip(&frames).take(limits.payload_packets) {
            match packet {
                Ok(Inbound::Binary(data)) => {
                    assert!(frame.is_binary());
                    assert_eq!(data, frame.packet());
                }
                Ok(Inbound::Noop) => assert!(!frame.is_binary()),
                other => panic!("{other:?}"),
            }
        }
    }
}

/// A script holds its payload in one string; a form gives no more than it has.
pub(super) fn check_jsonp(bytes: &[u8]) {
    let script = jsonp::encode(u32::MAX, bytes);
    let script = std::str::from_utf8(&script).expect("text");
    let string = script.strip_prefix("___eio[4294967295](").and_then(|s| s.strip_suffix(");"));
    let payload: String = serde_json::from_str(string.expect("a call")).expect("one string");
    assert_eq!(payload, String::from_utf8_lossy(bytes));
    assert!(!script.contains(['\u{2028}', '\u{2029}', '\n', '\r']), "a line ends");
    if let Some(payload) = jsonp::decode(bytes) {
        // What is not UTF-8 is replaced, one byte by three.
        assert!(payload.len() <= 3 * bytes.len());
    }
}
