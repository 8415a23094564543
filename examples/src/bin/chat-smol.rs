//! The chat, on smol. What it does stands in `src/chat`.

use std::error::Error;
use std::process::ExitCode;

use async_signal::{Signal, Signals};
use sansocket_examples::chat;
use sansocket_smol::Server;
use smol::net::TcpListener;
use smol::stream::StreamExt;

fn main() -> ExitCode {
    chat::exit_code(smol::block_on(run()))
}

async fn run() -> Result<(), Box<dyn Error>> {
    let Some(options) = chat::options()? else { return Ok(()) };
    let io = chat::configure(Server::builder(), &options)?.build()?;
    chat::install(&io);

    let listener = TcpListener::bind((options.host, options.port)).await?;
    chat::announce(listener.local_addr()?)?;

    // Asked to end, by Ctrl-C or by a service manager.
    let mut signals = Signals::new([Signal::Int, Signal::Term])?;
    let closing = smol::spawn({
        let io = io.clone();
        async move {
            signals.next().await;
            io.close(chat::CLOSE_DEADLINE).await;
        }
    });
    // Ends when the server begins to close; the clients' connections take a little longer.
    io.serve(listener).await?;
    closing.await;
    Ok(())
}
