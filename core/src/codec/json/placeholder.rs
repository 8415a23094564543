//! Placeholders: the objects that stand for attachments, `{"_placeholder":true,"num":N}`.

use alloc::vec::Vec;

use super::{MAX_DEPTH, Observer, Scanner, unescape};
use crate::PacketError;

/// A placeholder's place in a text, and the attachment that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Placeholder {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// `None` if `num` is missing or no integer that an attachment can have.
    pub(crate) number: Option<u32>,
}

/// All placeholders of a JSON value that has been validated. One inside another is none.
pub(crate) fn placeholders(text: &[u8]) -> Vec<Placeholder> {
    struct Collect<'a>(&'a mut Vec<Placeholder>);

    impl Observer for Collect<'_> {
        const ACTIVE: bool = true;

        fn placeholder(&mut self, placeholder: Placeholder) -> Result<(), PacketError> {
            while self.0.last().is_some_and(|inner| inner.start > placeholder.start) {
                self.0.pop();
            }
            self.0.push(placeholder);
            Ok(())
        }
    }

    let mut found = Vec::new();
    // The text is valid; and if it were not, what was found before the fault would be right.
    let _ = Scanner::new(text, MAX_DEPTH, Collect(&mut found)).values(0, 0);
    found
}

/// A placeholder up to its number.
const BEFORE_NUMBER: &[u8] = br#"{"_placeholder":true,"num":"#;

/// Appends the placeholder for attachment `number` to `json`.
pub(crate) fn write_placeholder(json: &mut Vec<u8>, number: usize) {
    json.extend_from_slice(BEFORE_NUMBER);
    crate::codec::message::write_decimal(json, number);
    json.push(b'}');
}

/// The placeholder at `at`, if it is written as every encoder does. Most are, and then nothing has to
/// be gathered of its keys.
#[inline]
pub(super) fn usual(text: &[u8], at: usize) -> Option<Placeholder> {
    let number_at = at + BEFORE_NUMBER.len();
    let number = text.get(at..)?.strip_prefix(BEFORE_NUMBER)?;
    // A second digit is left to what knows that `00` is no number.
    match *number {
        [digit @ b'0'..=b'9', b'}', ..] => {
            let number = Some(u32::from(digit - b'0'));
            Some(Placeholder { start: at, end: number_at + 2, number })
        }
        _ => None,
    }
}

/// What decides whether an object is a placeholder, gathered while it is open. As in JavaScript,
/// the last one of duplicate keys counts.
pub(super) struct OpenObject {
    start: usize,
    marked: bool,
    number_at: Option<usize>,
}

impl OpenObject {
    pub(super) fn new(start: usize) -> Self {
        Self { start, marked: false, number_at: None }
    }

    /// The object has the key `key`, as it is written; its value begins at `value_at`.
    #[inline]
    pub(super) fn key(&mut self, key: &[u8], text: &[u8], value_at: usize) {
        if key.contains(&b'\\') {
            self.unescaped_key(unescape(key).as_bytes(), text, value_at);
        } else {
            self.unescaped_key(key, text, value_at);
        }
    }

    #[inline]
    fn unescaped_key(&mut self, key: &[u8], text: &[u8], value_at: usize) {
        match key {
            // The scanner goes on to check that nothing follows these four letters.
            b"_placeholder" => {
                self.marked = text.get(value_at..).is_some_and(|value| value.starts_with(b"true"));
            }
            b"num" => self.number_at = Some(value_at),
            _ => {}
        }
    }

    /// The placeholder that the object is, now that it is closed and ends at `end`.
    #[inline]
    pub(super) fn placeholder(self, text: &[u8], end: usize) -> Option<Placeholder> {
        let number = self.number_at.and_then(|at| attachment_number(text.get(at..end)?));
        self.marked.then_some(Placeholder { start: self.start, end, number })
    }
}

/// The integer at the beginning of `text`, in any notation for it that JavaScript would accept.
fn attachment_number(text: &[u8]) -> Option<u32> {
    let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
    let len = text.iter().position(|byte| !is_part(byte)).unwrap_or(text.len());
    let number = core::str::from_utf8(text.get(..len)?).ok()?;
    number.parse().ok().or_else(|| integer(number.parse().ok()?))
}

/// `number` as an attachment's number, if it is an integer of that range.
pub(crate) fn integer(number: f64) -> Option<u32> {
    let integer = number as u32;
    (f64::from(integer) == number).then_some(integer)
}
