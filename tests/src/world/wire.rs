//! The bytes on the wire, as a client writes and reads them: written apart from the server's codecs,
//! so that a mistake in those is seen as a difference.

use std::fmt::Write as _;

use crate::model::{Kind, Packet, Said};

/// The namespaces of a simulation, and one that no server has.
pub(super) const NAMESPACES: [&str; 3] = ["/", "/a", "/long-name"];
pub(super) const UNKNOWN: &str = "/nope";

/// What a client reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Open,
    Close,
    Ping,
    ProbePong,
    Noop,
    Connected { namespace: u8, id: String },
    Refused { namespace: u8 },
    UnknownNamespace,
    Disconnected { namespace: u8 },
    Event { namespace: u8, tag: u64, ack: Option<u64>, attachments: u8 },
    Ack { namespace: u8, id: u64, tag: u64, attachments: u8 },
}

/// One WebSocket message or one packet of a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Text(String),
    Binary(Vec<u8>),
}

/// `4`, the type, attachments, namespace and id; and what is left.
struct Header<'a> {
    kind: u8,
    attachments: Option<u64>,
    namespace: &'a str,
    id: Option<u64>,
    rest: &'a str,
}

/// An event or, where `answers` is an id, an acknowledgement.
pub(super) fn packet(
    answers: bool,
    namespace: u8,
    id: Option<u64>,
    tag: u64,
    attachments: u8,
    padding: usize,
) -> String {
    let mut text = String::with_capacity(48 + padding + 32 * usize::from(attachments));
    text.push_str(match (answers, attachments) {
        (false, 0) => "42",
        (true, 0) => "43",
        (false, _) => "45",
        (true, _) => "46",
    });
    if attachments > 0 {
        let _ = write!(text, "{attachments}-");
    }
    push_namespace(&mut text, NAMESPACES[usize::from(namespace)]);
    if let Some(id) = id {
        let _ = write!(text, "{id}");
    }
    let _ = write!(text, "{}{tag}", if answers { "[" } else { "[\"m\"," });
    for number in 0..attachments {
        let _ = write!(text, ",{{\"_placeholder\":true,\"num\":{number}}}");
    }
    if padding > 0 {
        let _ = write!(text, ",\"{}\"", "é".repeat(padding / 2));
    }
    text.push(']');
    text
}

/// `40` or `41` for a namespace.
pub(super) fn of_namespace(kind: &str, namespace: &str) -> String {
    let mut text = kind.to_owned();
    push_namespace(&mut text, namespace);
    text
}

fn push_namespace(text: &mut String, namespace: &str) {
    if namespace != "/" {
        text.push_str(namespace);
        text.push(',');
    }
}

/// The attachments that belong to a tag.
pub(super) fn attachment(tag: u64, number: u8) -> Vec<u8> {
    let length = (tag + u64::from(number) * 5) % 9;
    (0..length).map(|at| (tag * 31 + u64::from(number) * 7 + at * 3) as u8).collect()
}

/// The number in the arguments: behind the name of an event, first in an acknowledgement.
pub(super) fn tag_of(payload: &str, is_event: bool) -> Option<u64> {
    let digits = payload.strip_prefix(if is_event { "[\"m\"," } else { "[" })?;
    let end = digits.find(|character: char| !character.is_ascii_digit())?;
    digits[..end].parse().ok()
}

/// What a client said, as the protocol has it.
pub(super) fn said(text: &str) -> Said {
    let Some(kind) = text.bytes().next() else { return Said::Malformed };
    match (kind, &text[1..]) {
        (b'0', _) => Said::Open,
        (b'1', _) => Said::Close,
        (b'2', "probe") => Said::ProbePing,
        (b'2', _) => Said::Ping,
        (b'3', _) => Said::Pong,
        (b'4', _) => said_in_message(text).map_or(Said::BadPacket, Said::Packet),
        (b'5', _) => Said::Upgrade,
        (b'6', _) => Said::Noop,
        (b'b', data) => Said::Binary { bytes: base64(data).len() },
        _ => Said::Malformed,
    }
}

fn said_in_message(text: &str) -> Option<Packet> {
    let header = header(text)?;
    let kind = match header.kind {
        b'0' => Kind::Connect,
        b'1' => Kind::Disconnect,
        b'2' | b'5' => Kind::Event,
        b'3' | b'6' => Kind::Ack,
        b'4' => Kind::ConnectError,
        _ => return None,
    };
    let attachments = match (header.kind, header.attachments) {
        (b'5' | b'6', None) => return None,
        (_, count) => count.unwrap_or(0),
    };
    let is_valid = match kind {
        Kind::Connect => header.rest.is_empty() || is_json(header.rest, '{'),
        Kind::Disconnect => header.rest.is_empty(),
        Kind::ConnectError => header.rest.is_empty() || is_json(header.rest, '{'),
        Kind::Event | Kind::Ack => is_array(header.rest, kind == Kind::Event, attachments),
    };
    if !is_valid || attachments > 10 || header.id.is_some_and(|id| id >= 1 << 53) {
        return None;
    }
    Some(Packet {
        kind,
        namespace: number_of(header.namespace),
        ack: header.id,
        tag: tag_of(header.rest, kind == Kind::Event).unwrap_or(u64::MAX),
        attachments: attachments as u8,
        bytes: text.len(),
    })
}

/// The arrays that simulated clients send; any other only has to be JSON.
fn is_array(text: &str, is_event: bool, attachments: u64) -> bool {
    let Ok(serde_json::Value::Array(values)) = serde_json::from_str(text) else { return false };
    let named = match values.first() {
        Some(serde_json::Value::String(name)) => name != "connect",
        Some(_) | None => false,
    };
    let number = |value: &serde_json::Value| value.get("num").and_then(serde_json::Value::as_u64);
    (named || !is_event) && values.iter().filter_map(number).all(|number| number < attachments)
}

fn is_json(text: &str, first: char) -> bool {
    text.starts_with(first) && serde_json::from_str::<serde_json::Value>(text).is_ok()
}

fn header(text: &str) -> Option<Header<'_>> {
    let kind = *text.as_bytes().get(1)?;
    let mut rest = &text[2..];
    let mut attachments = None;
    if matches!(kind, b'5' | b'6') {
        let (count, behind) = rest.split_once('-')?;
        attachments = Some(count.parse().ok()?);
        rest = behind;
    }
    let mut namespace = "/";
    if rest.starts_with('/') {
        (namespace, rest) = rest.split_once(',').unwrap_or((rest, ""));
    }
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let id = match digits {
        0 => None,
        _ => Some(rest[..digits].parse().unwrap_or(u64::MAX)),
    };
    Some(Header { kind, attachments, namespace, id, rest: &rest[digits..] })
}

fn number_of(namespace: &str) -> Option<u8> {
    NAMESPACES.iter().position(|known| *known == namespace).map(|number| number as u8)
}

/// What a server said; `None` if it is not what a server of this simulation says.
pub(super) fn heard(text: &str) -> Option<Heard> {
    Some(match text {
        "1" => Heard::Close,
        "2" => Heard::Ping,
        "3probe" => Heard::ProbePong,
        "6" => Heard::Noop,
        _ if text.starts_with("0{\"sid\":\"") && text.ends_with('}') => Heard::Open,
        _ if text.starts_with('4') => heard_in_message(text)?,
        _ => return None,
    })
}

fn heard_in_message(text: &str) -> Option<Heard> {
    let header = header(text)?;
    let namespace = number_of(header.namespace);
    if header.kind == b'4' && namespace.is_none() {
        let expected = "{\"message\":\"Invalid namespace\"}";
        return (header.rest == expected && header.namespace == UNKNOWN)
            .then_some(Heard::UnknownNamespace);
    }
    let namespace = namespace?;
    let attachments = u8::try_from(header.attachments.unwrap_or(0)).ok()?;
    Some(match header.kind {
        b'0' => {
            let id = header.rest.strip_prefix("{\"sid\":\"")?.strip_suffix("\"}")?;
            Heard::Connected { namespace, id: id.to_owned() }
        }
        b'1' if header.rest.is_empty() => Heard::Disconnected { namespace },
        b'2' | b'5' => {
            let tag = checked_tag(header.rest, true, attachments)?;
            Heard::Event { namespace, tag, ack: header.id, attachments }
        }
        b'3' | b'6' => {
            let tag = checked_tag(header.rest, false, attachments)?;
            Heard::Ack { namespace, id: header.id?, tag, attachments }
        }
        b'4' if header.rest == "{\"message\":\"no\"}" => Heard::Refused { namespace },
        _ => return None,
    })
}

/// The tag of arguments that are complete: `tag`, padding of `é`, a placeholder per attachment.
fn checked_tag(payload: &str, is_event: bool, attachments: u8) -> Option<u64> {
    let tag = tag_of(payload, is_event)?;
    let prefix = if is_event { "[\"m\"," } else { "[" };
    let digits = payload[prefix.len()..].bytes().take_while(u8::is_ascii_digit).count();
    let mut rest = &payload[prefix.len() + digits..];
    for number in 0..attachments {
        rest = rest.strip_prefix(",{\"_placeholder\":true,\"num\":")?;
        rest = rest.strip_prefix(char::from(b'0' + number))?.strip_prefix('}')?;
    }
    if let Some(padding) = rest.strip_prefix(",\"") {
        rest = padding.trim_start_matches('é').strip_prefix('"')?;
    }
    (rest == "]").then_some(tag)
}

/// Takes the next frame that a server sent off `bytes`, from `at` on.
///
/// The frame, or `Err` with what is wrong with it. `None` if more must come.
pub(super) fn take_frame(bytes: &[u8], at: &mut usize) -> Option<Result<(u8, Vec<u8>), String>> {
    let rest = &bytes[*at..];
    let [first, second, behind @ ..] = rest else { return None };
    if first & 0xf0 != 0x80 || second & 0x80 != 0 {
        return Some(Err(format!("a frame begins with {first:#x} {second:#x}")));
    }
    let (length, header) = match second {
        126 => (u16::from_be_bytes([*behind.first()?, *behind.get(1)?]) as usize, 4),
        127 => (u64::from_be_bytes(behind.get(..8)?.try_into().ok()?) as usize, 10),
        short => (usize::from(*short), 2),
    };
    let payload = rest.get(header..header + length)?.to_vec();
    *at += header + length;
    Some(Ok((first & 0xf, payload)))
}

/// Appends a frame that a client sends.
pub(super) fn push_frame(bytes: &mut Vec<u8>, opcode: u8, fin: bool, payload: &[u8], key: u32) {
    bytes.push(opcode | if fin { 0x80 } else { 0 });
    match payload.len() {
        length @ 0..126 => bytes.push(0x80 | length as u8),
        length @ 126..65_536 => {
            bytes.push(0x80 | 126);
            bytes.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            bytes.push(0x80 | 127);
            bytes.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    let key = key.to_be_bytes();
    bytes.extend_from_slice(&key);
    bytes.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub(super) fn base64(text: &str) -> Vec<u8> {
    let (mut bits, mut count) = (0u32, 0);
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let values = text.bytes().filter_map(|byte| ALPHABET.iter().position(|letter| *letter == byte));
    for value in values {
        bits = bits << 6 | value as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}

pub(super) fn push_base64(text: &mut String, bytes: &[u8]) {
    for chunk in bytes.chunks(3) {
        let mut word = [0; 3];
        word[..chunk.len()].copy_from_slice(chunk);
        let word = u32::from_be_bytes([0, word[0], word[1], word[2]]);
        for place in 0..4 {
            let letter = ALPHABET[(word >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
}
