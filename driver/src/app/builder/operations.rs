//! What those who run a server want of it.

use std::future::Future;
use std::sync::Arc;

use http::request::Parts;
use sansocket_core::{ExceededRate, RateLimit, Sid};

use crate::Socket;

use super::Builder;

/// Operation.
impl<S> Builder<S> {
    /// Where the ids of sessions come from: the reference's `generateId`. By default they are random.
    ///
    /// The id is a secret by which a client is known, in each of its requests: whoever can guess it
    /// can act as that client. It has 20 characters, see [`Sid::parse`], some of which may say where
    /// a balancer is to find the session. It must be unique. A handshake whose id is taken, or for
    /// which there is none, is refused: 400, code 3, and `Refusal::SessionId` for
    /// [`on_connection_error`](Self::on_connection_error); a WebSocket whose id is taken is closed
    /// after its handshake. Ids of sockets are others and always random, except for clients of
    /// Engine.IO 3.
    ///
    /// It is asked after [`allow_request`](Self::allow_request).
    ///
    /// ```
    /// # use sansocket_driver::{Io, Sid};
    /// # fn random_text() -> String { "0123456789abcdef_".to_owned() }
    /// let builder = Io::builder().generate_id(async |_request| {
    ///     Sid::parse(&format!("eu1{}", random_text())).ok_or("no id")
    /// });
    /// ```
    pub fn generate_id<F, Fut, E>(mut self, generate: F) -> Self
    where
        F: Fn(Arc<Parts>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Sid, E>> + Send + 'static,
        E: Into<String> + 'static,
    {
        self.settings.generate_id = Some(Arc::new(move |request| {
            let id = generate(request);
            Box::pin(async move { id.await.map_err(Into::into) })
        }));
        self
    }

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

    /// Reports numbers to the recorder of the crate `metrics`, each time that so much time has
    /// passed, from the first session on: see [`Io::report_metrics`](crate::Io::report_metrics), which
    /// may also be called by whoever asks for them. At least a millisecond. Behind the feature
    /// `metrics`.
    #[cfg(feature = "metrics")]
    pub fn metrics(mut self, interval: std::time::Duration) -> Self {
        let least = std::time::Duration::from_millis(1);
        self.settings.metrics_interval = Some(interval.max(least));
        self
    }
}
