//! Listening.

use std::future::{Future, poll_fn};
use std::io;
use std::ops::Deref;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use sansocket_driver::{Io, OnRuntime, Runtime};
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};

use crate::Tokio;

/// How long to wait after a failed accept. Typically the process is out of file descriptors, and
/// asking again at once would only burn the processor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A Socket.IO server on tokio. Cheap to clone; it can do whatever [`Io`] can, and listen.
#[derive(Clone)]
pub struct Server {
    io: Io,
}

/// The settings of a [`Server`].
pub type Builder = sansocket_driver::Builder<Server>;

impl Server {
    /// A server's settings, to begin with.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Accepts connections on a TCP address, until the server is closed.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on.
    pub async fn listen(&self, address: impl ToSocketAddrs) -> io::Result<()> {
        self.serve(TcpListener::bind(address).await?).await
    }

    /// Accepts connections from a listener, until the server is closed.
    ///
    /// # Errors
    ///
    /// None at present: a connection that fails to be accepted does not stop the server.
    pub async fn serve(&self, listener: TcpListener) -> io::Result<()> {
        let mut closed = pin!(self.io.closed());
        loop {
            let accepted = poll_fn(|cx| match closed.as_mut().poll(cx) {
                Poll::Ready(()) => Poll::Ready(None),
                Poll::Pending => listener.poll_accept(cx).map(Some),
            });
            match accepted.await {
                None => return Ok(()),
                Some(Ok((stream, peer))) => self.serve_tcp(stream, peer),
                Some(Err(error)) if is_of_one_connection(&error) => {}
                Some(Err(error)) => {
                    tracing::warn!(%error, "accept failed");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn serve_tcp(&self, stream: TcpStream, peer: std::net::SocketAddr) {
        // Packets are small and written as a whole; waiting for more only delays them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "no TCP_NODELAY");
        }
        tokio::spawn(self.io.serve_connection(TokioIo::new(stream), Some(peer), false));
    }
}

impl Deref for Server {
    type Target = Io;

    fn deref(&self) -> &Io {
        &self.io
    }
}

impl OnRuntime for Server {
    fn runtime() -> Arc<dyn Runtime> {
        Arc::new(Tokio::new())
    }

    fn from_io(io: Io) -> Self {
        Self { io }
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
