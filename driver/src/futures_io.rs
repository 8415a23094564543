//! Streams of futures-io.

use std::cell::Cell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_io::{AsyncRead, AsyncWrite};
use hyper::rt::{Read, ReadBufCursor, Write};

/// What one read takes at most. That of a WebSocket asks for as much.
const READ_BYTES: usize = 64 << 10;

/// A stream of futures-io, which most of the ecosystem outside of tokio uses, as a stream of hyper.
#[derive(Clone, Debug)]
pub struct FuturesIo<S>(S);

thread_local! {
    /// Where reads go first. Hyper's buffers need not be initialised and futures-io asks for
    /// buffers that are; a copy of what came in costs less than to fill with zeroes whatever could
    /// come in, and touches no memory that is not used.
    static SCRATCH: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

impl<S> FuturesIo<S> {
    /// The stream, for [`Io::serve_connection`](crate::Io::serve_connection).
    pub fn new(stream: S) -> Self {
        Self(stream)
    }
}

impl<S: AsyncRead + Unpin> Read for FuturesIo<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let mut scratch = SCRATCH.take().unwrap_or_else(|| vec![0; READ_BYTES].into_boxed_slice());
        let space = scratch.len().min(buffer.remaining());
        let result = Pin::new(&mut self.0).poll_read(cx, &mut scratch[..space]);
        if let Poll::Ready(Ok(length)) = result {
            buffer.put_slice(&scratch[..length.min(space)]);
        }
        SCRATCH.set(Some(scratch));
        ready!(result)?;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> Write for FuturesIo<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, data)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        chunks: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, chunks)
    }

    /// There is no way to ask; where it is not, the first piece is written.
    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_close(cx)
    }
}

#[cfg(test)]
mod tests;
