//! What the task of a connection and all handles of it share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::task::Waker;

use futures_channel::oneshot;
use sansocket_core::client::{Manager, SocketConfig};
use sansocket_core::{SocketKey, Timestamp};

use crate::app::{Acks, ErrorHook, lock};
use crate::runtime::Runtime;

use super::builder::NamespaceSettings;
use super::error::ConnectError;
use super::namespace::NamespaceShared;

/// One connection, whether it is open or not.
pub(super) struct Shared {
    state: Mutex<State>,
    pub(super) runtime: Arc<dyn Runtime>,
    /// Not in the state, so that an answer wakes who waits for it without the lock.
    pub(super) acks: Arc<Acks>,
    pub(super) error_hook: ErrorHook,
}

/// What the lock protects. Nothing of the application runs while it is held.
pub(super) struct State {
    pub(super) manager: Manager,
    /// Namespaces, never fewer: one that is not wanted any more may be wanted again.
    pub(super) entries: Vec<Entry>,
    by_name: HashMap<Arc<str>, usize>,
    /// Wakes the task. Not there while the task is about to look at the state anyway.
    pub(super) waker: Option<Waker>,
    /// Whether anything was changed since the task took what there was: a command may leave
    /// something to take at once.
    pub(super) is_changed: bool,
    /// Who waits until there is no connection.
    pub(super) closing: Vec<oneshot::Sender<()>>,
    /// The task has ended, or was dropped with its runtime.
    pub(super) is_over: bool,
}

/// A namespace.
pub(super) struct Entry {
    /// The name that the core has for it, which is another after it was removed in between.
    pub(super) key: SocketKey,
    /// That of before: what happened under it may not be handled yet.
    previous: Option<SocketKey>,
    pub(super) shared: Arc<NamespaceShared>,
    /// With the last of them the namespace is removed.
    handles: usize,
    /// Who waits until it is connected, or cannot be.
    pub(super) waiting: Vec<oneshot::Sender<Result<(), ConnectError>>>,
    pub(super) recovered: bool,
}

/// Keeps a namespace connected.
pub(super) struct Handle {
    shared: Arc<Shared>,
    index: usize,
}

impl Shared {
    pub(super) fn new(manager: Manager, runtime: Arc<dyn Runtime>, error_hook: ErrorHook) -> Self {
        let state = State {
            manager,
            entries: Vec::new(),
            by_name: HashMap::new(),
            waker: None,
            is_changed: false,
            closing: Vec::new(),
            is_over: false,
        };
        Self { state: Mutex::new(state), runtime, acks: Arc::default(), error_hook }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.runtime.now()
    }

    /// Looks at the state.
    pub(super) fn with<R>(&self, look: impl FnOnce(&mut State) -> R) -> R {
        look(&mut lock(&self.state))
    }

    /// Changes the state, of which the task is told.
    pub(super) fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let mut state = lock(&self.state);
        let result = change(&mut state);
        state.is_changed = true;
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        result
    }

    /// Adds a namespace, or gives it other settings, and connects it.
    pub(super) fn join(
        self: &Arc<Self>,
        name: &str,
        config: SocketConfig,
        settings: NamespaceSettings,
    ) -> Result<(Handle, Arc<NamespaceShared>), ConnectError> {
        let now = self.now();
        let namespace = self.change(|state| {
            if state.is_over {
                return Err(ConnectError::Closed);
            }
            let auth = config.auth.clone();
            let key = state.manager.namespace(name, config)?;
            let namespace = state.enter(name, key);
            if let Some(mut socket) = state.manager.socket(key) {
                socket.set_auth(auth);
            }
            Ok(namespace)
        })?;
        let handle = Handle { shared: self.clone(), index: namespace.index };
        // Before the namespace is connected, so that nothing is missed; without the lock, because
        // handlers that are replaced are dropped.
        settings.register(&namespace);
        self.change(|state| {
            if let Some(mut socket) = state.socket(namespace.index) {
                socket.connect(now);
            }
        });
        Ok((handle, namespace))
    }

    /// The connection is over for good: whoever waits learns of it, and what handlers hold is let
    /// go.
    pub(super) fn end(&self) {
        let now = self.now();
        let (entries, closing) = self.with(|state| {
            state.is_over = true;
            for entry in &state.entries {
                if let Some(socket) = state.manager.socket(entry.key) {
                    socket.remove(now);
                }
            }
            state.waker = None;
            state.by_name.clear();
            (std::mem::take(&mut state.entries), std::mem::take(&mut state.closing))
        });
        for entry in &entries {
            entry.shared.clear();
        }
        drop((entries, closing));
        self.acks.clear();
    }
}

impl State {
    /// The namespace of that name. Counts a handle of it.
    fn enter(&mut self, name: &str, key: SocketKey) -> Arc<NamespaceShared> {
        let known = self.by_name.get(name).and_then(|index| self.entries.get_mut(*index));
        if let Some(entry) = known {
            let previous = std::mem::replace(&mut entry.key, key);
            entry.previous = Some(previous).filter(|previous| *previous != key);
            entry.handles += 1;
            return entry.shared.clone();
        }
        let index = self.entries.len();
        let shared = Arc::new(NamespaceShared::new(name.into(), index));
        self.by_name.insert(shared.name.clone(), index);
        self.entries.push(Entry {
            key,
            previous: None,
            shared: shared.clone(),
            handles: 1,
            waiting: Vec::new(),
            recovered: false,
        });
        shared
    }

    pub(super) fn socket(&mut self, index: usize) -> Option<sansocket_core::client::Socket<'_>> {
        self.manager.socket(self.entries.get(index)?.key)
    }

    pub(super) fn entry(&mut self, index: usize) -> Option<&mut Entry> {
        self.entries.get_mut(index)
    }

    /// The namespace that an event is about. There are few.
    pub(super) fn index_of(&self, key: SocketKey) -> Option<usize> {
        let is_of = |entry: &Entry| entry.key == key || entry.previous == Some(key);
        self.entries.iter().position(is_of)
    }

    /// Whether nobody wants anything of the connection any more.
    pub(super) fn is_unwanted(&self) -> bool {
        self.entries.iter().all(|entry| entry.handles == 0)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let now = self.shared.now();
        let waiting = self.shared.change(|state| {
            let entry = state.entry(self.index)?;
            entry.handles -= 1;
            if entry.handles > 0 {
                return None;
            }
            let waiting = std::mem::take(&mut entry.waiting);
            if let Some(socket) = state.socket(self.index) {
                socket.remove(now);
            }
            Some(waiting)
        });
        drop(waiting);
    }
}
