//! Smol as the driver sees it.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::time::Instant;

use sansocket_driver::{Runtime, Sleep, Timestamp};
use smol::Executor;

/// Smol, with its global executor or with one of the application's.
#[derive(Clone, Debug)]
pub struct Smol {
    origin: Instant,
    /// `None` for the global one. The executor owns the server's tasks, so the server must not own the
    /// executor.
    executor: Option<Weak<Executor<'static>>>,
}

impl Smol {
    /// The global executor, which `SMOL_THREADS` gives its threads, one by default.
    pub fn new() -> Self {
        Self { origin: Instant::now(), executor: None }
    }

    /// An executor that the application runs, on as many threads as it likes. With it, all of the
    /// server's tasks end.
    ///
    /// On one, the thread that waits for the network is the one that does the work, and no message
    /// costs a change of threads:
    ///
    /// ```no_run
    /// use std::sync::Arc;
    ///
    /// use sansocket_smol::{OnRuntime, Server, Smol};
    ///
    /// fn main() -> std::io::Result<()> {
    ///     let executor = Arc::new(smol::Executor::new());
    ///     let smol = Smol::with_executor(&executor);
    ///     let io = Server::from_io(Server::builder().build_with(Arc::new(smol))?);
    ///     let listening = executor.spawn(async move { io.listen("127.0.0.1:3000").await });
    ///     smol::block_on(executor.run(listening))
    /// }
    /// ```
    pub fn with_executor(executor: &Arc<Executor<'static>>) -> Self {
        Self { origin: Instant::now(), executor: Some(Arc::downgrade(executor)) }
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
        match &self.executor {
            None => smol::spawn(task).detach(),
            Some(executor) => {
                if let Some(executor) = executor.upgrade() {
                    executor.spawn(task).detach();
                }
            }
        }
    }
}
