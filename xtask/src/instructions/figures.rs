//! The committed figures: their file, and how measured ones compare.

use std::collections::BTreeMap;
use std::fmt;

use crate::failure::Failure;

#[cfg(test)]
mod tests;

/// From how many percent a difference counts.
const PERCENT: u64 = 5;
/// Allocations are counted exactly, but buffers that grow are spread over all operations.
const ALLOCATIONS: f64 = 0.05;

/// What one operation costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cost {
    pub(crate) instructions: u64,
    pub(crate) allocations: f64,
}

/// The costs of all operations, as they are in the file.
#[derive(Debug, PartialEq)]
pub(crate) struct Figures {
    /// Compiler and libc.
    pub(super) made_with: String,
    pub(crate) costs: BTreeMap<String, Cost>,
}

const MADE_WITH: &str = "# made with: ";

impl Figures {
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let mut figures = Self { made_with: String::new(), costs: BTreeMap::new() };
        for line in text.lines() {
            if let Some(made_with) = line.strip_prefix(MADE_WITH) {
                figures.made_with = made_with.to_owned();
            } else if !line.starts_with('#') && !line.is_empty() {
                let (name, cost) = parse_line(line)
                    .ok_or_else(|| Failure::new(format!("instructions: no figures: {line}")))?;
                figures.costs.insert(name.to_owned(), cost);
            }
        }
        Ok(figures)
    }
}

fn parse_line(line: &str) -> Option<(&str, Cost)> {
    let (instructions, rest) = line.trim_start().split_once(' ')?;
    let (allocations, name) = rest.trim_start().split_once(' ')?;
    let cost =
        Cost { instructions: instructions.parse().ok()?, allocations: allocations.parse().ok()? };
    Some((name.trim(), cost))
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# Instructions and allocations of one operation, as callgrind counts them.")?;
        writeln!(f, "# Written by `cargo xtask instructions --update`.")?;
        writeln!(f, "{MADE_WITH}{}", self.made_with)?;
        writeln!(f, "#\n# instructions  allocations  operation")?;
        for (name, Cost { instructions, allocations }) in &self.costs {
            writeln!(f, "{instructions:>14} {allocations:>12.2}  {name}")?;
        }
        Ok(())
    }
}

/// What a comparison has found.
pub(super) struct Comparison {
    pub(super) table: String,
    /// Whatever became worse, or is on one side only.
    pub(super) findings: Vec<String>,
    /// Whether something is so much better that the file should say so.
    pub(super) is_better: bool,
}

pub(super) fn compare(committed: &Figures, measured: &Figures) -> Comparison {
    let mut table = format!("{:>12} {:>12} {:>8}  allocations\n", "committed", "measured", "");
    let mut findings = Vec::new();
    let mut is_better = false;
    for (name, now) in &measured.costs {
        let Some(before) = committed.costs.get(name) else {
            findings.push(format!("{name}: not in the file; cargo xtask instructions --update"));
            continue;
        };
        let percent = (now.instructions as f64 / before.instructions.max(1) as f64 - 1.0) * 100.0;
        table.push_str(&format!(
            "{:>12} {:>12} {percent:>+6.1} %  {:>5.2} {:>5.2}  {name}\n",
            before.instructions, now.instructions, before.allocations, now.allocations
        ));
        is_better |= now.instructions * 100 < before.instructions * (100 - PERCENT)
            || now.allocations < before.allocations - ALLOCATIONS;
        if now.instructions * 100 > before.instructions * (100 + PERCENT) {
            findings.push(format!(
                "{name}: {} instructions, {percent:.1} % more than {}",
                now.instructions, before.instructions
            ));
        }
        if now.allocations > before.allocations + ALLOCATIONS {
            findings.push(format!(
                "{name}: {:.2} allocations, where there were {:.2}",
                now.allocations, before.allocations
            ));
        }
    }
    for name in committed.costs.keys().filter(|name| !measured.costs.contains_key(*name)) {
        findings.push(format!("{name}: no longer measured; cargo xtask instructions --update"));
    }
    Comparison { table, findings, is_better }
}
