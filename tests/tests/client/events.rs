//! Events to and fro.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use sansocket_tests::client::{PATIENCE, in_time};
use sansocket_tokio::client::{Event, Lifecycle, Socket};
use sansocket_tokio::{Args, Message, Server, Socket as ServerSocket};
use tokio::sync::mpsc;

use crate::Client;
use crate::support::TestServer;

async fn server() -> (TestServer, String) {
    let builder = Server::builder().on_error(|error| panic!("{error}"));
    let server = TestServer::start(builder).await;
    server.io.on("repeat", async |socket: ServerSocket, args: Args| {
        let values: Vec<_> = args.iter().collect();
        match &values[..] {
            [name, value] => {
                let name: String = name.decode()?;
                socket.emit(&name, value)?;
            }
            _ => socket.emit("odd", &())?,
        }
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
    });
    let url = format!("http://{}", server.address);
    (server, url)
}

#[tokio::test]
async fn text_structures_and_binary_come_back_as_they_were() {
    let (server, url) = server().await;
    let (sender, mut received) = mpsc::unbounded_channel::<(String, u32, Bytes)>();
    let client = Client::builder(url)
        .on("value", move |_: Socket, (value,): ((String, u32, Bytes),)| {
            let sent = sender.send(value);
            async move { sent }
        })
        .on_error(|error| panic!("{error}"))
        .connect()
        .await
        .expect("it connects");
    for size in [0, 1, 125, 126, 65_535, 65_536, 300_000] {
        let value = ("\u{0}\"\u{1f980}".to_owned(), size, Bytes::from(vec![7; size as usize]));
        client.emit("repeat", &("value", &value)).expect("connected");
        assert_eq!(in_time("the value", received.recv()).await, Some(value));
    }
    in_time("close", client.close()).await;
    server.finish().await;
}

#[tokio::test]
async fn order_is_kept_across_the_upgrade() {
    let (server, url) = server().await;
    let (sender, mut received) = mpsc::unbounded_channel();
    let client = Client::builder(url)
        .on("n", move |_: Socket, n: u32| {
            let sent = sender.send(n);
            async move { sent }
        })
        .start()
        .expect("settings");
    // From before the connection is open until long after the upgrade.
    for n in 0..5000 {
        client.emit("repeat", &("n", n)).expect("there is room");
        if n % 100 == 0 {
            tokio::task::yield_now().await;
        }
    }
    for n in 0..5000 {
        assert_eq!(in_time("an event", received.recv()).await, Some(n));
    }
    in_time("close", client.close()).await;
    server.finish().await;
}

#[tokio::test]
async fn handlers_come_and_go() {
    let (server, url) = server().await;
    let (sender, mut received) = mpsc::unbounded_channel();
    let client = Client::builder(url).connect().await.expect("it connects");
    let seen = sender.clone();
    let sent: Arc<Mutex<Vec<String>>> = Arc::default();
    let outgoing = sent.clone();
    client.on_any_outgoing(move |socket: &Socket, event: &str, _: &Message| {
        outgoing.lock().expect("no panic").push(format!("{} {event}", socket.namespace()));
    });
    client.on_any(move |_: Socket, event: String, args: Args| {
        let sent = seen.send(format!("any {event} {}", args.len()));
        async move { sent }
    });
    let (first, last) = (sender.clone(), sender.clone());
    let once = sender.clone();
    client.once("a", move |_: Socket, n: u32| {
        let sent = once.send(format!("once {n}"));
        async move { sent }
    });
    client.on("b", move |_: Socket, n: u32| {
        let sent = sender.send(format!("b {n}"));
        async move { sent }
    });
    for event in ["a", "a", "b"] {
        client.emit("repeat", &(event, 1)).expect("connected");
    }
    for expected in ["any a 1", "once 1", "any a 1", "any b 1", "b 1"] {
        assert_eq!(in_time("a call", received.recv()).await.as_deref(), Some(expected));
    }
    assert_eq!(sent.lock().expect("no panic")[..], ["/ repeat", "/ repeat", "/ repeat"]);
    assert!(client.off("b"));
    assert!(!client.off("b"));
    client.emit("repeat", &("b", 1)).expect("connected");
    assert_eq!(in_time("a call", received.recv()).await.as_deref(), Some("any b 1"));
    // In front of the one that there is.
    client.prepend_any(move |_: Socket, event: String, _: Args| {
        let sent = first.send(format!("first {event}"));
        async move { sent }
    });
    sent.lock().expect("no panic").clear();
    let outgoing = sent.clone();
    client.prepend_any_outgoing(move |_: &Socket, event: &str, _: &Message| {
        outgoing.lock().expect("no panic").push(format!("first {event}"));
    });
    client.emit("repeat", &("c", 1)).expect("connected");
    for expected in ["first c", "any c 1"] {
        assert_eq!(in_time("a call", received.recv()).await.as_deref(), Some(expected));
    }
    assert_eq!(sent.lock().expect("no panic")[..], ["first repeat", "/ repeat"]);
    client.off_any().off_any_outgoing();
    client.once("c", move |_: Socket, n: u32| {
        let sent = last.send(format!("last {n}"));
        async move { sent }
    });
    client.emit("repeat", &("c", 2)).expect("connected");
    assert_eq!(in_time("a call", received.recv()).await.as_deref(), Some("last 2"));
    assert_eq!(sent.lock().expect("no panic").len(), 2);
    in_time("close", client.close()).await;
    server.finish().await;
}

#[tokio::test]
async fn events_can_be_pulled() {
    let (server, url) = server().await;
    server.io.on("question", async |socket: ServerSocket, (): ()| {
        let answer: Result<u32, _> = socket.emit_with_ack("sum", &(2, 3), PATIENCE).await;
        socket.emit("thanks", &answer.ok())
    });
    let (client, mut events) =
        Client::builder(url).connect_with_events().await.expect("it connects");
    client.emit("question", &()).expect("connected");
    let mut seen = Vec::new();
    loop {
        match in_time("an event", events.next()).await.expect("the client is there") {
            Event::Connected { recovered } => seen.push(format!("connected {recovered}")),
            Event::Received { event, args, reply } if event == "sum" => {
                let (a, b): (u32, u32) = args.decode().expect("two numbers");
                reply.send(&(a + b)).expect("connected");
                seen.push(event);
            }
            Event::Received { event, args, reply } => {
                assert!(!reply.is_wanted());
                seen.push(format!("{event} {:?}", args.decode::<Option<u32>>().ok()));
                break;
            }
            Event::Lifecycle(Lifecycle::Opened) => seen.push("opened".to_owned()),
            Event::Lifecycle(Lifecycle::Upgraded) => {}
            other @ (Event::ConnectError(_) | Event::Disconnected(_) | Event::Lifecycle(_) | _) => {
                panic!("{other:?}")
            }
        }
    }
    assert_eq!(seen, ["opened", "connected false", "sum", "thanks Some(Some(5))"]);
    // Nobody pulls any more, and the connection goes on.
    drop(events);
    let echo: String =
        client.emit_with_ack("echo", "x", PATIENCE).await.expect("it is acknowledged");
    assert_eq!(echo, "x");
    in_time("close", client.close()).await;
    server.finish().await;
}

#[tokio::test]
async fn the_stream_ends_with_the_client() {
    let (server, url) = server().await;
    let (client, mut events) =
        Client::builder(url).connect_with_events().await.expect("it connects");
    drop(client);
    while in_time("an event", events.next()).await.is_some() {}
    server.finish().await;
}
