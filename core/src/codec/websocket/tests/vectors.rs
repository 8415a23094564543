//! The examples of RFC 6455, 5.7, and the exact bytes of the encoder.

use std::vec;

use super::*;

fn decode_all(role: Role, bytes: &[u8]) -> Decoded {
    decode_pieces(role, CONFIG, bytes, [])
}

#[test]
fn unmasked_text() {
    let wire = [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f];
    assert_eq!(decode_all(Role::Client, &wire), (vec![text("Hello")], None));
    let mut encoded = Vec::new();
    encode_into(&mut encoded, Opcode::Text, b"Hello");
    assert_eq!(encoded, wire);
}

#[test]
fn masked_text() {
    let wire = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    assert_eq!(decode_all(Role::Server, &wire), (vec![text("Hello")], None));
    let mut encoded = Vec::new();
    encode_masked_into(&mut encoded, Opcode::Text, b"Hello", [0x37, 0xfa, 0x21, 0x3d]);
    assert_eq!(encoded, wire);
}

#[test]
fn fragmented_text() {
    let wire = [0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f];
    assert_eq!(decode_all(Role::Client, &wire), (vec![text("Hello")], None));
}

#[test]
fn ping_and_masked_pong() {
    let wire = [0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f];
    assert_eq!(decode_all(Role::Client, &wire), (vec![ping("Hello")], None));
    let wire = [0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    assert_eq!(decode_all(Role::Server, &wire), (vec![pong("Hello")], None));
    assert_eq!(encode_pong(b"Hello"), &[0x8a, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f][..]);
}

#[test]
fn longer_lengths() {
    for (len, start) in
        [(256, &[0x82, 0x7E, 0x01, 0x00][..]), (65_536, &[0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0][..])]
    {
        let mut wire = start.to_vec();
        wire.resize(start.len() + len, 0x5A);
        assert_eq!(decode_all(Role::Client, &wire), (vec![binary(vec![0x5A; len])], None));
        assert_eq!(*header(Opcode::Binary, len), *start);
    }
}

#[test]
fn header_lengths() {
    for (payload_bytes, header_bytes) in
        [(0, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10), (u64::MAX >> 1, 10)]
    {
        let unmasked = FrameHeader::new(Opcode::Binary, payload_bytes);
        let masked = FrameHeader { mask_key: Some([1, 2, 3, 4]), fin: false, ..unmasked };
        assert_eq!(unmasked.encode().len(), header_bytes);
        assert_eq!(masked.encode().len(), header_bytes + 4);
        for (role, header) in [(Role::Client, unmasked), (Role::Server, masked)] {
            let wire = header.encode();
            assert_eq!(FrameHeader::parse(&wire, role, false), Ok(Some((header, wire.len()))));
            for cut in 0..wire.len() {
                assert_eq!(FrameHeader::parse(&wire[..cut], role, false), Ok(None));
            }
        }
    }
}

#[test]
fn header_with_an_extension() {
    let parse = |first: u8| FrameHeader::parse(&[first, 0], Role::Client, true);
    let compressed = FrameHeader { rsv1: true, ..FrameHeader::new(Opcode::Text, 0) };
    assert_eq!(parse(0xC1), Ok(Some((compressed, 2))));
    assert_eq!(*compressed.encode(), [0xC1, 0]);
    for first in [0xA1, 0x91, 0xF1, 0xC0, 0xC9] {
        assert_eq!(parse(first), Err(Error::ReservedBits), "{first:#x}");
    }
}

#[test]
fn header_in_place() {
    for len in [0, 125, 126, 65_535, 65_536] {
        let mut buffer = vec![0; SERVER_HEADER_BYTES_MAX];
        buffer.resize(SERVER_HEADER_BYTES_MAX + len, b'x');
        let (room, payload) = buffer.split_first_chunk_mut().unwrap();
        let start = write_header_before(room, Opcode::Text, payload.len());
        let mut expected = Vec::new();
        encode_into(&mut expected, Opcode::Text, &vec![b'x'; len]);
        assert_eq!(buffer[start..], expected);
    }
}

#[test]
fn close_frames() {
    assert_eq!(encode_close(None, "lost"), &[0x88, 0][..]);
    assert_eq!(encode_close(Some(CloseCode::NORMAL), ""), &[0x88, 2, 0x03, 0xE8][..]);
    assert_eq!(encode_close(Some(CloseCode::TOO_LARGE), "so"), &b"\x88\x04\x03\xF1so"[..]);
    // 122 bytes, then a character of which one byte would fit.
    let mut reason = String::from("a").repeat(122);
    reason.push('é');
    let frame = encode_close(Some(CloseCode::GOING_AWAY), &reason);
    assert_eq!(frame.len(), 2 + 2 + 122);
    assert_eq!(decode_all(Role::Client, &frame), (vec![close(1001, &reason[..122])], None));
}

#[test]
fn control_payloads_are_cut() {
    assert_eq!(encode_pong(&[7; 200]).len(), 2 + 125);
}

#[test]
fn masking_of_long_payloads() {
    let payload: Vec<u8> = (0..300_u32).map(|i| i as u8).collect();
    let key = [0xDE, 0xAD, 0xBE, 0xEF];
    for start in 0..16 {
        for end in start..300 {
            let mut bytes = payload[start..end].to_vec();
            apply_mask(&mut bytes, key, start);
            let naive = (start..end).map(|i| payload[i] ^ key[i % 4]);
            assert!(bytes.iter().copied().eq(naive), "{start}..{end}");
        }
    }
}
