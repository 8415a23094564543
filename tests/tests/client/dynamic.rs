//! Namespaces that are made when a client asks for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sansocket_tests::client::{PATIENCE, eventually, in_time};
use sansocket_tokio::client::{ConnectError, Socket};
use sansocket_tokio::{Ack, NamespaceRequest, Server, Socket as ServerSocket};
use serde_json::json;
use tokio::sync::{Semaphore, mpsc};

use crate::Client;
use crate::support::TestServer;

async fn connect(server: &TestServer, namespace: &str) -> Result<Client, ConnectError> {
    let url = format!("http://{}{namespace}", server.address);
    in_time("connect", Client::builder(url).connect()).await
}

async fn name(socket: ServerSocket, (): ()) -> Ack<String> {
    Ack(socket.namespace().name().to_owned())
}

#[tokio::test]
async fn a_pattern_makes_namespaces_that_begin_with_what_their_parent_has() {
    let server = TestServer::start(Server::builder()).await;
    let rooms = server.io.of_matching(|name| name.starts_with("/room-"));
    rooms.on("name", name).use_(async |socket: ServerSocket| {
        let auth = socket.auth::<serde_json::Value>().map_err(|error| error.to_string())?;
        if auth["wrong"] == true { Err("wrong".to_owned()) } else { Ok(()) }
    });
    let one = connect(&server, "/room-1").await.expect("it is made");
    let two = connect(&server, "/room-2").await.expect("it is made");
    rooms.on("later", name);
    let three = connect(&server, "/room-3").await.expect("it is made");
    for (client, expected) in [(&one, "/room-1"), (&two, "/room-2"), (&three, "/room-3")] {
        let name: String = client.emit_with_ack("name", &(), PATIENCE).await.expect("an answer");
        assert_eq!(name, expected);
    }
    let late: String = three.emit_with_ack("later", &(), PATIENCE).await.expect("an answer");
    assert_eq!(late, "/room-3");
    server.io.of("/room-1").on("own", name);
    let own: String = one.emit_with_ack("own", &(), PATIENCE).await.expect("an answer");
    assert_eq!(own, "/room-1");
    let error = connect(&server, "/hall").await.map(drop).expect_err("there is none");
    assert!(matches!(error, ConnectError::Refused { .. }), "{error:?}");
    let url = format!("http://{}/room-1", server.address);
    let wrong = Client::builder(url).auth(&json!({ "wrong": true }));
    let error = wrong.connect().await.map(drop).expect_err("it is refused");
    assert!(error.to_string().contains("wrong"), "{error}");
    let mut names: Vec<_> = rooms.children().iter().map(|child| child.name().to_owned()).collect();
    names.sort();
    assert_eq!(names, ["/room-1", "/room-2", "/room-3"]);
    drop((one, two, three));
    server.finish().await;
}

#[tokio::test]
async fn a_function_decides_by_what_the_client_gives() {
    let server = TestServer::start(Server::builder()).await;
    let parent = server.io.of_dynamic(async |request: NamespaceRequest| {
        let auth = request.auth::<serde_json::Value>().unwrap_or_default();
        request.name() == "/secret" && auth["token"] == "right"
    });
    parent.on("name", name);
    for (token, is_let_in) in [("wrong", false), ("right", true)] {
        let url = format!("http://{}/secret", server.address);
        let client = Client::builder(url).auth(&json!({ "token": token }));
        let result = in_time("connect", client.connect()).await;
        assert_eq!(result.is_ok(), is_let_in, "{token}");
    }
    server.finish().await;
}

#[tokio::test]
async fn what_exists_comes_first_and_then_the_rules_in_order() {
    let server = TestServer::start(Server::builder()).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let answer = |text: &'static str| move |_: ServerSocket, (): ()| async move { Ack(text) };
    server.io.of("/there").on("which", answer("there"));
    let counter = asked.clone();
    server.io.of_dynamic(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        async { false }
    });
    server.io.of_matching(|name| name.starts_with("/a")).on("which", answer("second"));
    server.io.of_dynamic(async |_| true).on("which", answer("third"));
    for (namespace, expected, asked_then) in
        [("/there", "there", 0), ("/ab", "second", 1), ("/b", "third", 2), ("/ab", "second", 2)]
    {
        let client = connect(&server, namespace).await.expect("one of them takes it");
        let which: String = client.emit_with_ack("which", &(), PATIENCE).await.expect("an answer");
        assert_eq!(which, expected, "{namespace}");
        assert_eq!(asked.load(Ordering::SeqCst), asked_then, "{namespace}");
    }
    server.finish().await;
}

#[tokio::test]
async fn racing_clients_get_one_namespace_after_its_hook() {
    let server = TestServer::start(Server::builder().shards(4)).await;
    let decisions = Arc::new(Semaphore::new(0));
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = (decisions.clone(), asked.clone());
    server.io.of_dynamic(move |_| {
        let (decisions, asked) = counter.clone();
        async move {
            asked.fetch_add(1, Ordering::SeqCst);
            decisions.acquire().await.is_ok()
        }
    });
    let (made, mut hooks) = mpsc::unbounded_channel();
    server.io.on_new_namespace(move |namespace| {
        namespace.on("name", name);
        made.send(namespace.name().to_owned()).expect("the test listens");
    });
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let url = format!("http://{}/new", server.address);
            tokio::spawn(async move {
                let client = Client::builder(url).connect().await?;
                let name = client.emit_with_ack::<String>("name", &(), PATIENCE).await;
                Ok::<_, ConnectError>((client, name))
            })
        })
        .collect();
    eventually("all have asked", || asked.load(Ordering::SeqCst) == 8).await;
    assert_eq!(server.io.stats().namespace_requests, 8);
    decisions.add_permits(8);
    let mut kept = Vec::new();
    for client in clients {
        let (client, name) = in_time("answer", client).await.expect("no panic").expect("let in");
        assert_eq!(name.expect("the hook's handler answers"), "/new");
        kept.push(client);
    }
    assert_eq!(server.io.of("/new").sockets().len(), 8);
    assert_eq!(hooks.recv().await.as_deref(), Some("/new"));
    assert!(hooks.try_recv().is_err(), "once only");
    assert_eq!(server.io.stats().namespace_requests, 0);
    drop(kept);
    server.finish().await;
}

#[tokio::test]
async fn an_empty_namespace_goes_if_that_is_wanted() {
    for cleanup in [true, false] {
        let builder = Server::builder().shards(2).cleanup_empty_child_namespaces(cleanup);
        let server = TestServer::start(builder).await;
        let parent = server.io.of_matching(|name| name.starts_with("/x"));
        let made = Arc::new(AtomicUsize::new(0));
        let counter = made.clone();
        server.io.on_new_namespace(move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
        });
        let one = connect(&server, "/x1").await.expect("it is made");
        let two = connect(&server, "/x1").await.expect("it is there");
        let other = connect(&server, "/x2").await.expect("it is made");
        in_time("close", one.close()).await;
        eventually("one has left", || server.io.stats().sockets == 2).await;
        assert_eq!(parent.children().len(), 2, "one of them has a socket left");
        in_time("close", two.close()).await;
        let left = if cleanup { 1 } else { 2 };
        eventually("two has left", || server.io.stats().sockets == 1).await;
        eventually("the namespace is gone", || parent.children().len() == left).await;
        let again = connect(&server, "/x1").await.expect("it is made again");
        assert_eq!(parent.children().len(), 2);
        let expected = if cleanup { 3 } else { 2 };
        assert_eq!(
            made.load(Ordering::SeqCst),
            expected,
            "the first is another one, or has stayed"
        );
        for client in [again, other] {
            in_time("close", client.close()).await;
        }
        let left = if cleanup { 0 } else { 2 };
        eventually("all have left", || parent.children().len() == left).await;
        server.finish().await;
    }
}

#[tokio::test]
async fn a_namespace_goes_whose_only_client_was_refused_or_did_not_wait() {
    let server = TestServer::start(Server::builder().cleanup_empty_child_namespaces(true)).await;
    let parent = server.io.of_matching(|_| true);
    let (waiting, waits) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let (counter, gate) = (waiting.clone(), waits.clone());
    parent.use_(move |socket: ServerSocket| {
        let (counter, gate) = (counter.clone(), gate.clone());
        async move {
            if socket.namespace().name() == "/slow" {
                counter.fetch_add(1, Ordering::SeqCst);
                let _permit = gate.acquire().await;
            }
            Err::<(), _>("no")
        }
    });
    connect(&server, "/refused").await.map(drop).expect_err("it is refused");
    eventually("the namespace is gone", || parent.children().is_empty()).await;
    let url = format!("http://{}/slow", server.address);
    let client = Client::builder(url).start().expect("settings");
    eventually("it is asked", || waiting.load(Ordering::SeqCst) == 1).await;
    assert_eq!(parent.children().len(), 1, "a pending socket keeps it");
    in_time("close", client.close()).await;
    eventually("the namespace is gone", || parent.children().is_empty()).await;
    server.finish().await;
}

#[tokio::test]
async fn a_parent_sends_to_all_its_children() {
    let server = TestServer::start(Server::builder()).await;
    let parent = server.io.of_matching(|name| name.starts_with("/x"));
    parent.on_connect(async |socket: ServerSocket| {
        if socket.namespace().name() == "/x1" {
            let _ = socket.join("one");
        }
    });
    let (sender, mut heard) = mpsc::unbounded_channel();
    let mut clients = Vec::new();
    for name in ["/x1", "/x2"] {
        let sender = sender.clone();
        let client = Client::builder(format!("http://{}{name}", server.address))
            .on("say", move |_: Socket, (): ()| {
                let sent = sender.send(name);
                async move { sent }
            })
            .connect();
        clients.push(in_time("connect", client).await.expect("it is made"));
    }
    eventually("both are in", || parent.emit("noop", &()).is_ok_and(|sent| sent.queued == 2)).await;
    eventually("one is in its room", || {
        parent.to("one").emit("noop", &()).is_ok_and(|sent| sent.queued == 1)
    })
    .await;
    assert_eq!(parent.to("one").emit("say", &()).expect("JSON").queued, 1);
    assert_eq!(in_time("event", heard.recv()).await, Some("/x1"));
    assert_eq!(parent.except("one").emit("say", &()).expect("JSON").queued, 1);
    assert_eq!(in_time("event", heard.recv()).await, Some("/x2"));
    let none: [&str; 0] = [];
    assert_eq!(parent.to(none).emit("say", &()).expect("JSON").queued, 0);
    drop(clients);
    server.finish().await;
}

#[tokio::test]
async fn clients_cannot_have_more_made_than_the_limit() {
    let builder = Server::builder().max_child_namespaces(2).cleanup_empty_child_namespaces(true);
    let server = TestServer::start(builder).await;
    let parent = server.io.of_matching(|name| name != "/");
    let one = connect(&server, "/one").await.expect("it is made");
    let two = connect(&server, "/two").await.expect("it is made");
    let error = connect(&server, "/three").await.map(drop).expect_err("there are two");
    assert!(matches!(error, ConnectError::Refused { .. }), "{error:?}");
    let again = connect(&server, "/two").await.expect("it is there");
    in_time("close", one.close()).await;
    eventually("the first is gone", || parent.children().len() == 1).await;
    let three = connect(&server, "/three").await.expect("there is room");
    drop((two, again, three));
    server.finish().await;
}

#[tokio::test]
async fn a_hook_that_panics_harms_one_client() {
    let server = TestServer::start(Server::builder()).await;
    server.io.of_matching(|name| name == "/new");
    let calls = AtomicUsize::new(0);
    server.io.on_new_namespace(move |namespace| {
        assert!(calls.fetch_add(1, Ordering::SeqCst) > 0, "the first fails");
        namespace.on("name", name);
    });
    let url = format!("http://{}/new", server.address);
    let first = Client::builder(url).reconnection(false).connect();
    let error = in_time("connect", first).await.map(drop).expect_err("its session ends");
    assert!(matches!(error, ConnectError::Lost(_)), "{error:?}");
    let second = connect(&server, "/new").await.expect("it is made");
    let name: String = second.emit_with_ack("name", &(), PATIENCE).await.expect("an answer");
    assert_eq!(name, "/new");
    drop(second);
    server.panicked(1).await;
    server.finish().await;
}
