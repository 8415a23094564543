//! `cargo xtask fuzz`: looks for inputs that make a target panic.

mod minimise;
mod options;
mod progress;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::failure::Failure;
use crate::process;
use crate::workspace::Workspace;

use self::options::Request;
use self::progress::Progress;

pub(crate) const HELP: &str = "\
Usage: cargo xtask fuzz TARGET [--seconds N] [--jobs J]
       cargo xtask fuzz TARGET --minimise
       cargo xtask fuzz --list

Feeds a target with inputs that reach ever more of the code, until one makes it panic or the time is
over. The target `canary` has a planted bug: it succeeds if the bug is found.

  --seconds N   stop after N seconds (60)
  --jobs J      in J processes (1)
  --minimise    put what was found worth keeping into the committed corpus, as few and as small
                files as reach the same
  --list        say what the targets are and run none

Needs a nightly toolchain and cargo-fuzz. Without them, `cargo test` gives the targets what is in
the committed corpus.
";

/// Inputs are not made longer than this: more would not reach more.
const INPUT_BYTES_MAX: &str = "-max_len=4096";

/// The target whose bug must be found.
const CANARY: &str = "canary";

pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode, Failure> {
    let targets = targets(workspace)?;
    let names: Vec<&str> = targets.iter().map(String::as_str).collect();
    match options::parse(arguments, &names)? {
        Request::List => {
            for name in names {
                println!("{name}");
            }
        }
        Request::Run { target, seconds, jobs } => {
            let fuzzer = Fuzzer::new(workspace, target)?;
            fuzzer.build()?;
            fuzzer.look_for_failures(seconds, jobs)?;
        }
        Request::Minimise { target } => {
            let fuzzer = Fuzzer::new(workspace, target)?;
            fuzzer.build()?;
            minimise::minimise(&fuzzer)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn targets(workspace: &Workspace) -> Result<Vec<String>, Failure> {
    let files = workspace.files()?;
    let names = files.iter().filter_map(|path| {
        path.strip_prefix("fuzz/fuzz_targets/").and_then(|file| file.strip_suffix(".rs"))
    });
    Ok(names.map(str::to_owned).collect())
}

/// One target, and where what belongs to it lies.
struct Fuzzer<'a> {
    workspace: &'a Workspace,
    target: String,
}

impl<'a> Fuzzer<'a> {
    /// Fails with advice if a tool is missing.
    fn new(workspace: &'a Workspace, target: String) -> Result<Self, Failure> {
        if process::find("rustup").is_none() || !has_nightly()? {
            return Err(Failure::new(
                "fuzzing needs a nightly toolchain: rustup toolchain install nightly",
            ));
        }
        if process::find("cargo-fuzz").is_none() {
            return Err(Failure::new(
                "fuzzing needs cargo-fuzz: cargo install cargo-fuzz --locked",
            ));
        }
        Ok(Self { workspace, target })
    }

    /// What is committed.
    fn corpus(&self) -> PathBuf {
        self.workspace.root().join("fuzz/corpus").join(&self.target)
    }

    /// What the fuzzer has collected here: it is large, and not committed.
    fn collection(&self) -> Result<PathBuf, Failure> {
        let folder = self.workspace.target().join("fuzz-corpus").join(&self.target);
        create_folder(&folder)?;
        Ok(folder)
    }

    /// Inputs that made it fail.
    fn artifacts(&self) -> PathBuf {
        self.workspace.root().join("fuzz/artifacts").join(&self.target)
    }

    /// Built first, so that a failure of the run is one of the target.
    fn build(&self) -> Result<(), Failure> {
        process::run(self.cargo_fuzz("build").arg(&self.target))
    }

    /// The packages contain no `unsafe`, so a sanitizer would find nothing and take half of the
    /// time. The checks of a debug build are on.
    fn cargo_fuzz(&self, verb: &str) -> Command {
        let mut command = Command::new("rustup");
        command.args(["run", "nightly", "cargo", "fuzz", verb, "--fuzz-dir", "fuzz"]);
        command.args(["--sanitizer", "none", "--target-dir"]);
        command.arg(self.workspace.target().join("fuzz")).current_dir(self.workspace.root());
        command
    }

    fn look_for_failures(&self, seconds: u64, jobs: u32) -> Result<(), Failure> {
        let known = self.failures();
        let collection = self.collection()?;
        let mut command = self.cargo_fuzz("run");
        command.args(["--jobs", &jobs.to_string(), &self.target]).arg(&collection);
        // The canary is to find its bug, and not to be told.
        if self.target != CANARY {
            command.arg(self.corpus());
        }
        command.args(["--", INPUT_BYTES_MAX, &format!("-max_total_time={seconds}")]);
        command.args(["-timeout=20", "-rss_limit_mb=2048", "-print_final_stats=1"]);
        let mut progress = Progress::default();
        let succeeded = process::run_watched(&mut command, |line| progress.add_line(line))?;
        println!("\n{}: {progress}", self.target);

        let failures = self.failures();
        let new: Vec<&PathBuf> = failures.difference(&known).collect();
        if self.target == CANARY {
            return self.judge_canary(&new);
        }
        match new.first() {
            Some(input) => Err(Failure::new(self.advice(input))),
            None if succeeded => Ok(()),
            None => Err(Failure::new("the fuzzer failed without an input that shows why")),
        }
    }

    /// The bug must have been found; it is left for the next run to find again.
    fn judge_canary(&self, found: &[&PathBuf]) -> Result<(), Failure> {
        if found.is_empty() {
            return Err(Failure::new("the planted bug was not found"));
        }
        println!("the planted bug was found");
        for folder in [self.artifacts(), self.collection()?] {
            fs::remove_dir_all(&folder)
                .map_err(|error| Failure::new(format!("{}: {error}", folder.display())))?;
        }
        Ok(())
    }

    fn failures(&self) -> BTreeSet<PathBuf> {
        // The folder is created with the first failure.
        let entries = fs::read_dir(self.artifacts()).into_iter().flatten();
        entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
    }

    fn advice(&self, input: &Path) -> String {
        let (target, relative) = (&self.target, input.strip_prefix(self.workspace.root()));
        let input = relative.unwrap_or(input).display();
        format!(
            "{target} fails with {input}\n\n\
             Make it smaller:\n    \
             cargo +nightly fuzz tmin --fuzz-dir fuzz --sanitizer none {target} {input}\n\
             Keep it, under a name that says what it shows, and fix what it shows:\n    \
             cp {input} fuzz/corpus/{target}/regression-...\n    \
             cargo test --package sansocket-tests --test corpus\n\
             A test beside the code that was wrong says the same in words."
        )
    }
}

fn has_nightly() -> Result<bool, Failure> {
    let toolchains = process::capture(Command::new("rustup").args(["toolchain", "list"]))?;
    Ok(toolchains.lines().any(|line| line.starts_with("nightly")))
}

fn create_folder(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder)
        .map_err(|error| Failure::new(format!("{}: {error}", folder.display())))
}
