//! `cargo xtask mutants`: does a test fail if the core is changed?

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use crate::failure::Failure;
use crate::process;
use crate::workspace::Workspace;

#[cfg(test)]
mod tests;

pub(crate) const HELP: &str = "\
Usage: cargo xtask mutants [--quick] [OPTIONS OF CARGO-MUTANTS]

Changes sansocket-core in one place after the other, runs its tests each time, and lists the changes
that no test has noticed. It takes seconds for each of some 1 600 places. What it found lies in
target/mutants, and docs/proof.md tells the state of things.

  --quick             without the slow tests; for what is missed, run again without
  --file GLOB         only changes in these files: --file 'core/src/engine/**'
  --re REGEX          only changes whose name matches
  --shard K/N         the K-th of N parts, counted from 0
  --iterate           leave out what an earlier run has caught
  --list              name the changes and make none

It needs cargo-mutants: cargo install --locked cargo-mutants
";

/// Few enough cases that a property does not take longer than the build.
const PROPTEST_CASES: &str = "32";

/// Tests that take longer than all others together.
const SLOW_TESTS: [&str; 6] = [
    "properties",
    "large_messages",
    "cases::sizes",
    "cases::limits",
    "survives_long_runs",
    "finds_the_first_special_byte",
];

pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode, Failure> {
    if process::find("cargo-mutants").is_none() {
        return Err(Failure::new(
            "cargo-mutants is not installed: cargo install --locked cargo-mutants",
        ));
    }
    let output = workspace.target().join("mutants");
    fs::create_dir_all(&output)
        .map_err(|error| Failure::new(format!("{}: {error}", output.display())))?;
    let is_quick = arguments.iter().any(|argument| argument == "--quick");
    let options = arguments.iter().filter(|argument| *argument != "--quick");
    let mut command = workspace.cargo(&["mutants", "--package", "sansocket-core", "--output"]);
    command.arg(&output).args(options).args(["--", "--lib"]);
    if is_quick {
        command.env("PROPTEST_CASES", PROPTEST_CASES).arg("--");
        for test in SLOW_TESTS {
            command.args(["--skip", test]);
        }
    }
    let outcome = process::run(&mut command);
    if !arguments.iter().any(|argument| argument == "--list") {
        println!("{}", Score::read(&output.join("mutants.out")));
    }
    // It counts as a failure if anything was missed, or never ended.
    outcome.map(|()| ExitCode::SUCCESS)
}

/// How many changes were noticed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Score {
    caught: usize,
    timeouts: usize,
    missed: usize,
    unviable: usize,
}

impl Score {
    /// Counts what cargo-mutants has noted in `folder`; what is not there is none.
    fn read(folder: &Path) -> Self {
        let count = |name: &str| {
            let text = fs::read_to_string(folder.join(name)).unwrap_or_default();
            text.lines().count()
        };
        Self {
            caught: count("caught.txt"),
            timeouts: count("timeout.txt"),
            missed: count("missed.txt"),
            unviable: count("unviable.txt"),
        }
    }

    /// Of the changes that compile, how many of a thousand were noticed.
    fn permille(&self) -> usize {
        let noticed = self.caught + self.timeouts;
        (noticed * 1_000).checked_div(noticed + self.missed).unwrap_or(1_000)
    }
}

impl std::fmt::Display for Score {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { caught, timeouts, missed, unviable } = self;
        let (percent, tenths) = (self.permille() / 10, self.permille() % 10);
        write!(
            f,
            "score {percent}.{tenths} %: {caught} caught, {timeouts} never ended, {missed} missed; \
             {unviable} do not compile"
        )
    }
}
