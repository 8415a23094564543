//! How the machine's costs grow: broadcasts with the members of a room and with the number of
//! rooms, and memory with what a connection holds.
//!
//! `--list` names the broadcasts. `--only NAME --iterations N` prepares one and runs it N times,
//! for a tool that counts instructions; `--time NAME` prints the nanoseconds of processor time that
//! one delivery takes. `--memory` prints, step by step, what each more thing that a connection
//! holds adds to the process. `cargo xtask bench --scaling` does all of it.

mod broadcasts;
mod memory;
mod process;

use std::io::{self, Write};
use std::process::ExitCode;

use broadcasts::Broadcasts;

const USAGE: &str = "\
Usage: bench-scaling --list | --only NAME --iterations N | --time NAME | --memory
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut out = io::stdout().lock();
    let done = match *arguments {
        ["--list"] => Broadcasts::ALL.iter().try_for_each(|broadcasts| {
            let Broadcasts { members, rooms } = broadcasts;
            writeln!(out, "{} {members} {rooms} {}", broadcasts.iterations(), broadcasts.name())
        }),
        ["--only", name, "--iterations", count] => match (find(name), count.parse::<u64>()) {
            (Some(broadcasts), Ok(count)) => {
                let mut send = broadcasts.prepare();
                (0..count).for_each(|_| send());
                Ok(())
            }
            (None, _) | (_, Err(_)) => return usage(),
        },
        ["--time", name] => match find(name) {
            Some(broadcasts) => writeln!(out, "{:.1}", broadcasts.nanoseconds_per_delivery()),
            None => return usage(),
        },
        ["--memory"] => memory::measure(&mut out),
        _ => return usage(),
    };
    if done.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn find(name: &str) -> Option<&'static Broadcasts> {
    Broadcasts::ALL.iter().find(|broadcasts| broadcasts.name() == name)
}

fn usage() -> ExitCode {
    eprint!("{USAGE}");
    ExitCode::from(2)
}
