//! The fixture server of `tests/interop/CONTRACT.md` on tokio.

use std::io;
use std::time::Duration;

use sansocket_tests::contract;
use sansocket_tokio::{OnRuntime, Server};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// How long clients may take to hear of the end.
const CLOSE_DEADLINE: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> io::Result<()> {
    let server = contract::configure(Server::builder(), Server::runtime())?.build()?;
    contract::install(&server);
    let listener = TcpListener::bind(contract::address()?).await?;
    let mut terminate = signal(SignalKind::terminate())?;
    contract::announce(listener.local_addr()?)?;
    let closing = tokio::spawn({
        let server = server.clone();
        async move {
            terminate.recv().await;
            server.close(CLOSE_DEADLINE).await;
        }
    });
    server.serve(listener).await?;
    closing.await.map_err(io::Error::other)
}
