//! What an idle connection costs.

mod support;

use std::io;

use sansocket_tests::client::{WebSocket, eventually};
use sansocket_tests::memory::resident_bytes;
use sansocket_tokio::Server;

use support::TestServer;

const CONNECTIONS: usize = 2_000;

/// Both ends are in this process. In a debug build they were measured as 4 108 bytes.
const BYTES_MAX: usize = 16 << 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_connection_is_small() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let mut clients = Vec::with_capacity(CONNECTIONS);
    for _ in 0..50 {
        clients.push(WebSocket::join(server.address).await?);
    }
    let before = resident_bytes();
    while clients.len() < CONNECTIONS {
        let mut client = WebSocket::join(server.address).await?;
        client.http.shrink();
        clients.push(client);
    }
    eventually("all are connected", || server.io.stats().sockets == CONNECTIONS).await;
    if let (Some(before), Some(after)) = (before, resident_bytes()) {
        let each = after.saturating_sub(before) / (CONNECTIONS - 50);
        eprintln!("{each} bytes for each idle connection, both ends");
        assert!(each < BYTES_MAX, "{each} bytes for each");
    }
    drop(clients);
    server.finish().await;
    Ok(())
}
