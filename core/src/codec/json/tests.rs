use std::format;
use std::string::String;
use std::vec::Vec;

use proptest::prelude::*;
use proptest::sample::Index;
use serde::de::IgnoredAny;

use super::*;

fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, cases: 512, ..ProptestConfig::default() }
}

fn is_valid(text: &str) -> bool {
    validate(text.as_bytes(), MAX_DEPTH).is_ok()
}

fn serde_json_accepts(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

const VALID: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "-0",
    "12",
    "1.5",
    "1e9",
    "1E+9",
    "1e-9",
    "-0.0e0",
    "1e999999",
    "123456789012345678901234567890",
    r#""""#,
    r#""a""#,
    r#""\"\\\/\b\f\n\r\t\u00e9""#,
    r#""\ud83d\ude00""#,
    r#""\ud83d""#,
    r#""\udE00x""#,
    "\"\u{7f}\u{80}\u{2028}\u{1f600}\"",
    "[]",
    "{}",
    "[[],{}]",
    " [ 1 , 2 ]\r\n\t",
    r#" { "a" : [ { } ] , "a" : null } "#,
];

const INVALID: &[&str] = &[
    "",
    " ",
    "nul",
    "nulll",
    "True",
    "NaN",
    "Infinity",
    "undefined",
    "01",
    "-01",
    "+1",
    "-",
    "1.",
    ".5",
    "1.e1",
    "1e",
    "1e+",
    "0x1",
    "1_0",
    "\"",
    "\"a",
    "\"\\",
    "\"\\\"",
    r#""\x""#,
    r#""\u12""#,
    r#""\u12g4""#,
    r#""\u""#,
    "\"\t\"",
    "\"\n\"",
    "\"\0\"",
    "'a'",
    "[",
    "]",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[1 2]",
    "[1}",
    "{",
    "}",
    "{]",
    "{1:2}",
    r#"{"a"}"#,
    r#"{"a":}"#,
    r#"{"a":1,}"#,
    r#"{"a":1 "b":2}"#,
    r#"{,"a":1}"#,
    r#"{"a"::1}"#,
    r#"{"a",1}"#,
    "1 2",
    "[]]",
    "[] x",
    "\u{a0}1",
    "\u{feff}1",
    "\u{c}1",
    "\u{b}1",
    "1\0",
    "/**/1",
];

#[test]
fn accepts_json_and_nothing_else() {
    for text in VALID {
        assert!(is_valid(text) && serde_json_accepts(text), "{text:?}");
    }
    for text in INVALID {
        assert!(!is_valid(text) && !serde_json_accepts(text), "{text:?}");
    }
}

#[test]
fn limits_depth() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert_eq!(validate(nested(3).as_bytes(), 3), Ok(()));
    assert_eq!(validate(nested(4).as_bytes(), 3), Err(PacketError::TooLong));
    assert_eq!(validate(b"1", 0), Ok(()));
    assert_eq!(validate(b"{}", 0), Err(PacketError::TooLong));
    assert_eq!(validate(nested(MAX_DEPTH).as_bytes(), usize::MAX), Ok(()));
    assert_eq!(validate(nested(MAX_DEPTH + 1).as_bytes(), usize::MAX), Err(PacketError::TooLong));
    // What ends in the middle costs no more than its length either.
    assert_eq!(validate(&[b'['; 1_000_000], 128), Err(PacketError::TooLong));
    assert_eq!(validate(r#"{"a":"#.repeat(200_000).as_bytes(), 128), Err(PacketError::TooLong));
    assert_eq!(validate("[],".repeat(200_000).as_bytes(), 128), Err(PacketError::InvalidPayload));
}

#[test]
fn remembers_the_kind_of_every_open_container() {
    // A pattern of objects and arrays without a period that a shift could hide.
    let kinds: Vec<bool> = (0..MAX_DEPTH).map(|i| i * i % 7 % 2 == 0).collect();
    let open: String = kinds.iter().map(|&object| if object { "{\"a\":" } else { "[" }).collect();
    let close: String = kinds.iter().rev().map(|&object| if object { '}' } else { ']' }).collect();
    assert!(is_valid(&format!("{open}1{close}")));
    for index in 0..MAX_DEPTH {
        let mut wrong = close.clone().into_bytes();
        wrong[index] ^= b'}' ^ b']';
        let wrong = String::from_utf8(wrong).unwrap();
        assert!(!is_valid(&format!("{open}1{wrong}")), "{index}");
    }
}

#[test]
fn finds_the_first_special_byte_at_every_offset() {
    for len in 0..150 {
        for start in [0, 1, 7] {
            let plain = "\u{e9}".repeat(len).into_bytes();
            if start > plain.len() {
                continue;
            }
            assert_eq!(plain_run_end(&plain, start), plain.len());
            for at in start..plain.len() {
                for special in [0, 0x1f, b'"', b'\\'] {
                    let mut text = plain.clone();
                    text[at] = special;
                    // What comes later, and looks special to careless arithmetic, does not matter.
                    text[at + 1..].fill(special ^ 1);
                    assert_eq!(plain_run_end(&text, start), at);
                }
            }
        }
    }
    for byte in 0..=255 {
        let special = byte < 0x20 || byte == b'"' || byte == b'\\';
        assert_eq!(plain_run_end(&[byte; 64], 0), if special { 0 } else { 64 }, "{byte}");
        assert_eq!(plain_run_end(&[byte], 0), if special { 0 } else { 1 }, "{byte}");
    }
}

#[test]
fn unescapes() {
    let cases = [
        ("", ""),
        ("plain", "plain"),
        (r#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{c}\n\r\t"),
        (r"x\u00e9y\u00E9", "x\u{e9}y\u{e9}"),
        (r"\ud83d\ude00!", "\u{1f600}!"),
        (r"\ud83d", "\u{fffd}"),
        (r"\ud83d\n", "\u{fffd}\n"),
        (r"\ud83d\ud83d\ude00", "\u{fffd}\u{1f600}"),
        (r"\ude00\ud83d", "\u{fffd}\u{fffd}"),
        (r"\u0041\u0042", "AB"),
        (r"\ud83dA", "\u{fffd}A"),
    ];
    for (raw, text) in cases {
        assert_eq!(unescape(raw.as_bytes()), text, "{raw}");
    }
}

#[test]
fn finds_placeholders() {
    let number = |text: &str| {
        let found = placeholders(text.as_bytes());
        let [only] = found.as_slice() else { return Err(found.len()) };
        assert_eq!((only.start, only.end), (0, text.len()));
        Ok(only.number)
    };
    assert_eq!(number(r#"{"_placeholder":true,"num":7}"#), Ok(Some(7)));
    assert_eq!(number(r#"{ "num" : 7 , "x" : [{}] , "_placeholder" : true }"#), Ok(Some(7)));
    assert_eq!(number(r#"{"\u005fplaceholder":true,"n\u0075m":7}"#), Ok(Some(7)));
    assert_eq!(
        number(r#"{"_placeholder":false,"_placeholder":true,"num":1,"num":2}"#),
        Ok(Some(2))
    );
    for notation in ["7.0", "70e-1", "0.7E1", "7e0"] {
        assert_eq!(number(&format!(r#"{{"_placeholder":true,"num":{notation}}}"#)), Ok(Some(7)));
    }
    assert_eq!(number(r#"{"_placeholder":true,"num":-0}"#), Ok(Some(0)));
    assert_eq!(number(r#"{"_placeholder":true,"num":12}"#), Ok(Some(12)));
    assert_eq!(number(r#"{"_placeholder":true,"num":7,"num":8}"#), Ok(Some(8)));
    assert_eq!(number(r#"{"_placeholder":true,"num":7 }"#), Ok(Some(7)));
    for wrong in ["-1", "0.5", "1e99", "4294967296", "\"0\"", "null", "[0]", "true"] {
        assert_eq!(number(&format!(r#"{{"_placeholder":true,"num":{wrong}}}"#)), Ok(None));
    }
    assert_eq!(number(r#"{"_placeholder":true}"#), Ok(None));
    for other in ["1", "\"true\"", "null", "false", "[true]", "{}"] {
        assert_eq!(number(&format!(r#"{{"_placeholder":{other},"num":0}}"#)), Err(0));
    }
    assert_eq!(number(r#"{"_placeholder":true,"_placeholder":1,"num":0}"#), Err(0));
    assert_eq!(number(r#"{"num":0}"#), Err(0));
    assert_eq!(
        number(r#"{"_placeholder":true,"num":3,"x":{"_placeholder":true,"num":4}}"#),
        Ok(Some(3))
    );
    let several = r#"[{"_placeholder":true,"num":1},{"a":{"num":0,"_placeholder":true}}]"#;
    let numbers: Vec<_> = placeholders(several.as_bytes()).iter().map(|p| p.number).collect();
    assert_eq!(numbers, [Some(1), Some(0)]);
}

/// A placeholder is found in its usual form without its keys being scanned. That form counts as one
/// container like any other, and what only resembles it is scanned.
#[test]
fn the_usual_placeholder_is_valid_json() {
    let usual = r#"{"_placeholder":true,"num":0}"#;
    for (text, depth, expected) in [
        (format!("[{usual}]"), 2, Ok(())),
        (format!("[{usual}]"), 1, Err(PacketError::TooLong)),
        (usual.into(), 0, Err(PacketError::TooLong)),
        (usual.replace('0', "00"), 9, Err(PacketError::InvalidPayload)),
        (usual.replace("0}", "0"), 9, Err(PacketError::InvalidPayload)),
        (usual.replace('0', ""), 9, Err(PacketError::InvalidPayload)),
        (usual.replace("true", "trueX"), 9, Err(PacketError::InvalidPayload)),
        (format!("{usual}}}"), 9, Err(PacketError::InvalidPayload)),
        (format!("[{usual}{usual}]"), 9, Err(PacketError::InvalidPayload)),
    ] {
        struct Watching;
        impl Observer for Watching {
            const ACTIVE: bool = true;

            fn placeholder(&mut self, _: Placeholder) -> Result<(), PacketError> {
                Ok(())
            }
        }
        let end = Scanner::new(text.as_bytes(), depth, Watching).values(0, 0);
        let watched = end.and_then(|end| finish(text.as_bytes(), end));
        assert_eq!(watched, expected, "{text}");
        assert_eq!(validate(text.as_bytes(), depth), expected, "{text}");
    }
}

/// JSON, with whitespace and escapes that serde_json itself would not write.
fn json() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        Just(String::from("null")),
        Just(String::from("true")),
        any::<i64>().prop_map(|number| format!("{number}")),
        any::<f64>().prop_map(|number| serde_json::to_string(&number).unwrap()),
        string(),
    ];
    let value = scalar.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6)
                .prop_map(|elements| format!("[{}]", elements.join(","))),
            prop::collection::vec((string(), whitespace(), inner), 0..6).prop_map(|entries| {
                let entries: Vec<String> = entries
                    .iter()
                    .map(|(key, gap, value)| format!("{key}{gap}:{value}{gap}"))
                    .collect();
                format!("{{{}}}", entries.join(","))
            }),
        ]
    });
    (whitespace(), value, whitespace()).prop_map(|(before, value, after)| before + &value + &after)
}

fn whitespace() -> impl Strategy<Value = String> {
    "[ \t\r\n]{0,2}"
}

fn string() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        any::<String>().prop_map(|text| {
            let quoted = serde_json::to_string(&text).unwrap();
            String::from(&quoted[1..quoted.len() - 1])
        }),
        r"\\u[0-9a-fA-F]{4}",
        r#"\\["\\/bfnrt]"#,
    ];
    prop::collection::vec(part, 0..4).prop_map(|parts| format!("\"{}\"", parts.concat()))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn accepts_all_json(text in json()) {
        prop_assert!(serde_json_accepts(&text));
        prop_assert!(is_valid(&text));
        prop_assert_eq!(value_end(text.as_bytes(), 0), Some(text.trim_end().len()));
    }

    #[test]
    fn agrees_with_serde_json_about_mutated_json(
        text in json(),
        at: Index,
        replacement in prop::sample::select(&b"\"\\{}[]:,0123456789eE+-.tfnu x\n\0/"[..]),
        kind in 0..4,
    ) {
        let mut bytes = text.into_bytes();
        let at = at.index(bytes.len());
        match kind {
            0 => bytes[at] = replacement,
            1 => bytes.insert(at, replacement),
            2 => drop(bytes.remove(at)),
            _ => bytes.truncate(at),
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        prop_assert_eq!(is_valid(&text), serde_json_accepts(&text), "{:?}", text);
    }

    #[test]
    fn agrees_with_serde_json_about_json_like_text(
        text in r#"([\[\]{},:"]|[ \n]|"a"|\\u00|[0-9eE.+-]|null|true|false){0,12}"#,
    ) {
        prop_assert_eq!(is_valid(&text), serde_json_accepts(&text), "{:?}", text);
    }

    #[test]
    fn agrees_with_serde_json_about_numbers(text in "[-+0-9.eE]{1,8}") {
        prop_assert_eq!(is_valid(&text), serde_json_accepts(&text), "{:?}", text);
    }

    #[test]
    fn unescapes_what_serde_json_escapes(text: String) {
        let quoted = serde_json::to_string(&text).unwrap();
        prop_assert_eq!(unescape(&quoted.as_bytes()[1..quoted.len() - 1]), text);
    }

    #[test]
    fn never_panics(bytes: Vec<u8>, at: usize) {
        let _ = validate(&bytes, MAX_DEPTH);
        let at = at % (bytes.len() + 1);
        let _ = event(&bytes, at, MAX_DEPTH, Unobserved);
        let _ = array(&bytes, at, MAX_DEPTH, Unobserved);
        let _ = value_end(&bytes, at);
        placeholders(&bytes);
        unescape(&bytes);
    }
}
