//! A runtime that counts the tasks that panic.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;
use std::thread;

use sansocket_core::Timestamp;
use sansocket_tokio::{Runtime, Sleep};

pub(crate) struct Watched {
    runtime: Arc<dyn Runtime>,
    panics: Arc<AtomicUsize>,
}

impl Watched {
    pub(crate) fn new(runtime: Arc<dyn Runtime>, panics: Arc<AtomicUsize>) -> Self {
        Self { runtime, panics }
    }
}

impl Runtime for Watched {
    fn now(&self) -> Timestamp {
        self.runtime.now()
    }

    fn sleep_until(&self, at: Timestamp) -> Pin<Box<dyn Sleep>> {
        self.runtime.sleep_until(at)
    }

    fn spawn(&self, mut task: Pin<Box<dyn Future<Output = ()> + Send>>) {
        let panics = self.panics.clone();
        self.runtime.spawn(Box::pin(poll_fn(move |cx| {
            let _counted = Counted(&panics);
            task.as_mut().poll(cx)
        })));
    }

    fn wake_last(&self, waker: Waker) {
        self.runtime.wake_last(waker);
    }
}

/// Counts a panic that passes by.
struct Counted<'a>(&'a AtomicUsize);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
}
