//! Acknowledgements in both directions.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use sansocket_tests::client::{PATIENCE, eventually, in_time};
use sansocket_tokio::client::Socket;
use sansocket_tokio::{
    Ack, AckError, HandlerErrorKind, Reply, Server, Socket as ServerSocket, Transport,
};

use crate::Client;
use crate::support::TestServer;

#[tokio::test]
async fn the_server_answers() {
    let server = TestServer::start(Server::builder()).await;
    server.io.on("reverse", async |_: ServerSocket, data: Bytes| {
        Ack(Bytes::from(data.iter().rev().copied().collect::<Vec<_>>()))
    });
    let client = Client::builder(format!("http://{}", server.address)).connect().await;
    let client = client.expect("it connects");
    let text: String = client.emit_with_ack("echo", "x", PATIENCE).await.expect("an answer");
    assert_eq!(text, "x");
    let data = Bytes::from_static(&[1, 2, 3]);
    let data: Bytes = client.emit_with_ack("reverse", &data, PATIENCE).await.expect("an answer");
    assert_eq!(&data[..], [3, 2, 1]);
    let misfit = client.timeout(PATIENCE).emit_with_ack::<u32>("echo", "x").await;
    assert!(matches!(misfit, Err(AckError::Decode(_))), "{misfit:?}");
    let none = client.emit_with_ack::<()>("nobody", &(), Duration::from_millis(50)).await;
    assert!(matches!(none, Err(AckError::TimedOut)), "{none:?}");
    let waiting = client.emit_with_ack::<()>("wait", &(), PATIENCE);
    client.disconnect();
    let gone = in_time("the disconnect", waiting).await;
    assert!(matches!(gone, Err(AckError::Disconnected)), "{gone:?}");
    drop(client);
    server.finish().await;
}

#[tokio::test]
async fn the_client_answers_by_return_value_or_by_hand() {
    let server = TestServer::start(Server::builder()).await;
    server.io.on("collect", async |socket: ServerSocket, (): ()| {
        let mut answers: Vec<Option<String>> = Vec::new();
        for event in ["value", "ok", "by hand", "nothing", "failing"] {
            let wait = if event == "failing" { Duration::from_millis(50) } else { PATIENCE };
            answers.push(socket.emit_with_ack(event, &event, wait).await.ok());
        }
        Ack(answers)
    });
    let failures = Arc::new(AtomicUsize::new(0));
    let failed = failures.clone();
    let client = Client::builder(format!("http://{}", server.address))
        .on("value", async |_: Socket, text: String| Ack(text))
        .on("ok", async |_: Socket, text: String| Ok::<_, std::io::Error>(Ack(text)))
        .on("by hand", async |_: Socket, text: String, reply: Reply| reply.send(&text))
        .on("nothing", async |_: Socket, _: String| {})
        .on("failing", async |_: Socket, _: String| {
            Err::<(), _>(std::io::Error::other("on purpose"))
        })
        .on_error(move |error| {
            assert!(matches!(error.kind, HandlerErrorKind::Failed(_)), "{error}");
            assert_eq!((&*error.event, &*error.namespace), ("failing", "/"));
            failed.fetch_add(1, Ordering::SeqCst);
        })
        .connect()
        .await
        .expect("it connects");
    let answers: Vec<Option<String>> =
        client.emit_with_ack("collect", &(), PATIENCE).await.expect("an answer");
    let answers: Vec<_> = answers.iter().map(Option::as_deref).collect();
    // An empty answer is no text.
    assert_eq!(answers, [Some("value"), Some("ok"), Some("by hand"), None, None]);
    assert_eq!(failures.load(Ordering::SeqCst), 1);
    in_time("close", client.close()).await;
    server.finish().await;
}

#[tokio::test]
async fn a_handler_may_wait_for_an_acknowledgement() {
    let server = TestServer::start(Server::builder()).await;
    server.io.on("begin", async |socket: ServerSocket, (): ()| socket.emit("go", &()));
    let (sender, mut received) = tokio::sync::mpsc::unbounded_channel();
    let client = Client::builder(format!("http://{}", server.address))
        .on("go", move |socket: Socket, (): ()| {
            let sender = sender.clone();
            async move { sender.send(socket.emit_with_ack::<String>("echo", "x", PATIENCE).await) }
        })
        .connect()
        .await
        .expect("it connects");
    client.emit("begin", &()).expect("connected");
    let answer = in_time("the answer", received.recv()).await.expect("sent");
    assert_eq!(answer.expect("an answer"), "x");
    in_time("close", client.close()).await;
    server.finish().await;
}

#[tokio::test]
async fn whoever_waits_learns_of_the_end() {
    let server = TestServer::start(Server::builder()).await;
    let client = Client::builder(format!("http://{}", server.address)).connect().await;
    let client = client.expect("it connects");
    let waiting = client.emit_with_ack::<()>("wait", &(), PATIENCE);
    drop(client);
    let gone = in_time("the end", waiting).await;
    assert!(matches!(gone, Err(AckError::Disconnected)), "{gone:?}");
    server.finish().await;
}

/// What a handler does may leave something to be told, while the task is at work already and nothing
/// else wakes it.
#[tokio::test]
async fn a_handler_learns_of_what_it_does_itself() {
    let hour = Duration::from_secs(3600);
    let server = TestServer::start(Server::builder().ping_interval(hour)).await;
    server.io.on("begin", async |socket: ServerSocket, (): ()| socket.emit("go", &()));
    let (open, gate) = tokio::sync::watch::channel(false);
    let (begun, mut has_begun) = tokio::sync::mpsc::unbounded_channel();
    let (sender, mut received) = tokio::sync::mpsc::unbounded_channel();
    let client = Client::builder(format!("http://{}", server.address))
        .on("go", move |socket: Socket, (): ()| {
            let (begun, sender, mut gate) = (begun.clone(), sender.clone(), gate.clone());
            async move {
                let answer = socket.emit_with_ack::<()>("wait", &(), hour);
                begun.send(()).expect("the test waits");
                gate.changed().await.expect("the test opens it");
                socket.disconnect();
                sender.send(answer.await)
            }
        })
        .connect()
        .await
        .expect("it connects");
    eventually("the upgrade", || client.transport() == Some(Transport::WebSocket)).await;
    client.emit("begin", &()).expect("connected");
    in_time("the handler", has_begun.recv()).await.expect("it runs");
    open.send_replace(true);
    let answer = in_time("the end", received.recv()).await.expect("sent");
    assert!(matches!(answer, Err(AckError::Disconnected)), "{answer:?}");
    drop(client);
    server.finish().await;
}
