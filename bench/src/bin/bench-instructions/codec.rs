//! Packets and payloads of packets, to Rust values and back.

use std::hint::black_box;

use bytes::Bytes;
use sansocket_core::codec::engine::{Inbound, decode_text};
use sansocket_core::codec::payload;
use sansocket_core::codec::socket::Packet;
use sansocket_core::{AckId, Encoder, Limits, Message, Raw};
use serde_json::Value;

use crate::cases::{Case, SMALL, Sample, samples};

const ITERATIONS: u64 = 1_000;
/// The packets of a polling payload.
const PACKETS: usize = 16;

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for sample in samples() {
        cases.extend(decoding(&sample));
        cases.extend(encoding(&sample));
    }
    cases.extend(polling());
    cases
}

/// As far as it takes to find a handler, and then to call it.
fn decoding(sample: &Sample) -> [Case; 3] {
    let name = |depth: &str| format!("decode {}: {depth}", sample.name);
    let [to_route, to_call, to_pass_on] = [sample.clone(), sample.clone(), sample.clone()];
    [
        Case::new(name("packet, event name"), ITERATIONS, move || {
            let limits = Limits::default();
            move || {
                let packet = packet(black_box(&to_route.text), &limits);
                black_box(packet.event_name());
                black_box(packet);
            }
        }),
        Case::new(name("packet, event name, payload"), ITERATIONS, move || {
            let limits = Limits::default();
            move || {
                let packet = packet(black_box(&to_call.text), &limits);
                black_box(packet.event_name());
                let args = packet.into_args(to_call.attachments.clone());
                if to_call.attachments.is_empty() {
                    black_box(args.decode::<Value>().expect("it is valid"));
                } else {
                    black_box(args.decode::<Bytes>().expect("it is valid"));
                }
            }
        }),
        Case::new(name("packet, event name, raw payload"), ITERATIONS, move || {
            let limits = Limits::default();
            move || {
                let packet = packet(black_box(&to_pass_on.text), &limits);
                black_box(packet.event_name());
                let args = packet.into_args(to_pass_on.attachments.clone());
                black_box(args.decode::<Raw>().expect("it is valid"));
            }
        }),
    ]
}

fn packet(text: &Bytes, limits: &Limits) -> Packet {
    match decode_text(text.clone(), limits) {
        Ok(Inbound::Message(Ok(packet))) => packet,
        other => panic!("no packet but {other:?}"),
    }
}

/// From a value, and from JSON that is passed on, to frames that a WebSocket can send.
fn encoding(sample: &Sample) -> [Case; 2] {
    let [from_value, from_raw] = [sample.clone(), sample.clone()];
    [
        Case::new(format!("encode {}", sample.name), ITERATIONS, move || {
            let mut encoder = Encoder::new();
            let Sample { namespace, event, ack, argument, attachments, .. } = from_value;
            let ack = ack.and_then(AckId::new);
            move || {
                let message = match attachments.first() {
                    None => {
                        let argument = black_box(&argument);
                        Message::event(&mut encoder, namespace, event, argument, ack)
                    }
                    Some(bytes) => {
                        Message::event(&mut encoder, namespace, event, black_box(bytes), ack)
                    }
                };
                black_box(message.expect("it can be encoded"));
            }
        }),
        Case::new(format!("encode {}, raw", sample.name), ITERATIONS, move || {
            let mut encoder = Encoder::new();
            let raw = match from_raw.attachments.first() {
                None => Raw::encode(&from_raw.argument),
                Some(bytes) => Raw::encode(bytes),
            };
            let raw = raw.expect("it can be encoded");
            let Sample { namespace, event, ack, .. } = from_raw;
            let ack = ack.and_then(AckId::new);
            move || {
                let message = Message::event(&mut encoder, namespace, event, black_box(&raw), ack);
                black_box(message.expect("it can be encoded"));
            }
        }),
    ]
}

fn polling() -> [Case; 2] {
    [
        Case::new("decode polling payload of 16", ITERATIONS, || {
            let limits = Limits::default();
            let body = Bytes::from(vec![SMALL; PACKETS].join("\x1E"));
            move || {
                let packets = payload::decode(black_box(&body).clone(), &limits);
                let mut count = 0;
                for packet in packets {
                    black_box(packet.expect("it is valid"));
                    count += 1;
                }
                assert_eq!(count, PACKETS);
            }
        }),
        Case::new("encode polling payload of 16", ITERATIONS, || {
            let message = Message::event(&mut Encoder::new(), "/", "message", "hello", None);
            let messages = vec![message.expect("it can be encoded"); PACKETS];
            move || {
                black_box(payload::encode(black_box(&messages)));
            }
        }),
    ]
}
