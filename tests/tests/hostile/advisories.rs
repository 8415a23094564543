//! What has been an advisory for an implementation of this protocol, where no other test sends it.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sansocket_core::codec::websocket::{Message, Opcode};
use sansocket_tests::client::{
    Http, PATIENCE, Polling, WebSocket, eventually, frame, upgrade_request,
};
use sansocket_tokio::{Args, Interception, Io, Limits, Server, Socket};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::support::{SHORT, TestServer};

const WEBSOCKET: &str = "/socket.io/?EIO=4&transport=websocket";

/// The ids of some sessions and of their sockets, in the order in which they were made.
async fn ids_of(server: &TestServer) -> io::Result<Vec<String>> {
    let id = |packet: String| packet.split('"').nth(3).unwrap_or_default().to_owned();
    let mut ids = Vec::new();
    for _ in 0..100 {
        let mut websocket = WebSocket::connect_with(server.address, WEBSOCKET, b"").await?;
        ids.push(id(websocket.expect("0{").await?));
        websocket.send_text("40").await?;
        ids.push(id(websocket.expect("40{").await?));
    }
    Ok(ids)
}

/// Two servers that were started alike, and neighbours of one server, have nothing in common.
#[tokio::test(flavor = "multi_thread")]
async fn ids_cannot_be_guessed() -> io::Result<()> {
    let servers =
        [TestServer::start(Server::builder()).await, TestServer::start(Server::builder()).await];
    let mut all = HashSet::new();
    for server in &servers {
        let ids = ids_of(server).await?;
        for pair in ids.windows(2) {
            // The first character is that of the shard.
            let same = pair[0].bytes().zip(pair[1].bytes()).skip(1).filter(|(a, b)| a == b).count();
            assert!(same < 8, "{pair:?}");
        }
        for position in 1..20 {
            let characters: HashSet<u8> = ids.iter().map(|id| id.as_bytes()[position]).collect();
            // Of 64, some 61 are to be expected.
            assert!(characters.len() > 45, "{position}: {}", characters.len());
        }
        assert!(ids.iter().all(|id| id.len() == 20));
        all.extend(ids);
    }
    assert_eq!(all.len(), 400);
    for server in servers {
        server.finish().await;
    }
    Ok(())
}

/// A hundred times as much was the default once.
#[tokio::test(flavor = "multi_thread")]
async fn a_million_bytes_are_the_limit_unless_another_is_set() -> io::Result<()> {
    const LIMIT: usize = 1_000_000;
    let server = TestServer::start(Server::builder()).await;
    let event = |bytes: usize| format!(r#"42["none","{}"]"#, "a".repeat(bytes - 13));
    assert_eq!(event(LIMIT).len(), LIMIT);
    let mut polling = Polling::open(server.address).await?;
    polling.join().await?;
    assert_eq!(polling.post(&event(LIMIT)).await?, 200);
    assert_eq!(polling.post(&event(LIMIT + 1)).await?, 413);
    polling.echo().await?;
    polling.post("1").await?;
    let mut websocket = WebSocket::join(server.address).await?;
    websocket.send_text(&event(LIMIT)).await?;
    websocket.echo().await?;
    // The server closes before it has read everything.
    let _ = websocket.send_text(&event(LIMIT + 1)).await;
    assert_eq!(websocket.close_code().await, 1009);
    drop((polling, websocket));
    server.finish().await;
    Ok(())
}

/// Bytes that are no frames come while the application still thinks about the request, for a new
/// session and for one that there is. The client stays, or has gone when the answer is written.
#[tokio::test(flavor = "multi_thread")]
async fn garbage_while_an_upgrade_is_decided() -> io::Result<()> {
    let gate = Arc::new(Semaphore::new(0));
    let asked = Arc::new(AtomicUsize::new(0));
    let (waiting, counting) = (gate.clone(), asked.clone());
    let builder = Server::builder().use_request(move |request| {
        let (gate, asked) = (waiting.clone(), counting.clone());
        async move {
            if request.headers.contains_key("upgrade") {
                asked.fetch_add(1, Ordering::SeqCst);
                let permit = gate.acquire().await.map_err(|_| Interception::from("closed"))?;
                permit.forget();
            }
            Ok::<_, Interception>(request)
        }
    });
    let server = TestServer::start(builder).await;
    let mut polling = Polling::open(server.address).await?;
    polling.join().await?;
    let targets = [WEBSOCKET.to_owned(), polling.target("websocket")];
    let mut requests = 0;
    for target in &targets {
        for garbage in [b"test".as_slice(), &[0xff; 10], &[0xc1, 0x80, 0, 0, 0, 0]] {
            for stays in [true, false] {
                let mut http = Http::connect(server.address).await?;
                http.send(upgrade_request(target)).await?;
                requests += 1;
                eventually("it is asked", || asked.load(Ordering::SeqCst) == requests).await;
                http.send(garbage).await?;
                if stays {
                    gate.add_permits(1);
                    let response = http.response().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
                    assert_eq!(response.status, 101, "{}", response.head);
                    http.read_to_end().await;
                    // The code, and nothing else that was in memory.
                    let end = [0x88, 2, 0x03, 0xea];
                    assert!(http.unread().ends_with(&end), "{target} {:?}", http.unread());
                } else {
                    http.reset();
                    gate.add_permits(1);
                }
                polling.echo().await?;
            }
        }
    }
    polling.post("1").await?;
    drop(polling);
    // Whether a request whose client has gone is still decided is a matter of chance.
    gate.add_permits(1_000);
    server.finish().await;
    Ok(())
}

/// An upgrade that is told code 0, which is an error as well.
#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_without_a_transport_is_refused() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let mut polling = Polling::open(server.address).await?;
    polling.join().await?;
    let sid = &polling.sid;
    for query in [
        "EIO=4".to_owned(),
        "EIO=4&transport=".to_owned(),
        "EIO=4&transport=constructor".to_owned(),
        format!("EIO=4&sid={sid}"),
        format!("EIO=4&transport=&sid={sid}"),
        format!("EIO=4&transport=__proto__&sid={sid}"),
        String::new(),
    ] {
        let mut http = Http::connect(server.address).await?;
        http.send(upgrade_request(&format!("/socket.io/?{query}"))).await?;
        let response = http.response().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        assert_eq!((response.status, &*response.body), (400, "Transport unknown"), "{query}");
        assert_eq!(http.read_to_end().await, 0, "{query}");
    }
    assert_eq!(server.io.stats().sessions, 1);
    polling.echo().await?;
    polling.post("1").await?;
    drop(polling);
    server.finish().await;
    Ok(())
}

/// What the server answers to a close is a close frame, and holds nothing but what belongs there.
#[tokio::test(flavor = "multi_thread")]
async fn a_close_holds_its_code_and_no_more() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let reason = [&1000_u16.to_be_bytes()[..], &[b'r'; 123]].concat();
    for payload in [&[][..], &1000_u16.to_be_bytes(), &4999_u16.to_be_bytes(), &reason] {
        let mut websocket = WebSocket::join(server.address).await?;
        websocket.echo().await?;
        websocket.send_frame(Opcode::Close, payload).await?;
        let mut answer = None;
        while let Some(message) = websocket.next().await? {
            answer = Some(message);
        }
        let Some(Message::Close(frame)) = answer else { panic!("{answer:?}") };
        let code = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
        assert!(frame.as_ref().is_none_or(|frame| Some(frame.code.get()) == code), "{frame:?}");
        assert!(frame.is_none_or(|frame| frame.reason.is_empty()));
    }
    server.finish().await;
    Ok(())
}

/// Nobody listens for errors, and clients send what would raise one.
#[tokio::test(flavor = "multi_thread")]
async fn errors_that_nobody_listens_for() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let mut websocket = WebSocket::join(server.address).await?;
    for event in [
        r#"42["error"]"#,
        r#"421["error",{"message":"x"}]"#,
        r#"42["unhandledRejection"]"#,
        r#"42["echo",{"no":"string"}]"#,
        r#"422["echo",1,2,3]"#,
    ] {
        websocket.send_text(event).await?;
        websocket.echo().await?;
    }
    websocket.send_text(r#"451-["error",{"_placeholder":true,"num":0}]"#).await?;
    websocket.send_frame(Opcode::Binary, b"error").await?;
    websocket.echo().await?;
    let mut bad = WebSocket::join(server.address).await?;
    bad.send_text(r#"42[{"toString":"error"}]"#).await?;
    assert_eq!(bad.close_code().await, 1005);
    websocket.echo().await?;
    drop((websocket, bad));
    server.finish().await;
    Ok(())
}

/// The server has disconnected a socket, and its packets are there already.
#[tokio::test(flavor = "multi_thread")]
async fn packets_behind_the_end_of_their_socket_are_ignored() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let late = Arc::new(AtomicUsize::new(0));
    let side = server.io.of("/side");
    for namespace in [server.io.of("/"), side.clone()] {
        let counting = late.clone();
        namespace.on("late", move |_: Socket, _: Args| {
            counting.fetch_add(1, Ordering::SeqCst);
            async {}
        });
    }
    let counting = late.clone();
    server
        .io
        .of("/")
        .on("leave", async |socket: Socket, how: u8| end(&socket, how))
        .on("refused", move |_: Socket, _: Args| {
            counting.fetch_add(1, Ordering::SeqCst);
            async {}
        })
        .use_event(async |socket: Socket, event: String, how: Args| {
            if event == "refused" {
                end(&socket, how.decode().unwrap_or(0));
            }
            Ok::<_, String>(())
        });
    for how in 0..4 {
        let closes = how % 2 == 1;
        for event in ["leave", "refused"] {
            let mut packets = vec![format!(r#"42["{event}",{how}]"#)];
            packets.extend(vec![r#"42["late"]"#.to_owned(); 100]);
            if closes {
                packets.extend(vec![r#"42/side,["late"]"#.to_owned(); 10]);
            }
            let mut websocket = WebSocket::join(server.address).await?;
            websocket.send_text("40/side,").await?;
            websocket.expect("40/side,").await?;
            let frames = packets.iter().flat_map(|packet| frame(Opcode::Text, packet.as_bytes()));
            websocket.http.send(frames.collect::<Vec<_>>()).await?;
            websocket.expect("41").await?;
            let _ = websocket.close().await;
            let mut polling = Polling::open(server.address).await?;
            polling.join().await?;
            polling.post("40/side,").await?;
            polling.expect("40/side,").await?;
            assert_eq!(polling.post(&packets.join("\x1e")).await?, 200);
            polling.expect("41").await?;
            // It is over already, but for its last GET, or now.
            let _ = polling.post("1").await;
            while polling.poll().await.is_ok() {}
            server.rests().await;
            assert_eq!(late.load(Ordering::SeqCst), 0, "{event} {how}");
        }
    }
    server.finish().await;
    Ok(())
}

/// Each of the ways in which an application disconnects a socket; odd ones close the connection.
fn end(socket: &Socket, how: u8) {
    match how {
        0 => socket.disconnect(),
        1 => socket.disconnect_connection(),
        _ => socket.server().in_(socket.id()).disconnect_sockets(how == 3),
    }
}

/// What a connection had to do in time does not matter to the one that takes its place.
#[tokio::test(flavor = "multi_thread")]
async fn the_time_to_join_ends_with_the_connection() -> io::Result<()> {
    let server = TestServer::start(Server::builder().shards(1).connect_timeout(SHORT)).await;
    // Nothing is left to wait for when the last connection goes, so this one stays.
    let mut bystander = WebSocket::join(server.address).await?;
    for _ in 0..3 {
        let websocket = WebSocket::connect(server.address).await?;
        websocket.close().await?;
        eventually("it is gone", || server.io.stats().connections == 1).await;
        let mut next = WebSocket::join(server.address).await?;
        // Whoever joins nothing is disconnected later than the first one would have been.
        let mut silent = WebSocket::connect(server.address).await?;
        assert_eq!(silent.close_code().await, 1005);
        next.echo().await?;
        next.close().await?;
        drop(silent);
        eventually("both are gone", || server.io.stats().connections == 1).await;
    }
    bystander.echo().await?;
    drop(bystander);
    server.finish().await;
    Ok(())
}

/// Sessions that are closing when the server ends have something to send that nobody takes. One on
/// polling is not waited for, and one on a WebSocket up to the deadline.
#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_server_ends_sessions_that_are_closing() -> io::Result<()> {
    for (is_polling, deadline) in [(true, 10 * PATIENCE), (false, SHORT)] {
        let mut limits = Limits::default();
        limits.outbox_bytes = 64 << 20;
        let builder = Server::builder().limits(limits).close_timeout(10 * PATIENCE);
        let server = TestServer::start(builder).await;
        let (mut polling, mut websocket) = (None, None);
        if is_polling {
            let polling = polling.insert(Polling::open(server.address).await?);
            polling.join().await?;
        } else {
            websocket = Some(WebSocket::join(server.address).await?);
        }
        for _ in 0..30 {
            server.io.emit("news", &"a".repeat(500_000)).expect("a string");
        }
        server.io.disconnect_sockets(true);
        let stats = server.io.stats();
        assert!(stats.outbox_bytes > 500_000 && stats.connections == 1, "{stats:?}");
        // Else the session on polling would have half a minute.
        let closing = timeout(PATIENCE / 3, Io::close(&server.io, deadline));
        assert!(closing.await.is_ok(), "a session is waited for: {:?}", server.io.stats());
        server.rests().await;
        if let Some(mut websocket) = websocket {
            websocket.http.read_to_end().await;
        }
        if let Some(mut polling) = polling {
            assert!(polling.poll().await.is_err(), "nobody serves any more");
        }
        server.finish_closed().await;
    }
    Ok(())
}

/// A session's revision is that of its handshake, whatever later requests say.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_keeps_its_revision() -> io::Result<()> {
    let builder = Server::builder().allow_eio3(true).ping_interval(SHORT).ping_timeout(PATIENCE);
    let server = TestServer::start(builder).await;
    for revision in ["EIO=3&", "EIO=2&", "EIO=5&", "EIO=__proto__&", ""] {
        let mut polling = Polling::open(server.address).await?;
        polling.join().await?;
        let target = format!("/socket.io/?{revision}transport=polling&sid={}", polling.sid);
        // Revision 3 would see a length and no separator.
        polling.post.request("POST", &target, "420[\"echo\",\"a\"]\x1e3").await?;
        let posted = polling.post.response().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        assert_eq!(posted.status, 200, "{revision}");
        polling.get.request("GET", &target, "").await?;
        let polled = polling.get.response().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let is_of_4 = |packet: &str| packet == "2" || packet == "430[\"a\"]";
        assert!(polled.body.split('\x1e').all(is_of_4), "{revision} {}", polled.body);
        let target = target.replace("polling", "websocket");
        let mut websocket = WebSocket::connect_with(server.address, &target, b"").await?;
        websocket.send_text("2probe").await?;
        websocket.expect("3probe").await?;
        websocket.send_text("5").await?;
        // The server pings, and binary data have no type.
        while websocket.next().await? != Some(Message::Text("2".into())) {}
        websocket.send_text("3").await?;
        websocket.send_text(r#"451-["none",{"_placeholder":true,"num":0}]"#).await?;
        websocket.send_frame(Opcode::Binary, b"\x09").await?;
        websocket.echo().await?;
        websocket.close().await?;
        drop(polling);
        server.rests().await;
    }
    server.finish().await;
    Ok(())
}
