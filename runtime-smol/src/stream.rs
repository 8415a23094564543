//! Sockets' streams, read without a call that only learns that there is nothing.

use std::io::{self, IoSlice, Read, Write};
use std::mem;
use std::net::{self, Shutdown};
#[cfg(unix)]
use std::os::unix;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_io::{AsyncRead, AsyncWrite};
use smol::Async;
use smol::net::TcpStream;
#[cfg(unix)]
use smol::net::unix::UnixStream;

/// A socket that waits for the reactor once a read has left room in its buffer: there was no more,
/// and another read would only say so. Smol's own streams read first, and wait when that fails.
#[derive(Debug)]
pub(crate) struct Stream<S> {
    socket: Arc<Async<S>>,
    shutdown: fn(&S, Shutdown) -> io::Result<()>,
    is_drained: bool,
    /// Whether the reactor was asked, and will tell.
    is_waiting: bool,
}

/// A TCP stream. Packets are small and written as a whole; waiting for more only delays them.
pub(crate) fn tcp(stream: TcpStream) -> Stream<net::TcpStream> {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    Stream {
        socket: stream.into(),
        shutdown: net::TcpStream::shutdown,
        is_drained: false,
        is_waiting: false,
    }
}

/// A Unix socket's stream.
#[cfg(unix)]
pub(crate) fn unix(stream: UnixStream) -> Stream<unix::net::UnixStream> {
    let shutdown = unix::net::UnixStream::shutdown;
    Stream { socket: stream.into(), shutdown, is_drained: false, is_waiting: false }
}

impl<S> AsyncRead for Stream<S>
where
    for<'a> &'a S: Read,
{
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if self.is_drained {
            // A reactor on another thread may wake us for an event that it then does not own up to,
            // so it is asked once.
            match self.socket.poll_readable(cx)? {
                Poll::Pending if !mem::replace(&mut self.is_waiting, true) => return Poll::Pending,
                Poll::Pending | Poll::Ready(()) => {}
            }
        }
        let length = ready!(Pin::new(&mut &*self.socket).poll_read(cx, buffer))?;
        self.is_waiting = false;
        // After the end of the stream a read goes on telling of it, and the reactor need not.
        self.is_drained = 0 < length && length < buffer.len();
        Poll::Ready(Ok(length))
    }
}

impl<S> AsyncWrite for Stream<S>
where
    for<'a> &'a S: Write,
{
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self.socket).poll_write(cx, data)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        chunks: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self.socket).poll_write_vectored(cx, chunks)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self.socket).poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready((self.shutdown)(self.socket.get_ref(), Shutdown::Write))
    }
}
