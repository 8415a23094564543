//! What is left of clients: no task, and nothing on the server. Tasks are counted, and panics
//! contained, on tokio alone.

use sansocket_tests::client::{PATIENCE, eventually, in_time};
use sansocket_tokio::client::{ConnectError, Socket};
use sansocket_tokio::{AckError, EmitError, Server, Socket as ServerSocket, Transport};
use tokio::runtime::Handle;

use crate::Client;
use crate::support::TestServer;

#[tokio::test]
async fn clients_leave_no_tasks() {
    let server = TestServer::start(Server::builder()).await;
    let url = format!("http://{}", server.address);
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let transports = [
        vec![Transport::Polling],
        vec![Transport::WebSocket],
        vec![Transport::Polling, Transport::WebSocket],
    ];
    // The server's own, and its first sessions'.
    let client = Client::builder(&url).connect().await.expect("it connects");
    in_time("close", client.close()).await;
    server.rests().await;
    eventually("the first has gone", || tasks() <= 3).await;
    let before = tasks();
    for round in 0..300 {
        let client = Client::builder(&url).transports(transports[round % 3].clone());
        // Dropped at each stage: before anything was sent, while it connects, connected, closed.
        match round / 3 % 4 {
            0 => drop(client.start().expect("settings")),
            1 => {
                let client = client.start().expect("settings");
                for _ in 0..round / 12 {
                    tokio::task::yield_now().await;
                }
                drop(client);
            }
            2 => {
                let client = in_time("connect", client.connect()).await.expect("it connects");
                let pending = client.emit_with_ack::<()>("wait", &(), PATIENCE);
                drop((client, pending));
            }
            _ => {
                let client = in_time("connect", client.connect()).await.expect("it connects");
                in_time("close", client.close()).await;
            }
        }
    }
    server.gate.close();
    server.rests().await;
    eventually("all tasks have ended", || tasks() <= before).await;
    server.finish().await;
}

#[tokio::test]
async fn a_handler_that_panics_ends_its_connection_alone() {
    let server = TestServer::start(Server::builder()).await;
    server.io.on("begin", async |socket: ServerSocket, (): ()| socket.emit("go", &()));
    let url = format!("http://{}", server.address);
    let (client, mut events) = Client::builder(&url)
        .on("go", async |socket: Socket, (): ()| assert!(!socket.connected(), "on purpose"))
        .connect_with_events()
        .await
        .expect("it connects");
    let other = Client::builder(&url).connect().await.expect("it connects");
    let pending = client.emit_with_ack::<()>("nobody", &(), PATIENCE);
    client.emit("begin", &()).expect("connected");
    assert!(matches!(in_time("the end", pending).await, Err(AckError::Disconnected)));
    while in_time("the end of the events", events.next()).await.is_some() {}
    assert!(!client.connected());
    assert_eq!(client.emit("begin", &()), Err(EmitError::NotConnected));
    assert!(matches!(client.ready().await, Err(ConnectError::Closed)));
    in_time("close", client.close()).await;
    let echo: String = other.emit_with_ack("echo", "x", PATIENCE).await.expect("an answer");
    assert_eq!(echo, "x");
    in_time("close", other.close()).await;
    server.finish().await;
}
