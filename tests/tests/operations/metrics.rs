//! The numbers of a server, as they are counted and as the crate `metrics` is told them.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, Key, KeyName, Metadata, Recorder, SharedString,
    Unit,
};
use sansocket_tests::client::{Polling, WebSocket, eventually};
use sansocket_tokio::{DisconnectReason, Server};

use crate::support::TestServer;

/// Keeps what it is told, by name and labels.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Numbers>>);

#[derive(Default)]
struct Numbers {
    values: BTreeMap<String, Arc<Value>>,
    units: BTreeMap<String, Option<Unit>>,
}

/// A whole number.
#[derive(Debug, Default)]
struct Value(AtomicU64);

impl CounterFn for Value {
    fn increment(&self, value: u64) {
        self.0.fetch_add(value, Ordering::SeqCst);
    }

    fn absolute(&self, value: u64) {
        self.0.store(value, Ordering::SeqCst);
    }
}

impl GaugeFn for Value {
    fn increment(&self, value: f64) {
        self.0.fetch_add(value as u64, Ordering::SeqCst);
    }

    fn decrement(&self, value: f64) {
        self.0.fetch_sub(value as u64, Ordering::SeqCst);
    }

    fn set(&self, value: f64) {
        self.0.store(value as u64, Ordering::SeqCst);
    }
}

impl Kept {
    fn with<R>(&self, act: impl FnOnce(&mut Numbers) -> R) -> R {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn value(&self, key: &Key) -> Arc<Value> {
        let labels = key.labels().map(|label| format!(" {}={}", label.key(), label.value()));
        let name = labels.fold(key.name().to_owned(), |name, label| name + &label);
        self.with(|numbers| numbers.values.entry(name).or_default().clone())
    }

    fn describe(&self, key: &KeyName, unit: Option<Unit>) {
        self.with(|numbers| numbers.units.insert(key.as_str().to_owned(), unit));
    }

    /// A number, without the part of its name that all have.
    fn get(&self, name: &str) -> Option<u64> {
        let name = format!("sansocket_{name}");
        self.with(|numbers| Some(numbers.values.get(&name)?.0.load(Ordering::SeqCst)))
    }
}

impl Recorder for Kept {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe(&key, unit);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe(&key, unit);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe(&key, unit);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.value(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.value(key))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_clients_do_is_counted() -> io::Result<()> {
    // Each shard counts the rooms that have members there.
    let server = TestServer::start(Server::builder().shards(1)).await;
    let kept = Kept::default();
    let report = || metrics::with_local_recorder(&kept, || server.io.report_metrics());
    report();
    assert_eq!(kept.get("sessions"), Some(0));
    assert_eq!(kept.get("events_received_total"), Some(0));
    let mut websocket = WebSocket::join(server.address).await?;
    let mut polling = Polling::open(server.address).await?;
    polling.join().await?;
    for _ in 0..3 {
        websocket.echo().await?;
    }
    polling.echo().await?;
    assert_eq!(server.io.emit("all", "text").map(|report| report.queued).ok(), Some(2));
    websocket.expect("42").await?;
    report();
    for (name, value) in [
        ("sessions", 2),
        ("sockets", 2),
        ("rooms", 2),
        ("pending_acks", 0),
        ("sessions_opened_total", 2),
        ("sockets_connected_total", 2),
        ("sockets_disconnected_total", 0),
        ("sessions_closed_total reason=transport close", 0),
        ("events_received_total", 4),
        ("events_sent_total", 2),
    ] {
        assert_eq!(kept.get(name), Some(value), "{name}");
    }
    // Two bytes of a WebSocket's header, and `42["all","text"]`: what the other one has not fetched.
    assert_eq!(kept.get("queued_bytes"), Some(18));
    websocket.close().await?;
    polling.post("41").await?;
    polling.post("1").await?;
    server.rests().await;
    report();
    for (name, value) in [
        ("sessions", 0),
        ("sockets", 0),
        ("rooms", 0),
        ("queued_bytes", 0),
        ("sessions_opened_total", 2),
        ("sockets_disconnected_total", 2),
        ("sessions_closed_total reason=transport close", 2),
        ("sessions_closed_total reason=ping timeout", 0),
        ("heartbeats_missed_total", 0),
    ] {
        assert_eq!(kept.get(name), Some(value), "{name}");
    }
    // The same numbers are there without the feature.
    let counters = server.io.counters();
    assert_eq!(counters.sessions_closed(DisconnectReason::TransportClose), 2);
    assert_eq!((counters.events_received, counters.events_sent), (4, 2));
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missed_heartbeat_is_counted() -> io::Result<()> {
    let short = Duration::from_millis(50);
    let builder = Server::builder().ping_interval(short).ping_timeout(short);
    let server = TestServer::start(builder).await;
    let client = WebSocket::join(server.address).await?;
    eventually("the ping timeout", || server.io.counters().heartbeats_missed() == 1).await;
    drop(client);
    server.rests().await;
    server.io.close(Duration::ZERO).await;
    server.finish_closed().await;
    Ok(())
}

/// The only test of its program that reports by itself, because there is one recorder for all.
#[tokio::test(flavor = "multi_thread")]
async fn reports_come_by_themselves() -> io::Result<()> {
    let kept = Kept::default();
    metrics::set_global_recorder(kept.clone())
        .map_err(|error| io::Error::other(error.to_string()))?;
    let builder = Server::builder().metrics(Duration::from_millis(10));
    let server = TestServer::start(builder).await;
    let mut client = WebSocket::join(server.address).await?;
    eventually("a report", || kept.get("sockets") == Some(1)).await;
    client.echo().await?;
    eventually("the next one", || kept.get("events_received_total") == Some(1)).await;
    client.close().await?;
    eventually("the last one", || kept.get("sockets") == Some(0)).await;
    kept.with(|numbers| {
        let described = |name: &str| {
            let name = name.split(' ').next().unwrap_or_default();
            numbers.units.get(name).is_some_and(Option::is_some)
        };
        assert!(numbers.values.keys().all(|name| described(name)), "{:?}", numbers.units);
        assert_eq!(numbers.units.get("sansocket_queued_bytes"), Some(&Some(Unit::Bytes)));
    });
    server.finish().await;
    Ok(())
}
