//! `cargo xtask simulate`: long seeded runs of the simulated world.

use std::path::Path;
use std::process::{Command, ExitCode};

use crate::failure::Failure;
use crate::process;
use crate::workspace::{Profile, Workspace};

pub(crate) const HELP: &str = "\
Usage: cargo xtask simulate [--seed N] [--steps M] [--episode E] [--replay HEX]
                            [--seconds S] [--shrink-seconds S]

Builds the simulator optimised and runs it: episodes of a world of shards, clients, a network and an
application, held against the reference model after every step, until enough steps are done or a
violation is found. A violation comes with its seed, its step, the shortest trace that was found in
the time for it, and the command that repeats it. `--help` of the simulator itself:

  --seed N            what all episodes are drawn from; 1 if it is not given
  --steps M           ends after so many steps; 1000000 if it is not given
  --seconds S         ends after so much time
  --episode E         runs this episode of the seed alone, and prints its trace
  --replay HEX        runs the episode that these bytes are, and prints its trace
  --shrink-seconds S  how long to look for a shorter failure; 10 if it is not given
";

/// The package and what it is built of: without drivers and runtimes, it is built in seconds.
pub(crate) const SIMULATOR: [&str; 5] =
    ["--package", "sansocket-tests", "--no-default-features", "--bin", "simulate"];

/// What a run among all the tests is: enough to see that the simulator works, and more than the
/// property tests do.
const STEPS_OF_A_TEST: &str = "1000000";

pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode, Failure> {
    build(workspace)?;
    let mut command = Command::new(workspace.binary(Profile::Release, "simulate"));
    let status = command
        .args(arguments)
        .status()
        .map_err(|error| Failure::new(format!("cannot run the simulator: {error}")))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// A run of a few seconds.
pub(crate) fn check(workspace: &Workspace) -> Result<(), Failure> {
    build(workspace)?;
    let simulator = workspace.binary(Profile::Release, "simulate");
    process::run(Command::new(simulator).args(["--steps", STEPS_OF_A_TEST]))
}

fn build(workspace: &Workspace) -> Result<(), Failure> {
    let mut command = workspace.cargo(&["build", "--release"]);
    process::run(command.args(SIMULATOR))
}

/// Builds the simulator of the tree at `root`, as fast as can be; it is not to be measured.
pub(crate) fn build_quickly(
    workspace: &Workspace,
    root: &Path,
    target: &Path,
) -> Result<bool, Failure> {
    let mut command = workspace.cargo(&["build", "--release", "--quiet", "--locked"]);
    command
        .args(SIMULATOR)
        .arg("--target-dir")
        .arg(target)
        .current_dir(root)
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "0");
    let (built, errors) = process::attempt(&mut command)?;
    if !built {
        eprintln!("{errors}");
    }
    Ok(built)
}
