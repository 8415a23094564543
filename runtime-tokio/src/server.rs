//! Listening.

use std::io;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use sansocket_driver::Io;
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

/// The settings of a [`Server`]: those of [`sansocket_driver::Builder`].
#[derive(Default)]
pub struct Builder {
    driver: sansocket_driver::Builder,
}

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
        let closed = self.io.closed();
        tokio::pin!(closed);
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = &mut closed => return Ok(()),
            };
            match accepted {
                Ok((stream, peer)) => self.serve_tcp(stream, peer),
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
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

impl Builder {
    /// Builds the server. It need not happen inside of the runtime that will run it.
    ///
    /// # Errors
    ///
    /// If the system has no randomness to give, or the settings are at odds.
    pub fn build(self) -> io::Result<Server> {
        Ok(Server { io: self.driver.build_with(Arc::new(Tokio::new()))? })
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
