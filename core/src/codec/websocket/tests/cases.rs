//! A table of what a peer may send, right and wrong, in the order of the RFC's topics. Every case
//! runs for both roles, as a whole, byte by byte, and in pieces of a few sizes.

use std::{format, vec};

use super::*;

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8A;
const TEXT_START: u8 = 0x01;
const BINARY_START: u8 = 0x02;
const MORE: u8 = 0x00;
const LAST: u8 = 0x80;

#[track_caller]
fn check(name: &str, frames: &[Frame], messages: &[Message], error: Option<Error>) {
    let expected = (messages.to_vec(), error);
    for role in [Role::Server, Role::Client] {
        let bytes = wire(frames, role);
        for size in [usize::MAX, 1, 2, 3, 7, 126, 1_000, 65_536] {
            let decoded = decode_pieces(role, CONFIG, &bytes, core::iter::repeat(size));
            assert!(decoded == expected, "{name} ({role:?}, pieces of {size})");
        }
    }
}

#[track_caller]
fn good(name: &str, frames: &[Frame], messages: &[Message]) {
    check(name, frames, messages, None);
}

#[track_caller]
fn bad(name: &str, frames: &[Frame], messages: &[Message], error: Error) {
    check(name, frames, messages, Some(error));
}

#[test]
fn sizes() {
    for len in [0, 1, 124, 125, 126, 127, 128, 65_535, 65_536, 70_000] {
        let payload = vec![b'*'; len];
        good("text", &[frame(TEXT, &payload)], &[Message::Text(payload.clone().into())]);
        good("binary", &[frame(BINARY, &payload)], &[binary(&payload)]);
    }
}

#[test]
fn pings_and_pongs() {
    good("empty ping", &[frame(PING, "")], &[ping("")]);
    good("binary ping", &[frame(PING, [0, 255, 254, 128])], &[ping([0, 255, 254, 128])]);
    good("largest ping", &[frame(PING, [9; 125])], &[ping([9; 125])]);
    good("unasked pong", &[frame(PONG, "x"), frame(PING, "y")], &[pong("x"), ping("y")]);
    good("many", &vec![frame(PING, "p"); 40], &vec![ping("p"); 40]);
    for first in [PING, PONG, CLOSE] {
        bad("too long", &[frame(first, [0; 126])], &[], Error::ControlTooLong);
        bad("far too long", &[frame(first, [0; 70_000])], &[], Error::ControlTooLong);
    }
}

#[test]
fn reserved_bits() {
    for bits in 1..8 {
        for first in [TEXT, BINARY, CLOSE, PING, PONG, LAST] {
            let first = first | bits << 4;
            let frames = [frame(TEXT, "a"), frame(first, "b"), frame(TEXT, "c")];
            bad(&format!("{first:#x}"), &frames, &[text("a")], Error::ReservedBits);
        }
    }
}

#[test]
fn unknown_opcodes() {
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        for payload in ["", "x"] {
            let frames = [frame(TEXT, "a"), frame(0x80 | opcode, payload), frame(PING, "")];
            bad(&format!("{opcode}"), &frames, &[text("a")], Error::UnknownOpcode { opcode });
        }
    }
}

#[test]
fn masks() {
    for (role, error) in [(Role::Server, Error::Unmasked), (Role::Client, Error::Masked)] {
        let other = match role {
            Role::Server => Role::Client,
            Role::Client => Role::Server,
        };
        for first in [TEXT, PING, CLOSE] {
            let bytes = wire(&[frame(first, "")], other);
            assert_eq!(decode_pieces(role, CONFIG, &bytes, []), (vec![], Some(error)));
            assert_eq!(decode_pieces(role, CONFIG, &bytes[..2], [1]), (vec![], Some(error)));
        }
    }
}

#[test]
fn fragments() {
    for first in [0x08, 0x09, 0x0A] {
        bad("control", &[frame(first, "x"), frame(LAST, "y")], &[], Error::FragmentedControl);
    }
    let parts = |first, payloads: [&str; 3]| {
        let [a, b, c] = payloads;
        [frame(first, a), frame(MORE, b), frame(LAST, c)]
    };
    good("text", &parts(TEXT_START, ["a", "bc", "d"]), &[text("abcd")]);
    good("binary", &parts(BINARY_START, ["a", "", "d"]), &[binary("ad")]);
    good("empty", &parts(TEXT_START, ["", "", ""]), &[text("")]);
    good("only in the middle", &parts(TEXT_START, ["", "m", ""]), &[text("m")]);

    let [a, b, c] = parts(TEXT_START, ["a", "b", "c"]);
    good(
        "pings between",
        &[a.clone(), frame(PING, "1"), b, frame(PONG, ""), frame(PING, "2"), c.clone()],
        &[ping("1"), pong(""), ping("2"), text("abc")],
    );
    good("close between", &[a.clone(), frame(CLOSE, ""), c.clone()], &[Message::Close(None)]);
    good("two messages", &[a.clone(), c.clone(), a.clone(), c.clone()], &[text("ac"), text("ac")]);
    for first in [TEXT, BINARY, TEXT_START, BINARY_START] {
        let frames = [a.clone(), frame(PING, ""), frame(first, "z"), c.clone()];
        bad("new message inside", &frames, &[ping("")], Error::ExpectedContinuation);
    }
    for first in [MORE, LAST] {
        bad("nothing to continue", &[frame(first, "x")], &[], Error::UnexpectedContinuation);
        let frames = [a.clone(), c.clone(), frame(first, "")];
        bad("nothing left", &frames, &[text("ac")], Error::UnexpectedContinuation);
    }
}

#[test]
fn utf8() {
    let valid = [
        "κόσμε",
        "\0",
        "\u{7f}\u{80}",
        "\u{7ff}\u{800}",
        "\u{d7ff}\u{e000}\u{fffd}",
        "\u{ffff}\u{10000}\u{10ffff}",
    ];
    for valid in valid {
        good(valid, &[frame(TEXT, valid)], &[text(valid)]);
        for cut in 0..=valid.len() {
            let (a, b) = valid.as_bytes().split_at(cut);
            let frames = [frame(TEXT_START, a), frame(PING, "p"), frame(LAST, b)];
            good(valid, &frames, &[ping("p"), text(valid)]);
        }
    }
    let invalid: [&[u8]; 14] = [
        b"\x80",
        b"\xBF",
        b"\xC0\x80",
        b"\xC1\xBF",
        b"\xE0\x9F\xBF",
        b"\xED\xA0\x80",
        b"\xED\xBF\xBF",
        b"\xF0\x8F\xBF\xBF",
        b"\xF4\x90\x80\x80",
        b"\xF5\x80\x80\x80",
        b"\xF8\x88\x80\x80\x80",
        b"\xFE",
        b"\xFF",
        b"ab\xC3\x28cd",
    ];
    let truncated: [&[u8]; 6] =
        [b"\xC3", b"\xE2\x82", b"\xE2", b"\xF0\x9F\x98", b"ok \xF0\x9F", b"\xF0"];
    for bytes in invalid.into_iter().chain(truncated) {
        let name = format!("{bytes:x?}");
        let frames = [frame(BINARY, bytes), frame(TEXT, bytes), frame(TEXT, "")];
        bad(&name, &frames, &[binary(bytes)], Error::InvalidUtf8);
        let frames = [frame(TEXT_START, "é"), frame(MORE, bytes), frame(LAST, "x")];
        bad(&name, &frames, &[], Error::InvalidUtf8);
        let frames = [frame(TEXT_START, bytes), frame(LAST, "")];
        bad(&name, &frames, &[], Error::InvalidUtf8);
    }
}

/// Invalid UTF-8 fails with the byte that makes it so, not with the end of frame or message.
#[test]
fn utf8_fails_fast() {
    let bytes = wire(&[frame(TEXT_START, b"ab\xF4\x90\x80\x80 and more")], Role::Server);
    let header_bytes = 2 + 4;
    let decode = |len| decode_pieces(Role::Server, CONFIG, &bytes[..len], []);
    assert_eq!(decode(header_bytes + 3), (vec![], None));
    assert_eq!(decode(header_bytes + 4), (vec![], Some(Error::InvalidUtf8)));
}

#[test]
fn closes() {
    let after = frame(0xFF, [0; 300]);
    good("empty", &[frame(CLOSE, ""), after.clone()], &[Message::Close(None)]);
    bad("half a code", &[frame(CLOSE, [3]), after.clone()], &[], Error::ClosePayload);
    let payload = |code: u16, reason: &[u8]| [&code.to_be_bytes(), reason].concat();
    for code in (1000..=1003).chain(1007..=1014).chain([3000, 3999, 4000, 4999]) {
        let frames = [frame(TEXT, "a"), frame(CLOSE, payload(code, b"")), after.clone()];
        good(&format!("{code}"), &frames, &[text("a"), close(code, "")]);
    }
    for code in [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535] {
        let frames = [frame(CLOSE, payload(code, b"why")), after.clone()];
        bad(&format!("{code}"), &frames, &[], Error::CloseCode { code });
    }
    let reason = "é".repeat(61) + "!";
    let frames = [frame(CLOSE, payload(1000, reason.as_bytes()))];
    good("longest reason", &frames, &[close(1000, &reason)]);
    bad("too long", &[frame(CLOSE, payload(1000, &[b'a'; 124]))], &[], Error::ControlTooLong);
    for reason in [&b"\xFF"[..], b"cut \xE2\x82"] {
        let frames = [frame(CLOSE, payload(1000, reason)), after.clone()];
        bad("reason", &frames, &[], Error::InvalidUtf8);
    }
}

#[test]
fn lengths() {
    for (length, error) in [
        (&[126, 0, 125][..], Error::LengthNotMinimal),
        (&[126, 0, 0], Error::LengthNotMinimal),
        (&[127, 0, 0, 0, 0, 0, 0, 255, 255], Error::LengthNotMinimal),
        (&[127, 0, 0, 0, 0, 0, 0, 0, 1], Error::LengthNotMinimal),
        (&[127, 0x80, 0, 0, 0, 0, 0, 0, 0], Error::LengthOverflow),
        (&[127, 255, 255, 255, 255, 255, 255, 255, 255], Error::LengthOverflow),
        (&[127, 127, 255, 255, 255, 255, 255, 255, 255], Error::TooLarge),
        (&[127, 0, 0, 0, 1, 0, 0, 0, 0], Error::TooLarge),
    ] {
        for (role, masked) in [(Role::Server, 0x80), (Role::Client, 0)] {
            let mut bytes = vec![TEXT];
            bytes.extend_from_slice(length);
            bytes[1] |= masked;
            bytes.extend([0; 8]);
            for size in [1, 4, 100] {
                let decoded = decode_pieces(role, CONFIG, &bytes, core::iter::repeat(size));
                assert_eq!(decoded, (vec![], Some(error)), "{length:?} {role:?}");
            }
        }
    }
}

#[test]
fn limits() {
    let max = CONFIG.message_bytes_max;
    good("exact", &[frame(BINARY, vec![1; max])], &[binary(vec![1; max])]);
    bad("one more", &[frame(BINARY, vec![1; max + 1])], &[], Error::TooLarge);
    let frames = |last| [frame(BINARY_START, vec![1; max]), frame(PING, "p"), frame(LAST, last)];
    good("exact, fragmented", &frames(""), &[ping("p"), binary(vec![1; max])]);
    bad("one more, fragmented", &frames("x"), &[ping("p")], Error::TooLarge);

    let mut frames = vec![frame(TEXT_START, "a")];
    frames.resize(CONFIG.message_fragments_max - 1, frame(MORE, ""));
    frames.push(frame(LAST, ""));
    good("fragments", &frames, &[text("a")]);
    frames.insert(1, frame(MORE, ""));
    bad("one fragment more", &frames, &[], Error::TooManyFragments);
}

#[test]
fn large_messages() {
    let config = DecoderConfig { message_bytes_max: 16 << 20, message_fragments_max: 1 << 20 };
    let payload: Vec<u8> = (0..16_u32 << 20).map(|i| (i % 251) as u8).collect();
    let whole = wire(&[frame(BINARY, &payload)], Role::Server);
    let mut parts: Vec<_> = payload.chunks(1 << 10).map(|part| frame(MORE, part)).collect();
    parts[0].first = BINARY_START;
    parts.last_mut().unwrap().first = LAST;
    let parts = wire(&parts, Role::Server);
    for bytes in [whole, parts] {
        for size in [1_300, 65_536] {
            let sizes = core::iter::repeat(size);
            let (messages, error) = decode_pieces(Role::Server, config, &bytes, sizes);
            assert!(messages == [binary(&payload)] && error.is_none());
        }
    }
}

/// Announcing a large message costs the receiver nothing; an idle decoder holds nothing.
#[test]
fn memory() {
    let config = DecoderConfig { message_bytes_max: usize::MAX, message_fragments_max: 1_024 };
    let mut decoder = Decoder::new(Role::Client, config);
    assert!(size_of_val(&decoder) <= 32);
    let mut start = [BINARY, 127, 0, 0, 0x10, 0, 0, 0, 0, 0, 1, 2, 3];
    assert_eq!(decoder.decode(&mut start.as_mut_slice()), Ok(None));
    assert!(decoder.buffered_bytes() < 512, "{}", decoder.buffered_bytes());
    assert_eq!(decoder.decode(&mut [0; 10_000].as_mut_slice()), Ok(None));
    assert!(decoder.buffered_bytes() < 21_000, "{}", decoder.buffered_bytes());

    let mut decoder = Decoder::new(Role::Client, CONFIG);
    let frames = [frame(TEXT, "whole"), frame(TEXT_START, "a"), frame(LAST, "b"), frame(PING, "p")];
    let mut bytes = wire(&frames, Role::Client);
    for byte in &mut bytes {
        let mut input = core::slice::from_mut(byte);
        if decoder.decode(&mut input).unwrap().is_some() {
            assert_eq!(decoder.buffered_bytes(), 0);
        } else {
            assert_ne!(decoder.buffered_bytes(), 0);
        }
    }
}

#[test]
fn close_codes_of_errors() {
    assert_eq!(Error::ReservedBits.close_code(), CloseCode::PROTOCOL_ERROR);
    assert_eq!(Error::InvalidUtf8.close_code(), CloseCode::INVALID_PAYLOAD);
    assert_eq!(Error::TooLarge.close_code(), CloseCode::TOO_LARGE);
    assert_eq!(Error::TooManyFragments.close_code(), CloseCode::POLICY_VIOLATION);
    assert_eq!(u16::from(CloseCode::TOO_LARGE), 1009);
}
