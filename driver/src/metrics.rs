//! What a server does, in numbers, for whoever collects them by the crate `metrics`.
//!
//! Nothing is reported while something happens: the shards count by themselves, under the locks that
//! they hold anyway, and a report reads what they have counted.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};
use sansocket_core::{Counters, DisconnectReason, Stats};

use crate::app::Io;
use crate::inner::Inner;
use crate::runtime::Sleep;

const SESSIONS: &str = "sansocket_sessions";
const SOCKETS: &str = "sansocket_sockets";
const ROOMS: &str = "sansocket_rooms";
const PENDING_ACKS: &str = "sansocket_pending_acks";
const QUEUED_BYTES: &str = "sansocket_queued_bytes";
const SESSIONS_OPENED: &str = "sansocket_sessions_opened_total";
const SESSIONS_CLOSED: &str = "sansocket_sessions_closed_total";
const HEARTBEATS_MISSED: &str = "sansocket_heartbeats_missed_total";
const SOCKETS_CONNECTED: &str = "sansocket_sockets_connected_total";
const SOCKETS_DISCONNECTED: &str = "sansocket_sockets_disconnected_total";
const EVENTS_RECEIVED: &str = "sansocket_events_received_total";
const EVENTS_SENT: &str = "sansocket_events_sent_total";
const EVENTS_DROPPED: &str = "sansocket_events_dropped_total";
const RATE_DROPPED: &str = "sansocket_rate_dropped_total";
const RATE_DELAYED: &str = "sansocket_rate_delayed_total";
const RATE_DISCONNECTED: &str = "sansocket_rate_disconnected_total";

/// What was counted up to the last report.
#[derive(Default)]
pub(crate) struct Reported(Mutex<Counters>);

impl Io {
    /// Gives the numbers of this moment to the recorder of the crate `metrics`. Behind the feature
    /// `metrics`.
    ///
    /// | name | kind | unit | |
    /// | --- | --- | --- | --- |
    /// | `sansocket_sessions` | gauge | count | Engine.IO sessions |
    /// | `sansocket_sockets` | gauge | count | sockets that are connected or asked to be |
    /// | `sansocket_rooms` | gauge | count | rooms that have members, once in each shard; the sockets' own not counted |
    /// | `sansocket_pending_acks` | gauge | count | acknowledgements that clients owe |
    /// | `sansocket_queued_bytes` | gauge | bytes | what waits to be sent |
    /// | `sansocket_sessions_opened_total` | counter | count | |
    /// | `sansocket_sessions_closed_total` | counter | count | with the label `reason`: the words of [`DisconnectReason::as_str`] |
    /// | `sansocket_heartbeats_missed_total` | counter | count | sessions whose client did not answer a ping in time |
    /// | `sansocket_sockets_connected_total`, `sansocket_sockets_disconnected_total` | counter | count | |
    /// | `sansocket_events_received_total` | counter | count | events of clients |
    /// | `sansocket_events_sent_total` | counter | count | events for clients, once for each recipient |
    /// | `sansocket_events_dropped_total` | counter | count | volatile events that were not sent |
    /// | `sansocket_rate_dropped_total`, `sansocket_rate_delayed_total`, `sansocket_rate_disconnected_total` | counter | count | what exceeded a [`RateLimit`](crate::RateLimit) |
    ///
    /// Counters count from the first report, which has all that was counted before. They are the
    /// numbers of [`stats`](Self::stats) and [`counters`](Self::counters). Takes time in proportion
    /// to the number of connections. Several servers in one process use the same names, so only one
    /// of them should report to a recorder.
    pub fn report_metrics(&self) {
        report(self);
    }
}

fn report(io: &Io) {
    let Stats { sessions, sockets, rooms, pending_acks, outbox_bytes, .. } = io.stats();
    for (name, value) in [
        (SESSIONS, sessions),
        (SOCKETS, sockets),
        (ROOMS, rooms),
        (PENDING_ACKS, pending_acks),
        (QUEUED_BYTES, outbox_bytes),
    ] {
        gauge!(name).set(value as f64);
    }
    // Reports one after the other, so that each has what the others have not.
    let mut reported = io.inner.reported.0.lock().unwrap_or_else(PoisonError::into_inner);
    let counters = io.counters();
    let news = counters.since(&reported);
    for (name, count) in [
        (SESSIONS_OPENED, news.sessions_opened),
        (HEARTBEATS_MISSED, news.heartbeats_missed()),
        (SOCKETS_CONNECTED, news.sockets_connected),
        (SOCKETS_DISCONNECTED, news.sockets_disconnected),
        (EVENTS_RECEIVED, news.events_received),
        (EVENTS_SENT, news.events_sent),
        (EVENTS_DROPPED, news.events_dropped),
        (RATE_DROPPED, news.rate_dropped),
        (RATE_DELAYED, news.rate_delayed),
        (RATE_DISCONNECTED, news.rate_disconnected),
    ] {
        counter!(name).increment(count);
    }
    for reason in DisconnectReason::all() {
        counter!(SESSIONS_CLOSED, "reason" => reason.as_str())
            .increment(news.sessions_closed(reason));
    }
    *reported = counters;
}

/// Says what the names mean.
fn describe() {
    let gauges = [
        (SESSIONS, Unit::Count, "Engine.IO sessions"),
        (SOCKETS, Unit::Count, "sockets that are connected or asked to be"),
        (
            ROOMS,
            Unit::Count,
            "rooms that have members, in each shard; the sockets' own not counted",
        ),
        (PENDING_ACKS, Unit::Count, "acknowledgements that clients owe"),
        (QUEUED_BYTES, Unit::Bytes, "bytes that wait to be sent"),
    ];
    for (name, unit, description) in gauges {
        describe_gauge!(name, unit, description);
    }
    for (name, description) in [
        (SESSIONS_OPENED, "sessions that were opened"),
        (SESSIONS_CLOSED, "sessions that have ended, by reason"),
        (HEARTBEATS_MISSED, "sessions whose client did not answer a ping in time"),
        (SOCKETS_CONNECTED, "sockets that were let in to a namespace"),
        (SOCKETS_DISCONNECTED, "sockets that are no longer connected"),
        (EVENTS_RECEIVED, "events of clients"),
        (EVENTS_SENT, "events for clients, once for each recipient"),
        (EVENTS_DROPPED, "volatile events that were not sent"),
        (RATE_DROPPED, "events of clients that were dropped, beyond a rate limit"),
        (RATE_DELAYED, "times that a client was not read from, beyond a rate limit"),
        (RATE_DISCONNECTED, "sockets and connections that were ended, beyond a rate limit"),
    ] {
        describe_counter!(name, Unit::Count, description);
    }
}

/// Reports again and again. Ends with the server, or at the report after it was closed.
pub(crate) struct Reporter {
    inner: Weak<Inner>,
    interval: std::time::Duration,
    sleep: Option<Pin<Box<dyn Sleep>>>,
}

impl Reporter {
    pub(crate) fn new(inner: &Arc<Inner>, interval: std::time::Duration) -> Self {
        Self { inner: Arc::downgrade(inner), interval, sleep: None }
    }
}

impl Future for Reporter {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if this.sleep.is_none() {
            describe();
        }
        loop {
            if let Some(sleep) = &mut this.sleep
                && sleep.as_mut().poll(cx).is_pending()
            {
                return Poll::Pending;
            }
            let Some(inner) = this.inner.upgrade() else { return Poll::Ready(()) };
            report(&Io::new(&inner));
            if inner.aborted.is_set() {
                return Poll::Ready(());
            }
            this.sleep = Some(inner.runtime.sleep_until(inner.now() + this.interval));
        }
    }
}
