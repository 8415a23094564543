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
pub(crate) use self::string::{plain_run_end, plain_word, string_parts, unescape};

use core::ops::Range;

use smallvec::SmallVec;

use self::placeholder::OpenObject;
use self::string::string_end;
use crate::PacketError;

/// The deepest nesting that can be allowed: serde_json decodes no deeper value. The scanner has one
/// bit more.
pub const MAX_DEPTH: usize = 127;

/// Checks that `text` is one JSON value, with nothing but whitespace around it.
///
/// Bytes from 0x80 are accepted within strings without a look at their encoding.
///
/// # Errors
///
/// [`PacketError::InvalidPayload`] if it is no JSON, [`PacketError::TooLong`] if it nests deeper
/// than `depth_limit` or [`MAX_DEPTH`].
pub fn validate(text: &[u8], depth_limit: usize) -> Result<(), PacketError> {
    let mut scanner = Scanner::new(text, depth_limit, Unobserved);
    let end = scanner.values(0, 0)?;
    finish(text, end)
}

/// Where the parts of an event's array are.
pub(crate) struct EventParts {
    /// The name without its quotes; a numeric name as it is.
    pub(crate) name: (usize, usize),
    /// The name holds escape sequences.
    pub(crate) name_is_escaped: bool,
    /// The first argument; empty and in front of the closing bracket if there is none.
    pub(crate) first_argument: Range<usize>,
}

/// Scans the event array that `text` holds from `at` to its end.
#[inline]
pub(crate) fn event<O: Observer>(
    text: &[u8],
    at: usize,
    depth_limit: usize,
    observer: O,
) -> Result<EventParts, PacketError> {
    let mut scanner = Scanner::new(text, depth_limit, observer);
    let start = scanner.open_array(at)?;
    let (name, name_is_escaped, name_end) = match byte(text, start) {
        b'"' => {
            let parts = string_parts(text, start + 1).ok_or(PacketError::InvalidPayload)?;
            let (end, is_escaped) = parts;
            ((start + 1, end - 1), is_escaped, end)
        }
        b'-' | b'0'..=b'9' => {
            let end = number_end(text, start).ok_or(PacketError::InvalidPayload)?;
            ((start, end), false, end)
        }
        _ => return Err(PacketError::InvalidPayload),
    };
    let separator = whitespace_end(text, name_end);
    let first_argument = match byte(text, separator) {
        b',' => scanner.last_array(whitespace_end(text, separator + 1))?,
        b']' => {
            finish(text, separator + 1)?;
            separator..separator
        }
        _ => return Err(PacketError::InvalidPayload),
    };
    Ok(EventParts { name, name_is_escaped, first_argument })
}

/// Scans the array that `text` holds from `at` to its end. Returns where its first element is; if
/// it has none, that is empty and in front of the closing bracket.
pub(crate) fn array<O: Observer>(
    text: &[u8],
    at: usize,
    depth_limit: usize,
    observer: O,
) -> Result<Range<usize>, PacketError> {
    let mut scanner = Scanner::new(text, depth_limit, observer);
    let first = scanner.open_array(at)?;
    if byte(text, first) == b']' {
        finish(text, first + 1)?;
        return Ok(first..first);
    }
    scanner.last_array(first)
}

/// The position after the value that begins at `at`, or `None` if there is none.
pub(crate) fn value_end(text: &[u8], at: usize) -> Option<usize> {
    Scanner::new(text, MAX_DEPTH, Unobserved).values(at, 0).ok()
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

/// What the scanner remembers of the text in front of its position. The position itself is an
/// argument and a result of every step, so that it stays in a register.
struct Scanner<'a, O> {
    text: &'a [u8],
    depth: usize,
    depth_limit: usize,
    /// One bit for each open container, the innermost lowest: set for an object.
    objects: u128,
    observer: O,
    /// What the observer must know of the open objects; empty if it is not active.
    observed: SmallVec<[OpenObject; 2]>,
}

impl<'a, O: Observer> Scanner<'a, O> {
    #[inline]
    fn new(text: &'a [u8], depth_limit: usize, observer: O) -> Self {
        let depth_limit = depth_limit.min(MAX_DEPTH);
        Self { text, depth: 0, depth_limit, objects: 0, observer, observed: SmallVec::new() }
    }

    /// Scans the elements of the open array, from the one that must be at `at`, and its end, which
    /// is to be the end of the text. Returns where the first element is.
    #[inline]
    fn last_array(&mut self, at: usize) -> Result<Range<usize>, PacketError> {
        let first_end = self.values(at, 1)?;
        let separator = whitespace_end(self.text, first_end);
        let end = match byte(self.text, separator) {
            b',' => self.values(separator + 1, 0)?,
            b']' => separator + 1,
            _ => return Err(PacketError::InvalidPayload),
        };
        finish(self.text, end)?;
        Ok(at..first_end)
    }

    /// Scans values from `at` until no more than `depth` containers are open: one value if so many
    /// are open now, otherwise the elements of the innermost one and what follows it. Returns the
    /// position behind.
    fn values(&mut self, mut at: usize, depth: usize) -> Result<usize, PacketError> {
        let text = self.text;
        loop {
            let end = match byte(text, at) {
                b'"' => string_end(text, at + 1),
                b'{' => {
                    if O::ACTIVE
                        && let Some(found) = placeholder::usual(text, at)
                    {
                        self.check_depth()?;
                        self.observer.placeholder(found)?;
                        Some(found.end)
                    } else {
                        self.open(at, true)?;
                        at = whitespace_end(text, at + 1);
                        if byte(text, at) != b'}' {
                            at = self.key(text, at)?;
                            continue;
                        }
                        Some(at)
                    }
                }
                b'[' => {
                    self.open(at, false)?;
                    at = whitespace_end(text, at + 1);
                    if byte(text, at) != b']' {
                        continue;
                    }
                    Some(at)
                }
                b'-' | b'0'..=b'9' => number_end(text, at),
                b't' => literal_end(text, at, b"true"),
                b'f' => literal_end(text, at, b"false"),
                b'n' => literal_end(text, at, b"null"),
                b' ' | b'\t' | b'\n' | b'\r' => {
                    at = long_whitespace_end(text, at);
                    continue;
                }
                _ => None,
            };
            at = end.ok_or(PacketError::InvalidPayload)?;
            // The value has ended, and with it perhaps the containers around it.
            loop {
                if self.depth == depth {
                    return Ok(at);
                }
                let in_object = self.objects & 1 == 1;
                match byte(text, at) {
                    b',' => {
                        at += 1;
                        if in_object {
                            at = self.key(text, at)?;
                        }
                        break;
                    }
                    b'}' if in_object => {
                        at += 1;
                        self.close(at)?;
                    }
                    b']' if !in_object => {
                        at += 1;
                        self.close(at)?;
                    }
                    b' ' | b'\t' | b'\n' | b'\r' => at = long_whitespace_end(text, at),
                    _ => return Err(PacketError::InvalidPayload),
                }
            }
        }
    }

    /// Opens the array that must be at `at`. Returns the position of what is in it.
    #[inline]
    fn open_array(&mut self, at: usize) -> Result<usize, PacketError> {
        if byte(self.text, at) != b'[' {
            return Err(PacketError::InvalidPayload);
        }
        self.open(at, false)?;
        Ok(whitespace_end(self.text, at + 1))
    }

    /// Whether one more container may be open.
    #[inline(always)]
    fn check_depth(&self) -> Result<(), PacketError> {
        if self.depth == self.depth_limit { Err(PacketError::TooLong) } else { Ok(()) }
    }

    #[inline(always)]
    fn open(&mut self, at: usize, is_object: bool) -> Result<(), PacketError> {
        self.check_depth()?;
        self.depth += 1;
        self.objects = self.objects << 1 | u128::from(is_object);
        if O::ACTIVE && is_object {
            self.observed.push(OpenObject::new(at));
        }
        Ok(())
    }

    /// Closes the innermost container, which ends at `end`.
    #[inline(always)]
    fn close(&mut self, end: usize) -> Result<(), PacketError> {
        let is_object = self.objects & 1 == 1;
        self.depth -= 1;
        self.objects >>= 1;
        if O::ACTIVE && is_object {
            let closed = self.observed.pop();
            if let Some(found) = closed.and_then(|object| object.placeholder(self.text, end)) {
                self.observer.placeholder(found)?;
            }
        }
        Ok(())
    }

    /// Scans the key that must be at `at` and its colon. Returns the position behind.
    #[inline(always)]
    fn key(&mut self, text: &[u8], at: usize) -> Result<usize, PacketError> {
        let at = expect(text, at, b'"').ok_or(PacketError::InvalidPayload)?;
        let end = string_end(text, at + 1).ok_or(PacketError::InvalidPayload)?;
        let colon = expect(text, end, b':').ok_or(PacketError::InvalidPayload)?;
        if O::ACTIVE
            && let Some(object) = self.observed.last_mut()
        {
            let key = text.get(at + 1..end - 1).unwrap_or_default();
            object.key(key, text, whitespace_end(text, colon + 1));
        }
        Ok(colon + 1)
    }
}

/// Only whitespace may follow from `at`.
#[inline]
fn finish(text: &[u8], at: usize) -> Result<(), PacketError> {
    if whitespace_end(text, at) == text.len() { Ok(()) } else { Err(PacketError::InvalidPayload) }
}

/// The byte at `at`, or NUL at the end. JSON allows NUL nowhere, so no caller has to tell the two
/// apart.
#[inline(always)]
fn byte(text: &[u8], at: usize) -> u8 {
    text.get(at).copied().unwrap_or(0)
}

/// The first position from `at` that holds no whitespace.
#[inline(always)]
pub(crate) fn whitespace_end(text: &[u8], at: usize) -> usize {
    if byte(text, at) > b' ' { at } else { long_whitespace_end(text, at) }
}

/// The position of `token`, which must come next.
#[inline(always)]
fn expect(text: &[u8], at: usize, token: u8) -> Option<usize> {
    if byte(text, at) == token {
        return Some(at);
    }
    let at = long_whitespace_end(text, at);
    (byte(text, at) == token).then_some(at)
}

#[inline(never)]
fn long_whitespace_end(text: &[u8], mut at: usize) -> usize {
    while matches!(byte(text, at), b' ' | b'\t' | b'\n' | b'\r') {
        at += 1;
    }
    at
}

/// The position behind the number at `at`.
#[inline(always)]
fn number_end(text: &[u8], at: usize) -> Option<usize> {
    let start = at + usize::from(byte(text, at) == b'-');
    let mut at = if byte(text, start) == b'0' { start + 1 } else { digits_end(text, start)? };
    if byte(text, at) == b'.' {
        at = digits_end(text, at + 1)?;
    }
    if matches!(byte(text, at), b'e' | b'E') {
        let sign = matches!(byte(text, at + 1), b'+' | b'-');
        at = digits_end(text, at + 1 + usize::from(sign))?;
    }
    Some(at)
}

/// The position behind the digits at `at`, of which there must be one.
#[inline(always)]
fn digits_end(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    while byte(text, at).is_ascii_digit() {
        at += 1;
    }
    (at > start).then_some(at)
}

#[inline(always)]
fn literal_end<const N: usize>(text: &[u8], at: usize, literal: &[u8; N]) -> Option<usize> {
    let found = text.get(at..).and_then(<[u8]>::first_chunk::<N>);
    (found == Some(literal)).then_some(at + N)
}
