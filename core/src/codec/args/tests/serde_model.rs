//! Every kind of value that serde knows, against what serde_json makes of it.

use std::vec::Vec;

use serde::Serializer;
use serde::ser::SerializeMap as _;

use super::*;

#[derive(Clone, Serialize)]
struct Fields {
    a: u8,
    b: Option<bool>,
}

#[derive(Clone, Serialize)]
struct TupleStruct(u8, char);

#[derive(Clone, Serialize)]
enum Variants {
    Unit,
    Newtype(u8),
    Tuple(u8, u8),
    Struct { a: u8 },
}

/// A map of one entry, whose key may be anything.
struct Entry<K>(K);

impl<K: Serialize> Serialize for Entry<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(&self.0, &())?;
        map.end()
    }
}

/// What serde takes for binary data.
struct Binary;

impl Serialize for Binary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(b"data")
    }
}

/// Serializes itself as text, piece by piece.
struct Shown;

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("\"{}\"\n{}", 1, "\u{e9}"))
    }
}

/// As an argument alone, in front of another, and as an element, a value is what serde_json writes.
#[track_caller]
fn check<T: Serialize>(value: &T) {
    let expected = serde_json::to_string(value).unwrap();
    assert_eq!(encoded(value).0, expected);
    assert_eq!(encoded(&(value, 1)).0, format!("{expected},1"));
    assert_eq!(encoded(&vec![value]).0, format!("[{expected}]"));
    assert_eq!(encoded(&Some(value)).0, expected);
    let event = transmit(value);
    assert_eq!(event.len(), 1);
    assert_eq!(event.get(0).unwrap().as_str(), expected);
}

/// As a key, `key` is what serde_json writes, or refused where serde_json refuses it.
#[track_caller]
fn check_key<K: Serialize>(key: K) {
    let entry = Entry(key);
    let mut output = Output::default();
    let ours = encode(&entry, &mut output, false).map(|()| String::from_utf8(output.json).unwrap());
    match serde_json::to_string(&entry) {
        Ok(expected) => assert_eq!(ours, Ok(expected)),
        // It says more than we do about numbers.
        Err(error) => assert!(error.to_string().starts_with(&ours.unwrap_err().to_string())),
    }
}

#[test]
fn any_value_is_written_as_serde_json_writes_it() {
    check(&true);
    check(&(-8_i8));
    check(&8_u8);
    check(&(-16_i16));
    check(&16_u16);
    check(&(-32_i32));
    check(&32_u32);
    check(&i64::MIN);
    check(&u64::MAX);
    check(&i128::MIN);
    check(&u128::MAX);
    check(&0.25_f32);
    check(&-1e-7_f64);
    check(&f64::NEG_INFINITY);
    check(&'"');
    check(&"text");
    check(&Shown);
    check(&None::<u8>);
    check(&Some(7));
    check(&Unit);
    check(&Newtype("a".to_owned()));
    check(&TupleStruct(1, 'b'));
    check(&Fields { a: 1, b: None });
    check(&Fields { a: 1, b: Some(true) });
    check(&Variants::Unit);
    check(&Variants::Newtype(1));
    check(&Variants::Tuple(1, 2));
    check(&Variants::Struct { a: 1 });
    check(&vec![Variants::Struct { a: 1 }, Variants::Tuple(1, 2)]);
    check(&Vec::<u8>::new());
    check(&BTreeMap::from([("a", vec![1]), ("b", vec![])]));
    check(&BTreeMap::<u8, u8>::new());
}

#[test]
fn any_key_is_written_or_refused_as_serde_json_does_it() {
    check_key(true);
    check_key(false);
    check_key(i8::MIN);
    check_key(u8::MAX);
    check_key(i16::MIN);
    check_key(u16::MAX);
    check_key(i32::MIN);
    check_key(u32::MAX);
    check_key(i64::MIN);
    check_key(u64::MAX);
    check_key(i128::MIN);
    check_key(u128::MAX);
    check_key(0.5_f32);
    check_key(-1e300_f64);
    check_key(f32::NAN);
    check_key(f64::INFINITY);
    check_key('"');
    check_key("a\nb");
    check_key(Shown);
    check_key(Some("a"));
    check_key(Newtype("a".to_owned()));
    check_key(Variants::Unit);
    check_key(None::<u8>);
    check_key(());
    check_key(Unit);
    check_key(Binary);
    check_key(Variants::Newtype(1));
    check_key(Variants::Tuple(1, 2));
    check_key(Variants::Struct { a: 1 });
    check_key(TupleStruct(1, 'b'));
    check_key(Fields { a: 1, b: None });
    check_key(vec![1]);
    check_key((1, 2));
    check_key(BTreeMap::from([(1, 2)]));
}

/// Calls itself a `Raw` without being one.
struct Impostor<T>(T);

impl<T: Serialize> Serialize for Impostor<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct("$sansocket::Raw", &self.0)
    }
}

#[test]
fn what_only_calls_itself_raw_is_refused() {
    #[track_caller]
    fn check_refused<T: Serialize>(value: T) {
        let mut output = Output::default();
        let error = encode(&(Impostor(value),), &mut output, false).unwrap_err();
        assert_eq!(error.to_string(), "not the parts of a Raw");
    }

    check_refused(true);
    check_refused(1_i8);
    check_refused(1_i16);
    check_refused(1_i32);
    check_refused(1_i64);
    check_refused(1_u8);
    check_refused(1_u16);
    check_refused(1_u32);
    check_refused(1_u64);
    check_refused(1_f32);
    check_refused(1_f64);
    check_refused('a');
    check_refused("a");
    check_refused(None::<u8>);
    check_refused(Some(1));
    check_refused(());
    check_refused(Unit);
    check_refused(Newtype("a".to_owned()));
    check_refused(TupleStruct(1, 'b'));
    check_refused(Fields { a: 1, b: None });
    check_refused(Variants::Unit);
    check_refused(Variants::Newtype(1));
    check_refused(Variants::Tuple(1, 2));
    check_refused(Variants::Struct { a: 1 });
    check_refused(vec![1]);
    check_refused(BTreeMap::from([(1, 2)]));
    check_refused((1, 2));
    // More parts than it has announced, or none of them the text.
    check_refused((Binary, 1));
}

/// Decodes `json`, one argument that has an attachment beside it, which it does not use.
fn beside_attachment<T: DeserializeOwned>(json: &str) -> Result<T, ArgsError> {
    args(&format!(r#"451-["e",{json}]"#), &[b"unused"]).decode::<T>()
}

#[test]
fn any_value_decodes_beside_attachments() {
    assert_eq!(beside_attachment::<f32>("0.25").unwrap(), 0.25);
    assert_eq!(beside_attachment::<f64>("-1e300").unwrap(), -1e300);
    assert_eq!(
        beside_attachment::<i128>("-170141183460469231731687").unwrap(),
        -170141183460469231731687
    );
    assert_eq!(beside_attachment::<String>(r#""a\nb""#).unwrap(), "a\nb");
    assert_eq!(beside_attachment::<(String,)>(r#""a\nb""#).unwrap().0, "a\nb");
    assert_eq!(beside_attachment::<Vec<char>>(r#"["a"]"#).unwrap(), ['a']);
    let value = json!({"a": [null, true, -1, 1.5, "x", {}], "b": {"_placeholder": false}});
    assert_eq!(beside_attachment::<Value>(&value.to_string()).unwrap(), value);
    assert_eq!(beside_attachment::<(Value,)>(&value.to_string()).unwrap().0, value);
    beside_attachment::<serde::de::IgnoredAny>("[1]").unwrap();
    beside_attachment::<((), serde::de::IgnoredAny)>("null").unwrap();
    let error = beside_attachment::<(u8,)>("\"a\"").unwrap_err().to_string();
    assert!(error.contains("expected u8"), "{error}");
    let error = beside_attachment::<Bytes>("null").unwrap_err().to_string();
    assert!(error.contains("expected byte array") || error.contains("expected bytes"), "{error}");
}

#[test]
fn what_depends_on_the_format_decodes_as_from_text() {
    let address = std::net::IpAddr::from([127, 0, 0, 1]);
    assert_eq!(beside_attachment::<std::net::IpAddr>(r#""127.0.0.1""#).unwrap(), address);
    assert_eq!(beside_attachment::<(std::net::IpAddr,)>(r#""127.0.0.1""#).unwrap().0, address);
    assert_eq!(transmit(&(address, Bytes::new())).decode::<std::net::IpAddr>().unwrap(), address);
}

#[test]
fn variants_decode_beside_attachments() {
    assert_eq!(beside_attachment::<Choice>(r#""Unit""#).unwrap(), Choice::Unit);
    assert_eq!(beside_attachment::<Choice>(r#"{"Unit":null}"#).unwrap(), Choice::Unit);
    assert!(beside_attachment::<Choice>(r#"{"Unit":5}"#).is_err());
    assert!(beside_attachment::<Choice>(r#"{"Other":null}"#).is_err());
}

#[test]
fn only_a_placeholder_is_an_attachment() {
    for marker in ["1", "-1", "1.5", "null", "\"true\"", "[true]", "{\"a\":true}", "false"] {
        let json = format!(r#"{{"_placeholder":{marker},"num":0}}"#);
        assert!(beside_attachment::<Bytes>(&json).is_err(), "{json}");
        assert!(beside_attachment::<Value>(&json).is_ok(), "{json}");
    }
    for json in [
        r#"{"_placeholder":true,"num":0}"#,
        r#"{"_placeholder":true,"num":0.0,"more":[1]}"#,
        r#"{"_placeholder":true,"num":"0","num":0}"#,
        r#"{"_placeholder":true,"num":-1,"num":0}"#,
        r#"{"_placeholder":true,"num":null,"num":0}"#,
        r#"{"_placeholder":true,"num":[0],"num":0}"#,
        r#"{"_placeholder":true,"num":{"num":1},"num":0}"#,
        r#"{"_placeholder":"","_placeholder":true,"num":0}"#,
    ] {
        assert_eq!(beside_attachment::<Bytes>(json).unwrap(), "unused", "{json}");
    }
}

#[test]
fn arguments_can_be_ignored_or_passed_on() {
    let received = || args(r#"451-["e",{"_placeholder":true,"num":0},[2]]"#, &[b"data"]);
    received().decode::<serde::de::IgnoredAny>().unwrap();
    args(r#"42["e"]"#, &[]).decode::<(serde::de::IgnoredAny,)>().unwrap();
    let again = transmit(&received());
    assert_eq!(again.decode::<(Bytes, [u8; 1])>().unwrap(), (Bytes::from("data"), [2]));
    assert_eq!(transmit(&args(r#"42["e"]"#, &[])).len(), 0);
    let shown = format!("{:?}", received());
    assert!(shown.contains("data") && shown.contains("[2]"), "{shown}");
    let error = args(r#"42["e",1]"#, &[]).decode::<(Wrapper<(u8, bool)>,)>().unwrap_err();
    assert!(error.to_string().starts_with("invalid type"), "{error}");
}

#[test]
fn a_raw_without_attachments_follows_one_with_some() {
    let with = Raw::encode(&(Bytes::from("x"), 1)).unwrap();
    let without = Raw::encode(&[1, 2]).unwrap();
    let sent = transmit(&(&with, &without, &with));
    assert_eq!(sent.get(1).unwrap().as_str(), "[1,2]");
    assert_eq!(sent.get(2).unwrap(), with);
}

#[test]
fn more_attachments_than_a_word_has_bits() {
    let limits = Limits { attachments: 200, ..Limits::default() };
    let data: Vec<Bytes> = (0..150).map(|number: u8| Bytes::from(vec![number])).collect();
    let message = Message::event(&mut Encoder::new(), "/", "e", &data, None).unwrap();
    let (header, attachments) = message.frames().split_first().unwrap();
    let packet = Packet::decode(header.packet_bytes(), &limits).unwrap();
    let received = packet.into_args(attachments.iter().map(Frame::packet_bytes).collect());
    assert_eq!(received.decode::<Vec<Bytes>>().unwrap(), data);
}

#[test]
fn every_character_is_escaped_as_serde_json_does_it() {
    for character in (0..0x100).filter_map(char::from_u32) {
        check(&character);
        check(&format!("0123456789{character}{character}abc"));
        check_key(character);
    }
}
