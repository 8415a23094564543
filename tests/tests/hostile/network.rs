//! Clients that vanish, in whichever way, at whichever moment.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sansocket_core::codec::websocket::Opcode;
use sansocket_tests::client::{
    Http, Polling, WebSocket, eventually, frame, in_time, upgrade_request,
};
use sansocket_tests::noise::Noise;
use sansocket_tokio::{Args, Disconnect, Server, Socket};
use tokio::sync::mpsc;

use crate::support::{TestServer, quick};

#[tokio::test(flavor = "multi_thread")]
async fn a_get_that_waits_is_broken_off() -> io::Result<()> {
    let server = TestServer::start(quick()).await;
    for reset in [false, true] {
        let mut polling = Polling::open(server.address).await?;
        polling.join().await?;
        polling.begin_poll().await?;
        if reset {
            polling.get.reset();
        } else {
            drop(polling);
        }
        server.rests().await;
    }
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_is_broken_off() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    for (length, reset) in [(0, false), (0, true), (10, false), (10, true), (200_000, true)] {
        let mut polling = Polling::open(server.address).await?;
        polling.join().await?;
        let target = polling.target("polling");
        let head = "HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n";
        polling.post.send(format!("POST {target} {head}{}", "4".repeat(length))).await?;
        if reset {
            polling.post.reset();
        } else {
            drop(polling);
        }
        server.rests().await;
    }
    let mut polling = Polling::open(server.address).await?;
    polling.join().await?;
    let target = polling.target("polling");
    let head = "HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    polling.post.send(format!("POST {target} {head}5\r\n42[\"a\r\nno chunk")).await?;
    let response = polling.post.response().await?;
    assert_eq!(response.map(|response| response.status), Some(400));
    server.rests().await;
    drop(polling);
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn half_open_connections() -> io::Result<()> {
    let server = TestServer::start(quick()).await;
    // The end of the client's stream is the end of its WebSocket.
    let mut websocket = WebSocket::join(server.address).await?;
    websocket.http.shut_down_write().await?;
    websocket.close_code().await;
    server.rests().await;
    drop(websocket);
    let mut polling = Polling::open(server.address).await?;
    polling.join().await?;
    polling.begin_poll().await?;
    polling.get.shut_down_write().await?;
    polling.get.read_to_end().await;
    server.rests().await;
    drop(polling);
    server.finish().await;
    Ok(())
}

/// A conversation is cut after any number of bytes.
#[tokio::test(flavor = "multi_thread")]
async fn resets_at_any_byte() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let packets = [
        "40",
        r#"420["echo","a"]"#,
        r#"42["ask"]"#,
        r#"451-["wait",{"_placeholder":true,"num":0}]"#,
    ];
    let frames: Vec<u8> =
        packets.iter().flat_map(|packet| frame(Opcode::Text, packet.as_bytes())).collect();
    for end in 0..=frames.len() {
        let mut websocket = WebSocket::connect(server.address).await?;
        websocket.http.send(&frames[..end]).await?;
        if end % 2 == 0 {
            websocket.http.reset();
        }
    }
    server.rests().await;
    server.finish().await;
    Ok(())
}

/// The client is gone when the server answers that it does not let it in.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_upgrade_is_reset() -> io::Result<()> {
    let refused = Arc::new(AtomicUsize::new(0));
    let counter = refused.clone();
    let builder = Server::builder().on_connection_error(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    let server = TestServer::start(builder).await;
    let mut polling = Polling::open(server.address).await?;
    for target in [
        "/socket.io/?EIO=4&transport=websocket&sid=Aabcdefghij0123456-_",
        "/socket.io/?EIO=9&transport=websocket",
        "/socket.io/?EIO=4&transport=__proto__",
        &polling.target("__proto__"),
    ] {
        let before = refused.load(Ordering::SeqCst);
        for _ in 0..50 {
            let mut http = Http::connect(server.address).await?;
            http.send(upgrade_request(target)).await?;
            http.reset();
        }
        // Some resets overtake their requests.
        eventually("one is refused", || refused.load(Ordering::SeqCst) > before).await;
    }
    polling.post("1").await?;
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn resets_under_broadcasts() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let mut noise = Noise(3);
    let mut clients = Vec::new();
    for _ in 0..300 {
        match noise.next_number() % 3 {
            0 | 1 => clients.push(WebSocket::join(server.address).await?),
            _ if clients.is_empty() => {}
            _ => {
                let victim = clients.swap_remove(noise.next_number() as usize % clients.len());
                server.io.to("hall").emit("news", &"a".repeat(10_000)).expect("a string");
                victim.http.reset();
                server.io.to("hall").emit("news", &"b".repeat(10_000)).expect("a string");
            }
        }
    }
    for client in &mut clients {
        client.echo().await?;
    }
    let left = clients.len();
    eventually("those that were reset are gone", || server.io.stats().sockets == left).await;
    drop(clients);
    server.rests().await;
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_say_nothing() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let mut silent = Vec::new();
    for _ in 0..500 {
        silent.push(Http::connect(server.address).await?);
    }
    WebSocket::join(server.address).await?.echo().await?;
    for http in silent {
        http.reset();
    }
    server.finish().await;
    Ok(())
}

/// A WebSocket arrives while its session runs a handler.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn an_upgrade_while_a_handler_runs() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let release = add_blocking_handler(&server);
    let mut polling = Polling::open(server.address).await?;
    polling.join().await?;
    polling.post(r#"42["block"]"#).await?;
    let timers = server.io.stats().timers;
    let target = polling.target("websocket");
    let mut probe = WebSocket::connect_with(server.address, &target, b"").await?;
    eventually("the upgrade has a deadline", || server.io.stats().timers > timers).await;
    release.send(()).map_err(io::Error::other)?;
    probe.send_text("2probe").await?;
    probe.expect("3probe").await?;
    drop(probe);
    polling.echo().await?;
    polling.post("1").await?;
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_is_broken_off_at_any_step() -> io::Result<()> {
    let server = TestServer::start(quick()).await;
    for step in 0..6 {
        let mut polling = Polling::open(server.address).await?;
        polling.join().await?;
        polling.begin_poll().await?;
        let target = polling.target("websocket");
        let mut probe = WebSocket::connect_with(server.address, &target, b"").await?;
        if step > 0 {
            probe.send_text("2probe").await?;
        }
        if step > 1 {
            probe.expect("3probe").await?;
        }
        if step > 2 {
            polling.get.response().await?;
        }
        if step > 3 {
            probe.send_text("5").await?;
        }
        if step > 4 {
            probe.echo().await?;
        }
        match step {
            // The GET was answered, so only a new one tells that the client is still there.
            0..=3 => {
                probe.http.reset();
                polling.post("1").await?;
            }
            _ => probe.http.reset(),
        }
        server.rests().await;
    }
    server.finish().await;
    Ok(())
}

/// A socket ends while its session runs a handler, and another one takes its place in the tables.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_socket_is_told_of_its_end_though_another_has_its_place() -> io::Result<()> {
    let server = TestServer::start(Server::builder().shards(1)).await;
    let release = add_blocking_handler(&server);
    let (ended, mut ends) = mpsc::unbounded_channel();
    server.io.on_disconnect(move |socket: Socket, _: Disconnect| {
        let sent = ended.send(socket.id()).is_ok();
        async move { assert!(sent) }
    });
    let mut first = WebSocket::join(server.address).await?;
    let id = server.io.sockets().first().map(Socket::id);
    first.send_text(r#"420["echo","a"]"#).await?;
    first.expect("430").await?;
    first.send_text(r#"42["block"]"#).await?;
    eventually("the handler runs", || server.blocked.load(Ordering::Acquire)).await;
    server.io.disconnect_sockets(true);
    let mut second = WebSocket::join(server.address).await?;
    second.echo().await?;
    release.send(()).map_err(io::Error::other)?;
    assert_eq!(in_time("the disconnect handler", ends.recv()).await, id);
    drop((first, second));
    server.finish().await;
    Ok(())
}

/// A handler of `block` that keeps its thread until it is told to let go.
fn add_blocking_handler(server: &TestServer) -> std::sync::mpsc::Sender<()> {
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = std::sync::Mutex::new(released);
    let blocked = server.blocked.clone();
    server.io.on("block", move |_: Socket, _: Args| {
        blocked.store(true, Ordering::Release);
        // Lets the runtime move this thread's other tasks elsewhere.
        let released = tokio::task::block_in_place(|| {
            released.lock().is_ok_and(|released| released.recv().is_ok())
        });
        async move { assert!(released) }
    });
    release
}
