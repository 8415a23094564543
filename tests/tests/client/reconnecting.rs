//! A connection that is lost, and made again.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sansocket_tests::client::{PATIENCE, eventually, in_time};
use sansocket_tokio::client::{DisconnectReason, Lifecycle, Socket};
use sansocket_tokio::{Ack, AckError, Server, Socket as ServerSocket, Transport};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

use crate::Client;
use crate::support::TestServer;

/// Passes bytes on to a server, until it is told to cut all connections.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    cuts: watch::Sender<u32>,
}

impl Proxy {
    pub(crate) async fn to(server: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (cuts, cut) = watch::channel(0);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut cut = cut.clone();
                cut.borrow_and_update();
                tokio::spawn(async move {
                    let mut onward = TcpStream::connect(server).await?;
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut stream, &mut onward) => {}
                        _ = cut.changed() => {}
                    }
                    io::Result::Ok(())
                });
            }
        });
        Ok(Self { address, cuts })
    }

    pub(crate) fn cut(&self) {
        self.cuts.send_modify(|count| *count += 1);
    }
}

const DELAY: Duration = Duration::from_millis(20);

#[tokio::test]
async fn it_is_made_again_and_what_was_emitted_meanwhile_is_sent() {
    let server = TestServer::start(Server::builder()).await;
    let proxy = Proxy::to(server.address).await.expect("a port");
    let (sender, mut happened) = mpsc::unbounded_channel();
    let lifecycle = sender.clone();
    let client = Client::builder(format!("http://{}", proxy.address))
        .reconnection_delay(DELAY, DELAY)
        .on_lifecycle(move |event: &Lifecycle| {
            if let Lifecycle::Reconnected { attempts } = event {
                drop(lifecycle.send(format!("reconnected {attempts}")));
            }
        })
        .on_disconnect(move |socket: Socket, reason: DisconnectReason| {
            let sender = sender.clone();
            // There is no connection now, and the next one comes while this waits.
            async move {
                let answer = socket.emit_with_ack::<String>("echo", "kept", PATIENCE).await;
                sender.send(format!("{reason}, {:?}", answer.ok()))
            }
        })
        .connect()
        .await
        .expect("it connects");
    eventually("the upgrade", || client.transport() == Some(Transport::WebSocket)).await;
    // A server that has not seen the upgrade yet would wait for the rest of it.
    let _: String = client.emit_with_ack("echo", "x", PATIENCE).await.expect("an answer");
    let id = client.id();
    let lost = client.emit_with_ack::<()>("wait", &(), PATIENCE);
    proxy.cut();
    let lost = in_time("the loss", lost).await;
    assert!(matches!(lost, Err(AckError::Disconnected)), "{lost:?}");
    assert_eq!(in_time("the end", happened.recv()).await.as_deref(), Some("reconnected 1"));
    let kept = in_time("the answer", happened.recv()).await;
    // The network tells of a reset or of an end, as it comes.
    let kept = kept.and_then(|kept| Some(kept.strip_prefix("transport ")?.to_owned()));
    let expected = ["close, Some(\"kept\")", "error, Some(\"kept\")"].map(str::to_owned);
    assert!(kept.as_ref().is_some_and(|kept| expected.contains(kept)), "{kept:?}");
    assert!(client.connected());
    assert_ne!(client.id(), id);
    let echo: String = client.emit_with_ack("echo", "x", PATIENCE).await.expect("an answer");
    assert_eq!(echo, "x");
    in_time("close", client.close()).await;
    server.finish().await;
}

#[tokio::test]
async fn attempts_are_counted_and_end() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let (sender, mut happened) = mpsc::unbounded_channel();
    let client = Client::builder(format!("http://{address}"))
        .reconnection_delay(DELAY, DELAY)
        .reconnection_attempts(2)
        .on_lifecycle(move |event: &Lifecycle| {
            let name = format!("{event:?}");
            let name = name.split('(').next().unwrap_or_default();
            drop(sender.send(name.to_owned()));
        })
        .start()
        .expect("settings");
    for expected in [
        "ReconnectAttempt { attempt: 1 }",
        "ReconnectError",
        "ReconnectAttempt { attempt: 2 }",
        "ReconnectError",
        "ReconnectFailed",
    ] {
        assert_eq!(in_time("an event", happened.recv()).await.as_deref(), Some(expected));
    }
    assert!(!client.connected());
    in_time("close", client.close()).await;
}

#[tokio::test]
async fn retries_lose_nothing_and_keep_the_order() {
    const COUNT: usize = 2000;
    let server = TestServer::start(Server::builder()).await;
    let proxy = Arc::new(Proxy::to(server.address).await.expect("a port"));
    let (sender, mut received) = mpsc::unbounded_channel();
    let seen = Arc::new(AtomicUsize::new(0));
    let (counted, cutting) = (seen.clone(), proxy.clone());
    server.io.on("n", move |_: ServerSocket, n: usize| {
        if counted.fetch_add(1, Ordering::SeqCst) % 400 == 399 {
            cutting.cut();
        }
        let sent = sender.send(n);
        async move { sent.map(|()| Ack(n)) }
    });
    let client = Client::builder(format!("http://{}", proxy.address))
        .reconnection_delay(DELAY, DELAY)
        .connect()
        .await
        .expect("it connects");
    let pending: Vec<_> = (0..COUNT).map(|n| client.emit_at_least_once::<usize>("n", &n)).collect();
    for (n, pending) in pending.into_iter().enumerate() {
        let answer = in_time("an acknowledgement", pending).await;
        assert_eq!(answer.expect("acknowledged"), n);
    }
    in_time("close", client.close()).await;
    server.finish().await;
    received.close();
    let mut order = Vec::new();
    while let Some(n) = received.recv().await {
        order.push(n);
    }
    let repeated = order.len() - COUNT;
    order.dedup();
    assert_eq!(order, (0..COUNT).collect::<Vec<_>>());
    assert!(repeated > 0, "no connection was lost with a message under way");
}
