//! Connections that are lost, and servers that are killed.

use std::time::Duration;

use sansocket_tests::client::{PATIENCE, eventually, in_time};
use sansocket_tokio::client::{DisconnectReason, Socket};
use sansocket_tokio::{AckError, EmitError, Transport};
use tokio::sync::mpsc;

use super::server::{DELAY, Node};
use crate::Client;

#[tokio::test]
async fn a_server_is_killed_and_started_again_in_the_middle_of_traffic() {
    let mut node = Node::start(&[]);
    let (sender, mut received) = mpsc::unbounded_channel();
    let client = Client::builder(node.url(""))
        .reconnection_delay(DELAY, DELAY)
        .on("echo", move |_: Socket, text: String| {
            let sent = sender.send(text);
            async move { sent }
        })
        .connect()
        .await
        .expect("it connects");
    for round in 0..3 {
        let id = client.id();
        let pending = client.emit_with_ack::<()>("ignore", &(), PATIENCE);
        for n in 0..100 {
            client.emit("echo", &format!("{round}: {n}")).expect("there is room");
        }
        node.kill();
        let lost = in_time("the loss", pending).await;
        assert!(matches!(lost, Err(AckError::Disconnected)), "{lost:?}");
        let dropped = client.volatile().emit("echo", "volatile");
        assert_eq!(dropped, Err(EmitError::Dropped));
        // What is emitted without a connection waits for it, an acknowledgement included.
        let kept = client.emit_with_ack::<String>("echo-ack", "kept", PATIENCE);
        client.emit("echo", &format!("end of {round}")).expect("there is room");
        node.restart();
        assert_eq!(in_time("the answer", kept).await.expect("an answer"), "kept");
        assert_ne!(client.id(), id);
        // What was under way may have come or not, what waited has.
        let end = format!("end of {round}");
        while in_time("an echo", received.recv()).await.expect("the client is there") != end {}
    }
    in_time("close", client.close()).await;
}

#[tokio::test]
async fn a_recovered_connection_brings_what_was_missed() {
    let node = Node::start(&[("RECOVERY", "1")]);
    let control = node.control().await;
    for transport in [Transport::WebSocket, Transport::Polling] {
        let (sender, mut received) = mpsc::unbounded_channel();
        let lost = sender.clone();
        let client = Client::builder(node.url(""))
            .transports([transport])
            .reconnection_delay(Duration::from_millis(300), Duration::from_millis(300))
            .on("n", move |_: Socket, n: u32| {
                let sent = sender.send(n.to_string());
                async move { sent }
            })
            .on_disconnect(move |_: Socket, reason: DisconnectReason| {
                let sent = lost.send(reason.to_string());
                async move { sent }
            })
            .connect()
            .await
            .expect("it connects");
        assert!(!client.recovered());
        let id = client.id();
        for n in 0..3 {
            control.emit("n", &[n]).await;
            assert_eq!(in_time("an event", received.recv()).await, Some(n.to_string()));
        }
        let () = control.ask("cut", &()).await;
        let reason = in_time("the loss", received.recv()).await.expect("the client is there");
        assert!(reason.starts_with("transport "), "{reason}");
        for n in 3..103 {
            control.emit("n", &[n]).await;
        }
        for n in 3..103 {
            assert_eq!(in_time("an event", received.recv()).await, Some(n.to_string()));
        }
        eventually("it is connected", || client.connected()).await;
        assert!(client.recovered(), "{transport:?}");
        assert_eq!(client.id(), id);
        control.emit("n", &[103]).await;
        assert_eq!(in_time("an event", received.recv()).await.as_deref(), Some("103"));
        in_time("close", client.close()).await;
    }
}

/// With retries, nothing is lost and nothing reordered; what is there twice was under way when a
/// connection was lost.
#[tokio::test]
async fn ten_thousand_messages_arrive_in_order_across_reconnections() {
    const COUNT: usize = 10_000;
    let node = Node::start(&[("DROP_EVERY", "997")]);
    let client = Client::builder(node.url(""))
        .reconnection_delay(DELAY, DELAY)
        .connect()
        .await
        .expect("it connects");
    let pending: Vec<_> =
        (0..COUNT).map(|n| client.emit_at_least_once::<usize>("collect", &n)).collect();
    for (n, pending) in pending.into_iter().enumerate() {
        let answer = in_time("an acknowledgement", pending).await;
        assert_eq!(answer.expect("acknowledged"), n);
    }
    in_time("close", client.close()).await;
    let (mut collected, drops): (Vec<usize>, usize) =
        node.control().await.ask("collected", &()).await;
    assert!(drops >= 10, "{drops} drops");
    let repeated = collected.len() - COUNT;
    assert!((1..=drops).contains(&repeated), "{repeated} of {drops} came twice");
    collected.dedup();
    assert_eq!(collected, (0..COUNT).collect::<Vec<_>>());
}
