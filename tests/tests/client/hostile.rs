//! Servers that break every rule: the client says what is wrong, hangs on nothing and keeps nothing.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use sansocket_core::codec::websocket::handshake;
use sansocket_tests::client::{eventually, in_time};
use sansocket_tokio::Transport;
use sansocket_tokio::client::{ConnectError, DisconnectReason, Limits, Socket, TransportError};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::Client;

/// Answers each connection's first request with these bytes, and closes.
async fn answer_all(answer: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                read_head(&mut stream).await?;
                stream.write_all(&answer).await
            });
        }
    });
    address
}

/// Gives the key of a WebSocket's handshake, if it is one.
async fn read_head(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut key = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end();
        if line.is_empty() {
            return Ok(key);
        }
        if let Some((name, value)) = line.split_once(": ")
            && name.eq_ignore_ascii_case("sec-websocket-key")
        {
            value.clone_into(&mut key);
        }
    }
}

/// What a server says that opens every WebSocket.
#[derive(Clone, Default)]
pub(crate) struct Opening {
    /// What stands in the header; none if there is nothing.
    pub(crate) extensions: &'static str,
    pub(crate) frames: Vec<u8>,
}

impl From<Vec<u8>> for Opening {
    fn from(frames: Vec<u8>) -> Self {
        Self { extensions: "", frames }
    }
}

/// Opens each WebSocket, and sends these bytes on it.
pub(crate) async fn open_all(opening: impl Into<Opening>) -> SocketAddr {
    let Opening { extensions, frames: bytes } = opening.into();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let bytes = bytes.clone();
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                let key = read_head(&mut stream).await?;
                let accept = handshake::accept_key(key.as_bytes());
                let accept = String::from_utf8_lossy(&accept);
                let mut head = format!(
                    "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                     Sec-WebSocket-Accept: {accept}\r\n"
                );
                if !extensions.is_empty() {
                    head += &format!("Sec-WebSocket-Extensions: {extensions}\r\n");
                }
                head += "\r\n";
                stream.write_all(head.as_bytes()).await?;
                stream.write_all(&bytes).await?;
                // Until the client has had enough.
                let mut rest = Vec::new();
                stream.read_to_end(&mut rest).await.map(drop)
            });
        }
    });
    address
}

async fn refused(address: SocketAddr, transport: Transport) -> ConnectError {
    let client = Client::builder(format!("http://{address}")).transports([transport]).connect();
    in_time("the error", client).await.map(drop).expect_err("no server")
}

fn http(status: u16, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

pub(crate) fn text(text: &str) -> Vec<u8> {
    let mut frame = Vec::new();
    sansocket_core::codec::websocket::encode_into(
        &mut frame,
        sansocket_core::codec::websocket::Opcode::Text,
        text.as_bytes(),
    );
    frame
}

pub(crate) const OPEN: &str =
    r#"0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000}"#;

#[tokio::test]
async fn answers_that_are_none_are_errors() {
    let answers = [
        Vec::new(),
        b"\r\n\r\n\r\n".to_vec(),
        b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(),
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort".to_vec(),
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nshort".to_vec(),
        b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n".to_vec(),
        [&b"HTTP/1.1 200 OK\r\nX: "[..], &vec![b'x'; 1 << 20]].concat(),
        http(200, b""),
        http(200, b"2"),
        http(200, b"0"),
        http(200, br#"0{"sid":1}"#),
        http(200, &vec![b'0'; 1 << 20]),
        http(404, br#"{"code":0,"message":"no"}"#),
        http(302, b""),
    ];
    for answer in answers {
        for transport in [Transport::Polling, Transport::WebSocket] {
            let start = String::from_utf8_lossy(&answer[..answer.len().min(50)]).into_owned();
            let error = refused(answer_all(answer.clone()).await, transport).await;
            assert!(matches!(error, ConnectError::Transport { .. }), "{start:?}: {error:?}");
        }
    }
}

#[tokio::test]
async fn a_body_without_end_is_not_read_to_its_end() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (sender, mut written) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await?;
        let mut stream = BufReader::new(stream);
        read_head(&mut stream).await?;
        stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await?;
        let chunk = [&b"10000\r\n"[..], &[b'6'; 1 << 16], b"\r\n"].concat();
        let mut total = 0_u64;
        while stream.write_all(&chunk).await.is_ok() {
            total += 1 << 16;
        }
        let _ = sender.send(total);
        io::Result::Ok(())
    });
    let mut limits = Limits::default();
    limits.response_bytes = 1 << 20;
    let builder = Client::builder(format!("http://{address}")).limits(limits);
    let error = in_time("the error", builder.connect()).await.map(drop).expect_err("too large");
    let ConnectError::Transport { error: TransportError::TooLarge { limit }, .. } = error else {
        panic!("{error:?}")
    };
    assert_eq!(limit, 1 << 20);
    // What the network holds on the way comes on top.
    let total = in_time("the end of it", written.recv()).await.expect("it ends");
    assert!(total < 32 << 20, "{total} bytes were written");
}

#[tokio::test]
async fn a_websocket_that_breaks_the_rules_is_closed() {
    let connected = [text(OPEN), text(r#"40{"sid":"y"}"#)].concat();
    let cases: [(&str, Vec<u8>); 8] = [
        ("a masked frame", vec![0x81, 0x80, 0, 0, 0, 0]),
        ("a reserved bit", vec![0xc1, 0x00]),
        ("an unknown opcode", vec![0x83, 0x00]),
        ("a frame of 2^63 bytes", vec![0x82, 0x7f, 0x80, 0, 0, 0, 0, 0, 0, 0]),
        ("a frame of 1 GiB", vec![0x82, 0x7f, 0, 0, 0, 0, 0x40, 0, 0, 0]),
        ("text that is none", vec![0x81, 0x02, 0xff, 0xff]),
        ("no packet", text("x")),
        ("no Socket.IO packet", text("4x")),
    ];
    for (what, bytes) in cases {
        let address = open_all([connected.clone(), bytes].concat()).await;
        let (sender, mut reasons) = mpsc::unbounded_channel();
        let client = Client::builder(format!("http://{address}"))
            .transports([Transport::WebSocket])
            .close_timeout(Duration::from_millis(100))
            .reconnection(false)
            .on_disconnect(move |_: Socket, reason: DisconnectReason| {
                let sent = sender.send(reason);
                async move { sent }
            })
            .start()
            .expect("settings");
        let reason = in_time(what, reasons.recv()).await.expect("a reason");
        let expected = [DisconnectReason::TransportError, DisconnectReason::ParseError];
        assert!(expected.contains(&reason), "{what}: {reason}");
        in_time("close", client.close()).await;
    }
}

#[tokio::test]
async fn a_flood_waits_for_the_application() {
    // 10 MB of events, on a connection that stays open.
    let event = text(&format!(r#"42["flood","{}"]"#, "x".repeat(10_000)));
    let flood = [text(OPEN), text(r#"40{"sid":"y"}"#), event.repeat(1_000)].concat();
    let address = open_all(flood).await;
    let (open, gate) = tokio::sync::watch::channel(false);
    let (sender, mut received) = mpsc::unbounded_channel();
    let mut limits = Limits::default();
    limits.inbox_bytes = 1 << 20;
    let client = Client::builder(format!("http://{address}"))
        .transports([Transport::WebSocket])
        .close_timeout(Duration::from_millis(100))
        .limits(limits)
        .on("flood", move |_: Socket, text: String| {
            let (sender, mut gate) = (sender.clone(), gate.clone());
            async move {
                gate.wait_for(|open| *open).await.expect("the test opens it");
                sender.send(text.len())
            }
        })
        .start()
        .expect("settings");
    eventually("the inbox is full", || client.stats().inbox_events > 90).await;
    // As much again as one read may bring.
    tokio::time::sleep(Duration::from_millis(50)).await;
    let held = client.stats().inbox_events;
    assert!(held < 150, "{held} events are held");
    open.send_replace(true);
    for _ in 0..1_000 {
        assert_eq!(in_time("an event", received.recv()).await, Some(10_000));
    }
    in_time("close", client.close()).await;
}

#[tokio::test]
async fn a_goodbye_that_is_not_answered_does_not_last() {
    let address = open_all([text(OPEN), text(r#"40{"sid":"y"}"#)].concat()).await;
    let client = Client::builder(format!("http://{address}"))
        .transports([Transport::WebSocket])
        .close_timeout(Duration::from_millis(100))
        .connect();
    let client = in_time("connect", client).await.expect("it connects");
    in_time("close", client.close()).await;
}
