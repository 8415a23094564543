//! What libFuzzer reports.

use std::fmt;

#[cfg(test)]
mod tests;

/// How far it came. libFuzzer says so in lines such as
/// `#524288 pulse  cov: 1345 ft: 4666 corp: 631/47Kb exec/s: 2465`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    executions: u64,
    /// Branches that some input has taken.
    edges: u64,
    /// Those, and how often.
    features: u64,
}

impl Progress {
    pub(super) fn add_line(&mut self, line: &str) {
        let Some(rest) = line.strip_prefix('#') else { return };
        let mut words = rest.split_whitespace();
        let executions = words.next().map(|word| word.trim_end_matches(':').parse());
        let Some(Ok(executions)) = executions else { return };
        self.executions = self.executions.max(executions);
        while let Some(word) = words.next() {
            let value = match word {
                "cov:" => &mut self.edges,
                "ft:" => &mut self.features,
                _ => continue,
            };
            if let Some(Ok(number)) = words.next().map(str::parse) {
                *value = number;
            }
        }
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { executions, edges, features } = self;
        write!(f, "{executions} executions, coverage {edges} (features {features})")
    }
}
