//! Compressed messages, and how compression is agreed on.

use sansocket_core::codec::websocket::deflate::{Agreed, Deflater, PerMessageDeflate};
use sansocket_core::codec::websocket::{
    Decoder, DecoderConfig, Error, FrameHeader, Message, Opcode, Role, encode_frame_into,
};

use super::{check_message, inflate, sizes, take, take_byte};

/// What a decoder may hold beside the largest message: the inflater, what later messages may refer
/// to, and the rest.
const OVERHEAD_BYTES_MAX: usize = (48 << 10) + (16 << 10);

const NAME: &str = "sec-websocket-extensions";

/// The settings say the role, whether it is frames or a description of them, and whether contexts
/// are kept.
pub(super) fn run(settings: u8, mut bytes: &[u8]) {
    if settings & 128 != 0 {
        return inflate::run(settings, bytes);
    }
    let role = if settings & 2 == 0 { Role::Server } else { Role::Client };
    let agreed = agreed(settings & 16 != 0);
    let sizes = sizes(take(&mut bytes, 4));
    let message_bytes_max = if settings & 32 == 0 { 1_000_000 } else { 200 };
    let config = DecoderConfig { message_bytes_max, message_fragments_max: 4 };
    let decoder = || Decoder::new(role, config).with_deflate(agreed);
    if settings & 64 != 0 {
        return header(bytes);
    }
    let wire = if settings & 4 == 0 {
        bytes.to_vec()
    } else {
        let (wire, sent) = described(role, agreed, bytes);
        if message_bytes_max == 1_000_000 {
            assert_eq!(decode(decoder(), config, &wire, &sizes), (sent, None), "what was sent");
        }
        wire
    };
    let whole = decode(decoder(), config, &wire, &[]);
    let bytewise = decode(decoder(), config, &wire, &vec![1; wire.len()]);
    assert_eq!(bytewise, whole, "byte by byte, and as a whole");
    assert_eq!(decode(decoder(), config, &wire, &sizes), whole, "in pieces, and as a whole");
    whole.0.iter().for_each(|message| check_message(config, message));
}

pub(super) fn agreed(context: bool) -> Agreed {
    let settings = PerMessageDeflate::default()
        .server_context_takeover(context)
        .client_context_takeover(context);
    let accepted = settings.accept([(NAME, &b"permessage-deflate"[..])]);
    accepted.expect("the simplest offer").agreed()
}

/// Whatever stands in the header, what is accepted is understood by the one that offered it.
fn header(bytes: &[u8]) {
    let settings = PerMessageDeflate::default();
    let lines = || bytes.split(|byte| *byte == b'\n').map(|line| (NAME, line));
    if let Some(accepted) = settings.accept(lines()) {
        let answer = accepted.answer();
        let seen = settings.check_answer([(NAME, answer.as_bytes())]);
        assert_eq!(seen, Ok(Some(accepted.agreed())), "{answer}");
    }
    if let Ok(Some(agreed)) = settings.check_answer(lines()) {
        assert!(!agreed.keeps_context(Role::Client), "it was not offered");
    }
}

/// Messages, each told by a byte for how it is sent, one for its length, and its payload, which is
/// repeated; in their frames.
fn described(role: Role, agreed: Agreed, mut description: &[u8]) -> (Vec<u8>, Vec<Message>) {
    let (mut own, mut lent) = (Deflater::new(6), Deflater::new(1));
    let sender = if role == Role::Server { Role::Client } else { Role::Server };
    let (mut wire, mut sent) = (Vec::new(), Vec::new());
    while !description.is_empty() {
        let how = take_byte(&mut description);
        let length = take_byte(&mut description);
        let unit = take(&mut description, usize::from(length & 31));
        let payload = unit.repeat(1 + usize::from(length >> 5) * 8);
        let compressed = match how & 3 {
            0 => None,
            1 if agreed.keeps_context(sender) => own.compress_next(&payload),
            _ => {
                own.forget();
                lent.compress_alone(&payload)
            }
        };
        let is_text = std::str::from_utf8(&payload).is_ok();
        let opcode = if is_text { Opcode::Text } else { Opcode::Binary };
        let mask_key = (role == Role::Server).then_some([how, length, 0x5a, 0]);
        let rsv1 = compressed.is_some();
        let data = compressed.unwrap_or(&payload);
        let (first, second) = data.split_at(data.len() * usize::from(how >> 4) / 16);
        let header = FrameHeader { rsv1, mask_key, ..FrameHeader::new(opcode, 0) };
        if how & 4 == 0 {
            encode_frame_into(&mut wire, header, data);
        } else {
            encode_frame_into(&mut wire, FrameHeader { fin: false, ..header }, first);
            let header = FrameHeader { rsv1: false, opcode: Opcode::Continuation, ..header };
            encode_frame_into(&mut wire, header, second);
        }
        sent.push(match is_text {
            true => Message::Text(payload.into()),
            false => Message::Binary(payload.into()),
        });
    }
    (wire, sent)
}

pub(super) fn decode(
    mut decoder: Decoder,
    config: DecoderConfig,
    wire: &[u8],
    sizes: &[usize],
) -> (Vec<Message>, Option<Error>) {
    let mut wire = wire.to_vec();
    let mut rest = &mut wire[..];
    let mut sizes = sizes.iter().copied();
    let mut messages = Vec::new();
    while !rest.is_empty() {
        let size = sizes.next().unwrap_or(usize::MAX).min(rest.len());
        let (mut piece, behind) = rest.split_at_mut(size);
        rest = behind;
        loop {
            match decoder.decode(&mut piece) {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(decoder.buffered_bytes(), 0);
                    return (messages, Some(error));
                }
            }
        }
        let buffered = decoder.buffered_bytes();
        assert!(buffered <= config.message_bytes_max + OVERHEAD_BYTES_MAX, "{buffered}");
    }
    (messages, None)
}
