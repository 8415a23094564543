//! Base64, against the `base64` crate.

use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sansocket_core::codec::base64::decode;
use sansocket_core::codec::message::Frame;

/// What is strictly base64 decodes as the crate has it. Anything else decodes as Node.js has it,
/// which is the strict decoding of what is left when all that is lenient has been undone.
pub(super) fn check(text: &[u8]) {
    let expected = STANDARD.decode(text).unwrap_or_else(|_| decode_tidied(text));
    assert_eq!(decode(text), expected);

    let encoded = Frame::binary(text).to_text();
    let expected = [b"b", STANDARD.encode(text).as_bytes()].concat();
    assert_eq!(encoded.packet(), expected);
    assert_eq!(decode(&expected[1..]), text);
}

fn decode_tidied(text: &[u8]) -> Vec<u8> {
    const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone);
    let digits = text.split(|byte| *byte == b'=').next().unwrap_or_default();
    let mut digits: Vec<u8> = digits
        .iter()
        .map(|byte| match byte {
            b'-' => b'+',
            b'_' => b'/',
            other => *other,
        })
        .filter(|byte| ALPHABET.as_str().as_bytes().contains(byte))
        .collect();
    // One digit is less than a byte.
    if digits.len() % 4 == 1 {
        digits.pop();
    }
    GeneralPurpose::new(&ALPHABET, LENIENT).decode(digits).expect("nothing is left to refuse")
}
