//! `cargo xtask check-core`: proof that the core cannot do IO.
//!
//! The compiler is the first guard, since the core is `no_std`. What it does not see is what the
//! core's dependencies do, so these are counted, their features are read, and a program without
//! `std` is linked from all of them.

use std::fs;
use std::process::{Command, ExitCode};

use crate::failure::Failure;
use crate::process;
use crate::workspace::Workspace;

mod dependencies;
mod source;

pub(crate) const HELP: &str = "\
Usage: cargo xtask check-core [--list]

Proves, as far as one target can, that sansocket-core does no IO:

  * what it depends on is exactly what xtask/core-dependencies.txt lists, each with its reason;
  * no dependency that is linked into it has its `std` feature on;
  * it is `no_std` without conditions, and names `std` nowhere outside its tests;
  * a program that brings its own panic handler links with it. The handler of `std` would clash, so
    nothing below the core uses `std`. A dependency that does use it is then added, to see this
    build fail.

  --list   print the dependencies as a table for the documentation, and check nothing
";

pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode, Failure> {
    match arguments {
        [] => check(workspace)?,
        [option] if option == "--list" => {
            print!("{}", dependencies::table(&workspace.read(dependencies::LIST)?)?);
        }
        _ => return Err(Failure::new("unknown option; see --help")),
    }
    Ok(ExitCode::SUCCESS)
}

/// All four checks.
pub(crate) fn check(workspace: &Workspace) -> Result<(), Failure> {
    dependencies::check(workspace)?;
    println!("the core's dependencies are those that are listed, without their std features");
    source::check(workspace)?;
    println!("the core's source does not name std");
    links_without_std(workspace)
}

/// Links the package `xtask/nostd-check`, which says how that proves anything.
fn links_without_std(workspace: &Workspace) -> Result<(), Failure> {
    const MANIFEST: &str = "xtask/nostd-check/Cargo.toml";
    const LOCK_FILE: &str = "xtask/nostd-check/Cargo.lock";
    // The package is a workspace of its own. With the lock file of ours, it is the same versions
    // that are checked.
    fs::copy(workspace.root().join("Cargo.lock"), workspace.root().join(LOCK_FILE))
        .map_err(|error| Failure::new(format!("cannot write {LOCK_FILE}: {error}")))?;
    let cargo = |arguments: &[&str]| -> Command {
        let mut command = workspace.cargo(arguments);
        command.args(["--manifest-path", MANIFEST, "--target-dir"]);
        command.arg(workspace.target().join("nostd-check"));
        command
    };
    process::run(&mut cargo(&["build"]))?;
    println!("the core links without std");

    let (succeeded, errors) =
        process::attempt(&mut cargo(&["build", "--quiet", "--features", "canary"]))?;
    if succeeded {
        return Err(Failure::new(
            "a dependency that uses std was added, and the build did not fail: it proves nothing",
        ));
    }
    if !errors.contains("panic_impl") {
        return Err(Failure::new(format!(
            "a dependency that uses std was added, and the build failed for another reason:\n{errors}"
        )));
    }
    println!("with a dependency that uses std it does not link, as it should be");
    Ok(())
}
