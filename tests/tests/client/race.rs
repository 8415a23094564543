//! Clients that ask for one dynamic namespace, each on a thread of its own. On tokio alone: other
//! runtimes may have but one thread, which these block.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use sansocket_tests::client::{PATIENCE, eventually, in_time};
use sansocket_tokio::client::ConnectError;
use sansocket_tokio::{Ack, Server, Socket as ServerSocket};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, block_in_place};

use crate::Client;
use crate::support::TestServer;

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn nobody_gets_in_while_the_hook_runs() {
    let server = TestServer::start(Server::builder().shards(4)).await;
    let decisions = Arc::new(Semaphore::new(0));
    let (asked, decided) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counters = (decisions.clone(), asked.clone(), decided.clone());
    server.io.of_dynamic(move |_| {
        let (decisions, asked, decided) = counters.clone();
        async move {
            asked.fetch_add(1, Ordering::SeqCst);
            let is_open = decisions.acquire().await.is_ok();
            decided.fetch_add(1, Ordering::SeqCst);
            is_open
        }
    });
    let (release, released) = std::sync::mpsc::channel::<()>();
    let (released, hooks) = (Mutex::new(released), Arc::new(AtomicUsize::new(0)));
    let counter = hooks.clone();
    server.io.on_new_namespace(move |namespace| {
        counter.fetch_add(1, Ordering::SeqCst);
        block_in_place(|| released.lock().expect("no panic").recv()).expect("the test goes on");
        namespace.on("name", async |_: ServerSocket, (): ()| Ack("hook"));
    });
    let mut clients = vec![ask(&server), ask(&server)];
    eventually("both have asked", || asked.load(Ordering::SeqCst) == 2).await;
    decisions.add_permits(2);
    // One of them makes the namespace. The other finds it, and a third one finds it at once.
    eventually("both may", || decided.load(Ordering::SeqCst) == 2).await;
    eventually("the hook runs", || hooks.load(Ordering::SeqCst) > 0).await;
    clients.push(ask(&server));
    let stats = || server.io.stats();
    let has_come = || stats().namespace_requests == 3 || stats().sockets > 0;
    eventually("the third has come", has_come).await;
    assert_eq!((stats().namespace_requests, stats().sockets), (3, 0), "someone is in");
    release.send(()).expect("the hook waits");
    for client in clients {
        let name = in_time("answer", client).await.expect("no panic").expect("let in");
        assert_eq!(name.as_deref(), Some("hook"));
    }
    assert_eq!((asked.load(Ordering::SeqCst), hooks.load(Ordering::SeqCst)), (2, 1));
    server.finish().await;
}

/// A client of the namespace, and what it is answered there.
fn ask(server: &TestServer) -> JoinHandle<Result<Option<String>, ConnectError>> {
    let url = format!("http://{}/new", server.address);
    tokio::spawn(async move {
        let client = Client::builder(url).connect().await?;
        Ok(client.emit_with_ack("name", &(), PATIENCE).await.ok())
    })
}
