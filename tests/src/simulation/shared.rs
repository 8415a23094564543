//! State that several tasks of a client look at, and wait for.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// A value, and the tasks that wait for it to change.
#[derive(Debug)]
pub struct Shared<T> {
    inner: Arc<Mutex<(T, Vec<Waker>)>>,
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

impl<T> Shared<T> {
    /// Shares a value.
    pub fn new(value: T) -> Self {
        Self { inner: Arc::new(Mutex::new((value, Vec::new()))) }
    }

    /// Looks at the value.
    pub fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(&self.lock().0)
    }

    /// Changes the value, and wakes everybody who waits for that.
    pub fn update<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let mut guard = self.lock();
        let result = change(&mut guard.0);
        let wakers = std::mem::take(&mut guard.1);
        drop(guard);
        wakers.into_iter().for_each(Waker::wake);
        result
    }

    /// Waits until `find` finds something. It may take it out.
    pub async fn wait<R>(&self, mut find: impl FnMut(&mut T) -> Option<R>) -> R {
        poll_fn(|cx| {
            let mut guard = self.lock();
            match find(&mut guard.0) {
                Some(found) => Poll::Ready(found),
                None => {
                    guard.1.push(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    fn lock(&self) -> MutexGuard<'_, (T, Vec<Waker>)> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The output of `first`, or `None` if `second` is done before it. `second` is asked first.
pub async fn unless<A: Future, B: Future>(first: A, second: B) -> Option<A::Output> {
    let mut first = pin!(first);
    let mut second = pin!(second);
    poll_fn(|cx| {
        if second.as_mut().poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        first.as_mut().poll(cx).map(Some)
    })
    .await
}
