//! Socket.IO packets.

use bytes::Bytes;
use sansocket_core::codec::args::Raw;
use sansocket_core::codec::message::{Encoder, Frame, Message};
use sansocket_core::codec::socket::{Packet, PacketKind};
use sansocket_core::{AckId, Limits, PacketError};
use serde_json::{Map, Value, json};

use crate::vectors::expected::{Arguments, Data, attachment, bytes, number, vectors};
use crate::{Class, check};

const PACKETS: &str = include_str!("../../vectors/socket-packets.jsonl");

const NO_PAYLOAD: &str = "an EVENT or ACK without a payload (`42`, `43`)";
const NO_ATTACHMENTS: &str = "`450-[...]`";
const COUNT_NOTATION: &str = "`45 1-[...]`, `451e0-[...]`";
const NO_TYPE: &str = "a space instead of a type, or nothing at all";
const ACK_ID: &str = "acknowledgement ids beyond 2^53 - 1, and a space instead of an id";
const PLACEHOLDER_NUMBER: &str = "a placeholder's `num` is not an integer";
const NESTED_PLACEHOLDER: &str = "a placeholder inside another one";
const LIMITS: &str = "depth of JSON, length of names, namespaces, rooms, pending acknowledgements";
const NUMERIC_NAME: &str = "an event's name is a number";
const NUMBER_RANGE: &str = "numbers beyond the range of a double (`1e400`)";
const SURROGATE: &str = "a surrogate without a partner in a JSON string (`\"\\ud800\"`)";
const PLAIN_BINARY: &str = "binary data in the payload of a CONNECT or CONNECT_ERROR";
const PROTO: &str = "the key `__proto__` in an object that is sent beside binary data";

#[test]
fn decodes_packets_as_the_reference_does() {
    let classes = [
        Class { row: NO_PAYLOAD, vectors: 130 },
        Class { row: NO_ATTACHMENTS, vectors: 6 },
        Class { row: COUNT_NOTATION, vectors: 27 },
        Class { row: NO_TYPE, vectors: 13 },
        Class { row: ACK_ID, vectors: 201 },
        Class { row: PLACEHOLDER_NUMBER, vectors: 12 },
        Class { row: NESTED_PLACEHOLDER, vectors: 20 },
        Class { row: LIMITS, vectors: 19 },
        Class { row: NUMERIC_NAME, vectors: 21 },
        Class { row: NUMBER_RANGE, vectors: 10 },
        Class { row: SURROGATE, vectors: 33 },
    ];
    check(&classes, vectors(PACKETS).filter_map(|vector| decode_difference(&vector)));
}

#[test]
fn encodes_packets_as_the_reference_does() {
    let classes = [Class { row: PLAIN_BINARY, vectors: 18 }, Class { row: PROTO, vectors: 17 }];
    check(&classes, vectors(PACKETS).filter_map(|vector| encode_difference(&vector)));
}

/// A packet as we see it, its data last.
#[derive(Debug)]
struct Seen {
    header: Value,
    /// Not there for an argument that does not decode as a `Value`.
    data: Vec<Option<Value>>,
}

fn decode_difference(vector: &Value) -> Option<Result<&'static str, String>> {
    let text = vector.get("decode")?.as_str()?;
    let ours = decode(text);
    let theirs = vector.get("packet");
    let is_same = match (&ours, theirs) {
        (Ok(ours), Some(theirs)) => ours.is(theirs),
        (Err(_), None) => true,
        (Ok(_), None) | (Err(_), Some(_)) => false,
    };
    if is_same {
        return None;
    }
    let class = match (&ours, theirs) {
        (Ok(ours), Some(theirs)) => class_of_difference(vector, ours, theirs),
        (Err(error), Some(theirs)) => class_of_refusal(text, *error, theirs),
        (Ok(ours), None) => {
            (text.starts_with(['5', '6']) && ours.header[3] == 0).then_some(NO_ATTACHMENTS)
        }
        (Err(_), None) => None,
    };
    Some(class.ok_or_else(|| format!("{vector}: {ours:?}")))
}

/// Both have accepted the packet, and see different things.
fn class_of_difference(vector: &Value, ours: &Seen, theirs: &Value) -> Option<&'static str> {
    if ours.header != header(theirs) {
        return None;
    }
    if vector.get("surrogate").is_some() {
        return Some(SURROGATE);
    }
    let theirs = data(theirs);
    let is_event = ours.header[0] == 2;
    if is_event && theirs.first().is_some_and(|name| number(name).is_some()) {
        // The rest must be the same.
        let rest = ours.data[1..].iter().zip(&theirs[1..]);
        return rest.clone().all(|(ours, theirs)| is_same(ours, theirs)).then_some(NUMERIC_NAME);
    }
    let has_undecoded = ours.data.iter().any(Option::is_none);
    (has_undecoded && Value::from(theirs).to_string().contains("Infinity")).then_some(NUMBER_RANGE)
}

/// We have refused a packet that the reference accepts.
fn class_of_refusal(text: &str, error: PacketError, theirs: &Value) -> Option<&'static str> {
    let kind = theirs[0].as_u64()?;
    if error == PacketError::TooLong {
        return Some(LIMITS);
    }
    #[expect(clippy::wildcard_enum_match_arm, reason = "no other error is to be expected")]
    match error {
        PacketError::Empty => Some(NO_TYPE),
        PacketError::UnknownType { .. } => (kind == 0).then_some(NO_TYPE),
        PacketError::IllegalAckId => Some(ACK_ID),
        // The reference has taken whitespace for a part of the id.
        PacketError::InvalidPayload if !theirs[2].is_null() && text.contains(is_white) => {
            Some(ACK_ID)
        }
        PacketError::InvalidPayload => {
            (matches!(kind, 2 | 3) && theirs.get(4).is_none()).then_some(NO_PAYLOAD)
        }
        PacketError::IllegalAttachments => {
            let (count, _) = text.get(1..)?.split_once('-')?;
            let data = theirs.get(4).map(Value::to_string).unwrap_or_default();
            if !count.bytes().all(|byte| byte.is_ascii_digit()) {
                Some(COUNT_NOTATION)
            } else if data.contains("$undefined") {
                Some(PLACEHOLDER_NUMBER)
            } else {
                text.matches("_placeholder").nth(1).map(|_| NESTED_PLACEHOLDER)
            }
        }
        _ => None,
    }
}

/// Whether JavaScript converts `character` to the number 0.
fn is_white(character: char) -> bool {
    character.is_whitespace() || character == '\u{feff}'
}

fn decode(text: &str) -> Result<Seen, PacketError> {
    let packet = Packet::decode(Bytes::from(format!("4{text}")), &Limits::default())?;
    let kind = match packet.kind {
        PacketKind::Connect => 0,
        PacketKind::Disconnect => 1,
        PacketKind::Event => 2,
        PacketKind::Ack => 3,
        PacketKind::ConnectError => 4,
    };
    let header = json!([kind, packet.namespace(), packet.ack.map(AckId::get), packet.attachments]);
    let mut data = Vec::new();
    match packet.kind {
        PacketKind::Event | PacketKind::Ack => {
            if packet.kind == PacketKind::Event {
                data.push(Some(Value::from(packet.event_name())));
            }
            let attachments = (0..packet.attachments as u8).map(|n| Bytes::from(vec![n])).collect();
            data.extend(packet.into_args(attachments).iter().map(|raw| decode_value(&raw)));
        }
        PacketKind::Connect | PacketKind::Disconnect | PacketKind::ConnectError => {
            data.extend(packet.into_raw().map(|raw| decode_value(&raw)));
        }
    }
    Ok(Seen { header, data })
}

/// The value, with attachments where they belong.
fn decode_value(raw: &Raw) -> Option<Value> {
    let mut value = raw.decode().ok()?;
    if !raw.attachments().is_empty() {
        attach(&mut value, raw.attachments());
    }
    Some(value)
}

fn attach(value: &mut Value, attachments: &[Bytes]) {
    if value.get("_placeholder") == Some(&Value::Bool(true)) {
        let number = value["num"].as_u64().expect("the number of an attachment");
        *value = json!({ "$attachment": attachments[number as usize][0] });
        return;
    }
    match value {
        Value::Array(elements) => {
            elements.iter_mut().for_each(|element| attach(element, attachments));
        }
        Value::Object(entries) => {
            entries.values_mut().for_each(|element| attach(element, attachments));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

impl Seen {
    fn is(&self, theirs: &Value) -> bool {
        let data = data(theirs);
        self.header == header(theirs)
            && self.data.len() == data.len()
            && self.data.iter().zip(data).all(|(ours, theirs)| is_same(ours, theirs))
    }
}

/// Type, namespace, id and count of attachments of the reference's packet. Ids mean something in
/// events and acknowledgements only.
fn header(theirs: &Value) -> Value {
    let has_id = theirs[0] == 2 || theirs[0] == 3;
    json!([theirs[0], theirs[1], if has_id { &theirs[2] } else { &Value::Null }, theirs[3]])
}

/// The data of the reference's packet: the name and the arguments of an event, ...
fn data(theirs: &Value) -> &[Value] {
    let data = theirs.as_array().and_then(|packet| packet.get(4..)).unwrap_or_default();
    match data {
        [Value::Array(arguments)] => arguments,
        data => data,
    }
}

fn is_same(ours: &Option<Value>, theirs: &Value) -> bool {
    ours.as_ref().is_some_and(|ours| is_same_value(ours, theirs))
}

pub(super) fn is_same_value(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Number(_), _) => match (ours.as_f64(), number(theirs)) {
            (Some(ours), Some(theirs)) => ours.to_bits() == theirs.to_bits(),
            (Some(_) | None, _) => false,
        },
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len()
                && ours.iter().zip(theirs).all(|(ours, theirs)| is_same_value(ours, theirs))
        }
        (Value::Object(_), Value::Object(_))
            if attachment(ours).is_some() || attachment(theirs).is_some() =>
        {
            attachment(ours) == attachment(theirs)
        }
        (ours, Value::Object(theirs)) if theirs.contains_key("$json") => {
            *ours.to_string() == theirs["$json"]
        }
        (Value::Object(ours), Value::Object(theirs)) => is_same_object(ours, theirs),
        (ours, theirs) => ours == theirs,
    }
}

fn is_same_object(ours: &Map<String, Value>, theirs: &Map<String, Value>) -> bool {
    ours.len() == theirs.len()
        && ours
            .iter()
            .all(|(key, ours)| theirs.get(key).is_some_and(|theirs| is_same_value(ours, theirs)))
}

fn encode_difference(vector: &Value) -> Option<Result<&'static str, String>> {
    let packet = vector.get("encode")?;
    let ours = encode(packet);
    let (frames, namespace) = (vector["frames"].as_array()?, packet["nsp"].as_str()?);
    let mut pairs = ours.frames().iter().zip(frames);
    let is_same = ours.frames().len() == frames.len()
        && pairs.all(|(ours, theirs)| is_same_frame(ours, theirs, namespace));
    if is_same {
        return None;
    }
    let data = packet["data"].to_string();
    let class = if packet["type"] == 0 || packet["type"] == 4 {
        data.contains("$bytes").then_some(PLAIN_BINARY)
    } else if data.contains("__proto__") {
        (ours.frames().len() > 1).then_some(PROTO)
    } else {
        None
    };
    Some(class.ok_or_else(|| format!("{vector}: {ours:?}")))
}

/// A packet of the vectors, as we send it.
pub(super) fn encode(packet: &Value) -> Message {
    let encoder = &mut Encoder::new();
    let namespace = packet["nsp"].as_str().expect("a namespace");
    let id = packet.get("id").map(|id| id.as_u64().and_then(AckId::new).expect("an id"));
    let data = packet.get("data");
    let list = data.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let message = match packet["type"].as_u64() {
        Some(0) => Message::connect_request(encoder, namespace, data.map(Data).as_ref()),
        Some(1) => Ok(Message::disconnect(namespace)),
        Some(2) => {
            let (name, arguments) = list.split_first().expect("a name");
            let name = name.as_str().expect("a name");
            Message::event(encoder, namespace, name, &Arguments(arguments), id)
        }
        Some(3) => Message::ack(encoder, namespace, id.expect("an id"), &Arguments(list)),
        Some(4) => {
            let data = data.expect("data");
            let text = data["message"].as_str().expect("a message");
            Message::connect_error(encoder, namespace, text, data.get("data").map(Data).as_ref())
        }
        other => panic!("no type: {other:?}"),
    };
    message.expect("a packet that can be encoded")
}

/// The same binary data, or the same header in front of the same JSON.
fn is_same_frame(ours: &Frame, theirs: &Value, namespace: &str) -> bool {
    if let Some(theirs) = bytes(theirs) {
        return ours.is_binary() && ours.packet() == theirs;
    }
    let theirs = format!("4{}", theirs.as_str().expect("a text"));
    let ours = core::str::from_utf8(ours.packet()).expect("UTF-8");
    let (our_header, our_json) = split_header(ours, namespace);
    let (their_header, their_json) = split_header(&theirs, namespace);
    our_header == their_header && is_same_json(our_json, their_json)
}

/// Splits in front of the JSON.
fn split_header<'a>(text: &'a str, namespace: &str) -> (&'a str, &'a str) {
    let namespace_end = text.find(&format!("{namespace},")).filter(|_| namespace != "/");
    let start = namespace_end.map_or(0, |at| at + namespace.len());
    let json = text[start..].find(['[', '{']).map_or(text.len(), |at| start + at);
    text.split_at(json)
}

fn is_same_json(ours: &str, theirs: &str) -> bool {
    ours == theirs
        // JavaScript's encoder writes a negative zero as 0.
        || match (serde_json::from_str(&ours.replace("-0.0", "0")), serde_json::from_str(theirs)) {
            (Ok(ours), Ok(theirs)) => is_same_value(&ours, &theirs),
            (Ok(_) | Err(_), _) => false,
        }
}
