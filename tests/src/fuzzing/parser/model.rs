//! What a message says, and whether it may.

use bytes::Bytes;
use sansocket_core::codec::json::MAX_DEPTH;
use sansocket_core::codec::socket::{Packet, PacketKind};
use sansocket_core::{AckId, Limits};

use super::value::{Fault, Value};
use crate::fuzzing::json::Tree;

const RESERVED: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

/// What a packet says.
#[derive(Debug)]
pub(super) struct Expected {
    kind: PacketKind,
    namespace: String,
    ack: Option<u64>,
    data: Option<Value>,
}

/// What `message` says; `None` if it is to be refused.
///
/// # Errors
///
/// If nothing is known of it.
pub(super) fn read(message: &[u8], limits: &Limits) -> Result<Option<Expected>, Fault> {
    match Value::read(message) {
        Ok(Value::Map(fields)) => Ok(packet(&fields, limits)),
        Ok(_) | Err(Fault::Malformed) => Ok(None),
        Err(Fault::TooDeep) => Err(Fault::TooDeep),
    }
}

fn packet(fields: &[(Value, Value)], limits: &Limits) -> Option<Expected> {
    let is_text = |(key, _): &(Value, Value)| matches!(key, Value::Text(_));
    // Each is looked at as it comes, and the last counts.
    let all = |name: &str| {
        let name = Value::Text(name.into());
        let found = fields.iter().filter(move |(key, _)| *key == name);
        found.map(|(_, value)| value).collect::<Vec<_>>()
    };
    let kinds: Vec<_> = all("type").into_iter().map(Value::index).collect();
    let ids: Vec<_> = all("id")
        .into_iter()
        .map(|id| match id.index().map(|id| (id, AckId::new(id))) {
            None => (*id == Value::Undefined).then_some(None),
            Some((id, valid)) => valid.map(|_| Some(id)),
        })
        .collect();
    let namespaces: Vec<_> = all("nsp").into_iter().map(Value::text).collect();
    let are_right = fields.iter().all(is_text)
        && kinds.iter().all(Option::is_some)
        && ids.iter().all(Option::is_some)
        && namespaces.iter().all(Option::is_some);
    if !are_right {
        return None;
    }
    let kind = match (*kinds.last()?)? {
        0 => PacketKind::Connect,
        1 => PacketKind::Disconnect,
        2 => PacketKind::Event,
        3 => PacketKind::Ack,
        4 => PacketKind::ConnectError,
        _ => return None,
    };
    let namespace = namespaces.last().cloned()??;
    let is_name = namespace.starts_with('/')
        && !namespace.contains(',')
        && namespace.len() <= limits.namespace_bytes;
    let data = all("data").last().copied().filter(|data| **data != Value::Undefined).cloned();
    let has_arguments = matches!(kind, PacketKind::Event | PacketKind::Ack);
    let ack = ids.last().copied().flatten().flatten().filter(|_| has_arguments);
    let may = is_name && may_have(kind, data.as_ref(), limits);
    may.then_some(Expected { kind, namespace, ack, data })
}

fn may_have(kind: PacketKind, data: Option<&Value>, limits: &Limits) -> bool {
    let is_of_kind = match (kind, data) {
        (PacketKind::Connect, None | Some(Value::Map(_)))
        | (PacketKind::Disconnect, None)
        | (PacketKind::Ack, Some(Value::List(_) | Value::Ext(..)))
        | (PacketKind::ConnectError, Some(Value::Map(_) | Value::Text(_))) => true,
        (PacketKind::ConnectError, Some(Value::Date(date))) => is_date(*date),
        (PacketKind::Event, Some(Value::List(list))) => may_be_name(list.first(), limits),
        // As in JavaScript, an extension is an array of its type and its data.
        (PacketKind::Event, Some(Value::Ext(..))) => limits.event_name_bytes >= 4,
        _ => false,
    };
    let Some(data) = data else { return is_of_kind };
    let has_attachments = matches!(kind, PacketKind::Event | PacketKind::Ack);
    let (mut attachments, mut has_literal, mut keys_are_right) = (0, false, true);
    data.walk(&mut |value| {
        attachments += usize::from(matches!(value, Value::Data(_) | Value::Ext(..)));
        let Value::Map(map) = value else { return };
        for (key, value) in map {
            let is_mark = *key == Value::Text(b"_placeholder".to_vec());
            has_literal |= is_mark && *value == Value::Bool(true);
            keys_are_right &= key.key().is_some();
        }
    });
    let attachments_are_right =
        !has_attachments || attachments == 0 || (attachments <= limits.attachments && !has_literal);
    let depth_max = limits.json_depth.min(MAX_DEPTH);
    is_of_kind && keys_are_right && attachments_are_right && depth(data) <= depth_max
}

/// How deep its JSON is.
fn depth(value: &Value) -> usize {
    match value {
        Value::List(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        Value::Map(map) => 1 + map.iter().map(|(_, value)| depth(value)).max().unwrap_or(0),
        // A placeholder, or an array of numbers.
        Value::Data(_) => 1,
        Value::Ext(..) => 2,
        Value::Nil
        | Value::Undefined
        | Value::Bool(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Text(_)
        | Value::Date(_) => 0,
    }
}

fn may_be_name(name: Option<&Value>, limits: &Limits) -> bool {
    let Some(name) = name.and_then(name_of) else { return false };
    name.len() <= limits.event_name_bytes && !RESERVED.contains(&&*name)
}

/// The name that the first element of an event is, or one as long.
fn name_of(value: &Value) -> Option<String> {
    if let Value::Float(value) = value {
        let is_integer = value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0;
        return match is_integer && value.to_bits() != (-0.0_f64).to_bits() {
            true => Some((*value as i64).to_string()),
            false => value.is_finite().then(|| serde_json::to_string(value).expect("a number")),
        };
    }
    let Value::Date(date) = value else { return value.key() };
    let year_bytes = if (YEAR_0..YEAR_10_000).contains(date) { 4 } else { 7 };
    is_date(*date).then(|| "x".repeat(year_bytes + "-01-01T00:00:00.000Z".len()))
}

impl Expected {
    pub(super) fn check(&self, packet: &Packet, attachments: &[Bytes]) {
        assert_eq!(packet.kind, self.kind);
        assert_eq!(packet.namespace(), self.namespace);
        assert_eq!(packet.ack.map(AckId::get), self.ack);
        assert_eq!(packet.attachments as usize, attachments.len());
        match &self.data {
            None => assert_eq!(packet.payload(), ""),
            Some(data) => {
                let tree = Tree::parse(packet.payload()).expect("it is JSON");
                let mut attachments = attachments.iter();
                let is_same = is_same(data, &tree, &mut |data| {
                    attachments.next().is_some_and(|next| next == data)
                });
                assert!(is_same, "{} is not {data:?}", packet.payload());
                assert_eq!(attachments.next(), None);
            }
        }
    }
}

/// Whether `tree` is what is to become of `value`. `take` is asked for each piece of data whether it is
/// the next attachment.
fn is_same(value: &Value, tree: &Tree, take: &mut impl FnMut(&[u8]) -> bool) -> bool {
    match (value, tree) {
        (Value::Nil | Value::Undefined, Tree::Null) => true,
        (Value::Bool(value), Tree::Bool(found)) => value == found,
        (Value::Integer(value), Tree::Number(found)) => *value as f64 == *found,
        (Value::Float(value), Tree::Null) => !value.is_finite(),
        (Value::Float(value), Tree::Number(found)) => value == found,
        (Value::Text(text), Tree::Text(found)) => String::from_utf8_lossy(text) == *found,
        (Value::Date(date), Tree::Null) => !is_date(*date),
        (Value::Date(date), Tree::Text(found)) => {
            is_date(*date) && parse_date(found) == Some(*date)
        }
        (Value::Data(data), found) => is_data(data, found, take),
        (Value::Ext(kind, data), Tree::List(found)) => match &found[..] {
            [Tree::Number(found), rest] => *found == f64::from(*kind) && is_data(data, rest, take),
            _ => false,
        },
        (Value::List(list), Tree::List(found)) => {
            list.len() == found.len()
                && list.iter().zip(found).all(|(value, found)| is_same(value, found, take))
        }
        (Value::Map(map), Tree::Map(found)) => {
            let entries: Vec<_> =
                map.iter().filter(|(_, value)| *value != Value::Undefined).collect();
            entries.len() == found.len()
                && entries.iter().zip(found).all(|((key, value), (found_key, found))| {
                    key.key().as_ref() == Some(found_key) && is_same(value, found, take)
                })
        }
        _ => false,
    }
}

/// A placeholder, or an array of numbers where there are no attachments.
fn is_data(data: &[u8], found: &Tree, take: &mut impl FnMut(&[u8]) -> bool) -> bool {
    let Tree::List(found) = found else {
        return found.placeholder().flatten().is_some() && take(data);
    };
    let is_byte = |(byte, found): (&u8, &Tree)| *found == Tree::Number(f64::from(*byte));
    found.len() == data.len() && data.iter().zip(found).all(is_byte)
}

const YEAR_0: i64 = -62_167_219_200_000;
const YEAR_10_000: i64 = 253_402_300_800_000;

/// Whether JavaScript has a date of so many milliseconds.
fn is_date(milliseconds: i64) -> bool {
    milliseconds.unsigned_abs() <= 8_640_000_000_000_000
}

/// The milliseconds of a date, counted from its parts: the other way round than it was written.
fn parse_date(text: &str) -> Option<i64> {
    let (year, rest) = match text.as_bytes().first()? {
        b'+' | b'-' => text.split_at_checked(7)?,
        _ => text.split_at_checked(4)?,
    };
    let mut numbers = rest.strip_suffix('Z')?.split(['-', 'T', ':', '.']).skip(1);
    let mut next = || numbers.next()?.parse::<i64>().ok();
    let (year, month, day) = (year.parse::<i64>().ok()?, next()?, next()?);
    let (hour, minute, second, milliseconds) = (next()?, next()?, next()?, next()?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [31, if is_leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let before: i64 = lengths.iter().take(usize::try_from(month - 1).ok()?).sum();
    let years = year - 1;
    let leaps = years.div_euclid(4) - years.div_euclid(100) + years.div_euclid(400);
    // From 1 January of the year 1 to that of 1970 there are 719 162 days.
    let days = 365 * years + leaps + before + day - 1 - 719_162;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + milliseconds)
}
