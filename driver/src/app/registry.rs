//! All namespaces of a server, by name and by key.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, RwLock};

use sansocket_core::{NamespaceKey, NamespaceRequestKey};
use slotmap::SecondaryMap;

use crate::shards::Shards;

use super::dynamic::{OnNewNamespace, Parent};
use super::namespace::NamespaceShared;
use super::sync::{List, read, write};

/// The namespaces that clients can join, and whoever makes more of them.
#[derive(Default)]
pub(super) struct Registry {
    /// Held while the shards are changed accordingly, so that changes do not interleave in them,
    /// and so that a client who finds a namespace there finds it here.
    namespaces: RwLock<Namespaces>,
    pub(super) parents: List<Parent>,
    pub(super) hooks: List<OnNewNamespace>,
    settings: NamespaceSettings,
}

/// What is settled when a server is built.
#[derive(Clone, Copy)]
pub(super) struct NamespaceSettings {
    /// Whether a namespace that a parent has made goes with its last socket.
    pub(super) cleans_up: bool,
    /// How many namespaces clients can have made.
    pub(super) children_max: usize,
}

impl Default for NamespaceSettings {
    fn default() -> Self {
        Self { cleans_up: false, children_max: 10_000 }
    }
}

#[derive(Default)]
struct Namespaces {
    by_name: HashMap<Arc<str>, Arc<NamespaceShared>>,
    by_key: SecondaryMap<NamespaceKey, Arc<NamespaceShared>>,
    /// How many of them have a parent.
    children: usize,
}

impl Registry {
    pub(super) fn new(settings: NamespaceSettings) -> Self {
        Self { settings, ..Self::default() }
    }

    pub(super) fn get(&self, name: &str) -> Option<Arc<NamespaceShared>> {
        read(&self.namespaces).by_name.get(name).cloned()
    }

    pub(super) fn by_key(&self, key: NamespaceKey) -> Option<Arc<NamespaceShared>> {
        read(&self.namespaces).by_key.get(key).cloned()
    }

    /// The namespace of that name, created if there is none, and then found by clients at once. The
    /// first parent that goes by names and takes this one is its parent. `None` without shards.
    ///
    /// One that is being made for a client stays unlisted until that is done.
    pub(super) fn get_or_create(
        &self,
        shards: &Shards,
        name: &str,
    ) -> Option<Arc<NamespaceShared>> {
        let slashed = if name.starts_with('/') { name.to_owned() } else { format!("/{name}") };
        if let Some(namespace) = self.get(&slashed) {
            return Some(namespace);
        }
        let parents = self.parents.snapshot();
        let mut parents = parents.iter().flat_map(|list| list.iter());
        let parent = parents.find(|parent| parent.takes(&slashed));
        let mut namespaces = write(&self.namespaces);
        if let Some(namespace) = namespaces.by_name.get(slashed.as_str()) {
            return Some(namespace.clone());
        }
        let namespace = namespaces.create(shards, &slashed, parent)?;
        namespace.list(shards);
        Some(namespace)
    }

    /// The namespace of that name, made because a client asks for it if there is none, of which
    /// clients know nothing yet. `None` at the limit.
    pub(super) fn get_or_make(
        &self,
        shards: &Shards,
        name: &str,
        parent: &Arc<Parent>,
    ) -> Option<Arc<NamespaceShared>> {
        let mut namespaces = write(&self.namespaces);
        if let Some(namespace) = namespaces.by_name.get(name) {
            return Some(namespace.clone());
        }
        let has_room = namespaces.children < self.settings.children_max;
        has_room.then(|| namespaces.create(shards, name, Some(parent))).flatten()
    }

    /// Lets a client go on that has asked for a namespace, which others find from now on. `false`
    /// if the namespace has gone meanwhile.
    pub(super) fn answer(
        &self,
        shards: &Shards,
        shard: usize,
        request: NamespaceRequestKey,
        namespace: &NamespaceShared,
    ) -> bool {
        // The namespace cannot go while this is held.
        let namespaces = read(&self.namespaces);
        if !namespaces.by_key.contains_key(namespace.key) {
            return false;
        }
        namespace.list(shards);
        let answered = shards.answer_namespace_request(shard, request, Some(namespace.key));
        drop(namespaces);
        if answered.is_err() {
            self.clean_up(shards, namespace);
        }
        true
    }

    /// Removes a namespace that a parent has made and that has no socket, if that is wanted.
    pub(super) fn clean_up(&self, shards: &Shards, namespace: &NamespaceShared) {
        let Some(parent) = &namespace.parent else { return };
        if !self.settings.cleans_up {
            return;
        }
        let mut namespaces = write(&self.namespaces);
        if !namespaces.by_key.contains_key(namespace.key) {
            return;
        }
        if !shards.remove_namespace(namespace.key, namespace.is_listed.load(Ordering::Acquire)) {
            return;
        }
        let removed = namespaces.by_key.remove(namespace.key);
        namespaces.by_name.remove(&namespace.name);
        namespaces.children -= 1;
        drop(namespaces);
        if let Some(parent) = parent.upgrade() {
            parent.remove(namespace);
        }
        // What its handlers hold is the application's, and dropped without the lock.
        drop(removed);
    }
}

impl Namespaces {
    /// A namespace that there is not yet, unlisted. `None` without shards.
    fn create(
        &mut self,
        shards: &Shards,
        name: &str,
        parent: Option<&Arc<Parent>>,
    ) -> Option<Arc<NamespaceShared>> {
        let key = shards.create_namespace(name)?;
        let namespace = Arc::new(NamespaceShared::new(name.into(), key, parent));
        if let Some(parent) = parent {
            parent.add(&namespace);
            self.children += 1;
        }
        self.by_name.insert(namespace.name.clone(), namespace.clone());
        self.by_key.insert(key, namespace.clone());
        Some(namespace)
    }
}

impl NamespaceShared {
    /// Lets clients find it. The registry is locked meanwhile, so that it is still there.
    fn list(&self, shards: &Shards) {
        if !self.is_listed.swap(true, Ordering::AcqRel) {
            shards.list_namespace(self.key);
        }
    }
}
