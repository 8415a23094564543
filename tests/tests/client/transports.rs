//! Each transport alone, the upgrade, and connectors.

use std::sync::{Arc, Mutex};

use sansocket_tests::client::{PATIENCE, eventually, in_time};
use sansocket_tokio::client::{Connect, Connecting, Endpoint, Lifecycle, OnRuntime, Socket};
use sansocket_tokio::{Handshake, Server, Socket as ServerSocket, Transport};

use crate::Client;
use crate::support::{TestServer, quick};

#[tokio::test]
async fn polling_alone_websocket_alone_and_upgrade() {
    let server = TestServer::start(quick()).await;
    let url = format!("http://{}", server.address);
    let cases = [
        (vec![Transport::Polling], Transport::Polling),
        (vec![Transport::WebSocket], Transport::WebSocket),
        (vec![Transport::Polling, Transport::WebSocket], Transport::WebSocket),
    ];
    for (transports, last) in cases {
        let client = Client::builder(&url).transports(transports).connect().await;
        let client = client.expect("it connects");
        for n in 0..200 {
            let text = format!("{n}").repeat(n);
            let echo: String =
                client.emit_with_ack("echo", &text, PATIENCE).await.expect("an answer");
            assert_eq!(echo, text);
        }
        eventually("the last transport", || client.transport() == Some(last)).await;
        in_time("close", client.close()).await;
    }
    server.finish().await;
}

#[tokio::test]
async fn heartbeats_keep_it_alive() {
    let server = TestServer::start(quick()).await;
    let url = format!("http://{}", server.address);
    for transport in [Transport::Polling, Transport::WebSocket] {
        let client = Client::builder(&url).transports([transport]).connect().await;
        let client = client.expect("it connects");
        let id = client.id();
        // Both sides would have given up by then.
        tokio::time::sleep(4 * crate::support::SHORT).await;
        let echo: String = client.emit_with_ack("echo", "x", PATIENCE).await.expect("an answer");
        assert_eq!((&*echo, client.id()), ("x", id));
        in_time("close", client.close()).await;
    }
    server.finish().await;
}

#[tokio::test]
async fn query_headers_and_path_reach_the_server() {
    let server = TestServer::start(Server::builder().path("/elsewhere/")).await;
    let seen: Arc<Mutex<Option<Handshake>>> = Arc::default();
    let kept = seen.clone();
    server.io.on_connect(move |socket: ServerSocket| {
        *kept.lock().expect("no panic") = Some(socket.handshake().clone());
        async {}
    });
    let client = Client::builder(format!("http://{}/?a=1", server.address))
        .path("/elsewhere/")
        .query("b", "x y")
        .header("x-test", "yes")
        .connect()
        .await
        .expect("it connects");
    let seen = seen.lock().expect("no panic").take().expect("it was seen");
    assert_eq!(seen.header("x-test"), Some(&b"yes"[..]));
    assert!(seen.url().contains("a=1&b=x+y"), "{}", seen.url());
    in_time("close", client.close()).await;
    server.rests().await;
    in_time("Server::close", server.io.close(PATIENCE)).await;
    server.finish_closed().await;
}

#[tokio::test]
async fn a_connector_decides_where_to() {
    struct Redirect(Arc<dyn Connect>, std::net::SocketAddr);
    impl Connect for Redirect {
        fn connect(&self, endpoint: &Endpoint) -> Connecting {
            assert_eq!((endpoint.host(), endpoint.port()), ("not.there", 80));
            let there = Endpoint::new(self.1.ip().to_string(), self.1.port(), false);
            self.0.connect(&there)
        }
    }
    let server = TestServer::start(Server::builder()).await;
    let (sender, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let client = Client::builder("http://not.there")
        .connector(Redirect(crate::Runtime::connector(), server.address))
        .on_lifecycle(move |event: &Lifecycle| {
            let _ = sender.send(format!("{event:?}"));
        })
        .on("x", async |_: Socket, (): ()| {})
        .connect()
        .await
        .expect("it connects");
    assert_eq!(in_time("an event", seen.recv()).await.as_deref(), Some("Opened"));
    assert_eq!(in_time("an event", seen.recv()).await.as_deref(), Some("Upgraded"));
    in_time("close", client.close()).await;
    assert_eq!(
        in_time("an event", seen.recv()).await.as_deref(),
        Some("Closed(IoClientDisconnect)")
    );
    server.finish().await;
}
