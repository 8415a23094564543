//! The fixture server of `tests/interop/CONTRACT.md` on tokio.

use std::io;

use sansocket_tests::contract;
use sansocket_tokio::{OnRuntime, Server};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

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
            server.close(contract::CLOSE_DEADLINE).await;
        }
    });
    match contract::tls()? {
        Some(config) => server.serve_tls(listener, config).await?,
        None => server.serve(listener).await?,
    }
    closing.await.map_err(io::Error::other)
}
