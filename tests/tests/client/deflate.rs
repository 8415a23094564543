//! Compression on WebSockets, agreed between our client and our server, or not.

use std::sync::Arc;

use bytes::Bytes;
use sansocket_tests::client::{PATIENCE, eventually, in_time};
use sansocket_tokio::client::{ConnectError, Socket};
use sansocket_tokio::{Ack, PerMessageDeflate, Server, Socket as ServerSocket, Transport};
use tokio::sync::mpsc;

use super::hostile::{OPEN, Opening, open_all, text};
use crate::Client;
use crate::support::TestServer;

fn settings(context: bool) -> PerMessageDeflate {
    PerMessageDeflate::default()
        .threshold(100)
        .server_context_takeover(context)
        .client_context_takeover(context)
}

#[tokio::test]
async fn both_ends_compress_whatever_they_agree_on() {
    for server_wish in [None, Some(false), Some(true)] {
        let mut builder = Server::builder();
        if let Some(context) = server_wish {
            builder = builder.per_message_deflate(settings(context));
        }
        let server = TestServer::start(builder).await;
        server.io.on("files", async |_: ServerSocket, files: (String, Bytes)| Ack(files));
        let url = format!("http://{}", server.address);
        for client_wish in [None, Some(false), Some(true)] {
            for transports in
                [vec![Transport::WebSocket], vec![Transport::Polling, Transport::WebSocket]]
            {
                let mut builder = Client::builder(&url).transports(transports);
                if let Some(context) = client_wish {
                    builder = builder.per_message_deflate(settings(context));
                }
                let client = builder.connect().await.expect("it connects");
                for n in 0..60 {
                    let text = "a word, ".repeat(n * 7);
                    let file = Bytes::from(vec![n as u8; n * 1_000]);
                    let files = (text, file);
                    let same: (String, Bytes) = client
                        .emit_with_ack("files", &files, PATIENCE)
                        .await
                        .unwrap_or_else(|error| panic!("{server_wish:?} {client_wish:?} {error}"));
                    assert_eq!(same, files);
                    // In between, what is not compressed.
                    let emitter = client.compress(false).timeout(PATIENCE);
                    let echo: String = emitter.emit_with_ack("echo", &files.0).await.expect("it");
                    assert_eq!(echo, files.0);
                }
                in_time("close", client.close()).await;
            }
        }
        server.finish().await;
    }
}

#[tokio::test]
async fn broadcasts_reach_those_who_compress_and_those_who_do_not() {
    let builder = Server::builder().per_message_deflate(settings(true));
    let server = TestServer::start(builder).await;
    let url = format!("http://{}", server.address);
    let (sender, mut received) = mpsc::unbounded_channel();
    let mut clients = Vec::new();
    for wish in [None, Some(false), Some(true), Some(true)] {
        let sender = sender.clone();
        let mut builder = Client::builder(&url).on("news", move |_: Socket, text: String| {
            let sent = sender.send(text);
            async move { sent }
        });
        if let Some(context) = wish {
            builder = builder.per_message_deflate(settings(context));
        }
        clients.push(builder.connect().await.expect("it connects"));
    }
    let last = || clients.iter().all(|client| client.transport() == Some(Transport::WebSocket));
    eventually("they are on WebSockets", last).await;
    for n in 0..100 {
        let text = format!("{n} ").repeat(200);
        let everybody = server.io.compress(n % 3 > 0);
        let report = everybody.emit("news", &text).expect("it is encoded");
        assert_eq!(report.queued, clients.len());
        for _ in &clients {
            assert_eq!(in_time("the news", received.recv()).await.as_ref(), Some(&text));
        }
        // Of their own, so that a context is there to be wrong.
        for client in &clients {
            let echo: String =
                client.emit_with_ack("echo", &text, PATIENCE).await.expect("an answer");
            assert_eq!(echo, text);
        }
    }
    for client in clients {
        in_time("close", client.close()).await;
    }
    server.finish().await;
}

/// What has come of a client that is answered with these extensions.
async fn answered(extensions: &'static str, offers: bool) -> Result<(), Arc<std::io::Error>> {
    let frames = [text(OPEN), text(r#"40{"sid":"x"}"#)].concat();
    let address = open_all(Opening { extensions, frames }).await;
    let mut builder =
        Client::builder(format!("http://{address}")).transports([Transport::WebSocket]);
    if offers {
        builder = builder.per_message_deflate(settings(true));
    }
    match in_time("an end", builder.reconnection(false).connect()).await {
        Ok(_) => Ok(()),
        Err(ConnectError::Transport { cause: Some(cause), .. }) => Err(cause),
        Err(error) => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn a_server_that_uses_what_was_not_offered_is_left() {
    for (extensions, offers, is_right) in [
        ("", true, true),
        ("permessage-deflate", true, true),
        ("permessage-deflate; server_max_window_bits=9", true, true),
        ("permessage-deflate", false, false),
        ("permessage-deflate; client_max_window_bits=15", true, false),
        ("permessage-deflate; what=ever", true, false),
        ("x-webkit-deflate-frame", true, false),
    ] {
        let result = answered(extensions, offers).await;
        assert_eq!(result.is_ok(), is_right, "{extensions}: {result:?}");
        if let Err(error) = result {
            assert!(error.to_string().contains("extension"), "{error}");
        }
    }
}
