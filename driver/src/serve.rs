//! Serving streams.

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::rt::{Read, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;

use crate::app::Io;
use crate::http::{Peer, serve, serve_embedded};
use crate::inner::Inner;
use crate::runtime::HyperTimer;

/// A request's line and headers beyond this are answered with 431.
const HEADER_BYTES: usize = 32 << 10;

/// What hyper may buffer of a connection.
const BUFFER_BYTES: usize = 64 << 10;

impl Io {
    /// Serves HTTP/1.1 on a stream, until it is closed or has become a WebSocket, whose session
    /// goes on by itself. Runtime crates call this for each stream that they accept; whatever else
    /// is a stream (TLS, a Unix socket) is served by it as well.
    ///
    /// `peer` is what [`Handshake::peer`](crate::Handshake::peer) shows, `secure` whether the stream
    /// is encrypted.
    pub fn serve_connection<S>(
        &self,
        stream: S,
        peer: Option<SocketAddr>,
        secure: bool,
    ) -> impl Future<Output = ()> + Send + 'static
    where
        S: Read + Write + Unpin + Send + 'static,
    {
        serve_connection(self.inner.clone(), stream, Peer { address: peer, secure })
    }

    /// Serves one request that somebody else's HTTP server has received, and that is for this
    /// server: its path is not looked at. For plain hyper, or a framework that is built on it.
    ///
    /// WebSockets need hyper's upgrade: its `OnUpgrade` among the request's extensions, which a
    /// connection with upgrades (`with_upgrades`) puts there. Without it, and with HTTP/2, which has
    /// none, clients stay on polling. A [`Peer`] among the extensions says where the request comes
    /// from.
    ///
    /// Dropping the future means that the client has gone. [`close`](Self::close) answers the
    /// requests that wait, so a graceful shutdown of the HTTP server that begins with it is a short
    /// one.
    pub fn serve_request<B>(
        &self,
        request: http::Request<B>,
    ) -> impl Future<Output = http::Response<Full<Bytes>>> + Send + 'static
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
    {
        serve_embedded(self.inner.clone(), request)
    }

    /// Whether a request with this path is for this server: what is to be handed to
    /// [`serve_request`](Self::serve_request) by who does not route by other means.
    pub fn serves_path(&self, path: &str) -> bool {
        self.inner.settings.covers(path)
    }

    /// Ends the server: new sessions are refused, sockets are told `server shutting down`, what is
    /// queued for WebSockets is still sent. Resolves when every session has gone, or at the
    /// deadline, when what is left is dropped with its streams. Accept loops end at once.
    ///
    /// Polling clients whose GET waits are told by its answer; others find nobody any more.
    pub async fn close(&self, deadline: Duration) {
        let inner = self.inner.clone();
        let mut sleep = inner.runtime.sleep_until(inner.now() + deadline);
        let mut shut_down = pin!(inner.shut_down());
        poll_fn(|cx| match shut_down.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(()),
            Poll::Pending => sleep.as_mut().poll(cx),
        })
        .await;
        inner.abort();
    }

    /// Resolves when [`close`](Self::close) is called. For accept loops.
    pub fn closed(&self) -> impl Future<Output = ()> + Send + 'static {
        let inner = self.inner.clone();
        async move { inner.shutdown.wait().await }
    }
}

async fn serve_connection<S>(inner: Arc<Inner>, stream: S, peer: Peer)
where
    S: Read + Write + Unpin + Send + 'static,
{
    let service = {
        let inner = inner.clone();
        service_fn(move |request| serve(inner.clone(), peer, request))
    };
    let connection = http1::Builder::new()
        .timer(HyperTimer::new(&inner.runtime))
        .header_read_timeout(inner.settings.header_timeout)
        .max_header_size(HEADER_BYTES)
        .max_buf_size(BUFFER_BYTES)
        // One contiguous write is cheaper than a vectored one for bodies of this size.
        .writev(false)
        .serve_connection(stream, service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let result = {
        let mut shutdown = pin!(inner.shutdown.wait());
        let mut aborted = pin!(inner.aborted.wait());
        let mut is_shutting_down = false;
        poll_fn(|cx| {
            if !is_shutting_down && shutdown.as_mut().poll(cx).is_ready() {
                is_shutting_down = true;
                connection.as_mut().graceful_shutdown();
            }
            // The connection first: the last answer may have become ready together with the end.
            let result = connection.as_mut().poll(cx);
            if result.is_pending() && is_shutting_down && aborted.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(()));
            }
            result
        })
        .await
    };
    if let Err(error) = result {
        tracing::debug!(%error, "connection failed");
    }
}
