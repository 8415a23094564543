//! Polling, WebSocket, the upgrade, and heartbeats.

use std::time::Duration;

use sansocket_tests::client::{PATIENCE, eventually, in_time};
use sansocket_tokio::Transport;
use sansocket_tokio::client::{ConnectError, DisconnectReason, Socket};
use tokio::sync::mpsc;

use super::server::{DELAY, Node};
use crate::Client;

#[tokio::test]
async fn both_ends_agree_on_the_transport() {
    let node = Node::start(&[]);
    for (transports, last) in [
        (vec![Transport::Polling], "polling"),
        (vec![Transport::WebSocket], "websocket"),
        (vec![Transport::Polling, Transport::WebSocket], "websocket"),
    ] {
        let client = Client::builder(node.url("/control")).transports(transports).connect().await;
        let client = client.expect("it connects");
        let name = || client.transport().map(Transport::as_str);
        eventually("the last transport", || name() == Some(last)).await;
        let seen: String = client.emit_with_ack("transport", &(), PATIENCE).await.expect("it");
        assert_eq!(seen, last);
        in_time("close", client.close()).await;
    }
}

#[tokio::test]
async fn without_upgrade_it_stays_with_polling() {
    let node = Node::start(&[]);
    let client = Client::builder(node.url("/control")).upgrade(false).connect().await;
    let client = client.expect("it connects");
    for _ in 0..20 {
        let seen: String = client.emit_with_ack("transport", &(), PATIENCE).await.expect("it");
        assert_eq!(seen, "polling");
    }
    in_time("close", client.close()).await;
}

#[tokio::test]
async fn the_next_transport_is_tried_where_one_is_refused() {
    let node = Node::start(&[("TRANSPORTS", "websocket")]);
    let error = Client::builder(node.url("")).connect().await.map(drop).expect_err("refused");
    assert!(matches!(error, ConnectError::Transport { .. }), "{error:?}");
    let client = Client::builder(node.url("")).try_all_transports(true).connect().await;
    let client = client.expect("it connects");
    assert_eq!(client.transport(), Some(Transport::WebSocket));
    in_time("close", client.close()).await;
}

#[tokio::test]
async fn heartbeats_are_answered_on_each_transport() {
    let node = Node::start(&[("PING_INTERVAL", "50"), ("PING_TIMEOUT", "5000")]);
    for transport in [Transport::Polling, Transport::WebSocket] {
        let client = Client::builder(node.url("")).transports([transport]).connect().await;
        let client = client.expect("it connects");
        let id = client.id();
        // Long enough for some, and nothing is to happen.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let text: String = client.emit_with_ack("echo-ack", "x", PATIENCE).await.expect("it");
        assert_eq!((&*text, client.id()), ("x", id));
        in_time("close", client.close()).await;
    }
}

#[tokio::test]
async fn a_server_that_falls_silent_is_noticed_and_found_again() {
    let node = Node::start(&[("PING_INTERVAL", "200"), ("PING_TIMEOUT", "200")]);
    let (sender, mut reasons) = mpsc::unbounded_channel();
    let client = Client::builder(node.url(""))
        .reconnection_delay(DELAY, DELAY)
        .timeout(Some(Duration::from_secs(1)))
        .on_disconnect(move |_: Socket, reason: DisconnectReason| {
            let sent = sender.send(reason);
            async move { sent }
        })
        .connect()
        .await
        .expect("it connects");
    node.signal("STOP");
    let reason = in_time("the end", reasons.recv()).await;
    assert_eq!(reason, Some(DisconnectReason::PingTimeout));
    node.signal("CONT");
    eventually("it is connected", || client.connected()).await;
    let text: String = client.emit_with_ack("echo-ack", "x", PATIENCE).await.expect("an answer");
    assert_eq!(text, "x");
    in_time("close", client.close()).await;
}

#[tokio::test]
async fn cookies_are_kept_for_the_session() {
    let node = Node::start(&[("COOKIE", "1")]);
    let client = Client::builder(node.url("")).transports([Transport::Polling]).connect().await;
    let client = client.expect("it connects");
    let text: String = client.emit_with_ack("echo-ack", "x", PATIENCE).await.expect("an answer");
    assert_eq!(text, "x");
    let control = client.of("/control").connect().await.expect("it connects");
    let cookies: Vec<String> =
        control.emit_with_ack("cookies", &(), PATIENCE).await.expect("an answer");
    let (first, rest) = cookies.split_first().expect("there were requests");
    assert_eq!(first, "");
    assert!(rest.iter().all(|cookie| cookie.starts_with("io=")), "{cookies:?}");
    in_time("close", client.close()).await;
}
