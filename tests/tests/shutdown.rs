//! The end of a server.

mod support;

use std::io;
use std::time::Duration;

use sansocket_core::codec::websocket::Message;
use sansocket_tests::client::{Http, Polling, WebSocket, in_time, visit};
use sansocket_tokio::{Io, Server};

use support::{SHORT, TestServer};

#[tokio::test(flavor = "multi_thread")]
async fn clients_are_told() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let mut websocket = WebSocket::join(server.address).await?;
    server.io.sockets_join("websockets");
    let mut waiting = Polling::open(server.address).await?;
    waiting.join().await?;
    waiting.begin_poll().await?;
    // Time enough for the GET to be there, though nobody promises it.
    visit(server.address).await?;
    server.io.to("websockets").emit("last words", &()).expect("no value");
    let io = server.io.clone();
    let closing = tokio::spawn(async move { Io::close(&io, Duration::from_secs(600)).await });
    in_time("the accept loop's end", server.io.closed()).await;

    // What was queued still arrives, then the end.
    websocket.expect(r#"42["last words"]"#).await?;
    // Nothing is said of the namespace.
    assert_eq!(websocket.next().await?, Some(Message::Close(None)));
    drop(websocket);
    // A GET that the server has not read when it closes its idle connections is not answered.
    if let Some(response) = waiting.get.response().await? {
        assert_eq!(response.body, "1");
    }
    drop(waiting);
    closing.abort();
    server.finish_closed().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn new_clients_are_refused() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let websocket = WebSocket::join(server.address).await?;
    // Connected before, and not yet a session.
    let mut early = Http::connect(server.address).await?;
    let io = server.io.clone();
    let closing = tokio::spawn(async move { Io::close(&io, Duration::from_secs(600)).await });
    in_time("the accept loop's end", server.io.closed()).await;
    if early.request("GET", "/socket.io/?EIO=4&transport=polling", "").await.is_ok() {
        let response = early.response().await?;
        assert!(response.is_none_or(|response| response.status == 503));
    }
    assert!(WebSocket::connect(server.address).await.is_err());
    websocket.close().await?;
    in_time("Server::close", closing).await?;
    server.finish_closed().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deadline_ends_who_does_not_read() -> io::Result<()> {
    let builder = Server::builder().close_timeout(Duration::from_secs(600));
    let server = TestServer::start(builder).await;
    let slow = WebSocket::join(server.address).await?;
    for _ in 0..100 {
        server.io.emit("news", &"a".repeat(100_000)).expect("a string");
    }
    in_time("Server::close", Io::close(&server.io, SHORT)).await;
    server.rests().await;
    // Its stream is gone, too.
    let mut http = slow.http;
    http.read_to_end().await;
    server.finish_closed().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_does_not_finish_ends_at_the_deadline() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let mut websocket = WebSocket::join(server.address).await?;
    websocket.send_text(r#"42["wait"]"#).await?;
    in_time("Server::close", Io::close(&server.io, SHORT)).await;
    server.rests().await;
    assert_eq!(websocket.close_code().await, 1005);
    server.finish_closed().await;
    Ok(())
}
