//! A chat: one process with a page, the tutorial's events on `/`, and rooms with history, presence,
//! files and typing hints on `/chat`. `examples/chat/EVENTS.md` says what goes over the wire.
//!
//! This is what is the same on every runtime. The programs are `chat` on tokio, `chat-smol` and
//! `chat-async-std`. An application for one runtime would take everything from that runtime's crate
//! and not know of `sansocket_driver`.

mod events;
mod limits;
mod options;
mod page;
mod protocol;
mod state;
mod tutorial;

use std::error::Error;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Duration;

use sansocket_driver::{Builder, ClientFiles, Cors, Io};

use state::Chat;

pub use options::{Options, UsageError};

/// Time for clients to take what is queued for them when the server is stopped.
pub const CLOSE_DEADLINE: Duration = Duration::from_secs(2);

/// What the command line asks for. `None` if that is help, which has been printed.
///
/// # Errors
///
/// If there is an option that does not exist or has no such value.
pub fn options() -> Result<Option<Options>, Box<dyn Error>> {
    let options = Options::parse(std::env::args_os().skip(1))?;
    if options.is_none() {
        write!(io::stdout(), "{}", options::HELP)?;
    }
    Ok(options)
}

/// The settings of the server.
///
/// # Errors
///
/// If the official client, which the page loads, is not installed.
pub fn configure<S>(builder: Builder<S>, options: &Options) -> Result<Builder<S>, Box<dyn Error>> {
    let folder = &options.client_dir;
    let client = ClientFiles::from_dir(folder).map_err(|error| {
        let folder = folder.display();
        format!("no Socket.IO client in {folder}: {error}; `npm ci` in examples/chat installs it")
    })?;
    let mut builder =
        builder.state(Mutex::new(Chat::default())).serve_client(client).fallback(page::serve);
    if let Some(origin) = &options.allow_origin {
        builder = builder.cors(Cors::origin(origin));
    }
    Ok(builder)
}

/// Registers every handler.
pub fn install(io: &Io) {
    tutorial::register(&io.of("/"));
    events::register(&io.of("/chat"));
}

/// Tells the user where the page is.
///
/// # Errors
///
/// If standard output is closed.
pub fn announce(address: SocketAddr) -> io::Result<()> {
    writeln!(io::stdout(), "chat at http://{address}")
}

/// How the process ends. A failure is told to the user.
pub fn exit_code(result: Result<(), Box<dyn Error>>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chat: {error}");
            ExitCode::FAILURE
        }
    }
}
