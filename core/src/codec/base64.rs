//! Base64 (RFC 4648): strict and fast where the peer is, as lenient as Node.js where it is not.

#[cfg(test)]
mod tests;

use alloc::vec::Vec;

use ::base64::Engine;
use ::base64::engine::general_purpose::STANDARD;

/// Decodes `text` as Node.js does: both alphabets, with or without padding, up to the first `=`,
/// and passing over every character of neither alphabet. There is no text that it refuses.
pub fn decode(text: &[u8]) -> Vec<u8> {
    STANDARD.decode(text).unwrap_or_else(|_| decode_leniently(text))
}

/// The length of `len` bytes in base64.
pub(crate) const fn encoded_len(len: usize) -> usize {
    len.div_ceil(3) * 4
}

/// Appends `data` to `text` in base64, with padding.
pub(crate) fn encode_into(data: &[u8], text: &mut Vec<u8>) {
    let start = text.len();
    text.resize(start + encoded_len(data.len()), b'=');
    if let Some(room) = text.get_mut(start..) {
        let written = STANDARD.encode_slice(data, room);
        debug_assert_eq!(written, Ok(encoded_len(data.len())));
    }
}

fn decode_leniently(text: &[u8]) -> Vec<u8> {
    let mut data = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let sextets = text.iter().take_while(|&&byte| byte != b'=').filter_map(|&byte| sextet(byte));
    let mut bits = 0_u32;
    let mut bit_count = 0;
    for sextet in sextets {
        bits = bits << 6 | u32::from(sextet);
        bit_count += 6;
        if bit_count >= 8 {
            bit_count -= 8;
            data.push((bits >> bit_count) as u8);
        }
    }
    data
}

fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}
