//! What the application sees of requests, and what it may do to them and to their responses.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use sansocket_tests::client::{Http, Polling, WebSocket, eventually, upgrade_request, visit};
use sansocket_tokio::{
    Builder, ConnectionError, Cors, Interception, Limits, Refusal, Server, Socket,
};

use crate::support::TestServer;

const POLLING: &str = "/socket.io/?EIO=4&transport=polling";
const WEBSOCKET: &str = "/socket.io/?EIO=4&transport=websocket";
const UNKNOWN: &str = "Aabcdefghij0123456-_";

/// What the hooks have seen, line by line.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, line: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A builder whose refusals come here.
    fn of_errors(&self, builder: Builder) -> Builder {
        let log = self.clone();
        builder.on_connection_error(move |error: &ConnectionError<'_>| {
            let ConnectionError { request, code, message, refusal, reason, .. } = error;
            let method = &request.method;
            log.add(format!("{method} {code} {message:?} {refusal:?} {reason:?}"));
        })
    }
}

/// Sends a request of a client that wants a WebSocket, or not, and reads the answer.
async fn ask(
    server: &TestServer,
    method: &str,
    target: &str,
) -> io::Result<sansocket_tests::client::Response> {
    let mut http = Http::connect(server.address).await?;
    if method == "UPGRADE" {
        http.send(upgrade_request(target)).await?;
    } else {
        http.request(method, target, "").await?;
    }
    http.response().await?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

fn header(name: &'static str, value: &'static str) -> impl Fn(&mut HeaderMap) {
    move |headers| {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_are_added_to_what_serves_a_request() -> io::Result<()> {
    let log = Log::default();
    let (first, every) = (log.clone(), log.clone());
    let builder = Server::builder()
        .on_initial_headers(move |headers, request| {
            first.add(format!("initial {}", request.method));
            header("x-initial", "1")(headers);
        })
        .on_headers(move |headers, request| {
            every.add(format!("{} {}", request.method, headers.contains_key("x-initial")));
            header("x-every", "a")(headers);
        })
        .on_headers(|headers, _| header("x-every", "b")(headers));
    let server = TestServer::start(builder).await;
    let has = |head: &str| (head.contains("x-initial: 1\r\n"), head.contains("x-every: b\r\n"));

    let opened = ask(&server, "GET", POLLING).await?;
    assert_eq!((opened.status, has(&opened.head)), (200, (true, true)), "{}", opened.head);
    assert_eq!(log.take(), ["initial GET", "GET true"]);
    let sid = opened.body.split('"').nth(3).unwrap_or_default();
    let target = format!("{POLLING}&sid={sid}");
    let mut post = Http::connect(server.address).await?;
    post.request("POST", &target, "40").await?;
    let posted = post.response().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
    assert_eq!((posted.status, has(&posted.head)), (200, (false, true)), "{}", posted.head);
    assert_eq!(log.take(), ["POST false"]);
    let polled = ask(&server, "GET", &target).await?;
    assert_eq!((polled.status, has(&polled.head)), (200, (false, true)), "{}", polled.head);
    assert_eq!(log.take(), ["GET false"]);
    // The WebSocket of a session that there is.
    let mut upgrade = Http::connect(server.address).await?;
    upgrade.send(upgrade_request(&format!("{WEBSOCKET}&sid={sid}"))).await?;
    let upgraded = upgrade.response().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
    assert_eq!((upgraded.status, has(&upgraded.head)), (101, (false, true)), "{}", upgraded.head);
    assert_eq!(log.take(), ["GET false"]);
    // One that begins a session.
    let mut websocket = Http::connect(server.address).await?;
    websocket.send(upgrade_request(WEBSOCKET)).await?;
    let opened = websocket.response().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
    assert_eq!((opened.status, has(&opened.head)), (101, (true, true)), "{}", opened.head);
    assert_eq!(log.take(), ["initial GET", "GET true"]);

    // Nothing that is refused.
    for (method, target) in [
        ("GET", "/socket.io/?EIO=4"),
        ("UPGRADE", "/socket.io/?EIO=4"),
        ("POST", POLLING),
        ("PUT", &*target),
        ("GET", "/elsewhere"),
    ] {
        let refused = ask(&server, method, target).await?;
        assert!(refused.status >= 400, "{}", refused.head);
        assert_eq!(has(&refused.head), (false, false), "{}", refused.head);
    }
    assert_eq!(log.take(), [""; 0]);
    post.request("POST", &target, "1").await?;
    post.response().await?;
    drop((upgrade, websocket));
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_told_with_code_message_and_reason() -> io::Result<()> {
    let log = Log::default();
    let builder = log.of_errors(Server::builder()).allow_request(async |request| {
        let query = request.uri.query().unwrap_or_default();
        if query.contains("stranger") { Err("who are you?") } else { Ok(()) }
    });
    let server = TestServer::start(builder).await;
    let with_sid = format!("{POLLING}&sid={UNKNOWN}");
    for (method, target, status, told) in [
        ("GET", "/socket.io/?EIO=4", 400, r#"GET 0 "Transport unknown" UnknownTransport None"#),
        ("UPGRADE", "/socket.io/?EIO=4", 400, r#"GET 0 "Transport unknown" UnknownTransport None"#),
        ("GET", &*with_sid, 400, r#"GET 1 "Session ID unknown" UnknownSession None"#),
        ("POST", &*with_sid, 400, r#"POST 1 "Session ID unknown" UnknownSession None"#),
        ("PUT", POLLING, 400, r#"PUT 2 "Bad handshake method" BadHandshakeMethod None"#),
        ("GET", WEBSOCKET, 400, r#"GET 3 "Bad request" NoWebSocketHandshake None"#),
        (
            "GET",
            &*format!("{POLLING}&stranger"),
            403,
            r#"GET 4 "who are you?" Forbidden Some("who are you?")"#,
        ),
        (
            "UPGRADE",
            &*format!("{WEBSOCKET}&stranger"),
            400,
            r#"GET 4 "who are you?" Forbidden Some("who are you?")"#,
        ),
        (
            "GET",
            "/socket.io/?EIO=5&transport=polling",
            400,
            r#"GET 5 "Unsupported protocol version" UnsupportedProtocol None"#,
        ),
    ] {
        let response = ask(&server, method, target).await?;
        assert_eq!(response.status, status, "{method} {target}");
        assert_eq!(log.take(), [told], "{method} {target}");
        if method != "UPGRADE" {
            let code = told.split(' ').nth(1).unwrap_or_default();
            let body = format!(r#"{{"code":{code},"message":"#);
            assert!(response.body.starts_with(&body), "{}", response.body);
        }
    }
    // What is not for the server, and what is no refusal, is not told.
    ask(&server, "GET", "/elsewhere").await?;
    assert_eq!(log.take(), [""; 0]);
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_server_tells_whom_it_refuses() -> io::Result<()> {
    let log = Log::default();
    let mut limits = Limits::default();
    limits.sessions = 1;
    let builder = log.of_errors(Server::builder().shards(1).limits(limits));
    let server = TestServer::start(builder).await;
    let mut only = Polling::open(server.address).await?;
    assert_eq!(ask(&server, "GET", POLLING).await?.status, 503);
    assert_eq!(log.take(), [r#"GET 3 "Service unavailable" Unavailable None"#]);
    only.post("1").await?;
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_middleware_may_answer_refuse_or_let_through() -> io::Result<()> {
    let log = Log::default();
    let (first, second) = (log.clone(), log.clone());
    let builder = log.of_errors(Server::builder()).cors(Cors::origin("http://b"));
    let builder = builder
        .use_request(move |request| {
            first.add(format!("first {}", request.method));
            async move {
                match request.uri.query() {
                    Some("health") => {
                        let mut response = Response::new(Bytes::from("fine"));
                        *response.status_mut() = StatusCode::ACCEPTED;
                        Err(Interception::from(response))
                    }
                    Some(query) if query.contains("refuse") => Err("not today".into()),
                    _ => Ok(request),
                }
            }
        })
        .use_request(move |request| {
            second.add("second".to_owned());
            async { Ok::<_, Interception>(request) }
        });
    let server = TestServer::start(builder).await;

    let answered = ask(&server, "GET", "/socket.io/?health").await?;
    assert_eq!((answered.status, &*answered.body), (202, "fine"));
    assert!(answered.head.contains("access-control-allow-origin: http://b"), "{}", answered.head);
    assert_eq!(log.take(), ["first GET"]);
    let answered = ask(&server, "UPGRADE", "/socket.io/?health").await?;
    assert_eq!((answered.status, &*answered.body), (202, "fine"));
    assert_eq!(log.take(), ["first GET"]);

    let told = r#" 3 "Bad request" Middleware Some("not today")"#;
    for method in ["GET", "POST", "DELETE"] {
        let refused = ask(&server, method, &format!("{POLLING}&refuse")).await?;
        assert_eq!(refused.status, 400);
        assert_eq!(refused.body, r#"{"code":3,"message":"Bad request"}"#);
        assert!(refused.head.contains("access-control-allow-origin"), "{}", refused.head);
        assert_eq!(log.take(), [format!("first {method}"), format!("{method}{told}")]);
    }
    let refused = ask(&server, "UPGRADE", &format!("{WEBSOCKET}&refuse")).await?;
    assert_eq!((refused.status, &*refused.body), (400, "Bad request"));
    assert!(refused.head.contains("content-type: text/html"), "{}", refused.head);
    assert_eq!(log.take(), ["first GET".to_owned(), format!("GET{told}")]);

    // Before the session is looked for, and not for preflights and other paths.
    ask(&server, "GET", &format!("{POLLING}&sid={UNKNOWN}")).await?;
    let lines = log.take();
    assert_eq!(lines[..2], ["first GET", "second"], "{lines:?}");
    assert_eq!(ask(&server, "OPTIONS", POLLING).await?.status, 204);
    assert_eq!(ask(&server, "GET", "/elsewhere?health").await?.status, 404);
    assert_eq!(log.take(), [""; 0]);

    // All requests of a session pass, the upgrade too.
    visit(server.address).await?;
    let lines = log.take();
    assert!(lines.iter().any(|line| line == "first POST"), "{lines:?}");
    assert!(lines.chunks(2).all(|pair| pair[1] == "second"), "{lines:?}");
    server.finish().await;
    Ok(())
}

/// Whom a middleware takes the client to be.
#[derive(Clone)]
struct User(String);

#[tokio::test(flavor = "multi_thread")]
async fn what_a_middleware_knows_is_found_in_the_handshake() -> io::Result<()> {
    let builder = Server::builder()
        .extension::<User>()
        .use_request(async |mut request| {
            let target = request.uri.path_and_query().map(ToString::to_string);
            request.extensions.insert(User(target.unwrap_or_default()));
            Ok::<_, Interception>(request)
        })
        .allow_request(async |request| {
            if request.extensions.get::<User>().is_some() { Ok(()) } else { Err("nobody") }
        });
    let server = TestServer::start(builder).await;
    server.io.on("who", async |socket: Socket, (): ()| {
        let user = socket.handshake().extension::<User>();
        socket.emit("you", &user.map(|user| user.0.clone()))
    });
    let mut websocket = WebSocket::join(server.address).await?;
    websocket.send_text(r#"42["who"]"#).await?;
    assert_eq!(websocket.expect("42").await?, format!(r#"42["you","{WEBSOCKET}"]"#));
    websocket.close().await?;
    let mut polling = Polling::open(server.address).await?;
    polling.join().await?;
    polling.post(r#"42["who"]"#).await?;
    assert_eq!(polling.expect("42").await?, format!(r#"42["you","{POLLING}"]"#));
    polling.post("1").await?;
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn allow_request_is_asked_about_handshakes_only() -> io::Result<()> {
    let log = Log::default();
    let asked = log.clone();
    let builder = Server::builder().allow_request(move |request| {
        asked.add(request.uri.to_string());
        async { Ok::<_, String>(()) }
    });
    let server = TestServer::start(builder).await;
    let mut polling = Polling::open(server.address).await?;
    polling.join().await?;
    let mut websocket = polling.upgrade().await?;
    websocket.echo().await?;
    assert_eq!(log.take(), [POLLING]);
    websocket.close().await?;
    let websocket = WebSocket::join(server.address).await?;
    assert_eq!(log.take(), [WEBSOCKET]);
    websocket.close().await?;
    server.finish().await;
    Ok(())
}

/// A request whose middleware never comes back is its own affair, and is forgotten with its client.
#[tokio::test(flavor = "multi_thread")]
async fn a_middleware_that_hangs_holds_up_its_request_only() -> io::Result<()> {
    let alive = Arc::new(());
    let held = alive.clone();
    let builder = Server::builder().use_request(move |request| {
        let hangs = request.uri.query().is_some_and(|query| query.contains("hang"));
        let held = hangs.then(|| held.clone());
        async move {
            if held.is_some() {
                std::future::pending::<()>().await;
            }
            drop(held);
            Ok::<_, Interception>(request)
        }
    });
    let server = TestServer::start(builder).await;
    let mut http = Http::connect(server.address).await?;
    http.request("GET", &format!("{POLLING}&hang"), "").await?;
    eventually("it hangs", || Arc::strong_count(&alive) == 3).await;
    visit(server.address).await?;
    drop(http);
    eventually("it is gone", || Arc::strong_count(&alive) == 2).await;
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_refusals_of_the_protocol_have_a_code() -> io::Result<()> {
    let log = Log::default();
    let server = TestServer::start(log.of_errors(Server::builder())).await;
    let mut polling = Polling::open(server.address).await?;
    let put = ask(&server, "PUT", &polling.target("polling")).await?;
    assert_eq!((put.status, &*put.body), (500, ""));
    assert_eq!(Refusal::UnexpectedMethod.code(), None);
    assert_eq!(log.take(), [""; 0]);
    polling.post("1").await?;
    server.finish().await;
    Ok(())
}
