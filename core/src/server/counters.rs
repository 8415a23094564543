//! What has happened, in numbers.

/// What a [`Server`](crate::Server) has counted since it was made. The numbers only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Events that clients have sent and that were passed on to the application.
    pub events_received: u64,
    /// Events that were dropped because they exceeded a [`RateLimit`](crate::RateLimit).
    pub rate_dropped: u64,
    /// How often a connection was not read from, because it had exceeded one.
    pub rate_delayed: u64,
    /// Sockets and connections that were disconnected because they exceeded one.
    pub rate_disconnected: u64,
}

impl Counters {
    /// Adds what another shard has counted.
    pub fn add(&mut self, other: &Self) {
        self.events_received += other.events_received;
        self.rate_dropped += other.rate_dropped;
        self.rate_delayed += other.rate_delayed;
        self.rate_disconnected += other.rate_disconnected;
    }
}
