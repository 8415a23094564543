//! Tables by the core's keys.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A table by a key of the core, index and generation.
///
/// The core gives an index to somebody else as soon as its owner is gone, while the driver may
/// still have something to finish for the old one. So both must have room here, which rules out
/// the tables that slotmap offers for the purpose.
pub(crate) type KeyMap<K, V> = HashMap<K, V, BuildHasherDefault<KeyHasher>>;

/// Keys are made by the core, not by a peer, so spreading them is all there is to do.
#[derive(Default)]
pub(crate) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, value: u64) {
        // An odd multiplier that spreads low bits over the high ones (the golden ratio).
        self.0 = (self.0 ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

/// FNV-1a with 64 bits. Nothing depends on it that somebody could want to collide.
pub(crate) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests;
