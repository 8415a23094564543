//! Namespaces, middleware, and what the server is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sansocket_tests::client::{PATIENCE, eventually, in_time};
use sansocket_tokio::client::{ConnectError, DisconnectReason, Socket};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::server::{DELAY, Node};
use crate::Client;

#[tokio::test]
async fn a_refusal_comes_with_its_data() {
    let node = Node::start(&[]);
    let error = Client::builder(node.url("/refused")).connect().await.map(drop);
    let error = error.expect_err("it is refused");
    let ConnectError::Refused { message, data: Some(data) } = error else { panic!("{error:?}") };
    assert_eq!((&*message, data.as_str()), ("not allowed", r#"{"code":42}"#));
    let error = Client::builder(node.url("/none")).connect().await.map(drop);
    let error = error.expect_err("there is none");
    assert!(
        matches!(&error, ConnectError::Refused { message, .. } if message == "Invalid namespace")
    );
}

#[tokio::test]
async fn auth_is_sent_as_a_value_or_asked_for_at_each_connect() {
    let node = Node::start(&[]);
    let token = Client::builder(node.url("/token"));
    let error = token.auth(&json!({ "token": "wrong" })).connect().await.map(drop);
    assert!(matches!(error, Err(ConnectError::Refused { message, .. }) if message == "bad token"));
    let token = Client::builder(node.url("/token")).auth(&json!({ "token": "secret" }));
    let client = token.connect().await.expect("it is let in");
    in_time("close", client.close()).await;

    let asked = Arc::new(AtomicU32::new(0));
    let count = asked.clone();
    let client = Client::builder(node.url(""))
        .reconnection_delay(DELAY, DELAY)
        .auth_with(move || {
            let number = count.fetch_add(1, Ordering::SeqCst);
            async move { json!({ "number": number }) }
        })
        .connect()
        .await
        .expect("it connects");
    let control = node.control().await;
    for number in 0..3 {
        let handshake: Value =
            client.emit_with_ack("handshake", &(), PATIENCE).await.expect("an answer");
        assert_eq!(handshake["auth"]["number"], number);
        let id = client.id();
        let () = control.ask("cut", &()).await;
        eventually("another connection", || client.connected() && client.id() != id).await;
    }
    assert_eq!(asked.load(Ordering::SeqCst), 4);
    in_time("close", client.close()).await;
}

#[tokio::test]
async fn query_and_headers_arrive() {
    let node = Node::start(&[]);
    let client = Client::builder(node.url("/?a=1"))
        .query("b", "x y&z")
        .header("X-Test", "yes")
        .connect()
        .await
        .expect("it connects");
    let seen: Value = client.emit_with_ack("handshake", &(), PATIENCE).await.expect("an answer");
    assert_eq!((&seen["query"]["a"], &seen["query"]["b"]), (&json!("1"), &json!("x y&z")));
    assert_eq!(seen["header"], "yes");
    in_time("close", client.close()).await;
}

#[tokio::test]
async fn several_namespaces_share_a_connection() {
    let node = Node::start(&[]);
    let root = Client::builder(node.url("")).connect().await.expect("it connects");
    let token = root.of("/token").auth(&json!({ "token": "secret" }));
    let token = token.connect().await.expect("it is let in");
    assert_ne!(root.id(), token.id());
    for client in [&root, &token] {
        let text: String =
            client.emit_with_ack("echo-ack", client.namespace(), PATIENCE).await.expect("it");
        assert_eq!(text, client.namespace());
    }
    drop(root);
    let text: String = token.emit_with_ack("echo-ack", "x", PATIENCE).await.expect("an answer");
    assert_eq!(text, "x");
    let control = node.control().await;
    loop {
        let sockets: u32 = control.ask("sockets", &()).await;
        if sockets == 0 {
            break;
        }
    }
    in_time("close", token.close()).await;
}

#[tokio::test]
async fn who_is_disconnected_by_the_server_learns_how() {
    let node = Node::start(&[]);
    let (sender, mut reasons) = mpsc::unbounded_channel();
    let client = Client::builder(node.url(""))
        .reconnection_delay(DELAY, DELAY)
        .on_disconnect(move |_: Socket, reason: DisconnectReason| {
            let sent = sender.send(reason.as_str());
            async move { sent }
        })
        .connect()
        .await
        .expect("it connects");
    client.emit("leave", &false).expect("connected");
    let reason = in_time("the end", reasons.recv()).await;
    assert_eq!(reason, Some("io server disconnect"));
    assert!(!client.is_active());
    client.connect();
    client.ready().await.expect("it connects again");
    client.emit("leave", &true).expect("connected");
    let reason = in_time("the end", reasons.recv()).await;
    assert_eq!(reason, Some("io server disconnect"));
    client.connect();
    client.ready().await.expect("it connects again");
    client.disconnect();
    let reason = in_time("the end", reasons.recv()).await;
    assert_eq!(reason, Some("io client disconnect"));
    in_time("close", client.close()).await;
}
