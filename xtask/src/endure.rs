//! `cargo xtask endure`: a whole server under clients that come and go, or that mean no good.

use std::process::{Command, ExitCode};

use crate::failure::Failure;
use crate::process;
use crate::workspace::{Profile, Workspace};

pub(crate) const HELP: &str = "\
Usage: cargo xtask endure soak [--clients N] [--seconds S] [--seed N]
       cargo xtask endure attack [--seconds S] [--seed N]

Builds a server and its clients optimised, and runs them in two processes on the loopback interface.

soak    N clients at a time (2000), on polling, on WebSockets, or on one after the other, come and
        go for S seconds (1200), most of them without a farewell, in four crowds between which the
        server rests; all that it held for them must be gone then, and memory must have settled
attack  measures how long an echo takes at rest and under each of some twenty attacks of S seconds
        (5); at the end, all that the server held must be gone
";

const PROGRAM: &str = "endurance";

pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode, Failure> {
    let build = ["build", "--release", "--package", "sansocket-tests", "--bin", PROGRAM];
    process::run(&mut workspace.cargo(&build))?;
    process::exit_code(
        Command::new(workspace.binary(Profile::Release, PROGRAM)).args(arguments),
        PROGRAM,
    )
}
