//! Clients by the thousand come and go, and nothing of them stays.

mod support;

use std::io;

use sansocket_core::codec::websocket::Opcode;
use sansocket_tests::client::{Polling, WebSocket};
use sansocket_tests::memory::resident_bytes;
use sansocket_tokio::Server;

use support::{SHORT, TestServer};

/// Rounds of one batch, on each way to connect.
const ROUNDS: usize = 2_000;

/// A leak of 100 bytes a round adds this to the resident memory with every batch.
const GROWTH_BYTES_MAX: usize = 100 * 3 * ROUNDS;

/// The allocator has its moods: arenas of threads, pages that are kept. They may make one batch
/// grow, but not every one, which is what a leak does.
const BATCHES_MAX: usize = 8;

#[derive(Clone, Copy)]
enum Way {
    WebSocket,
    Polling,
    Upgrade,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_stays_of_those_who_left() -> io::Result<()> {
    let builder = Server::builder().ping_interval(SHORT).ping_timeout(30 * SHORT);
    let server = TestServer::start(builder).await;
    let mut resident = Vec::new();
    for _ in 0..BATCHES_MAX {
        for way in [Way::WebSocket, Way::Polling, Way::Upgrade] {
            for round in 0..ROUNDS {
                match way {
                    Way::WebSocket => {
                        leave(WebSocket::join(server.address).await?, round).await?;
                    }
                    Way::Polling => poll_and_leave(&server, round).await?,
                    Way::Upgrade => {
                        let mut polling = Polling::open(server.address).await?;
                        polling.join().await?;
                        leave(polling.upgrade().await?, round).await?;
                    }
                }
            }
            server.rests().await;
        }
        let Some(bytes) = resident_bytes() else { break };
        resident.push(bytes);
        eprintln!("resident after each batch: {resident:?} bytes");
        if has_settled(&resident) {
            break;
        }
    }
    assert!(resident.is_empty() || has_settled(&resident), "it grows with every batch");
    server.finish().await;
    Ok(())
}

/// Whether the last batch added less than a leak would.
fn has_settled(resident: &[usize]) -> bool {
    matches!(resident, [.., before, after] if after.saturating_sub(*before) < GROWTH_BYTES_MAX)
}

async fn leave(mut websocket: WebSocket, round: usize) -> io::Result<()> {
    websocket.echo().await?;
    websocket.send_text(r#"42["ask"]"#).await?;
    if round.is_multiple_of(2) {
        websocket.expect("42").await?;
    }
    match round % 5 {
        0 => websocket.close().await?,
        1 => websocket.http.reset(),
        2 => drop(websocket),
        3 => websocket.send_text("41").await?,
        _ => {
            websocket.send_text("1").await?;
            websocket.send_frame(Opcode::Close, b"").await?;
        }
    }
    Ok(())
}

async fn poll_and_leave(server: &TestServer, round: usize) -> io::Result<()> {
    let mut polling = Polling::open(server.address).await?;
    polling.join().await?;
    polling.echo().await?;
    polling.post(r#"42["ask"]"#).await?;
    match round % 4 {
        0 => drop(polling.post("1").await?),
        1 => drop(polling.post("41\x1e1").await?),
        2 => {
            polling.begin_poll().await?;
            polling.get.reset();
        }
        // Found out by its missing pong.
        _ => drop(polling),
    }
    Ok(())
}
