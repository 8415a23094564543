//! What happened in a run, as one number.

/// A hash over everything that is noted, in order. It is for telling runs apart, not for security.
#[derive(Clone, Copy, Debug)]
pub struct Trace(u64);

impl Default for Trace {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Trace {
    /// Notes a number.
    pub fn note(&mut self, value: u64) {
        self.0 = (self.0 ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
    }

    /// Notes bytes.
    pub fn note_bytes(&mut self, bytes: &[u8]) {
        self.note(bytes.len() as u64);
        for chunk in bytes.chunks(8) {
            self.note(chunk.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)));
        }
    }

    /// The hash so far.
    pub fn hash(&self) -> u64 {
        self.0
    }
}
