//! Parsers: MessagePack, and one of the application's own.

use std::sync::Arc;

use bytes::Bytes;
use sansocket_tests::client::{PATIENCE, eventually, in_time};
use sansocket_tokio::client::{ConnectError, Socket};
use sansocket_tokio::{
    Ack, EncodeError, HttpCompression, Limits, MessagePack, PacketError, PacketParts, Parser,
    PerMessageDeflate, Server, SharedParser, Socket as ServerSocket, Transport, Wire,
};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::Client;
use crate::support::{TestServer, quick};

/// MessagePack, each byte of it turned into its complement. It has no form for what holds the word
/// `formless`.
#[derive(Debug)]
struct Complement;

fn complement(data: &[u8]) -> Bytes {
    data.iter().map(|byte| !byte).collect()
}

impl Parser for Complement {
    fn encode<'a>(&self, packet: &'a PacketParts<'_>) -> Result<Wire<'a>, EncodeError> {
        if packet.payload.contains("formless") {
            return Err(EncodeError::Value { message: "formless".into() });
        }
        Ok(match MessagePack.encode(packet)? {
            Wire::Binary(data) => Wire::Binary(complement(&data)),
            text @ Wire::Text(_) => text,
        })
    }

    fn decode<'a>(&self, wire: Wire<'a>, limits: &Limits) -> Result<PacketParts<'a>, PacketError> {
        match wire {
            Wire::Binary(data) => MessagePack.decode(Wire::Binary(complement(&data)), limits),
            text @ Wire::Text(_) => MessagePack.decode(text, limits),
        }
    }
}

#[tokio::test]
async fn both_ends_use_the_same_one_on_each_transport() {
    for parser in [SharedParser::from(MessagePack), SharedParser::from(Complement)] {
        let server = TestServer::start(quick().parser(parser.clone())).await;
        server.io.of("/").on("double", async |_: ServerSocket, (value, data): (Value, Bytes)| {
            Ack((json!([value, value]), [data.clone(), data]))
        });
        server.io.of("/token").use_(async |socket: ServerSocket| {
            let auth = socket.auth::<Value>().unwrap_or_default();
            if auth["token"] == "secret" { Ok(()) } else { Err("bad token") }
        });
        let url = format!("http://{}", server.address);
        for transports in [
            vec![Transport::Polling],
            vec![Transport::WebSocket],
            vec![Transport::Polling, Transport::WebSocket],
        ] {
            let client = Client::builder(&url)
                .parser(parser.clone())
                .transports(transports)
                .on("question", async |_: Socket, (): ()| Ack(7))
                .connect()
                .await
                .expect("it connects");
            let args = (json!({ "a": [1.5, null, u64::MAX, i64::MIN] }), Bytes::from_static(b"ab"));
            let (values, data): (Value, [Bytes; 2]) =
                client.emit_with_ack("double", &args, PATIENCE).await.expect("an answer");
            assert_eq!((values, &data), (json!([args.0, args.0]), &[args.1.clone(), args.1]));
            client.emit("ask", &()).expect("connected");
            let refused = client.of("/token").connect().await.map(drop);
            assert!(
                matches!(&refused, Err(ConnectError::Refused { message, .. }) if message == "bad token"),
                "{refused:?}"
            );
            let token = client.of("/token").auth(&json!({ "token": "secret" })).connect().await;
            drop(token.expect("it is let in"));
            in_time("close", client.close()).await;
        }
        server.rests().await;
        let closing = sansocket_tokio::Io::close(&server.io, 10 * PATIENCE);
        in_time("Server::close", closing).await;
        server.finish_closed().await;
    }
}

#[tokio::test]
async fn what_has_no_form_is_an_error_where_it_is_sent() {
    let parser: Arc<dyn Parser> = Arc::new(Complement);
    let server = TestServer::start(Server::builder().parser(parser)).await;
    let client = Client::builder(format!("http://{}", server.address)).parser(Complement);
    let client = client.connect().await.expect("it connects");
    let refused = client.emit("echo", "formless").expect_err("it has no form");
    assert_eq!(refused.to_string(), "formless");
    let refused = server.io.emit("all", "formless").expect_err("it has no form");
    assert_eq!(refused.to_string(), "formless");
    let echo: String = client.emit_with_ack("echo", "x", PATIENCE).await.expect("an answer");
    assert_eq!(echo, "x");
    in_time("close", client.close()).await;
    server.rests().await;
    in_time("Server::close", sansocket_tokio::Io::close(&server.io, 10 * PATIENCE)).await;
    server.finish_closed().await;
}

#[tokio::test]
async fn a_client_of_another_one_is_disconnected() {
    let server = TestServer::start(quick().parser(MessagePack)).await;
    let url = format!("http://{}", server.address);
    let plain = Client::builder(&url).reconnection(false).connect().await.map(drop);
    assert!(plain.is_err(), "{plain:?}");
    let other = Client::builder(&url).parser(Complement).reconnection(false).connect().await;
    assert!(other.is_err());
    let same = Client::builder(&url).parser(MessagePack).connect().await.expect("it connects");
    in_time("close", same.close()).await;
    server.rests().await;
    in_time("Server::close", sansocket_tokio::Io::close(&server.io, 10 * PATIENCE)).await;
    server.finish_closed().await;
}

/// Clients that compress and clients that do not are in one room.
#[tokio::test]
async fn a_parser_and_compression_go_together() {
    let deflate = |context| {
        PerMessageDeflate::default()
            .threshold(100)
            .server_context_takeover(context)
            .client_context_takeover(context)
    };
    let builder = quick()
        .parser(MessagePack)
        .per_message_deflate(deflate(true))
        .http_compression(HttpCompression::default());
    let server = TestServer::start(builder).await;
    server.io.on("files", async |_: ServerSocket, files: (String, Bytes)| Ack(files));
    let url = format!("http://{}", server.address);
    let (sender, mut received) = mpsc::unbounded_channel();
    let mut clients = Vec::new();
    for (transports, wish) in [
        (vec![Transport::Polling], None),
        (vec![Transport::WebSocket], None),
        (vec![Transport::WebSocket], Some(false)),
        (vec![Transport::WebSocket], Some(true)),
        (vec![Transport::Polling, Transport::WebSocket], Some(true)),
    ] {
        let sender = sender.clone();
        let mut builder = Client::builder(&url)
            .parser(MessagePack)
            .transports(transports)
            .on("file", async |_: Socket, file: Bytes| Ack(file))
            .on("news", move |_: Socket, news: (String, Bytes)| {
                let sent = sender.send(news);
                async move { sent }
            });
        if let Some(context) = wish {
            builder = builder.per_message_deflate(deflate(context));
        }
        clients.push(builder.connect().await.expect("it connects"));
    }
    let polling = |client: &&Client| client.transport() == Some(Transport::Polling);
    let upgraded = || clients.iter().filter(polling).count() == 1;
    eventually("they are on their transports", upgraded).await;
    for n in 0..30 {
        let news = (format!("{n} ").repeat(n * 50), Bytes::from(vec![n as u8; n * 1_000]));
        let everybody = server.io.to("lobby").compress(n % 3 > 0);
        assert_eq!(everybody.emit("news", &news).expect("it is encoded").queued, clients.len());
        for client in &clients {
            assert_eq!(in_time("the news", received.recv()).await.as_ref(), Some(&news));
            // Of its own, so that a context is there to be wrong.
            let same: (String, Bytes) =
                client.emit_with_ack("files", &news, PATIENCE).await.expect("an answer");
            assert_eq!(same, news);
        }
        let asked = server.io.timeout(PATIENCE).emit_with_ack::<Bytes>("file", &news.1);
        assert_eq!(asked.await.expect("they answer"), vec![news.1; clients.len()]);
    }
    for client in clients {
        in_time("close", client.close()).await;
    }
    server.rests().await;
    in_time("Server::close", sansocket_tokio::Io::close(&server.io, 10 * PATIENCE)).await;
    server.finish_closed().await;
}
