//! The server that benchmarks measure, on smol: `THREADS` of them run one executor, each also the
//! reactor when it has nothing else to do.

use std::io;
use std::sync::Arc;
use std::thread;

use sansocket_bench::{address, configure, install, threads};
use sansocket_smol::{OnRuntime, Server, Smol};
use smol::Executor;
use smol::future::pending;

fn main() -> io::Result<()> {
    let executor = Arc::new(Executor::new());
    let runtime = Arc::new(Smol::with_executor(&executor));
    let server = Server::from_io(configure(Server::builder()).build_with(runtime)?);
    install(&server);
    for _ in 1..threads() {
        let executor = executor.clone();
        thread::spawn(move || smol::block_on(executor.run(pending::<()>())));
    }
    let listening = executor.spawn(async move { server.listen(address()).await });
    smol::block_on(executor.run(listening))
}
