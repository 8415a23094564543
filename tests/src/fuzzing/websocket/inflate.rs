//! Compressed messages of whatever bytes, to a reader of our own that is given each as a whole.

use bytes::Bytes;
use sansocket_core::codec::websocket::deflate::Deflater;
use sansocket_core::codec::websocket::{
    Decoder, DecoderConfig, Error, FrameHeader, Message, Opcode, Role, encode_frame_into,
};

use super::deflate::{agreed, decode};
use super::{sizes, take, take_byte};
use crate::deflate::{Fault, read_message};

/// The lower one of the limits.
const MESSAGE_BYTES_MIN: usize = 200;

/// The settings say the role, the largest message, and whether contexts are kept.
pub(super) fn run(settings: u8, mut bytes: &[u8]) {
    let role = if settings & 2 == 0 { Role::Server } else { Role::Client };
    let keeps_context = settings & 16 != 0;
    let message_bytes_max = if settings & 32 == 0 { 100_000 } else { MESSAGE_BYTES_MIN };
    let config = DecoderConfig { message_bytes_max, message_fragments_max: 4 };
    let sizes = sizes(take(&mut bytes, 4));
    let (wire, sent) = described(role, bytes);
    let mut reader = Reader { keeps_context, message_bytes_max, output: Vec::new() };
    let mut expected = (Vec::new(), None);
    for message in &sent {
        match reader.read(message) {
            Ok(message) => expected.0.push(message),
            Err(error) => {
                expected.1 = Some(error);
                break;
            }
        }
    }
    let seen = |sizes: &[usize]| {
        let decoder = Decoder::new(role, config).with_deflate(agreed(keeps_context));
        let (mut messages, error) = decode(decoder, config, &wire, sizes);
        messages.retain(|message| *message != Message::Ping(Bytes::new()));
        (messages, error)
    };
    assert_eq!(seen(&[]), expected, "as a whole");
    assert_eq!(seen(&vec![1; wire.len()]), expected, "byte by byte");
    assert_eq!(seen(&sizes), expected, "in pieces");
}

struct Sent {
    is_compressed: bool,
    is_text: bool,
    data: Vec<u8>,
}

/// Messages, each told by a byte for how it is sent, one for its length, and its payload as it is sent
/// or, with a fault perhaps, before it is compressed; in their frames.
fn described(role: Role, mut description: &[u8]) -> (Vec<u8>, Vec<Sent>) {
    let mut deflater = Deflater::new(6);
    let (mut wire, mut messages) = (Vec::new(), Vec::new());
    while !description.is_empty() {
        let how = take_byte(&mut description);
        let length = take_byte(&mut description);
        let mut data = take(&mut description, usize::from(length)).to_vec();
        if how & 2 != 0 {
            // Without a context: with one, what is compressed could refer to what was not sent.
            let compressed = deflater.compress_alone(&data.repeat(1 + usize::from(how >> 5)));
            data = compressed.map_or(data, <[u8]>::to_vec);
            let place = usize::from(take_byte(&mut description));
            if let Some(byte) = data.get_mut(place) {
                *byte ^= take_byte(&mut description);
            }
        }
        // What is too large before it is inflated would be refused where its last frame begins.
        data.truncate(MESSAGE_BYTES_MIN);
        let message = Sent { is_compressed: how & 1 == 0, is_text: how & 4 != 0, data };
        let opcode = if message.is_text { Opcode::Text } else { Opcode::Binary };
        let mask_key = (role == Role::Server).then_some([how, length, 0x5a, 0]);
        let header =
            FrameHeader { rsv1: message.is_compressed, mask_key, ..FrameHeader::new(opcode, 0) };
        let data = &message.data;
        if how & 8 == 0 {
            encode_frame_into(&mut wire, header, data);
        } else {
            let (first, second) = data.split_at(data.len() / (1 + usize::from(how >> 6)));
            encode_frame_into(&mut wire, FrameHeader { fin: false, ..header }, first);
            if how & 16 != 0 {
                let ping = FrameHeader { mask_key, ..FrameHeader::new(Opcode::Ping, 0) };
                encode_frame_into(&mut wire, FrameHeader { fin: true, ..ping }, b"");
            }
            let header = FrameHeader { rsv1: false, opcode: Opcode::Continuation, ..header };
            encode_frame_into(&mut wire, header, second);
        }
        messages.push(message);
    }
    (wire, messages)
}

/// What a receiver makes of messages, one after the other.
struct Reader {
    keeps_context: bool,
    message_bytes_max: usize,
    /// All that was compressed.
    output: Vec<u8>,
}

impl Reader {
    fn read(&mut self, message: &Sent) -> Result<Message, Error> {
        let Sent { is_compressed, is_text, data } = message;
        let (payload, fault) = match is_compressed {
            true => self.inflate(data),
            false => (data.clone(), None),
        };
        if !is_text {
            return fault.map_or(Ok(Message::Binary(Bytes::from(payload))), Err);
        }
        // Of several faults the first in the text counts, and its end may be cut off by another one.
        match (str::from_utf8(&payload), fault) {
            (Err(error), Some(fault)) if error.error_len().is_none() => Err(fault),
            (Err(_), _) => Err(Error::InvalidUtf8),
            (Ok(_), Some(fault)) => Err(fault),
            (Ok(_), None) => Ok(Message::Text(Bytes::from(payload))),
        }
    }

    /// What came out, and the fault that ended it.
    fn inflate(&mut self, data: &[u8]) -> (Vec<u8>, Option<Error>) {
        if !self.keeps_context {
            self.output.clear();
        }
        let start = self.output.len();
        let error = match read_message(data, &mut self.output, self.message_bytes_max) {
            Ok(()) => None,
            Err(Fault::TooLong) => Some(Error::TooLarge),
            Err(Fault::Short | Fault::Invalid) => Some(Error::Deflate),
        };
        (self.output[start..].to_vec(), error)
    }
}
