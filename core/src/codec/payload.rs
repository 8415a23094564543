//! Payloads: the packets of one HTTP body. Those of Engine.IO 4 have 0x1E between them; for those of
//! Engine.IO 3 see [`v3`].

#[cfg(test)]
mod tests;
pub mod v3;

use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;
use memchr::memchr;

use crate::codec::base64;
use crate::codec::engine::{self, Inbound};
use crate::codec::message::{Frame, Message};
use crate::{EngineError, Limits, Revision, SharedParser};

const SEPARATOR: u8 = 0x1E;

/// How packets share an HTTP body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PayloadFormat {
    /// Engine.IO 4: text, in which binary data is base64.
    #[default]
    V4,
    /// Engine.IO 3, with bodies that are binary if a packet is.
    V3,
    /// Engine.IO 3, for a client that takes text only.
    V3Base64,
}

impl PayloadFormat {
    /// Whether clients may send binary bodies (`application/octet-stream`).
    pub fn takes_binary(self) -> bool {
        self != Self::V4
    }

    /// Whether the body that holds these messages is a binary one.
    pub fn is_binary<'a, I: IntoIterator<Item = &'a Message>>(self, messages: I) -> bool {
        self == Self::V3 && messages.into_iter().flat_map(Message::frames).any(Frame::is_binary)
    }

    /// Encodes messages as the body of the response to a GET request.
    pub fn encode<'a, I>(self, messages: I) -> Bytes
    where
        I: IntoIterator<Item = &'a Message>,
        I::IntoIter: Clone,
    {
        let messages = messages.into_iter();
        match self {
            Self::V4 => encode(messages),
            Self::V3 | Self::V3Base64 if self.is_binary(messages.clone()) => {
                Bytes::from(v3::encode_binary(messages.flat_map(Message::frames)))
            }
            Self::V3 | Self::V3Base64 => {
                Bytes::from(v3::encode_text(messages.flat_map(Message::frames)))
            }
        }
    }
}

/// Bytes of a body that any packet of it may share.
const SHARED_BYTES_MAX: usize = 64 << 10;

/// Decodes the body of a POST request, packet by packet.
///
/// What is not UTF-8 is replaced by U+FFFD, as the reference does. The body's size is the caller's
/// to limit.
pub fn decode(body: Bytes, limits: &Limits) -> Payload<'_> {
    let body = utf8(body);
    Payload { body_bytes: body.len(), rest: Some(body), packets: 0, limits, parser: None }
}

/// `text`, with U+FFFD for what is not UTF-8.
fn utf8(text: Bytes) -> Bytes {
    match core::str::from_utf8(&text) {
        Ok(_) => text,
        Err(_) => Bytes::from(String::from_utf8_lossy(&text).into_owned()),
    }
}

/// The packets of a payload, in order. Ends after the first that is malformed; the ones before it
/// count.
#[derive(Clone, Debug)]
pub struct Payload<'a> {
    /// What follows the last separator; `None` after the end or an error.
    rest: Option<Bytes>,
    body_bytes: usize,
    packets: usize,
    limits: &'a Limits,
    parser: Option<&'a SharedParser>,
}

impl<'a> Payload<'a> {
    /// The same, where messages are packets of `parser`.
    pub fn by(self, parser: Option<&'a SharedParser>) -> Self {
        Self { parser, ..self }
    }

    /// Apart from the rest, which is to stay as short as it is without a parser.
    #[cold]
    #[inline(never)]
    fn next_by(&mut self, parser: &SharedParser, packet: Bytes) -> Result<Inbound, EngineError> {
        let packet = parser.decode_text(Revision::V4, packet, self.limits);
        if packet.is_err() {
            self.rest = None;
        }
        packet
    }
}

impl Iterator for Payload<'_> {
    type Item = Result<Inbound, EngineError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut rest = self.rest.take()?;
        if self.packets >= self.limits.payload_packets {
            return Some(Err(EngineError::TooManyPackets { limit: self.limits.payload_packets }));
        }
        self.packets += 1;
        let packet = match memchr(SEPARATOR, &rest) {
            None => rest,
            Some(end) => {
                let packet = rest.split_to(end);
                self.rest = Some(rest.slice(1..));
                packet
            }
        };
        let packet = detach(packet, b'4', self.body_bytes);
        if let Some(parser) = self.parser {
            return Some(self.next_by(parser, packet));
        }
        let packet = engine::decode_text(packet, self.limits);
        if packet.is_err() {
            self.rest = None;
        }
        Some(packet)
    }
}

/// A message shares the memory of its packet for as long as somebody keeps it, while limits count
/// its own bytes. Behind this, all that it keeps is at most [`SHARED_BYTES_MAX`] or four times that.
/// Each byte is copied once at most. `message` is what messages begin with.
fn detach(packet: Bytes, message: u8, body_bytes: usize) -> Bytes {
    let is_small = body_bytes > SHARED_BYTES_MAX && packet.len() < body_bytes / 4;
    if is_small && packet.first() == Some(&message) {
        return Bytes::copy_from_slice(&packet);
    }
    packet
}

impl core::iter::FusedIterator for Payload<'_> {}

/// Encodes messages as a body of Engine.IO 4. Binary data becomes base64.
///
/// A body of one text packet shares the message's memory; any other is one allocation of its exact
/// size.
pub fn encode<'a, I>(messages: I) -> Bytes
where
    I: IntoIterator<Item = &'a Message>,
    I::IntoIter: Clone,
{
    let frames = messages.into_iter().flat_map(Message::frames);
    let mut first_two = frames.clone();
    if let (Some(only), None) = (first_two.next(), first_two.next())
        && !only.is_binary()
    {
        return only.packet_bytes();
    }
    let len = frames.clone().map(|frame| encoded_len(frame) + 1).sum::<usize>().saturating_sub(1);
    let mut body = Vec::with_capacity(len);
    for frame in frames {
        if !body.is_empty() {
            body.push(SEPARATOR);
        }
        if frame.is_binary() {
            body.push(b'b');
            base64::encode_into(frame.packet(), &mut body);
        } else {
            body.extend_from_slice(frame.packet());
        }
    }
    Bytes::from(body)
}

/// The bytes that `frame` takes in a payload, without a separator.
pub fn encoded_len(frame: &Frame) -> usize {
    let len = frame.packet().len();
    if frame.is_binary() { 1 + base64::encoded_len(len) } else { len }
}
