//! WebSocket frames, as a server receives and sends them.

use std::hint::black_box;

use sansocket_core::Limits;
use sansocket_core::codec::websocket::deflate::{Deflater, PerMessageDeflate};
use sansocket_core::codec::websocket::{
    Decoder, DecoderConfig, FrameHeader, Opcode, Role, encode_frame_into, encode_into,
    encode_masked_into,
};

use crate::cases::{Case, SMALL, object_1k};

const ITERATIONS: u64 = 1_000;

pub(crate) fn cases() -> Vec<Case> {
    let large = object_1k().to_string();
    let mut cases = Vec::new();
    for (name, payload) in [("small", SMALL), ("1 KiB", &large)] {
        let [received, sent] = [payload.to_owned(), payload.to_owned()];
        cases.push(Case::new(format!("decode WebSocket frame, {name}"), ITERATIONS, move || {
            decoding(&received)
        }));
        cases.push(Case::new(format!("encode WebSocket frame, {name}"), ITERATIONS, move || {
            encoding(sent)
        }));
    }
    let [received, sent] = [large.clone(), large];
    cases.push(Case::new("inflate WebSocket frame, 1 KiB".to_owned(), ITERATIONS, move || {
        inflating(&received)
    }));
    cases.push(Case::new("deflate message, 1 KiB".to_owned(), ITERATIONS, move || deflating(sent)));
    cases
}

fn decoding(payload: &str) -> impl FnMut() + use<> {
    let mut frame = Vec::new();
    encode_masked_into(&mut frame, Opcode::Text, payload.as_bytes(), [0x11, 0x22, 0x33, 0x44]);
    again(Decoder::new(Role::Server, DecoderConfig::from(&Limits::default())), frame)
}

fn inflating(payload: &str) -> impl FnMut() + use<> {
    let settings = PerMessageDeflate::default();
    let offer = [("Sec-WebSocket-Extensions", &b"permessage-deflate"[..])];
    let agreed = settings.accept(offer).expect("it can be accepted").agreed();
    let mut deflater = Deflater::new(settings.compression_level());
    let compressed = deflater.compress_alone(payload.as_bytes()).expect("it becomes shorter");
    let mut frame = Vec::new();
    let mask_key = Some([0x11, 0x22, 0x33, 0x44]);
    let header = FrameHeader { rsv1: true, mask_key, ..FrameHeader::new(Opcode::Text, 0) };
    encode_frame_into(&mut frame, header, compressed);
    let decoder = Decoder::new(Role::Server, DecoderConfig::from(&Limits::default()));
    again(decoder.with_deflate(agreed), frame)
}

/// Decodes a frame again and again.
fn again(mut decoder: Decoder, frame: Vec<u8>) -> impl FnMut() {
    let mut received = frame.clone();
    move || {
        // The decoder unmasks in place, so it needs a fresh copy, as from a socket, each time.
        received.copy_from_slice(black_box(&frame));
        let mut input = received.as_mut_slice();
        let message = decoder.decode(&mut input).expect("it is valid");
        assert!(black_box(message).is_some(), "it is complete");
    }
}

fn deflating(payload: String) -> impl FnMut() {
    let mut deflater = Deflater::new(PerMessageDeflate::default().compression_level());
    move || {
        let compressed = deflater.compress_alone(black_box(payload.as_bytes()));
        assert!(black_box(compressed).is_some(), "it becomes shorter");
    }
}

fn encoding(payload: String) -> impl FnMut() {
    let mut out = Vec::with_capacity(2 * payload.len());
    move || {
        out.clear();
        encode_into(&mut out, Opcode::Text, black_box(payload.as_bytes()));
        black_box(&out);
    }
}
