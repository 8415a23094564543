//! Middlewares of events.

use std::time::Duration;

use sansocket_tests::client::{PATIENCE, in_time};
use sansocket_tokio::{Ack, AckError, Args, HandlerErrorKind, Server, Socket as ServerSocket};
use tokio::sync::mpsc;

use crate::Client;
use crate::support::TestServer;

#[tokio::test]
async fn they_decide_in_order_before_the_handlers() {
    let (sender, mut seen) = mpsc::unbounded_channel();
    let [any, all, own, handled, refused] = [(); 5].map(|()| sender.clone());
    let builder = Server::builder().on_error(move |error| {
        assert!(matches!(&error.kind, HandlerErrorKind::Refused(_)), "{error}");
        let _ = refused.send(format!("refused {}: {}", error.event, error.kind));
    });
    let server = TestServer::start(builder).await;
    server
        .io
        .on("add", move |_: ServerSocket, (a, b): (u32, u32)| {
            let _ = handled.send("handled".to_owned());
            async move { Ack(a + b) }
        })
        .on_any(move |_: ServerSocket, event: String, _: Args| {
            let _ = any.send(format!("any {event}"));
            async {}
        })
        .use_event(move |_: ServerSocket, event: String, args: Args| {
            let _ = all.send(format!("all {event}"));
            async move {
                if event != "add" {
                    return Ok(());
                }
                let (a, b): (u32, u32) = args.decode().map_err(|error| error.to_string())?;
                if a > b { Err("too large".to_owned()) } else { Ok(()) }
            }
        })
        .on_connect(move |socket: ServerSocket| {
            let own = own.clone();
            socket.use_event(move |_: ServerSocket, event: String, _: Args| {
                let _ = own.send(format!("own {event}"));
                async { Ok::<_, String>(()) }
            });
            async {}
        });
    let url = format!("http://{}", server.address);
    let client = in_time("connect", Client::builder(url).connect()).await.expect("it connects");
    let sum = client.emit_with_ack::<u32>("add", &(1, 2), PATIENCE).await.expect("an answer");
    assert_eq!(sum, 3);
    let refused = client.emit_with_ack::<u32>("add", &(2, 1), Duration::from_millis(1)).await;
    assert!(matches!(refused, Err(AckError::TimedOut)), "{refused:?}");
    let sum = client.emit_with_ack::<u32>("add", &(2, 2), PATIENCE).await.expect("an answer");
    assert_eq!(sum, 4);
    let mut order = Vec::new();
    while let Ok(what) = seen.try_recv() {
        order.push(what);
    }
    let passed = ["any add", "all add", "own add", "handled"];
    let refused = ["any add", "all add", "refused add: event was refused: too large"];
    let expected: Vec<_> = passed.iter().chain(&refused).chain(&passed).copied().collect();
    assert_eq!(order, expected);
    drop(client);
    server.finish().await;
}

#[tokio::test]
async fn a_handler_for_once_is_not_used_up_by_an_event_that_was_refused() {
    let server = TestServer::start(Server::builder().on_error(|_| {})).await;
    server.io.on_connect(async |socket: ServerSocket| {
        socket.once("say", async |_: ServerSocket, number: u32| Ack(number));
        socket.use_event(async |_: ServerSocket, event: String, args: Args| {
            let is_refused = event == "say" && args.decode::<u32>().is_ok_and(|number| number == 0);
            if is_refused { Err("no") } else { Ok(()) }
        });
    });
    let url = format!("http://{}", server.address);
    let client = in_time("connect", Client::builder(url).connect()).await.expect("it connects");
    client.emit("say", &0).expect("connected");
    let answer = client.emit_with_ack::<u32>("say", &1, PATIENCE).await.expect("an answer");
    assert_eq!(answer, 1);
    drop(client);
    server.finish().await;
}
