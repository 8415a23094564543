//! The chat, on tokio. What it does stands in `src/chat`.

use std::error::Error;
use std::io;
use std::process::ExitCode;

use sansocket_examples::chat;
use sansocket_tokio::Server;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    chat::exit_code(run().await)
}

async fn run() -> Result<(), Box<dyn Error>> {
    let Some(options) = chat::options()? else { return Ok(()) };
    let io = chat::configure(Server::builder(), &options)?.build()?;
    chat::install(&io);

    let listener = TcpListener::bind((options.host, options.port)).await?;
    chat::announce(listener.local_addr()?)?;

    let closing = tokio::spawn({
        let io = io.clone();
        async move {
            stop_signal().await?;
            io.close(chat::CLOSE_DEADLINE).await;
            Ok::<_, io::Error>(())
        }
    });
    // Ends when the server begins to close; the clients' connections take a little longer.
    io.serve(listener).await?;
    closing.await??;
    Ok(())
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
