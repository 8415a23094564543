//! The official parser of MessagePack at the server.

use bytes::Bytes;
use sansocket_tests::client::{PATIENCE, eventually, in_time};
use sansocket_tokio::client::{ConnectError, DisconnectReason, Socket};
use sansocket_tokio::{Ack, MessagePack, PerMessageDeflate, Transport};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::server::{DELAY, Node};
use crate::Client;

const ALL: [&[Transport]; 3] =
    [&[Transport::Polling], &[Transport::WebSocket], &[Transport::Polling, Transport::WebSocket]];

#[tokio::test]
async fn json_and_binary_both_ways_on_each_transport() {
    let node = Node::start(&[("PARSER", "msgpack")]);
    for transports in ALL {
        let (sender, mut received) = mpsc::unbounded_channel();
        let client = Client::builder(node.url(""))
            .parser(MessagePack)
            .transports(transports.iter().copied())
            .on("echo", move |_: Socket, args: (Value, Bytes, Vec<Bytes>)| {
                let sent = sender.send(args);
                async move { sent }
            })
            .on("reverse", async |_: Socket, data: Bytes| {
                Ack(Bytes::from(data.iter().rev().copied().collect::<Vec<_>>()))
            })
            .connect()
            .await
            .expect("it connects");
        for size in [0, 1, 255, 256, 65_535, 65_536, 200_000] {
            let value = json!({
                "text": "\u{0}\u{1f980}",
                "numbers": [-1.5, 0, 255, 65_536, -32_769, 9_007_199_254_740_991_u64],
                "nested": [null, {}, [true, [false]]],
                "long": "x".repeat(size),
            });
            let data = Bytes::from((0..size).map(|byte| byte as u8).collect::<Vec<_>>());
            let args = (value, data, vec![Bytes::from_static(b"a"), Bytes::new()]);
            client.emit("echo", &args).expect("connected");
            assert_eq!(in_time("the echo", received.recv()).await.as_ref(), Some(&args), "{size}");
            let acknowledged: (Value, Bytes, Vec<Bytes>) =
                client.emit_with_ack("echo-ack", &args, PATIENCE).await.expect("an answer");
            assert_eq!(acknowledged, args, "{size}");
        }
        let ask = ("reverse", [Bytes::from_static(&[1, 2, 255])]);
        let reversed: Bytes = client.emit_with_ack("ask", &ask, PATIENCE).await.expect("data");
        assert_eq!(&reversed[..], [255, 2, 1]);
        in_time("close", client.close()).await;
    }
}

#[tokio::test]
async fn namespaces_auth_and_refusals() {
    let node = Node::start(&[("PARSER", "msgpack")]);
    let error = Client::builder(node.url("/refused")).parser(MessagePack).connect().await;
    let error = error.map(drop).expect_err("it is refused");
    let ConnectError::Refused { message, data: Some(data) } = error else { panic!("{error:?}") };
    assert_eq!((&*message, data.as_str()), ("not allowed", r#"{"code":42}"#));
    let error = Client::builder(node.url("/none")).parser(MessagePack).connect().await.map(drop);
    assert!(
        matches!(&error, Err(ConnectError::Refused { message, .. }) if message == "Invalid namespace")
    );

    let client = Client::builder(node.url("/token"))
        .parser(MessagePack)
        .auth(&json!({ "token": "secret", "more": [1, null] }))
        .connect()
        .await
        .expect("it is let in");
    let handshake: Value =
        client.emit_with_ack("handshake", &(), PATIENCE).await.expect("an answer");
    assert_eq!(handshake["auth"], json!({ "token": "secret", "more": [1, null] }));
    // On the same connection, and so with the same parser.
    let (sender, mut ended) = mpsc::unbounded_channel();
    let other = client
        .of("/")
        .on_disconnect(move |_: Socket, reason: DisconnectReason| {
            let sent = sender.send(reason);
            async move { sent }
        })
        .connect()
        .await
        .expect("it is let in");
    other.emit("leave", &false).expect("connected");
    let reason = in_time("the end", ended.recv()).await;
    assert_eq!(reason, Some(DisconnectReason::IoServerDisconnect));
    drop(other);
    in_time("close", client.close()).await;
}

#[tokio::test]
async fn what_was_missed_is_told() {
    let node = Node::start(&[("PARSER", "msgpack"), ("RECOVERY", "1")]);
    let (sender, mut received) = mpsc::unbounded_channel();
    let client = Client::builder(node.url(""))
        .parser(MessagePack)
        .transports([Transport::WebSocket])
        .reconnection_delay(DELAY, DELAY)
        .on("n", move |_: Socket, n: u32| {
            let sent = sender.send(n);
            async move { sent }
        })
        .connect()
        .await
        .expect("it connects");
    let control = Client::builder(node.url("/control")).parser(MessagePack).connect().await;
    let control = control.expect("it connects");
    let emit = async |n: u32| {
        let () = control.emit_with_ack("emit", &("n", [n]), PATIENCE).await.expect("an answer");
    };
    emit(0).await;
    assert_eq!(in_time("an event", received.recv()).await, Some(0));
    for n in 1..20 {
        let () = control.emit_with_ack("cut", &(), PATIENCE).await.expect("an answer");
        emit(n).await;
        assert_eq!(in_time("an event", received.recv()).await, Some(n));
        eventually("the recovery", || client.recovered()).await;
    }
    in_time("close", client.close()).await;
    in_time("close", control.close()).await;
}

#[tokio::test]
async fn with_compression_on_websockets() {
    for (settings, context) in [
        ("{\"threshold\":0}", true),
        ("{\"serverNoContextTakeover\":true,\"clientNoContextTakeover\":true}", false),
    ] {
        let node = Node::start(&[("PARSER", "msgpack"), ("DEFLATE", settings)]);
        let deflate = PerMessageDeflate::default()
            .threshold(0)
            .server_context_takeover(context)
            .client_context_takeover(context);
        let client = Client::builder(node.url(""))
            .parser(MessagePack)
            .per_message_deflate(deflate)
            .on("same", async |_: Socket, data: Bytes| Ack(data))
            .connect()
            .await
            .expect("it connects");
        let is_upgraded = || client.transport() == Some(Transport::WebSocket);
        eventually("the upgrade", is_upgraded).await;
        for n in 0..40 {
            let data = Bytes::from(vec![n as u8; n * 1_000]);
            let sent = (json!([n, { "text": "a word, ".repeat(n * 7) }]), data.clone());
            let same: (Value, Bytes) =
                client.emit_with_ack("echo-ack", &sent, PATIENCE).await.expect("an answer");
            assert_eq!(same, sent);
            let ask = ("same", [data.clone()]);
            let same: Bytes = client.emit_with_ack("ask", &ask, PATIENCE).await.expect("data");
            assert_eq!(same, data);
        }
        in_time("close", client.close()).await;
    }
}
