//! What all tests of this module share: frames spelled out, and decoding in pieces.

mod cases;
#[cfg(feature = "deflate")]
mod deflate;
mod handshake;
mod properties;
mod vectors;

use alloc::{string::String, vec::Vec};

use bytes::Bytes;

use super::*;

const CONFIG: DecoderConfig = DecoderConfig { message_bytes_max: 70_000, message_fragments_max: 8 };

/// A frame as a peer may send it, right or wrong: the first byte is given, the length is in its
/// shortest form.
#[derive(Clone, Debug)]
struct Frame {
    first: u8,
    payload: Vec<u8>,
}

fn frame(first: u8, payload: impl AsRef<[u8]>) -> Frame {
    Frame { first, payload: payload.as_ref().to_vec() }
}

impl Frame {
    /// The frame as the end `receiver` expects it. Headers are written here once more, without the
    /// code under test.
    fn write(&self, out: &mut Vec<u8>, receiver: Role) {
        let masked = match receiver {
            Role::Server => 0x80,
            Role::Client => 0x00,
        };
        out.push(self.first);
        match self.payload.len() {
            len @ 0..126 => out.push(masked | len as u8),
            len @ 126..65_536 => {
                out.push(masked | 126);
                out.extend((len as u16).to_be_bytes());
            }
            len => {
                out.push(masked | 127);
                out.extend((len as u64).to_be_bytes());
            }
        }
        match receiver {
            Role::Client => out.extend(&self.payload),
            Role::Server => {
                let key = [0xA1, 0x52, 0x0F, self.first];
                out.extend(key);
                out.extend(
                    self.payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key),
                );
            }
        }
    }
}

fn wire(frames: &[Frame], receiver: Role) -> Vec<u8> {
    let mut out = Vec::new();
    for frame in frames {
        frame.write(&mut out, receiver);
    }
    out
}

/// What came out of a decoder: messages, then perhaps an error.
type Decoded = (Vec<Message>, Option<Error>);

/// Feeds `bytes` in pieces of the sizes that `sizes` gives in turn, and the rest as one.
fn decode_pieces(
    role: Role,
    config: DecoderConfig,
    bytes: &[u8],
    sizes: impl IntoIterator<Item = usize>,
) -> Decoded {
    feed(Decoder::new(role, config), config.message_bytes_max + 512, bytes, sizes)
}

/// As [`decode_pieces`], to a decoder that never holds more than `buffered_bytes_max`.
fn feed(
    mut decoder: Decoder,
    buffered_bytes_max: usize,
    bytes: &[u8],
    sizes: impl IntoIterator<Item = usize>,
) -> Decoded {
    let mut messages = Vec::new();
    let mut copy = bytes.to_vec();
    let mut rest = copy.as_mut_slice();
    let mut sizes = sizes.into_iter();
    while !rest.is_empty() {
        let size = sizes.next().unwrap_or(usize::MAX).clamp(1, rest.len());
        let mut input = rest.split_off_mut(..size).unwrap();
        loop {
            match decoder.decode(&mut input) {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(decoder.buffered_bytes(), 0);
                    assert_eq!(decoder.decode(&mut [0x81].as_mut_slice()), Err(error));
                    return (messages, Some(error));
                }
            }
        }
        assert!(input.is_empty());
        assert!(decoder.buffered_bytes() <= buffered_bytes_max);
    }
    (messages, None)
}

fn text(text: &str) -> Message {
    Message::Text(Bytes::copy_from_slice(text.as_bytes()))
}

fn binary(bytes: impl AsRef<[u8]>) -> Message {
    Message::Binary(Bytes::copy_from_slice(bytes.as_ref()))
}

fn ping(bytes: impl AsRef<[u8]>) -> Message {
    Message::Ping(Bytes::copy_from_slice(bytes.as_ref()))
}

fn pong(bytes: impl AsRef<[u8]>) -> Message {
    Message::Pong(Bytes::copy_from_slice(bytes.as_ref()))
}

fn close(code: u16, reason: &str) -> Message {
    let code = CloseCode::new(code).unwrap();
    Message::Close(Some(CloseFrame { code, reason: String::from(reason) }))
}
