//! The server that benchmarks measure, on async-std: `ASYNC_STD_THREAD_COUNT` says how many
//! threads run tasks.

use std::io;

use sansocket_async_std::Server;
use sansocket_bench::{address, configure, install};

fn main() -> io::Result<()> {
    async_std::task::block_on(async {
        let server = configure(Server::builder()).build()?;
        install(&server);
        server.listen(address()).await
    })
}
