//! A client's WebSocket frames, which are masked by what nobody can foresee (RFC 6455, 5.3).

use std::cell::RefCell;
use std::io;

use bytes::Bytes;
use sansocket_core::codec::websocket::{FrameHeader, Opcode, encode_frame_into};

/// Random bytes are drawn by so many, because each draw is a call of the operating system.
const POOL_BYTES: usize = 256;

struct Pool {
    bytes: [u8; POOL_BYTES],
    used: usize,
}

thread_local! {
    static POOL: RefCell<Pool> =
        const { RefCell::new(Pool { bytes: [0; POOL_BYTES], used: POOL_BYTES }) };
}

/// A masked frame.
///
/// # Errors
///
/// If the operating system has no randomness to give.
pub(crate) fn masked(opcode: Opcode, payload: &[u8]) -> io::Result<Bytes> {
    masked_frame(FrameHeader::new(opcode, 0), payload)
}

/// A masked frame of that header, but for the mask and the length.
///
/// # Errors
///
/// If the operating system has no randomness to give.
pub(crate) fn masked_frame(header: FrameHeader, payload: &[u8]) -> io::Result<Bytes> {
    let mut frame = Vec::new();
    let header = FrameHeader { mask_key: Some(mask_key()?), ..header };
    encode_frame_into(&mut frame, header, payload);
    Ok(Bytes::from(frame))
}

fn mask_key() -> io::Result<[u8; 4]> {
    POOL.with_borrow_mut(|pool| {
        if let Some(key) = pool.bytes.get(pool.used..).and_then(|rest| rest.first_chunk()) {
            pool.used += key.len();
            return Ok(*key);
        }
        // What a failed draw left must not be taken for random.
        pool.used = POOL_BYTES;
        getrandom::fill(&mut pool.bytes).map_err(io::Error::other)?;
        let mut key = [0; 4];
        key.copy_from_slice(&pool.bytes[..4]);
        pool.used = key.len();
        Ok(key)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn keys_do_not_repeat() -> io::Result<()> {
        let count = 10 * POOL_BYTES;
        let keys = (0..count).map(|_| mask_key()).collect::<io::Result<HashSet<_>>>()?;
        // Of so few random numbers a pair is alike once in more than a thousand runs; three pairs
        // never are.
        assert!(keys.len() > count - 3, "{} of {count} differ", keys.len());
        Ok(())
    }
}
