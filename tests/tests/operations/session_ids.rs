//! Ids of sessions that the application makes.

use std::collections::HashSet;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use sansocket_tests::client::{Http, Polling, WebSocket, upgrade_request, visit};
use sansocket_tokio::{Ack, Builder, ConnectionError, Refusal, Server, Sid, Socket};

use crate::support::TestServer;

const POLLING: &str = "/socket.io/?EIO=4&transport=polling";
const WEBSOCKET: &str = "/socket.io/?EIO=4&transport=websocket";

/// Ids that begin alike, as those of one node may.
fn numbered() -> Builder {
    let next = AtomicU64::new(0);
    Server::builder().shards(4).generate_id(move |_| {
        let number = next.fetch_add(1, Ordering::SeqCst);
        async move { Sid::parse(&format!("node1-{number:014}")).ok_or("no id") }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_found_by_the_ids_that_they_were_given() -> io::Result<()> {
    let server = TestServer::start(numbered().allow_eio3(true)).await;
    server.io.on("id", async |socket: Socket, (): ()| Ack(socket.id()));
    let mut sids = HashSet::new();
    for _ in 0..16 {
        let mut polling = Polling::open(server.address).await?;
        assert!(polling.sid.starts_with("node1-000"), "{}", polling.sid);
        sids.insert(polling.sid.clone());
        polling.join().await?;
        polling.echo().await?;
        let mut websocket = polling.upgrade().await?;
        websocket.echo().await?;
        websocket.send_text(r#"421["id"]"#).await?;
        let id = websocket.expect("431").await?;
        assert!(!id.contains("node1"), "{id}");
        websocket.close().await?;
        visit(server.address).await?;
    }
    assert_eq!(sids.len(), 16);
    // The socket of an older client is found by its id, in whichever shard.
    let target = "/socket.io/?EIO=3&transport=websocket";
    for _ in 0..8 {
        let mut older = WebSocket::connect_with(server.address, target, b"").await?;
        older.expect("40").await?;
        older.send_text(r#"421["id"]"#).await?;
        let answer = older.expect("431").await?;
        let id = answer.split('"').nth(1).and_then(sansocket_tokio::SocketId::parse);
        let id = id.ok_or_else(|| io::Error::other(answer))?;
        let socket = server.io.find_socket(&id).ok_or_else(|| io::Error::other("not found"))?;
        assert_eq!(socket.id(), id);
        older.close().await?;
    }
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_without_an_id_of_its_own_is_refused() -> io::Result<()> {
    let refused = Arc::new(Mutex::new(Vec::new()));
    let told = refused.clone();
    let builder = Server::builder()
        .generate_id(async |request| match request.uri.query() {
            Some(query) if query.contains("none") => Err("no id left"),
            _ => Sid::parse("the-same-each-time-0").ok_or("malformed"),
        })
        .on_connection_error(move |error: &ConnectionError<'_>| {
            let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
            told.push((error.refusal, error.code, error.reason.map(str::to_owned)));
        });
    let server = TestServer::start(builder).await;
    let take = || std::mem::take(&mut *refused.lock().unwrap_or_else(PoisonError::into_inner));
    let mut http = Http::connect(server.address).await?;
    http.request("GET", &format!("{POLLING}&none"), "").await?;
    let response = http.response().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
    let body = r#"{"code":3,"message":"Bad request"}"#;
    assert_eq!((response.status, &*response.body), (400, body));
    let reason = Some("no id left".to_owned());
    assert_eq!(take(), [(Refusal::SessionId, 3, reason.clone())]);
    let mut upgrade = Http::connect(server.address).await?;
    upgrade.send(upgrade_request(&format!("{WEBSOCKET}&none"))).await?;
    let response = upgrade.response().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
    assert_eq!((response.status, &*response.body), (400, "Bad request"));
    assert_eq!(take(), [(Refusal::SessionId, 3, reason)]);

    let mut first = Polling::open(server.address).await?;
    assert_eq!(first.sid, "the-same-each-time-0");
    http.request("GET", POLLING, "").await?;
    let response = http.response().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
    assert_eq!((response.status, &*response.body), (400, body));
    assert_eq!(take(), [(Refusal::SessionId, 3, None)]);
    // It is open when its id is found to be taken.
    let mut second = WebSocket::connect_with(server.address, WEBSOCKET, b"").await?;
    assert!(second.next().await?.is_none_or(|message| matches!(
        message,
        sansocket_core::codec::websocket::Message::Close(_)
    )));
    drop(second);
    first.join().await?;
    first.echo().await?;
    first.post("1").await?;
    // Free again.
    visit(server.address).await?;
    server.finish().await;
    Ok(())
}
