//! Frames that are mostly well-formed, for our WebSocket decoder and tungstenite's.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use sansocket_core::codec::websocket::{Opcode, Role};
use sansocket_tests::client::{fragment, frame};
use sansocket_tests::fuzzing::websocket::tungstenite;

/// Bytes of one frame: mostly well-formed, and mostly where it may come.
fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let data = prop_oneof![
        4 => "[a-zé€😀]{0,20}".prop_map(String::into_bytes),
        2 => vec(any::<u8>(), 0..130),
        1 => vec(any::<u8>(), 250..310),
    ];
    let kinds = vec![Opcode::Text, Opcode::Binary];
    let parts = vec![Opcode::Text, Opcode::Binary, Opcode::Continuation];
    let controls = vec![Opcode::Ping, Opcode::Pong];
    prop_oneof![
        6 => (select(kinds), data.clone()).prop_map(|(kind, data)| frame(kind, &data)),
        4 => (select(parts), any::<bool>(), data)
            .prop_map(|(kind, fin, data)| fragment(kind, fin, &data)),
        3 => (select(controls), vec(any::<u8>(), 0..=126))
            .prop_map(|(kind, data)| frame(kind, &data)),
        1 => (select(vec![999_u16, 1000, 1001, 1003, 1005, 1006, 1011, 3000, 4999]), "[a-zé]{0,20}")
            .prop_map(|(code, reason)| {
                frame(Opcode::Close, &[&code.to_be_bytes()[..], reason.as_bytes()].concat())
            }),
        1 => vec(any::<u8>(), 0..2).prop_map(|data| frame(Opcode::Close, &data)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 4_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn both_say_the_same(
        frames in vec(any_frame(), 1..10),
        damage in proptest::option::weighted(0.3, (any::<Index>(), any::<u8>())),
        our_sizes in vec(1..60_usize, 0..40),
        their_sizes in vec(1..60_usize, 0..40),
    ) {
        let mut bytes = frames.concat();
        if let Some((index, byte)) = damage {
            *index.get_mut(&mut bytes) = byte;
        }
        tungstenite::compare(Role::Server, &bytes, &our_sizes, &their_sizes);
    }
}
