//! `cargo xtask coverage`: which lines and regions of the core the Rust tests reach.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::failure::Failure;
use crate::process;
use crate::workspace::Workspace;

#[cfg(test)]
mod tests;

pub(crate) const HELP: &str = "\
Usage: cargo xtask coverage [--missed]

Runs the tests of all packages, compiled with instrumentation into a folder of their own, and prints
a table of the files of sansocket-core: regions, functions and lines, and how many were missed.

  --missed   name the lines that no test reaches, too

The tests in JavaScript do not count, since they kill their server. The compiler's own tools are
needed: rustup component add llvm-tools
";

/// What is measured. Its tests are left out.
const SOURCES: &str = "core/src";
const TESTS: &str = "/tests(/|\\.rs$)";

pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode, Failure> {
    let names_lines = match arguments {
        [] => false,
        [option] if option == "--missed" => true,
        _ => return Err(Failure::new("unknown option; see --help")),
    };
    let tools = Tools::locate()?;
    let folder = workspace.target().join("coverage");
    let profiles = folder.join("profiles");
    // Those of an earlier run would be counted too.
    let _ = fs::remove_dir_all(&profiles);
    let cargo = |arguments: &[&str]| -> Command {
        let mut command = workspace.cargo(&["test", "--workspace", "--exclude", "xtask"]);
        // With a target, the flags are for what runs on it, and not for build scripts.
        command.args(["--target", &tools.host, "--target-dir"]).arg(&folder).args(arguments);
        command.env("RUSTFLAGS", "-C instrument-coverage");
        command.env("LLVM_PROFILE_FILE", profiles.join("%p-%m.profraw"));
        command
    };
    let messages = process::capture(&mut cargo(&["--no-run", "--message-format=json"]))?;
    process::run(&mut cargo(&["--lib", "--bins", "--tests"]))?;

    let merged = folder.join("merged.profdata");
    let mut merge = Command::new(&tools.profdata);
    process::run(merge.args(["merge", "--sparse", "--output"]).arg(&merged).arg(&profiles))?;
    let report = |subcommand: &str| -> Command {
        let mut command = Command::new(&tools.cov);
        command.arg(subcommand).arg("--instr-profile").arg(&merged);
        for executable in executables(&messages) {
            command.arg("--object").arg(executable);
        }
        command.arg("--ignore-filename-regex").arg(TESTS);
        command
    };
    let sources = workspace.root().join(SOURCES);
    print!("{}", process::capture(report("report").arg("--sources").arg(&sources))?);
    if names_lines {
        let mut export = report("export");
        let lines = process::capture(export.arg("--format=lcov").arg("--sources").arg(&sources))?;
        for line in missed_lines(&lines, workspace.root()) {
            println!("{line}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The tools of the compiler in use, which alone are sure to read what it writes.
struct Tools {
    host: String,
    profdata: PathBuf,
    cov: PathBuf,
}

impl Tools {
    fn locate() -> Result<Self, Failure> {
        let version = process::capture(Command::new("rustc").arg("-vV"))?;
        let host = version.lines().find_map(|line| line.strip_prefix("host: "));
        let host = host.ok_or_else(|| Failure::new("rustc does not tell its host"))?.to_owned();
        let root = process::capture(Command::new("rustc").args(["--print", "sysroot"]))?;
        let folder = Path::new(root.trim()).join("lib/rustlib").join(&host).join("bin");
        let tool = |name: &str| -> Result<PathBuf, Failure> {
            let path = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
            if path.is_file() {
                Ok(path)
            } else {
                Err(Failure::new(format!("no {name}: rustup component add llvm-tools")))
            }
        };
        Ok(Self { profdata: tool("llvm-profdata")?, cov: tool("llvm-cov")?, host })
    }
}

/// The test programs that cargo's messages name.
fn executables(messages: &str) -> BTreeSet<&str> {
    let named = messages.lines().filter_map(|line| line.split_once("\"executable\":\""));
    named.filter_map(|(_, rest)| rest.split_once('"')).map(|(path, _)| path).collect()
}

/// The lines that were never reached, as `path:line`, from a report in the format of lcov.
fn missed_lines(report: &str, root: &Path) -> Vec<String> {
    let mut file = "";
    let mut missed = Vec::new();
    for line in report.lines() {
        if let Some(path) = line.strip_prefix("SF:") {
            file = path;
        } else if let Some(number) =
            line.strip_prefix("DA:").and_then(|data| data.strip_suffix(",0"))
        {
            let path = Path::new(file);
            let path = path.strip_prefix(root).unwrap_or(path);
            missed.push(format!("{}:{number}", path.display()));
        }
    }
    missed
}
