//! Arguments that came, against serde_json.

use std::collections::BTreeMap;
use std::fmt::Debug;

use bytes::Bytes;
use sansocket_core::codec::message::{Encoder, Frame, Message};
use sansocket_core::codec::socket::Packet;
use sansocket_core::{Args, Limits, Raw};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::fuzzing::json::{Tree, depth};
use crate::fuzzing::{take, take_byte};

/// From this depth serde_json builds no value. A tuple is read from the array of the arguments,
/// which makes one level more than the argument alone has.
const DEPTH_REFUSED: usize = 128;

/// A byte for the number of attachments and whether it is an event, each attachment behind a byte
/// for its length, and the arguments' JSON.
pub(super) fn check(mut bytes: &[u8]) {
    let settings = take_byte(&mut bytes);
    let mut attachments = Vec::new();
    for _ in 0..settings & 3 {
        let length = take_byte(&mut bytes);
        attachments.push(Bytes::copy_from_slice(take(&mut bytes, usize::from(length & 31))));
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let count = attachments.len();
    let text = match (settings & 4 == 0, count) {
        (true, 0) => format!("42[\"name\",{text}]"),
        (true, _) => format!("45{count}-[\"name\",{text}]"),
        (false, 0) => format!("437[{text}]"),
        (false, _) => format!("46{count}-7[{text}]"),
    };
    let Ok(packet) = Packet::decode(Bytes::from(text), &Limits::default()) else { return };
    let payload = packet.payload().to_owned();
    let args = packet.into_args(attachments.clone());
    let elements: Vec<&RawValue> = serde_json::from_str(&payload).expect("it was accepted");
    let elements: Vec<&str> = elements.iter().map(|element| element.get()).collect();
    let elements = if settings & 4 == 0 { &elements[1..] } else { &elements[..] };

    check_raw(&args, elements, &attachments);
    if attachments.is_empty() {
        check_types(&args, elements, depth(payload.as_bytes()));
    } else {
        check_bytes(&args, elements, &attachments);
    }
}

/// Undecoded arguments are what stands there.
fn check_raw(args: &Args, elements: &[&str], attachments: &[Bytes]) {
    assert_eq!(args.len(), elements.len());
    assert_eq!(args.is_empty(), elements.is_empty());
    assert_eq!(args.get(elements.len()), None);
    for (raw, (index, element)) in args.iter().zip(elements.iter().enumerate()) {
        assert_eq!(args.get(index).as_ref(), Some(&raw));
        if attachments.is_empty() {
            assert_eq!((raw.as_str(), raw.attachments().len()), (*element, 0));
        } else if let Some(tree) = Tree::parse(element) {
            let expected = tree.resolve(attachments);
            let ours = Tree::parse(raw.as_str()).expect("as good as what it was taken from");
            assert_eq!(ours.resolve(raw.attachments()), expected);
            assert!(expected.is_some(), "the decoder has checked its placeholders");
        }
        assert_eq!(Raw::encode(&raw).expect("it is JSON"), raw);
        check_passed_on(&raw, !attachments.is_empty());
    }
    let first_two = args.clone().decode::<(Option<Raw>, Option<Raw>)>().expect("any value will do");
    let expected = |index| args.get(index).filter(|raw| raw.as_str() != "null");
    assert_eq!(first_two, (expected(0), expected(1)));
    args.clone().decode::<()>().expect("nothing is asked for");
}

/// A value that is sent again arrives as it was, whatever stands beside it. Only what looks like a
/// placeholder and came without attachments cannot be told from one.
fn check_passed_on(raw: &Raw, had_attachments: bool) {
    let beside = Bytes::from_static(b"beside");
    let message = Message::event(&mut Encoder::new(), "/", "name", &(&beside, raw, &beside), None);
    let message = message.expect("it is JSON");
    let (header, binary) = message.frames().split_first().expect("a header");
    let mut limits = Limits::default();
    limits.attachments = usize::MAX;
    let packet = match Packet::decode(header.packet_bytes(), &limits) {
        Ok(packet) => packet,
        Err(error) => {
            assert!(!had_attachments && raw.as_str().contains('{'), "{error:?}");
            return;
        }
    };
    let again = packet.into_args(binary.iter().map(Frame::packet_bytes).collect());
    if had_attachments || !raw.as_str().contains("laceholder") && !raw.as_str().contains("\\u") {
        let (first, same, last) = again.decode::<(Bytes, Raw, Bytes)>().expect("as it was sent");
        assert_eq!((&first, &same, &last), (&beside, raw, &beside));
    }
}

#[derive(Debug, PartialEq, Deserialize)]
struct Record {
    number: i16,
    text: Option<String>,
    list: Vec<Choice>,
}

#[derive(Debug, PartialEq, Deserialize)]
enum Choice {
    Unit,
    One(f32),
    Two(bool, char),
    Named { nested: Box<Record> },
}

/// Without attachments, an argument decodes as serde_json decodes its text.
fn check_types(args: &Args, elements: &[&str], depth: usize) {
    let first = elements.first().copied();
    same_as_serde_json::<String>(args, first);
    same_as_serde_json::<bool>(args, first);
    same_as_serde_json::<u8>(args, first);
    same_as_serde_json::<i64>(args, first);
    same_as_serde_json::<i128>(args, first);
    same_as_serde_json::<f64>(args, first);
    same_as_serde_json::<char>(args, first);
    same_as_serde_json::<Bytes>(args, first);
    same_as_serde_json::<Vec<Value>>(args, first);
    same_as_serde_json::<BTreeMap<String, Value>>(args, first);
    same_as_serde_json::<Record>(args, first);
    same_as_serde_json::<Choice>(args, first);

    // `undefined` is the null of what takes anything.
    let value =
        |index: usize| serde_json::from_str::<Value>(elements.get(index).unwrap_or(&"null"));
    let decoded = args.clone().decode::<Value>();
    assert_eq!(decoded.ok(), value(0).ok());
    let decoded = args.clone().decode::<(Value, Option<Value>)>();
    let expected = value(0).and_then(|first| Ok((first, value(1)?)));
    let expected = expected.map(|(first, second)| (first, Some(second).filter(|v| !v.is_null())));
    if depth < DEPTH_REFUSED {
        assert_eq!(decoded.ok(), expected.ok());
    }
}

fn same_as_serde_json<T: DeserializeOwned + PartialEq + Debug>(args: &Args, first: Option<&str>) {
    let decoded = args.clone().decode::<T>().ok();
    let expected = first.and_then(|text| serde_json::from_str(text).ok());
    assert_eq!(decoded, expected, "as {}", std::any::type_name::<T>());
    let optional = args.clone().decode::<Option<T>>().ok();
    let expected = serde_json::from_str(first.unwrap_or("null")).ok();
    assert_eq!(optional, expected, "as an optional {}", std::any::type_name::<T>());
}

/// Where bytes are asked for, a placeholder is its attachment.
fn check_bytes(args: &Args, elements: &[&str], attachments: &[Bytes]) {
    let Some(trees) = elements.iter().map(|e| Tree::parse(e)).collect::<Option<Vec<_>>>() else {
        return;
    };
    let bytes = |index: usize| match trees.get(index)?.placeholder() {
        Some(number) => attachments.get(number?).cloned(),
        None => serde_json::from_str(elements.get(index)?).ok(),
    };
    assert_eq!(args.clone().decode::<Bytes>().ok(), bytes(0));
    let both = bytes(0).and_then(|first| Some((first, bytes(1)?)));
    assert_eq!(args.clone().decode::<(Bytes, Bytes)>().ok(), both);
    // Where something else is asked for, the attachments change nothing.
    let text = serde_json::from_str::<String>(elements.first().unwrap_or(&"null")).ok();
    assert_eq!(args.clone().decode::<String>().ok(), text);
    let value = serde_json::from_str::<Value>(elements.first().unwrap_or(&"null")).ok();
    assert_eq!(args.clone().decode::<Value>().ok(), value);
}
