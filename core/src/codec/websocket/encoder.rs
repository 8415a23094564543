//! Frames for the peer. We never fragment: each frame is a whole message.

use alloc::vec::Vec;

use bytes::Bytes;

use super::{CONTROL_PAYLOAD_BYTES_MAX, CloseCode, FrameHeader, HeaderBytes, Opcode, apply_mask};

/// The longest header that a server sends, in bytes: it has no mask.
pub const SERVER_HEADER_BYTES_MAX: usize = 10;

/// The header of an unmasked frame: 2, 4 or 10 bytes.
pub fn header(opcode: Opcode, payload_bytes: usize) -> HeaderBytes {
    FrameHeader::new(opcode, payload_bytes as u64).encode()
}

/// Writes the header of an unmasked frame to the end of `room`, and returns where in `room` it
/// starts.
///
/// So one buffer can hold `[room | payload]`, with the payload written before its length is
/// known, and the frame is what begins at the returned offset:
///
/// ```
/// use sansocket_core::codec::websocket::{SERVER_HEADER_BYTES_MAX, Opcode, write_header_before};
///
/// let mut buffer = vec![0; SERVER_HEADER_BYTES_MAX];
/// buffer.extend_from_slice(b"hello");
/// let Some((room, payload)) = buffer.split_first_chunk_mut() else { unreachable!() };
/// let start = write_header_before(room, Opcode::Text, payload.len());
/// assert_eq!(&buffer[start..], b"\x81\x05hello");
/// ```
pub fn write_header_before(
    room: &mut [u8; SERVER_HEADER_BYTES_MAX],
    opcode: Opcode,
    payload_bytes: usize,
) -> usize {
    let header = header(opcode, payload_bytes);
    let start = room.len() - header.len();
    room[start..].copy_from_slice(&header);
    start
}

/// Appends an unmasked frame, as a server sends it.
pub fn encode_into(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    let header = header(opcode, payload.len());
    out.reserve(header.len() + payload.len());
    out.extend_from_slice(&header);
    out.extend_from_slice(payload);
}

/// Appends a masked frame, as a client sends it. `mask_key` must be unpredictable, and new for
/// each frame (RFC 6455, 5.3).
pub fn encode_masked_into(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8], mask_key: [u8; 4]) {
    let header =
        FrameHeader { mask_key: Some(mask_key), ..FrameHeader::new(opcode, payload.len() as u64) };
    let header = header.encode();
    out.reserve(header.len() + payload.len());
    out.extend_from_slice(&header);
    let start = out.len();
    out.extend_from_slice(payload);
    apply_mask(&mut out[start..], mask_key, 0);
}

/// Appends a frame with that header, masked if the header has a key. Of the header, the length is
/// replaced by the payload's.
pub fn encode_frame_into(out: &mut Vec<u8>, header: FrameHeader, payload: &[u8]) {
    let encoded = FrameHeader { payload_bytes: payload.len() as u64, ..header }.encode();
    out.reserve(encoded.len() + payload.len());
    out.extend_from_slice(&encoded);
    let start = out.len();
    out.extend_from_slice(payload);
    if let (Some(key), Some(payload)) = (header.mask_key, out.get_mut(start..)) {
        apply_mask(payload, key, 0);
    }
}

/// A server's close frame; see [`close_payload`]. Allocates nothing for a frame without a code.
pub fn encode_close(code: Option<CloseCode>, reason: &str) -> Bytes {
    match code {
        None => Bytes::from_static(&[0x88, 0x00]),
        Some(_) => control_frame(Opcode::Close, &close_payload(code, reason)),
    }
}

/// A server's pong. `payload` is that of the ping; what exceeds the 125 bytes that a control
/// frame holds, which no decoded ping does, is left off.
pub fn encode_pong(payload: &[u8]) -> Bytes {
    let len = payload.len().min(CONTROL_PAYLOAD_BYTES_MAX);
    control_frame(Opcode::Pong, &payload[..len])
}

/// The payload of a close frame, for both roles.
///
/// Without a code there is no place for a reason, and the payload is empty. A reason of more than
/// 123 bytes loses its end, at the border of a character.
pub fn close_payload(code: Option<CloseCode>, reason: &str) -> Vec<u8> {
    let Some(code) = code else { return Vec::new() };
    let code = code.get().to_be_bytes();
    let mut reason_bytes = reason.len().min(CONTROL_PAYLOAD_BYTES_MAX - code.len());
    while !reason.is_char_boundary(reason_bytes) {
        reason_bytes -= 1;
    }
    [&code, &reason.as_bytes()[..reason_bytes]].concat()
}

fn control_frame(opcode: Opcode, payload: &[u8]) -> Bytes {
    let mut frame = Vec::new();
    encode_into(&mut frame, opcode, payload);
    Bytes::from(frame)
}
