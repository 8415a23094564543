//! Clients that ask for more than they take, or than the application gives.

use std::io;
use std::time::Duration;

use sansocket_core::codec::websocket::Opcode;
use sansocket_tests::client::{Http, Polling, WebSocket, eventually, frame};
use sansocket_tokio::{Builder, Limits, Server};

use crate::support::{SHORT, TestServer, quick};

/// More than the buffers of a loopback connection take.
const FLOOD_BYTES: usize = 64 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_events_for_a_handler_that_does_not_finish() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let mut websocket = WebSocket::join(server.address).await?;
    let event = format!(r#"42["wait","{}"]"#, "a".repeat(1_000));
    let events = frame(Opcode::Text, event.as_bytes()).repeat(100);
    // The server stops reading; otherwise this would go on for as long as it pleases.
    let quiet = Duration::from_millis(300);
    let sent = websocket.http.send_until_stuck(&events, quiet).await?;
    assert!(sent < FLOOD_BYTES, "{sent} bytes were taken");
    // It goes on with the application, so nothing was lost.
    server.gate.add_permits(tokio::sync::Semaphore::MAX_PERMITS);
    let rest = &events[sent % events.len()..];
    websocket.http.send(rest).await?;
    websocket.echo().await?;
    drop(websocket);
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn large_events_for_a_handler_that_does_not_finish() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let mut websocket = WebSocket::join(server.address).await?;
    let event = format!(r#"42["wait","{}"]"#, "a".repeat(900_000));
    let events = frame(Opcode::Text, event.as_bytes());
    let sent = websocket.http.send_until_stuck(&events, Duration::from_millis(300)).await?;
    // What the limits of the inbox let in, and the buffers of the connection: not as many events
    // as a handler may be behind by.
    assert!(sent < FLOOD_BYTES / 2, "{sent} bytes were taken");
    server.gate.add_permits(tokio::sync::Semaphore::MAX_PERMITS);
    websocket.http.send(&events[sent % events.len()..]).await?;
    websocket.echo().await?;
    drop(websocket);
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_posts_for_a_handler_that_does_not_finish() -> io::Result<()> {
    let mut limits = Limits::default();
    limits.inbox_events = 100;
    let server = TestServer::start(quick().limits(limits)).await;
    let mut polling = Polling::open(server.address).await?;
    polling.join().await?;
    let events = vec![r#"42["wait"]"#; 200].join("\x1e");
    polling.post(&events).await?;
    // The next one is held back, until the application has caught up.
    let target = polling.target("polling");
    polling.post.request("POST", &target, &events).await?;
    let mut another = WebSocket::join(server.address).await?;
    another.echo().await?;
    server.gate.add_permits(1_000);
    let response = polling.post.response().await?;
    assert_eq!(response.map(|response| response.status), Some(200));
    polling.echo().await?;
    // Again, and this time the client does not wait for it.
    server.gate.forget_permits(1_000);
    polling.post(&events).await?;
    polling.post.request("POST", &target, &events).await?;
    drop((polling, another));
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_of_broadcasts_is_disconnected() -> io::Result<()> {
    let server = TestServer::start(slow_readers(1 << 20)).await;
    let slow = WebSocket::join(server.address).await?;
    let mut quick = WebSocket::join(server.address).await?;
    let payload = "a".repeat(100_000);
    let mut overflowed = 0;
    for _ in 0..1_000 {
        overflowed += server.io.emit("news", &payload).expect("a string").overflowed;
        assert!(server.io.stats().outbox_bytes <= 2 * (1 << 20) + 200_000);
        if overflowed > 0 {
            break;
        }
        quick.expect(r#"42["news""#).await?;
    }
    assert_eq!(overflowed, 1);
    eventually("the slow one is gone", || server.io.stats().sockets == 1).await;
    // It still does not read, and still nothing is kept for it.
    eventually("nothing is left of it", || server.io.stats().connections == 1).await;
    quick.echo().await?;
    drop(quick);
    server.rests().await;
    drop(slow);
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_that_answers_no_ping_is_disconnected() -> io::Result<()> {
    let builder = slow_readers(64 << 20).ping_interval(SHORT).ping_timeout(Duration::from_secs(1));
    let server = TestServer::start(builder).await;
    let slow = WebSocket::join(server.address).await?;
    for _ in 0..300 {
        server.io.emit("news", &"a".repeat(100_000)).expect("a string");
    }
    server.rests().await;
    drop(slow);
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_disconnected_and_does_not_read() -> io::Result<()> {
    let server = TestServer::start(slow_readers(64 << 20)).await;
    let slow = WebSocket::join(server.address).await?;
    for _ in 0..300 {
        server.io.emit("news", &"a".repeat(100_000)).expect("a string");
    }
    server.io.disconnect_sockets(true);
    server.rests().await;
    drop(slow);
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_that_nobody_reads() -> io::Result<()> {
    let server = TestServer::start(slow_readers(100_000)).await;
    let mut websocket = WebSocket::join(server.address).await?;
    let connect = format!("40/{},", "a".repeat(400));
    let connects = frame(Opcode::Text, connect.as_bytes()).repeat(1_000);
    // The outbox overflows, and the connection is closed.
    while websocket.http.send(&connects).await.is_ok() {
        assert!(server.io.stats().outbox_bytes <= 100_000);
    }
    server.rests().await;
    drop(websocket);
    // On polling they have to be fetched too.
    let mut polling = Polling::open(server.address).await?;
    let connects = vec![connect.as_str(); 1_000].join("\x1e");
    polling.post(&connects).await?;
    server.rests().await;
    drop(polling);
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn more_namespaces_than_allowed() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let namespaces = Limits::default().namespaces;
    for name in 0..=namespaces {
        server.io.of(&format!("/{name}"));
    }
    let mut websocket = WebSocket::connect(server.address).await?;
    for name in 0..namespaces {
        websocket.send_text(&format!("40/{name},")).await?;
        websocket.expect(&format!("40/{name},{{")).await?;
    }
    assert_eq!(server.io.stats().sockets, namespaces);
    websocket.send_text(&format!("40/{namespaces},")).await?;
    assert_eq!(websocket.close_code().await, 1005);
    drop(websocket);
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledgements_that_nobody_asked_for_or_that_never_come() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let mut websocket = WebSocket::join(server.address).await?;
    for id in [0, 1, 7, 9_007_199_254_740_991_u64] {
        websocket.send_text(&format!("43{id}[\"a\"]")).await?;
    }
    websocket.echo().await?;
    websocket.send_text(r#"42["ask"]"#).await?;
    let question = websocket.expect("42").await?;
    eventually("one is owed", || server.io.stats().pending_acks == 1).await;
    let id = question[2..].split('[').next().unwrap_or_default();
    // The handler waits for this one; that it does not fit its type is no fault of the protocol.
    websocket.send_text(&format!("43{id}[\"no number\"]")).await?;
    websocket.expect(r#"42["answered",false]"#).await?;
    websocket.send_text(r#"42["ask"]"#).await?;
    websocket.expect("42").await?;
    drop(websocket);
    server.finish().await;
    Ok(())
}

/// A failed write must not leave anything behind that another client could be sent.
#[tokio::test(flavor = "current_thread")]
async fn what_one_client_did_not_take_is_not_sent_to_another() -> io::Result<()> {
    let mut limits = Limits::default();
    limits.inbox_events = 1;
    let server = TestServer::start(Server::builder().limits(limits)).await;
    let mut victim = WebSocket::join(server.address).await?;
    // The server does not read from this client while its handler runs, so it does not learn that
    // the client has gone before it writes.
    let events = frame(Opcode::Text, br#"42["wait"]"#).repeat(200);
    victim.http.send(events).await?;
    let mut other = WebSocket::join(server.address).await?;
    other.echo().await?;
    victim.http.reset();
    for _ in 0..20 {
        server.io.in_("lobby").except("nobody").emit("secret", &()).expect("no value");
        other.expect(r#"42["secret"#).await?;
    }
    let mut late = WebSocket::join(server.address).await?;
    late.send_text(r#"420["echo","a"]"#).await?;
    assert_eq!(late.next_text().await?, r#"430["a"]"#);
    other.send_text(r#"420["echo","a"]"#).await?;
    assert_eq!(other.next_text().await?, r#"430["a"]"#);
    drop((late, other));
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_nobody_reads() -> io::Result<()> {
    let server = TestServer::start(
        slow_readers(64 << 20).ping_interval(SHORT).ping_timeout(Duration::from_secs(1)),
    )
    .await;
    let mut polling = Polling::open(server.address).await?;
    polling.join().await?;
    server.io.emit("news", &"a".repeat(30_000_000)).expect("a string");
    polling.begin_poll().await?;
    server.rests().await;
    let mut other = Http::connect(server.address).await?;
    other.request("GET", &polling.target("polling"), "").await?;
    assert_eq!(other.response().await?.map(|response| response.status), Some(400));
    drop((polling, other));
    server.finish().await;
    Ok(())
}

fn slow_readers(outbox_bytes: usize) -> Builder {
    let mut limits = Limits::default();
    limits.outbox_bytes = outbox_bytes;
    Server::builder().limits(limits).close_timeout(SHORT)
}
