//! The application's own data at a socket, by type.

use std::any::{Any, TypeId};
use std::fmt;
use std::sync::{Arc, Mutex};

use super::sync::lock;

type Entry = (TypeId, Arc<dyn Any + Send + Sync>);

/// Values of different types, at most one of each.
///
/// Sockets have few, so they stand in a list; an empty one has no memory.
#[derive(Default)]
pub struct Extensions(Mutex<Vec<Entry>>);

impl Extensions {
    /// Keeps a value, in place of one of the same type, which is returned.
    pub fn insert<T: Send + Sync + 'static>(&self, value: T) -> Option<Arc<T>> {
        let value: Arc<dyn Any + Send + Sync> = Arc::new(value);
        let mut entries = lock(&self.0);
        let previous = match entries.iter_mut().find(|(id, _)| *id == TypeId::of::<T>()) {
            Some((_, kept)) => Some(std::mem::replace(kept, value)),
            None => {
                entries.push((TypeId::of::<T>(), value));
                None
            }
        };
        drop(entries);
        previous?.downcast().ok()
    }

    /// A copy of the value of that type.
    pub fn get<T: Clone + Send + Sync + 'static>(&self) -> Option<T> {
        // Cloned without the lock: the application's `clone` may do anything.
        self.get_shared::<T>().map(Arc::unwrap_or_clone)
    }

    /// The value of that type itself.
    pub fn get_shared<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        let entries = lock(&self.0);
        let (_, value) = entries.iter().find(|(id, _)| *id == TypeId::of::<T>())?;
        value.clone().downcast().ok()
    }

    /// Takes the value of that type out.
    pub fn remove<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        let mut entries = lock(&self.0);
        let index = entries.iter().position(|(id, _)| *id == TypeId::of::<T>())?;
        let (_, value) = entries.swap_remove(index);
        drop(entries);
        value.downcast().ok()
    }
}

impl Extensions {
    /// The same values, to which others may be added.
    pub(super) fn copy(&self) -> Self {
        Self(Mutex::new(lock(&self.0).clone()))
    }
}

impl fmt::Debug for Extensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Extensions({})", lock(&self.0).len())
    }
}
