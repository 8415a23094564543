//! Several namespaces on one connection.

use sansocket_tests::client::{PATIENCE, eventually, in_time};
use sansocket_tokio::client::{ConnectError, Socket};
use sansocket_tokio::{Ack, Server, Socket as ServerSocket};
use tokio::sync::mpsc;

use crate::Client;
use crate::support::TestServer;

#[tokio::test]
async fn they_share_a_connection_and_end_apart() {
    let server = TestServer::start(Server::builder()).await;
    for name in ["/a", "/b"] {
        server.io.of(name).on("name", async |socket: ServerSocket, (): ()| {
            Ack(socket.namespace().name().to_owned())
        });
    }
    let a = Client::builder(format!("http://{}/a", server.address)).connect().await;
    let a = a.expect("it connects");
    let b = a.of("b").connect().await.expect("it connects");
    assert_eq!((a.namespace(), b.namespace()), ("/a", "/b"));
    assert_eq!((server.io.stats().sessions, server.io.stats().sockets), (1, 2));
    for client in [&a, &b] {
        let name: String = client.emit_with_ack("name", &(), PATIENCE).await.expect("an answer");
        assert_eq!(name, client.namespace());
    }
    let error = a.of("/none").connect().await.map(drop).expect_err("there is none");
    assert!(matches!(error, ConnectError::Refused { .. }), "{error:?}");
    drop(a);
    eventually("one has left", || server.io.stats().sockets == 1).await;
    let name: String = b.emit_with_ack("name", &(), PATIENCE).await.expect("an answer");
    assert_eq!(name, "/b");
    in_time("close", b.close()).await;
    server.finish().await;
}

#[tokio::test]
async fn one_that_was_left_can_be_joined_again() {
    let server = TestServer::start(Server::builder()).await;
    server.io.of("/a").on("say", async |socket: ServerSocket, (): ()| socket.emit("said", &()));
    let root = Client::builder(format!("http://{}", server.address)).connect().await;
    let root = root.expect("it connects");
    let (sender, mut said) = mpsc::unbounded_channel();
    let a = root
        .of("/a")
        .on("said", move |_: Socket, (): ()| {
            let sent = sender.send(());
            async move { sent }
        })
        .connect()
        .await
        .expect("it connects");
    for _ in 0..20 {
        let again = root.of("/a").start().expect("settings");
        drop(again);
    }
    assert!(a.connected());
    drop(a);
    for round in 0..20 {
        let again = root.of("/a").connect().await.expect("it connects again");
        again.emit("say", &()).expect("connected");
        // The handler was registered for the namespace.
        assert_eq!(in_time("the handler", said.recv()).await, Some(()), "round {round}");
    }
    in_time("close", root.close()).await;
    server.finish().await;
}
