//! Smol as the driver sees it.

use std::future::Future;
use std::pin::Pin;
use std::time::Instant;

use sansocket_driver::{Runtime, Sleep, Timestamp};

/// The global executor of smol, which `SMOL_THREADS` gives its threads, one by default.
#[derive(Clone, Copy, Debug)]
pub struct Smol {
    origin: Instant,
}

impl Smol {
    /// Smol, with now as the origin of its clock.
    pub fn new() -> Self {
        Self { origin: Instant::now() }
    }
}

impl Default for Smol {
    fn default() -> Self {
        Self::new()
    }
}

impl Runtime for Smol {
    fn now(&self) -> Timestamp {
        Timestamp::ZERO + self.origin.elapsed()
    }

    fn sleep_until(&self, at: Timestamp) -> Pin<Box<dyn Sleep>> {
        let deadline = self.origin + at.saturating_duration_since(Timestamp::ZERO);
        Box::pin(async move {
            smol::Timer::at(deadline).await;
        })
    }

    fn spawn(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>) {
        smol::spawn(task).detach();
    }
}
