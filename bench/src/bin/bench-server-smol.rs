//! The server that benchmarks measure, on smol: `SMOL_THREADS` says how many run tasks.

use std::io;

use sansocket_bench::{address, configure, install};
use sansocket_smol::Server;

fn main() -> io::Result<()> {
    smol::block_on(async {
        let server = configure(Server::builder()).build()?;
        install(&server);
        server.listen(address()).await
    })
}
