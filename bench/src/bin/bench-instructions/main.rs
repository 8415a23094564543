//! Small loops over the codec and the machine, for a tool that counts instructions.
//!
//! `--list` names them; `--only NAME --iterations N` prepares one and runs it N times. What the
//! preparation takes is left out by running it twice, with different N, and taking the difference.
//! `cargo xtask instructions` does that.

mod cases;
mod codec;
mod frames;
mod machine;
mod msgpack;

use std::io::{self, Write};
use std::process::ExitCode;

use cases::Case;

const USAGE: &str = "Usage: bench-instructions --list | --only NAME --iterations N\n";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match *arguments {
        ["--list"] => list().is_ok(),
        ["--only", name, "--iterations", count] => match (find(name), count.parse()) {
            (Some(case), Ok(count)) => {
                case.run(count);
                true
            }
            (None, _) | (_, Err(_)) => false,
        },
        _ => false,
    };
    if done {
        return ExitCode::SUCCESS;
    }
    eprint!("{USAGE}");
    ExitCode::from(2)
}

/// Each with the number of iterations that suffices for an average, as `N NAME`.
fn list() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for case in all() {
        writeln!(out, "{} {}", case.iterations, case.name)?;
    }
    Ok(())
}

fn find(name: &str) -> Option<Case> {
    all().into_iter().find(|case| case.name == name)
}

fn all() -> Vec<Case> {
    let mut cases = codec::cases();
    cases.extend(msgpack::cases());
    cases.extend(frames::cases());
    cases.extend(machine::cases());
    cases
}
