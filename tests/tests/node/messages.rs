//! Events, acknowledgements, binary data.

use std::time::Duration;

use bytes::Bytes;
use sansocket_tests::client::{PATIENCE, in_time};
use sansocket_tokio::client::Socket;
use sansocket_tokio::{Ack, AckError, Args, EmitError, Reply, Transport};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::server::Node;
use crate::Client;

const ALL: [&[Transport]; 3] =
    [&[Transport::Polling], &[Transport::WebSocket], &[Transport::Polling, Transport::WebSocket]];

#[tokio::test]
async fn json_and_binary_both_ways_on_each_transport() {
    let node = Node::start(&[]);
    for transports in ALL {
        let (sender, mut received) = mpsc::unbounded_channel();
        let client = Client::builder(node.url(""))
            .transports(transports.iter().copied())
            .on("echo", move |_: Socket, args: (Value, Bytes, Vec<Bytes>)| {
                let sent = sender.send(args);
                async move { sent }
            })
            .connect()
            .await
            .expect("it connects");
        for size in [0, 1, 125, 126, 65_535, 65_536, 200_000] {
            let value = json!({ "text": "\u{0}\u{1f980}", "number": -1.5, "nested": [null, {}] });
            let data = Bytes::from((0..size).map(|byte| byte as u8).collect::<Vec<_>>());
            let args = (value, data, vec![Bytes::from_static(b"a"), Bytes::new()]);
            client.emit("echo", &args).expect("connected");
            assert_eq!(in_time("the echo", received.recv()).await.as_ref(), Some(&args), "{size}");
            let acknowledged: (Value, Bytes, Vec<Bytes>) =
                client.emit_with_ack("echo-ack", &args, PATIENCE).await.expect("an answer");
            assert_eq!(acknowledged, args, "{size}");
        }
        in_time("close", client.close()).await;
    }
}

#[tokio::test]
async fn the_server_asks_and_the_client_answers() {
    let node = Node::start(&[]);
    for transports in ALL {
        let client = Client::builder(node.url(""))
            .transports(transports.iter().copied())
            .on("sum", async |_: Socket, (a, b): (u32, u32)| Ack(a + b))
            .on("reverse", async |_: Socket, data: Bytes| {
                Ack(Bytes::from(data.iter().rev().copied().collect::<Vec<_>>()))
            })
            .on("later", async |_: Socket, (): (), reply: Reply| {
                std::thread::spawn(move || reply.send("done"));
            })
            .connect()
            .await
            .expect("it connects");
        let sum: u32 = client.emit_with_ack("ask", &("sum", (2, 3)), PATIENCE).await.expect("sum");
        assert_eq!(sum, 5);
        let ask = ("reverse", [Bytes::from_static(&[1, 2, 255])]);
        let reversed: Bytes = client.emit_with_ack("ask", &ask, PATIENCE).await.expect("data");
        assert_eq!(&reversed[..], [255, 2, 1]);
        let ask: (&str, [u32; 0]) = ("later", []);
        let done: String = client.emit_with_ack("ask", &ask, PATIENCE).await.expect("a text");
        assert_eq!(done, "done");
        in_time("close", client.close()).await;
    }
}

#[tokio::test]
async fn what_is_not_answered_times_out() {
    let node = Node::start(&[]);
    let client = Client::builder(node.url("")).connect().await.expect("it connects");
    let none = client.timeout(Duration::from_millis(50)).emit_with_ack::<()>("ignore", &()).await;
    assert!(matches!(none, Err(AckError::TimedOut)), "{none:?}");
    let none = client.emit_with_ack::<()>("ignore", &(), PATIENCE);
    client.disconnect();
    assert!(matches!(none.await, Err(AckError::Disconnected)));
}

#[tokio::test]
async fn order_holds_in_both_directions_across_the_upgrade() {
    const COUNT: u32 = 3000;
    let node = Node::start(&[]);
    let (sender, mut received) = mpsc::unbounded_channel();
    let echoed = sender.clone();
    let client = Client::builder(node.url(""))
        .on("n", move |_: Socket, n: u32| {
            let sent = sender.send(("n", n));
            async move { sent }
        })
        .on("echo", move |_: Socket, n: u32| {
            let sent = echoed.send(("echo", n));
            async move { sent }
        })
        .start()
        .expect("settings");
    client.emit("burst", &COUNT).expect("there is room");
    for n in 0..COUNT {
        client.emit("echo", &n).expect("there is room");
        if n % 50 == 0 {
            tokio::task::yield_now().await;
        }
    }
    let (mut burst, mut echoes) = (0, 0);
    while burst + echoes < 2 * COUNT {
        match in_time("an event", received.recv()).await.expect("the client is there") {
            ("n", n) => {
                assert_eq!(n, burst);
                burst += 1;
            }
            (_, n) => {
                assert_eq!(n, echoes);
                echoes += 1;
            }
        }
    }
    in_time("close", client.close()).await;
}

#[tokio::test]
async fn a_catch_all_sees_what_nobody_else_handles() {
    let node = Node::start(&[]);
    let (sender, mut received) = mpsc::unbounded_channel();
    let client = Client::builder(node.url(""))
        .on_any(move |_: Socket, event: String, args: Args| {
            let sent = sender.send((event, args.decode::<(u32, String)>().ok()));
            async move { sent }
        })
        .connect()
        .await
        .expect("it connects");
    client.emit("echo", &(1, "a")).expect("connected");
    let seen = in_time("the event", received.recv()).await;
    assert_eq!(seen, Some(("echo".to_owned(), Some((1, "a".to_owned())))));
    in_time("close", client.close()).await;
}

#[tokio::test]
async fn what_the_server_would_not_take_is_refused_here() {
    let node = Node::start(&[]);
    let client = Client::builder(node.url("")).connect().await.expect("it connects");
    let large = "x".repeat(1_000_001);
    let refused = client.emit("echo", &large);
    assert_eq!(refused, Err(EmitError::TooLarge { limit: 1_000_000 }));
    let text: String = client.emit_with_ack("echo-ack", "x", PATIENCE).await.expect("an answer");
    assert_eq!(text, "x");
    in_time("close", client.close()).await;
}
