//! Clients that are never short of packets, beside one that has few: on tokio, which can be told to
//! ask the network before it goes on with them.

mod support;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sansocket_core::codec::websocket::Opcode;
use sansocket_tests::client::{Polling, WebSocket, frame};
use sansocket_tokio::Socket;
use tokio::task::JoinSet;

use support::{TestServer, quick};

const FLOODERS: usize = 16;
const ECHOES: usize = 100;

/// Events of others that are handled while one waits for its answer: the share of each flooder that
/// was not known as one, and some turns. One poll of each task used to be 512, and 61 of them passed
/// until the network was asked.
const BETWEEN_MAX: usize = FLOODERS * 64 * 2;

/// A server, on the thread of this test as all its clients, that counts events.
async fn counting() -> (TestServer, Arc<AtomicUsize>) {
    let count = Arc::<AtomicUsize>::default();
    let server = TestServer::start(quick()).await;
    let counted = count.clone();
    server.io.on("count", move |_: Socket| {
        counted.fetch_add(1, Ordering::Relaxed);
        std::future::ready(())
    });
    (server, count)
}

/// The most events that were handled between a question and its answer.
async fn longest_wait(server: &TestServer, count: &AtomicUsize) -> io::Result<usize> {
    let mut websocket = WebSocket::join(server.address).await?;
    let mut most = 0;
    let mut all = 0;
    for _ in 0..ECHOES {
        let before = count.load(Ordering::Relaxed);
        websocket.echo().await?;
        let between = count.load(Ordering::Relaxed) - before;
        most = most.max(between);
        all += between;
    }
    assert!(all > ECHOES, "there was nobody else");
    websocket.close().await?;
    Ok(most)
}

#[tokio::test]
async fn who_floods_is_not_waited_for() -> io::Result<()> {
    let (server, count) = counting().await;
    let mut flooders = JoinSet::new();
    for _ in 0..FLOODERS {
        let mut websocket = WebSocket::join(server.address).await?;
        flooders.spawn(async move {
            let events = frame(Opcode::Text, br#"42["count"]"#).repeat(4_096);
            while websocket.http.send(&events).await.is_ok() {}
        });
    }
    let most = longest_wait(&server, &count).await?;
    assert!(most <= BETWEEN_MAX, "{most} events of others were handled before one answer");
    flooders.shutdown().await;
    server.finish().await;
    Ok(())
}

#[tokio::test]
async fn who_floods_by_posts_is_not_waited_for() -> io::Result<()> {
    let (server, count) = counting().await;
    let mut flooders = JoinSet::new();
    for _ in 0..FLOODERS {
        let mut polling = Polling::open(server.address).await?;
        polling.join().await?;
        flooders.spawn(async move {
            let events = vec![r#"42["count"]"#; 4_000].join("\x1e");
            while polling.post(&events).await.is_ok() {}
        });
    }
    let most = longest_wait(&server, &count).await?;
    assert!(most <= BETWEEN_MAX, "{most} events of others were handled before one answer");
    flooders.shutdown().await;
    server.finish().await;
    Ok(())
}
