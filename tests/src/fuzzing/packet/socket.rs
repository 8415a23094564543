//! Socket.IO packets, against a model on top of serde_json.

use bytes::Bytes;
use sansocket_core::codec::message::{Encoder, Frame, Message};
use sansocket_core::codec::socket::{Packet, PacketKind};
use sansocket_core::{AckId, Limits, PacketError};
use serde_json::value::RawValue;

use crate::fuzzing::json::{Tree, depth, is_json};
use crate::fuzzing::take_byte;

const RESERVED: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

/// The first byte chooses the limits; the rest is what follows the `4` of the Engine.IO message.
pub(super) fn check(mut bytes: &[u8]) {
    let mut limits = Limits::default();
    match take_byte(&mut bytes) {
        0..128 => {}
        tight => {
            limits.attachments = usize::from(tight & 3);
            limits.namespace_bytes = 8;
            limits.event_name_bytes = 8;
            limits.json_depth = usize::from(tight >> 2 & 7);
        }
    }
    let text = Bytes::from([b"4", bytes].concat());
    let packet = Packet::decode(text.clone(), &limits);
    // No transport hands over anything else; and of anything else only the limits are promised.
    let Ok(text) = std::str::from_utf8(&text) else { return };
    match (packet, expect(&text[1..], &limits)) {
        (Ok(packet), Ok(expected)) => {
            expected.check(&packet);
            assert_eq!(packet.len_bytes(), text.len());
            check_round_trip(packet, &limits);
        }
        (Err(error), Err(possible)) => assert!(possible.contains(&error), "{error:?} {possible:?}"),
        (Err(PacketError::IllegalAttachments), Ok(expected)) if expected.is_unsure => {}
        (Ok(packet), Err(error)) => panic!("{packet:?}, where {error:?} was expected"),
        (Err(error), Ok(expected)) => panic!("{error:?}, where {expected:?} was expected"),
    }
}

/// What a packet says.
#[derive(Debug)]
struct Expected<'a> {
    kind: PacketKind,
    attachments: u32,
    namespace: &'a str,
    ack: Option<u64>,
    payload: &'a str,
    name: String,
    /// serde_json takes less than JavaScript, a surrogate without a partner for example, so nothing
    /// is known of the placeholders.
    is_unsure: bool,
}

impl Expected<'_> {
    fn check(&self, packet: &Packet) {
        assert_eq!(packet.kind, self.kind);
        assert_eq!(packet.attachments, self.attachments);
        assert_eq!(packet.namespace(), self.namespace);
        assert_eq!(packet.ack.map(AckId::get), self.ack);
        assert_eq!(packet.payload(), self.payload);
        assert_eq!(packet.event_name(), self.name);
    }
}

/// What `text` says, or all the errors that it may be refused with: where several things are wrong,
/// which one is reported is not promised.
fn expect<'a>(text: &'a str, limits: &Limits) -> Result<Expected<'a>, Vec<PacketError>> {
    let Some(kind) = text.chars().next() else { return Err(vec![PacketError::Empty]) };
    let (packet_kind, has_attachments) = match kind {
        '0' => (PacketKind::Connect, false),
        '1' => (PacketKind::Disconnect, false),
        '2' | '5' => (PacketKind::Event, kind == '5'),
        '3' | '6' => (PacketKind::Ack, kind == '6'),
        '4' => (PacketKind::ConnectError, false),
        _ => return Err(vec![PacketError::UnknownType { byte: text.as_bytes()[0] }]),
    };
    let mut rest = &text[1..];
    let mut attachments = 0;
    if has_attachments {
        let count = take_digits(&mut rest);
        rest = rest.strip_prefix('-').ok_or_else(|| vec![PacketError::IllegalAttachments])?;
        let Some(count) = count else { return Err(vec![PacketError::IllegalAttachments]) };
        let limit = limits.attachments;
        if count > limit as u64 {
            return Err(vec![PacketError::TooManyAttachments { limit }]);
        }
        attachments = count as u32;
    }
    let mut namespace = "/";
    if rest.starts_with('/') {
        (namespace, rest) = rest.split_once(',').unwrap_or((rest, ""));
        if namespace.len() > limits.namespace_bytes {
            return Err(vec![PacketError::TooLong]);
        }
    }
    let ack = take_digits(&mut rest);
    if ack.is_some_and(|ack| ack > AckId::MAX.get()) {
        return Err(vec![PacketError::IllegalAckId]);
    }
    let has_ack = matches!(packet_kind, PacketKind::Event | PacketKind::Ack);
    let (name, is_unsure) = expect_payload(packet_kind, attachments, rest, limits)?;
    Ok(Expected {
        kind: packet_kind,
        attachments,
        namespace,
        ack: ack.filter(|_| has_ack),
        payload: rest,
        name,
        is_unsure,
    })
}

/// The value of the digits in front of `rest`, or the largest there is.
fn take_digits(rest: &mut &str) -> Option<u64> {
    let end = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, behind) = rest.split_at(end);
    *rest = behind;
    if digits.is_empty() { None } else { Some(digits.parse().unwrap_or(u64::MAX)) }
}

/// The event's name, and whether nothing is known of the placeholders.
fn expect_payload(
    kind: PacketKind,
    attachments: u32,
    payload: &str,
    limits: &Limits,
) -> Result<(String, bool), Vec<PacketError>> {
    let firsts: &[u8] = match kind {
        PacketKind::Connect => b"{",
        PacketKind::Disconnect => b"",
        PacketKind::ConnectError => b"{\"",
        PacketKind::Event | PacketKind::Ack => b"[",
    };
    let is_array = firsts == b"[";
    let first = payload.bytes().next();
    if first.is_none() && !is_array {
        return Ok((String::new(), false));
    }
    let mut errors = Vec::new();
    if !first.is_some_and(|first| firsts.contains(&first)) {
        return Err(vec![PacketError::InvalidPayload]);
    }
    if !is_json(payload.as_bytes()) {
        errors.push(PacketError::InvalidPayload);
    }
    if depth(payload.as_bytes()) > limits.json_depth {
        errors.push(PacketError::TooLong);
    }
    if !is_array {
        return if errors.is_empty() { Ok((String::new(), false)) } else { Err(errors) };
    }
    let mut is_unsure = false;
    if attachments > 0 {
        match Tree::parse(payload) {
            Some(tree) if !all_name_one_of(&tree, attachments) => {
                errors.push(PacketError::IllegalAttachments);
            }
            Some(_) => {}
            // It may have any placeholders in front of what is wrong.
            None if !errors.is_empty() => errors.push(PacketError::IllegalAttachments),
            None => is_unsure = true,
        }
    }
    let elements = serde_json::from_str::<Vec<&RawValue>>(payload).unwrap_or_default();
    let mut name = String::new();
    if kind == PacketKind::Event {
        match elements.first().map(|name| name.get()) {
            Some(text) if text.starts_with('"') => name = unescape(&text[1..text.len() - 1]),
            Some(text) if text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => {
                name = text.to_owned();
            }
            Some(_) | None => errors.push(PacketError::InvalidPayload),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    // These are looked at once the payload has been found to be well-formed.
    if name.len() > limits.event_name_bytes {
        return Err(vec![PacketError::TooLong]);
    }
    if RESERVED.contains(&&*name) {
        return Err(vec![PacketError::ReservedName]);
    }
    Ok((name, is_unsure))
}

/// The meaning of a JSON string. serde_json refuses surrogates without a partner; JavaScript does
/// not, and with us they become U+FFFD.
fn unescape(text: &str) -> String {
    let mut units: Vec<u16> = Vec::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let character = match character {
            '\\' => match characters.next() {
                Some('u') => {
                    let digits: String = characters.by_ref().take(4).collect();
                    units.push(u16::from_str_radix(&digits, 16).expect("it is JSON"));
                    continue;
                }
                Some('b') => '\u{8}',
                Some('f') => '\u{c}',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some(other) => other,
                None => panic!("it is JSON"),
            },
            plain => plain,
        };
        units.extend_from_slice(character.encode_utf16(&mut [0; 2]));
    }
    String::from_utf16_lossy(&units)
}

/// Whether every placeholder, also one within another, names an attachment.
fn all_name_one_of(tree: &Tree, attachments: u32) -> bool {
    let mut all = true;
    tree.walk(&mut |value| {
        if let Some(number) = value.placeholder() {
            all &= number.is_some_and(|number| number < attachments as usize);
        }
    });
    all
}

/// What was decoded can be encoded, and decodes to the same.
fn check_round_trip(packet: Packet, limits: &Limits) {
    let (kind, ack) = (packet.kind, packet.ack);
    let (namespace, name) = (packet.namespace().to_owned(), packet.event_name().to_owned());
    let attachments = (0..packet.attachments).map(|number| Bytes::from(format!("#{number}")));
    let args = packet.into_args(attachments.collect());
    let encoder = &mut Encoder::new();
    let message = match (kind, ack) {
        (PacketKind::Event, _) => Message::event(encoder, &namespace, &name, &args, ack),
        (PacketKind::Ack, Some(id)) => Message::ack(encoder, &namespace, id, &args),
        (PacketKind::Ack, None) => return,
        (PacketKind::Connect | PacketKind::Disconnect | PacketKind::ConnectError, _) => return,
    };
    let message = message.expect("what was received can be sent");
    let (header, binary) = message.frames().split_first().expect("a header");
    // An attachment that is referred to twice is sent twice.
    let mut limits = limits.clone();
    limits.attachments = usize::MAX;
    let again = Packet::decode(header.packet_bytes(), &limits).expect("what was sent is accepted");
    assert_eq!((again.kind, again.ack), (kind, ack));
    assert_eq!((again.namespace(), again.event_name()), (&*namespace, &*name));
    assert_eq!(again.attachments as usize, binary.len());
    let again = again.into_args(binary.iter().map(Frame::packet_bytes).collect());
    assert!(args.iter().eq(again.iter()), "{args:?} {again:?}");
}
