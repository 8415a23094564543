//! Something that happens once, and those who wait for it.

use std::future::poll_fn;
use std::sync::{Mutex, PoisonError};
use std::task::{Poll, Waker};

/// Set once, seen by everybody.
#[derive(Default)]
pub(crate) struct Signal(Mutex<State>);

#[derive(Default)]
struct State {
    is_set: bool,
    next: u64,
    waiting: Vec<(u64, Waker)>,
}

impl Signal {
    pub(crate) fn is_set(&self) -> bool {
        self.lock().is_set
    }

    pub(crate) fn set(&self) {
        let waiting = {
            let mut state = self.lock();
            state.is_set = true;
            std::mem::take(&mut state.waiting)
        };
        waiting.into_iter().for_each(|(_, waker)| waker.wake());
    }

    /// Waits until it is set. Dropping the future leaves nothing behind.
    pub(crate) async fn wait(&self) {
        let ticket = {
            let mut state = self.lock();
            state.next += 1;
            Ticket { signal: self, number: state.next }
        };
        poll_fn(|cx| {
            let mut state = self.lock();
            if state.is_set {
                return Poll::Ready(());
            }
            match state.waiting.iter_mut().find(|(number, _)| *number == ticket.number) {
                Some((_, waker)) => waker.clone_from(cx.waker()),
                None => state.waiting.push((ticket.number, cx.waker().clone())),
            }
            Poll::Pending
        })
        .await;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A waiting future's place in the list.
struct Ticket<'a> {
    signal: &'a Signal,
    number: u64,
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let mut state = self.signal.lock();
        state.waiting.retain(|(number, _)| *number != self.number);
    }
}
