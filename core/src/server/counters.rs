//! What has happened, in numbers.

use crate::DisconnectReason;

/// What a [`Server`](crate::Server) has counted since it was made. The numbers only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Sessions that were opened.
    pub sessions_opened: u64,
    /// Sessions that have ended, by the reason's place in the enum.
    sessions_closed: [u64; DisconnectReason::COUNT],
    /// Sockets that were let in to a namespace.
    pub sockets_connected: u64,
    /// Sockets that had been let in and are no longer connected.
    pub sockets_disconnected: u64,
    /// Events that clients have sent and that were passed on to the application.
    pub events_received: u64,
    /// Events that were queued for clients, once for each recipient.
    pub events_sent: u64,
    /// Volatile events that were not sent, because the transport was not ready, once for each
    /// recipient.
    pub events_dropped: u64,
    /// Events of clients that were dropped because they exceeded a [`RateLimit`](crate::RateLimit).
    pub rate_dropped: u64,
    /// How often a connection was not read from, because it had exceeded one.
    pub rate_delayed: u64,
    /// Sockets and connections that were disconnected because they exceeded one.
    pub rate_disconnected: u64,
}

impl Counters {
    /// Sessions that have ended for that reason.
    pub fn sessions_closed(&self, reason: DisconnectReason) -> u64 {
        self.sessions_closed.get(reason as usize).copied().unwrap_or_default()
    }

    /// Sessions that have ended because the client did not answer a ping in time, or in Engine.IO 3
    /// did not ping.
    pub fn heartbeats_missed(&self) -> u64 {
        self.sessions_closed(DisconnectReason::PingTimeout)
    }

    pub(super) fn count_closed(&mut self, reason: DisconnectReason) {
        if let Some(count) = self.sessions_closed.get_mut(reason as usize) {
            *count += 1;
        }
    }

    /// Adds what another shard has counted.
    pub fn add(&mut self, other: &Self) {
        self.combine(other, |own, other| own + other);
    }

    /// What was counted since `earlier`.
    #[must_use]
    pub fn since(mut self, earlier: &Self) -> Self {
        self.combine(earlier, u64::saturating_sub);
        self
    }

    fn combine(&mut self, other: &Self, combine: impl Fn(u64, u64) -> u64) {
        // Named one by one, so that a new one is not forgotten.
        let Self {
            sessions_opened,
            sessions_closed,
            sockets_connected,
            sockets_disconnected,
            events_received,
            events_sent,
            events_dropped,
            rate_dropped,
            rate_delayed,
            rate_disconnected,
        } = other;
        let pairs = [
            (&mut self.sessions_opened, sessions_opened),
            (&mut self.sockets_connected, sockets_connected),
            (&mut self.sockets_disconnected, sockets_disconnected),
            (&mut self.events_received, events_received),
            (&mut self.events_sent, events_sent),
            (&mut self.events_dropped, events_dropped),
            (&mut self.rate_dropped, rate_dropped),
            (&mut self.rate_delayed, rate_delayed),
            (&mut self.rate_disconnected, rate_disconnected),
        ];
        for (own, other) in
            pairs.into_iter().chain(self.sessions_closed.iter_mut().zip(sessions_closed))
        {
            *own = combine(*own, *other);
        }
    }
}
