//! Tokio as the driver sees it.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Waker};

use sansocket_driver::{Runtime, Sleep, Timestamp};
use tokio::runtime::Handle;
use tokio::time::Instant;

/// The tokio runtime, of either flavour. Its clock is tokio's, so a test may pause it.
#[derive(Clone, Copy, Debug)]
pub struct Tokio {
    origin: Instant,
}

impl Tokio {
    /// Tokio, with now as the origin of its clock.
    pub fn new() -> Self {
        Self { origin: Instant::now() }
    }
}

impl Default for Tokio {
    fn default() -> Self {
        Self::new()
    }
}

impl Runtime for Tokio {
    fn now(&self) -> Timestamp {
        Timestamp::ZERO + self.origin.elapsed()
    }

    fn sleep_until(&self, at: Timestamp) -> Pin<Box<dyn Sleep>> {
        let deadline = self.origin + at.saturating_duration_since(Timestamp::ZERO);
        Box::pin(tokio::time::sleep_until(deadline))
    }

    fn spawn(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>) {
        // Tasks are also started by what a task leaves behind when it is dropped, which may happen
        // after the runtime's end, and must not panic then.
        match Handle::try_current() {
            Ok(handle) => drop(handle.spawn(task)),
            Err(error) => tracing::warn!(%error, "no runtime for a task"),
        }
    }

    /// Tokio's workers ask the network once for 61 polls of tasks, unless nothing is ready; what
    /// `yield_now` wakes, they wake after having asked.
    fn wake_last(&self, waker: Waker) {
        let mut yielding = pin!(tokio::task::yield_now());
        // The first poll of it leaves the waker.
        let _ = yielding.as_mut().poll(&mut Context::from_waker(&waker));
    }
}
