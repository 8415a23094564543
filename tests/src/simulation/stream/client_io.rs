//! The client's end as a driver wants it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBufCursor, Write};

use super::ClientStream;

/// The client's end, for a client that is driven. It is closed when it is dropped.
pub struct ClientIo(ClientStream);

impl ClientIo {
    /// The end of that stream.
    pub fn new(stream: ClientStream) -> Self {
        Self(stream)
    }
}

impl Read for ClientIo {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let stream = &self.0.0;
        if stream.is_delayed(cx) {
            return Poll::Pending;
        }
        let limit = stream.cut(buffer.remaining());
        stream.receive(false, limit, cx).map_ok(|data| {
            if !data.is_empty() {
                stream.runtime.progressed("a client read");
            }
            buffer.put_slice(&data);
        })
    }
}

impl Write for ClientIo {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let stream = &self.0.0;
        if stream.is_delayed(cx) {
            return Poll::Pending;
        }
        let mut state = stream.lock();
        if state.is_reset || state.server_is_gone || state.to_server.closed {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let Some(room) = stream.room(&mut state.to_server, cx) else { return Poll::Pending };
        let length = stream.cut(data.len().min(room));
        stream.send(&mut state, true, &data[..length]);
        let reader = state.to_server.reader.take();
        drop(state);
        reader.into_iter().for_each(std::task::Waker::wake);
        stream.runtime.progressed("a client wrote");
        Poll::Ready(Ok(length))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.0.0.is_delayed(cx) { Poll::Pending } else { Poll::Ready(Ok(())) }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.0.0.is_delayed(cx) {
            return Poll::Pending;
        }
        self.0.shut_down();
        Poll::Ready(Ok(()))
    }
}
