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

    /// The namespace of that name, created if there is none, and found by clients from now on. The
    /// first parent that goes by names and takes this one is its parent. `None` without shards.
    pub(super) fn get_or_create(
        &self,
        shards: &Shards,
        name: &str,
    ) -> Option<Arc<NamespaceShared>> {
        let slashed = if name.starts_with('/') { name.to_owned() } else { format!("/{name}") };
        let found = self.get(&slashed);
        let namespace = match found {
            Some(namespace) if namespace.is_listed.load(Ordering::Acquire) => {
                return Some(namespace);
            }
            Some(namespace) => namespace,
            None => {
                let parents = self.parents.snapshot();
                let mut parents = parents.iter().flat_map(|list| list.iter());
                let parent = parents.find(|parent| parent.takes(&slashed));
                // The application may have as many as it likes.
                self.get_or_create_unlisted(shards, &slashed, parent, usize::MAX)?
            }
        };
        self.list(shards, &namespace);
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
        self.get_or_create_unlisted(shards, name, Some(parent), self.settings.children_max)
    }

    fn get_or_create_unlisted(
        &self,
        shards: &Shards,
        name: &str,
        parent: Option<&Arc<Parent>>,
        children_max: usize,
    ) -> Option<Arc<NamespaceShared>> {
        let mut namespaces = write(&self.namespaces);
        if let Some(namespace) = namespaces.by_name.get(name) {
            return Some(namespace.clone());
        }
        if parent.is_some() && namespaces.children >= children_max {
            return None;
        }
        let key = shards.create_namespace(name)?;
        let namespace = Arc::new(NamespaceShared::new(name.into(), key, parent));
        if let Some(parent) = parent {
            parent.add(&namespace);
            namespaces.children += 1;
        }
        namespaces.by_name.insert(namespace.name.clone(), namespace.clone());
        namespaces.by_key.insert(key, namespace.clone());
        Some(namespace)
    }

    /// Lets clients find a namespace, unless it has gone.
    fn list(&self, shards: &Shards, namespace: &NamespaceShared) -> bool {
        let namespaces = read(&self.namespaces);
        let exists = namespaces.by_key.contains_key(namespace.key);
        if exists && !namespace.is_listed.swap(true, Ordering::AcqRel) {
            shards.list_namespace(namespace.key);
        }
        exists
    }

    /// Lets a client go on that has asked for a namespace, unless that has gone meanwhile.
    pub(super) fn answer(
        &self,
        shards: &Shards,
        shard: usize,
        request: NamespaceRequestKey,
        namespace: &NamespaceShared,
    ) -> bool {
        if !self.list(shards, namespace) {
            return false;
        }
        // The namespace cannot go while this is held.
        let namespaces = read(&self.namespaces);
        if !namespaces.by_key.contains_key(namespace.key) {
            return false;
        }
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
