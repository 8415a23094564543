//! Engine.IO 3 payloads: packets behind their lengths.
//!
//! In a text, `<length>:<packet>`, with the length in UTF-16 code units, because that is what
//! JavaScript counts. In a binary body, a byte that is 0 for text and 1 for binary data, the digits
//! of the length in bytes as bytes of their values, 0xFF, and the packet, whose type counts.

#[cfg(test)]
mod tests;

use alloc::vec::Vec;

use bytes::{Buf, Bytes};
use memchr::memchr;

use super::{detach, encoded_len, utf8};
use crate::codec::base64;
use crate::codec::engine::Inbound;
use crate::codec::engine::v3::BINARY_MESSAGE;
use crate::codec::message::{Frame, write_decimal};
use crate::{EngineError, Limits, Revision, SharedParser};

const LENGTH_END: u8 = 0xFF;

/// The two forms of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// Text. What is not UTF-8 counts as U+FFFD.
    Text,
    /// `application/octet-stream`.
    Binary,
}

/// Decodes the body of a POST request, packet by packet. The body's size is the caller's to limit.
pub fn decode(body: Bytes, form: Body, limits: &Limits) -> Payload<'_> {
    let body = match form {
        Body::Text => utf8(body),
        Body::Binary => body,
    };
    let body_bytes = body.len();
    // An empty text is a packet that lacks its length, an empty binary body has no packet.
    let rest = (form == Body::Text || !body.is_empty()).then_some(body);
    Payload { rest, form, body_bytes, packets: 0, limits, parser: None }
}

/// The packets of a payload, in order. Ends after the first that is malformed; the ones before it
/// count.
#[derive(Clone, Debug)]
pub struct Payload<'a> {
    /// What follows; `None` after the end or an error.
    rest: Option<Bytes>,
    form: Body,
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
}

impl Iterator for Payload<'_> {
    type Item = Result<Inbound, EngineError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut rest = self.rest.take()?;
            let limit = self.limits.payload_packets;
            if self.packets >= limit {
                return Some(Err(EngineError::TooManyPackets { limit }));
            }
            self.packets += 1;
            let packet = match self.form {
                Body::Text => next_of_text(&mut rest),
                Body::Binary => next_of_binary(&mut rest),
            };
            let packet = packet.and_then(|part| match part {
                Part::Nothing => Ok(None),
                Part::Text(text) => {
                    let text = detach(text, b'4', self.body_bytes);
                    Revision::V3.decode_text_by(self.parser, text, self.limits).map(Some)
                }
                Part::Binary(data) => {
                    let data = detach(data, BINARY_MESSAGE, self.body_bytes);
                    Revision::V3.decode_binary_by(self.parser, data, self.limits).map(Some)
                }
            });
            if packet.is_ok() && !rest.is_empty() {
                self.rest = Some(rest);
            }
            if let Some(packet) = packet.transpose() {
                return Some(packet);
            }
        }
    }
}

impl core::iter::FusedIterator for Payload<'_> {}

enum Part {
    /// `0:`, which is how a text without packets is written.
    Nothing,
    Text(Bytes),
    Binary(Bytes),
}

fn next_of_text(rest: &mut Bytes) -> Result<Part, EngineError> {
    let colon = memchr(b':', rest).ok_or(EngineError::IllegalLength)?;
    let digits = rest.iter().take(colon).map(|byte| byte.wrapping_sub(b'0'));
    let units = length(digits).ok_or(EngineError::IllegalLength)?;
    rest.advance(colon + 1);
    let end = end_of_units(rest, units).ok_or(EngineError::IllegalLength)?;
    let packet = rest.split_to(end);
    Ok(if packet.is_empty() { Part::Nothing } else { Part::Text(packet) })
}

fn next_of_binary(rest: &mut Bytes) -> Result<Part, EngineError> {
    let kind = rest.first().copied();
    let digits = rest.iter().skip(1).take_while(|byte| **byte != LENGTH_END);
    let count = digits.clone().count();
    let bytes = length(digits.copied()).ok_or(EngineError::IllegalLength)?;
    let start = 1 + count + 1;
    if rest.len().checked_sub(start).is_none_or(|left| left < bytes) {
        return Err(EngineError::IllegalLength);
    }
    rest.advance(start);
    let packet = rest.split_to(bytes);
    match kind {
        Some(0) => Ok(Part::Text(utf8(packet))),
        Some(1) => Ok(Part::Binary(packet)),
        Some(byte) => Err(EngineError::UnknownType { byte }),
        None => Err(EngineError::Empty),
    }
}

/// The number of which these are the digits, or the largest that is represented.
fn length(digits: impl Iterator<Item = u8>) -> Option<usize> {
    let mut length = None;
    for digit in digits {
        if digit > 9 {
            return None;
        }
        let so_far: usize = length.unwrap_or(0);
        length = Some(so_far.saturating_mul(10).saturating_add(usize::from(digit)));
    }
    length
}

/// How many bytes of a text the first UTF-16 code units of it are. `None` if there are fewer, or
/// the last of them is half a character.
fn end_of_units(text: &[u8], units: usize) -> Option<usize> {
    let (mut left, mut end) = (units, 0);
    while left > 0 {
        let (bytes, units) = match *text.get(end)? {
            0x00..=0x7F => (1, 1),
            0x80..=0xDF => (2, 1),
            0xE0..=0xEF => (3, 1),
            0xF0..=0xFF => (4, 2),
        };
        left = left.checked_sub(units)?;
        end += bytes;
    }
    Some(end)
}

/// The UTF-16 code units of a text: one for each character, and another for each that takes four
/// bytes.
fn units_of(text: &[u8]) -> usize {
    let units = |byte: &u8| usize::from(byte & 0xC0 != 0x80) + usize::from(*byte >= 0xF0);
    text.iter().map(units).sum()
}

/// Encodes messages as text. Binary data becomes base64.
pub(super) fn encode_text<'a, I>(frames: I) -> Vec<u8>
where
    I: Iterator<Item = &'a Frame> + Clone,
{
    let len = frames.clone().map(|frame| encoded_len(frame) + LENGTH_ROOM).sum();
    let mut body = Vec::with_capacity(len);
    for frame in frames {
        let packet = frame.packet();
        if frame.is_binary() {
            write_decimal(&mut body, 2 + base64::encoded_len(packet.len()));
            body.extend_from_slice(b":b4");
            base64::encode_into(packet, &mut body);
        } else {
            write_decimal(&mut body, units_of(packet));
            body.push(b':');
            body.extend_from_slice(packet);
        }
    }
    body
}

/// Encodes messages as a binary body.
pub(super) fn encode_binary<'a, I>(frames: I) -> Vec<u8>
where
    I: Iterator<Item = &'a Frame> + Clone,
{
    let len = frames.clone().map(|frame| frame.packet().len() + LENGTH_ROOM).sum();
    let mut body = Vec::with_capacity(len);
    let mut digits = Vec::with_capacity(LENGTH_ROOM);
    for frame in frames {
        let packet = frame.packet();
        let (kind, type_byte) =
            if frame.is_binary() { (1, &[BINARY_MESSAGE][..]) } else { (0, &[][..]) };
        digits.clear();
        write_decimal(&mut digits, type_byte.len() + packet.len());
        body.push(kind);
        body.extend(digits.iter().map(|digit| digit.wrapping_sub(b'0')));
        body.push(LENGTH_END);
        body.extend_from_slice(type_byte);
        body.extend_from_slice(packet);
    }
    body
}

/// Room for a length and what is around it, as most are.
const LENGTH_ROOM: usize = 10;
