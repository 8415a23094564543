//! The fixture server of `tests/interop/CONTRACT.md` on smol.

use std::io;

use async_signal::{Signal, Signals};
use sansocket_smol::{OnRuntime, Server};
use sansocket_tests::contract;
use smol::net::TcpListener;
use smol::stream::StreamExt;

fn main() -> io::Result<()> {
    smol::block_on(run())
}

async fn run() -> io::Result<()> {
    let server = contract::configure(Server::builder(), Server::runtime())?.build()?;
    contract::install(&server);
    let listener = TcpListener::bind(contract::address()?).await?;
    let mut terminate = Signals::new([Signal::Term])?;
    contract::announce(listener.local_addr()?)?;
    let closing = smol::spawn({
        let server = server.clone();
        async move {
            terminate.next().await;
            server.close(contract::CLOSE_DEADLINE).await;
        }
    });
    match contract::tls()? {
        Some(config) => server.serve_tls(listener, config).await?,
        None => server.serve(listener).await?,
    }
    closing.await;
    Ok(())
}
