//! Messages that are compressed for all, for one, or not at all.

use super::*;
use crate::codec::websocket::deflate::{Deflater, Outgoing, PerMessageDeflate};
use crate::codec::websocket::{Decoder, DecoderConfig, Message as Received, Role};

const FORMS: [BinaryForm; 4] =
    [BinaryForm::Bare, BinaryForm::Typed, BinaryForm::Base64, BinaryForm::TypedBase64];

fn settings(context: bool) -> PerMessageDeflate {
    PerMessageDeflate::default().threshold(100).server_context_takeover(context)
}

/// An event with a long text, a long attachment, and a short one.
fn message() -> Message {
    let data = Bytes::from(vec![7; 1_000]);
    let args = ("a".repeat(1_000), data, Bytes::from_static(&[1, 2]));
    Message::event(&mut Encoder::new(), "/", "e", &args, None).unwrap()
}

/// What goes over the WebSocket of a client with compression.
struct Connection {
    outgoing: Outgoing,
    decoder: Decoder,
    wire: usize,
}

impl Connection {
    fn new(context: bool) -> Self {
        let settings = settings(context);
        let offer = [("Sec-WebSocket-Extensions", b"permessage-deflate".as_slice())];
        let agreed = settings.accept(offer).unwrap().agreed();
        let config = DecoderConfig { message_bytes_max: 10_000, message_fragments_max: 1 };
        Self {
            outgoing: Outgoing::new(&settings, agreed, Role::Server),
            decoder: Decoder::new(Role::Client, config).with_deflate(agreed),
            wire: 0,
        }
    }

    /// Sends a message; what arrives.
    fn send(&mut self, message: &Message, form: BinaryForm, lent: &mut Deflater) -> Vec<Received> {
        let mut wire = Vec::new();
        message.deflate_into(form, &mut self.outgoing, lent, |piece| wire.extend(piece));
        self.wire = wire.len();
        let mut input = wire.as_mut_slice();
        core::iter::from_fn(|| self.decoder.decode(&mut input).unwrap()).collect()
    }
}

/// What arrives without compression.
fn plain(message: &Message, form: BinaryForm) -> Vec<Received> {
    let config = DecoderConfig { message_bytes_max: 10_000, message_fragments_max: 1 };
    let mut decoder = Decoder::new(Role::Client, config);
    let mut wire = Vec::new();
    for frame in message.frames() {
        frame.websocket_as(form, |piece| wire.extend(piece));
    }
    let mut input = wire.as_mut_slice();
    core::iter::from_fn(|| decoder.decode(&mut input).unwrap()).collect()
}

#[test]
fn every_client_gets_the_same_in_its_own_form() {
    for context in [false, true] {
        for form in FORMS {
            let mut connection = Connection::new(context);
            let mut lent = Deflater::new(6);
            let single = message();
            let shared = message().compressed(&mut lent, 100);
            let unwanted = message().uncompressed();
            for message in [&single, &shared, &unwanted, &single, &single, &shared] {
                let arrived = connection.send(message, form, &mut lent);
                assert_eq!(arrived, plain(message, form));
            }
        }
    }
}

#[test]
fn what_is_large_enough_is_compressed_unless_it_is_not_wanted() {
    let mut connection = Connection::new(false);
    let mut lent = Deflater::new(6);
    let bytes = message().websocket_bytes();
    connection.send(&message(), BinaryForm::Bare, &mut lent);
    let compressed = connection.wire;
    assert!(compressed < bytes / 10, "{compressed}");
    connection.send(&message().compressed(&mut lent, 100), BinaryForm::Bare, &mut lent);
    assert_eq!(connection.wire, compressed);
    connection.send(&message().uncompressed(), BinaryForm::Bare, &mut lent);
    assert_eq!(connection.wire, bytes);
    let small = Message::event(&mut Encoder::new(), "/", "e", "a", None).unwrap();
    connection.send(&small, BinaryForm::Bare, &mut lent);
    assert_eq!(connection.wire, small.websocket_bytes());
}

#[test]
fn a_message_for_many_is_compressed_once() {
    let mut lent = Deflater::new(6);
    let shared = message().compressed(&mut lent, 100);
    // It would not be possible again.
    let mut other = Deflater::new(1);
    let mut frames = Vec::new();
    for _ in 0..2 {
        let mut connection = Connection::new(true);
        shared.deflate_into(BinaryForm::Bare, &mut connection.outgoing, &mut other, |frame| {
            frames.push(frame);
        });
    }
    let [first, _, short, again, ..] = frames.as_slice() else { panic!("{frames:?}") };
    assert_eq!(first.as_ptr(), again.as_ptr());
    assert_eq!(short, shared.frames()[2].websocket());
    // Nothing is added to what is not worth it, nor to what is not to be compressed.
    let small = Message::ping().compressed(&mut lent, 100);
    assert!(matches!(small.0, Frames::Single(_)));
    let unwanted = message().uncompressed().compressed(&mut lent, 100);
    assert!(!unwanted.may_be_compressed());
}

#[test]
fn whoever_cannot_read_it_gets_the_plain_frames() {
    let mut lent = Deflater::new(6);
    let expected: Vec<_> = message().frames().iter().map(Frame::websocket).cloned().collect();
    for message in [message().compressed(&mut lent, 100), message().uncompressed()] {
        assert_eq!(message.websocket_bytes(), expected.iter().map(Bytes::len).sum::<usize>());
        assert_eq!(message.frames().len(), expected.len());
        let mut taken = Vec::new();
        message.into_websocket(|frame| taken.push(frame));
        assert_eq!(taken, expected);
    }
    let again = message().compressed(&mut lent, 100).uncompressed().uncompressed();
    assert!(!again.may_be_compressed());
    assert_eq!(again.frames()[0].websocket(), &expected[0]);
}
