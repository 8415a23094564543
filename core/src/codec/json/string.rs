//! JSON strings: finding their end, and their meaning.

use alloc::string::String;

const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
const HIGH_BITS: u64 = u64::from_ne_bytes([0x80; 8]);

/// The position of the first byte from `at` that may not stand for itself in a JSON string (a
/// quote, a backslash, or a control character), or the length of `text`.
#[inline(always)]
pub(crate) fn plain_run_end(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    // Most strings, and nearly all keys, end within the first word.
    let Some((word, after)) = rest.split_first_chunk() else {
        return text.len() - rest.len() + special_in_part(rest);
    };
    match special_in_word(u64::from_le_bytes(*word)) {
        Some(offset) => text.len() - rest.len() + offset,
        None => text.len() - long_run(after),
    }
}

/// The length of `rest` from its first special byte.
fn long_run(mut rest: &[u8]) -> usize {
    while let Some((block, after)) = rest.split_first_chunk() {
        if has_special(block) {
            break;
        }
        rest = after;
    }
    while let Some((block, after)) = rest.split_first_chunk() {
        if let Some(offset) = special_in_block(block) {
            return rest.len() - offset;
        }
        rest = after;
    }
    if let Some((word, after)) = rest.split_first_chunk() {
        if let Some(offset) = special_in_word(u64::from_le_bytes(*word)) {
            return rest.len() - offset;
        }
        rest = after;
    }
    rest.len() - special_in_part(rest)
}

/// Whether a block has a special byte. The compiler makes one test of it, for two vectors.
#[inline(always)]
fn has_special(block: &[u8; 32]) -> bool {
    block.iter().fold(false, |found, &byte| found | is_special(byte))
}

/// The offset of the first special byte of a block. The compiler turns the loop into a few vector
/// instructions.
#[inline(always)]
fn special_in_block(block: &[u8; 16]) -> Option<usize> {
    let mut marks = [0; 16];
    for (mark, &byte) in marks.iter_mut().zip(block) {
        *mark = if is_special(byte) { u8::MAX } else { 0 };
    }
    let marks = u128::from_le_bytes(marks);
    (marks != 0).then_some(marks.trailing_zeros() as usize / 8)
}

/// Flipping this bit exchanges the quote and the space, which makes the quote the neighbour of the
/// control characters: one comparison finds both.
const QUOTE_TO_CONTROL: u8 = 0x02;

#[inline(always)]
fn is_special(byte: u8) -> bool {
    byte ^ QUOTE_TO_CONTROL < 0x21 || byte == b'\\'
}

/// The offset of the first special byte of `word`, in order of memory from its low end.
///
/// Subtracting sets the high bit of each byte that is below the subtrahend, and of those from 0x80,
/// which are then dropped. A borrow can set further bits, but only above one that is rightly set, so
/// the lowest is always right.
#[inline(always)]
fn special_in_word(word: u64) -> Option<usize> {
    let quote_or_control = (word ^ (ONES * u64::from(QUOTE_TO_CONTROL))).wrapping_sub(ONES * 0x21);
    let backslash = (word ^ (ONES * u64::from(b'\\'))).wrapping_sub(ONES);
    let marks = (quote_or_control | backslash) & !word & HIGH_BITS;
    (marks != 0).then_some(marks.trailing_zeros() as usize / 8)
}

/// The offset of the first special byte of `part`, which is less than a word, or its length.
#[inline(always)]
fn special_in_part(part: &[u8]) -> usize {
    special_in_word(word_of_part(part)).unwrap_or(part.len())
}

/// The bytes of `text` in order of memory, and behind them NUL, if it is less than a word and may
/// stand in a JSON string as it is.
#[inline(always)]
pub(crate) fn plain_word(text: &[u8]) -> Option<u64> {
    let word = (text.len() < 8).then(|| word_of_part(text))?;
    (special_in_word(word) == Some(text.len())).then_some(word)
}

/// The bytes of `part`, which is less than a word, with NUL, which is special, behind the end.
#[inline(always)]
fn word_of_part(part: &[u8]) -> u64 {
    let len = part.len();
    // Overlapping reads of a fixed size.
    if let (Some(first), Some(last)) = (part.first_chunk(), part.last_chunk()) {
        u64::from(u32::from_le_bytes(*first))
            | u64::from(u32::from_le_bytes(*last)) << (len * 8 - 32)
    } else if let (Some(first), Some(middle), Some(last)) =
        (part.first(), part.get(len / 2), part.last())
    {
        u64::from(*first) | u64::from(*middle) << (len / 2 * 8) | u64::from(*last) << (len * 8 - 8)
    } else {
        0
    }
}

/// The position behind the closing quote of the string whose content begins at `at`.
#[inline(always)]
pub(super) fn string_end(text: &[u8], at: usize) -> Option<usize> {
    string_parts(text, at).map(|(end, _)| end)
}

/// The position behind the closing quote of the string whose content begins at `at`, and whether it
/// holds escape sequences.
#[inline(always)]
pub(crate) fn string_parts(text: &[u8], at: usize) -> Option<(usize, bool)> {
    let end = plain_run_end(text, at);
    if text.get(end) == Some(&b'"') {
        Some((end + 1, false))
    } else {
        escaped_end(text, end).map(|end| (end, true))
    }
}

#[inline(never)]
fn escaped_end(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += escape_len(text.get(at + 1..)?)?,
            _ => return None,
        }
        at = plain_run_end(text, at);
    }
}

/// The length of an escape sequence, of which `rest` is what follows the backslash.
///
/// Surrogates need no partner, as in JavaScript.
#[inline]
fn escape_len(rest: &[u8]) -> Option<usize> {
    match rest {
        [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => Some(2),
        [b'u', a, b, c, d, ..] if [a, b, c, d].into_iter().all(u8::is_ascii_hexdigit) => Some(6),
        _ => None,
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
