//! A server that gives clients their state back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sansocket_tests::client::{WebSocket, eventually, in_time};
use sansocket_tokio::client::{DisconnectReason, Socket};
use sansocket_tokio::{
    ConnectionStateRecovery, DisconnectReason as ServerReason, Server, Socket as ServerSocket,
    Transport,
};
use tokio::sync::mpsc;

use crate::Client;
use crate::client::reconnecting::Proxy;
use crate::support::TestServer;

const DELAY: Duration = Duration::from_millis(20);

/// What the client has seen.
#[derive(Debug, PartialEq)]
enum Seen {
    Connected { recovered: bool },
    Lost,
    Refused,
    Said(u32),
}

struct Setting {
    server: TestServer,
    proxy: Proxy,
    client: Client,
    seen: mpsc::UnboundedReceiver<Seen>,
    /// How often a middleware was asked.
    asked: Arc<AtomicUsize>,
}

impl Setting {
    /// `refused` is which connection the middleware refuses.
    async fn new(recovery: ConnectionStateRecovery, refused: Option<usize>) -> Self {
        let server = TestServer::start(Server::builder().connection_state_recovery(recovery)).await;
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = asked.clone();
        server.io.use_(move |_: ServerSocket| {
            let is_refused = Some(counter.fetch_add(1, Ordering::SeqCst)) == refused;
            async move { if is_refused { Err("enough") } else { Ok(()) } }
        });
        let proxy = Proxy::to(server.address).await.expect("a port");
        let (sender, seen) = mpsc::unbounded_channel();
        let [said, lost, refused] = [sender.clone(), sender.clone(), sender.clone()];
        let client = Client::builder(format!("http://{}", proxy.address))
            // A server does not notice that a client on polling has gone until its GET is due.
            .transports([Transport::WebSocket])
            .reconnection_delay(DELAY, DELAY)
            .on("say", move |_: Socket, (number, _offset): (u32, String)| {
                let sent = said.send(Seen::Said(number));
                async move { sent }
            })
            .on_connect(move |socket: Socket| {
                let sent = sender.send(Seen::Connected { recovered: socket.recovered() });
                async move { sent }
            })
            .on_connect_error(move |_: Socket, _| {
                let sent = refused.send(Seen::Refused);
                async move { sent }
            })
            .on_disconnect(move |_: Socket, _: DisconnectReason| {
                let sent = lost.send(Seen::Lost);
                async move { sent }
            })
            .connect();
        let client = in_time("connect", client).await.expect("it connects");
        let mut setting = Self { server, proxy, client, seen, asked };
        assert_eq!(setting.next().await, Seen::Connected { recovered: false });
        setting
    }

    async fn next(&mut self) -> Seen {
        in_time("what comes", self.seen.recv()).await.expect("the client runs")
    }

    fn socket(&self) -> ServerSocket {
        let sockets = self.server.io.sockets();
        assert_eq!(sockets.len(), 1);
        sockets[0].clone()
    }

    /// Loses the connection, and says a number as soon as the server knows.
    async fn lose(&mut self, number: u32) {
        let old = self.socket();
        let (io, id) = (self.server.io.clone(), old.id());
        let (told, mut is_lost) = mpsc::unbounded_channel();
        old.on_disconnect(move |_: ServerSocket, _: ServerReason| {
            io.to(id).emit("say", &number).expect("a number");
            let told = told.send(());
            async move { told }
        });
        self.proxy.cut();
        in_time("the loss", is_lost.recv()).await;
        assert_eq!(self.next().await, Seen::Lost);
    }

    async fn finish(self) {
        in_time("close", self.client.close()).await;
        self.server.finish().await;
    }
}

#[tokio::test]
async fn a_socket_keeps_its_id_rooms_and_data() {
    let mut setting = Setting::new(ConnectionStateRecovery::default(), None).await;
    let old = setting.socket();
    old.insert(42_u32);
    old.join("room").expect("there is room");
    old.emit("say", &1).expect("connected");
    assert_eq!(setting.next().await, Seen::Said(1));
    setting.lose(2).await;
    assert_eq!(setting.next().await, Seen::Connected { recovered: true });
    assert_eq!(setting.next().await, Seen::Said(2));
    let new = setting.socket();
    assert!(new.recovered() && !old.recovered() && new != old);
    assert_eq!((new.id(), new.get::<u32>()), (old.id(), Some(42)));
    assert!(new.rooms().iter().any(|room| **room == *"room"));
    assert_eq!(setting.asked.load(Ordering::SeqCst), 1, "the middleware is skipped");
    assert!(setting.server.io.find_socket(&old.id()).is_some());
    setting.server.io.to("room").emit("say", &3).expect("a number");
    assert_eq!(setting.next().await, Seen::Said(3));
    setting.finish().await;
}

#[tokio::test]
async fn a_client_that_got_nothing_yet_is_recovered_too() {
    let mut setting = Setting::new(ConnectionStateRecovery::default(), None).await;
    setting.lose(1).await;
    assert_eq!(setting.next().await, Seen::Connected { recovered: true });
    assert_eq!(setting.next().await, Seen::Said(1));
    setting.finish().await;
}

#[tokio::test]
async fn a_client_that_is_refused_gets_nothing_of_what_it_missed() {
    let recovery = ConnectionStateRecovery::default().skip_middlewares(false);
    let mut setting = Setting::new(recovery, Some(2)).await;
    setting.lose(1).await;
    assert_eq!(setting.next().await, Seen::Connected { recovered: true });
    assert_eq!(setting.next().await, Seen::Said(1));
    setting.lose(2).await;
    assert_eq!(setting.next().await, Seen::Refused);
    assert_eq!(setting.asked.load(Ordering::SeqCst), 3);
    setting.finish().await;
}

#[tokio::test]
async fn a_client_that_missed_more_than_is_kept_starts_anew() {
    let recovery = ConnectionStateRecovery::default().max_messages(2);
    let mut setting = Setting::new(recovery, None).await;
    let old = setting.socket();
    old.emit("say", &0).expect("connected");
    assert_eq!(setting.next().await, Seen::Said(0));
    for _ in 0..2 {
        setting.server.io.to("nobody").emit("say", &0).expect("a number");
    }
    setting.lose(1).await;
    assert_eq!(setting.next().await, Seen::Connected { recovered: false });
    assert_ne!(setting.socket().id(), old.id());
    setting.finish().await;
}

#[tokio::test]
async fn what_is_kept_goes_after_its_time() {
    let recovery = ConnectionStateRecovery::default().max_disconnection_duration(DELAY);
    let setting = Setting::new(recovery, None).await;
    let kept = Arc::new(());
    setting.socket().extensions().insert(kept.clone());
    setting.proxy.cut();
    in_time("close", setting.client.close()).await;
    eventually("the value is dropped", || Arc::strong_count(&kept) == 1).await;
    setting.server.finish().await;
}

#[tokio::test]
async fn a_client_is_back_before_the_server_knows_that_it_was_gone() {
    let recovery = ConnectionStateRecovery::default();
    let server = TestServer::start(Server::builder().shards(4).connection_state_recovery(recovery));
    let server = server.await;
    let (sender, mut reasons) = mpsc::unbounded_channel();
    server.io.on_disconnect(move |_: ServerSocket, reason: ServerReason| {
        let sent = sender.send(reason);
        async move { sent }
    });
    // A connection that stays open, of a client that says nothing more.
    let mut silent = WebSocket::connect(server.address).await.expect("it opens");
    silent.send_text("40").await.expect("it is read");
    let connected = silent.expect("40").await.expect("let in");
    let told: serde_json::Value = serde_json::from_str(&connected[2..]).expect("JSON");
    let (sid, pid) =
        (told["sid"].as_str().expect("an id"), told["pid"].as_str().expect("a secret"));
    server.io.emit("say", &1).expect("a number");

    let mut back = WebSocket::connect(server.address).await.expect("it opens");
    back.send_text(&format!(r#"40{{"pid":"{pid}"}}"#)).await.expect("it is read");
    let missed = back.expect("42").await.expect("it was kept");
    assert!(missed.starts_with(r#"42["say",1,""#), "{missed}");
    let connected = back.expect("40").await.expect("let in");
    assert_eq!(connected, format!(r#"40{{"sid":"{sid}","pid":"{pid}"}}"#));
    assert_eq!(in_time("the end", reasons.recv()).await, Some(ServerReason::TransportClose));
    assert_eq!(server.io.sockets().len(), 1);
    // Only the other namespaces' secrets are looked for there.
    let mut other = WebSocket::connect(server.address).await.expect("it opens");
    server.io.of("/other");
    other.send_text(&format!(r#"40/other,{{"pid":"{pid}"}}"#)).await.expect("it is read");
    other.expect("40/other,").await.expect("let in, as somebody new");
    assert_eq!(server.io.sockets().len(), 1);
    drop((silent, back, other));
    server.finish().await;
}

#[tokio::test]
async fn a_client_that_leaves_while_a_middleware_decides_may_try_again() {
    let recovery = ConnectionStateRecovery::default().skip_middlewares(false);
    let server = TestServer::start(Server::builder().connection_state_recovery(recovery)).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    server.io.use_(move |_: ServerSocket| {
        let hangs = counter.fetch_add(1, Ordering::SeqCst) == 1;
        async move {
            if hangs {
                std::future::pending::<()>().await;
            }
            Ok::<_, String>(())
        }
    });
    let mut first = WebSocket::connect(server.address).await.expect("it opens");
    first.send_text("40").await.expect("it is read");
    let connected = first.expect("40{").await.expect("let in");
    let told: serde_json::Value = serde_json::from_str(&connected[2..]).expect("JSON");
    let request = format!(r#"40{{"pid":{}}}"#, told["pid"]);
    drop(first);
    eventually("the loss", || server.io.stats().connections == 0).await;

    let mut hanging = WebSocket::connect(server.address).await.expect("it opens");
    hanging.send_text(&request).await.expect("it is read");
    eventually("the middleware", || asked.load(Ordering::SeqCst) == 2).await;
    drop(hanging);
    eventually("the loss", || server.io.stats().connections == 0).await;

    let mut back = WebSocket::connect(server.address).await.expect("it opens");
    back.send_text(&request).await.expect("it is read");
    assert_eq!(back.expect("40{").await.expect("let in"), connected);
    drop(back);
    server.finish().await;
}
