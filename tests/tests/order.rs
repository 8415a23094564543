//! Order: of what a client sends, and of what it is sent.

mod support;

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};

use sansocket_tests::client::{WebSocket, in_time};
use sansocket_tokio::{Ack, Server, Socket};

use support::TestServer;

const SENDERS: usize = 6;
const MESSAGES: usize = 1_000;

#[tokio::test(flavor = "multi_thread")]
async fn each_senders_messages_reach_everybody_in_order_and_once() -> io::Result<()> {
    let server = TestServer::start(Server::builder().shards(4)).await;
    server.io.on("say", async |socket: Socket, value: (usize, usize)| {
        socket.server().to("lobby").emit("said", &value).map(drop)
    });
    let mut senders = Vec::new();
    for _ in 0..SENDERS {
        senders.push(WebSocket::join(server.address).await?);
    }
    let tasks: Vec<_> = senders
        .into_iter()
        .enumerate()
        .map(|(sender, websocket)| tokio::spawn(say_and_listen(sender, websocket)))
        .collect();
    for task in tasks {
        in_time("a client", task).await??;
    }
    server.finish().await;
    Ok(())
}

/// Sends its own messages, a few ahead of what it has received.
async fn say_and_listen(sender: usize, mut websocket: WebSocket) -> io::Result<()> {
    let mut next = HashMap::<usize, usize>::new();
    let mut sent = 0;
    for received in 0..SENDERS * MESSAGES {
        while sent < MESSAGES && sent * SENDERS <= received + 100 {
            websocket.send_text(&format!(r#"42["say",{sender},{sent}]"#)).await?;
            sent += 1;
        }
        let text = websocket.expect(r#"42["said","#).await?;
        let mut numbers = text
            .split(|c: char| !c.is_ascii_digit())
            .filter_map(|digits| digits.parse::<usize>().ok())
            .skip(1);
        let (Some(from), Some(number)) = (numbers.next(), numbers.next()) else {
            panic!("{text}");
        };
        let expected = next.entry(from).or_default();
        assert_eq!(number, *expected, "from {from} to {sender}");
        *expected += 1;
    }
    assert!((0..SENDERS).all(|from| next.get(&from) == Some(&MESSAGES)));
    // Nothing comes twice.
    websocket.send_text(r#"420["echo","end"]"#).await?;
    assert_eq!(websocket.next_text().await?, r#"430["end"]"#);
    websocket.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn handlers_run_in_order_even_if_the_first_takes_longest() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    server.io.on("number", move |_: Socket, number: usize| {
        let log = log.clone();
        async move {
            for _ in 0..(10 - number % 10) {
                tokio::task::yield_now().await;
            }
            if let Ok(mut log) = log.lock() {
                log.push(number);
            }
            Ack(number)
        }
    });
    let mut websocket = WebSocket::join(server.address).await?;
    for number in 0..MESSAGES {
        websocket.send_text(&format!(r#"42{number}["number",{number}]"#)).await?;
    }
    for number in 0..MESSAGES {
        assert_eq!(websocket.next_text().await?, format!("43{number}[{number}]"));
    }
    assert!(seen.lock().is_ok_and(|seen| seen.iter().copied().eq(0..MESSAGES)));
    drop(websocket);
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_can_wait_for_its_own_client() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let mut websocket = WebSocket::join(server.address).await?;
    for _ in 0..100 {
        websocket.send_text(r#"42["ask"]"#).await?;
        // An event that must wait for the handler does not hold the answer up.
        websocket.send_text(r#"420["echo","behind"]"#).await?;
        let question = websocket.next_text().await?;
        let id = question.strip_prefix("42").and_then(|rest| rest.strip_suffix(r#"["question"]"#));
        let id = id.unwrap_or_else(|| panic!("{question}"));
        websocket.send_text(&format!("43{id}[1]")).await?;
        assert_eq!(websocket.next_text().await?, r#"42["answered",true]"#);
        assert_eq!(websocket.next_text().await?, r#"430["behind"]"#);
    }
    drop(websocket);
    server.finish().await;
    Ok(())
}
