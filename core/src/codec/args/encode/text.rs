//! Strings and integers as JSON.

use alloc::vec::Vec;
use core::fmt;

use crate::codec::json::{plain_run_end, plain_word};

/// Appends `value` as a JSON string, with the escape sequences that serde_json and JavaScript use.
#[inline]
pub(crate) fn write_string(json: &mut Vec<u8>, value: &str) {
    // Most names are short. A copy of a fixed size needs no call, and what is too much of it goes.
    if let Some(word) = plain_word(value.as_bytes()) {
        let closed = word | u64::from(b'"') << (8 * value.len());
        let [a, b, c, d, e, f, g, h] = closed.to_le_bytes();
        let end = json.len() + value.len() + 2;
        json.extend_from_slice(&[b'"', a, b, c, d, e, f, g, h]);
        json.truncate(end);
        return;
    }
    write_longer(json, value);
}

#[inline(never)]
fn write_longer(json: &mut Vec<u8>, value: &str) {
    json.push(b'"');
    write_escaped(json, value.as_bytes());
    json.push(b'"');
}

/// Appends `value` in decimal digits.
#[inline]
pub(crate) fn write_decimal<I: itoa::Integer>(json: &mut Vec<u8>, value: I) {
    json.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends a finite number in the shortest form that reads back as the same; any other as `null`,
/// as serde_json and JavaScript do.
#[inline]
pub(crate) fn write_float<F: zmij::Float>(json: &mut Vec<u8>, value: F, is_finite: bool) {
    if is_finite {
        json.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
    } else {
        json.extend_from_slice(b"null");
    }
}

/// Writes text into a JSON string.
pub(super) struct Escaped<'a>(pub(super) &'a mut Vec<u8>);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        write_escaped(self.0, text.as_bytes());
        Ok(())
    }
}

#[inline(always)]
fn write_escaped(json: &mut Vec<u8>, value: &[u8]) {
    let end = plain_run_end(value, 0);
    let (plain, rest) = value.split_at(end.min(value.len()));
    json.extend_from_slice(plain);
    if !rest.is_empty() {
        write_specials(json, rest);
    }
}

#[inline(never)]
fn write_specials(json: &mut Vec<u8>, mut value: &[u8]) {
    while let Some((&special, rest)) = value.split_first() {
        write_special(json, special);
        let end = plain_run_end(rest, 0);
        let (plain, rest) = rest.split_at(end.min(rest.len()));
        json.extend_from_slice(plain);
        value = rest;
    }
}

fn write_special(json: &mut Vec<u8>, special: u8) {
    let letter = match special {
        b'"' | b'\\' => special,
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0c => b'f',
        b'\r' => b'r',
        control => {
            let hex = |digit: u8| if digit < 10 { b'0' + digit } else { b'a' + digit - 10 };
            json.extend_from_slice(b"\\u00");
            json.extend_from_slice(&[hex(control >> 4), hex(control & 0xf)]);
            return;
        }
    };
    json.extend_from_slice(&[b'\\', letter]);
}
