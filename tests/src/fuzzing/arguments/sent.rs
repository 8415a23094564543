//! Values that are sent: what arrives is the same, whatever the transport.

use std::collections::BTreeMap;

use bytes::Bytes;
use sansocket_core::codec::engine::{Inbound, decode_binary, decode_text};
use sansocket_core::codec::message::{Encoder, Message};
use sansocket_core::codec::payload;
use sansocket_core::codec::websocket::{self, Decoder, DecoderConfig, Role};
use sansocket_core::{AckId, Args, Limits, Raw};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::choices::Choices;

/// Values in values, below the depth that the limits allow.
const DEPTH_MAX: usize = 6;

pub(super) fn check(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let record = record(&mut choices, 0);
    let value = value(&mut choices, 0);
    let text = text(&mut choices);
    let double = f64::from_bits(choices.number(0..=u64::MAX));
    let single = f32::from_bits(choices.number(0..=u64::from(u32::MAX)) as u32);
    let ack = choices.chance(128).then(|| AckId::new(choices.number(0..=AckId::MAX.get())));
    let encoder = &mut Encoder::new();

    let sent = (text.clone(), &record, value.clone());
    let message = Message::event(encoder, "/space", "name", &sent, ack.flatten());
    for args in transmit(&message.expect("all of it has a form in JSON"), ack.flatten()) {
        let (same_text, same_record, same_value) =
            args.clone().decode::<(String, Record, Value)>().expect("as it was sent");
        assert_eq!((&same_text, &same_record, &same_value), (&text, &record, &value));
        assert_eq!(args.clone().decode::<String>().expect("the first"), text);
        let raw = args.get(1).expect("the second");
        assert_eq!(raw.decode::<Record>().expect("as it was sent"), record);
        assert_eq!(Raw::encode(&record).expect("it has a form in JSON"), raw);
        let third = args.get(2).expect("the third");
        assert_eq!(third.as_str(), serde_json::to_string(&value).expect("a value is JSON"));
    }
    check_number(double, encoder);
    check_number(f64::from(single), encoder);
    let written = Raw::encode(&single).expect("a number");
    assert_eq!(written.as_str(), serde_json::to_string(&single).expect("a number"));
}

/// The shortest text that reads back as the same, as JavaScript and Rust read it.
fn check_number(number: f64, encoder: &mut Encoder) {
    let message = Message::event(encoder, "/", "name", &number, None).expect("a number");
    let [args, _] = transmit(&message, None);
    let raw = args.get(0).expect("the number");
    if number.is_finite() {
        let read: f64 = raw.as_str().parse().expect("a number");
        assert_eq!(read.to_bits(), number.to_bits());
    } else {
        assert_eq!(raw.as_str(), "null");
    }
}

/// The arguments of `message` for a client on a WebSocket, and for one on polling.
fn transmit(message: &Message, ack: Option<AckId>) -> [Args; 2] {
    let mut limits = Limits::default();
    limits.attachments = usize::MAX;
    let mut wire = Vec::new();
    message.clone().into_websocket(|frame| wire.extend_from_slice(&frame));
    assert_eq!(wire.len(), message.websocket_bytes());
    let config = DecoderConfig { message_bytes_max: usize::MAX, message_fragments_max: 1 };
    let mut decoder = Decoder::new(Role::Client, config);
    let (mut packets, mut rest) = (Vec::new(), &mut wire[..]);
    while let Some(frame) = decoder.decode(&mut rest).expect("our own frames") {
        packets.push(match frame {
            websocket::Message::Text(text) => decode_text(text, &limits).expect("our own packet"),
            websocket::Message::Binary(data) => decode_binary(data),
            websocket::Message::Ping(_)
            | websocket::Message::Pong(_)
            | websocket::Message::Close(_) => panic!("no frame of a message"),
        });
    }
    let body = payload::encode([message]);
    let polled = payload::decode(body, &limits).collect::<Result<_, _>>().expect("our own payload");
    [args(packets, ack), args(polled, ack)]
}

fn args(packets: Vec<Inbound>, ack: Option<AckId>) -> Args {
    let mut packets = packets.into_iter();
    let Some(Inbound::Message(Ok(header))) = packets.next() else { panic!("no header") };
    assert_eq!((header.event_name(), header.ack), ("name", ack));
    let attachments = packets.map(|packet| {
        let Inbound::Binary(data) = packet else { panic!("{packet:?} is no attachment") };
        data
    });
    let attachments: Vec<Bytes> = attachments.collect();
    assert_eq!(attachments.len(), header.attachments as usize);
    header.into_args(attachments)
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Record {
    flag: bool,
    signed: i64,
    unsigned: u64,
    letter: char,
    text: String,
    data: Bytes,
    optional: Option<Bytes>,
    list: Vec<Item>,
    by_number: BTreeMap<i16, Bytes>,
    by_text: BTreeMap<String, Vec<Bytes>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Item {
    Unit,
    Data(Bytes),
    Pair(u8, Bytes),
    Named { text: String, data: Option<Bytes> },
    Nested(Box<Record>),
}

fn record(choices: &mut Choices<'_>, depth: usize) -> Record {
    Record {
        flag: choices.chance(128),
        signed: choices.number(0..=u64::MAX).cast_signed(),
        unsigned: choices.number(0..=u64::MAX),
        letter: char::from_u32(choices.number(0..=0x10_ffff) as u32).unwrap_or('\u{fffd}'),
        text: text(choices),
        data: data(choices),
        optional: choices.chance(64).then(|| data(choices)),
        list: (0..choices.index(4)).map(|_| item(choices, depth)).collect(),
        by_number: (0..choices.index(3))
            .map(|_| (choices.number(0..=65_535) as u16 as i16, data(choices)))
            .collect(),
        by_text: (0..choices.index(3))
            .map(|_| (text(choices), (0..choices.index(3)).map(|_| data(choices)).collect()))
            .collect(),
    }
}

fn item(choices: &mut Choices<'_>, depth: usize) -> Item {
    match choices.index(5) {
        0 => Item::Unit,
        1 => Item::Data(data(choices)),
        2 => Item::Pair(choices.byte(), data(choices)),
        4 if depth < DEPTH_MAX => Item::Nested(Box::new(record(choices, depth + 1))),
        _ => {
            let text = text(choices);
            Item::Named { text, data: choices.chance(128).then(|| data(choices)) }
        }
    }
}

/// Any JSON, with fractions that serde_json reads exactly.
fn value(choices: &mut Choices<'_>, depth: usize) -> Value {
    match choices.index(if depth < DEPTH_MAX { 8 } else { 6 }) {
        0 => Value::Null,
        1 => Value::from(choices.chance(128)),
        2 => Value::from(choices.number(0..=u64::MAX)),
        3 => Value::from(choices.number(0..=u64::MAX).cast_signed()),
        4 => Value::from(f64::from(choices.number(0..=u64::from(u32::MAX)) as u32) / 8.0),
        5 => Value::from(text(choices)),
        6 => (0..choices.index(4)).map(|_| value(choices, depth + 1)).collect(),
        _ => {
            let entries = (0..choices.index(4)).map(|_| (text(choices), value(choices, depth + 1)));
            entries.collect::<serde_json::Map<_, _>>().into()
        }
    }
}

fn text(choices: &mut Choices<'_>) -> String {
    let length = choices.index(40);
    String::from_utf8_lossy(&choices.bytes(length)).into_owned()
}

fn data(choices: &mut Choices<'_>) -> Bytes {
    let length = choices.index(20);
    Bytes::from(choices.bytes(length))
}
