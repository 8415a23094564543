//! JSON strings: finding their end, and their meaning.

use alloc::string::String;

use crate::PacketError;

const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
const HIGH_BITS: u64 = u64::from_ne_bytes([0x80; 8]);

/// The position of the first byte from `at` that may not stand for itself in a JSON string (a
/// quote, a backslash, or a control character), or the length of `text`.
#[inline]
pub(crate) fn plain_run_end(text: &[u8], mut at: usize) -> usize {
    // Most strings end within a few words, so wide steps begin only behind those.
    for _ in 0..4 {
        let Some(word) = chunk(text, at) else { return short_run_end(text, at) };
        match special_in_word(word) {
            Some(offset) => return at + offset,
            None => at += word.len(),
        }
    }
    long_run_end(text, at)
}

fn long_run_end(text: &[u8], mut at: usize) -> usize {
    while let Some(block) = chunk::<32>(text, at) {
        // Without an early exit, the compiler turns the loop into vector instructions.
        if block.iter().fold(false, |found, &byte| found | is_special(byte)) {
            break;
        }
        at += block.len();
    }
    while let Some(word) = chunk(text, at) {
        match special_in_word(word) {
            Some(offset) => return at + offset,
            None => at += word.len(),
        }
    }
    short_run_end(text, at)
}

#[inline]
fn short_run_end(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().position(|&byte| is_special(byte)).unwrap_or(rest.len())
}

#[inline(always)]
fn chunk<const N: usize>(text: &[u8], at: usize) -> Option<&[u8; N]> {
    text.get(at..).and_then(<[u8]>::first_chunk)
}

/// Flipping this bit exchanges the quote and the space, which makes the quote the neighbour of the
/// control characters: one comparison finds both.
const QUOTE_TO_CONTROL: u8 = 0x02;

#[inline(always)]
fn is_special(byte: u8) -> bool {
    byte ^ QUOTE_TO_CONTROL < 0x21 || byte == b'\\'
}

/// The offset of the first special byte of `word`.
///
/// Subtracting sets the high bit of each byte below the subtrahend. A borrow can set further bits,
/// but only above one that is rightly set, so the lowest is always right.
#[inline(always)]
fn special_in_word(word: &[u8; 8]) -> Option<usize> {
    let word = u64::from_le_bytes(*word);
    let quote_or_control = word ^ (ONES * u64::from(QUOTE_TO_CONTROL));
    let backslash = word ^ (ONES * u64::from(b'\\'));
    let marks = (quote_or_control.wrapping_sub(ONES * 0x21) & !quote_or_control
        | backslash.wrapping_sub(ONES) & !backslash)
        & HIGH_BITS;
    (marks != 0).then_some(marks.trailing_zeros() as usize / 8)
}

/// The position after the closing quote of a string, from a position within it.
pub(super) fn end_of_escaped(text: &[u8], mut at: usize) -> Result<usize, PacketError> {
    loop {
        at = plain_run_end(text, at);
        match text.get(at) {
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') => at += escape_len(text.get(at + 1..).unwrap_or_default())?,
            _ => return Err(PacketError::InvalidPayload),
        }
    }
}

/// The length of an escape sequence, of which `rest` is what follows the backslash.
///
/// Surrogates need no partner, as in JavaScript.
#[inline]
fn escape_len(rest: &[u8]) -> Result<usize, PacketError> {
    match rest {
        [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => Ok(2),
        [b'u', a, b, c, d, ..] if [a, b, c, d].into_iter().all(u8::is_ascii_hexdigit) => Ok(6),
        _ => Err(PacketError::InvalidPayload),
    }
}

/// The meaning of a valid string, given without its quotes. Surrogates without a partner become
/// U+FFFD, for which Rust's strings leave no choice.
#[cold]
pub(crate) fn unescape(mut raw: &[u8]) -> String {
    let mut string = String::with_capacity(raw.len());
    while !raw.is_empty() {
        let plain = raw.iter().position(|&byte| byte == b'\\').unwrap_or(raw.len());
        let (run, rest) = raw.split_at(plain);
        string.push_str(&String::from_utf8_lossy(run));
        let (character, rest) = unescape_one(rest);
        string.extend(character);
        raw = rest;
    }
    string
}

/// The character that the escape sequence at the beginning of `raw` means, and what follows it.
fn unescape_one(raw: &[u8]) -> (Option<char>, &[u8]) {
    let [b'\\', kind, rest @ ..] = raw else { return (None, &[]) };
    let character = match kind {
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unescape_unicode(rest),
        other => char::from(*other),
    };
    (Some(character), rest)
}

fn unescape_unicode(rest: &[u8]) -> (Option<char>, &[u8]) {
    let (first, rest) = hex_unit(rest);
    if let [b'\\', b'u', after @ ..] = rest {
        let (second, after) = hex_unit(after);
        let mut pair = char::decode_utf16([first, second]);
        // A pair is one character; two characters are two escapes of which only the first is due.
        if let (Some(Ok(character)), None) = (pair.next(), pair.next()) {
            return (Some(character), after);
        }
    }
    (Some(char::from_u32(u32::from(first)).unwrap_or(char::REPLACEMENT_CHARACTER)), rest)
}

fn hex_unit(rest: &[u8]) -> (u16, &[u8]) {
    let (digits, rest) = rest.split_at(rest.len().min(4));
    let unit = digits.iter().fold(0, |unit, &digit| {
        unit << 4 | char::from(digit).to_digit(16).unwrap_or_default() as u16
    });
    (unit, rest)
}
