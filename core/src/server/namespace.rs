//! Namespaces: the rooms' outer walls.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::rooms::Member;
use crate::{NamespaceKey, SocketId, SocketKey};

use super::{Server, Standing};

/// A namespace that clients can join.
pub(super) struct Namespace {
    pub(super) name: Arc<str>,
    /// How many sockets there are, pending ones among them.
    pub(super) sockets: usize,
    /// The connected sockets.
    pub(super) members: Vec<Member>,
}

impl Server {
    /// The namespace of that name, created if there is none. Clients can join it from now on.
    ///
    /// Names start with `/` and are compared verbatim; a name that does not is given one.
    pub fn create_namespace(&mut self, name: &str) -> NamespaceKey {
        let name: Arc<str> =
            if name.starts_with('/') { name.into() } else { alloc::format!("/{name}").into() };
        if let Some(key) = self.namespace_names.get(&name) {
            return *key;
        }
        let key = self.insert_namespace(name);
        self.list_namespace(key);
        key
    }

    pub(super) fn insert_namespace(&mut self, name: Arc<str>) -> NamespaceKey {
        self.namespaces.insert(Namespace { name, sockets: 0, members: Vec::new() })
    }

    /// How many namespaces there are.
    pub fn namespace_count(&self) -> usize {
        self.namespaces.len()
    }

    /// The name of a namespace.
    pub fn namespace_name(&self, key: NamespaceKey) -> Option<&str> {
        self.namespaces.get(key).map(|namespace| &*namespace.name)
    }

    /// How many sockets are connected to a namespace.
    pub fn namespace_len(&self, key: NamespaceKey) -> usize {
        self.namespaces.get(key).map_or(0, |namespace| namespace.members.len())
    }

    /// The connected socket of that id, in whichever namespace.
    pub fn find_socket(&self, id: &SocketId) -> Option<SocketKey> {
        let key = *self.socket_ids.get(id)?;
        self.member(key).is_some().then_some(key)
    }

    /// A socket as a recipient, if it is connected.
    pub(super) fn member(&self, key: SocketKey) -> Option<Member> {
        let socket = self.sockets.get(key)?;
        match socket.standing {
            Standing::Pending => None,
            Standing::Connected { .. } => {
                Some(Member { socket: key, connection: socket.connection })
            }
        }
    }
}
