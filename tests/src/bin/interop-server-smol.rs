//! The fixture server of `tests/interop/CONTRACT.md` on smol, with one thread for everything.

use std::io;
use std::sync::Arc;

use async_signal::{Signal, Signals};
use sansocket_smol::{OnRuntime, Server, Smol};
use sansocket_tests::contract;
use smol::Executor;
use smol::net::TcpListener;
use smol::stream::StreamExt;

fn main() -> io::Result<()> {
    let executor = Arc::new(Executor::new());
    let running = executor.spawn(run(executor.clone()));
    smol::block_on(executor.run(running))
}

async fn run(executor: Arc<Executor<'static>>) -> io::Result<()> {
    let runtime = Arc::new(Smol::with_executor(&executor));
    let builder = contract::configure(Server::builder(), runtime.clone())?;
    let server = Server::from_io(builder.build_with(runtime)?);
    contract::install(&server);
    let listener = TcpListener::bind(contract::address()?).await?;
    let mut terminate = Signals::new([Signal::Term])?;
    contract::announce(listener.local_addr()?)?;
    let closing = executor.spawn({
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
