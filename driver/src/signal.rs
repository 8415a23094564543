//! Something that happens once, and those who wait for it.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Set once, seen by everybody.
#[derive(Default)]
pub(crate) struct Signal {
    is_set: AtomicBool,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    next: u64,
    wakers: BTreeMap<u64, Waker>,
}

/// Waits until a signal is set. Dropping it leaves nothing behind.
pub(crate) struct Wait<'a> {
    signal: &'a Signal,
    /// What was left with the signal, to see without a lock whether it still holds.
    registered: Option<(u64, Waker)>,
}

impl Signal {
    pub(crate) fn is_set(&self) -> bool {
        self.is_set.load(Ordering::SeqCst)
    }

    pub(crate) fn set(&self) {
        self.is_set.store(true, Ordering::SeqCst);
        let wakers = std::mem::take(&mut self.lock().wakers);
        wakers.into_values().for_each(Waker::wake);
    }

    pub(crate) fn wait(&self) -> Wait<'_> {
        Wait { signal: self, registered: None }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Future for Wait<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.signal.is_set() {
            return Poll::Ready(());
        }
        if self.registered.as_ref().is_some_and(|(_, waker)| waker.will_wake(cx.waker())) {
            return Poll::Pending;
        }
        let mut waiting = self.signal.lock();
        let number = match &self.registered {
            Some((number, _)) => *number,
            None => {
                waiting.next += 1;
                waiting.next
            }
        };
        waiting.wakers.insert(number, cx.waker().clone());
        drop(waiting);
        self.registered = Some((number, cx.waker().clone()));
        // It may have been set before the waker was left.
        if self.signal.is_set() { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        if let Some((number, _)) = &self.registered {
            self.signal.lock().wakers.remove(number);
        }
    }
}
