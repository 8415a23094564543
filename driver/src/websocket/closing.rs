//! The goodbye of a WebSocket.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use super::{Buffers, READ_BYTES, WebSocket};
use crate::inner::Inner;
use crate::runtime::Sleep;

/// A WebSocket that nobody wants: says goodbye, waits for the peer to do so, but not for long.
pub(crate) struct Closing {
    websocket: WebSocket,
    deadline: Pin<Box<dyn Sleep>>,
}

impl Closing {
    pub(crate) fn new(mut websocket: WebSocket, deadline: Pin<Box<dyn Sleep>>) -> Self {
        websocket.queue_close(None);
        Self { websocket, deadline }
    }

    /// Until that is over, or the server ends for good.
    pub(crate) async fn run(inner: &Inner, websocket: WebSocket) {
        let deadline = inner.now() + inner.settings.close_timeout;
        let mut closing = Self::new(websocket, inner.runtime.sleep_until(deadline));
        let mut aborted = pin!(inner.aborted.wait());
        poll_fn(|cx| match Pin::new(&mut closing).poll(cx) {
            Poll::Ready(()) => Poll::Ready(()),
            Poll::Pending => aborted.as_mut().poll(cx),
        })
        .await;
    }
}

impl Future for Closing {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let mut buffers = Buffers::take();
        let mut is_over = this.deadline.as_mut().poll(cx).is_ready();
        is_over |= this.websocket.write(cx, &mut buffers).is_err();
        this.websocket.shut_down_if_violated(cx);
        while !is_over {
            match this.websocket.poll_read(cx, &mut buffers, READ_BYTES) {
                Poll::Ready(result) => is_over = result.is_err(),
                Poll::Pending => break,
            }
            buffers.messages.clear();
            if buffers.work.is_a_share() {
                // A peer that never ends must not keep the thread until the deadline.
                cx.waker().wake_by_ref();
                break;
            }
        }
        buffers.messages.clear();
        buffers.put_back();
        if is_over { Poll::Ready(()) } else { Poll::Pending }
    }
}
