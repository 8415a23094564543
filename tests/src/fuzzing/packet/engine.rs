//! Engine.IO packets, one by one and in payloads.

use bytes::Bytes;
use sansocket_core::codec::engine::{Inbound, decode_binary, decode_text};
use sansocket_core::codec::message::{Frame, Message};
use sansocket_core::codec::socket::Packet;
use sansocket_core::codec::{base64, payload};
use sansocket_core::{EngineError, Limits};

use crate::fuzzing::{take, take_byte};

const SEPARATOR: char = '\u{1e}';

pub(super) fn check_packet(text: &[u8]) {
    let limits = Limits::default();
    let decoded = decode_text(Bytes::copy_from_slice(text), &limits);
    let (kind, data) = text.split_first().map_or((0, &[][..]), |(kind, data)| (*kind, data));
    match decoded {
        Err(EngineError::Empty) => assert!(text.is_empty()),
        Err(EngineError::UnknownType { byte }) => {
            assert!(!text.is_empty() && byte == kind && !b"0123456b".contains(&byte));
        }
        Err(other) => panic!("{other:?} is no error of one packet"),
        Ok(Inbound::Open) => assert_eq!(kind, b'0'),
        Ok(Inbound::Close) => assert_eq!(kind, b'1'),
        Ok(Inbound::Ping { probe }) => assert_eq!((kind, data == b"probe"), (b'2', probe)),
        Ok(Inbound::Pong { probe }) => assert_eq!((kind, data == b"probe"), (b'3', probe)),
        Ok(Inbound::Message(packet)) => {
            assert_eq!(kind, b'4');
            let alone = Packet::decode(Bytes::copy_from_slice(text), &limits);
            assert_eq!(format!("{packet:?}"), format!("{alone:?}"));
        }
        Ok(Inbound::Complete(packet)) => panic!("{packet:?} without a parser"),
        Ok(Inbound::Upgrade) => assert_eq!(kind, b'5'),
        Ok(Inbound::Noop) => assert_eq!(kind, b'6'),
        Ok(Inbound::Binary(binary)) => {
            assert_eq!(kind, b'b');
            assert_eq!(binary, base64::decode(data));
            assert!(binary.len() <= text.len(), "no amplification");
        }
    }
}

/// A payload is its packets, up to the first that is malformed or one too many.
pub(super) fn check_payload(mut bytes: &[u8]) {
    let mut limits = Limits::default();
    limits.payload_packets = usize::from(take_byte(&mut bytes) % 16);
    let mut expected = Vec::new();
    for packet in String::from_utf8_lossy(bytes).split(SEPARATOR) {
        let limit = limits.payload_packets;
        let packet = if expected.len() < limit {
            decode_text(Bytes::from(packet.to_owned()), &limits)
        } else {
            Err(EngineError::TooManyPackets { limit })
        };
        let is_last = packet.is_err();
        expected.push(packet);
        if is_last {
            break;
        }
    }
    let mut payload = payload::decode(Bytes::copy_from_slice(bytes), &limits);
    let decoded: Vec<_> = payload.by_ref().collect();
    assert_eq!(format!("{decoded:?}"), format!("{expected:?}"));
    assert!(payload.next().is_none(), "it is fused");
}

/// Frames, each told by a byte for its kind and one for its length, come back from a payload, and
/// from a WebSocket.
pub(super) fn check_encoding(mut bytes: &[u8]) {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let is_binary = take_byte(&mut bytes) & 1 == 1;
        let length = take_byte(&mut bytes);
        let data = take(&mut bytes, usize::from(length));
        frames.push(if is_binary {
            Frame::binary(data)
        } else {
            // A packet has a type, and its JSON no separator.
            let text = String::from_utf8_lossy(data).replace(SEPARATOR, "");
            Frame::text(&format!("6{text}"))
        });
    }
    let messages: Vec<Message> = frames.iter().cloned().map(Message::from).collect();
    let body = payload::encode(messages.iter());
    let length: usize = frames.iter().map(|frame| payload::encoded_len(frame) + 1).sum();
    assert_eq!(body.len(), length.saturating_sub(1));

    let text = std::str::from_utf8(&body).expect("a payload is text");
    let packets = text.split(SEPARATOR).filter(|_| !frames.is_empty());
    assert_eq!(packets.clone().count(), frames.len());
    for (packet, frame) in packets.zip(&frames) {
        assert_eq!(packet.as_bytes(), frame.to_text().packet());
        let decoded = decode_text(Bytes::copy_from_slice(packet.as_bytes()), &Limits::default());
        let decoded = decoded.expect("a packet");
        if frame.is_binary() {
            let alone = decode_binary(frame.packet_bytes());
            assert_eq!(format!("{decoded:?}"), format!("{alone:?}"));
            assert!(matches!(decoded, Inbound::Binary(data) if data == frame.packet()));
        } else {
            assert!(matches!(decoded, Inbound::Noop));
        }
    }
}
