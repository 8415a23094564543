//! One timer for each shard, whatever the number of connections.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use sansocket_core::Timestamp;

use crate::inner::Inner;
use crate::runtime::Sleep;

/// Deadlines that lie this close together are served in one wake-up. Far below any interval of
/// the protocol.
const COALESCE: Duration = Duration::from_millis(2);

/// Calls a shard's machine when its next deadline is due. Ends with the server.
pub(crate) struct ShardTimer {
    inner: Weak<Inner>,
    shard: usize,
    sleep: Option<(Timestamp, Pin<Box<dyn Sleep>>)>,
}

impl ShardTimer {
    pub(crate) fn new(inner: &Arc<Inner>, shard: usize) -> Self {
        Self { inner: Arc::downgrade(inner), shard, sleep: None }
    }
}

impl Future for ShardTimer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let Some(inner) = this.inner.upgrade() else { return Poll::Ready(()) };
        let Some(shard) = inner.shards.get(this.shard) else { return Poll::Ready(()) };
        loop {
            let now = inner.now();
            let next = shard.with(|state| {
                if state.core.poll_timeout().is_some_and(|due| due <= now) {
                    state.core.handle_timeout(now);
                }
                state.timer.armed = state.core.poll_timeout();
                state.timer.waker = Some(cx.waker().clone());
                state.timer.armed
            });
            let Some(next) = next else {
                this.sleep = None;
                return Poll::Pending;
            };
            match &mut this.sleep {
                Some((at, _)) if *at == next => {}
                sleep => *sleep = Some((next, inner.runtime.sleep_until(next + COALESCE))),
            }
            if let Some((_, sleep)) = &mut this.sleep
                && sleep.as_mut().poll(cx).is_pending()
            {
                return Poll::Pending;
            }
            this.sleep = None;
        }
    }
}
