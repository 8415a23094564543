//! One connection through hyper in memory: what a client sends is there from the beginning, and
//! what it gets is a text. Neither a runtime nor a clock takes part.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::{io, mem};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;

/// What a connection came to.
pub(in crate::http) struct Outcome {
    /// Everything that the client got.
    pub(in crate::http) sent: String,
    /// Whether the server ended the connection; otherwise it waits for another request.
    pub(in crate::http) closed: bool,
}

/// Serves what the client sends. The client neither sends more nor closes.
pub(in crate::http) fn serve<F>(input: &[u8], service: impl Fn(Request<Incoming>) -> F) -> Outcome
where
    F: Future<Output = Response<Bytes>>,
{
    let output = Arc::new(Mutex::new(Vec::new()));
    let client = Client { input: input.to_vec(), output: Arc::clone(&output) };
    let service = service_fn(|request| {
        let response = service(request);
        async move { Ok::<_, std::convert::Infallible>(response.await.map(Full::new)) }
    });
    let mut connection = pin!(http1::Builder::new().serve_connection(client, service));
    let mut context = Context::from_waker(Waker::noop());
    // hyper may yield with its waker called; more turns than it can need make up for that.
    let closed = (0..64).any(|_| connection.as_mut().poll(&mut context).is_ready());
    let sent = mem::take(&mut *output.lock().expect("not poisoned"));
    Outcome { sent: String::from_utf8(sent).expect("text"), closed }
}

struct Client {
    input: Vec<u8>,
    output: Arc<Mutex<Vec<u8>>>,
}

impl Read for Client {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if self.input.is_empty() {
            return Poll::Pending;
        }
        let count = self.input.len().min(buffer.remaining());
        buffer.put_slice(&self.input[..count]);
        self.input.drain(..count);
        Poll::Ready(Ok(()))
    }
}

impl Write for Client {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.output.lock().expect("not poisoned").extend_from_slice(data);
        Poll::Ready(Ok(data.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
