//! Properties that hold for any input.

use proptest::{collection::vec, prelude::*, sample::Index};

use super::*;

fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "[a-d]{0,300}".prop_map(String::into_bytes),
        vec("(tick|price|é😀|,)", 0..200).prop_map(|words| words.concat().into_bytes()),
        vec(any::<u8>(), 0..300),
        (0..60_000_usize, any::<u8>()).prop_map(|(length, byte)| std::vec![byte; length]),
        vec(any::<u8>(), 2_000..20_000),
    ]
}

#[derive(Clone, Copy, Debug)]
enum How {
    Plain,
    Alone,
    Next,
}

fn how() -> impl Strategy<Value = How> {
    prop_oneof![1 => Just(How::Plain), 1 => Just(How::Alone), 3 => Just(How::Next)]
}

/// Cuts a message into fragments.
fn fragments(first: u8, payload: &[u8], cuts: &[Index]) -> Vec<Frame> {
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(payload.len() + 1)).collect();
    cuts.sort_unstable();
    cuts.push(payload.len());
    let (mut frames, mut start) = (Vec::new(), 0);
    for (index, cut) in cuts.iter().enumerate() {
        let fin = if index + 1 == cuts.len() { 0x80 } else { 0x00 };
        let first = if index == 0 { first } else { 0x00 };
        frames.push(frame(fin | first, &payload[start..*cut]));
        start = *cut;
    }
    frames
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn round_trip(
        messages in vec((payload(), how(), vec(any::<Index>(), 0..4)), 1..8),
        level in 1..=9_u8,
        role in prop_oneof![Just(Role::Server), Just(Role::Client)],
        context: bool,
        sizes in vec(1..2_000_usize, 0..50),
    ) {
        let (mut own, mut lent) = (Deflater::new(level), Deflater::new(level));
        let (mut frames, mut expected) = (Vec::new(), Vec::new());
        for (payload, how, cuts) in &messages {
            let is_text = core::str::from_utf8(payload).is_ok();
            let opcode = if is_text { 0x01 } else { 0x02 };
            let compressed = match how {
                How::Plain => None,
                How::Next if context => own.compress_next(payload),
                How::Alone | How::Next => {
                    let compressed = lent.compress_alone(payload);
                    if compressed.is_some() {
                        own.forget();
                    }
                    compressed
                }
            };
            match compressed {
                Some(compressed) => {
                    prop_assert!(compressed.len() < payload.len() + 16);
                    frames.extend(fragments(0x40 | opcode, compressed, cuts));
                }
                None => frames.extend(fragments(opcode, payload, cuts)),
            }
            expected.push(match is_text {
                true => Message::Text(Bytes::copy_from_slice(payload)),
                false => Message::Binary(Bytes::copy_from_slice(payload)),
            });
        }
        let bytes = wire(&frames, role);
        let most = CONFIG.message_bytes_max + 1 + SLACK_BYTES;
        let decoded = feed(decoder(role, context, CONFIG), most, &bytes, sizes);
        prop_assert!(decoded == (expected, None));
    }

    /// Damaged data, and any bytes at all: the same comes of it however it is divided, and no more is
    /// held than the limit allows.
    #[test]
    fn any_division_gives_the_same(
        messages in vec((payload(), vec(any::<Index>(), 0..3), any::<bool>()), 1..5),
        damage in vec((any::<Index>(), any::<u8>()), 0..4),
        arbitrary in vec(any::<u8>(), 0..60),
        context: bool,
        sizes in vec(1..300_usize, 0..200),
    ) {
        let small = DecoderConfig { message_bytes_max: 1_000, message_fragments_max: 3 };
        let mut deflater = Deflater::new(6);
        let mut frames = Vec::new();
        for (payload, cuts, is_text) in &messages {
            let mut compressed = match deflater.compress_next(payload) {
                Some(compressed) => compressed.to_vec(),
                None => arbitrary.clone(),
            };
            compressed.truncate(1_000);
            for (index, byte) in &damage {
                if !compressed.is_empty() {
                    *index.get_mut(&mut compressed) = *byte;
                }
            }
            let first = if *is_text { 0x41 } else { 0x42 };
            frames.extend(fragments(first, &compressed, cuts));
            frames.push(frame(0x89, "?"));
        }
        let bytes = wire(&frames, Role::Server);
        let most = small.message_bytes_max + 1 + SLACK_BYTES;
        let decode = |sizes: Vec<usize>| {
            feed(decoder(Role::Server, context, small), most, &bytes, sizes)
        };
        let whole = decode(Vec::new());
        prop_assert_eq!(&decode(std::vec![1; bytes.len()]), &whole);
        prop_assert_eq!(&decode(sizes), &whole);
    }

    #[test]
    fn no_header_is_too_much(
        lines in vec("(permessage-deflate|[;=,\" ]|server_max_window_bits|client_no_context_takeover|1[0-9]|\\\\|x){0,12}", 0..3),
    ) {
        let headers = || lines.iter().map(|line| ("Sec-WebSocket-Extensions", line.as_bytes()));
        let settings = PerMessageDeflate::default();
        if let Some(accepted) = settings.accept(headers()) {
            let answer = accepted.answer();
            let answer = [("sec-websocket-extensions", answer.as_bytes())];
            prop_assert_eq!(settings.check_answer(answer), Ok(Some(accepted.agreed())));
        }
        let _ = settings.check_answer(headers());
    }
}
