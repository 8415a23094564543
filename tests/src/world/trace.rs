//! What happened: as a number to compare runs by, and as lines to read.

/// The trace of one run.
#[derive(Debug, Default)]
pub struct Trace {
    hash: u64,
    steps: usize,
    lines: Option<Vec<String>>,
}

impl Trace {
    /// A trace, of lines too if they are wanted.
    pub fn new(readable: bool) -> Self {
        Self { hash: 0, steps: 0, lines: readable.then(Vec::new) }
    }

    /// A number that differs where anything did.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// How many steps were done.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// The lines.
    pub fn into_lines(self) -> Vec<String> {
        self.lines.unwrap_or_default()
    }

    pub(super) fn step(&mut self) {
        self.steps += 1;
    }

    pub(super) fn word(&mut self, word: u64) {
        self.hash = mix(self.hash, word);
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.word(u64::from_le_bytes(*word));
        }
        for byte in rest {
            self.word(u64::from(*byte));
        }
    }

    pub(super) fn line(&mut self, line: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.lines {
            lines.push(format!("{:>5}  {}", self.steps, line()));
        }
    }
}

pub(super) fn mix(hash: u64, word: u64) -> u64 {
    let mixed = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ mixed >> 29
}
