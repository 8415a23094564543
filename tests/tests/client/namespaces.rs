//! Several namespaces on one connection.

use sansocket_tests::client::{PATIENCE, eventually, in_time};
use sansocket_tokio::client::{ConnectError, DisconnectReason, Socket};
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
    let join = |number: u32| {
        let (sender, left) = (sender.clone(), sender.clone());
        root.of("/a")
            .on("said", move |_: Socket, (): ()| {
                let sent = sender.send((number, "said"));
                async move { sent }
            })
            .on_disconnect(move |_: Socket, _: DisconnectReason| {
                let sent = left.send((number, "left"));
                async move { sent }
            })
    };
    let a = join(0).connect().await.expect("it connects");
    for _ in 0..20 {
        drop(root.of("/a").start().expect("settings"));
    }
    assert!(a.connected());
    drop(a);
    // Left while it is being connected, of which nobody learns, or just after.
    for number in 100..120 {
        drop(join(number).start().expect("settings"));
    }
    assert_eq!(next(&mut said).await, Some((0, "left")));
    for number in 1..20 {
        let again = join(number).connect().await.expect("it connects again");
        again.emit("say", &()).expect("connected");
        // The handlers of those before are forgotten.
        assert_eq!(next(&mut said).await, Some((number, "said")));
        drop(again);
        assert_eq!(next(&mut said).await, Some((number, "left")));
    }
    drop(sender);
    assert_eq!(next(&mut said).await, None);
    in_time("close", root.close()).await;
    server.finish().await;
}

/// What the handlers of those say that were not left at once.
async fn next(
    said: &mut mpsc::UnboundedReceiver<(u32, &'static str)>,
) -> Option<(u32, &'static str)> {
    loop {
        match in_time("a handler", said.recv()).await {
            Some((100.., _)) => {}
            other => return other,
        }
    }
}
