//! WebSocket frames, as a server receives and sends them.

use std::hint::black_box;

use sansocket_core::Limits;
use sansocket_core::codec::websocket::{
    Decoder, DecoderConfig, Opcode, Role, encode_into, encode_masked_into,
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
    cases
}

fn decoding(payload: &str) -> impl FnMut() + use<> {
    let mut frame = Vec::new();
    encode_masked_into(&mut frame, Opcode::Text, payload.as_bytes(), [0x11, 0x22, 0x33, 0x44]);
    let mut decoder = Decoder::new(Role::Server, DecoderConfig::from(&Limits::default()));
    let mut received = frame.clone();
    move || {
        // The decoder unmasks in place, so it needs a fresh copy, as from a socket, each time.
        received.copy_from_slice(black_box(&frame));
        let mut input = received.as_mut_slice();
        let message = decoder.decode(&mut input).expect("it is valid");
        assert!(black_box(message).is_some(), "it is complete");
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
