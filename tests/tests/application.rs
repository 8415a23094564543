//! Applications that panic, hang, or leave at the worst moment: they hurt nobody but their socket.

mod support;

use std::future::pending;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sansocket_tests::client::{Polling, Response, WebSocket, eventually, in_time};
use sansocket_tokio::{ConnectError, DisconnectReason, Server, Socket};

use support::TestServer;

/// How often something happened.
#[derive(Clone, Default)]
struct Counter(Arc<AtomicUsize>);

impl Counter {
    fn increase(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_panics_ends_its_connection_and_no_other() -> io::Result<()> {
    let disconnects = Counter::default();
    let server = TestServer::start(Server::builder().state(disconnects.clone())).await;
    server
        .io
        .of("/")
        .on("panic", async |_: Socket, (): ()| {
            if true {
                panic!("as the test asks");
            }
        })
        .on_disconnect(async |socket: Socket, _: DisconnectReason| {
            socket.state::<Counter>().into_iter().for_each(Counter::increase);
        });
    let mut bystander = WebSocket::join(server.address).await?;
    let mut websocket = WebSocket::join(server.address).await?;
    websocket.send_text(r#"42["panic"]"#).await?;
    in_time("the end of the WebSocket", async {
        while let Ok(Some(_)) = websocket.next().await {}
    })
    .await;
    let mut polling = Polling::open(server.address).await?;
    polling.join().await?;
    polling.begin_poll().await?;
    polling.post(r#"42["panic"]"#).await?;
    // The GET that waits is answered: the session is over. On a connection of its own, the GET may
    // also come after the POST, and finds no session.
    let response = in_time("the answer to the GET", polling.get.response()).await?;
    let is_told = |response: Response| response.status == 400 || response.body.ends_with('1');
    assert!(response.is_some_and(is_told));
    bystander.echo().await?;
    drop(bystander);
    eventually("three disconnects", || disconnects.get() == 3).await;
    server.panicked(2).await;
    server.finish().await;
    Ok(())
}

/// Uses its socket when it is dropped.
struct Farewell(Socket);

impl Drop for Farewell {
    fn drop(&mut self) {
        let gone = self.0.emit("farewell", &()).is_err();
        self.0.state::<Counter>().filter(|_| gone).into_iter().for_each(Counter::increase);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_middleware_that_is_cancelled_may_still_use_its_socket() -> io::Result<()> {
    let farewells = Counter::default();
    let server = TestServer::start(Server::builder().state(farewells.clone())).await;
    server.io.of("/undecided").use_(async |socket: Socket| {
        let _farewell = Farewell(socket);
        pending::<Result<(), ConnectError>>().await
    });
    for round in 1..=10 {
        let mut websocket = WebSocket::connect(server.address).await?;
        websocket.send_text("40/undecided,").await?;
        eventually("the request", || server.io.stats().sockets == 1).await;
        drop(websocket);
        eventually("the farewell", || farewells.get() == round).await;
    }
    server.finish().await;
    Ok(())
}

/// The core gives a socket's index to the next one while the former's handlers still run.
#[tokio::test(flavor = "multi_thread")]
async fn a_disconnect_is_told_although_the_next_client_has_come() -> io::Result<()> {
    let disconnects = Counter::default();
    let builder = Server::builder().shards(1).state(disconnects.clone());
    let server = TestServer::start(builder).await;
    server.io.of("/").on_disconnect(async |socket: Socket, _: DisconnectReason| {
        socket.state::<Counter>().into_iter().for_each(Counter::increase);
    });
    let mut slow = WebSocket::join(server.address).await?;
    // More than the session takes from the machine at once, behind a handler that waits.
    for _ in 0..200 {
        slow.send_text(r#"42["wait"]"#).await?;
    }
    slow.close().await?;
    eventually("the slow one's end", || server.io.stats().sockets == 0).await;
    let mut clients = Vec::new();
    for _ in 0..4 {
        let mut client = WebSocket::join(server.address).await?;
        client.echo().await?;
        clients.push(client);
    }
    assert_eq!(disconnects.get(), 0);
    server.gate.add_permits(1_000);
    eventually("the slow one's disconnect", || disconnects.get() == 1).await;
    for mut client in clients {
        client.echo().await?;
        client.close().await?;
    }
    eventually("all disconnects", || disconnects.get() == 5).await;
    server.finish().await;
    Ok(())
}

/// The application keeps a socket, and uses it when its client has gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_socket_joins_nothing_after_its_end() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let kept = Arc::new(std::sync::Mutex::new(Vec::new()));
    let keep = kept.clone();
    server.io.on_disconnect(move |socket: Socket, _: DisconnectReason| {
        let joined = socket.join("late");
        keep.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((socket, joined));
        async {}
    });
    WebSocket::join(server.address).await?.close().await?;
    let mut polling = Polling::open(server.address).await?;
    polling.join().await?;
    polling.post("41\x1e1").await?;
    let take =
        || std::mem::take(&mut *kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    let mut gone = Vec::new();
    eventually("both are told", || {
        gone.append(&mut take());
        gone.len() == 2
    })
    .await;
    for (socket, joined) in gone {
        assert!(joined.is_err(), "{joined:?}");
        socket.join("later").expect_err("it has gone");
        server.io.sockets_join("all");
        assert_eq!(socket.rooms().len(), 0, "{:?}", socket.rooms());
        socket.emit("late", &()).expect_err("it has gone");
    }
    assert_eq!(server.io.stats().rooms, 0);
    server.finish().await;
    Ok(())
}
