//! `sansocket-cli`: what `websocat` is for WebSocket, for Socket.IO.
//!
//! Each line of the standard input is an event to emit, and each thing that happens is a line of
//! JSON on the standard output. See `--help`.

mod options;
mod output;
mod session;
mod value;

use std::io::{self, Write};
use std::process::ExitCode;

use options::{Options, Request};

/// What was asked for is no command, or a file could not be read.
const USAGE: u8 = 1;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match Options::parse(lexopt::Parser::from_env()) {
        Ok(Request::Help) => {
            // Whoever does not read it needs none.
            let _ = io::stdout().write_all(options::HELP.as_bytes());
            ExitCode::SUCCESS
        }
        Ok(Request::Version) => {
            let _ = writeln!(io::stdout(), "sansocket-cli {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        Ok(Request::Run(options)) => session::run(*options).await,
        Err(error) => {
            output::complain(&format_args!("{error}; see --help"));
            ExitCode::from(USAGE)
        }
    }
}
