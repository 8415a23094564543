use std::borrow::ToOwned;
use std::collections::BTreeMap;
use std::format;
use std::string::{String, ToString};
use std::vec;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

mod serde_model;

use super::*;
use crate::Limits;
use crate::codec::message::{Encoder, Frame, Message};
use crate::codec::socket::Packet;

/// What a client would receive if `args` were sent to it.
fn transmit<T: Serialize + ?Sized>(args: &T) -> Args {
    let message = Message::event(&mut Encoder::new(), "/", "event", args, None).unwrap();
    receive(&message)
}

fn receive(message: &Message) -> Args {
    let (header, attachments) = message.frames().split_first().unwrap();
    let packet = Packet::decode(header.packet_bytes(), &Limits::default()).unwrap();
    assert_eq!(packet.attachments as usize, attachments.len());
    packet.into_args(attachments.iter().map(Frame::packet_bytes).collect())
}

/// The arguments of the event whose packet is `text`.
fn args(text: &str, attachments: &[&[u8]]) -> Args {
    let packet =
        Packet::decode(Bytes::copy_from_slice(text.as_bytes()), &Limits::default()).unwrap();
    packet.into_args(attachments.iter().map(|data| Bytes::copy_from_slice(data)).collect())
}

fn encoded<T: Serialize + ?Sized>(args: &T) -> (String, usize) {
    let mut output = Output::default();
    encode(args, &mut output, false).unwrap();
    (String::from_utf8(output.json).unwrap(), output.attachments.len())
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Unit;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Newtype(String);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Wrapper<T>(T);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Pair(i32, Bytes);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Choice {
    Unit,
    Newtype(Bytes),
    Tuple(u8, Bytes),
    Struct { text: String, data: Option<Bytes> },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Everything {
    boolean: bool,
    signed: i64,
    unsigned: u64,
    wide: i128,
    small: (i8, u8, i16, u16, i32, u32),
    character: char,
    text: String,
    unit: (),
    unit_struct: Unit,
    newtype: Newtype,
    pair: Pair,
    none: Option<u8>,
    some: Option<Option<Bytes>>,
    list: Vec<Choice>,
    by_number: BTreeMap<i32, Bytes>,
    by_text: BTreeMap<String, Vec<Bytes>>,
    by_character: BTreeMap<char, bool>,
    by_flag: BTreeMap<bool, [u8; 2]>,
}

#[test]
fn a_tuple_is_several_arguments() {
    assert_eq!(encoded(&()).0, "");
    assert_eq!(encoded(&("a",)).0, r#""a""#);
    assert_eq!(encoded(&("a", 1, ())).0, r#""a",1,null"#);
    assert_eq!(encoded(&[1, 2]).0, "1,2");
    assert_eq!(encoded(&([1, 2],)).0, "[1,2]");
    assert_eq!(encoded(&&("a", "b")).0, r#""a","b""#);
}

#[test]
fn anything_else_is_one_argument() {
    assert_eq!(encoded("a").0, r#""a""#);
    assert_eq!(encoded(&'\n').0, r#""\n""#);
    assert_eq!(encoded(&vec![1, 2]).0, "[1,2]");
    assert_eq!(encoded(&Some((1, 2))).0, "[1,2]");
    assert_eq!(encoded(&None::<u8>).0, "null");
    assert_eq!(encoded(&Unit).0, "null");
    assert_eq!(encoded(&Wrapper((1, 2))).0, "[1,2]");
    assert_eq!(encoded(&Choice::Unit).0, r#""Unit""#);
    assert_eq!(encoded(&json!({"a": [1.5, -0.0, 1e300]})).0, r#"{"a":[1.5,-0.0,1e+300]}"#);
    assert_eq!(encoded(&[f64::NAN, f64::INFINITY]).0, "null,null");
    assert_eq!(encoded(&format_args!("a\"{}", 1)).0, r#""a\"1""#);
}

#[test]
fn bytes_are_attachments() {
    let data = Bytes::from_static(&[1]);
    let (text, attachments) = encoded(&data);
    assert_eq!((text.as_str(), attachments), (r#"{"_placeholder":true,"num":0}"#, 1));
    // Numbered depth-first; the same bytes twice are two attachments.
    let value = (json!({}), Wrapper(vec![&data]), BTreeMap::from([("k", (&data, &data))]));
    let (text, attachments) = encoded(&value);
    let expected = concat!(
        r#"{},[{"_placeholder":true,"num":0}],"#,
        r#"{"k":[{"_placeholder":true,"num":1},{"_placeholder":true,"num":2}]}"#
    );
    assert_eq!((text.as_str(), attachments), (expected, 3));
}

#[test]
fn keys_are_strings() {
    assert_eq!(encoded(&BTreeMap::from([(1, 2)])).0, r#"{"1":2}"#);
    assert_eq!(encoded(&BTreeMap::from([(Some(Newtype("\"".to_owned()).0), 2)])).0, r#"{"\"":2}"#);
    let mut output = Output::default();
    assert!(encode(&BTreeMap::from([((), 2)]), &mut output, false).is_err());
    assert!(encode(&BTreeMap::from([([1], 2)]), &mut output, false).is_err());
    assert!(encode(&BTreeMap::from([(Bytes::new(), 2)]), &mut output, false).is_err());
}

#[test]
fn decodes_by_position() {
    let several = || args(r#"42["event","a",1,[2]]"#, &[]);
    assert_eq!(several().decode::<(String, u8, Vec<u8>)>().unwrap(), ("a".to_owned(), 1, vec![2]));
    // JavaScript ignores the rest.
    assert_eq!(several().decode::<(String, u8)>().unwrap(), ("a".to_owned(), 1));
    assert_eq!(several().decode::<(String,)>().unwrap(), ("a".to_owned(),));
    assert_eq!(several().decode::<String>().unwrap(), "a");
    assert_eq!(several().decode::<Option<String>>().unwrap(), Some("a".to_owned()));
    several().decode::<()>().unwrap();
    assert_eq!(args("430[1,2]", &[]).decode::<[u8; 2]>().unwrap(), [1, 2]);
    assert_eq!(args("430[1,2]", &[]).decode::<u8>().unwrap(), 1);
    assert_eq!(args("42[7,8 ]", &[]).decode::<(u8,)>().unwrap(), (8,));
    assert_eq!(args("42[\"e\", [8] ]", &[]).decode::<Vec<u8>>().unwrap(), [8]);
    assert_eq!(args("42[\"e\" , 8 , 9 ] ", &[]).decode::<(u8, u8)>().unwrap(), (8, 9));
}

#[test]
fn what_is_missing_may_be_optional() {
    let none = || args(r#"42["event"]"#, &[]);
    none().decode::<()>().unwrap();
    assert_eq!(none().decode::<Option<String>>().unwrap(), None);
    assert_eq!(none().decode::<(Option<u8>, Option<u8>)>().unwrap(), (None, None));
    assert_eq!(
        none().decode::<String>().unwrap_err().to_string(),
        "missing argument 0, expected a string"
    );
    let one = || args(r#"430[1]"#, &[]);
    assert_eq!(one().decode::<(u8, Option<u8>)>().unwrap(), (1, None));
    assert_eq!(one().decode::<(u8, ())>().unwrap(), (1, ()));
    let error = one().decode::<(u8, bool)>().unwrap_err().to_string();
    assert!(error.starts_with("missing argument 1, expected a boolean"), "{error}");
    assert!(one().decode::<(u8, Raw)>().is_err());
    assert_eq!(one().decode::<(u8, Option<Raw>)>().unwrap(), (1, None));
    assert_eq!(none().decode::<Value>().unwrap(), Value::Null);
    assert_eq!(args("430[ ]", &[]).decode::<Option<u8>>().unwrap(), None);
    assert_eq!(args("430[null]", &[]).decode::<Option<u8>>().unwrap(), None);
}

#[test]
fn reports_what_does_not_fit() {
    assert!(args(r#"42["event",1]"#, &[]).decode::<String>().is_err());
    assert!(args(r#"42["event","a","b"]"#, &[]).decode::<(String, u8)>().is_err());
    assert!(args(r#"42["event","\ud800"]"#, &[]).decode::<String>().is_err());
    assert!(args(r#"42["event",{"_placeholder":true,"num":0}]"#, &[]).decode::<Bytes>().is_err());
    // An attachment that never came.
    let text = r#"452-["event",{"_placeholder":true,"num":1}]"#;
    assert!(args(text, &[b"a"]).decode::<Bytes>().is_err());
    assert!(args(r#"451-["event",{"num":0}]"#, &[b"a"]).decode::<Bytes>().is_err());
    assert!(args(r#"451-["event",7]"#, &[b"a"]).decode::<(Bytes,)>().is_err());
}

#[test]
fn a_number_is_read_to_its_end() {
    for number in ["1.5", "1e3", "-2.0"] {
        for text in [format!("42[7,{number}]"), format!("42[7,{number} , 2]")] {
            assert!(args(&text, &[]).decode::<i128>().is_err(), "{text}");
            assert!(args(&text, &[]).decode::<Option<i128>>().is_err(), "{text}");
            assert!(args(&text, &[]).decode::<Wrapper<u128>>().is_err(), "{text}");
            assert!(args(&text, &[]).decode::<(i128,)>().is_err(), "{text}");
            assert!(args(&text, &[]).get(0).unwrap().decode::<i128>().is_err(), "{text}");
        }
    }
    assert_eq!(args("42[7,12 ]", &[]).decode::<i128>().unwrap(), 12);
    assert_eq!(args("42[7,12 , 3]", &[]).decode::<Option<u128>>().unwrap(), Some(12));
    let text = r#"451-[7,1.5,{"_placeholder":true,"num":0}]"#;
    assert!(args(text, &[b"a"]).decode::<i128>().is_err());
}

#[test]
fn bytes_also_decode_from_text_and_numbers() {
    for attachments in [&[][..], &[&b"unused"[..]]] {
        let text = |json: &str| match attachments.len() {
            0 => args(&format!("42[\"e\",{json}]"), attachments),
            count => args(&format!("45{count}-[\"e\",{json}]"), attachments),
        };
        assert_eq!(text("\"ab\"").decode::<Bytes>().unwrap(), "ab");
        assert_eq!(text("[1,2]").decode::<Bytes>().unwrap(), &[1_u8, 2][..]);
        assert!(text("null").decode::<Bytes>().is_err());
        assert!(text("{}").decode::<Bytes>().is_err());
    }
}

#[test]
fn placeholders_may_be_permuted_and_reused() {
    let place = |number| format!(r#"{{"num":{number},"x":[{{}}],"_placeholder":true}}"#);
    let text = format!("452-[\"e\",{},[{}],{}]", place("1"), place("0"), place("1.0"));
    let received = args(&text, &[b"zero", b"one"]);
    let (a, b, c) = received.clone().decode::<(Bytes, Vec<Bytes>, Bytes)>().unwrap();
    assert_eq!((&a[..], &b[0][..], &c[..]), (&b"one"[..], &b"zero"[..], &b"one"[..]));
    assert_eq!(received.decode::<Bytes>().unwrap(), "one");
    let text = format!("461-7[{},{}]", place("0"), place("0"));
    let (a, b) = args(&text, &[b"zero"]).decode::<(Bytes, Bytes)>().unwrap();
    assert_eq!((&a[..], &b[..]), (&b"zero"[..], &b"zero"[..]));
}

#[test]
fn attachments_are_not_copied() {
    let data = Bytes::from(vec![7; 1000]);
    let address = data.as_ptr();
    let text = Bytes::from_static(br#"451-["e",{"_placeholder":true,"num":0}]"#);
    let packet = Packet::decode(text, &Limits::default()).unwrap();
    let decoded: Bytes = packet.into_args(vec![data]).decode().unwrap();
    assert_eq!(decoded.as_ptr(), address);
}

#[test]
fn raw_is_one_undecoded_value() {
    let received = args(r#"42["e","a", {"b" : [1, "\u00e9"]} ,2]"#, &[]);
    let (a, raw) = received.clone().decode::<(String, Raw)>().unwrap();
    assert_eq!((a.as_str(), raw.as_str()), ("a", r#"{"b" : [1, "\u00e9"]}"#));
    assert_eq!(raw.decode::<Value>().unwrap(), json!({"b": [1, "\u{e9}"]}));
    assert_eq!(received.clone().decode::<Raw>().unwrap().as_str(), r#""a""#);
    assert_eq!(received.len(), 3);
    assert_eq!(received.get(1).as_ref(), Some(&raw));
    assert_eq!(received.get(2).unwrap().as_str(), "2");
    assert_eq!(received.get(3), None);
    assert_eq!(format!("{received:?}"), r#"["a", {"b" : [1, "\u00e9"]}, 2]"#);
    let empty = args(r#"42["e"]"#, &[]);
    assert!(empty.is_empty() && empty.get(0).is_none() && empty.iter().next().is_none());
    assert!(Args::default().is_empty() && Args::default().get(0).is_none());
    // Sent again, it is as it was.
    assert_eq!(encoded(&(1, &raw)).0, r#"1,{"b" : [1, "\u00e9"]}"#);
    assert_eq!(encoded(&raw).0, raw.as_str());
    assert_eq!(encoded(&json_like(&raw)).0, r#"{"value":[{"b" : [1, "\u00e9"]}]}"#);
    assert_eq!(transmit(&json_like(&raw)).decode::<Holder>().unwrap(), json_like(&raw));
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Holder {
    value: Vec<Raw>,
}

fn json_like(raw: &Raw) -> Holder {
    Holder { value: vec![raw.clone()] }
}

#[test]
fn raw_keeps_its_attachments() {
    let place = |number| format!(r#"{{"_placeholder":true,"num":{number}}}"#);
    let text = format!("453-[\"e\",[{},1,{}],{}]", place(2), place(0), place(1));
    let received = args(&text, &[b"zero", b"one", b"two"]);
    let raw = received.get(0).unwrap();
    assert_eq!(raw.as_str(), format!("[{},1,{}]", place(0), place(1)));
    assert_eq!(raw.attachments(), ["two", "zero"]);
    assert_eq!(raw.decode::<(Bytes, u8, Bytes)>().unwrap().2, "zero");
    let (same, bytes) = received.decode::<(Raw, Bytes)>().unwrap();
    assert_eq!((&same, &bytes[..]), (&raw, &b"one"[..]));

    let sent = Bytes::from_static(b"first");
    let again = transmit(&(&sent, json_like(&raw), &raw));
    let (first, holder, last) = again.decode::<(Bytes, Holder, Raw)>().unwrap();
    assert_eq!((first, holder, last), (sent, json_like(&raw), raw.clone()));
    assert_eq!(transmit(&raw).decode::<Raw>().unwrap(), raw);
    assert_eq!(Raw::encode(&(Bytes::from("x"), 1)).unwrap().attachments(), ["x"]);
}

#[test]
fn raw_refuses_other_formats() {
    let raw = Raw::encode(&1).unwrap();
    let error = serde_json::to_string(&raw).unwrap_err().to_string();
    assert_eq!(error, "Raw can only be serialized as part of a Socket.IO message");
    assert!(serde_json::to_value(Wrapper(&raw)).is_err());
    // serde_json can read it.
    assert_eq!(serde_json::from_str::<Raw>(" [1] ").unwrap().as_str(), "[1]");
    let other = serde::de::value::U8Deserializer::<serde::de::value::Error>::new(1);
    let error = Raw::deserialize(other).unwrap_err().to_string();
    assert_eq!(error, "invalid type: integer `1`, expected any JSON value");
    assert!(
        Message::connect_error(&mut Encoder::new(), "/", "no", Some(&raw)).is_err(),
        "no attachments there, so no Raw either"
    );
}

fn bytes() -> impl Strategy<Value = Bytes> {
    any::<Vec<u8>>().prop_map(Bytes::from)
}

fn choice() -> impl Strategy<Value = Choice> {
    prop_oneof![
        Just(Choice::Unit),
        bytes().prop_map(Choice::Newtype),
        (any::<u8>(), bytes()).prop_map(|(number, data)| Choice::Tuple(number, data)),
        (any::<String>(), prop::option::of(bytes()))
            .prop_map(|(text, data)| Choice::Struct { text, data }),
    ]
}

fn everything(list: usize) -> impl Strategy<Value = Everything> {
    let scalars = any::<(bool, i64, u64, i128, (i8, u8, i16, u16, i32, u32), char, String)>();
    let options = (any::<Option<u8>>(), prop::option::of(bytes()));
    let lists = prop::collection::vec(choice(), 0..=list);
    let maps = (
        prop::collection::btree_map(any::<i32>(), bytes(), 0..=list),
        prop::collection::btree_map(
            any::<String>(),
            prop::collection::vec(bytes(), 0..2),
            0..=list,
        ),
        any::<BTreeMap<char, bool>>(),
        any::<BTreeMap<bool, [u8; 2]>>(),
    );
    let pair = (any::<i32>(), bytes()).prop_map(|(number, data)| Pair(number, data));
    (scalars, options, lists, maps, pair).prop_map(|(scalars, options, list, maps, pair)| {
        Everything {
            boolean: scalars.0,
            signed: scalars.1,
            unsigned: scalars.2,
            wide: scalars.3,
            small: scalars.4,
            character: scalars.5,
            text: scalars.6.clone(),
            unit: (),
            unit_struct: Unit,
            newtype: Newtype(scalars.6),
            pair,
            none: options.0,
            // `Some(None)` is `null`, which reads back as `None`.
            some: options.1.map(Some),
            list,
            by_number: maps.0,
            by_text: maps.1,
            by_character: maps.2,
            by_flag: maps.3,
        }
    })
}

/// Any JSON value, with floats that serde_json reads exactly.
fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i32>().prop_map(|number| Value::from(f64::from(number) / 8.0)),
        any::<String>().prop_map(Value::from),
    ];
    scalar.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|entries| entries.into_iter().collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn decodes_what_it_encodes(value in everything(1), text: String) {
        let mut args = transmit(&value);
        prop_assert_eq!(&args.clone().decode::<Everything>().unwrap(), &value);
        prop_assert_eq!(&args.get(0).unwrap().decode::<Everything>().unwrap(), &value);
        args = transmit(&(text.clone(), Wrapper(value.clone()), [Some(text.clone())]));
        let decoded = args.decode::<(String, Wrapper<Everything>, [Option<String>; 1], Option<u8>)>();
        prop_assert_eq!(decoded.unwrap(), (text.clone(), Wrapper(value), [Some(text)], None));
    }

    #[test]
    fn writes_the_json_that_serde_json_writes(value in value(), name: String) {
        let expected = serde_json::to_string(&value).unwrap();
        prop_assert_eq!(encoded(&(&value,)).0, &*expected);
        let args = transmit(&(value.clone(), name.clone()));
        let raw = args.get(0).unwrap();
        prop_assert_eq!(raw.as_str(), expected);
        prop_assert_eq!(args.decode::<(Value, String)>().unwrap(), (value, name));
    }

    #[test]
    fn writes_the_numbers_that_serde_json_writes(double: f64, single: f32, wide: u128) {
        let numbers = (double, single, wide, 0.0_f64);
        let expected = serde_json::to_string(&numbers).unwrap();
        prop_assert_eq!(format!("[{}]", encoded(&numbers).0), expected);
    }

    #[test]
    fn raw_carries_any_value(value in everything(1)) {
        let raw = Raw::encode(&value).unwrap();
        prop_assert_eq!(&raw.decode::<Everything>().unwrap(), &value);
        let received = transmit(&(Bytes::new(), &raw)).decode::<(Bytes, Raw)>().unwrap().1;
        prop_assert_eq!(&received, &raw);
        prop_assert_eq!(received.decode::<Everything>().unwrap(), value);
    }
}

#[test]
fn decodes_numbers_to_the_last_bit() {
    // The nearest double is not what multiplying the digits by a power of ten gives.
    for text in ["2.2250738585072011e-308", "0.0034167529083388395", "-1.90649718919060868e-171"] {
        let expected: f64 = text.parse().unwrap();
        assert_eq!(args(&format!(r#"42["e",{text}]"#), &[]).decode::<f64>().unwrap(), expected);
    }
}

#[test]
fn decodes_whatever_the_codec_lets_through() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let depth = Limits::default().json_depth;
    // The array of arguments is the outermost level.
    let argument = nested(depth - 1);
    let packet = format!(r#"42["e",{argument}]"#);
    assert_eq!(args(&packet, &[]).decode::<(Value,)>().unwrap().0.to_string(), argument);
    let placeholder = r#"{"_placeholder":true,"num":0}"#;
    let attached = format!(r#"451-["e",{argument},{placeholder}]"#);
    assert!(args(&attached, &[b""]).decode::<(Value, Bytes)>().is_ok());
    let connect = format!("40{{\"a\":{argument}}}");
    let packet = Packet::decode(Bytes::from(connect), &Limits::default()).unwrap();
    assert!(packet.into_raw().unwrap().decode::<Value>().is_ok());
}

/// Strings are written by their lengths; each length, with each kind of byte at each place.
#[test]
fn strings_of_any_length_are_written_as_serde_json_does() {
    for length in 0..=40 {
        let plain = "abcdefgh".chars().cycle().take(length).collect::<String>();
        let mut json = Vec::new();
        write_string(&mut json, &plain);
        assert_eq!(json, serde_json::to_vec(&plain).unwrap());
        for place in 0..length {
            for special in ['"', '\\', '\0', '\n', '\u{1f}', '\u{7f}', ' ', 'é', '\u{2028}'] {
                let mut text: Vec<char> = plain.chars().collect();
                text[place] = special;
                let text = String::from_iter(text);
                json.clear();
                write_string(&mut json, &text);
                assert_eq!(json, serde_json::to_vec(&text).unwrap(), "{text:?}");
            }
        }
    }
}
