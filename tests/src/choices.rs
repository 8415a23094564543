//! One source of decisions for every harness: proptest, the fuzzer, and long seeded runs.

use std::borrow::Cow;
use std::ops::RangeInclusive;

/// Decisions, one after the other, each taken from the next bytes of an input.
///
/// A decision depends on its position alone, so the same bytes are the same run, whoever made them.
/// When the bytes are used up, every further decision is the first of its alternatives. Harnesses
/// list the dullest alternative first: then cutting an input short, or setting a byte to zero,
/// gives a simpler run, and that is all that is needed to make a failure smaller.
#[derive(Debug)]
pub struct Choices<'a> {
    source: Source<'a>,
}

#[derive(Debug)]
enum Source<'a> {
    Given { bytes: Cow<'a, [u8]>, at: usize },
    Drawn { state: u64, record: Vec<u8> },
}

impl<'a> Choices<'a> {
    /// The decisions that `bytes` hold.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { source: Source::Given { bytes: Cow::Borrowed(bytes), at: 0 } }
    }

    /// The decisions that `bytes` hold, for a harness that outlives whoever gave them.
    pub fn from_vec(bytes: Vec<u8>) -> Self {
        Self { source: Source::Given { bytes: Cow::Owned(bytes), at: 0 } }
    }

    /// Decisions without an end, drawn from a seed. [`into_bytes`](Self::into_bytes) tells which.
    pub fn from_seed(seed: u64) -> Self {
        Self { source: Source::Drawn { state: seed, record: Vec::new() } }
    }

    /// Whether all further decisions are the first of their alternatives.
    pub fn is_exhausted(&self) -> bool {
        match &self.source {
            Source::Given { bytes, at } => *at >= bytes.len(),
            Source::Drawn { .. } => false,
        }
    }

    /// The bytes that were used. [`new`](Self::new) makes the same decisions of them.
    pub fn into_bytes(self) -> Vec<u8> {
        match self.source {
            Source::Given { bytes, at } => bytes.get(..at).unwrap_or(&bytes).to_vec(),
            Source::Drawn { record, .. } => record,
        }
    }

    /// A byte, 0 at the end.
    pub fn byte(&mut self) -> u8 {
        match &mut self.source {
            Source::Given { bytes, at } => {
                let byte = bytes.get(*at).copied().unwrap_or(0);
                *at = (*at + 1).min(bytes.len());
                byte
            }
            Source::Drawn { state, record } => {
                let byte = split_mix(state).to_le_bytes()[0];
                record.push(byte);
                byte
            }
        }
    }

    /// One of `count` alternatives, 0 at the end and where there is no choice. Takes one byte for
    /// up to 256 alternatives, none for one.
    pub fn index(&mut self, count: usize) -> usize {
        let count = count as u128;
        let mut drawn = 0u128;
        let mut reach = 1u128;
        while reach < count {
            drawn = drawn << 8 | u128::from(self.byte());
            reach <<= 8;
        }
        // Scaled, where a remainder would favour the first alternatives.
        (drawn * count / reach) as usize
    }

    /// One element, the first at the end.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn pick<'t, T>(&mut self, from: &'t [T]) -> &'t T {
        &from[self.index(from.len())]
    }

    /// A number of the range, the smallest at the end.
    pub fn number(&mut self, range: RangeInclusive<u64>) -> u64 {
        let count = (range.end() - range.start()).saturating_add(1);
        range.start() + self.index(usize::try_from(count).unwrap_or(usize::MAX)) as u64
    }

    /// True in about `of_256` of 256 cases, false at the end.
    pub fn chance(&mut self, of_256: u8) -> bool {
        255 - self.byte() < of_256
    }

    /// An index of `weights`, as often as its weight says; 0 at the end. An alternative of weight 0
    /// is not chosen, unless all are.
    pub fn weighted(&mut self, weights: &[u32]) -> usize {
        let total = weights.iter().sum::<u32>() as usize;
        let mut drawn = self.index(total) as u32;
        for (index, weight) in weights.iter().enumerate() {
            if drawn < *weight {
                return index;
            }
            drawn -= weight;
        }
        0
    }

    /// As many bytes, followed by zeros once the input has ended.
    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.byte()).collect()
    }
}

/// The generator SplitMix64: for tests, where only the spread counts.
pub fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ *state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

/// The input that a seed stands for, in long runs.
pub fn bytes_of(seed: u64) -> Vec<u8> {
    let mut state = seed;
    let length = 32 + split_mix(&mut state) as usize % 1_500;
    (0..length).map(|_| split_mix(&mut state) as u8).collect()
}

#[cfg(test)]
mod tests {
    use super::Choices;

    #[test]
    fn at_the_end_every_choice_is_the_first() {
        let mut choices = Choices::new(&[]);
        assert_eq!(choices.index(9), 0);
        assert_eq!(choices.number(3..=9), 3);
        assert_eq!(choices.weighted(&[1, 200]), 0);
        assert_eq!(choices.pick(&["first", "second"]), &"first");
        assert!(!choices.chance(255));
        assert_eq!(choices.bytes(2), [0, 0]);
        assert!(choices.is_exhausted());
    }

    #[test]
    fn what_was_drawn_can_be_given_again() {
        let decide = |choices: &mut Choices<'_>| {
            let numbers: Vec<_> = (1..400).map(|count| choices.index(count)).collect();
            (numbers, choices.number(5..=70_000), choices.weighted(&[3, 0, 5]), choices.chance(9))
        };
        let mut drawn = Choices::from_seed(7);
        let decisions = decide(&mut drawn);
        assert!(!drawn.is_exhausted());
        let bytes = drawn.into_bytes();
        let mut given = Choices::new(&bytes);
        assert_eq!(decide(&mut given), decisions);
        assert!(given.is_exhausted());
        assert_eq!(given.into_bytes(), bytes);
    }

    #[test]
    fn every_alternative_comes_as_often_as_its_weight_says() {
        let mut choices = Choices::from_seed(1);
        let mut counts = [0u32; 4];
        (0..10_000).for_each(|_| counts[choices.weighted(&[10, 0, 30, 60])] += 1);
        assert_eq!(counts[1], 0);
        for (count, expected) in [(counts[0], 1_000), (counts[2], 3_000), (counts[3], 6_000)] {
            assert!(count.abs_diff(expected) < 300, "{counts:?}");
        }
    }

    #[test]
    fn one_alternative_costs_no_byte_and_many_cost_more() {
        let mut choices = Choices::new(&[1, 2, 3, 4]);
        assert_eq!(choices.index(1), 0);
        assert_eq!(choices.index(256), 1);
        assert_eq!(choices.index(65_536), 0x203);
        assert_eq!(choices.into_bytes(), [1, 2, 3]);
    }
}
