//! The server that benchmarks measure, on tokio: its current-thread runtime with one thread.

use std::io;

use sansocket_bench::{address, configure, install, threads};
use sansocket_tokio::Server;

fn main() -> io::Result<()> {
    let runtime = match threads() {
        1 => tokio::runtime::Builder::new_current_thread().enable_all().build(),
        threads => {
            let mut runtime = tokio::runtime::Builder::new_multi_thread();
            runtime.worker_threads(threads).enable_all().build()
        }
    };
    runtime?.block_on(async {
        let server = configure(Server::builder()).build()?;
        install(&server);
        server.listen(address()).await
    })
}
