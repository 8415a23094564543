//! A scanner that validates JSON (RFC 8259) exactly as `JSON.parse` does, without building values.
//!
//! It makes one pass, keeps no more state than one bit per open container, and recurses nowhere, so
//! time is linear and memory constant whatever the input. What a handler later decodes is the same
//! text, so nothing here unescapes or converts. On the way the scanner finds what the protocol needs
//! to know about an event: its name, where its arguments begin, and its placeholders.

mod placeholder;
mod string;
#[cfg(test)]
mod tests;

pub(crate) use self::placeholder::{Placeholder, integer, placeholders, write_placeholder};
pub(crate) use self::string::{plain_run_end, unescape};

use alloc::vec::Vec;

use self::placeholder::OpenObject;
use crate::PacketError;

/// The deepest nesting that can be allowed: the scanner has this many bits. serde_json decodes no
/// deeper value either.
pub const MAX_DEPTH: usize = 128;

/// Checks that `text` is one JSON value, with nothing but whitespace around it.
///
/// Bytes from 0x80 are accepted within strings without a look at their encoding.
///
/// # Errors
///
/// [`PacketError::InvalidPayload`] if it is no JSON, [`PacketError::TooLong`] if it nests deeper
/// than `depth_limit` or [`MAX_DEPTH`].
pub fn validate(text: &[u8], depth_limit: usize) -> Result<(), PacketError> {
    let mut scanner = Scanner::new(text, 0, depth_limit, Unobserved);
    scanner.values()?;
    scanner.finish()
}

/// Where the parts of an event's array are.
pub(crate) struct EventParts {
    /// The name without its quotes; a numeric name as it is.
    pub(crate) name: (usize, usize),
    /// The name holds escape sequences.
    pub(crate) name_is_escaped: bool,
    /// The first argument, or the closing bracket if there is none.
    pub(crate) arguments: usize,
}

/// Scans the event array that `text` holds from `at` to its end.
pub(crate) fn event<O: Observer>(
    text: &[u8],
    at: usize,
    depth_limit: usize,
    observer: O,
) -> Result<EventParts, PacketError> {
    let mut scanner = Scanner::new(text, at, depth_limit, observer);
    scanner.open_array()?;
    let (name, name_is_escaped) = match scanner.token() {
        b'"' => {
            let start = scanner.at + 1;
            let is_escaped = scanner.string()?;
            ((start, scanner.at - 1), is_escaped)
        }
        b'-' | b'0'..=b'9' => {
            let start = scanner.at;
            scanner.number()?;
            ((start, scanner.at), false)
        }
        _ => return Err(PacketError::InvalidPayload),
    };
    let arguments = match scanner.token() {
        b',' => {
            scanner.at += 1;
            scanner.token();
            let arguments = scanner.at;
            scanner.values()?;
            arguments
        }
        b']' => {
            scanner.at += 1;
            scanner.at - 1
        }
        _ => return Err(PacketError::InvalidPayload),
    };
    scanner.finish()?;
    Ok(EventParts { name, name_is_escaped, arguments })
}

/// Scans the array that `text` holds from `at` to its end. Returns the position of its first
/// element, or of the closing bracket.
pub(crate) fn array<O: Observer>(
    text: &[u8],
    at: usize,
    depth_limit: usize,
    observer: O,
) -> Result<usize, PacketError> {
    let mut scanner = Scanner::new(text, at, depth_limit, observer);
    scanner.open_array()?;
    let closes = scanner.token() == b']';
    let first = scanner.at;
    if closes {
        scanner.at += 1;
    } else {
        scanner.values()?;
    }
    scanner.finish()?;
    Ok(first)
}

/// The position after the value that begins at `at`, or `None` if there is none.
pub(crate) fn value_end(text: &[u8], at: usize) -> Option<usize> {
    let mut scanner = Scanner::new(text, at, MAX_DEPTH, Unobserved);
    scanner.values().ok()?;
    Some(scanner.at)
}

/// The first position from `at` that holds no whitespace.
pub(crate) fn skip_whitespace(text: &[u8], at: usize) -> usize {
    let mut scanner = Scanner::new(text, at, 0, Unobserved);
    scanner.token();
    scanner.at
}

/// What wants to know about placeholders.
pub(crate) trait Observer {
    /// Whether it does; a constant, so that nobody else pays for the search.
    const ACTIVE: bool;

    /// The scanner has passed a placeholder.
    fn placeholder(&mut self, placeholder: Placeholder) -> Result<(), PacketError>;
}

/// Does not look for placeholders.
pub(crate) struct Unobserved;

impl Observer for Unobserved {
    const ACTIVE: bool = false;

    fn placeholder(&mut self, _: Placeholder) -> Result<(), PacketError> {
        Ok(())
    }
}

struct Scanner<'a, O> {
    text: &'a [u8],
    at: usize,
    depth: usize,
    depth_limit: usize,
    /// One bit for each open container, the innermost lowest: set for an object.
    in_object: u128,
    observer: O,
    /// What the observer must know of the open objects; empty if it is not active.
    objects: Vec<OpenObject>,
}

impl<'a, O: Observer> Scanner<'a, O> {
    #[inline]
    fn new(text: &'a [u8], at: usize, depth_limit: usize, observer: O) -> Self {
        let depth_limit = depth_limit.min(MAX_DEPTH);
        Self { text, at, depth: 0, depth_limit, in_object: 0, observer, objects: Vec::new() }
    }

    /// The byte at the position, or NUL at the end. JSON allows NUL nowhere, so no caller has to
    /// tell the two apart.
    #[inline(always)]
    fn byte(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    /// Skips whitespace and returns the byte behind it.
    #[inline(always)]
    fn token(&mut self) -> u8 {
        loop {
            let byte = self.byte();
            if byte > b' ' || !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return byte;
            }
            self.at += 1;
        }
    }

    /// Scans values until no container is open: one value if none is, otherwise the elements of the
    /// innermost one and what follows it.
    #[inline]
    fn values(&mut self) -> Result<(), PacketError> {
        loop {
            match self.token() {
                b'"' => {
                    self.string()?;
                }
                b'{' => {
                    self.open(true)?;
                    if self.token() != b'}' {
                        self.key()?;
                        continue;
                    }
                    self.close()?;
                }
                b'[' => {
                    self.open(false)?;
                    if self.token() != b']' {
                        continue;
                    }
                    self.close()?;
                }
                b'-' | b'0'..=b'9' => self.number()?,
                b't' => self.literal(b"true")?,
                b'f' => self.literal(b"false")?,
                b'n' => self.literal(b"null")?,
                _ => return Err(PacketError::InvalidPayload),
            }
            if self.after_value()? {
                return Ok(());
            }
        }
    }

    /// Scans to the next value that is due. Returns whether there is none.
    #[inline(always)]
    fn after_value(&mut self) -> Result<bool, PacketError> {
        while self.depth > 0 {
            let in_object = self.in_object & 1 == 1;
            match self.token() {
                b',' => {
                    self.at += 1;
                    if in_object {
                        self.token();
                        self.key()?;
                    }
                    return Ok(false);
                }
                b'}' if in_object => self.close()?,
                b']' if !in_object => self.close()?,
                _ => return Err(PacketError::InvalidPayload),
            }
        }
        Ok(true)
    }

    /// Only whitespace may follow.
    #[inline]
    fn finish(&mut self) -> Result<(), PacketError> {
        self.token();
        if self.at == self.text.len() { Ok(()) } else { Err(PacketError::InvalidPayload) }
    }

    /// Opens the array that must be right here.
    #[inline]
    fn open_array(&mut self) -> Result<(), PacketError> {
        if self.byte() != b'[' {
            return Err(PacketError::InvalidPayload);
        }
        self.open(false)
    }

    #[inline(always)]
    fn open(&mut self, is_object: bool) -> Result<(), PacketError> {
        if self.depth == self.depth_limit {
            return Err(PacketError::TooLong);
        }
        self.depth += 1;
        self.in_object = self.in_object << 1 | u128::from(is_object);
        if O::ACTIVE && is_object {
            self.objects.push(OpenObject::new(self.at));
        }
        self.at += 1;
        Ok(())
    }

    #[inline(always)]
    fn close(&mut self) -> Result<(), PacketError> {
        let is_object = self.in_object & 1 == 1;
        self.at += 1;
        self.depth -= 1;
        self.in_object >>= 1;
        if O::ACTIVE && is_object {
            let closed = self.objects.pop();
            if let Some(found) = closed.and_then(|object| object.placeholder(self.text, self.at)) {
                self.observer.placeholder(found)?;
            }
        }
        Ok(())
    }

    /// Scans a key, its colon, and the whitespace in front of its value.
    #[inline(always)]
    fn key(&mut self) -> Result<(), PacketError> {
        if self.byte() != b'"' {
            return Err(PacketError::InvalidPayload);
        }
        let start = self.at + 1;
        let is_escaped = self.string()?;
        let end = self.at - 1;
        if self.token() != b':' {
            return Err(PacketError::InvalidPayload);
        }
        self.at += 1;
        if O::ACTIVE {
            self.token();
            let key = self.text.get(start..end).unwrap_or_default();
            if let Some(object) = self.objects.last_mut() {
                object.key(key, is_escaped, self.text, self.at);
            }
        }
        Ok(())
    }

    /// Scans the string whose opening quote is here. Returns whether it holds escape sequences.
    #[inline(always)]
    fn string(&mut self) -> Result<bool, PacketError> {
        self.at = plain_run_end(self.text, self.at + 1);
        if self.byte() == b'"' {
            self.at += 1;
            return Ok(false);
        }
        self.at = string::end_of_escaped(self.text, self.at)?;
        Ok(true)
    }

    #[inline(always)]
    fn number(&mut self) -> Result<(), PacketError> {
        if self.byte() == b'-' {
            self.at += 1;
        }
        match self.byte() {
            b'0' => self.at += 1,
            _ => self.digits()?,
        }
        if self.byte() == b'.' {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.byte(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.byte(), b'+' | b'-') {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    /// Scans at least one digit.
    #[inline(always)]
    fn digits(&mut self) -> Result<(), PacketError> {
        let start = self.at;
        while self.byte().is_ascii_digit() {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(PacketError::InvalidPayload) }
    }

    #[inline(always)]
    fn literal<const N: usize>(&mut self, literal: &[u8; N]) -> Result<(), PacketError> {
        let found = self.text.get(self.at..).and_then(<[u8]>::first_chunk::<N>);
        if found != Some(literal) {
            return Err(PacketError::InvalidPayload);
        }
        self.at += N;
        Ok(())
    }
}
