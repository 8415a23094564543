//! A server that is made to endure: `cargo xtask endure`.
//!
//! `soak` lets clients of all transports come and go, many of them without a farewell, and looks at
//! what is left when the last has gone. `attack` measures how long an echo takes while others do
//! their worst. The server is a process of its own, so that its memory is its own too.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool")]

mod attack;
mod attacks;
mod lives;
mod server;
mod soak;

use std::process::ExitCode;
use std::time::Duration;

const USAGE: &str = "\
Usage: endurance soak [--clients N] [--seconds S] [--seed N]
       endurance attack [--seconds S] [--seed N]

soak    N clients at a time (2000) come and go for S seconds (1200)
attack  each kind of attack lasts S seconds (5)
";

/// What the command line says.
struct Options {
    clients: usize,
    time: Option<Duration>,
    seed: u64,
}

fn options(arguments: &[String]) -> Option<Options> {
    let mut options = Options { clients: 2_000, time: None, seed: 1 };
    for pair in arguments.chunks(2) {
        let [name, value] = pair else { return None };
        match &**name {
            "--clients" => options.clients = value.parse().ok()?,
            "--seconds" => options.time = Some(Duration::from_secs(value.parse().ok()?)),
            "--seed" => options.seed = value.parse().ok()?,
            _ => return None,
        }
    }
    Some(options)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (&**command, rest),
        None => ("", &[][..]),
    };
    if let ("attackers", [address, number, rest @ ..]) = (command, rest)
        && let Some(options) = options(rest)
    {
        return exit_code(attack::attackers(address, number, &options).map(|()| true));
    }
    let result = match (command, options(rest)) {
        ("server", Some(_)) => server::run().map(|()| true),
        ("soak", Some(options)) => soak::run(&options),
        ("attack", Some(options)) => attack::run(&options),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    exit_code(result)
}

fn exit_code(result: std::io::Result<bool>) -> ExitCode {
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("endurance: {error}");
            ExitCode::FAILURE
        }
    }
}
