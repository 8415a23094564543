//! Async-std as the driver sees it.

use std::future::Future;
use std::pin::Pin;
use std::time::Instant;

use sansocket_driver::{Runtime, Sleep, Timestamp};

/// The executor of async-std, which `ASYNC_STD_THREAD_COUNT` gives its threads, by default one for
/// each processor.
#[derive(Clone, Copy, Debug)]
pub struct AsyncStd {
    origin: Instant,
}

impl AsyncStd {
    /// Async-std, with now as the origin of its clock.
    pub fn new() -> Self {
        Self { origin: Instant::now() }
    }
}

impl Default for AsyncStd {
    fn default() -> Self {
        Self::new()
    }
}

impl Runtime for AsyncStd {
    fn now(&self) -> Timestamp {
        Timestamp::ZERO + self.origin.elapsed()
    }

    fn sleep_until(&self, at: Timestamp) -> Pin<Box<dyn Sleep>> {
        let duration = at.saturating_duration_since(self.now());
        Box::pin(async_std::task::sleep(duration))
    }

    fn spawn(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>) {
        async_std::task::spawn(task);
    }
}
