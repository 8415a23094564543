//! Namespaces that are made when a client asks for them, and go with their last socket.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::codec::message::Message;
use crate::codec::parser::encode_for;
use crate::codec::socket::Packet;
use crate::{ConnectionKey, Gone, NamespaceKey};

use super::Server;
use super::event::{Event, NamespaceRequest};

/// Names a client's wish to join a namespace that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamespaceRequestKey {
    connection: ConnectionKey,
    serial: u64,
}

/// The CONNECT packets of which the application has not said yet whether their namespaces are to
/// be.
///
/// They count towards [`Limits::namespaces`](crate::Limits) of their connections, and are forgotten
/// with them.
#[derive(Default)]
pub(super) struct NamespaceRequests {
    pending: BTreeMap<NamespaceRequestKey, Packet>,
    serial: u64,
}

impl NamespaceRequests {
    pub(super) fn len(&self) -> usize {
        self.pending.len()
    }

    /// How many a connection has.
    pub(super) fn count(&self, connection: ConnectionKey) -> usize {
        self.of(connection).count()
    }

    /// Whether a connection has asked for a namespace of that name.
    pub(super) fn contains(&self, connection: ConnectionKey, name: &str) -> bool {
        self.of(connection).any(|(_, packet)| packet.namespace() == name)
    }

    pub(super) fn forget(&mut self, connection: ConnectionKey) {
        // Nearly always there are none.
        if self.pending.is_empty() {
            return;
        }
        let keys: Vec<_> = self.of(connection).map(|(key, _)| *key).collect();
        for key in keys {
            self.pending.remove(&key);
        }
    }

    /// Whoever has some; for tests.
    #[cfg(test)]
    pub(super) fn connections(&self) -> impl Iterator<Item = ConnectionKey> {
        self.pending.keys().map(|key| key.connection)
    }

    fn of(
        &self,
        connection: ConnectionKey,
    ) -> impl Iterator<Item = (&NamespaceRequestKey, &Packet)> {
        let first = NamespaceRequestKey { connection, serial: 0 };
        let last = NamespaceRequestKey { connection, serial: u64::MAX };
        self.pending.range(first..=last)
    }

    fn insert(&mut self, connection: ConnectionKey, packet: Packet) -> NamespaceRequestKey {
        let key = NamespaceRequestKey { connection, serial: self.serial };
        self.serial += 1;
        self.pending.insert(key, packet);
        key
    }
}

/// Dynamic namespaces.
impl Server {
    /// Whether clients may ask for namespaces that do not exist, at first `false`. If so, each such
    /// wish is told as [`Event::NamespaceRequested`] instead of being refused.
    pub fn set_dynamic_namespaces(&mut self, dynamic: bool) {
        self.dynamic_namespaces = dynamic;
    }

    /// Answers an [`Event::NamespaceRequested`]. The client goes on to join `namespace`, of which
    /// the application is asked by [`Event::ConnectRequested`]; with `None`, or a namespace that is
    /// gone or another one than it named, it is told that there is no such namespace.
    ///
    /// # Errors
    ///
    /// [`Gone`] where the client has left meanwhile, or the request was answered before.
    pub fn answer_namespace_request(
        &mut self,
        key: NamespaceRequestKey,
        namespace: Option<NamespaceKey>,
    ) -> Result<(), Gone> {
        let packet = self.requests.pending.remove(&key).ok_or(Gone)?;
        let is_meant = |key: &NamespaceKey| {
            self.namespaces.get(*key).is_some_and(|found| *found.name == *packet.namespace())
        };
        match namespace.filter(is_meant) {
            Some(namespace) => self.request_connect(key.connection, namespace, packet),
            None => self.refuse_namespace(key.connection, packet.namespace()),
        }
        self.settle(key.connection);
        Ok(())
    }

    /// A namespace that clients do not find until it is [listed](Self::list_namespace): what it
    /// needs before the first of them can be prepared. One that exists stays as it is.
    pub fn create_unlisted_namespace(&mut self, name: &str) -> NamespaceKey {
        if let Some(key) = self.namespace_names.get(name) {
            return *key;
        }
        self.insert_namespace(name.into())
    }

    /// Lets clients find a namespace by its name. If another one of that name is listed, nothing
    /// changes.
    pub fn list_namespace(&mut self, key: NamespaceKey) {
        if let Some(namespace) = self.namespaces.get(key) {
            self.namespace_names.entry(namespace.name.clone()).or_insert(key);
        }
    }

    /// Takes a namespace out of clients' reach if none has a socket in it, or asks for one, and
    /// says whether that is so. To be followed by [`list_namespace`](Self::list_namespace), which
    /// undoes it, or by [`remove_namespace`](Self::remove_namespace): where several servers are
    /// shards of one, either all of them lose a namespace or none does.
    pub fn unlist_namespace(&mut self, key: NamespaceKey) -> bool {
        let Some(namespace) = self.namespaces.get(key) else { return true };
        if namespace.sockets > 0 {
            return false;
        }
        if self.namespace_names.get(&namespace.name) == Some(&key) {
            self.namespace_names.remove(&namespace.name);
        }
        true
    }

    /// Removes a namespace that is not listed and has no sockets. Others stay.
    pub fn remove_namespace(&mut self, key: NamespaceKey) {
        let Some(namespace) = self.namespaces.get(key) else { return };
        let is_listed = self.namespace_names.get(&namespace.name) == Some(&key);
        if !is_listed && namespace.sockets == 0 {
            self.namespaces.remove(key);
        }
    }

    /// A client asks for a namespace that does not exist.
    pub(super) fn request_namespace(&mut self, key: ConnectionKey, packet: Packet) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let request = NamespaceRequest { key: self.requests.insert(key, packet.clone()), packet };
        connection.inbox.push(Event::NamespaceRequested(Box::new(request)));
        connection.input_was_held |= !connection.wants_input(&self.config.limits);
    }

    pub(super) fn refuse_namespace(&mut self, key: ConnectionKey, name: &str) {
        let error = encode_for(self.config.parser.as_ref(), Message::invalid_namespace(name));
        let limit = self.config.limits.outbox_bytes;
        if let (Ok(error), Some(connection)) = (error, self.connections.get_mut(key)) {
            connection.session.push_control(&error, limit);
        }
    }
}
