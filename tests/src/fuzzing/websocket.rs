//! WebSocket frames and the opening handshake.

mod deflate;
mod handshake;
mod inflate;
pub mod tungstenite;

use sansocket_core::codec::websocket::{
    self, CONTROL_PAYLOAD_BYTES_MAX, CloseFrame, Decoder, DecoderConfig, Error, FrameHeader,
    Message, Opcode, Role,
};

use super::{take, take_byte};

/// More than a decoder needs beside the bytes that have arrived.
const OVERHEAD_BYTES_MAX: usize = 512;

/// The first byte says what the rest is: requests and responses of the handshake, frames as they
/// are on the wire, or a description of frames, which makes well-formed ones likely; and whether
/// compression was agreed on.
pub fn run(mut bytes: &[u8]) {
    let settings = take_byte(&mut bytes);
    if settings & 1 == 1 {
        return handshake::run(bytes);
    }
    if settings & 8 == 8 {
        return deflate::run(settings, bytes);
    }
    let role = if settings & 2 == 0 { Role::Server } else { Role::Client };
    let sizes = sizes(take(&mut bytes, 4));
    let wire = if settings & 4 == 0 { bytes.to_vec() } else { described_frames(role, bytes) };
    let config = match settings >> 4 {
        0..8 => DecoderConfig { message_bytes_max: 1_000_000, message_fragments_max: 1_024 },
        limits => DecoderConfig {
            message_bytes_max: usize::from(limits & 3) * 7,
            message_fragments_max: usize::from(limits & 4) + 1,
        },
    };
    decode_in_pieces(role, config, &wire, &sizes);
    tungstenite::compare(role, &wire, &sizes, &sizes);
}

/// The sizes of the pieces in which bytes arrive, over and over again.
fn sizes(choices: &[u8]) -> Vec<usize> {
    let sizes = choices.iter().map(|byte| usize::from(*byte) + 1);
    sizes.cycle().take(if choices.is_empty() { 0 } else { 4_096 }).collect()
}

/// Frames, each told by a byte for its opcode and FIN, one for its length, and the payload.
fn described_frames(role: Role, mut description: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    while !description.is_empty() {
        let first = take_byte(&mut description);
        let length = take_byte(&mut description);
        let payload = take(&mut description, usize::from(length));
        let opcode = match first & 7 {
            0 => Opcode::Continuation,
            1 | 2 => Opcode::Text,
            3 | 4 => Opcode::Binary,
            5 => Opcode::Ping,
            6 => Opcode::Pong,
            _ => Opcode::Close,
        };
        let mask_key = (role == Role::Server).then_some([first, length, 0x5a, 0]);
        let fin = opcode.is_control() || first & 8 == 0;
        let payload_bytes = payload.len() as u64;
        let header = FrameHeader { fin, rsv1: false, opcode, mask_key, payload_bytes };
        wire.extend_from_slice(&header.encode());
        let start = wire.len();
        wire.extend_from_slice(payload);
        websocket::apply_mask(&mut wire[start..], mask_key.unwrap_or_default(), 0);
    }
    wire
}

/// What a decoder makes of `wire` must not depend on how it is cut.
fn decode_in_pieces(role: Role, config: DecoderConfig, wire: &[u8], sizes: &[usize]) {
    let whole = decode(role, config, wire, &[]);
    let bytewise = decode(role, config, wire, &vec![1; wire.len()]);
    assert_eq!(bytewise, whole, "byte by byte, and as a whole");
    assert_eq!(decode(role, config, wire, sizes), whole, "in pieces, and as a whole");
    let (messages, error) = whole;
    for message in &messages {
        check_message(config, message);
    }
    if let Some(error) = error {
        assert!((1002..=1009).contains(&error.close_code().get()), "{error}");
    }
    check_encoder(&messages);
}

fn decode(
    role: Role,
    config: DecoderConfig,
    wire: &[u8],
    sizes: &[usize],
) -> (Vec<Message>, Option<Error>) {
    let mut decoder = Decoder::new(role, config);
    let mut wire = wire.to_vec();
    let mut rest = &mut wire[..];
    let mut sizes = sizes.iter().copied();
    let (mut messages, mut arrived) = (Vec::new(), 0);
    while !rest.is_empty() {
        let size = sizes.next().unwrap_or(usize::MAX).min(rest.len());
        let (mut piece, behind) = rest.split_at_mut(size);
        rest = behind;
        arrived += size;
        loop {
            let is_closed = matches!(messages.last(), Some(Message::Close(_)));
            match decoder.decode(&mut piece) {
                Ok(Some(message)) => {
                    assert!(!is_closed, "{message:?} after the close frame");
                    messages.push(message);
                }
                Ok(None) => break,
                Err(error) => {
                    assert!(!is_closed, "{error} after the close frame");
                    assert_eq!(decoder.decode(&mut &mut [0x81, 0x80][..]), Err(error), "repeated");
                    assert_eq!(decoder.buffered_bytes(), 0);
                    return (messages, Some(error));
                }
            }
        }
        assert!(piece.is_empty(), "what arrived is used up");
        // What was only announced costs nothing, and what has arrived no more than the limit.
        let buffered = decoder.buffered_bytes();
        assert!(buffered <= 2 * arrived + OVERHEAD_BYTES_MAX, "{buffered} of {arrived}");
        let limit = config.message_bytes_max.saturating_add(OVERHEAD_BYTES_MAX);
        assert!(buffered <= limit, "{buffered}");
    }
    (messages, None)
}

fn check_message(config: DecoderConfig, message: &Message) {
    match message {
        Message::Text(text) => {
            assert!(std::str::from_utf8(text).is_ok() && text.len() <= config.message_bytes_max);
        }
        Message::Binary(data) => assert!(data.len() <= config.message_bytes_max),
        Message::Ping(data) | Message::Pong(data) => {
            assert!(data.len() <= CONTROL_PAYLOAD_BYTES_MAX);
        }
        Message::Close(close) => {
            let reason = close.as_ref().map_or("", |close| &close.reason);
            assert!(reason.len() <= CONTROL_PAYLOAD_BYTES_MAX - 2);
        }
    }
}

/// What was decoded can be encoded, by either role, and decodes to the same.
fn check_encoder(messages: &[Message]) {
    let config = DecoderConfig { message_bytes_max: usize::MAX, message_fragments_max: 1 };
    let (mut by_server, mut by_client) = (Vec::new(), Vec::new());
    for (message, index) in messages.iter().zip(0_u8..=255) {
        let (opcode, payload) = parts(message);
        websocket::encode_into(&mut by_server, opcode, &payload);
        let mask_key = [index, 0xff, index.wrapping_mul(7), 1];
        websocket::encode_masked_into(&mut by_client, opcode, &payload, mask_key);
    }
    let expected = (messages[..messages.len().min(256)].to_vec(), None);
    assert_eq!(decode(Role::Client, config, &by_server, &[]), expected);
    assert_eq!(decode(Role::Server, config, &by_client, &[]), expected);
}

fn parts(message: &Message) -> (Opcode, Vec<u8>) {
    match message {
        Message::Text(text) => (Opcode::Text, text.to_vec()),
        Message::Binary(data) => (Opcode::Binary, data.to_vec()),
        Message::Ping(data) => (Opcode::Ping, data.to_vec()),
        Message::Pong(data) => (Opcode::Pong, data.to_vec()),
        Message::Close(None) => (Opcode::Close, websocket::close_payload(None, "")),
        Message::Close(Some(CloseFrame { code, reason })) => {
            (Opcode::Close, websocket::close_payload(Some(*code), reason))
        }
    }
}
