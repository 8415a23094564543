//! What the driver needs of an async runtime.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use sansocket_core::Timestamp;

/// An async runtime: it runs tasks, and it knows the time.
///
/// Everything else is the same on every runtime and stands in this crate. A runtime crate adds an
/// implementation of this trait, and a way to accept streams.
pub trait Runtime: Send + Sync + 'static {
    /// The time, by a clock that does not go backwards. Its origin does not matter.
    fn now(&self) -> Timestamp;

    /// Waits until `at`, by the clock of [`now`](Self::now).
    fn sleep_until(&self, at: Timestamp) -> Pin<Box<dyn Sleep>>;

    /// Runs `task` to its end, beside the caller.
    fn spawn(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>);

    /// Wakes a task that has had its share, and goes on only because nobody else wants to run.
    ///
    /// Some runtimes do not ask the network for news as long as a task is ready, or seldom. One that
    /// can wake the task when it has asked should do that, because those whom the news are for
    /// come first.
    fn wake_last(&self, waker: Waker) {
        waker.wake();
    }
}

/// A wait. Runtimes' timers are this already; the name keeps signatures short.
pub trait Sleep: Future<Output = ()> + Send + Sync {}

impl<T: Future<Output = ()> + Send + Sync> Sleep for T {}

/// Hyper's view of a [`Runtime`].
///
/// Hyper counts in `Instant`s, of which it only looks at the differences. They are made from the
/// runtime's clock, so that no other clock has a say in when something is due.
#[derive(Clone)]
pub(crate) struct HyperTimer {
    runtime: Arc<dyn Runtime>,
    /// Two names of one moment.
    origin: (Timestamp, Instant),
}

impl HyperTimer {
    pub(crate) fn new(runtime: &Arc<dyn Runtime>) -> Self {
        Self { runtime: runtime.clone(), origin: (runtime.now(), Instant::now()) }
    }
}

struct HyperSleep(Pin<Box<dyn Sleep>>);

impl Future for HyperSleep {
    type Output = ();

    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl hyper::rt::Sleep for HyperSleep {}

impl hyper::rt::Timer for HyperTimer {
    fn sleep(&self, duration: std::time::Duration) -> Pin<Box<dyn hyper::rt::Sleep>> {
        Box::pin(HyperSleep(self.runtime.sleep_until(self.runtime.now() + duration)))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn hyper::rt::Sleep>> {
        let (timestamp, instant) = self.origin;
        let at = timestamp + deadline.saturating_duration_since(instant);
        Box::pin(HyperSleep(self.runtime.sleep_until(at)))
    }

    fn now(&self) -> Instant {
        let (timestamp, instant) = self.origin;
        instant + self.runtime.now().saturating_duration_since(timestamp)
    }
}

impl fmt::Debug for HyperTimer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HyperTimer")
    }
}
