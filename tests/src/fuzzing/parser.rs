//! Packets in MessagePack, against a second reader of it, and against the default form.

mod model;
mod value;

use bytes::Bytes;
use sansocket_core::codec::engine::Inbound;
use sansocket_core::codec::message::{Encoder, Frame, Message};
use sansocket_core::codec::socket::{Packet, PacketKind};
use sansocket_core::{Limits, MessagePack, PacketError, Revision, SharedParser};

use crate::fuzzing::json::Tree;
use crate::fuzzing::take_byte;

/// The first byte says what the rest is: a message, the data of an event, or JSON to be sent.
pub fn run(mut bytes: &[u8]) {
    let settings = take_byte(&mut bytes);
    let mut limits = Limits::default();
    if settings & 4 != 0 {
        limits.attachments = 2;
        limits.namespace_bytes = 8;
        limits.event_name_bytes = 8;
        limits.json_depth = usize::from(settings >> 4);
    }
    match settings & 3 {
        0 | 1 => check_received(bytes.to_vec(), &limits),
        2 => {
            let around = |before: &[u8]| [before, bytes, b"\xa3nsp\xa1/"].concat();
            check_received(around(b"\x83\xa4type\x02\xa4data\x92\xa1e"), &limits);
            check_received(around(b"\x83\xa4type\x00\xa4data"), &limits);
        }
        _ => check_sent(bytes),
    }
}

/// A packet and its attachments.
type Received = (Packet, Vec<Bytes>);

fn receive(message: impl Into<Bytes>, limits: &Limits) -> Result<Received, PacketError> {
    let parser = SharedParser::from(MessagePack);
    let packet = Revision::V4.decode_binary_by(Some(&parser), message.into(), limits);
    let packet = packet.expect("Engine.IO 4 takes any binary data");
    if let Inbound::Complete(complete) = packet {
        return Ok((complete.packet, complete.attachments));
    }
    let Inbound::Message(packet) = packet else { panic!("{packet:?} is no packet") };
    packet.map(|packet| (packet, Vec::new()))
}

/// What is sent for a message that is in the default form.
fn encode(message: &Message) -> Bytes {
    let encoded = SharedParser::from(MessagePack).encode(message).expect("all JSON has a form");
    let [frame] = encoded.frames() else { panic!("a packet is one message") };
    assert!(frame.is_binary());
    frame.packet_bytes()
}

fn check_received(message: Vec<u8>, limits: &Limits) {
    let received = receive(message.clone(), limits);
    let Ok(expected) = model::read(&message, limits) else { return };
    match (received, expected) {
        (Ok((packet, attachments)), Some(expected)) => {
            expected.check(&packet, &attachments);
            let kept: usize = attachments.iter().map(Bytes::len).sum();
            assert!(kept <= message.len());
            // A placeholder has 30 bytes, and the data that it stands for may have none.
            let most = 6 * message.len() + 40 * attachments.len();
            assert!(packet.len_bytes() <= most, "{} of {}", packet.len_bytes(), message.len());
            check_sent_again(packet, attachments);
        }
        (Err(_), None) => {}
        (Ok((packet, _)), None) => panic!("{packet:?}, where an error was expected"),
        (Err(error), Some(expected)) => panic!("{error:?}, where {expected:?} was expected"),
    }
}

/// What was received can be sent, and arrives as it was.
fn check_sent_again(packet: Packet, attachments: Vec<Bytes>) {
    let (kind, ack) = (packet.kind, packet.ack);
    let (namespace, name) = (packet.namespace().to_owned(), packet.event_name().to_owned());
    let args = packet.into_args(attachments);
    let encoder = &mut Encoder::new();
    let message = match (kind, ack) {
        (PacketKind::Event, _) => Message::event(encoder, &namespace, &name, &args, ack),
        (PacketKind::Ack, Some(id)) => Message::ack(encoder, &namespace, id, &args),
        (PacketKind::Ack, None)
        | (PacketKind::Connect | PacketKind::Disconnect | PacketKind::ConnectError, _) => return,
    };
    let message = message.expect("what was received can be sent");
    let (again, attachments) = receive(encode(&message), &generous()).expect("it is a packet");
    assert_eq!((again.kind, again.ack), (kind, ack));
    assert_eq!((again.namespace(), again.event_name()), (&*namespace, &*name));
    let again = again.into_args(attachments);
    assert!(args.iter().eq(again.iter()), "{args:?} {again:?}");
}

/// A byte for the number of attachments, and what follows the header of an event.
fn check_sent(mut bytes: &[u8]) {
    let count = usize::from(take_byte(&mut bytes) & 3);
    let attachments: Vec<_> = (0..count).map(|n| Bytes::from(format!("#{n}"))).collect();
    let header = if count == 0 { "42".to_owned() } else { format!("45{count}-") };
    let text = Bytes::from([header.as_bytes(), bytes].concat());
    if std::str::from_utf8(&text).is_err() {
        return;
    }
    // What is not accepted was not made by an encoder of ours.
    let Ok(packet) = Packet::decode(text, &Limits::default()) else { return };
    let payload = packet.payload().to_owned();
    let name = packet.event_name().to_owned();
    let args = packet.clone().into_args(attachments);
    let message = Message::event(&mut Encoder::new(), "/space", &name, &args, packet.ack);
    let message = message.expect("what was received can be sent");
    let (header, binary) = message.frames().split_first().expect("a header");
    let binary: Vec<_> = binary.iter().map(Frame::packet_bytes).collect();
    let sent = Packet::decode(header.packet_bytes(), &generous()).expect("our own packet");
    // Without attachments, what looks like a placeholder stays what it is; beside them it is one.
    let (received, data) = receive(encode(&message), &generous()).expect("it is a packet");
    assert_eq!((received.kind, received.ack), (sent.kind, sent.ack));
    assert_eq!((received.namespace(), received.event_name()), ("/space", &*name));
    // serde_json takes less than JavaScript, and of what it does not take less is promised.
    let (Some(sent), Some(_)) = (Tree::parse(sent.payload()), Tree::parse(&payload)) else {
        return;
    };
    let received = Tree::parse(received.payload()).expect("it is JSON");
    if binary.is_empty() {
        assert_eq!(received, sent);
    } else {
        assert_eq!(received.resolve(&data), sent.resolve(&binary));
    }
}

fn generous() -> Limits {
    let mut limits = Limits::default();
    limits.attachments = usize::MAX;
    limits
}

#[cfg(test)]
mod tests;
