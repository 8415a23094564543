//! Compression on WebSockets, with the official server.

use bytes::Bytes;
use sansocket_tests::client::{PATIENCE, eventually, in_time};
use sansocket_tokio::client::Limits;
use sansocket_tokio::{PerMessageDeflate, Transport};
use serde::Deserialize;

use super::server::Node;
use crate::Client;

/// One WebSocket, as the server sees it.
#[derive(Debug, Deserialize)]
struct Seen {
    /// The extension and its parameters, in the alphabet's order.
    agreed: String,
    read: usize,
    written: usize,
}

fn settings(context: bool) -> PerMessageDeflate {
    PerMessageDeflate::default()
        .threshold(0)
        .server_context_takeover(context)
        .client_context_takeover(context)
}

#[tokio::test]
async fn what_the_official_server_agrees_on() {
    const NONE: &str = "permessage-deflate; client_no_context_takeover; server_no_context_takeover";
    for (server, client, agreed) in [
        ("{\"threshold\":0}", Some(true), "permessage-deflate"),
        ("{\"threshold\":0}", Some(false), NONE),
        ("{\"serverNoContextTakeover\":true,\"clientNoContextTakeover\":true}", Some(true), NONE),
        ("{\"serverMaxWindowBits\":9}", Some(true), "permessage-deflate; server_max_window_bits=9"),
        ("{}", None, ""),
        ("false", Some(true), ""),
    ] {
        let node = Node::start(&[("DEFLATE", server)]);
        let mut builder = Client::builder(node.url(""));
        if let Some(context) = client {
            builder = builder.per_message_deflate(settings(context));
        }
        let client = builder.connect().await.expect("it connects");
        let transport = || client.transport() == Some(Transport::WebSocket);
        eventually("the upgrade", transport).await;
        let control = node.control().await;
        let before = seen(&control).await;
        assert_eq!(before.agreed, agreed);
        let text = "{\"symbol\":\"A\",\"price\":1.25},".repeat(200);
        for n in 0..30 {
            let sent = (n, text.clone(), Bytes::from(vec![n as u8; 5_000]));
            let same: (u32, String, Bytes) =
                client.emit_with_ack("echo-ack", &sent, PATIENCE).await.expect("an answer");
            assert_eq!(same, sent);
        }
        let after = seen(&control).await;
        let plain = 30 * (text.len() + 5_000);
        for bytes in [after.read - before.read, after.written - before.written] {
            assert_eq!(bytes < plain / 4, !agreed.is_empty(), "{agreed}: {bytes} of {plain}");
        }
        in_time("close", client.close()).await;
    }
}

async fn seen(control: &super::server::Control) -> Seen {
    let mut seen: Vec<Seen> = control.ask("websockets", &()).await;
    assert_eq!(seen.len(), 1);
    seen.remove(0)
}

#[tokio::test]
async fn a_message_that_inflates_past_the_limit_ends_the_connection() {
    let node = Node::start(&[("DEFLATE", "{\"threshold\":0}")]);
    let mut limits = Limits::default();
    limits.message_bytes = 100_000;
    let client = Client::builder(node.url(""))
        .transports([Transport::WebSocket])
        .limits(limits)
        .per_message_deflate(settings(false))
        .reconnection(false)
        .connect()
        .await
        .expect("it connects");
    let control = node.control().await;
    control.emit("bomb", &["a".repeat(90_000)]).await;
    let echo: String = client.emit_with_ack("echo-ack", "x", PATIENCE).await.expect("an answer");
    assert_eq!(echo, "x");
    control.emit("bomb", &["a".repeat(110_000)]).await;
    eventually("the end", || !client.connected()).await;
    in_time("close", client.close()).await;
}
