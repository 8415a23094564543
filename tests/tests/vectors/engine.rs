//! Engine.IO packets and payloads.

use bytes::Bytes;
use sansocket_core::codec::engine::{self, Inbound};
use sansocket_core::codec::message::{Frame, Message};
use sansocket_core::codec::payload;
use sansocket_core::{EngineError, Limits};
use serde_json::{Value, json};

use crate::check;
use crate::vectors::expected::{bytes, from_hex, vectors};

const PACKETS: &str = include_str!("../../vectors/engine-packets.jsonl");
const PAYLOADS: &str = include_str!("../../vectors/engine-payloads.jsonl");

const TYPES: [&str; 7] = ["open", "close", "ping", "pong", "message", "upgrade", "noop"];

#[test]
fn decodes_packets_as_the_reference_does() {
    let differences = vectors(PACKETS).filter_map(|vector| {
        let text = vector.get("decode")?.as_str()?.to_owned();
        let packet = engine::decode_text(Bytes::from(text.clone()), &Limits::default());
        let (ours, theirs) = (seen(&packet), expected(&vector["packet"]));
        (ours != theirs).then(|| Err(format!("{text:?}: {ours}, not {theirs}")))
    });
    check(&[], differences);
}

#[test]
fn encodes_packets_as_the_reference_does() {
    let differences = vectors(PACKETS).filter_map(|vector| {
        let message = message(vector.get("encode")?);
        let frames: Vec<_> = message.frames().iter().map(Frame::to_text).collect();
        let [frame] = &frames[..] else { panic!("one frame for one packet") };
        let is_same = Some(frame.packet()) == vector["text"].as_str().map(str::as_bytes);
        (!is_same).then(|| Err(format!("{vector}: {frame:?}")))
    });
    check(&[], differences);
}

#[test]
fn decodes_payloads_as_the_reference_does() {
    let limits = Limits::default();
    let differences = vectors(PAYLOADS).filter_map(|vector| {
        let body = Bytes::from(from_hex(vector.get("decode")?.as_str()?));
        let ours: Vec<_> = payload::decode(body, &limits).map(|packet| seen(&packet)).collect();
        let theirs: Vec<_> = vector["packets"].as_array()?.iter().map(expected).collect();
        (ours != theirs).then(|| Err(format!("{vector}: {ours:?}")))
    });
    check(&[], differences);
}

#[test]
fn encodes_payloads_as_the_reference_does() {
    let differences = vectors(PAYLOADS).filter_map(|vector| {
        let messages: Vec<_> = vector.get("encode")?.as_array()?.iter().map(message).collect();
        let ours = payload::encode(&messages);
        let is_same = Some(&ours[..]) == vector["text"].as_str().map(str::as_bytes);
        (!is_same).then(|| Err(format!("{vector}: {ours:?}")))
    });
    check(&[], differences);
}

/// What we see of a packet. The data of those that are no messages have no meaning to a server, but
/// for `probe`; text messages are the Socket.IO codec's.
fn seen(packet: &Result<Inbound, EngineError>) -> Value {
    match packet {
        Ok(Inbound::Open) => json!(["open"]),
        Ok(Inbound::Close) => json!(["close"]),
        Ok(Inbound::Ping { probe }) => json!(["ping", probe]),
        Ok(Inbound::Pong { probe }) => json!(["pong", probe]),
        Ok(Inbound::Message(_)) => json!(["message"]),
        Ok(Inbound::Binary(data)) => json!(["message", data[..]]),
        Ok(Inbound::Upgrade) => json!(["upgrade"]),
        Ok(Inbound::Noop) => json!(["noop"]),
        Ok(Inbound::Complete(packet)) => panic!("{packet:?} without a parser"),
        Err(_) => json!("error"),
    }
}

/// The same of the reference's packet.
fn expected(packet: &Value) -> Value {
    let (kind, data) = (&packet[0], &packet[1]);
    match (kind.as_str(), bytes(data)) {
        (None, _) => packet.clone(),
        (Some("ping" | "pong"), _) => json!([kind, data == "probe"]),
        (Some(_), Some(data)) => json!([kind, data]),
        (Some(_), None) => json!([kind]),
    }
}

/// Our message for a packet: the one that there is for it, where there is one.
fn message(packet: &Value) -> Message {
    let (kind, data) = (packet[0].as_str().expect("a type"), &packet[1]);
    match (kind, data.as_str(), bytes(data)) {
        (_, _, Some(data)) => Message::from(Frame::binary(&data)),
        ("close", None, _) => Message::close(),
        ("ping", None, _) => Message::ping(),
        ("ping", Some("probe"), _) => Message::ping_probe(),
        ("pong", None, _) => Message::pong(),
        ("pong", Some("probe"), _) => Message::pong_probe(),
        ("upgrade", None, _) => Message::upgrade(),
        ("noop", None, _) => Message::noop(),
        (kind, data, _) => {
            let number = TYPES.iter().position(|name| *name == kind).expect("a known type");
            Message::from(Frame::text(&format!("{number}{}", data.unwrap_or_default())))
        }
    }
}
