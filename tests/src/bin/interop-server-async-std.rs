//! The fixture server of `tests/interop/CONTRACT.md` on async-std.

use std::io;

use async_signal::{Signal, Signals};
use async_std::net::TcpListener;
use async_std::stream::StreamExt;
use async_std::task;
use sansocket_async_std::{OnRuntime, Server};
use sansocket_tests::contract;

fn main() -> io::Result<()> {
    task::block_on(run())
}

async fn run() -> io::Result<()> {
    let server = contract::configure(Server::builder(), Server::runtime())?.build()?;
    contract::install(&server);
    let listener = TcpListener::bind(contract::address()?).await?;
    let mut terminate = Signals::new([Signal::Term])?;
    contract::announce(listener.local_addr()?)?;
    let closing = task::spawn({
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
