//! `cargo xtask simulate`: long seeded runs of the simulated world.

use std::path::Path;
use std::process::{Command, ExitCode};

use crate::failure::Failure;
use crate::process;
use crate::workspace::{Profile, Workspace};

pub(crate) const HELP: &str = "\
Usage: cargo xtask simulate [--seed N] [--steps M] [--episode E] [--replay HEX]
                            [--seconds S] [--shrink-seconds S]
                            [--exhaustive N]

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
  --exhaustive N      runs every small world of N moves instead
";

/// The package and what it is built of: without drivers and runtimes, it is built in seconds.
const SIMULATOR: [&str; 7] = [
    "--profile",
    "simulation",
    "--package",
    "sansocket-tests",
    "--no-default-features",
    "--bin",
    "simulate",
];

/// What a run among all the tests is: enough to see that the simulator works, and more than the
/// property tests do.
const STEPS_OF_A_TEST: &str = "1000000";
/// The moves of a small world.
const MOVES_OF_A_TEST: &str = "6";

pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode, Failure> {
    process::exit_code(simulator(workspace)?.args(arguments), "the simulator")
}

/// Every small world, and a run of a few seconds.
pub(crate) fn check(workspace: &Workspace) -> Result<(), Failure> {
    process::run(simulator(workspace)?.args(["--exhaustive", MOVES_OF_A_TEST]))?;
    process::run(simulator(workspace)?.args(["--steps", STEPS_OF_A_TEST]))
}

fn simulator(workspace: &Workspace) -> Result<Command, Failure> {
    let mut command = workspace.cargo(&["build"]);
    process::run(command.args(SIMULATOR))?;
    Ok(Command::new(workspace.binary(Profile::Simulation, "simulate")))
}

/// Builds the simulator of another tree.
pub(crate) fn build(workspace: &Workspace, root: &Path, target: &Path) -> Result<bool, Failure> {
    let mut command = workspace.cargo(&["build", "--quiet", "--locked"]);
    command.args(SIMULATOR).arg("--target-dir").arg(target).current_dir(root);
    let (built, errors) = process::attempt(&mut command)?;
    if !built {
        eprintln!("{errors}");
    }
    Ok(built)
}
