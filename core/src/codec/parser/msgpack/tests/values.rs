//! What becomes of each kind of value, both ways.

use alloc::format;

use super::*;

#[test]
fn numbers_are_exact() {
    let cases: [(&[u8], &str); 26] = [
        (b"\x00", "0"),
        (b"\x7f", "127"),
        (b"\xcc\x80", "128"),
        (b"\xcc\xff", "255"),
        (b"\xcd\x01\x00", "256"),
        (b"\xcd\xff\xff", "65535"),
        (b"\xce\x00\x01\x00\x00", "65536"),
        (b"\xce\xff\xff\xff\xff", "4294967295"),
        (b"\xcf\x00\x00\x00\x01\x00\x00\x00\x00", "4294967296"),
        (b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff", "18446744073709551615"),
        (b"\xff", "-1"),
        (b"\xe0", "-32"),
        (b"\xd0\xdf", "-33"),
        (b"\xd0\x80", "-128"),
        (b"\xd1\xff\x7f", "-129"),
        (b"\xd1\x80\x00", "-32768"),
        (b"\xd2\xff\xff\x7f\xff", "-32769"),
        (b"\xd2\x80\x00\x00\x00", "-2147483648"),
        (b"\xd3\xff\xff\xff\xff\x7f\xff\xff\xff", "-2147483649"),
        (b"\xd3\x80\x00\x00\x00\x00\x00\x00\x00", "-9223372036854775808"),
        (b"\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00", "1.5"),
        (b"\xcb\x80\x00\x00\x00\x00\x00\x00\x00", "-0.0"),
        (b"\xcb\x3f\xb9\x99\x99\x99\x99\x99\x9a", "0.1"),
        (b"\xcb\x00\x00\x00\x00\x00\x00\x00\x01", "5e-324"),
        (b"\xcb\x7f\xef\xff\xff\xff\xff\xff\xff", "1.7976931348623157e+308"),
        (b"\xcb\x43\x40\x00\x00\x00\x00\x00\x00", "9007199254740992.0"),
    ];
    for (data, text) in cases {
        assert_eq!(json(data).as_deref(), Ok(text));
        assert_eq!(packed(text), data, "{text}");
    }
}

#[test]
fn other_forms_of_numbers_are_understood() {
    let read: [(&[u8], &str); 12] = [
        // As nobody has to write it.
        (b"\xcf\x00\x00\x00\x00\x00\x00\x00\x01", "1"),
        (b"\xd3\x00\x00\x00\x00\x00\x00\x00\x01", "1"),
        (b"\xca\x3f\xc0\x00\x00", "1.5"),
        (b"\xca\x3d\xcc\xcc\xcd", "0.10000000149011612"),
        // JavaScript has one type for both.
        (b"\xcb\x40\x00\x00\x00\x00\x00\x00\x00", "2"),
        (b"\xcb\xc0\x00\x00\x00\x00\x00\x00\x00", "-2"),
        (b"\xcb\x00\x00\x00\x00\x00\x00\x00\x00", "0"),
        (b"\xcb\x43\x3f\xff\xff\xff\xff\xff\xff", "9007199254740991"),
        (b"\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00", "null"),
        (b"\xcb\xff\xf0\x00\x00\x00\x00\x00\x00", "null"),
        (b"\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00", "null"),
        (b"\xca\x7f\xc0\x00\x00", "null"),
    ];
    for (data, text) in read {
        assert_eq!(json(data).as_deref(), Ok(text), "{data:x?}");
    }
    let written: [(&str, &[u8]); 7] = [
        ("-0", b"\x00"),
        ("2.0", b"\xcb\x40\x00\x00\x00\x00\x00\x00\x00"),
        ("1E2", b"\xcb\x40\x59\x00\x00\x00\x00\x00\x00"),
        ("18446744073709551616", b"\xcb\x43\xf0\x00\x00\x00\x00\x00\x00"),
        ("-9223372036854775809", b"\xcb\xc3\xe0\x00\x00\x00\x00\x00\x00"),
        ("1e400", b"\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00"),
        ("-1e400", b"\xcb\xff\xf0\x00\x00\x00\x00\x00\x00"),
    ];
    for (text, data) in written {
        assert_eq!(packed(text), data, "{text}");
    }
}

#[test]
fn the_other_values_are_what_they_are_in_json() {
    let both: [(&[u8], &str); 13] = [
        (b"\xc0", "null"),
        (b"\xc2", "false"),
        (b"\xc3", "true"),
        (b"\xa0", r#""""#),
        (b"\xa1x", r#""x""#),
        (b"\xa2\"\\", r#""\"\\""#),
        (b"\xa3\0\n\x1f", r#""\u0000\n\u001f""#),
        (b"\xa4\xf0\x9f\xa6\x80", "\"\u{1f980}\""),
        (b"\x90", "[]"),
        (b"\x80", "{}"),
        (b"\x93\xc0\x91\x01\x81\xa1a\x80", r#"[null,[1],{"a":{}}]"#),
        (b"\x82\xa1a\x92\x01\x02\xa1\"\xc3", r#"{"a":[1,2],"\"":true}"#),
        (b"\x82\xa1a\x01\xa1a\x02", r#"{"a":1,"a":2}"#),
    ];
    for (data, text) in both {
        assert_eq!(json(data).as_deref(), Ok(text));
        assert_eq!(packed(text), data, "{text}");
    }
    // What is written another way.
    assert_eq!(
        packed(r#" { "a" : [ 1 , "\u00e9\ud83e\udd80\/" ] } "#),
        b"\x81\xa1a\x92\x01\xa7\xc3\xa9\xf0\x9f\xa6\x80/"
    );
    assert_eq!(packed(r#""\ud800""#), b"\xa3\xef\xbf\xbd");
    assert_eq!(json(b"\xa3a\xffb").as_deref(), Ok("\"a\u{fffd}b\""));
    assert_eq!(json(b"\x81\xa1\xff\x01").as_deref(), Ok("{\"\u{fffd}\":1}"));
}

#[test]
fn keys_are_texts_or_integers() {
    assert_eq!(json(b"\x82\x05\x01\xff\x02").as_deref(), Ok(r#"{"5":1,"-1":2}"#));
    assert_eq!(
        json(b"\x81\xcf\xff\xff\xff\xff\xff\xff\xff\xff\x01").as_deref(),
        Ok(r#"{"18446744073709551615":1}"#)
    );
    for key in [&b"\xc0"[..], b"\xc3", b"\x90", b"\x80", b"\xc4\x00", b"\xcb\0\0\0\0\0\0\0\0"] {
        let map = [b"\x81", key, b"\x01"].concat();
        assert_eq!(json(&map), Err(PacketError::InvalidPayload), "{key:x?}");
        let map = [b"\x81", key, b"\xd4\0\0"].concat();
        assert_eq!(json(&map), Err(PacketError::InvalidPayload), "{key:x?}");
    }
}

#[test]
fn undefined_is_what_json_makes_of_it() {
    assert_eq!(json(b"\xd4\x00\x00").as_deref(), Ok("null"));
    assert_eq!(json(b"\x92\xd4\x00\x00\x01").as_deref(), Ok("[null,1]"));
    assert_eq!(
        json(b"\x83\xa1a\xd4\x00\x00\xa1b\x01\xa1c\xd4\x00\x00").as_deref(),
        Ok(r#"{"b":1}"#)
    );
    assert_eq!(json(b"\x81\xa1a\xd4\x00\xff").as_deref(), Ok("{}"));
}

#[test]
fn dates_are_texts() {
    let date = |milliseconds: i64| {
        json(&[b"\xd7\x00", &milliseconds.to_be_bytes()[..]].concat()).expect("a date")
    };
    let cases = [
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (951_868_799_999, "2000-02-29T23:59:59.999Z"),
        (951_868_800_000, "2000-03-01T00:00:00.000Z"),
        (960_854_400_000, "2000-06-13T00:00:00.000Z"),
        (1_709_210_096_789, "2024-02-29T12:34:56.789Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        (253_402_300_800_000, "+010000-01-01T00:00:00.000Z"),
        (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
        (-62_167_219_200_001, "-000001-12-31T23:59:59.999Z"),
        (8_640_000_000_000_000, "+275760-09-13T00:00:00.000Z"),
        (-8_640_000_000_000_000, "-271821-04-20T00:00:00.000Z"),
    ];
    for (milliseconds, text) in cases {
        assert_eq!(date(milliseconds), format!("\"{text}\""));
    }
    for invalid in [8_640_000_000_000_001, -8_640_000_000_000_001, i64::MAX, i64::MIN] {
        assert_eq!(date(invalid), "null");
    }
}

#[test]
fn binary_data_are_attachments() {
    let array_buffer = b"\x93\xc7\x01\x00\x05\xc8\x00\x00\x00\xc9\x00\x00\x00\x01\x00\x06";
    let args = args(event(array_buffer)).expect("a packet");
    let (data,): (Vec<Bytes>,) = args.decode().expect("binary data");
    assert_eq!(data, [&b"\x05"[..], b"", b"\x06"]);

    let message = event(b"\x93\xc4\x02ab\xc5\x00\x01c\x81\xa1k\xc6\x00\x00\x00\x00");
    let (packet, attachments) = receive(message, &Limits::default()).expect("a packet");
    assert_eq!(attachments, [&b"ab"[..], b"c", b""]);
    assert_eq!(
        packet.payload(),
        r#"["e",[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1},{"k":{"_placeholder":true,"num":2}}]]"#
    );
}

#[test]
fn extensions_are_a_type_and_data() {
    let cases: [(&[u8], i8, &[u8]); 8] = [
        (b"\xd4\x01\x02", 1, b"\x02"),
        (b"\xd4\xff\x02", -1, b"\x02"),
        (b"\xd5\x00ab", 0, b"ab"),
        (b"\xd6\x00abcd", 0, b"abcd"),
        (b"\xd7\x05abcdefgh", 5, b"abcdefgh"),
        (b"\xd8\x00abcdefghijklmnop", 0, b"abcdefghijklmnop"),
        (b"\xc7\x03\x80abc", -128, b"abc"),
        (b"\xc8\x00\x00\x07", 7, b""),
    ];
    for (value, kind, data) in cases {
        let found: (i8, Bytes) =
            args(event(value)).expect("a packet").get(0).expect("one").decode().expect("two");
        assert_eq!(found, (kind, Bytes::copy_from_slice(data)), "{value:x?}");
    }
}

#[test]
fn where_there_are_no_attachments_binary_data_are_numbers() {
    let connect =
        b"\x83\xa4type\x00\xa4data\x82\xa1a\xc4\x03\x01\x02\xff\xa1b\xd4\x01\x09\xa3nsp\xa1/";
    let (packet, attachments) = receive(&connect[..], &Limits::default()).expect("a packet");
    assert_eq!(packet.payload(), r#"{"a":[1,2,255],"b":[1,[9]]}"#);
    assert!(attachments.is_empty());
}

#[test]
fn an_object_that_looks_like_a_placeholder_is_no_attachment() {
    let literal = b"\x82\xac_placeholder\xc3\xa3num\x00";
    // Alone it is data, as it is for JavaScript.
    assert_eq!(json(literal).as_deref(), Ok(r#"{"_placeholder":true,"num":0}"#));
    let refused = args(event(literal)).expect("a packet").decode::<(Bytes,)>();
    assert!(refused.is_err(), "{refused:?}");
    // Beside binary data it could be taken for one, wherever it is.
    let beside: [&[&[u8]]; 5] = [
        &[b"\x92", literal, b"\xc4\x01\x05"],
        &[b"\x92\xc4\x01\x05", literal],
        &[b"\x92\xc4\x01\x05\x81\xa1x", literal],
        &[b"\x82\xac_placeholder\xc3\xa1x\xc4\x01\x05"],
        &[b"\x82\xac_placeholder\xc3\xa3num\xc4\x01\x05"],
    ];
    for parts in beside {
        let value = parts.concat();
        assert_eq!(json(&value), Err(PacketError::IllegalAttachments), "{value:x?}");
    }
    // It takes `true`, and that very name.
    for value in
        [&b"\x92\x81\xac_placeholder\xc2\xc4\x00"[..], b"\x92\x81\xabplaceholder\xc3\xc4\x00"]
    {
        assert!(json(value).is_ok(), "{value:x?}");
    }
}

#[test]
fn what_is_sent_beside_attachments_and_names_none_is_data() {
    let text = r#"451-["e",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1},{"_placeholder":true}]"#;
    let parts = PacketParts {
        kind: PacketKind::Event,
        namespace: "/".into(),
        ack: None,
        payload: text.split_once('-').expect("a header").1.into(),
        attachments: [Bytes::from_static(&[5])].into(),
    };
    let wire = MessagePack.encode(&parts).expect("it has a form");
    let literal = [&b"\x82\xac_placeholder\xc3\xa3num\x01\x81\xac_placeholder\xc3"[..]].concat();
    let data = [&b"\x94\xa1e\xc4\x01\x05"[..], &literal].concat();
    let expected = [&b"\x83\xa4type\x02\xa4data"[..], &data, b"\xa3nsp\xa1/"].concat();
    assert_eq!(wire, Wire::Binary(expected.into()));
}

#[test]
fn lengths_have_their_shortest_form() {
    for len in [0, 15, 16, 31, 32, 255, 256, 65_535, 65_536] {
        let text = "x".repeat(len);
        let list = alloc::vec!["0"; len].join(",");
        let map = (0..len).map(|key| format!("\"{key}\":0")).collect::<Vec<_>>().join(",");
        let data = Bytes::from(alloc::vec![7; len]);
        let message = Message::event(&mut Encoder::new(), "/", "e", &data, None).expect("encodes");
        let binary = encoded(&message);
        let header = |value: Vec<u8>, body: usize| value[..value.len() - body].to_vec();
        let short = (len as u16).to_be_bytes();
        let long = (len as u32).to_be_bytes();
        let of = |tags: [u8; 3]| match len {
            0..=0xff => alloc::vec![tags[0], len as u8],
            0x100..=0xffff => [&tags[1..2], &short].concat(),
            _ => [&tags[2..], &long].concat(),
        };
        let container = |fix: u8, tags: [u8; 2]| match len {
            0..=15 => alloc::vec![fix | len as u8],
            16..=0xffff => [&tags[..1], &short].concat(),
            _ => [&tags[1..], &long].concat(),
        };
        let string = if len < 32 { alloc::vec![0xa0 | len as u8] } else { of([0xd9, 0xda, 0xdb]) };
        assert_eq!(header(packed(&format!("\"{text}\"")), len), string);
        assert_eq!(header(packed(&format!("[{list}]")), len), container(0x90, [0xdc, 0xdd]));
        assert!(packed(&format!("{{{map}}}")).starts_with(&container(0x80, [0xde, 0xdf])));
        let bin = of([0xc4, 0xc5, 0xc6]);
        let start = b"\x83\xa4type\x02\xa4data\x92\xa1e".len();
        assert_eq!(binary[start..start + bin.len()], bin);
        // And back.
        let value = format!("[\"{text}\",[{list}],{{{map}}}]");
        assert_eq!(json(&packed(&value)).as_deref(), Ok(value.as_str()));
        let (found,): (Bytes,) = args(binary).expect("a packet").decode().expect("binary data");
        assert_eq!(found, data);
    }
}
