//! Listening.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;

use futures_io::{AsyncRead, AsyncWrite};
use sansocket_driver::{FuturesIo, Io, OnRuntime, Runtime};
#[cfg(unix)]
use smol::net::unix::UnixListener;
use smol::net::{AsyncToSocketAddrs, TcpListener};

use crate::Smol;
use crate::stream::tcp;
#[cfg(unix)]
use crate::stream::unix;

/// A Socket.IO server on smol. Cheap to clone; it can do whatever [`Io`] can, and listen.
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
    pub async fn listen(&self, address: impl AsyncToSocketAddrs) -> io::Result<()> {
        self.serve(TcpListener::bind(address).await?).await
    }

    /// Accepts connections from a listener, until the server is closed.
    ///
    /// # Errors
    ///
    /// None at present: a connection that fails to be accepted does not stop the server.
    pub async fn serve(&self, listener: TcpListener) -> io::Result<()> {
        let serve = |(stream, peer)| self.serve_stream(tcp(stream), Some(peer), false);
        self.io.serve_incoming(|| listener.accept(), serve).await;
        Ok(())
    }

    /// As [`serve`](Self::serve), on a Unix socket. Its clients have no address.
    ///
    /// # Errors
    ///
    /// None at present.
    #[cfg(unix)]
    pub async fn serve_unix(&self, listener: UnixListener) -> io::Result<()> {
        let serve = |(stream, _)| self.serve_stream(unix(stream), None, false);
        self.io.serve_incoming(|| listener.accept(), serve).await;
        Ok(())
    }

    /// Serves HTTP on one stream of whatever kind, until it is closed or has become a WebSocket,
    /// whose session goes on by itself. `peer` and `secure` are what [`handshake`] tells of them.
    ///
    /// [`handshake`]: sansocket_driver::Socket::handshake
    pub fn serve_stream<S>(
        &self,
        stream: S,
        peer: Option<SocketAddr>,
        secure: bool,
    ) -> impl Future<Output = ()> + Send + 'static
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        self.io.serve_connection(FuturesIo::new(stream), peer, secure)
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
        Arc::new(Smol::new())
    }

    fn from_io(io: Io) -> Self {
        Self { io }
    }
}
