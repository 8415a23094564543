//! The server that benchmarks measure: a handful of events, answered as fast as the library can.
//!
//! Settings come from the environment: `PORT` (3000), `PING_INTERVAL` (25000) and `PING_TIMEOUT`
//! (20000) in milliseconds, `THREADS` (1; with 1, tokio's current-thread runtime), `SHARDS` (as
//! many as threads), and `DATA`: `raw` takes payloads as checked but undecoded JSON, `value` (the
//! default) as a `serde_json::Value`.

use std::env;
use std::io;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use sansocket_tokio::{Ack, Namespace, Raw, Server, Socket};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

fn main() -> io::Result<()> {
    let runtime = match setting("THREADS", 1) {
        1 => tokio::runtime::Builder::new_current_thread().enable_all().build(),
        threads => {
            let mut runtime = tokio::runtime::Builder::new_multi_thread();
            runtime.worker_threads(threads).enable_all().build()
        }
    };
    runtime?.block_on(serve())
}

async fn serve() -> io::Result<()> {
    let server = Server::builder()
        .ping_interval(Duration::from_millis(setting("PING_INTERVAL", 25_000)))
        .ping_timeout(Duration::from_millis(setting("PING_TIMEOUT", 20_000)))
        .shards(setting("SHARDS", setting("THREADS", 1)))
        .build()?;
    let namespace = server.of("/");
    match env::var("DATA").as_deref() {
        Ok("raw") => handle::<Raw>(&namespace),
        _ => handle::<Value>(&namespace),
    }
    server.listen(("127.0.0.1", setting("PORT", 3_000))).await
}

/// The events of the contract, with payloads taken as a `T`.
fn handle<T: Serialize + DeserializeOwned + Send + Sync + 'static>(namespace: &Namespace) {
    namespace
        .on_connect(async |socket: Socket| socket.join("bench"))
        .on("echo", async |_: Socket, payload: T| Ack(payload))
        .on("event-echo", async |socket: Socket, payload: T| socket.emit("event-echo", &payload))
        .on("join", async |socket: Socket, room: String| socket.join(&room).map(|()| Ack(room)))
        .on("broadcast", async |socket: Socket, payload: T| {
            socket.server().to("bench").emit("broadcast", &payload)
        })
        .on("room-msg", async |socket: Socket, (room, payload): (String, T)| {
            socket.server().to(&room).emit("room-msg", &payload)
        })
        .on("bin", async |socket: Socket, bytes: Bytes| socket.emit("bin", &bytes));
}

fn setting<T: FromStr>(name: &str, fallback: T) -> T {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(fallback)
}
