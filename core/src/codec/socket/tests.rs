use std::borrow::ToOwned;
use std::string::String;
use std::vec;

use proptest::prelude::*;

use super::*;

fn decode(text: &str) -> Result<Packet, PacketError> {
    Packet::decode(Bytes::copy_from_slice(text.as_bytes()), &Limits::default())
}

/// The parts of a packet: type, namespace, id, attachments, name, payload.
type Parts = (PacketKind, String, Option<u64>, u32, String, String);

fn parts(text: &str) -> Result<Parts, PacketError> {
    decode(text).map(|packet| {
        (
            packet.kind,
            packet.namespace().to_owned(),
            packet.ack.map(AckId::get),
            packet.attachments,
            packet.event_name().to_owned(),
            packet.payload().to_owned(),
        )
    })
}

#[track_caller]
fn check(
    text: &str,
    kind: PacketKind,
    (namespace, id, attachments): (&str, Option<u64>, u32),
    (name, payload): (&str, &str),
) {
    let expected =
        (kind, namespace.to_owned(), id, attachments, name.to_owned(), payload.to_owned());
    assert_eq!(parts(text), Ok(expected), "{text}");
}

#[track_caller]
fn check_error(texts: &[&str], error: PacketError) {
    for text in texts {
        assert_eq!(parts(text), Err(error), "{text}");
    }
}

const ROOT: (&str, Option<u64>, u32) = ("/", None, 0);

#[test]
fn decodes_connect() {
    check("40", PacketKind::Connect, ROOT, ("", ""));
    check("40{}", PacketKind::Connect, ROOT, ("", "{}"));
    check("40/admin,", PacketKind::Connect, ("/admin", None, 0), ("", ""));
    check("40/admin", PacketKind::Connect, ("/admin", None, 0), ("", ""));
    check("40/a?b=c,{\"t\":1} ", PacketKind::Connect, ("/a?b=c", None, 0), ("", "{\"t\":1} "));
    // The id is ignored.
    check("405{}", PacketKind::Connect, ROOT, ("", "{}"));
    check("405", PacketKind::Connect, ROOT, ("", ""));
    check_error(
        &["40[]", "40null", "40\"x\"", "40{", "40{}x", "40true", "40 {}", "40/a,1.5", "40/a, {}"],
        PacketError::InvalidPayload,
    );
}

#[test]
fn decodes_disconnect_and_connect_error() {
    check("41", PacketKind::Disconnect, ROOT, ("", ""));
    check("41/admin,", PacketKind::Disconnect, ("/admin", None, 0), ("", ""));
    check_error(&["41{}", "41[1]", "41/a,[]"], PacketError::InvalidPayload);
    check("44", PacketKind::ConnectError, ROOT, ("", ""));
    check("44\"no\"", PacketKind::ConnectError, ROOT, ("", "\"no\""));
    let invalid = r#"{"message":"Invalid namespace"}"#;
    check(
        r#"44/random,{"message":"Invalid namespace"}"#,
        PacketKind::ConnectError,
        ("/random", None, 0),
        ("", invalid),
    );
    check_error(&["44[1]", "44null", "44true", "44\"", "44{}{}"], PacketError::InvalidPayload);
}

#[test]
fn decodes_events() {
    check(r#"42["m"]"#, PacketKind::Event, ROOT, ("m", r#"["m"]"#));
    check(r#"4212["foo",1]"#, PacketKind::Event, ("/", Some(12), 0), ("foo", r#"["foo",1]"#));
    check(r#"42007["m"]"#, PacketKind::Event, ("/", Some(7), 0), ("m", r#"["m"]"#));
    check(r#"42/a,0["m"]"#, PacketKind::Event, ("/a", Some(0), 0), ("m", r#"["m"]"#));
    check(r#"42/,["m"]"#, PacketKind::Event, ROOT, ("m", r#"["m"]"#));
    check(r#"42[1,"a"]"#, PacketKind::Event, ROOT, ("1", r#"[1,"a"]"#));
    check("42[-1.5e3]", PacketKind::Event, ROOT, ("-1.5e3", "[-1.5e3]"));
    check("42[ \"m\" , {} ] ", PacketKind::Event, ROOT, ("m", "[ \"m\" , {} ] "));
    check(r#"42["\u006d\n"]"#, PacketKind::Event, ROOT, ("m\n", r#"["\u006d\n"]"#));
    check(r#"42["\ud800"]"#, PacketKind::Event, ROOT, ("\u{fffd}", r#"["\ud800"]"#));
    for name in ["error", "connection", "new_namespace", "", "__proto__", "message", "Connect"] {
        check(
            &std::format!("42[\"{name}\"]"),
            PacketKind::Event,
            ROOT,
            (name, &std::format!("[\"{name}\"]")),
        );
    }
    let placeholder = r#"["m",{"_placeholder":true,"num":5}]"#;
    check(&std::format!("42{placeholder}"), PacketKind::Event, ROOT, ("m", placeholder));
}

#[test]
fn refuses_what_is_no_event() {
    check_error(
        &[
            "42",
            "42/admin,",
            "421",
            "42[]",
            "42{}",
            "42\"x\"",
            "42[true]",
            "42[null]",
            "42[{}]",
            "42[[\"m\"]]",
            "42[\"m\"",
            "42[\"m\",]",
            "42[\"m\"]]",
            "42[\"m\" 1]",
            "42-1[\"m\"]",
            "42abc[\"m\"]",
            "421e3[\"m\"]",
            "42 [\"m\"]",
            "421 [\"m\"]",
            "42[\"m]",
            "42[,\"m\"]",
            "42[01]",
            "42[\"m\"}",
            "42[\"m\",nul]",
            "42null",
            "42\u{feff}[\"m\"]",
            "42[{\"toString\":\"foo\"}]",
            "42/[\"m\"]",
        ],
        PacketError::InvalidPayload,
    );
    for name in
        ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"]
    {
        let plain = std::format!("42[\"{name}\"]");
        let binary = std::format!("451-[\"{name}\",{{\"_placeholder\":true,\"num\":0}}]");
        let escaped = std::format!("42[\"\\u{:04x}{}\"]", name.as_bytes()[0], &name[1..]);
        check_error(&[&plain, &binary, &escaped], PacketError::ReservedName);
    }
}

#[test]
fn decodes_acks() {
    check(r#"43/admin,13["bar"]"#, PacketKind::Ack, ("/admin", Some(13), 0), ("", r#"["bar"]"#));
    check("430[]", PacketKind::Ack, ("/", Some(0), 0), ("", "[]"));
    check("43[]", PacketKind::Ack, ROOT, ("", "[]"));
    check_error(
        &["43", "435", "43{}", "435{}", "435[", "435[]]", "435 []"],
        PacketError::InvalidPayload,
    );
}

#[test]
fn checks_ack_ids() {
    let max = "429007199254740991[\"m\"]";
    check(max, PacketKind::Event, ("/", Some((1 << 53) - 1), 0), ("m", "[\"m\"]"));
    check_error(
        &[
            "429007199254740992[\"m\"]",
            "421000000000000000000000[\"m\"]",
            "4318446744073709551616[]",
            "43/a,99999999999999999999999999999999999999[]",
        ],
        PacketError::IllegalAckId,
    );
}

#[test]
fn checks_counts_of_attachments() {
    check(
        r#"451-["baz",{"_placeholder":true,"num":0}]"#,
        PacketKind::Event,
        ("/", None, 1),
        ("baz", r#"["baz",{"_placeholder":true,"num":0}]"#),
    );
    check(
        r#"461-15["bar",{"num":0,"_placeholder":true}]"#,
        PacketKind::Ack,
        ("/", Some(15), 1),
        ("", r#"["bar",{"num":0,"_placeholder":true}]"#),
    );
    check(r#"4510-/a,["m"]"#, PacketKind::Event, ("/a", None, 10), ("m", r#"["m"]"#));
    check(r#"450-["m"]"#, PacketKind::Event, ROOT, ("m", r#"["m"]"#));
    check(r#"4501-["m"]"#, PacketKind::Event, ("/", None, 1), ("m", r#"["m"]"#));
    check_error(
        &[
            "45",
            "451",
            "45a-[\"m\"]",
            "451.5-[\"m\"]",
            "45-1[\"m\"]",
            "45-[\"m\"]",
            "45--1[\"m\"]",
            "45 1-[\"m\"]",
            "451e0-[\"m\"]",
            "450x1-[\"m\"]",
            "45[\"m\"]",
            "45/a,[\"m\"]",
            "46",
            "45+1-[\"m\"]",
            "451 -[\"m\"]",
        ],
        PacketError::IllegalAttachments,
    );
    check_error(
        &["4511-[\"m\"]", "45999999-[\"m\"]", "4599999999999999999999999-[\"m\"]", "4611-1[]"],
        PacketError::TooManyAttachments { limit: 10 },
    );
}

#[test]
fn checks_placeholders() {
    check_error(
        &[
            r#"451-["m",{"_placeholder":true,"num":"splice"}]"#,
            r#"451-["m",{"_placeholder":true,"num":1}]"#,
            r#"451-["m",{"_placeholder":true,"num":-1}]"#,
            r#"451-["m",{"_placeholder":true,"num":0.5}]"#,
            r#"451-["m",{"_placeholder":true}]"#,
            r#"451-["m",[[{"a":{"_placeholder":true,"num":1}}]]]"#,
            r#"461-1[{"_placeholder":true,"num":1}]"#,
        ],
        PacketError::IllegalAttachments,
    );
    for accepted in [
        r#"452-["m",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]"#,
        r#"452-["m",{"_placeholder":true,"num":1},{"_placeholder":true,"num":1}]"#,
        r#"451-["m",{"_placeholder":1,"num":9}]"#,
        r#"451-["m",{"_placeholder":true,"num":0,"extra":[1]}]"#,
        r#"451-["m"]"#,
    ] {
        assert!(decode(accepted).is_ok(), "{accepted}");
    }
}

#[test]
fn refuses_unknown_types() {
    check_error(&["4"], PacketError::Empty);
    check_error(&["47"], PacketError::UnknownType { byte: b'7' });
    check_error(&["49[\"m\"]"], PacketError::UnknownType { byte: b'9' });
    check_error(&["4abc"], PacketError::UnknownType { byte: b'a' });
    check_error(&["4 2[\"m\"]"], PacketError::UnknownType { byte: b' ' });
}

#[test]
fn limits_lengths_and_depth() {
    let limits =
        Limits { event_name_bytes: 4, namespace_bytes: 4, json_depth: 3, ..Limits::default() };
    let decode = |text: &str| {
        Packet::decode(Bytes::copy_from_slice(text.as_bytes()), &limits).map(|packet| packet.kind)
    };
    assert_eq!(decode(r#"42["four"]"#), Ok(PacketKind::Event));
    assert_eq!(decode(r#"42["fiver"]"#), Err(PacketError::TooLong));
    assert_eq!(decode(r#"42["\u0041\u0041\u0041\u0041"]"#), Ok(PacketKind::Event));
    assert_eq!(decode(r#"42["\u0041AAAA"]"#), Err(PacketError::TooLong));
    assert_eq!(decode("40/abc,"), Ok(PacketKind::Connect));
    assert_eq!(decode("40/abcd,"), Err(PacketError::TooLong));
    assert_eq!(decode("40/abcd"), Err(PacketError::TooLong));
    assert_eq!(decode(r#"42["m",[[1]]]"#), Ok(PacketKind::Event));
    assert_eq!(decode(r#"42["m",[[[]]]]"#), Err(PacketError::TooLong));
    assert_eq!(decode(r#"40{"a":[[1]]}"#), Ok(PacketKind::Connect));
    assert_eq!(decode(r#"40{"a":[[[]]]}"#), Err(PacketError::TooLong));
}

/// Regressions of the reference: each was quadratic, or unlimited.
#[test]
fn survives_long_runs() {
    let megabyte = 1_000_000;
    let digits = "2".repeat(megabyte);
    check_error(&[&std::format!("4{digits}")], PacketError::IllegalAckId);
    check_error(&[&std::format!("42{}", "0".repeat(megabyte))], PacketError::InvalidPayload);
    check_error(&[&std::format!("45{digits}")], PacketError::IllegalAttachments);
    check_error(
        &[&std::format!("45{digits}-[\"m\"]")],
        PacketError::TooManyAttachments { limit: 10 },
    );
    check_error(&[&std::format!("40/{digits}")], PacketError::TooLong);
    check_error(&[&std::format!("42[\"{digits}\"]")], PacketError::TooLong);
    check_error(&[&std::format!("42[\"{}\"]", "\\n".repeat(megabyte))], PacketError::TooLong);
    check_error(&[&std::format!("42[\"m\",{}", "[".repeat(megabyte))], PacketError::TooLong);
    check_error(&[&std::format!("42[\"m\",{}", "{\"\":".repeat(megabyte))], PacketError::TooLong);
    let zeros = std::format!("42{}7[\"m\"]", "0".repeat(megabyte));
    assert_eq!(decode(&zeros).unwrap().ack.map(AckId::get), Some(7));
    let placeholders = r#",{"_placeholder":true,"num":0}"#.repeat(30_000);
    assert!(decode(&std::format!("451-[\"m\"{placeholders}]")).is_ok());
}

#[test]
fn gives_its_payload_as_one_value() {
    let auth = decode(r#"40/a,{"token":"x"}"#).unwrap().into_raw().unwrap();
    assert_eq!(auth.as_str(), r#"{"token":"x"}"#);
    assert!(decode("40").unwrap().into_raw().is_none());
    assert!(decode("41").unwrap().into_args(vec![]).is_empty());
}

#[test]
fn survives_text_that_is_not_utf8() {
    let text = Bytes::from_static(b"42/\xff,[\"\xfe\",\"\xfd\"]");
    let packet = Packet::decode(text, &Limits::default()).unwrap();
    assert_eq!((packet.namespace(), packet.event_name(), packet.payload()), ("", "", ""));
    assert!(packet.into_args(vec![]).decode::<String>().is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn never_panics(bytes: Vec<u8>, attachments: Vec<Vec<u8>>) {
        exercise(bytes, attachments);
    }

    #[test]
    fn never_panics_on_what_looks_like_a_packet(
        text in r#"4[0-7][0-9]{0,2}-?(/[a-z]{0,3},?)?[0-9]{0,3}[\[{]?("a"|"\\u00e9"|1)?(,(1|"b"|\{"_placeholder":true,"num":[0-9]\}|\[\]|\{\}|\{"a":null\}))*[\]}]?"#,
        attachments: Vec<Vec<u8>>,
    ) {
        exercise(text.into_bytes(), attachments);
    }
}

fn exercise(bytes: Vec<u8>, attachments: Vec<Vec<u8>>) {
    let Ok(packet) = Packet::decode(Bytes::from(bytes), &Limits::default()) else { return };
    let _ = (packet.namespace(), packet.event_name(), packet.payload());
    let args = packet.into_args(attachments.into_iter().map(Bytes::from).collect());
    assert_eq!(args.len(), args.iter().count());
    let _ = std::format!("{args:?}");
    let _ = args.clone().decode::<(Bytes, Option<Bytes>, Raw)>();
    let _ = args.clone().decode::<Raw>();
    let _ = args.decode::<String>();
}
