//! A chat: one process with a page, the tutorial's events on `/`, and rooms with history, presence,
//! files and typing hints on `/chat`. `examples/chat/EVENTS.md` says what goes over the wire.

mod events;
mod limits;
mod options;
mod page;
mod protocol;
mod state;
mod tutorial;

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Duration;

use sansocket_tokio::{ClientFiles, Cors, Server};
use tokio::net::TcpListener;

use options::Options;
use state::Chat;

/// Time for clients to take what is queued for them when the server is stopped.
const CLOSE_DEADLINE: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chat: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let Some(options) = Options::parse(std::env::args_os().skip(1))? else {
        write!(io::stdout(), "{}", options::HELP)?;
        return Ok(());
    };
    let io = server(&options)?;
    tutorial::register(&io.of("/"));
    events::register(&io.of("/chat"));

    let listener = TcpListener::bind((options.host, options.port)).await?;
    writeln!(io::stdout(), "chat at http://{}", listener.local_addr()?)?;

    let closing = tokio::spawn({
        let io = io.clone();
        async move {
            stop_signal().await?;
            io.close(CLOSE_DEADLINE).await;
            Ok::<_, io::Error>(())
        }
    });
    // Ends when the server begins to close; the clients' connections take a little longer.
    io.serve(listener).await?;
    closing.await??;
    Ok(())
}

fn server(options: &Options) -> Result<Server, Box<dyn Error>> {
    let folder = &options.client_dir;
    let client = ClientFiles::from_dir(folder).map_err(|error| {
        let folder = folder.display();
        format!("no Socket.IO client in {folder}: {error}; `npm ci` in examples/chat installs it")
    })?;
    let mut builder = Server::builder()
        .state(Mutex::new(Chat::default()))
        .serve_client(client)
        .fallback(page::serve);
    if let Some(origin) = &options.allow_origin {
        builder = builder.cors(Cors::origin(origin));
    }
    Ok(builder.build()?)
}

/// Resolves when the process is asked to end, by Ctrl-C or by a service manager.
#[cfg(unix)]
async fn stop_signal() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn stop_signal() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}
