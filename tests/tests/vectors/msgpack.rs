//! Packets in MessagePack.

use bytes::Bytes;
use sansocket_core::codec::args::Raw;
use sansocket_core::codec::engine::Inbound;
use sansocket_core::codec::socket::{Packet, PacketKind};
use sansocket_core::{AckId, Limits, MessagePack, PacketError, Revision, SharedParser};
use serde_json::{Map, Value, json};

use crate::vectors::expected::{bytes, from_hex, number, vectors};
use crate::vectors::socket::{encode, is_same_value};
use crate::{Class, check};

const PACKETS: &str = include_str!("../../vectors/msgpack-packets.jsonl");

const NAMESPACE: &str = "a namespace that does not begin with `/` or holds a comma";
const NAMES: &str = "MessagePack: events with the names that are reserved, or without one";
const NUMERIC_NAME: &str = "an event's name is a number";
const OF_JSON: &str = "MessagePack: `undefined`, dates, what is no number";
const LITERAL: &str = "MessagePack: an object with `\"_placeholder\": true` beside binary data";
const KEYS: &str = "MessagePack: keys of maps that are neither texts nor integers";
const PROTO: &str = "MessagePack: the key `__proto__`";
const ACK_ID: &str = "MessagePack: acknowledgement ids below 0 or beyond 2^53 - 1";
const LIMITS: &str = "MessagePack: more than ten pieces of binary data, depth";
const PLAIN_BINARY: &str = "MessagePack: binary data in the payload of a CONNECT or CONNECT_ERROR";
const LARGE_KEY: &str = "MessagePack: integers of 64 bits beyond 2^53";
const LARGE_NUMBER: &str = "MessagePack: integral numbers from 2^64 on";
const NEGATIVE_ZERO: &str = "`-0` sent";

#[test]
fn decodes_packets_as_the_reference_does() {
    let classes = [
        Class { row: NAMESPACE, vectors: 7 },
        Class { row: NAMES, vectors: 4 },
        Class { row: NUMERIC_NAME, vectors: 2 },
        Class { row: OF_JSON, vectors: 20 },
        Class { row: LITERAL, vectors: 1 },
        Class { row: KEYS, vectors: 46 },
        Class { row: PROTO, vectors: 20 },
        Class { row: ACK_ID, vectors: 14 },
        Class { row: LIMITS, vectors: 1 },
        Class { row: PLAIN_BINARY, vectors: 9 },
        Class { row: LARGE_KEY, vectors: 5 },
    ];
    check(&classes, vectors(PACKETS).filter_map(|vector| decode_difference(&vector)));
}

#[test]
fn encodes_packets_as_the_reference_does() {
    let classes = [
        Class { row: PLAIN_BINARY, vectors: 6 },
        Class { row: LARGE_NUMBER, vectors: 23 },
        Class { row: NEGATIVE_ZERO, vectors: 2 },
    ];
    check(&classes, vectors(PACKETS).filter_map(|vector| encode_difference(&vector)));
}

/// Type, namespace and id, and the data.
#[derive(Debug)]
struct Seen {
    header: Value,
    data: Option<Value>,
}

fn decode_difference(vector: &Value) -> Option<Result<&'static str, String>> {
    let message = from_hex(vector.get("decode")?.as_str()?);
    let ours = decode(message);
    let theirs = vector.get("packet");
    let class = match (&ours, theirs) {
        (Ok(ours), Some(theirs)) => match class_of_difference(ours, theirs) {
            Ok(class) => class?,
            Err(()) => return Some(Err(format!("{vector}: {ours:?}"))),
        },
        (Err(error), Some(theirs)) => match class_of_refusal(*error, theirs) {
            Some(class) => class,
            None => return Some(Err(format!("{vector}: {error:?}"))),
        },
        (Err(_), None) => return None,
        // A date is a text here.
        (Ok(Seen { header, data: Some(Value::String(_)) }), None) if header[0] == 4 => OF_JSON,
        (Ok(ours), None) => return Some(Err(format!("{vector}: {ours:?}"))),
    };
    Some(Ok(class))
}

/// Both have accepted the packet. `None` where they see the same.
fn class_of_difference(ours: &Seen, theirs: &Value) -> Result<Option<&'static str>, ()> {
    let has_id = theirs[0] == 2 || theirs[0] == 3;
    let ours_is_event = ours.header[0] == 2;
    let id = number(&theirs[2]).filter(|_| has_id).map(|id| id as u64);
    let header = json!([theirs[0], theirs[1], id]);
    if header != ours.header {
        return Err(());
    }
    let mut translation = Translation { has_attachments: has_id, class: None };
    let theirs = theirs.get(3).map(|data| translation.value(data));
    match (&ours.data, theirs) {
        (None, None) => Ok(translation.class),
        (Some(ours), Some(theirs)) if is_same_value(ours, &theirs) => Ok(translation.class),
        (Some(ours), Some(mut theirs)) if ours_is_event && theirs[0].is_number() => {
            // The name as JavaScript would write it.
            theirs[0] = Value::from(theirs[0].to_string());
            is_same_value(ours, &theirs).then_some(Some(NUMERIC_NAME)).ok_or(())
        }
        (Some(ours), Some(theirs)) => {
            let has_proto = is_same_value(&without_proto(ours), &theirs);
            let has_rounded = is_same_value(&with_rounded_keys(ours), &theirs);
            match (has_proto, has_rounded) {
                (true, _) => Ok(Some(PROTO)),
                (false, true) => Ok(Some(LARGE_KEY)),
                (false, false) => Err(()),
            }
        }
        (None, Some(_)) | (Some(_), None) => Err(()),
    }
}

/// We have refused a packet that the reference accepts.
fn class_of_refusal(error: PacketError, theirs: &Value) -> Option<&'static str> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "no other error is to be expected")]
    match error {
        PacketError::IllegalNamespace => Some(NAMESPACE),
        PacketError::IllegalAckId => Some(ACK_ID),
        PacketError::IllegalAttachments => Some(LITERAL),
        PacketError::TooManyAttachments { .. } | PacketError::TooLong => Some(LIMITS),
        PacketError::ReservedName => Some(NAMES),
        PacketError::InvalidPayload => {
            let name = &theirs[3][0];
            let is_name = name.is_string() || number(name).is_some_and(f64::is_finite);
            Some(if theirs[0] == 2 && !is_name { NAMES } else { KEYS })
        }
        _ => None,
    }
}

fn decode(message: Vec<u8>) -> Result<Seen, PacketError> {
    let parser = SharedParser::from(MessagePack);
    let limits = Limits::default();
    let packet = Revision::V4.decode_binary_by(Some(&parser), message.into(), &limits);
    let packet = packet.expect("Engine.IO 4 takes any binary data");
    if let Inbound::Complete(complete) = packet {
        return Ok(seen(complete.packet, complete.attachments));
    }
    let Inbound::Message(packet) = packet else { panic!("{packet:?} is no packet") };
    packet.map(|packet| seen(packet, Vec::new()))
}

fn seen(packet: Packet, attachments: Vec<Bytes>) -> Seen {
    let (kind, ack) = (packet.kind, packet.ack.map(AckId::get));
    let header = json!([kind.number(), packet.namespace(), ack]);
    let data = match kind {
        PacketKind::Event | PacketKind::Ack => {
            let mut list = Vec::new();
            if kind == PacketKind::Event {
                list.push(Value::from(packet.event_name()));
            }
            list.extend(packet.into_args(attachments).iter().map(|raw| value(&raw)));
            Some(Value::from(list))
        }
        PacketKind::Connect | PacketKind::Disconnect | PacketKind::ConnectError => {
            packet.into_raw().map(|raw| value(&raw))
        }
    };
    Seen { header, data }
}

/// The value, with binary data as the vectors have them.
fn value(raw: &Raw) -> Value {
    let mut value = raw.decode().expect("it is JSON");
    if !raw.attachments().is_empty() {
        attach(&mut value, raw.attachments());
    }
    value
}

fn attach(value: &mut Value, attachments: &[Bytes]) {
    if value.get("_placeholder") == Some(&Value::Bool(true)) {
        let number = value["num"].as_u64().expect("the number of an attachment");
        *value = data_of(&attachments[number as usize]);
        return;
    }
    match value {
        Value::Array(list) => list.iter_mut().for_each(|value| attach(value, attachments)),
        Value::Object(map) => map.values_mut().for_each(|value| attach(value, attachments)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn data_of(bytes: &[u8]) -> Value {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({ "$bytes": hex })
}

/// The reference has lost what stands there.
fn without_proto(value: &Value) -> Value {
    match value {
        Value::Array(list) => list.iter().map(without_proto).collect(),
        Value::Object(map) => {
            let kept = map.iter().filter(|(key, _)| *key != "__proto__");
            kept.map(|(key, value)| (key.clone(), without_proto(value))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// JavaScript's keys are made of its numbers.
fn with_rounded_keys(value: &Value) -> Value {
    let Value::Object(map) = value else {
        let Value::Array(list) = value else { return value.clone() };
        return list.iter().map(with_rounded_keys).collect();
    };
    let rounded = |key: &String| match key.parse::<i128>() {
        // In the shortest digits that mean this double, as JavaScript writes it.
        Ok(integer) => format!("{}", integer as f64),
        Err(_) => key.clone(),
    };
    map.iter().map(|(key, value)| (rounded(key), with_rounded_keys(value))).collect()
}

/// From what the reference sees to what JSON makes of it, and whether that is another value.
struct Translation {
    has_attachments: bool,
    class: Option<&'static str>,
}

impl Translation {
    fn value(&mut self, value: &Value) -> Value {
        if let (Some(data), false) = (bytes(value), self.has_attachments) {
            self.class = Some(PLAIN_BINARY);
            return Value::from(data);
        }
        if let Some(date) = value.get("$date") {
            self.class = Some(OF_JSON);
            return date.clone();
        }
        if is_undefined(value) || number(value).is_some_and(|number| !number.is_finite()) {
            self.class = Some(OF_JSON);
            return Value::Null;
        }
        match value {
            Value::Array(list) => list.iter().map(|value| self.value(value)).collect(),
            Value::Object(map) => {
                let mut translated = Map::new();
                for (key, value) in map {
                    if is_undefined(value) {
                        self.class = Some(OF_JSON);
                    } else {
                        translated.insert(key.clone(), self.value(value));
                    }
                }
                Value::Object(translated)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
        }
    }
}

fn is_undefined(value: &Value) -> bool {
    value.get("$undefined").is_some()
}

fn encode_difference(vector: &Value) -> Option<Result<&'static str, String>> {
    let packet = vector.get("encode")?;
    let theirs = from_hex(vector["message"].as_str()?);
    let ours = SharedParser::from(MessagePack).encode(&encode(packet)).expect("it has a form");
    let ours = ours.frames()[0].packet();
    if ours == theirs {
        return None;
    }
    let text = packet["data"].to_string();
    let has_attachments = packet["type"] == 2 || packet["type"] == 3;
    let class = if !has_attachments && text.contains("$bytes") {
        Some(PLAIN_BINARY)
    } else if text.contains("Infinity") || text.contains("NaN") {
        Some(OF_JSON)
    } else if text.contains("\"-0\"") {
        Some(NEGATIVE_ZERO)
    } else if text.contains("e+") {
        Some(LARGE_NUMBER)
    } else {
        None
    };
    Some(class.ok_or_else(|| format!("{vector}: {ours:02x?}")))
}
