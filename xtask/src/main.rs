//! The project's own tasks, run as `cargo xtask TASK`; `cargo xtask help` lists them.
//!
//! Everything here is plain `std`, so that a fresh machine builds it in seconds and before any of
//! the dependencies that it checks.
#![expect(clippy::print_stdout, reason = "a command-line tool speaks on standard output")]

mod bench;
mod chat;
mod check_core;
mod counts;
mod coverage;
mod endure;
mod failure;
mod fuzz;
mod instructions;
mod json;
mod mutants;
mod prerequisites;
mod process;
mod runtime;
mod sabotage;
mod simulate;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use failure::Failure;
use workspace::Workspace;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_else(|| "help".to_owned());
    let arguments: Vec<String> = arguments.collect();
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        print!("{}", overview());
        return ExitCode::SUCCESS;
    }
    let Some(task) = TASKS.iter().find(|task| task.name == name) else {
        eprint!("xtask: there is no task {name:?}\n\n{}", overview());
        return ExitCode::from(2);
    };
    if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        print!("{}", task.help);
        return ExitCode::SUCCESS;
    }
    match Workspace::locate().and_then(|workspace| (task.run)(&workspace, &arguments)) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("xtask {name}: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// One word after `cargo xtask`.
struct Task {
    name: &'static str,
    summary: &'static str,
    help: &'static str,
    run: fn(&Workspace, &[String]) -> Result<ExitCode, Failure>,
}

const TASKS: &[Task] = &[
    Task {
        name: "test",
        summary: "every check and every test, as continuous integration runs them",
        help: test::HELP,
        run: test::run,
    },
    Task {
        name: "chat",
        summary: "build and start the chat example",
        help: chat::HELP,
        run: chat::run,
    },
    Task {
        name: "check-core",
        summary: "prove that the core cannot do IO",
        help: check_core::HELP,
        run: check_core::run,
    },
    Task {
        name: "coverage",
        summary: "what of the core the tests reach",
        help: coverage::HELP,
        run: coverage::run,
    },
    Task {
        name: "mutants",
        summary: "whether the tests notice changes of the core",
        help: mutants::HELP,
        run: mutants::run,
    },
    Task {
        name: "fuzz",
        summary: "look for inputs that make a target panic",
        help: fuzz::HELP,
        run: fuzz::run,
    },
    Task {
        name: "simulate",
        summary: "long runs of the simulated world against the reference model",
        help: simulate::HELP,
        run: simulate::run,
    },
    Task {
        name: "endure",
        summary: "a server under clients that come and go, or that mean no good",
        help: endure::HELP,
        run: endure::run,
    },
    Task {
        name: "instructions",
        summary: "what operations cost, held against committed figures",
        help: instructions::HELP,
        run: instructions::run,
    },
    Task {
        name: "bench",
        summary: "measure ours beside other servers, and render the tables and plots",
        help: bench::HELP,
        run: bench::run,
    },
    Task {
        name: "sabotage",
        summary: "break the core on purpose, and see that the simulator finds it",
        help: sabotage::HELP,
        run: sabotage::run,
    },
    Task { name: "tidy", summary: "the repository's own rules", help: tidy::HELP, run: tidy::run },
];

fn overview() -> String {
    let mut text = "Usage: cargo xtask TASK [OPTIONS]\n\nTasks:\n".to_owned();
    for task in TASKS {
        text.push_str(&format!("  {:<14}{}\n", task.name, task.summary));
    }
    text.push_str("\n`cargo xtask TASK --help` describes one of them.\n");
    text
}
