//! What the application has to say about each request.

use std::future::Future;

use http::HeaderMap;
use http::request::Parts;

use crate::http::{ConnectionError, Cookie, Interception};

use super::Builder;

/// HTTP requests and responses, one by one. Each of the hooks may be given several times, and they
/// run in that order. No lock is held meanwhile; those that are not asynchronous must not take long.
impl<S> Builder<S> {
    /// Sees every request to the server's path before Engine.IO does, and lets it through, answers
    /// it, or refuses it: what `io.engine.use` is in the reference.
    ///
    /// It is given the head of the request, and returns it, perhaps changed: what it puts among the
    /// extensions is found by [`Handshake::extension`](crate::Handshake::extension), if its type was
    /// named to [`extension`](Self::extension). Its error is an [`Interception`]: a response, which
    /// the client gets, or a text, which refuses the request with code 3.
    ///
    /// Other than [`allow_request`](Self::allow_request), it sees also the requests of sessions that
    /// there are, every GET and POST, so it costs something with each of them. The official client's
    /// files and the preflights of CORS are served before.
    ///
    /// ```
    /// # use bytes::Bytes;
    /// # use sansocket_driver::{Interception, Io};
    /// let builder = Io::builder().use_request(async |request| {
    ///     if request.uri.path().ends_with("/health") {
    ///         return Err(Interception::from(http::Response::new(Bytes::from("fine"))));
    ///     }
    ///     if request.headers.contains_key("x-forbidden") {
    ///         return Err("no".into());
    ///     }
    ///     Ok(request)
    /// });
    /// ```
    pub fn use_request<F, Fut, E>(mut self, middleware: F) -> Self
    where
        F: Fn(Parts) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Parts, E>> + Send + 'static,
        E: Into<Interception> + 'static,
    {
        self.settings.hooks.middlewares.push(Box::new(move |request| {
            let verdict = middleware(request);
            Box::pin(async move { verdict.await.map_err(Into::into) })
        }));
        self
    }

    /// Changes the headers of each response that opens a session: that to the first GET of a client
    /// on polling, and the 101 of a client that begins on a WebSocket. Before
    /// [`on_headers`](Self::on_headers), and after the [`cookie`](Self::cookie).
    ///
    /// Headers that describe the body, or the connection, are better left alone.
    pub fn on_initial_headers(
        mut self,
        hook: impl Fn(&mut HeaderMap, &Parts) + Send + Sync + 'static,
    ) -> Self {
        self.settings.hooks.initial_headers.push(Box::new(hook));
        self
    }

    /// Changes the headers of each response that serves a request: 200 to a GET or POST, and 101.
    /// Refusals and other errors are left as they are.
    pub fn on_headers(
        mut self,
        hook: impl Fn(&mut HeaderMap, &Parts) + Send + Sync + 'static,
    ) -> Self {
        self.settings.hooks.headers.push(Box::new(hook));
        self
    }

    /// Is told of each request that is refused with one of the protocol's codes, before it is
    /// answered: the event `connection_error` of the reference.
    pub fn on_connection_error(
        mut self,
        hook: impl Fn(&ConnectionError<'_>) + Send + Sync + 'static,
    ) -> Self {
        self.settings.hooks.connection_error.push(Box::new(hook));
        self
    }

    /// Sets a cookie with the session's id when a client opens a session on polling. None is set by
    /// default.
    pub fn cookie(mut self, cookie: &Cookie) -> Self {
        self.settings.cookie = cookie.prepare();
        self
    }
}
