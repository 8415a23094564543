//! Locks that outlive a panic, and lists that are read far more often than they grow.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

// Every critical section here leaves its data consistent at each step, so what a panicking
// application leaves behind is as good as ever.

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

/// A list of closures of which whoever calls them takes a snapshot, so that they may add to it.
///
/// Most lists are empty, and to find that out takes no lock.
pub(crate) struct List<T: ?Sized> {
    items: RwLock<Option<Arc<[Arc<T>]>>>,
    /// Whether there is anything.
    used: AtomicBool,
}

impl<T: ?Sized> Default for List<T> {
    fn default() -> Self {
        Self { items: RwLock::new(None), used: AtomicBool::new(false) }
    }
}

impl<T: ?Sized> List<T> {
    pub(crate) fn push(&self, item: Arc<T>) {
        let mut list = write(&self.items);
        let items = list.iter().flat_map(|items| items.iter().cloned());
        *list = Some(items.chain([item]).collect());
        self.used.store(true, Ordering::Release);
    }

    /// As [`push`](Self::push), in front of the others.
    pub(crate) fn push_front(&self, item: Arc<T>) {
        let mut list = write(&self.items);
        let items = list.iter().flat_map(|items| items.iter().cloned());
        *list = Some([item].into_iter().chain(items).collect());
        self.used.store(true, Ordering::Release);
    }

    /// A list of the same closures, which grows on its own.
    pub(crate) fn copy(&self) -> Self {
        let items = self.snapshot();
        Self { used: AtomicBool::new(items.is_some()), items: RwLock::new(items) }
    }

    /// Whether there is anything.
    pub(crate) fn is_used(&self) -> bool {
        self.used.load(Ordering::Acquire)
    }

    /// `None` if it is empty.
    pub(crate) fn snapshot(&self) -> Option<Arc<[Arc<T>]>> {
        if !self.is_used() {
            return None;
        }
        read(&self.items).clone()
    }

    pub(crate) fn clear(&self) {
        let mut list = write(&self.items);
        let items = list.take();
        self.used.store(false, Ordering::Release);
        drop(list);
        // The closures' own destructors run without the lock.
        drop(items);
    }
}
