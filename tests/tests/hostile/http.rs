//! HTTP that is none, or not quite.

use std::io;
use std::time::Duration;

use sansocket_tests::client::{Http, PATIENCE, Polling, WebSocket, eventually, upgrade_request};
use sansocket_tests::noise::Noise;
use sansocket_tokio::Server;
use tokio::time::sleep;

use crate::support::{SHORT, TestServer, quick};

const HANDSHAKE: &str = "/socket.io/?EIO=4&transport=polling";
const UPGRADE: &str = "/socket.io/?EIO=4&transport=websocket";

#[tokio::test(flavor = "multi_thread")]
async fn noise_is_answered_and_closed() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let mut noise = Noise(1);
    let beginnings =
        ["", "GET ", "GET / HTTP/1.1\r\n", "\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"];
    for beginning in beginnings.into_iter().cycle().take(200) {
        let length = noise.next_number() as usize % 2_000;
        let mut http = Http::connect(server.address).await?;
        // The server may close before it has read everything.
        let _ = http.send([beginning.as_bytes(), &noise.bytes(length)].concat()).await;
        let _ = http.shut_down_write().await;
        http.read_to_end().await;
    }
    let mut http = Http::connect(server.address).await?;
    http.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS client's hello").await?;
    assert_eq!(http.response().await?.map(|response| response.status), Some(400));
    http.read_to_end().await;
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn half_requests_lead_to_nothing() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let get = format!("GET {HANDSHAKE} HTTP/1.1\r\nHost: a\r\n\r\n");
    let upgrade = upgrade_request("/socket.io/?EIO=4&transport=websocket");
    for request in [get, upgrade] {
        for end in 0..request.len() {
            let mut http = Http::connect(server.address).await?;
            http.send(&request[..end]).await?;
            http.shut_down_write().await?;
            http.read_to_end().await;
        }
    }
    assert!(server.is_at_rest(), "{:?}", server.io.stats());
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn large_headers_are_refused() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let one_large = |bytes| format!("x: {}\r\n", "a".repeat(bytes));
    let headers = [one_large(17 << 10), one_large(200 << 10), "x: a\r\n".repeat(150)];
    let requests =
        [format!("GET {HANDSHAKE} HTTP/1.1\r\nhost: a\r\n\r\n"), upgrade_request(UPGRADE)];
    let each = requests.iter().flat_map(|request| headers.iter().map(move |it| (request, it)));
    for (request, header) in each {
        let mut http = Http::connect(server.address).await?;
        let head = request.strip_suffix("\r\n").expect("the end of a head");
        let _ = http.send(format!("{head}{header}\r\n")).await;
        // What the client still sends may turn the answer into a reset.
        if let Some(response) = http.response().await? {
            assert_eq!(response.status, 431, "{}", response.head);
        }
        http.read_to_end().await;
    }
    server.finish().await;
    Ok(())
}

/// What has no end is not kept until there is one, nor until the time for it is over.
#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_does_not_end_is_refused() -> io::Result<()> {
    // More than the network holds itself.
    const BYTES: usize = 32 << 20;
    let server = TestServer::start(Server::builder().header_timeout(10 * PATIENCE)).await;
    let get = format!("GET {HANDSHAKE} HTTP/1.1\r\nhost: a");
    let upgrade = upgrade_request(UPGRADE);
    for beginning in ["GET /", &get, upgrade.trim_end()] {
        for piece in ["x".repeat(8_000), format!("\r\nx: {}", "a".repeat(8_000))] {
            let mut http = Http::connect(server.address).await?;
            http.send(beginning).await?;
            let mut sent = 0;
            while sent < BYTES && http.send(&piece).await.is_ok() {
                sent += piece.len();
            }
            assert!(sent < BYTES, "{beginning}");
            http.read_to_end().await;
        }
    }
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_must_be_complete_in_time() -> io::Result<()> {
    let server = TestServer::start(Server::builder().header_timeout(SHORT)).await;
    for beginning in ["", "G", "GET / HTTP/1.1\r\nx: "] {
        let mut http = Http::connect(server.address).await?;
        http.send(beginning).await?;
        http.read_to_end().await;
    }
    // A byte now and then is no excuse.
    let mut http = Http::connect(server.address).await?;
    http.send("GET / HTTP/1.1\r\nx: ").await?;
    while http.send("a").await.is_ok() {
        sleep(Duration::from_millis(5)).await;
    }
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_must_be_complete_in_time() -> io::Result<()> {
    let server = TestServer::start(Server::builder().body_timeout(SHORT)).await;
    let mut polling = Polling::open(server.address).await?;
    let target = polling.target("polling");
    let head = format!("POST {target} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n40");
    polling.post.send(head).await?;
    let response = polling.post.response().await?;
    assert_eq!(response.map(|response| response.status), Some(408));
    polling.post.read_to_end().await;
    // It counts as broken off.
    server.rests().await;
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_names_one_host() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    for host in ["", "Host: a\r\nHost: a\r\n", "Host: a\r\nHost: b\r\n", "Host: a b\r\n"] {
        let mut http = Http::connect(server.address).await?;
        let request = format!("GET {HANDSHAKE} HTTP/1.1\r\n{host}\r\n");
        // What follows a request that can be read in two ways is not read at all.
        http.send(request + &format!("GET {HANDSHAKE} HTTP/1.1\r\nHost: a\r\n\r\n")).await?;
        assert_eq!(http.response().await?.map(|response| response.status), Some(400), "{host}");
        assert_eq!(http.read_to_end().await, 0, "{host}");
    }
    assert!(server.is_at_rest(), "{:?}", server.io.stats());
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_smuggled() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let shapes = [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked, gzip",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding:\u{b}chunked",
        "X: a\r\n Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: +5",
        "Content-Length: 5 5",
        "Content-Length: 0x5",
        "Content-Length: 18446744073709551621",
        "Content-Length: -5",
    ];
    for version in ["1.1", "1.0"] {
        for shape in shapes {
            let mut http = Http::connect(server.address).await?;
            let target = format!("{HANDSHAKE}&sid=Aabcdefghij0123456-_");
            // Whoever takes the end of the body to lie elsewhere sees a handshake in the rest.
            let request = format!(
                "POST {target} HTTP/{version}\r\nHost: a\r\n{shape}\r\n\r\n0\r\n\r\n\
                 GET {HANDSHAKE} HTTP/1.1\r\nHost: a\r\n\r\n"
            );
            http.send(request).await?;
            let response = http.response().await?;
            if let Some(response) = response {
                assert_eq!(response.status, 400, "{shape}: {}", response.head);
            }
            assert_eq!(http.read_to_end().await, 0, "{version} {shape}");
        }
    }
    assert!(server.is_at_rest(), "{:?}", server.io.stats());
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn pipelined_requests_are_answered_in_order() -> io::Result<()> {
    let server = TestServer::start(quick()).await;
    let mut http = Http::connect(server.address).await?;
    let get = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
    http.send([get(HANDSHAKE), get("/"), get(HANDSHAKE)].concat()).await?;
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(http.response().await?.map(|response| response.status));
    }
    assert_eq!(statuses, [Some(200), Some(404), Some(200)]);
    // Two GETs of one session, and its client vanishes: the second is not reached.
    let mut polling = Polling::open(server.address).await?;
    polling.begin_poll().await?;
    polling.begin_poll().await?;
    drop((http, polling));
    server.rests().await;
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_request_at_a_time_closes_the_session() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let mut polling = Polling::open(server.address).await?;
    polling.join().await?;
    polling.begin_poll().await?;
    eventually("the server has the first GET", || server.io.stats().outbox_bytes == 0).await;
    let target = polling.target("polling");
    let mut other = Http::connect(server.address).await?;
    // Either may be the first to arrive. One of them is told that it came second.
    other.request("GET", &target, "").await?;
    let answers = [polling.get.response().await?, other.response().await?];
    let statuses = answers.map(|answer| answer.map(|response| response.status));
    assert!(statuses.contains(&Some(400)) && statuses.contains(&Some(200)), "{statuses:?}");
    server.rests().await;
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_may_be_as_large_as_the_limit_and_no_larger() -> io::Result<()> {
    const LIMIT: usize = 1_000;
    let server = TestServer::start(Server::builder().max_payload(LIMIT)).await;
    let event = |bytes: usize| format!(r#"42["echo","{}"]"#, "a".repeat(bytes - 13));
    let mut polling = Polling::open(server.address).await?;
    polling.join().await?;
    assert_eq!((event(LIMIT).len(), polling.post(&event(LIMIT)).await?), (LIMIT, 200));
    assert_eq!(polling.post(&event(LIMIT + 1)).await?, 413);
    polling.echo().await?;
    // Chunks tell their sizes one by one.
    let target = polling.target("polling");
    let body = event(LIMIT + 1);
    let mut chunked = Http::connect(server.address).await?;
    chunked
        .send(format!(
            "POST {target} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
             {:x}\r\n{}\r\n1\r\n]\r\n0\r\n\r\n",
            LIMIT,
            &body[..LIMIT],
        ))
        .await?;
    assert_eq!(chunked.response().await?.map(|response| response.status), Some(413));
    polling.echo().await?;
    // A client that means to send a gigabyte is not waited for.
    let mut endless = Http::connect(server.address).await?;
    let head = format!("POST {target} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n");
    endless.send(head).await?;
    while endless.send([b'a'; 1_000]).await.is_ok() {}
    endless.read_to_end().await;
    polling.echo().await?;
    polling.post("1").await?;
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_sessions_are_unknown() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let unknown = ["Aabcdefghij0123456-_", "_abcdefghij0123456-_", "%00", "a", &"a".repeat(9_000)];
    for sid in unknown {
        for method in ["GET", "POST", "DELETE"] {
            let mut http = Http::connect(server.address).await?;
            http.request(method, &format!("{HANDSHAKE}&sid={sid}"), "").await?;
            let response = http.response().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
            if method == "DELETE" && response.status == 500 {
                continue;
            }
            let expected = r#"{"code":1,"message":"Session ID unknown"}"#;
            assert_eq!((response.status, &*response.body), (400, expected), "{method} {sid}");
        }
        let target = format!("/socket.io/?EIO=4&transport=websocket&sid={sid}");
        assert!(WebSocket::connect_with(server.address, &target, b"").await.is_err());
    }
    server.finish().await;
    Ok(())
}
