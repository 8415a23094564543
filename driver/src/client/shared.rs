//! What the task of a connection and all handles of it share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::task::Waker;

use futures_channel::oneshot;
use sansocket_core::client::{Manager, SocketConfig};
use sansocket_core::{SharedParser, SocketKey, Timestamp};
use slotmap::SlotMap;

use crate::app::{Acks, ErrorHook, lock};
use crate::runtime::Runtime;

use super::error::ConnectError;
use super::namespace::NamespaceShared;
use super::settings::NamespaceSettings;

/// One connection, whether it is open or not.
pub(super) struct Shared {
    state: Mutex<State>,
    pub(super) runtime: Arc<dyn Runtime>,
    /// Not in the state, so that an answer wakes who waits for it without the lock.
    pub(super) acks: Arc<Acks>,
    pub(super) error_hook: ErrorHook,
    pub(super) parser: Option<SharedParser>,
}

slotmap::new_key_type! {
    /// Names a namespace of a connection, which a later one of the same name is not.
    pub(super) struct Place;
}

/// What the lock protects. Nothing of the application runs while it is held.
pub(super) struct State {
    pub(super) manager: Manager,
    /// The namespaces that are wanted, and those of which something is still to be told.
    pub(super) entries: SlotMap<Place, Entry>,
    by_name: HashMap<Arc<str>, Place>,
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
    /// The core's name of it.
    key: SocketKey,
    pub(super) shared: Arc<NamespaceShared>,
    /// With the last of them the core forgets it.
    handles: usize,
    /// Who waits until it is connected, or cannot be.
    pub(super) waiting: Vec<oneshot::Sender<Result<(), ConnectError>>>,
    /// What went wrong last since it was told to connect, for who begins to wait afterwards.
    pub(super) failure: Option<ConnectError>,
    pub(super) recovered: bool,
}

/// Keeps a namespace connected.
pub(super) struct Handle {
    shared: Arc<Shared>,
    place: Place,
}

impl Shared {
    pub(super) fn new(manager: Manager, runtime: Arc<dyn Runtime>, error_hook: ErrorHook) -> Self {
        let parser = manager.config().parser.clone();
        let state = State {
            manager,
            entries: SlotMap::with_key(),
            by_name: HashMap::new(),
            waker: None,
            is_changed: false,
            closing: Vec::new(),
            is_over: false,
        };
        Self { state: Mutex::new(state), runtime, acks: Arc::default(), error_hook, parser }
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

    /// Adds a namespace, or something to what is registered for it, and connects it.
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
            let key = state.manager.namespace(name, config)?;
            let namespace = state.enter(name, key);
            if let Some(auth) = settings.auth_source()
                && let Some(mut socket) = state.manager.socket(key)
            {
                socket.set_auth(auth);
            }
            Ok(namespace)
        })?;
        let handle = Handle { shared: self.clone(), place: namespace.place };
        // Before the namespace is connected, so that nothing is missed; without the lock, because
        // handlers that are replaced are dropped.
        settings.register(&namespace);
        self.change(|state| {
            if let Some(mut socket) = state.socket(namespace.place) {
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
            for entry in state.entries.values() {
                if let Some(socket) = state.manager.socket(entry.key) {
                    socket.remove(now);
                }
            }
            state.waker = None;
            state.by_name.clear();
            (std::mem::take(&mut state.entries), std::mem::take(&mut state.closing))
        });
        for entry in entries.values() {
            entry.shared.clear();
        }
        drop((entries, closing));
        self.acks.clear();
    }
}

impl State {
    /// Everybody who waits for a namespace to be connected, and is to be told of a failure.
    pub(super) fn fail_all(
        &mut self,
        error: &ConnectError,
    ) -> Vec<oneshot::Sender<Result<(), ConnectError>>> {
        let entries = self.entries.values_mut();
        entries
            .flat_map(|entry| {
                // Whoever was refused has lost the connection for that reason.
                entry.failure.get_or_insert_with(|| error.clone());
                std::mem::take(&mut entry.waiting)
            })
            .collect()
    }

    /// The namespace of that name. Counts a handle of it.
    ///
    /// One that nobody wants any more is another: handlers of its end may be under way.
    fn enter(&mut self, name: &str, key: SocketKey) -> Arc<NamespaceShared> {
        let known = self.by_name.get(name).and_then(|place| self.entries.get_mut(*place));
        if let Some(entry) = known.filter(|entry| entry.handles > 0) {
            entry.handles += 1;
            return entry.shared.clone();
        }
        let place = self.entries.insert_with_key(|place| {
            let shared = Arc::new(NamespaceShared::new(name.into(), place));
            Entry { key, shared, handles: 1, waiting: Vec::new(), failure: None, recovered: false }
        });
        let shared = self.entries[place].shared.clone();
        self.by_name.insert(shared.name.clone(), place);
        shared
    }

    pub(super) fn socket(&mut self, place: Place) -> Option<sansocket_core::client::Socket<'_>> {
        self.manager.socket(self.entries.get(place)?.key)
    }

    pub(super) fn entry(&mut self, place: Place) -> Option<&mut Entry> {
        self.entries.get_mut(place)
    }

    /// The namespace that an event is about. There are few.
    ///
    /// The core uses a name again only for one that was left before it was connected, of which
    /// nothing is told any more.
    pub(super) fn place_of(&self, key: SocketKey) -> Option<Place> {
        let of_key = || self.entries.iter().filter(|(_, entry)| entry.key == key);
        let wanted = of_key().find(|(_, entry)| entry.handles > 0);
        wanted.or_else(|| of_key().next()).map(|(place, _)| place)
    }

    /// Takes out the namespaces that nobody wants any more, of which `is_settled` says that all was
    /// told. They are for the caller to drop, where that is safe.
    pub(super) fn take_settled(&mut self, mut is_settled: impl FnMut(Place) -> bool) -> Vec<Entry> {
        let unwanted = self.entries.iter().filter(|(_, entry)| entry.handles == 0);
        let settled: Vec<_> =
            unwanted.map(|(place, _)| place).filter(|place| is_settled(*place)).collect();
        for place in &settled {
            self.by_name.retain(|_, other| other != place);
        }
        settled.into_iter().filter_map(|place| self.entries.remove(place)).collect()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let now = self.shared.now();
        let waiting = self.shared.change(|state| {
            let entry = state.entry(self.place)?;
            entry.handles -= 1;
            if entry.handles > 0 {
                return None;
            }
            let waiting = std::mem::take(&mut entry.waiting);
            if let Some(socket) = state.socket(self.place) {
                socket.remove(now);
            }
            Some(waiting)
        });
        drop(waiting);
    }
}
