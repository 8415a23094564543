//! Writing what a message holds as JSON.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use bytes::Bytes;
use smallvec::SmallVec;

use super::date;
use crate::codec::args::{write_decimal, write_float, write_string};
use crate::codec::json::{MAX_DEPTH, write_placeholder};
use crate::codec::parser::msgpack::reader::{Reader, Token};
use crate::codec::socket::PacketKind;
use crate::{Limits, PacketError};

/// Bytes of a message that any attachment in it may share. In a larger message, an attachment that
/// is less than a quarter of it is copied, because it would keep all of it.
const SHARED_BYTES_MAX: usize = 64 << 10;
/// What is reserved at first. Most messages are short, and long ones may be binary data.
const RESERVED_BYTES_MAX: usize = 4 << 10;
/// 2^53: doubles below it are exact where they are integers.
const INTEGER_MAX: f64 = 9_007_199_254_740_992.0;

/// Writes one value, without recursion.
pub(super) struct Json<'a> {
    message: &'a Bytes,
    json: Vec<u8>,
    attachments: Vec<Bytes>,
    /// `None` where binary data become arrays of numbers.
    attachments_max: Option<usize>,
    depth_max: usize,
    open: SmallVec<[Container; 8]>,
    /// There is an object that looks like a placeholder.
    has_literal: bool,
}

/// An array or a map whose end is still to come.
struct Container {
    /// Elements or entries that are still to come.
    left: u32,
    is_map: bool,
    is_empty: bool,
}

impl<'a> Json<'a> {
    pub(super) fn new(message: &'a Bytes, limits: &Limits, kind: PacketKind) -> Self {
        Self {
            message,
            json: Vec::with_capacity(message.len().min(RESERVED_BYTES_MAX)),
            attachments: Vec::new(),
            attachments_max: match kind {
                PacketKind::Event | PacketKind::Ack => Some(limits.attachments),
                PacketKind::Connect | PacketKind::Disconnect | PacketKind::ConnectError => None,
            },
            depth_max: limits.json_depth.min(MAX_DEPTH),
            open: SmallVec::new(),
            has_literal: false,
        }
    }

    /// The value that begins at `start`: its JSON, and the attachments that are named there.
    pub(super) fn read(mut self, start: usize) -> Result<(String, Vec<Bytes>), PacketError> {
        let mut reader = Reader::new(self.message, start);
        loop {
            self.token(reader.token().ok_or(PacketError::InvalidPayload)?)?;
            if !self.go_on(&mut reader)? {
                break;
            }
        }
        if self.has_literal && !self.attachments.is_empty() {
            return Err(PacketError::IllegalAttachments);
        }
        // It is made of texts.
        let json = String::from_utf8(self.json).map_err(|_| PacketError::InvalidPayload)?;
        Ok((json, self.attachments))
    }

    fn token(&mut self, token: Token<'_>) -> Result<(), PacketError> {
        match token {
            Token::Nil | Token::Undefined => self.json.extend_from_slice(b"null"),
            Token::Bool(true) => self.json.extend_from_slice(b"true"),
            Token::Bool(false) => self.json.extend_from_slice(b"false"),
            Token::Unsigned(value) => write_decimal(&mut self.json, value),
            Token::Signed(value) => write_decimal(&mut self.json, value),
            Token::Float(value) => self.float(value),
            Token::Str(text) => self.string(text),
            Token::Bin(range) => self.binary(range)?,
            Token::Date(milliseconds) => date::write(&mut self.json, milliseconds),
            Token::Ext(kind, range) => {
                self.json.push(b'[');
                write_decimal(&mut self.json, kind);
                self.json.push(b',');
                self.binary(range)?;
                self.json.push(b']');
            }
            Token::Array(len) => self.open(len, false)?,
            Token::Map(len) => self.open(len, true)?,
        }
        Ok(())
    }

    /// Closes what is at its end, and writes what stands in front of the next value. `false` if
    /// there is none.
    fn go_on(&mut self, reader: &mut Reader<'_>) -> Result<bool, PacketError> {
        while let Some(container) = self.open.last_mut() {
            if container.left == 0 {
                self.json.push(if container.is_map { b'}' } else { b']' });
                self.open.pop();
                continue;
            }
            container.left -= 1;
            let key = if container.is_map { Some(key(reader)?) } else { None };
            // As in JSON, which has nothing for it.
            if key.is_some() && reader.skip_undefined() {
                continue;
            }
            if !core::mem::replace(&mut container.is_empty, false) {
                self.json.push(b',');
            }
            match key {
                None => {}
                Some(Key::Text(text)) => {
                    self.has_literal |= text == b"_placeholder" && reader.is_true_next();
                    self.string(text);
                    self.json.push(b':');
                }
                Some(Key::Integer(value)) => {
                    self.json.push(b'"');
                    write_decimal(&mut self.json, value);
                    self.json.extend_from_slice(b"\":");
                }
            }
            return Ok(true);
        }
        Ok(false)
    }

    fn open(&mut self, left: u32, is_map: bool) -> Result<(), PacketError> {
        if self.open.len() >= self.depth_max {
            return Err(PacketError::TooLong);
        }
        self.json.push(if is_map { b'{' } else { b'[' });
        self.open.push(Container { left, is_map, is_empty: true });
        Ok(())
    }

    fn string(&mut self, text: &[u8]) {
        match core::str::from_utf8(text) {
            Ok(text) => write_string(&mut self.json, text),
            Err(_) => write_string(&mut self.json, &String::from_utf8_lossy(text)),
        }
    }

    /// JavaScript has one type for all numbers, and so nothing that tells 2.0 from 2.
    fn float(&mut self, value: f64) {
        let integer = value as i64;
        let is_negative_zero = value == 0.0 && value.is_sign_negative();
        if integer as f64 == value && value.abs() < INTEGER_MAX && !is_negative_zero {
            write_decimal(&mut self.json, integer);
        } else {
            write_float(&mut self.json, value, value.is_finite());
        }
    }

    fn binary(&mut self, range: Range<usize>) -> Result<(), PacketError> {
        let Some(limit) = self.attachments_max else {
            self.numbers(range);
            return Ok(());
        };
        if self.attachments.len() >= limit {
            return Err(PacketError::TooManyAttachments { limit });
        }
        write_placeholder(&mut self.json, self.attachments.len());
        let len = self.message.len();
        let is_small = len > SHARED_BYTES_MAX && range.len() < len / 4;
        self.attachments.push(match self.message.get(range.clone()) {
            Some(data) if is_small => Bytes::copy_from_slice(data),
            Some(_) | None => self.message.slice(range),
        });
        Ok(())
    }

    fn numbers(&mut self, range: Range<usize>) {
        self.json.push(b'[');
        for (index, byte) in self.message.get(range).unwrap_or_default().iter().enumerate() {
            if index > 0 {
                self.json.push(b',');
            }
            write_decimal(&mut self.json, *byte);
        }
        self.json.push(b']');
    }
}

enum Key<'a> {
    Text(&'a [u8]),
    Integer(i128),
}

/// The key that is next. JavaScript's keys are texts, and its parser makes texts of others; of those
/// it meets integers at most.
fn key<'a>(reader: &mut Reader<'a>) -> Result<Key<'a>, PacketError> {
    match reader.token() {
        Some(Token::Str(text)) => Ok(Key::Text(text)),
        Some(Token::Unsigned(value)) => Ok(Key::Integer(i128::from(value))),
        Some(Token::Signed(value)) => Ok(Key::Integer(i128::from(value))),
        Some(
            Token::Nil
            | Token::Undefined
            | Token::Bool(_)
            | Token::Float(_)
            | Token::Bin(_)
            | Token::Date(_)
            | Token::Ext(..)
            | Token::Array(_)
            | Token::Map(_),
        )
        | None => Err(PacketError::InvalidPayload),
    }
}
