//! Connecting, refusals, and how a client ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use sansocket_tests::client::{eventually, in_time};
use sansocket_tokio::client::{ConnectError, DisconnectReason, Socket, TransportError, UrlError};
use sansocket_tokio::{EmitError, Server, Socket as ServerSocket};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::mpsc;

use crate::Client;
use crate::support::TestServer;

fn url(server: &TestServer, path: &str) -> String {
    format!("http://{}{path}", server.address)
}

#[tokio::test]
async fn it_connects_and_the_last_handle_disconnects() {
    let server = TestServer::start(Server::builder()).await;
    let client = in_time("connect", Client::builder(url(&server, "")).connect()).await;
    let client = client.expect("it connects");
    assert!(client.connected());
    assert!(client.id().is_some());
    let clone = client.clone();
    drop(client);
    assert!(clone.connected());
    let socket: Socket = (*clone).clone();
    drop(clone);
    server.rests().await;
    eventually("the socket is of no use", || {
        !socket.connected() && socket.emit("echo", "x") == Err(EmitError::NotConnected)
    })
    .await;
    server.finish().await;
}

#[tokio::test]
async fn close_sends_what_is_queued() {
    let server = TestServer::start(Server::builder()).await;
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    server.io.on("count", move |_: ServerSocket, (): ()| {
        counted.fetch_add(1, Ordering::SeqCst);
        async {}
    });
    let client = Client::builder(url(&server, "")).connect().await.expect("it connects");
    for _ in 0..1000 {
        client.emit("count", &()).expect("there is room");
    }
    in_time("close", client.close()).await;
    eventually("all have come", || count.load(Ordering::SeqCst) == 1000).await;
    server.finish().await;
}

#[tokio::test]
async fn what_is_wrong_with_the_settings_is_said_at_once() {
    let refused = |builder: Result<Client, ConnectError>| builder.map(drop).expect_err("an error");
    let error = refused(Client::builder("localhost:3000").start());
    assert!(matches!(error, ConnectError::Url(UrlError::Scheme)), "{error}");
    let error = refused(Client::builder("http://localhost").header("a b", "c").start());
    assert!(matches!(error, ConnectError::Header), "{error}");
    let error = refused(Client::builder("http://localhost").auth("text").start());
    assert!(matches!(error, ConnectError::Auth(_)), "{error}");
    let error = refused(Client::builder("http://localhost/a,b").start());
    assert!(matches!(error, ConnectError::Namespace(_)), "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_an_error_with_its_cause() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let error = Client::builder(format!("http://{address}")).connect().await.map(drop);
    let error = error.expect_err("nobody listens");
    let ConnectError::Transport { error: TransportError::Request, cause: Some(cause) } = &error
    else {
        panic!("{error:?}")
    };
    assert_eq!(cause.kind(), std::io::ErrorKind::ConnectionRefused);
    assert!(!error.is_final());
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let timeout = Some(Duration::from_millis(100));
    let builder = Client::builder(format!("http://{address}")).timeout(timeout);
    let error = in_time("connect", builder.connect()).await.map(drop).expect_err("no answer");
    assert!(matches!(error, ConnectError::TimedOut), "{error:?}");
}

#[tokio::test]
async fn whoever_begins_to_wait_late_learns_why() {
    let server = TestServer::start(Server::builder()).await;
    let is_open = Arc::new(AtomicBool::new(false));
    let open = is_open.clone();
    server.io.of("/door").use_(move |_: ServerSocket| {
        let is_open = open.load(Ordering::SeqCst);
        async move { if is_open { Ok(()) } else { Err("closed") } }
    });
    let (refused, mut refusals) = mpsc::unbounded_channel();
    let client = Client::builder(url(&server, "/door"))
        .on_connect_error(move |_: Socket, _: ConnectError| {
            let told = refused.send(());
            async move { told }
        })
        .start()
        .expect("settings");
    in_time("the refusal", refusals.recv()).await.expect("it is refused");
    for _ in 0..2 {
        assert!(matches!(client.ready().await, Err(ConnectError::Refused { .. })));
    }
    is_open.store(true, Ordering::SeqCst);
    client.connect();
    in_time("ready", client.ready()).await.expect("it is let in");
    client.disconnect();
    assert!(matches!(client.ready().await, Err(ConnectError::Closed)));
    in_time("close", client.close()).await;
    server.finish().await;
}

#[tokio::test]
async fn a_middleware_refuses_and_is_asked_again() {
    #[derive(Deserialize)]
    struct Auth {
        token: String,
    }
    let server = TestServer::start(Server::builder()).await;
    server.io.of("/private").use_(async |socket: ServerSocket| match socket.auth::<Auth>() {
        Ok(auth) if auth.token == "secret" => Ok(()),
        _ => Err(sansocket_tokio::ConnectError::new("no").with_data(json!({ "code": 42 }))),
    });
    let error = Client::builder(url(&server, "/private")).connect().await.map(drop);
    let error = error.expect_err("refused");
    assert!(error.is_final());
    let ConnectError::Refused { message, data: Some(data) } = error else { panic!("{error:?}") };
    assert_eq!((&*message, data.as_str()), ("no", r#"{"code":42}"#));

    let asked = Arc::new(AtomicUsize::new(0));
    let errors = Arc::new(AtomicUsize::new(0));
    let (ask, error) = (asked.clone(), errors.clone());
    let client = Client::builder(url(&server, "/private"))
        .auth_with(move || {
            let token = if ask.fetch_add(1, Ordering::SeqCst) == 0 { "old" } else { "secret" };
            async move { json!({ "token": token }) }
        })
        .on_connect_error(move |socket: Socket, _: ConnectError| {
            error.fetch_add(1, Ordering::SeqCst);
            socket.connect();
            async {}
        })
        .start()
        .expect("settings");
    eventually("it is connected", || client.connected()).await;
    assert_eq!((asked.load(Ordering::SeqCst), errors.load(Ordering::SeqCst)), (2, 1));
    in_time("close", client.close()).await;
    server.finish().await;
}

#[tokio::test]
async fn reasons_of_a_disconnect_reach_the_handler() {
    let server = TestServer::start(Server::builder()).await;
    server.io.on("leave", async |socket: ServerSocket, (): ()| socket.disconnect());
    let (sender, mut reasons) = mpsc::unbounded_channel();
    let client = Client::builder(url(&server, ""))
        .on_disconnect(move |_: Socket, reason: DisconnectReason| {
            let sent = sender.send(reason);
            async move { sent }
        })
        .connect()
        .await
        .expect("it connects");
    client.emit("leave", &()).expect("connected");
    let reason = in_time("a disconnect", reasons.recv()).await;
    assert_eq!(reason, Some(DisconnectReason::IoServerDisconnect));
    assert!(!client.is_active());
    assert!(matches!(client.ready().await, Err(ConnectError::Closed)));

    client.connect();
    in_time("a connect", client.ready()).await.expect("it connects again");
    client.disconnect();
    let reason = in_time("a disconnect", reasons.recv()).await;
    assert_eq!(reason, Some(DisconnectReason::IoClientDisconnect));
    drop(client);
    server.finish().await;
}
