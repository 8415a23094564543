//! `cargo xtask test`: every check and every test, one after the other.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use crate::counts::{Runner, TestCounts};
use crate::failure::Failure;
use crate::runtime::{Runtime, trees};
use crate::workspace::{Profile, Workspace};
use crate::{chat, check_core, instructions, prerequisites, process, simulate, tidy};

mod selection;

use selection::{Request, Selection};

pub(crate) const HELP: &str = "\
Usage: cargo xtask test [--only STEP[,STEP]] [--skip STEP[,STEP]] [--list]

Runs the steps in order, stops at the first that fails, and prints how long each took and how many
tests ran.

  --only STEP[,STEP]   run these steps alone
  --skip STEP[,STEP]   leave these out
  --list               say what the steps are and run none

The JavaScript steps need Node.js 20 or later with npm, and the browser step Chromium (the variable
CHROMIUM names another one). On Debian, as root, what is missing is installed.
";

pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode, Failure> {
    let names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
    match selection::parse(arguments, &names)? {
        Request::List => {
            for step in STEPS {
                println!("{:<14}{}", step.name, step.summary);
            }
            Ok(ExitCode::SUCCESS)
        }
        Request::Run(selection) => Ok(run_steps(workspace, &selection)),
    }
}

/// One step. It adds the tests that it ran to the counts, whether or not it succeeds.
struct Step {
    name: &'static str,
    summary: &'static str,
    run: fn(&Workspace, &mut TestCounts) -> Result<(), Failure>,
}

/// Cheap steps come first, and what others build upon before them.
const STEPS: &[Step] = &[
    Step {
        name: "tidy",
        summary: "the repository's own rules",
        run: |workspace, _| tidy::check(workspace).map(drop),
    },
    Step { name: "format", summary: "rustfmt", run: |workspace, _| format(workspace) },
    Step {
        name: "clippy",
        summary: "clippy over all targets, warnings are errors",
        run: |workspace, _| clippy(workspace),
    },
    Step {
        name: "docs",
        summary: "rustdoc, private items included, warnings are errors",
        run: |workspace, _| docs(workspace),
    },
    Step {
        name: "core",
        summary: "proof that the core cannot do IO",
        run: |workspace, _| check_core::check(workspace),
    },
    Step {
        name: "trees",
        summary: "no runtime in the dependencies of another",
        run: |workspace, _| trees::check(workspace),
    },
    Step {
        name: "build",
        summary: "all packages and targets",
        run: |workspace, _| build(workspace),
    },
    Step { name: "test", summary: "cargo test over all packages", run: cargo_test },
    Step {
        name: "simulate",
        summary: "a short run of the simulated world",
        run: |workspace, _| simulate::check(workspace),
    },
    Step {
        name: "instructions",
        summary: "what operations cost, held against committed figures",
        run: |workspace, _| instructions::check(workspace),
    },
    Step {
        name: "interop",
        summary: "the official JavaScript parsers and clients against ours, on each runtime",
        run: interop,
    },
    Step {
        name: "client",
        summary: "our client against the official server, on each runtime",
        run: client,
    },
    Step {
        name: "embedding",
        summary: "the official client against servers inside web applications",
        run: embedding,
    },
    Step {
        name: "browser",
        summary: "the chat example, JSONP and compression in a headless browser, on each runtime",
        run: browser,
    },
];

fn format(workspace: &Workspace) -> Result<(), Failure> {
    process::run(&mut workspace.cargo(&["fmt", "--all", "--check"]))?;
    // Packages that are workspaces of their own are not reached by `--all`.
    for manifest in workspace.files()?.iter().filter(|path| path.ends_with("/Cargo.toml")) {
        if workspace.read(manifest)?.lines().any(|line| line == "[workspace]") {
            process::run(&mut workspace.cargo(&["fmt", "--check", "--manifest-path", manifest]))?;
        }
    }
    Ok(())
}

fn clippy(workspace: &Workspace) -> Result<(), Failure> {
    let arguments =
        ["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"];
    process::run(&mut workspace.cargo(&arguments))
}

fn docs(workspace: &Workspace) -> Result<(), Failure> {
    let arguments =
        ["doc", "--workspace", "--all-features", "--no-deps", "--document-private-items"];
    process::run(workspace.cargo(&arguments).env("RUSTDOCFLAGS", "-D warnings"))
}

fn build(workspace: &Workspace) -> Result<(), Failure> {
    process::run(&mut workspace.cargo(&["build", "--workspace", "--all-targets"]))
}

fn cargo_test(workspace: &Workspace, counts: &mut TestCounts) -> Result<(), Failure> {
    process::run_tests(&mut workspace.cargo(&["test", "--workspace"]), Runner::Cargo, counts)
}

fn interop(workspace: &Workspace, counts: &mut TestCounts) -> Result<(), Failure> {
    let vectors = workspace.folder("tests/vectors")?;
    prerequisites::npm_packages(&vectors)?;
    process::run_tests(&mut node_test(workspace, &vectors)?, Runner::Node, counts)?;
    let folder = workspace.folder("tests/interop")?;
    prerequisites::npm_packages(&folder)?;
    let mut runs = Vec::new();
    for runtime in Runtime::ALL {
        let server = build_binary(workspace, &runtime.binary("interop-server"))?;
        for tls in [false, true] {
            let mut node = node_test(workspace, &folder)?;
            node.env("SERVER_COMMAND", &server);
            let name = if tls {
                node.env("TLS", "1");
                format!("{runtime}, TLS")
            } else {
                runtime.to_string()
            };
            runs.push(suite_run(name, &mut node, counts)?);
        }
    }
    all_alike(&runs)
}

fn client(workspace: &Workspace, counts: &mut TestCounts) -> Result<(), Failure> {
    prerequisites::npm_packages(&workspace.folder("tests/interop")?)?;
    let mut cargo =
        workspace.cargo(&["test", "--package", "sansocket-tests", "--features", "node"]);
    cargo.args(["--test", "node", "--test", "node_smol", "--test", "node_async_std"]);
    process::run_tests(&mut cargo, Runner::Cargo, counts)
}

fn embedding(workspace: &Workspace, counts: &mut TestCounts) -> Result<(), Failure> {
    let folder = workspace.folder("tests/embedding")?;
    prerequisites::npm_packages(&folder)?;
    let axum = build_binary(workspace, "with-axum")?;
    let hyper = build_binary(workspace, "with-hyper")?;
    let mut node = node_test(workspace, &folder)?;
    node.env("AXUM_COMMAND", axum).env("HYPER_COMMAND", hyper);
    process::run_tests(&mut node, Runner::Node, counts)
}

fn browser(workspace: &Workspace, counts: &mut TestCounts) -> Result<(), Failure> {
    let folder = workspace.folder("tests/browser")?;
    prerequisites::npm_packages(&folder)?;
    let client = chat::client_folder(workspace)?;
    let chromium = prerequisites::chromium()?;
    let mut runs = Vec::new();
    for runtime in Runtime::ALL {
        let chat = build_binary(workspace, &runtime.binary("chat"))?;
        let server = build_binary(workspace, &runtime.binary("interop-server"))?;
        // The tests fill in the port and split the words at spaces.
        let (chat, client) = (chat.display(), client.display());
        let command = format!("{chat} --port {{port}} --client-dir {client}");
        let mut node = node_test(workspace, &folder)?;
        node.env("CHAT_COMMAND", command).env("SERVER_COMMAND", server).env("CHROMIUM", &chromium);
        runs.push(suite_run(runtime.to_string(), &mut node, counts)?);
    }
    all_alike(&runs)
}

/// Runs a suite once, and says how many tests ran.
fn suite_run(
    name: String,
    node: &mut Command,
    total: &mut TestCounts,
) -> Result<(String, TestCounts), Failure> {
    let mut counts = TestCounts::default();
    let outcome = process::run_tests(node, Runner::Node, &mut counts);
    *total += counts;
    println!("{name}: {counts}");
    outcome.map(|()| (name, counts))
}

/// One suite for all: what one runtime is asked, every other is asked too.
fn all_alike(runs: &[(String, TestCounts)]) -> Result<(), Failure> {
    for (name, counts) in runs {
        println!("{name:<16}{counts}");
    }
    match runs.iter().find(|(_, counts)| Some(counts) != runs.first().map(|(_, first)| first)) {
        Some((name, _)) => Err(Failure::new(format!("{name} did not run the same tests"))),
        None => Ok(()),
    }
}

fn build_binary(workspace: &Workspace, name: &str) -> Result<PathBuf, Failure> {
    // For one package alone, cargo would resolve features anew and build the dependencies again.
    process::run(&mut workspace.cargo(&["build", "--workspace", "--bin", name]))?;
    Ok(workspace.binary(Profile::Dev, name))
}

/// `node --test` over the test files in `folder`. They are named one by one, since what a folder
/// means as an argument differs between versions of Node.js.
fn node_test(workspace: &Workspace, folder: &Path) -> Result<Command, Failure> {
    let files: Vec<PathBuf> = workspace
        .files()?
        .iter()
        .map(|path| workspace.root().join(path))
        .filter(|path| path.starts_with(folder) && is_node_test(path))
        .collect();
    if files.is_empty() {
        return Err(Failure::new(format!("no *.test.js in {}", folder.display())));
    }
    let mut command = Command::new("node");
    // One file after the other: the tests have time limits, and share the machine with a browser.
    command.args(["--test", "--test-reporter=spec", "--test-concurrency=1"]);
    for file in &files {
        command.arg(file.strip_prefix(folder).unwrap_or(file));
    }
    // What cargo sets for tests in Rust; the servers here run as users would start them.
    command.env_remove("SMOL_THREADS").env_remove("ASYNC_STD_THREAD_COUNT");
    command.current_dir(folder);
    Ok(command)
}

fn is_node_test(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    [".test.js", ".test.mjs", ".test.cjs"].into_iter().any(|end| name.ends_with(end))
}

/// Runs what was selected and prints the table and the closing line, which come last whatever
/// happened before.
fn run_steps(workspace: &Workspace, selection: &Selection) -> ExitCode {
    let mut counts = TestCounts::default();
    let mut report = Vec::new();
    let mut code = ExitCode::SUCCESS;
    for step in STEPS.iter().filter(|step| selection.includes(step.name)) {
        println!("\n== {}: {}", step.name, step.summary);
        let started = Instant::now();
        let outcome = (step.run)(workspace, &mut counts);
        report.push(table_row(step.name, outcome.is_ok(), started.elapsed()));
        if let Err(failure) = outcome {
            eprintln!("xtask test: {} failed:\n{failure}", step.name);
            code = ExitCode::FAILURE;
            break;
        }
    }
    println!("\n{:<14}{:<8}time", "step", "result");
    for row in report {
        println!("{row}");
    }
    println!("\n{counts}");
    code
}

fn table_row(name: &str, passed: bool, elapsed: Duration) -> String {
    let result = if passed { "ok" } else { "FAILED" };
    format!("{name:<14}{result:<8}{:.1} s", elapsed.as_secs_f64())
}
