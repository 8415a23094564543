//! A shorter input that fails in the same way.

use std::time::{Duration, Instant};

/// Makes `bytes` shorter and smaller for as long as they fail, and for at most `time`.
pub fn shrink(bytes: Vec<u8>, fails: impl FnMut(&[u8]) -> bool, time: Duration) -> Vec<u8> {
    let mut search = Search { best: bytes, fails, until: Instant::now() + time };
    loop {
        let before = search.best.clone();
        search.cut_the_end();
        search.cut_pieces();
        search.lower_bytes();
        if search.best == before || search.is_out_of_time() {
            return search.best;
        }
    }
}

struct Search<F> {
    best: Vec<u8>,
    fails: F,
    until: Instant,
}

impl<F: FnMut(&[u8]) -> bool> Search<F> {
    fn is_out_of_time(&self) -> bool {
        Instant::now() >= self.until
    }

    fn attempt(&mut self, bytes: Vec<u8>) -> bool {
        let fails = (self.fails)(&bytes);
        if fails {
            self.best = bytes;
        }
        fails
    }

    fn cut_the_end(&mut self) {
        let mut piece = self.best.len() / 2;
        while piece > 0 && !self.is_out_of_time() {
            let length = self.best.len().saturating_sub(piece);
            if !self.attempt(self.best[..length].to_vec()) {
                piece /= 2;
            }
            piece = piece.min(self.best.len());
        }
    }

    fn cut_pieces(&mut self) {
        for piece in [256, 64, 16, 8, 4, 3, 2, 1] {
            let mut end = self.best.len();
            while end >= piece && !self.is_out_of_time() {
                let mut shorter = self.best.clone();
                shorter.drain(end - piece..end);
                self.attempt(shorter);
                end = (end - piece).min(self.best.len());
            }
        }
    }

    fn lower_bytes(&mut self) {
        for at in 0..self.best.len() {
            for value in [0, self.best[at] / 2, self.best[at].saturating_sub(1)] {
                if self.is_out_of_time() {
                    return;
                }
                if at < self.best.len() && value < self.best[at] {
                    let mut lower = self.best.clone();
                    lower[at] = value;
                    if self.attempt(lower) {
                        break;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::shrink;

    #[test]
    fn what_does_not_matter_goes_and_what_does_stays() {
        let bytes: Vec<u8> = (0..=255).collect();
        let has_two = |bytes: &[u8]| bytes.contains(&7) && bytes.iter().any(|byte| *byte > 99);
        assert_eq!(shrink(bytes, has_two, Duration::from_secs(60)), [7, 100]);
    }
}
