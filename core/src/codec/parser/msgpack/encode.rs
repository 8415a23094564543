//! From JSON and attachments to MessagePack.

mod tokens;

use alloc::vec::Vec;

use bytes::Bytes;
use smallvec::SmallVec;

use self::tokens::{Token, Tokens};
use crate::EncodeError;
use crate::codec::json::{Placeholder, placeholders, unescape};
use crate::codec::parser::PacketParts;

/// Encodes one packet, its fields in the order in which the reference's packets have them.
pub(super) fn packet(packet: &PacketParts<'_>) -> Result<Vec<u8>, EncodeError> {
    let PacketParts { kind, namespace, ack, payload, attachments } = packet;
    let binary_bytes: usize = attachments.iter().map(Bytes::len).sum();
    let mut writer = Writer(Vec::with_capacity(payload.len() + binary_bytes + 32));
    let fields = 2 + usize::from(!payload.is_empty()) + usize::from(ack.is_some());
    writer.container(fields, true)?;
    writer.string(b"type")?;
    writer.unsigned(u64::from(kind.number()));
    if !payload.is_empty() {
        writer.string(b"data")?;
        writer.json(payload.as_bytes(), attachments)?;
    }
    if let Some(id) = ack {
        writer.string(b"id")?;
        writer.unsigned(id.get());
    }
    writer.string(b"nsp")?;
    writer.string(namespace.as_bytes())?;
    Ok(writer.0)
}

struct Writer(Vec<u8>);

impl Writer {
    /// Writes valid JSON. MessagePack tells in front of a container how much is in it, so the text
    /// is passed over twice.
    fn json(&mut self, text: &[u8], attachments: &[Bytes]) -> Result<(), EncodeError> {
        let placeholders = placeholders_of(text, attachments);
        let counts = counts(Tokens::new(text, &placeholders));
        let mut counts = counts.into_iter();
        for token in Tokens::new(text, &placeholders) {
            match token {
                Token::Null => self.0.push(0xc0),
                Token::Bool(value) => self.0.push(if value { 0xc3 } else { 0xc2 }),
                Token::Number(number) => self.number(number),
                Token::Plain(string) => self.string(string)?,
                Token::Escaped(string) => self.string(unescape(string).as_bytes())?,
                Token::Attachment(number) => {
                    let attachment = attachments.get(number as usize);
                    self.binary(attachment.map(Bytes::as_ref).unwrap_or_default())?;
                }
                Token::Open { is_object } => {
                    let count = counts.next().unwrap_or_default();
                    self.container(if is_object { count / 2 } else { count }, is_object)?;
                }
                Token::Close => {}
            }
        }
        Ok(())
    }

    /// Integers as such, as far as they fit.
    fn number(&mut self, number: &str) {
        if let Ok(value) = number.parse() {
            self.unsigned(value);
        } else if let Ok(value) = number.parse() {
            self.signed(value);
        } else {
            // What is beyond a double's range is infinite, for JavaScript too.
            self.0.push(0xcb);
            let value: f64 = number.parse().unwrap_or(f64::NAN);
            self.0.extend_from_slice(&value.to_be_bytes());
        }
    }

    fn unsigned(&mut self, value: u64) {
        let bytes = value.to_be_bytes();
        match value {
            0..=0x7f => self.0.push(value as u8),
            0x80..=0xff => self.tagged(0xcc, &bytes[7..]),
            0x100..=0xffff => self.tagged(0xcd, &bytes[6..]),
            0x1_0000..=0xffff_ffff => self.tagged(0xce, &bytes[4..]),
            0x1_0000_0000.. => self.tagged(0xcf, &bytes),
        }
    }

    fn signed(&mut self, value: i64) {
        if let Ok(value) = u64::try_from(value) {
            return self.unsigned(value);
        }
        let bytes = value.to_be_bytes();
        match value {
            -0x20.. => self.tagged(bytes[7], &[]),
            -0x80.. => self.tagged(0xd0, &bytes[7..]),
            -0x8000.. => self.tagged(0xd1, &bytes[6..]),
            -0x8000_0000.. => self.tagged(0xd2, &bytes[4..]),
            _ => self.tagged(0xd3, &bytes),
        }
    }

    fn string(&mut self, text: &[u8]) -> Result<(), EncodeError> {
        match text.len() {
            len @ 0..=0x1f => self.0.push(0xa0 | len as u8),
            len => self.len([0xd9, 0xda, 0xdb], len)?,
        }
        self.0.extend_from_slice(text);
        Ok(())
    }

    fn binary(&mut self, data: &[u8]) -> Result<(), EncodeError> {
        self.len([0xc4, 0xc5, 0xc6], data.len())?;
        self.0.extend_from_slice(data);
        Ok(())
    }

    fn container(&mut self, len: usize, is_map: bool) -> Result<(), EncodeError> {
        let (short, long) = if is_map { (0x80, [0xde, 0xdf]) } else { (0x90, [0xdc, 0xdd]) };
        let [medium, long] = long;
        match len {
            0..=0x0f => self.0.push(short | len as u8),
            // There is none of one byte.
            0x10..=0xff => self.tagged(medium, &[0, len as u8]),
            len => self.len([medium, medium, long], len)?,
        }
        Ok(())
    }

    /// A length behind the tag for its size: one, two or four bytes.
    fn len(&mut self, tags: [u8; 3], len: usize) -> Result<(), EncodeError> {
        let [byte, short, long] = tags;
        if let Ok(len) = u8::try_from(len) {
            self.tagged(byte, &[len]);
        } else if let Ok(len) = u16::try_from(len) {
            self.tagged(short, &len.to_be_bytes());
        } else {
            let len = u32::try_from(len).map_err(|_| EncodeError::Value {
                message: "longer than MessagePack can tell".into(),
            })?;
            self.tagged(long, &len.to_be_bytes());
        }
        Ok(())
    }

    fn tagged(&mut self, tag: u8, bytes: &[u8]) {
        self.0.push(tag);
        self.0.extend_from_slice(bytes);
    }
}

/// The objects that stand for attachments. One that names none is what it is.
fn placeholders_of(text: &[u8], attachments: &[Bytes]) -> Vec<Placeholder> {
    if attachments.is_empty() {
        return Vec::new();
    }
    let mut found = placeholders(text);
    let is_one =
        |found: &Placeholder| found.number.is_some_and(|n| (n as usize) < attachments.len());
    found.retain(is_one);
    found
}

/// How many values stand directly in each container, in the order in which they are opened; keys
/// are values here.
fn counts(tokens: Tokens<'_>) -> SmallVec<[usize; 8]> {
    let mut counts = SmallVec::<[usize; 8]>::new();
    // The places of those that are open.
    let mut open = SmallVec::<[usize; 8]>::new();
    for token in tokens {
        if token == Token::Close {
            open.pop();
            continue;
        }
        if let Some(count) = open.last().and_then(|index| counts.get_mut(*index)) {
            *count += 1;
        }
        if let Token::Open { .. } = token {
            open.push(counts.len());
            counts.push(0);
        }
    }
    counts
}
