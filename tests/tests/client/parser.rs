//! Parsers: MessagePack, and one of the application's own.

use std::sync::Arc;

use bytes::Bytes;
use sansocket_tests::client::{PATIENCE, in_time};
use sansocket_tokio::client::{ConnectError, Socket};
use sansocket_tokio::{
    Ack, EncodeError, Limits, MessagePack, PacketError, PacketParts, Parser, Server, SharedParser,
    Socket as ServerSocket, Transport, Wire,
};
use serde_json::{Value, json};

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
