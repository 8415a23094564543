//! What those who run a server want of it.

use sansocket_core::{ExceededRate, RateLimit};

use crate::Socket;

use super::Builder;

/// Operation.
impl<S> Builder<S> {
    /// How much each socket may send: events in a second, bytes in a second. Nothing is limited by
    /// default. What happens to what is too much is the limit's [`Excess`](crate::Excess).
    ///
    /// A client that connects again begins anew, so this does not replace a limit of connections.
    /// Heartbeats, acknowledgements and requests to join are not counted.
    ///
    /// ```
    /// # use sansocket_driver::{Excess, Io, Rate, RateLimit};
    /// let limit = RateLimit::new()
    ///     .events(Rate::per_second(50).burst(200))
    ///     .bytes(Rate::per_second(64 << 10).burst(1 << 20))
    ///     .excess(Excess::Delay);
    /// let builder = Io::builder().socket_rate(limit);
    /// ```
    pub fn socket_rate(mut self, limit: RateLimit) -> Self {
        self.config.socket_rate = Some(limit);
        self
    }

    /// How much each connection may send, all its sockets together, beside
    /// [`socket_rate`](Self::socket_rate).
    pub fn connection_rate(mut self, limit: RateLimit) -> Self {
        self.config.connection_rate = Some(limit);
        self
    }

    /// Called when a client has sent more than it may: once for each row of events that are too
    /// much, after the first of them was dealt with as [`Excess`](crate::Excess) says. It must not
    /// take long. It may do more about the socket, such as disconnect it.
    pub fn on_rate_exceeded(
        mut self,
        hook: impl Fn(&Socket, ExceededRate) + Send + Sync + 'static,
    ) -> Self {
        self.hooks.rate = Some(Box::new(hook));
        self
    }
}
