//! Compressed messages, and their negotiation.

mod extension;
mod outgoing;
mod properties;

use super::super::deflate::{Agreed, Deflater, PerMessageDeflate};
use super::*;

/// What the decoder of a compressed message may hold beside the largest message: the inflater, what
/// is kept of earlier messages, and the rest.
const SLACK_BYTES: usize = (48 << 10) + (12 << 10);

/// With or without context, in both directions.
fn agreed(context: bool) -> Agreed {
    let settings = PerMessageDeflate::default()
        .server_context_takeover(context)
        .client_context_takeover(context);
    let header = ("Sec-WebSocket-Extensions", b"permessage-deflate".as_slice());
    settings.accept([header]).unwrap().agreed()
}

fn decoder(role: Role, context: bool, config: DecoderConfig) -> Decoder {
    Decoder::new(role, config).with_deflate(agreed(context))
}

/// Decodes frames as a whole and in pieces, which must give the same.
fn decode(role: Role, context: bool, config: DecoderConfig, frames: &[Frame]) -> Decoded {
    let bytes = wire(frames, role);
    let most = config.message_bytes_max + 1 + SLACK_BYTES;
    let whole = feed(decoder(role, context, config), most, &bytes, []);
    for size in [1, 2, 3, 7] {
        let sizes = core::iter::repeat(size);
        assert_eq!(feed(decoder(role, context, config), most, &bytes, sizes), whole, "{size}");
    }
    whole
}

/// The examples of RFC 7692, 7.2.3, each of them "Hello".
const HELLO: [&[u8]; 5] = [
    // One block, with fixed codes.
    &[0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00],
    // A block without compression.
    &[0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48, 0x65, 0x6C, 0x6C, 0x6F, 0x00],
    // A block that says that it is the last.
    &[0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00],
    // Two blocks.
    &[0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00],
    // An end that was not left off, and the empty block that makes up for it.
    &[0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0x00],
];

/// Four blocks of the fixed codes with nothing in them, the end of the last of which is left off.
const EMPTY_BLOCKS: [u8; 5] = [0x02, 0x08, 0x20, 0x80, 0x00];

/// Otherwise nobody would see what a peer makes us do by blocks in which there is nothing.
#[test]
fn blocks_are_work_and_so_is_what_is_inflated() {
    let mut decoder = decoder(Role::Client, false, CONFIG);
    let mut bytes = wire(&[frame(0x42, EMPTY_BLOCKS.repeat(10))], Role::Client);
    assert_eq!(decoder.decode(&mut &mut bytes[..]), Ok(None));
    let work = decoder.take_work();
    assert!((39 * 512..=41 * 512).contains(&work), "{work}");
    assert_eq!(decoder.take_work(), 0);
    let mut plain = wire(&[frame(0x89, "ping"), frame(0x80, "")], Role::Client);
    let mut input = &mut plain[..];
    assert!(matches!(decoder.decode(&mut input), Ok(Some(Message::Ping(_)))));
    assert_eq!(decoder.take_work(), 0);

    let mut decoder = self::decoder(Role::Client, false, CONFIG);
    let mut bytes = wire(&[frame(0xC1, HELLO[0])], Role::Client);
    assert_eq!(decoder.decode(&mut &mut bytes[..]), Ok(Some(text("Hello"))));
    assert!((5 + 512..=5 + 2 * 512).contains(&decoder.take_work()));
}

#[test]
fn the_examples_of_the_rfc() {
    for role in [Role::Server, Role::Client] {
        for context in [false, true] {
            let frames: Vec<_> = HELLO.iter().map(|payload| frame(0xC1, payload)).collect();
            let hello = std::vec![text("Hello"); HELLO.len()];
            assert_eq!(decode(role, context, CONFIG, &frames), (hello, None));
            for payload in HELLO {
                for cut in 0..payload.len() {
                    let (first, second) = payload.split_at(cut);
                    let frames = [frame(0x41, first), frame(0x89, "?"), frame(0x80, second)];
                    let expected = std::vec![ping("?"), text("Hello")];
                    assert_eq!(decode(role, context, CONFIG, &frames), (expected, None));
                }
            }
        }
    }
}

#[test]
fn a_message_may_refer_to_earlier_ones_only_where_that_was_agreed() {
    let frames = [frame(0xC1, HELLO[0]), frame(0xC1, [0xF2, 0x00, 0x11, 0x00, 0x00])];
    let kept = decode(Role::Server, true, CONFIG, &frames);
    assert_eq!(kept, (std::vec![text("Hello"), text("Hello")], None));
    let refused = decode(Role::Server, false, CONFIG, &frames);
    assert_eq!(refused, (std::vec![text("Hello")], Some(Error::Deflate)));
    assert_eq!(Error::Deflate.close_code(), CloseCode::INVALID_PAYLOAD);
}

#[test]
fn plain_messages_may_come_in_between_and_are_not_referred_to() {
    let frames = [
        frame(0xC1, HELLO[0]),
        frame(0x82, "plain"),
        frame(0x01, "in "),
        frame(0x80, "pieces"),
        frame(0xC2, [0xF2, 0x00, 0x11, 0x00, 0x00]),
    ];
    let expected = std::vec![text("Hello"), binary("plain"), text("in pieces"), binary("Hello")];
    assert_eq!(decode(Role::Client, true, CONFIG, &frames), (expected, None));
}

#[test]
fn empty_messages() {
    // What compressors make of them, and what some send.
    for payload in [[0x00].as_slice(), &[0x02, 0x00], &[0x03, 0x00, 0x00], &[0x03, 0x00], &[]] {
        for context in [false, true] {
            let frames = [frame(0xC1, payload), frame(0xC2, HELLO[0])];
            let expected = std::vec![text(""), binary("Hello")];
            assert_eq!(decode(Role::Server, context, CONFIG, &frames), (expected, None));
        }
    }
}

#[test]
fn the_bit_belongs_to_the_first_frame_of_a_data_message_and_must_be_agreed() {
    let refused = (Vec::new(), Some(Error::ReservedBits));
    for first in [0xC1, 0xC2, 0x41] {
        let bytes = wire(&[frame(first, HELLO[0])], Role::Server);
        assert_eq!(decode_pieces(Role::Server, CONFIG, &bytes, []), refused);
    }
    // Control frames, continuations, and the other two bits.
    for first in [0xC8, 0xC9, 0xCA, 0xC0, 0xA1, 0x91, 0xE1, 0xD1] {
        let bytes = [frame(first, "")];
        assert_eq!(decode(Role::Server, true, CONFIG, &bytes), refused, "{first:x}");
    }
    let frames = [frame(0x41, HELLO[0]), frame(0xC0, "")];
    assert_eq!(decode(Role::Server, true, CONFIG, &frames), refused);
}

#[test]
fn what_cannot_be_inflated_ends_the_connection() {
    let failed = (Vec::new(), Some(Error::Deflate));
    for payload in [
        // A reserved kind of block.
        [0x07, 0x00].as_slice(),
        // A length that is not repeated.
        &[0x00, 0x05, 0x00, 0xFA, 0xFE, 0x48],
        // The message ends in the middle of a block.
        &[0xF2, 0x48, 0xCD, 0xC9],
        &[0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48, 0x65],
        // Something else behind the last block.
        &[0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x07],
    ] {
        assert_eq!(decode(Role::Server, true, CONFIG, &[frame(0xC2, payload)]), failed);
    }
}

#[test]
fn text_is_checked_after_inflation() {
    let mut deflater = Deflater::new(6);
    let valid = "Grüße 😀 ".repeat(20);
    let compressed = deflater.compress_alone(valid.as_bytes()).unwrap().to_vec();
    for cut in 0..compressed.len() {
        let (first, second) = compressed.split_at(cut);
        let frames = [frame(0x41, first), frame(0x80, second)];
        assert_eq!(decode(Role::Server, true, CONFIG, &frames), (std::vec![text(&valid)], None));
    }
    for invalid in
        [b"\xFF".repeat(20), b"ab\xE2\x82".repeat(20), [b"a".repeat(40), b"\xE2".to_vec()].concat()]
    {
        let compressed = deflater.compress_alone(&invalid).unwrap();
        let failed = (Vec::new(), Some(Error::InvalidUtf8));
        assert_eq!(decode(Role::Server, false, CONFIG, &[frame(0xC1, compressed)]), failed);
        let whole = (std::vec![binary(&invalid)], None);
        assert_eq!(decode(Role::Server, false, CONFIG, &[frame(0xC2, compressed)]), whole);
    }
}

#[test]
fn a_bomb_ends_at_the_limit() {
    let limit = CONFIG.message_bytes_max;
    let mut deflater = Deflater::new(9);
    for (bytes, fits) in [(limit, true), (limit + 1, false), (1_000 * limit, false)] {
        let plain = std::vec![0; bytes];
        let compressed = deflater.compress_alone(&plain).unwrap().to_vec();
        let expected = match fits {
            true => (std::vec![binary(&plain)], None),
            false => (Vec::new(), Some(Error::TooLarge)),
        };
        for context in [false, true] {
            // `decode` checks what is held after each piece.
            let frames = [frame(0xC2, &compressed)];
            assert_eq!(decode(Role::Server, context, CONFIG, &frames), expected);
        }
    }
}

/// Also where the data does not become shorter, so that the limit is about messages.
#[test]
fn the_largest_message_may_come_in_a_form_that_is_a_little_longer() {
    let limit = CONFIG.message_bytes_max;
    let plain: Vec<u8> =
        (0..limit as u32).map(|i| (i.wrapping_mul(0x9E37_79B9) >> 23) as u8).collect();
    let mut stored = Vec::new();
    for block in plain.chunks(4_096) {
        let length = (block.len() as u16).to_le_bytes();
        stored.push(0x00);
        stored.extend(length);
        stored.extend(length.map(|byte| !byte));
        stored.extend(block);
    }
    stored.push(0x00);
    assert!(stored.len() > limit);
    let whole = decode(Role::Server, false, CONFIG, &[frame(0xC2, &stored)]);
    assert_eq!(whole, (std::vec![binary(&plain)], None));
    // What is announced is refused at once, fragments included.
    let too_large = frame(0xC2, std::vec![0; limit + limit / 256 + 65]);
    let refused = (Vec::new(), Some(Error::TooLarge));
    assert_eq!(decode(Role::Server, false, CONFIG, &[too_large]), refused);
    let frames = [frame(0x42, &stored), frame(0x80, std::vec![0; 1_000])];
    assert_eq!(decode(Role::Server, false, CONFIG, &frames), refused);
}

#[test]
fn between_messages_nothing_is_held_that_later_ones_cannot_refer_to() {
    let mut deflater = Deflater::new(1);
    let plain = b"0123456789".repeat(5_000);
    let compressed = deflater.compress_alone(&plain).unwrap();
    let mut bytes = Vec::new();
    for _ in 0..10 {
        frame(0xC2, compressed).write(&mut bytes, Role::Server);
    }
    for (context, most) in [(false, 0), (true, (48 << 10) + 256)] {
        let mut decoder = decoder(Role::Server, context, CONFIG);
        let mut copy = bytes.clone();
        let mut input = copy.as_mut_slice();
        while let Some(message) = decoder.decode(&mut input).unwrap() {
            assert_eq!(message, binary(&plain));
            assert!(decoder.buffered_bytes() <= most, "{}", decoder.buffered_bytes());
        }
        assert_eq!(decoder.buffered_bytes() > 0, context);
    }
}
