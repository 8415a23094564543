//! `cargo xtask bench`: ours against other servers, and what the documents say about it.

mod clients;
mod codec;
mod markers;
mod options;
mod plot;
mod render;
mod results;
mod scaling;
mod suite;

use std::fs;
use std::process::ExitCode;

use crate::failure::Failure;
use crate::workspace::Workspace;

use options::Task;
use results::Results;

pub(crate) const HELP: &str = "\
Usage: cargo xtask bench --suite FOLDER [--threads] [OPTIONS]
       cargo xtask bench --scaling
       cargo xtask bench --clients
       cargo xtask bench --render [FILE]

  --suite FOLDER   measures our servers on each runtime, and other servers, by the run.sh of a load
                   generator's folder, which is no part of this repository
  --threads        with two threads and several shards instead: throughput and latency
  --scaling        measures how the machine's cost grows with members and rooms, and what it holds
  --clients        measures our client beside others, and prints a table
  --render [FILE]  only writes README.md, docs/performance.md and the plots anew: from the lines of
                   JSON that a run of the suite has left in FILE, or from what is kept in bench/

Each measurement is kept in bench/, trimmed to medians, and rendered from there; but nothing is kept
of a run with --cases or --quick.

OPTIONS, which are passed on to run.sh:
  --servers LIST   the other servers [raw-tokio socketioxide bun-engine node]
  --cases LIST, --rounds N, --idle-rounds N, --duration S, --warmup S, --cpu N, --quick
";

pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode, Failure> {
    match options::parse(arguments)? {
        Task::Suite { folder, threads, is_complete, options } => {
            let file = suite::run(workspace, &folder, threads, &options)?;
            if !is_complete {
                println!("not all cases for their full time, so nothing is kept");
                return Ok(ExitCode::SUCCESS);
            }
            let kept = if threads { results::THREADS } else { results::SERVERS };
            keep(workspace, &file, kept)?;
        }
        Task::Scaling => scaling::measure(workspace)?,
        Task::Clients => {
            clients::measure(workspace)?;
            return Ok(ExitCode::SUCCESS);
        }
        Task::Render(None) => {}
        Task::Render(Some(file)) => keep(workspace, &file, results::SERVERS)?,
    }
    render::all(workspace)?;
    Ok(ExitCode::SUCCESS)
}

/// Fails if a document shows something else than what is kept.
pub(crate) fn check(workspace: &Workspace) -> Result<(), Failure> {
    render::check(workspace)
}

/// Writes what documents show of the results.
pub(crate) fn render(workspace: &Workspace) -> Result<(), Failure> {
    render::all(workspace)
}

/// Trims the results in `file` to medians, and keeps them in the repository.
fn keep(workspace: &Workspace, file: &std::path::Path, kept: &str) -> Result<(), Failure> {
    let read_failure = |error| Failure::new(format!("{}: {error}", file.display()));
    let text = fs::read_to_string(file).map_err(read_failure)?;
    let modified = fs::metadata(file).and_then(|metadata| metadata.modified());
    let results = Results::from_runs(&text, results::date(modified.map_err(read_failure)?))?;
    write(workspace, kept, &results.to_string())
}

/// Writes a file of the repository, unless it is so already.
fn write(workspace: &Workspace, path: &str, text: &str) -> Result<(), Failure> {
    let file = workspace.root().join(path);
    if fs::read_to_string(&file).is_ok_and(|old| old == text) {
        return Ok(());
    }
    println!("writing {path}");
    fs::write(file, text).map_err(|error| Failure::new(format!("{path}: {error}")))
}
