//! Accepting connections.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use hyper::rt::{Read, Write};

use crate::app::Io;

/// How long to wait after a failed accept. Typically the process is out of file descriptors, and
/// asking again at once would only burn the processor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// For runtimes' crates.
impl Io {
    /// Calls `accept` for one connection after the other, and runs what `serve` makes of each as a
    /// task of its own, until the server is closed.
    ///
    /// A connection that fails to be accepted does not end it.
    pub async fn serve_incoming<Connection, Accept, Serve>(
        &self,
        mut accept: impl FnMut() -> Accept,
        mut serve: impl FnMut(Connection) -> Serve,
    ) where
        Accept: Future<Output = io::Result<Connection>>,
        Serve: Future<Output = ()> + Send + 'static,
    {
        let runtime = &self.inner.runtime;
        let mut closed = pin!(self.closed());
        loop {
            let mut accepting = pin!(accept());
            let accepted = poll_fn(|cx| match closed.as_mut().poll(cx) {
                Poll::Ready(()) => Poll::Ready(None),
                Poll::Pending => accepting.as_mut().poll(cx).map(Some),
            });
            match accepted.await {
                None => return,
                Some(Ok(connection)) => runtime.spawn(Box::pin(serve(connection))),
                Some(Err(error)) if is_of_one_connection(&error) => {}
                Some(Err(error)) => {
                    tracing::warn!(%error, "accept failed");
                    runtime.sleep_until(runtime.now() + ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// As [`serve_connection`](Self::serve_connection), on the stream that `handshake` results in:
    /// that of TLS, for example. It may take no longer than the header of a request, and ends with
    /// the server.
    pub fn serve_after<S>(
        &self,
        handshake: impl Future<Output = io::Result<S>> + Send + 'static,
        peer: Option<SocketAddr>,
        secure: bool,
    ) -> impl Future<Output = ()> + Send + 'static
    where
        S: Read + Write + Unpin + Send + 'static,
    {
        let io = self.clone();
        async move {
            match io.in_header_time(Box::pin(handshake)).await {
                Ok(stream) => io.serve_connection(stream, peer, secure).await,
                Err(error) => tracing::debug!(%error, "handshake failed"),
            }
        }
    }

    /// What `handshake` results in, unless it takes too long or the server is closed.
    async fn in_header_time<S>(
        &self,
        mut handshake: Pin<Box<impl Future<Output = io::Result<S>>>>,
    ) -> io::Result<S> {
        let inner = &self.inner;
        let deadline = inner.now() + inner.settings.header_timeout;
        let mut expired = inner.runtime.sleep_until(deadline);
        let mut closed = pin!(inner.shutdown.wait());
        poll_fn(|cx| {
            if let Poll::Ready(result) = handshake.as_mut().poll(cx) {
                return Poll::Ready(result);
            }
            if closed.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
            }
            expired.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
        })
        .await
    }
}

/// Whether a failure concerns only the connection that was being accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    )
}

#[cfg(test)]
mod tests;
