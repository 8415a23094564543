//! Masking (RFC 6455, 5.3). The same operation masks and unmasks.

/// Combines each byte with the byte of `key` that its place in the payload asks for; `bytes`
/// start `offset` bytes into that payload.
pub fn apply_mask(bytes: &mut [u8], mut key: [u8; 4], offset: usize) {
    key.rotate_left(offset % 4);
    let [a, b, c, d] = key;
    let word = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    // Whole words first: the compiler turns this loop into vector instructions.
    let (words, rest) = bytes.as_chunks_mut::<8>();
    for bytes in words {
        *bytes = (u64::from_ne_bytes(*bytes) ^ word).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip([a, b, c, d, a, b, c]) {
        *byte ^= key;
    }
}
