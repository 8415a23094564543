//! Adding up the tests that the test runners report.

use std::fmt;
use std::ops::AddAssign;

#[cfg(test)]
mod tests;

/// How many tests ran, and how they ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TestCounts {
    passed: u64,
    failed: u64,
    skipped: u64,
}

/// A test runner whose closing lines we understand.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Runner {
    /// `cargo test`: one `test result:` line for each test program.
    Cargo,
    /// `node --test`: one closing line for each kind of outcome, from its `spec` or `tap` reporter.
    Node,
}

impl TestCounts {
    pub(crate) fn passed(self) -> u64 {
        self.passed
    }

    pub(crate) fn failed(self) -> u64 {
        self.failed
    }

    /// Adds what `line` of a test runner's output reports, if it reports anything.
    pub(crate) fn add_line(&mut self, runner: Runner, line: &str) {
        let line = without_colours(line);
        let line = line.trim_end();
        match runner {
            Runner::Cargo => self.add_cargo_line(line),
            Runner::Node => self.add_node_line(line),
        }
    }

    fn add_cargo_line(&mut self, line: &str) {
        let Some((_, outcomes)) =
            line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        for outcome in outcomes.split(';') {
            let mut words = outcome.split_whitespace();
            if let (Some(Ok(count)), Some(word)) = (words.next().map(str::parse), words.next()) {
                self.add(word, count);
            }
        }
    }

    fn add_node_line(&mut self, line: &str) {
        let Some(rest) = line.strip_prefix("\u{2139} ").or_else(|| line.strip_prefix("# ")) else {
            return;
        };
        if let Some((word, count)) = rest.split_once(' ')
            && let Ok(count) = count.parse()
        {
            self.add(word, count);
        }
    }

    fn add(&mut self, outcome: &str, count: u64) {
        match outcome {
            "passed" | "pass" => self.passed += count,
            "failed" | "fail" | "cancelled" => self.failed += count,
            "ignored" | "skipped" | "todo" => self.skipped += count,
            // `measured`, `filtered out`, `duration_ms` and what a later version adds.
            _ => {}
        }
    }
}

impl AddAssign for TestCounts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// The closing line that continuous integration looks for.
impl fmt::Display for TestCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

/// `line` without the escape sequences that a terminal reads as colours.
fn without_colours(line: &str) -> String {
    let mut pieces = line.split('\u{1b}');
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        // `[32m` sets a colour and `(B`, which some terminals ask for, a character set.
        let text = match piece.strip_prefix('[') {
            Some(sequence) => sequence.split_once('m').map(|(_, text)| text),
            None => piece.strip_prefix("(B"),
        };
        plain.push_str(text.unwrap_or(piece));
    }
    plain
}
