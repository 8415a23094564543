//! Packets in MessagePack: from the bytes of one to what a handler is found for, and from a value to
//! the frame that a WebSocket can send.

use std::hint::black_box;

use sansocket_core::codec::engine::Inbound;
use sansocket_core::{AckId, Encoder, Limits, Message, MessagePack, Revision, SharedParser};

use crate::cases::{Case, Sample, samples};

const ITERATIONS: u64 = 1_000;

pub(crate) fn cases() -> Vec<Case> {
    samples().into_iter().flat_map(|sample| [decoding(sample.clone()), encoding(sample)]).collect()
}

fn decoding(sample: Sample) -> Case {
    let name = format!("decode {}, MessagePack: packet, event name", sample.name);
    Case::new(name, ITERATIONS, move || {
        let limits = Limits::default();
        let parser = SharedParser::from(MessagePack);
        let received = encode(&mut Encoder::new(), &parser, &sample).frames()[0].packet_bytes();
        move || {
            let received = black_box(&received).clone();
            match Revision::V4.decode_binary_by(Some(&parser), received, &limits) {
                Ok(Inbound::Message(Ok(packet))) => {
                    black_box(packet.event_name());
                    black_box(packet);
                }
                Ok(Inbound::Complete(complete)) => {
                    black_box(complete.packet.event_name());
                    black_box(complete);
                }
                other => panic!("no packet but {other:?}"),
            }
        }
    })
}

fn encoding(sample: Sample) -> Case {
    Case::new(format!("encode {}, MessagePack", sample.name), ITERATIONS, move || {
        let mut encoder = Encoder::new();
        let parser = SharedParser::from(MessagePack);
        move || {
            black_box(encode(&mut encoder, &parser, black_box(&sample)));
        }
    })
}

fn encode(encoder: &mut Encoder, parser: &SharedParser, sample: &Sample) -> Message {
    let Sample { namespace, event, ack, argument, attachments, .. } = sample;
    let ack = ack.and_then(AckId::new);
    let message = match attachments.first() {
        None => Message::event(encoder, namespace, event, argument, ack),
        Some(bytes) => Message::event(encoder, namespace, event, bytes, ack),
    };
    parser.encode(&message.expect("it can be encoded")).expect("it has a form")
}
