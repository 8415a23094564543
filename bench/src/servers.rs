//! The server that benchmarks measure, as far as it is the same on every runtime: a handful of
//! events, answered as fast as the library can.
//!
//! Settings come from the environment: `PORT` (3000), `PING_INTERVAL` (25000) and `PING_TIMEOUT`
//! (20000) in milliseconds, `THREADS` (1; other runtimes than tokio have variables of their own),
//! `SHARDS` (as many as threads), and `DATA`: `raw` takes payloads as checked but undecoded JSON,
//! `value` (the default) as a `serde_json::Value`.

use std::env;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use sansocket_driver::{Ack, Builder, Io, Namespace, Raw, Socket};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// How many threads are to run tasks.
pub fn threads() -> usize {
    setting("THREADS", 1)
}

/// Where to listen.
pub fn address() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, setting("PORT", 3_000)).into()
}

/// A builder with the settings of the environment.
pub fn configure<S>(builder: Builder<S>) -> Builder<S> {
    builder
        .ping_interval(Duration::from_millis(setting("PING_INTERVAL", 25_000)))
        .ping_timeout(Duration::from_millis(setting("PING_TIMEOUT", 20_000)))
        .shards(setting("SHARDS", threads()))
}

/// Registers the handlers.
pub fn install(io: &Io) {
    let namespace = io.of("/");
    match env::var("DATA").as_deref() {
        Ok("raw") => handle::<Raw>(&namespace),
        _ => handle::<Value>(&namespace),
    }
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
