//! Bytes that are taken off the input, and those that are kept.

use alloc::vec::Vec;

/// The first allocation for a message that does not arrive at once, if it is as large as that.
const BUFFER_BYTES_MIN: usize = 64;

/// Appends `chunk` to a buffer that will hold at most `total_max` bytes.
///
/// The room grows with what has arrived, never with what was only announced, which costs a peer
/// nothing. The bound makes the buffer of a large unfragmented message end up with its exact size.
pub(super) fn append(buffer: &mut Vec<u8>, chunk: &[u8], total_max: usize) {
    let needed = buffer.len() + chunk.len();
    if needed > buffer.capacity() {
        let wished = needed.saturating_mul(2).max(BUFFER_BYTES_MIN);
        let capacity = wished.min(total_max).max(needed);
        buffer.reserve_exact(capacity - buffer.len());
    }
    buffer.extend_from_slice(chunk);
}

/// Takes the first `count` bytes off `input`; `count` is at most its length.
pub(super) fn take<'a>(input: &mut &'a mut [u8], count: usize) -> &'a mut [u8] {
    let length = input.len();
    debug_assert!(count <= length, "the caller takes no more than there is");
    input.split_off_mut(..count).unwrap_or_default()
}
