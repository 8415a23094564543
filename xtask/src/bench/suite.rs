//! Having the load generator measure our servers beside others.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;
use crate::process;
use crate::workspace::{Profile, Workspace};

/// One of our servers: its label in the results, its settings and its program. The load generator
/// gives it its port.
type OurServer = (String, String, &'static str);

const PROGRAMS: [&str; 3] = ["bench-server", "bench-server-smol", "bench-server-async-std"];

/// Throughput and latency with several threads, in cases where the server is what is waited for.
const CASES_OF_THREADS: &str = "echo-16 broadcast-8 rooms";

/// Runs the suite. Where its results are.
pub(super) fn run(
    workspace: &Workspace,
    suite: &Path,
    threads: bool,
    options: &[String],
) -> Result<PathBuf, Failure> {
    let suite = suite
        .canonicalize()
        .map_err(|error| Failure::new(format!("{}: {error}", suite.display())))?;
    let mut build = workspace.cargo(&["build", "--release", "--package", "sansocket-bench"]);
    process::run(build.args(PROGRAMS.iter().flat_map(|program| ["--bin", program])))?;
    let out = workspace.target().join("bench");
    let mut command = Command::new(suite.join("run.sh"));
    command.current_dir(&suite).arg("--out").arg(&out);
    let servers = if threads { several_threads() } else { one_thread() };
    for (label, settings, program) in &servers {
        let program = workspace.binary(Profile::Release, program);
        command.arg("--add").arg(format!("{label}=env {settings} {}", program.display()));
    }
    if threads {
        // No other server, and no processor for it alone.
        let labels: Vec<&str> = servers.iter().map(|(label, ..)| label.as_str()).collect();
        command.args(["--servers", &labels.join(" "), "--pin", "none"]);
        if !options.iter().any(|option| option == "--cases") {
            command.args(["--cases", CASES_OF_THREADS]);
        }
    }
    command.args(options);
    // The suite is built by a cargo of its own, into its own folder.
    for variable in ["CARGO_TARGET_DIR", "CARGO_MANIFEST_DIR", "RUSTFLAGS"] {
        command.env_remove(variable);
    }
    process::run(&mut command)?;
    Ok(out.join("results.jsonl"))
}

fn one_thread() -> Vec<OurServer> {
    let server = |label: &str, settings: &str, program| (label.into(), settings.into(), program);
    vec![
        server("ours", "THREADS=1", "bench-server"),
        server("ours-raw", "THREADS=1 DATA=raw", "bench-server"),
        server("ours-smol", "THREADS=1", "bench-server-smol"),
        server("ours-async-std", "ASYNC_STD_THREAD_COUNT=1", "bench-server-async-std"),
    ]
}

fn several_threads() -> Vec<OurServer> {
    let mut servers = Vec::new();
    for threads in [1, 2] {
        for shards in [1, 2, 4, 8] {
            servers.push((
                format!("ours-{threads}-{shards}"),
                format!("THREADS={threads} SHARDS={shards}"),
                "bench-server",
            ));
        }
    }
    servers
}
