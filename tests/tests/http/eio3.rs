//! Clients of Engine.IO 3 and Socket.IO 4, and those that poll by scripts.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use sansocket_core::codec::websocket::{Message, Opcode};
use sansocket_tests::client::{Http, Response, WebSocket, in_time};
use sansocket_tokio::{Ack, ConnectError, ConnectionStateRecovery, Server, Socket};

use crate::support::{SHORT, TestServer};

/// A session on polling, of which every request says what its client is.
struct Older {
    http: Http,
    target: String,
    sid: String,
}

impl Older {
    async fn open(server: &TestServer, query: &str) -> io::Result<Self> {
        let mut http = Http::connect(server.address).await?;
        let target = format!("/socket.io/?transport=polling&{query}");
        http.request("GET", &target, "").await?;
        let response = http.response().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        assert_eq!(response.status, 200, "{response:?}");
        let sid = response.body.split('"').map(|part| part.trim_end_matches('\\'));
        let sid = sid.skip_while(|part| *part != "sid").nth(2).expect("an id").to_owned();
        Ok(Self { http, target: format!("{target}&sid={sid}"), sid })
    }

    async fn get(&mut self) -> io::Result<Response> {
        self.http.request("GET", &self.target, "").await?;
        self.http.response().await?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    async fn post(&mut self, content_type: &str, body: &[u8]) -> io::Result<u16> {
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: a\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
            self.target,
            body.len()
        );
        self.http.send([head.as_bytes(), body].concat()).await?;
        Ok(self.http.response().await?.ok_or(io::ErrorKind::UnexpectedEof)?.status)
    }

    async fn text(&mut self, body: &str) -> io::Result<u16> {
        self.post("text/plain;charset=UTF-8", body.as_bytes()).await
    }
}

async fn start() -> TestServer {
    start_with(|builder| builder).await
}

async fn start_with(
    change: impl FnOnce(sansocket_tokio::Builder) -> sansocket_tokio::Builder,
) -> TestServer {
    let server = TestServer::start(change(Server::builder().allow_eio3(true))).await;
    server.io.on("binary", async |_: Socket, data: Bytes| Ack(data));
    server.io.on("id", async |socket: Socket, (): ()| Ack(socket.id()));
    server.io.of("/admin").use_(async |socket: Socket| {
        #[derive(serde::Deserialize)]
        struct Auth {
            token: String,
        }
        match socket.auth::<Auth>() {
            Ok(auth) if auth.token == "secret" => Ok(()),
            Ok(auth) if auth.token == "data" => {
                Err(ConnectError::new("no").with_data(serde_json::json!({ "code": 1 })))
            }
            Ok(_) | Err(_) => Err(ConnectError::new("bad token")),
        }
    });
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn they_are_refused_unless_they_are_allowed() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let mut http = Http::connect(server.address).await?;
    for query in ["EIO=3&", ""] {
        let target = format!("/socket.io/?{query}transport=polling");
        http.request("GET", &target, "").await?;
        let response = http.response().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        assert_eq!(response.status, 400);
        assert_eq!(response.body, r#"{"code":5,"message":"Unsupported protocol version"}"#);
        let target = format!("/socket.io/?{query}transport=websocket");
        let refused = WebSocket::connect_with(server.address, &target, b"").await;
        assert!(refused.is_err_and(|error| error.to_string().starts_with("http/1.1 400")));
    }
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_revision_means_the_third_where_it_is_allowed() -> io::Result<()> {
    let server = start().await;
    let mut polling = Older::open(&server, "b64=1").await?;
    assert_eq!(polling.get().await?.body, "2:40");
    let target = "/socket.io/?transport=websocket";
    let mut websocket = WebSocket::connect_with(server.address, target, b"").await?;
    websocket.expect("0{").await?;
    assert_eq!(websocket.next_text().await?, "40");
    websocket.close().await?;
    polling.text("1:1").await?;
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn polling_has_lengths_and_the_client_pings() -> io::Result<()> {
    let server = start().await;
    let mut client = Older::open(&server, "EIO=3&b64=1").await?;
    let response = client.get().await?;
    assert_eq!(response.body, "2:40");
    assert!(response.head.contains("content-type: text/plain; charset=utf-8"), "{}", response.head);
    assert_eq!(client.text("17:420[\"echo\",\"€😀\"]1:2").await?, 200);
    let mut bodies = client.get().await?.body;
    while !bodies.contains("430") || !bodies.contains("1:3") {
        let response = client.get().await?;
        assert_eq!(response.status, 200, "{bodies}");
        bodies += &response.body;
    }
    assert!(bodies.contains("10:430[\"€😀\"]"), "{bodies}");
    // The id of the socket is the one that the client takes for it.
    client.text("9:421[\"id\"]").await?;
    let body = client.get().await?.body;
    assert_eq!(body, format!("27:431[\"{}\"]", client.sid));
    let header = r#"451-2["binary",{"_placeholder":true,"num":0}]"#;
    client.text(&format!("{}:{header}10:b4AQIDBA==", header.len())).await?;
    let body = client.get().await?.body;
    assert!(body.ends_with(r#"461-2[{"_placeholder":true,"num":0}]10:b4AQIDBA=="#), "{body}");
    // What is malformed ends the session, and is answered all the same.
    assert_eq!(client.text("9:42").await?, 200);
    assert_eq!(client.get().await?.status, 400);
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn polling_may_be_binary() -> io::Result<()> {
    let server = start().await;
    let mut client = Older::open(&server, "EIO=3").await?;
    assert_eq!(client.get().await?.body, "2:40");
    let header = br#"451-2["binary",{"_placeholder":true,"num":0}]"#;
    let mut body = vec![0, (header.len() / 10) as u8, (header.len() % 10) as u8, 0xff];
    body.extend_from_slice(header);
    body.extend_from_slice(b"\x01\x05\xff\x04\x01\x02\x03\x04");
    assert_eq!(client.post("application/octet-stream", &body).await?, 200);
    let response = client.get().await?;
    assert!(response.head.contains("content-type: application/octet-stream"), "{}", response.head);
    assert!(response.body.ends_with("\x01\x05\u{fffd}\x04\x01\x02\x03\x04"), "{:?}", response.body);
    // A length beyond the end.
    assert_eq!(client.post("application/octet-stream", b"\x00\x09\x09\xff4").await?, 200);
    assert_eq!(client.get().await?.status, 400);
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_has_types_in_front_of_binary_data() -> io::Result<()> {
    let server = start().await;
    for (b64, expected) in [("", &b"\x04\x01\x02"[..]), ("&b64=1", b"b4AQI=")] {
        let target = format!("/socket.io/?EIO=3&transport=websocket{b64}");
        let mut client = WebSocket::connect_with(server.address, &target, b"").await?;
        client.expect("0{").await?;
        assert_eq!(client.next_text().await?, "40");
        client.send_text("2").await?;
        let Some(Message::Text(pong)) = client.next().await? else { panic!("no pong") };
        assert_eq!(pong, "3");
        client.send_text(r#"451-2["binary",{"_placeholder":true,"num":0}]"#).await?;
        client.send_frame(Opcode::Binary, b"\x04\x01\x02").await?;
        assert_eq!(client.next_text().await?, r#"461-2[{"_placeholder":true,"num":0}]"#);
        match client.next().await? {
            Some(Message::Text(data) | Message::Binary(data)) => assert_eq!(data, expected),
            other => panic!("{other:?}"),
        }
        client.close().await?;
    }
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn namespaces_have_queries_and_errors_are_values() -> io::Result<()> {
    let server = start().await;
    let target = "/socket.io/?EIO=3&transport=websocket";
    let mut client = WebSocket::connect_with(server.address, target, b"").await?;
    client.expect("40").await?;
    let cases = [
        ("40/admin,", r#"44/admin,"bad token""#),
        ("40/admin?token=data,", r#"44/admin,{"code":1}"#),
        ("40/nope", r#"44/nope,{"message":"Invalid namespace"}"#),
        ("40/admin?token=secret&x=1,", "40/admin,"),
        ("41/admin,", ""),
        ("40/admin?token=secret,", "40/admin,"),
    ];
    for (packet, answer) in cases {
        client.send_text(packet).await?;
        if !answer.is_empty() {
            assert_eq!(client.next_text().await?, answer);
        }
    }
    // It is in `/` already.
    client.send_text("40").await?;
    assert_eq!(client.close_code().await, 1005);
    drop(client);
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_session_keeps_its_revision_through_an_upgrade() -> io::Result<()> {
    let server = start().await;
    let mut client = Older::open(&server, "EIO=3").await?;
    assert_eq!(client.get().await?.body, "2:40");
    // The request that upgrades says something else.
    let target = format!("/socket.io/?EIO=4&transport=websocket&sid={}", client.sid);
    let mut websocket = WebSocket::connect_with(server.address, &target, b"").await?;
    websocket.send_text("2probe").await?;
    assert_eq!(websocket.next_text().await?, "3probe");
    assert_eq!(client.get().await?.body, "1:6");
    websocket.send_text("5").await?;
    websocket.send_text("2").await?;
    let pong = websocket.next().await?;
    assert!(matches!(&pong, Some(Message::Text(text)) if text == "3"), "{pong:?}");
    websocket.send_frame(Opcode::Binary, b"\x01\x02").await?;
    assert_eq!(websocket.close_code().await, 1005, "that is no message");
    drop((client, websocket));
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_ping_is_gone() -> io::Result<()> {
    let server = start_with(|builder| builder.ping_interval(SHORT).ping_timeout(SHORT)).await;
    let target = "/socket.io/?EIO=3&transport=websocket";
    let mut client = WebSocket::connect_with(server.address, target, b"").await?;
    client.expect("40").await?;
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        client.send_text("2").await?;
        assert!(matches!(client.next().await?, Some(Message::Text(text)) if text == "3"));
    }
    assert_eq!(in_time("the end of its time", client.close_code()).await, 1005);
    drop(client);
    server.rests().await;
    server.io.close(SHORT * 100).await;
    server.finish_closed().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_of_both_revisions_get_one_broadcast() -> io::Result<()> {
    let server = start().await;
    let target = "/socket.io/?EIO=3&transport=websocket";
    let mut older = WebSocket::connect_with(server.address, target, b"").await?;
    older.expect("40").await?;
    let mut polling = Older::open(&server, "EIO=3").await?;
    assert_eq!(polling.get().await?.body, "2:40");
    let mut newer = WebSocket::join(server.address).await?;
    // The older client can be reached by the id that it has.
    let report = server.io.to(polling.sid.as_str()).emit("to you", &1).expect("it fits");
    assert_eq!(report.queued, 1);
    assert_eq!(polling.get().await?.body, "14:42[\"to you\",1]");
    server.io.emit("data", &Bytes::from_static(&[1, 2])).expect("it fits");
    let header = r#"451-["data",{"_placeholder":true,"num":0}]"#;
    for (client, expected) in [(&mut older, &b"\x04\x01\x02"[..]), (&mut newer, b"\x01\x02")] {
        assert_eq!(client.expect("451-").await?, header);
        let data = client.next().await?;
        assert!(matches!(&data, Some(Message::Binary(data)) if data == expected), "{data:?}");
    }
    let body = polling.get().await?.body;
    assert!(body.contains(header) && body.ends_with("\x01\x03\u{fffd}\x04\x01\x02"), "{body:?}");
    polling.text("1:1").await?;
    older.close().await?;
    newer.close().await?;
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn recovery_is_not_for_them() -> io::Result<()> {
    let recovery = ConnectionStateRecovery::default();
    let server = start_with(|builder| builder.connection_state_recovery(recovery)).await;
    server.io.of("/open").on_connect(async |socket: Socket| {
        assert!(!socket.recovered());
        socket.emit("hello", &())
    });
    let target = "/socket.io/?EIO=3&transport=websocket";
    let mut client = WebSocket::connect_with(server.address, target, b"").await?;
    assert_eq!(client.expect("40").await?, "40");
    // The query names the secret of a client that is there, which is not ended by it.
    let mut newer =
        WebSocket::connect_with(server.address, "/socket.io/?EIO=4&transport=websocket", b"")
            .await?;
    newer.send_text("40/open,").await?;
    let connected = newer.expect("40/open,").await?;
    let pid = connected.split('"').nth(7).expect("a secret").to_owned();
    client.send_text(&format!("40/open?pid={pid}&offset=0,")).await?;
    assert_eq!(client.expect("40/open").await?, "40/open,");
    assert_eq!(client.next_text().await?, r#"42/open,["hello"]"#, "without an offset");
    newer.send_text(r#"420["echo","there"]"#).await?;
    client.close().await?;
    newer.close().await?;
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_poll_in_both_revisions() -> io::Result<()> {
    const FORM: &str = "application/x-www-form-urlencoded";
    let server = start().await;
    let mut newer = Older::open(&server, "EIO=4&j=0").await?;
    assert_eq!(newer.post(FORM, b"d=40").await?, 200);
    let response = newer.get().await?;
    assert!(response.body.starts_with("___eio[0](\"40{\\\"sid\\\""), "{}", response.body);
    assert!(response.head.contains("content-type: text/javascript"), "{}", response.head);
    assert!(response.head.contains("cache-control: no-store"), "{}", response.head);
    let form = "d=420%5B%22echo%22%2C%22%E2%80%A8a%5C%5Cnb%22%5D";
    assert_eq!(newer.post(FORM, form.as_bytes()).await?, 200);
    let body = newer.get().await?.body;
    assert_eq!(body, r#"___eio[0]("430[\"\u2028a\\nb\"]");"#);
    // What is no form has no packets.
    assert_eq!(newer.post(FORM, b"e=1").await?, 200);
    assert_eq!(newer.post(FORM, b"d=1").await?, 200);

    let mut older = Older::open(&server, "EIO=3&j=12").await?;
    assert_eq!(older.get().await?.body, "___eio[12](\"2:40\");");
    assert_eq!(older.post(FORM, b"d=1%3A2").await?, 200);
    assert_eq!(older.get().await?.body, "___eio[12](\"1:3\");");
    server.io.emit("data", &Bytes::from_static(&[1, 2])).expect("it fits");
    let body = older.get().await?.body;
    assert!(body.ends_with("6:b4AQI=\");"), "{body}");
    assert_eq!(older.post("application/octet-stream", b"\x00\x01\xff2").await?, 400);

    let mut http = Http::connect(server.address).await?;
    for index in ["", "1a", "](alert(1))[", "99999999999"] {
        let target = format!("/socket.io/?EIO=4&transport=polling&j={index}");
        http.request("GET", &target, "").await?;
        let response = http.response().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        assert_eq!(
            (response.status, &*response.body),
            (400, r#"{"code":3,"message":"Bad request"}"#)
        );
    }
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limits_are_the_same_for_forms_and_binary_bodies() -> io::Result<()> {
    let server = start_with(|builder| builder.max_payload(1_000)).await;
    for query in ["EIO=3", "EIO=3&j=0", "EIO=4&j=0"] {
        let mut client = Older::open(&server, query).await?;
        let content_type = if query == "EIO=3" { "application/octet-stream" } else { "text/plain" };
        assert_eq!(client.post(content_type, &[0; 1_001]).await?, 413, "{query}");
        assert_eq!(client.text(if query == "EIO=3" { "1:1" } else { "d=1:1" }).await?, 200);
    }
    server.io.close(SHORT * 100).await;
    server.finish_closed().await;
    Ok(())
}

/// The digits of a length, and the byte that ends them never comes.
#[tokio::test(flavor = "multi_thread")]
async fn a_length_that_never_ends_ends_the_session() -> io::Result<()> {
    let server = start().await;
    let lengths = |byte| [[0].as_slice(), &vec![byte; 999_999]].concat();
    for body in [vec![0], vec![1, 2], vec![0; 1_000_000], lengths(1), lengths(9), lengths(0xfe)] {
        let mut client = Older::open(&server, "EIO=3").await?;
        assert_eq!(client.get().await?.body, "2:40");
        assert_eq!(client.post("application/octet-stream", &body).await?, 200);
        assert_eq!(client.get().await?.status, 400);
    }
    // The same in text, where a colon ends it.
    for body in ["1".repeat(999_999), "9".repeat(300), "1".to_owned()] {
        let mut client = Older::open(&server, "EIO=3&b64=1").await?;
        assert_eq!(client.get().await?.body, "2:40");
        assert_eq!(client.text(&body).await?, 200);
        assert_eq!(client.get().await?.status, 400);
    }
    server.finish().await;
    Ok(())
}
