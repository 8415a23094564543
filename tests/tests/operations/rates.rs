//! What a client may send in a time. The exact times are tested in the core.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use sansocket_core::codec::websocket::Message;
use sansocket_tests::client::{Polling, WebSocket, eventually, in_time};
use sansocket_tokio::{DisconnectReason, ExceededRate, Excess, Rate, RateLimit, Server, Socket};

use crate::support::TestServer;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_much_is_dropped_and_told() -> io::Result<()> {
    let exceeded = Arc::new(AtomicUsize::new(0));
    let told = exceeded.clone();
    let limit = RateLimit::new().events(Rate::per_second(1).burst(3));
    let builder = Server::builder().socket_rate(limit).on_rate_exceeded(move |socket, rate| {
        assert!(socket.connected());
        assert_eq!(rate, ExceededRate::Events);
        told.fetch_add(1, Ordering::SeqCst);
    });
    let server = TestServer::start(builder).await;
    let begin = Instant::now();
    let mut client = WebSocket::join(server.address).await?;
    for number in 0..50 {
        client.send_text(&format!(r#"42{number}["echo","x"]"#)).await?;
    }
    for number in 0..3 {
        client.expect(&format!("43{number}")).await?;
    }
    let handled = || server.io.counters().events_received + server.io.counters().rate_dropped;
    eventually("all have come", || handled() == 50).await;
    // A machine that is slow may see more of them come in time.
    let admitted = server.io.counters().events_received;
    let allowed = 3 + begin.elapsed().as_secs() + 1;
    assert!((3..=allowed).contains(&admitted), "{admitted} of {allowed}");
    let row_count = exceeded.load(Ordering::SeqCst) as u64;
    assert!((1..=1 + admitted).contains(&row_count), "{row_count}");
    client.close().await?;
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_held_back_loses_nothing() -> io::Result<()> {
    let limit = RateLimit::new().events(Rate::per_second(100).burst(5)).excess(Excess::Delay);
    let server = TestServer::start(Server::builder().connection_rate(limit)).await;
    let mut websocket = WebSocket::join(server.address).await?;
    let begin = Instant::now();
    for number in 0..20 {
        websocket.send_text(&format!(r#"42{number}["echo","x"]"#)).await?;
    }
    for number in 0..20 {
        websocket.expect(&format!("43{number}[")).await?;
    }
    // However many of them one read has brought, the next one comes when all are made up for.
    websocket.send_text(r#"4220["echo","x"]"#).await?;
    websocket.expect("4320").await?;
    assert!(begin.elapsed() >= Duration::from_millis(160), "{:?}", begin.elapsed());
    assert!(server.io.counters().rate_delayed > 0);
    websocket.close().await?;

    let mut polling = Polling::open(server.address).await?;
    polling.join().await?;
    let begin = Instant::now();
    let packets: Vec<_> = (0..20).map(|number| format!(r#"42{number}["echo","x"]"#)).collect();
    polling.post(&packets.join("\u{1e}")).await?;
    // This one waits.
    in_time("the POST", polling.post(r#"4220["echo","x"]"#)).await?;
    polling.expect("4320").await?;
    assert!(begin.elapsed() >= Duration::from_millis(160), "{:?}", begin.elapsed());
    polling.post("1").await?;
    assert_eq!(server.io.counters().rate_dropped, 0);
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_floods_is_disconnected() -> io::Result<()> {
    let flood = RateLimit::new().bytes(Rate::per_second(1).burst(1_000));
    let builder = Server::builder().connection_rate(flood.excess(Excess::Disconnect));
    let server = TestServer::start(builder).await;
    let ended = Arc::new(AtomicUsize::new(0));
    let seen = ended.clone();
    server.io.on_disconnect(move |_: Socket, reason: DisconnectReason| {
        let counts = usize::from(reason == DisconnectReason::RateExceeded);
        seen.fetch_add(counts, Ordering::SeqCst);
        async {}
    });
    let mut client = WebSocket::join(server.address).await?;
    let text = "x".repeat(900);
    client.send_text(&format!(r#"420["echo","{text}"]"#)).await?;
    client.expect("430").await?;
    client.send_text(&format!(r#"421["echo","{text}"]"#)).await?;
    assert_eq!(client.next_text().await?, "41");
    assert!(matches!(client.next().await?, Some(Message::Close(_))));
    client.close().await?;
    eventually("the disconnect", || ended.load(Ordering::SeqCst) == 1).await;
    assert_eq!(server.io.counters().rate_disconnected, 1);
    server.finish().await;
    Ok(())
}

/// What the limit does not say, the application may do.
#[tokio::test(flavor = "multi_thread")]
async fn the_hook_may_disconnect() -> io::Result<()> {
    let limit = RateLimit::new().events(Rate::per_second(1).burst(10));
    let builder = Server::builder().socket_rate(limit).on_rate_exceeded(|socket, _| {
        socket.disconnect_connection();
    });
    let server = TestServer::start(builder).await;
    let mut client = WebSocket::join(server.address).await?;
    for _ in 0..100 {
        if client.send_text(r#"42["echo","x"]"#).await.is_err() {
            break;
        }
    }
    client.expect("41").await?;
    drop(client);
    server.finish().await;
    Ok(())
}
