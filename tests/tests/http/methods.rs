//! Methods, bodies and connections that a client of the protocol does not use so.

use std::io;
use std::time::Duration;

use sansocket_core::codec::websocket::Opcode;
use sansocket_tests::client::{Http, PATIENCE, Polling, frame, in_time, upgrade_request};
use sansocket_tokio::{Cors, Server};
use tokio::time::sleep;

use crate::support::{SHORT, TestServer, quick};

const POLLING: &str = "/socket.io/?EIO=4&transport=polling";

/// Sends a request, and reads status and body, if the response has one.
async fn ask(http: &mut Http, request: impl AsRef<[u8]>) -> io::Result<(u16, String)> {
    http.send(request).await?;
    let response = http.response().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok((response.status, response.body))
}

fn request(method: &str, target: &str) -> String {
    format!("{method} {target} HTTP/1.1\r\nHost: a\r\n\r\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn only_get_opens_a_session() -> io::Result<()> {
    let server = TestServer::start(quick()).await;
    let mut http = Http::connect(server.address).await?;
    let refused = (400, r#"{"code":2,"message":"Bad handshake method"}"#.to_owned());
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "get"] {
        // All of them on one connection, which stays.
        assert_eq!(ask(&mut http, request(method, POLLING)).await?, refused, "{method}");
    }
    assert!(server.is_at_rest(), "{:?}", server.io.stats());
    assert_eq!(ask(&mut http, request("GET", POLLING)).await?.0, 200);
    // The answer to HEAD has no body, and the length that it would have.
    let mut http = Http::connect(server.address).await?;
    http.send(request("HEAD", POLLING) + "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .await?;
    http.read_to_end().await;
    let heads = String::from_utf8_lossy(http.unread());
    assert!(heads.starts_with("HTTP/1.1 400"), "{heads}");
    assert!(!heads.contains("Bad handshake method"), "{heads}");
    assert!(heads.contains("HTTP/1.1 404"), "{heads}");
    server.finish().await;
    Ok(())
}

/// Internet Explorer takes packets for an attack, unless it is told not to. Errors are not packets.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_browser_is_told_not_to_filter() -> io::Result<()> {
    let server = TestServer::start(quick()).await;
    let mut http = Http::connect(server.address).await?;
    for (agent, target, expected) in [
        ("Mozilla/5.0 (Windows NT 10.0; Trident/7.0; rv:11.0)", POLLING, (200, true, true)),
        ("Mozilla/4.0 (compatible;MSIE 8.0)", POLLING, (200, true, true)),
        ("Mozilla/5.0 (X11; Linux x86_64)", POLLING, (200, true, false)),
        ("Mozilla/4.0 (compatible;MSIE 8.0)", "/socket.io/?EIO=4", (400, false, false)),
    ] {
        let head = format!("GET {target} HTTP/1.1\r\nHost: a\r\nUser-Agent: {agent}\r\n\r\n");
        http.send(head).await?;
        let response = http.response().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let has = |line: &str| response.head.contains(line);
        let (stored, filter) = ("cache-control: no-store\r\n", "x-xss-protection: 0\r\n");
        assert_eq!((response.status, has(stored), has(filter)), expected, "{}", response.head);
    }
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn other_methods_leave_a_session_alone() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let mut polling = Polling::open(server.address).await?;
    polling.join().await?;
    let target = polling.target("polling");
    let mut http = Http::connect(server.address).await?;
    for method in ["HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "post"] {
        assert_eq!(
            ask(&mut http, request(method, &target)).await?,
            (500, String::new()),
            "{method}"
        );
        polling.echo().await?;
    }
    polling.post("1").await?;
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn options_is_a_preflight_where_there_is_cors() -> io::Result<()> {
    let server = TestServer::start(Server::builder().cors(Cors::permissive())).await;
    let mut polling = Polling::open(server.address).await?;
    let mut http = Http::connect(server.address).await?;
    for target in [POLLING, &polling.target("polling"), "/socket.io/anything"] {
        http.send(request("OPTIONS", target)).await?;
        let response = http.response().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        assert_eq!(response.status, 204, "{target}");
        assert!(response.head.contains("access-control-allow-methods"), "{}", response.head);
    }
    polling.post("1").await?;
    server.finish().await;
    Ok(())
}

/// Nothing orders a GET and the POST that ends its session: they come on two connections.
#[tokio::test(flavor = "multi_thread")]
async fn a_get_that_the_clients_close_overtook_is_no_error() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let mut polling = Polling::open(server.address).await?;
    polling.join().await?;
    let target = polling.target("polling");
    polling.post("1").await?;
    let mut http = Http::connect(server.address).await?;
    assert_eq!(ask(&mut http, request("GET", &target)).await?, (200, "6".to_owned()));
    let unknown = (400, r#"{"code":1,"message":"Session ID unknown"}"#.to_owned());
    assert_eq!(ask(&mut http, request("GET", &target)).await?, unknown);
    server.finish().await;
    Ok(())
}

/// The bodies of requests that are not served, or need none, look like requests.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_nobody_reads_is_no_request() -> io::Result<()> {
    let server = TestServer::start(Server::builder().cors(Cors::permissive())).await;
    let hidden = request("GET", POLLING);
    let length = format!("Content-Length: {}\r\n\r\n{hidden}", hidden.len());
    let chunked =
        format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{hidden}\r\n0\r\n\r\n", hidden.len());
    let none = format!("{POLLING}&sid=Aabcdefghij0123456-_");
    for (method, target, status) in [
        ("PUT", POLLING, 400),
        ("DELETE", POLLING, 400),
        ("POST", &*none, 400),
        ("GET", &*none, 400),
        ("OPTIONS", POLLING, 204),
        ("POST", "/elsewhere", 404),
        ("GET", "/elsewhere", 404),
    ] {
        for body in [&length, &chunked] {
            let mut http = Http::connect(server.address).await?;
            http.send(format!("{method} {target} HTTP/1.1\r\nHost: a\r\n{body}")).await?;
            http.send("GET /end HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await?;
            let response = http.response().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
            assert_eq!(response.status, status, "{method} {target}");
            // The connection is closed, or goes on behind the body.
            if let Some(next) = http.response().await? {
                assert_eq!(next.status, 404, "{method} {target}: {}", next.head);
            }
            assert_eq!(http.read_to_end().await, 0, "{method} {target}");
        }
    }
    assert!(server.is_at_rest(), "{:?}", server.io.stats());
    server.finish().await;
    Ok(())
}

/// What is declared a body is not taken for the frames of the WebSocket, and nothing behind it for
/// a request.
#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_begins_behind_the_body_of_its_handshake() -> io::Result<()> {
    let server = TestServer::start(quick()).await;
    let hidden = request("GET", POLLING);
    let upgrade = upgrade_request("/socket.io/?EIO=4&transport=websocket");
    let head = upgrade.trim_end();
    for body in [
        format!("Content-Length: {}\r\n\r\n{hidden}", hidden.len()),
        format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{hidden}\r\n0\r\n\r\n", hidden.len()),
    ] {
        let mut http = Http::connect(server.address).await?;
        http.send(format!("{head}\r\n{body}")).await?;
        let response = http.response().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        assert_eq!(response.status, 101, "{}", response.head);
        http.send(frame(Opcode::Close, &1000_u16.to_be_bytes())).await?;
        http.read_to_end().await;
        let rest = http.unread();
        assert!(rest.ends_with(&[0x88, 2, 0x03, 0xe8]), "{rest:?}");
        assert!(!String::from_utf8_lossy(rest).contains("HTTP/1.1"), "{rest:?}");
    }
    server.rests().await;
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_is_a_get_of_http_1_1() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let upgrade = upgrade_request("/socket.io/?EIO=4&transport=websocket");
    for (request, code) in [
        (upgrade.replacen("GET", "POST", 1), 400),
        (upgrade.replacen("GET", "PUT", 1), 400),
        (upgrade.replacen("HTTP/1.1", "HTTP/1.0", 1), 400),
        (upgrade.replacen("Connection: Upgrade", "Connection: close", 1), 400),
        // Another protocol: it is an ordinary request, on the wrong transport.
        (upgrade.replacen("Upgrade: websocket", "Upgrade: h2c", 1), 400),
    ] {
        let mut http = Http::connect(server.address).await?;
        assert_eq!(ask(&mut http, &request).await?.0, code, "{request}");
    }
    assert!(server.is_at_rest(), "{:?}", server.io.stats());
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_kept_until_its_client_says_otherwise() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let mut polling = Polling::open(server.address).await?;
    polling.join().await?;
    // Both of its connections serve many requests.
    for _ in 0..20 {
        polling.echo().await?;
    }
    let target = polling.target("polling");
    for (head, kept) in [
        (format!("POST {target} HTTP/1.1\r\nHost: a\r\n"), true),
        (format!("POST {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"), false),
        (format!("POST {target} HTTP/1.0\r\nHost: a\r\n"), false),
        (format!("POST {target} HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n"), true),
    ] {
        let mut http = Http::connect(server.address).await?;
        let request = format!("{head}Content-Length: 1\r\n\r\n6");
        assert_eq!(ask(&mut http, &request).await?, (200, "ok".to_owned()), "{head}");
        if kept {
            assert_eq!(ask(&mut http, &request).await?, (200, "ok".to_owned()), "{head}");
        } else {
            assert_eq!(http.read_to_end().await, 0, "{head}");
        }
    }
    polling.post("1").await?;
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_is_closed_and_its_session_is_not() -> io::Result<()> {
    let server = TestServer::start(Server::builder().header_timeout(SHORT)).await;
    let mut polling = Polling::open(server.address).await?;
    assert_eq!(in_time("the end of the idle connection", polling.get.read_to_end()).await, 0);
    polling.get = Http::connect(server.address).await?;
    polling.post = Http::connect(server.address).await?;
    assert_eq!(polling.post("40").await?, 200);
    assert!(polling.poll().await?.contains("40{"));
    polling.post = Http::connect(server.address).await?;
    polling.post("1").await?;
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_a_byte_now_and_then_is_not_waited_for() -> io::Result<()> {
    let server = TestServer::start(Server::builder().body_timeout(SHORT)).await;
    for (length, byte) in
        [("Content-Length: 100000", "4"), ("Transfer-Encoding: chunked", "1\r\n4\r\n")]
    {
        let polling = Polling::open(server.address).await?;
        let target = polling.target("polling");
        let mut http = Http::connect(server.address).await?;
        http.send(format!("POST {target} HTTP/1.1\r\nHost: a\r\n{length}\r\n\r\n")).await?;
        while http.send(byte).await.is_ok() {
            sleep(Duration::from_millis(5)).await;
        }
        http.read_to_end().await;
        // It counts as broken off.
        server.rests().await;
    }
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_chunks_end_the_session_and_the_connection() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    for body in
        ["x\r\n", "1\r\n40\r\n", "-1\r\n", "ffffffffffffffff1\r\n", "1;\n4", "0\r\nX\r\n\r\n"]
    {
        let polling = Polling::open(server.address).await?;
        let target = polling.target("polling");
        let mut http = Http::connect(server.address).await?;
        let head =
            format!("POST {target} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        http.send(head + body + &request("GET", POLLING)).await?;
        if let Some(response) = http.response().await? {
            assert_eq!(response.status, 400, "{body:?}");
        }
        assert_eq!(http.read_to_end().await, 0, "{body:?}");
        server.rests().await;
    }
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn chunks_may_have_extensions_and_trailers() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let mut polling = Polling::open(server.address).await?;
    let target = polling.target("polling");
    let mut http = Http::connect(server.address).await?;
    let body = "1;a=b\r\n4\r\n1\r\n0\r\n0\r\nHost: b\r\nX: y\r\n\r\n";
    let head = format!("POST {target} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    assert_eq!(ask(&mut http, head + body).await?, (200, "ok".to_owned()));
    polling.expect("40{").await?;
    polling.post("1").await?;
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_asks_before_it_sends_a_body_is_told_to_go_on() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let mut polling = Polling::open(server.address).await?;
    let target = polling.target("polling");
    let mut http = Http::connect(server.address).await?;
    let head = format!(
        "POST {target} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    );
    assert_eq!(ask(&mut http, head).await?.0, 100);
    assert_eq!(ask(&mut http, "40").await?, (200, "ok".to_owned()));
    polling.expect("40{").await?;
    // Who is refused anyhow is not asked for it.
    let mut http = Http::connect(server.address).await?;
    let head = format!(
        "POST {POLLING} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    );
    assert_eq!(ask(&mut http, head).await?.0, 400);
    polling.post("1").await?;
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn binary_bodies_are_of_another_revision() -> io::Result<()> {
    // A session that is left does not end by itself.
    let builder = Server::builder().connect_timeout(10 * PATIENCE).ping_timeout(10 * PATIENCE);
    let server = TestServer::start(builder).await;
    for (kind, status) in [
        ("application/octet-stream", 400),
        ("application/octet-stream; x=y", 200),
        ("text/plain;charset=UTF-8", 200),
    ] {
        let mut polling = Polling::open(server.address).await?;
        let target = polling.target("polling");
        let post = format!(
            "POST {target} HTTP/1.1\r\nHost: a\r\nContent-Type: {kind}\r\nContent-Length: 2\r\n\r\n40"
        );
        let mut http = Http::connect(server.address).await?;
        assert_eq!(ask(&mut http, post).await?.0, status, "{kind}");
        if status == 200 {
            polling.expect("40{").await?;
            polling.post("1").await?;
        }
        // Refused, it ends its session.
        server.rests().await;
    }
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_post_keeps_its_connection() -> io::Result<()> {
    let server = TestServer::start(Server::builder().max_payload(100)).await;
    let mut polling = Polling::open(server.address).await?;
    polling.join().await?;
    for _ in 0..3 {
        assert_eq!(polling.post(&"4".repeat(101)).await?, 413);
        polling.echo().await?;
    }
    polling.post("1").await?;
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_posts_at_a_time_close_the_session() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let polling = Polling::open(server.address).await?;
    let target = polling.target("polling");
    let post = format!(
        "POST {target} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    );
    let mut first = Http::connect(server.address).await?;
    // It is told to go on once its body is waited for.
    assert_eq!(ask(&mut first, &post).await?.0, 100);
    let mut second = Http::connect(server.address).await?;
    assert_eq!(ask(&mut second, &post).await?, (400, String::new()));
    // What the first one brings is for a session that is over: its connection ends.
    first.send("40").await?;
    assert_eq!(first.read_to_end().await, 0);
    server.rests().await;
    server.finish().await;
    Ok(())
}

/// The absolute form is for proxies, and every server has to accept it (RFC 9112 section 3.2.2).
#[tokio::test(flavor = "multi_thread")]
async fn a_target_may_be_absolute() -> io::Result<()> {
    let server = TestServer::start(quick()).await;
    let mut http = Http::connect(server.address).await?;
    let (status, _) = ask(&mut http, request("GET", &format!("http://a{POLLING}"))).await?;
    assert_eq!(status, 200);
    for target in ["*", "a:1", "/SOCKET.IO/?EIO=4&transport=polling", "/socket.io?EIO=4"] {
        let mut http = Http::connect(server.address).await?;
        http.send(request("OPTIONS", target)).await?;
        let status = http.response().await?.map(|response| response.status);
        assert!(matches!(status, Some(400 | 404)), "{target}: {status:?}");
    }
    drop(http);
    server.rests().await;
    server.finish().await;
    Ok(())
}
