//! Properties that hold for any input.

use proptest::{collection::vec, prelude::*, sample::Index};
use std::string::ToString;

use super::*;

fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

fn role() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::Server), Just(Role::Client)]
}

fn control() -> impl Strategy<Value = Message> {
    (any::<bool>(), vec(any::<u8>(), 0..=125)).prop_map(|(is_ping, payload)| {
        let payload = Bytes::from(payload);
        if is_ping { Message::Ping(payload) } else { Message::Pong(payload) }
    })
}

fn data() -> impl Strategy<Value = Message> {
    prop_oneof![
        "\\PC{0,60}".prop_map(|text| Message::Text(text.into())),
        "[a-zé😀]{0,300}".prop_map(|text| Message::Text(text.into())),
        vec(any::<u8>(), 0..600).prop_map(|bytes| Message::Binary(bytes.into())),
        (65_000..70_000_usize).prop_map(|len| Message::Binary(std::vec![0xC3; len].into())),
    ]
}

/// One data message, where to cut it into fragments, and what comes between these.
type Plan = (Message, Vec<(Index, Message)>);

fn plan() -> impl Strategy<Value = Plan> {
    (data(), vec((any::<Index>(), control()), 0..4))
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![vec(1..16_usize, 0..200), vec(1..4_000_usize, 0..50)]
}

/// Encodes with the code under test, and returns what must come out.
fn encode(plans: &[Plan], receiver: Role, mask_key: [u8; 4]) -> (Vec<u8>, Vec<Message>) {
    let (mut out, mut expected) = (Vec::new(), Vec::new());
    let mut write = |fin: bool, opcode: Opcode, payload: &[u8]| {
        let masked = receiver == Role::Server;
        match (fin, masked) {
            (true, true) => encode_masked_into(&mut out, opcode, payload, mask_key),
            (true, false) => encode_into(&mut out, opcode, payload),
            (false, _) => {
                let mask_key = masked.then_some(mask_key);
                let header = FrameHeader::new(opcode, payload.len() as u64);
                out.extend_from_slice(&FrameHeader { fin, mask_key, ..header }.encode());
                let start = out.len();
                out.extend_from_slice(payload);
                apply_mask(&mut out[start..], mask_key.unwrap_or_default(), 0);
            }
        }
    };
    for (message, cuts) in plans {
        let (kind, payload) = match message {
            Message::Text(text) => (MessageKind::Text, text),
            Message::Binary(bytes) => (MessageKind::Binary, bytes),
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => unreachable!(),
        };
        let mut cuts: Vec<_> =
            cuts.iter().map(|(cut, control)| (cut.index(payload.len() + 1), control)).collect();
        cuts.sort_by_key(|(cut, _)| *cut);
        let (mut opcode, mut start) = (Opcode::from(kind), 0);
        for (cut, control) in cuts {
            write(false, opcode, &payload[start..cut]);
            match control {
                Message::Ping(payload) => write(true, Opcode::Ping, payload),
                Message::Pong(payload) => write(true, Opcode::Pong, payload),
                Message::Text(_) | Message::Binary(_) | Message::Close(_) => unreachable!(),
            }
            expected.push(control.clone());
            (opcode, start) = (Opcode::Continuation, cut);
        }
        write(true, opcode, &payload[start..]);
        expected.push(message.clone());
    }
    (out, expected)
}

/// Frames that are mostly well-formed, so that faults lie deep in a sequence.
fn unruly_frame() -> impl Strategy<Value = Frame> {
    let first = prop_oneof![
        8 => prop::sample::select(std::vec![0x81, 0x82, 0x01, 0x02, 0x00, 0x80, 0x89, 0x8A]),
        1 => any::<u8>(),
    ];
    let payload = prop_oneof![
        6 => "[a-zé€😀]{0,9}".prop_map(String::into_bytes),
        2 => vec(any::<u8>(), 0..20),
        1 => vec(any::<u8>(), 120..140),
        1 => Just(b"\xE2\x82".to_vec()),
        1 => Just(b"\xACx".to_vec()),
    ];
    (first, payload).prop_map(|(first, payload)| Frame { first, payload })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn round_trip(
        plans in vec(plan(), 0..6),
        role in role(),
        mask_key: [u8; 4],
        sizes in sizes(),
    ) {
        let (bytes, expected) = encode(&plans, role, mask_key);
        prop_assert!(decode_pieces(role, CONFIG, &bytes, sizes) == (expected, None));
    }

    #[test]
    fn any_division_gives_the_same(
        frames in vec(unruly_frame(), 1..12),
        damage in proptest::option::of((any::<Index>(), any::<u8>())),
        keep in any::<Index>(),
        truncate in any::<bool>(),
        role in role(),
        sizes in sizes(),
    ) {
        let small = DecoderConfig { message_bytes_max: 150, message_fragments_max: 4 };
        let mut bytes = wire(&frames, role);
        if let Some((index, byte)) = damage {
            *index.get_mut(&mut bytes) = byte;
        }
        if truncate {
            bytes.truncate(keep.index(bytes.len() + 1));
        }
        let whole = decode_pieces(role, small, &bytes, []);
        prop_assert_eq!(&decode_pieces(role, small, &bytes, core::iter::repeat(1)), &whole);
        prop_assert_eq!(&decode_pieces(role, small, &bytes, sizes), &whole);
    }

    /// `decode_pieces` checks what the decoder holds after each piece.
    #[test]
    fn arbitrary_bytes(bytes in vec(any::<u8>(), 0..400), role in role(), sizes in sizes()) {
        let small = DecoderConfig { message_bytes_max: 100, message_fragments_max: 3 };
        let whole = decode_pieces(role, small, &bytes, []);
        for message in &whole.0 {
            match message {
                Message::Text(bytes) => prop_assert!(core::str::from_utf8(bytes).is_ok()),
                Message::Binary(bytes) => prop_assert!(bytes.len() <= 100),
                Message::Ping(bytes) | Message::Pong(bytes) => prop_assert!(bytes.len() <= 125),
                Message::Close(_) => {}
            }
        }
        prop_assert_eq!(decode_pieces(role, small, &bytes, sizes), whole);
    }

    #[test]
    fn masking_is_the_naive_loop(
        bytes in vec(any::<u8>(), 0..100),
        key: [u8; 4],
        offset in 0..1_000_usize,
        cut in any::<Index>(),
    ) {
        let naive: Vec<u8> =
            bytes.iter().enumerate().map(|(i, byte)| byte ^ key[(offset + i) % 4]).collect();
        let mut masked = bytes.clone();
        apply_mask(&mut masked, key, offset);
        prop_assert_eq!(&masked, &naive);
        let (start, end) = masked.split_at_mut(cut.index(bytes.len() + 1));
        apply_mask(end, key, offset + start.len());
        apply_mask(start, key, offset);
        prop_assert_eq!(masked, bytes);
    }

    #[test]
    fn close_round_trip(code: u16, reason in "\\PC{0,80}", role in role(), mask_key: [u8; 4]) {
        let Some(code) = CloseCode::new(code % 5_000) else { return Ok(()) };
        let mut bytes = encode_close(Some(code), &reason).to_vec();
        if role == Role::Server {
            bytes.clear();
            let payload = close_payload(Some(code), &reason);
            encode_masked_into(&mut bytes, Opcode::Close, &payload, mask_key);
        }
        let (messages, error) = decode_pieces(role, CONFIG, &bytes, []);
        let [Message::Close(Some(frame))] = messages.as_slice() else { panic!("{error:?}") };
        prop_assert_eq!(frame.code, code);
        prop_assert!(reason.starts_with(&frame.reason));
        prop_assert!(frame.reason.len() == reason.len() || frame.reason.len() >= 120);
        prop_assert_eq!(frame.code.to_string(), code.get().to_string());
    }

    #[test]
    fn handshake_survives_anything(
        method in "GET|POST",
        headers in vec(("[uU]pgrade|Connection|Sec-WebSocket-(Key|Version|Accept)|x", vec(any::<u8>(), 0..30)), 0..6),
    ) {
        let headers = || headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
        prop_assert!(super::super::handshake::check_request(&method, headers()).is_err());
        prop_assert!(super::super::handshake::check_response(b"key", 101, headers()).is_err());
    }
}
