//! Servers inside web applications, as far as the official client cannot see it: what it sees is
//! tested in `tests/embedding`.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use http::{Request, Response, StatusCode, Version};
use http_body_util::{Empty, Full};
use sansocket_tests::client::{PATIENCE, eventually, in_time, visit};
use sansocket_tokio::{Ack, Peer, Server, Socket};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The application on a port of its own, until the sender speaks.
async fn serve(router: Router) -> (SocketAddr, oneshot::Sender<()>, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (stop, stopped) = oneshot::channel();
    let serving = tokio::spawn(async move {
        let stopped = async { stopped.await.unwrap_or_default() };
        axum::serve(listener, router).with_graceful_shutdown(stopped).await.expect("it serves");
    });
    (address, stop, serving)
}

fn request(path: &str) -> http::request::Builder {
    Request::get(path).header("host", "localhost")
}

async fn answer(io: &Server, request: http::request::Builder) -> Response<Full<bytes::Bytes>> {
    let request = request.body(Empty::<bytes::Bytes>::new()).expect("a request");
    in_time("the answer", io.serve_request(request)).await
}

#[tokio::test]
async fn nested_or_as_a_layer_it_serves_and_ends_with_its_host() {
    for nested in [false, true] {
        let io = Server::builder().build().expect("entropy");
        io.on("echo", async |_: Socket, value: String| Ack(value));
        let router = Router::new().route("/page", get(async || "a page"));
        let router = match nested {
            true => router.nest_service("/socket.io", io.service()),
            false => router.layer(io.layer()),
        };
        let (address, stop, serving) = serve(router).await;
        in_time("the client", visit(address)).await.expect("it is served");
        eventually("the client's session has gone", || io.stats().sessions == 0).await;
        in_time("Server::close", io.close(PATIENCE)).await;
        stop.send(()).expect("it is still serving");
        in_time("axum's shutdown", serving).await.expect("no panic");
    }
}

#[tokio::test]
async fn handshakes_keep_the_extensions_that_were_asked_for() {
    #[derive(Clone, Debug, PartialEq)]
    struct Kept(Arc<str>);
    #[derive(Clone)]
    struct Dropped(#[expect(dead_code, reason = "only its life is looked at")] Arc<str>);

    let io = Server::builder()
        .extension::<Kept>()
        .allow_request(async |request| {
            let seen = request.extensions.get::<Kept>();
            if seen.is_some() { Ok(()) } else { Err("who are you?") }
        })
        .build()
        .expect("entropy");
    let (told, tell) = (Arc::<str>::from("kept"), Arc::<str>::from("dropped"));
    let address = SocketAddr::from(([192, 0, 2, 1], 443));
    let (sender, seen) = std::sync::mpsc::channel();
    io.on_connect(move |socket: Socket| {
        let handshake = socket.handshake();
        let all = (
            handshake.extension::<Kept>().cloned(),
            handshake.extension::<Dropped>().is_some(),
            handshake.peer(),
            handshake.secure(),
        );
        sender.send(all).expect("the test waits");
        async {}
    });

    let open = request("/socket.io/?EIO=4&transport=polling")
        .extension(Kept(told.clone()))
        .extension(Dropped(tell.clone()))
        .extension(Peer { address: Some(address), secure: true });
    let response = answer(&io, open).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(Arc::strong_count(&tell), 1, "nothing else of the request is kept");

    let refused = answer(&io, request("/socket.io/?EIO=4&transport=polling")).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);

    let body = http_body_util::BodyExt::collect(response.into_body()).await.expect("a body");
    let open = String::from_utf8(body.to_bytes().to_vec()).expect("text");
    let (_, sid) = open.split_once(r#""sid":""#).expect("a sid");
    let (sid, _) = sid.split_once('"').expect("the end of the sid");
    let target = format!("/socket.io/?EIO=4&transport=polling&sid={sid}");
    let post = Request::post(target).header("host", "localhost").body(Full::from("40"));
    let posted = in_time("the POST", io.serve_request(post.expect("a request"))).await;
    assert_eq!(posted.status(), StatusCode::OK);
    let seen = tokio::task::spawn_blocking(move || seen.recv_timeout(PATIENCE));
    let seen = seen.await.expect("no panic").expect("the handler has run");
    assert_eq!(seen, (Some(Kept(told.clone())), false, Some(address), true));

    in_time("Server::close", io.close(PATIENCE)).await;
    eventually("the extension has gone with the session", || Arc::strong_count(&told) == 2).await;
}

/// Without an upgrade there is an answer all the same, and clients stay on polling.
#[tokio::test]
async fn a_host_without_upgrades_is_said_so() {
    let io = Server::builder().build().expect("entropy");
    let upgrade = |version| {
        request("/socket.io/?EIO=4&transport=websocket")
            .version(version)
            .header("connection", "Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
    };
    let refused = answer(&io, upgrade(Version::HTTP_11)).await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    assert_eq!(refused.headers().get("connection").expect("the header"), "close");
    let refused = answer(&io, upgrade(Version::HTTP_2)).await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    assert!(!refused.headers().contains_key("connection"), "HTTP/2 has no such header");
    assert_eq!(io.stats().connections, 0);
}

#[tokio::test]
async fn a_closed_server_refuses_and_its_host_goes_on() {
    let io = Server::builder().build().expect("entropy");
    in_time("Server::close", io.close(PATIENCE)).await;
    let refused = answer(&io, request("/socket.io/?EIO=4&transport=polling")).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
}
