//! The index of rooms and their members, both ways.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use slotmap::{SecondaryMap, SlotMap};

use crate::{ConnectionKey, NamespaceKey, SocketKey};

slotmap::new_key_type! {
    struct RoomKey;
}

/// A socket as a recipient, with the connection that carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) socket: SocketKey,
    pub(crate) connection: ConnectionKey,
}

/// Rooms come to be with their first member and go with their last.
///
/// Invariant: `rooms[m.room].members[m.position]` is `(socket, slot)` exactly where
/// `memberships[socket][slot]` is `m`. Joining, leaving and going are O(1) for each room, and no
/// operation depends on how many members a room has.
#[derive(Default)]
pub(crate) struct Registry {
    names: SecondaryMap<NamespaceKey, BTreeMap<Arc<str>, RoomKey>>,
    rooms: SlotMap<RoomKey, Room>,
    memberships: SecondaryMap<SocketKey, Vec<Membership>>,
}

struct Room {
    namespace: NamespaceKey,
    name: Arc<str>,
    members: Vec<Member>,
    /// For each member, which of its memberships this is. Apart from `members`, so that a
    /// broadcast copies only what it needs.
    slots: Vec<u32>,
}

#[derive(Clone, Copy)]
struct Membership {
    room: RoomKey,
    position: u32,
}

impl Registry {
    pub(crate) fn room_count(&self) -> usize {
        self.rooms.len()
    }

    /// How many rooms the socket is in.
    pub(crate) fn count_of(&self, socket: SocketKey) -> usize {
        self.memberships.get(socket).map_or(0, Vec::len)
    }

    /// The names of the rooms that the socket is in.
    pub(crate) fn rooms_of(&self, socket: SocketKey) -> impl Iterator<Item = &Arc<str>> {
        self.memberships
            .get(socket)
            .into_iter()
            .flatten()
            .filter_map(|membership| Some(&self.rooms.get(membership.room)?.name))
    }

    pub(crate) fn contains(&self, namespace: NamespaceKey, room: &str, socket: SocketKey) -> bool {
        self.slot(namespace, room, socket).is_some()
    }

    /// The members of a room; none if there is no such room.
    pub(crate) fn members(&self, namespace: NamespaceKey, room: &str) -> &[Member] {
        self.find(namespace, room).and_then(|key| self.rooms.get(key)).map_or(&[], |r| &r.members)
    }

    /// `false` if the socket was in the room already.
    pub(crate) fn join(&mut self, namespace: NamespaceKey, room: &str, member: Member) -> bool {
        if self.contains(namespace, room, member.socket) {
            return false;
        }
        let key = self.find(namespace, room).unwrap_or_else(|| self.create(namespace, room));
        let Some(room) = self.rooms.get_mut(key) else { return false };
        if !self.memberships.contains_key(member.socket) {
            self.memberships.insert(member.socket, Vec::new());
        }
        let Some(memberships) = self.memberships.get_mut(member.socket) else { return false };
        memberships.push(Membership { room: key, position: room.members.len() as u32 });
        room.slots.push(memberships.len() as u32 - 1);
        room.members.push(member);
        true
    }

    /// `false` if the socket was not in the room.
    pub(crate) fn leave(&mut self, namespace: NamespaceKey, room: &str, socket: SocketKey) -> bool {
        let Some(slot) = self.slot(namespace, room, socket) else { return false };
        self.leave_slot(socket, slot);
        if self.memberships.get(socket).is_some_and(Vec::is_empty) {
            self.memberships.remove(socket);
        }
        true
    }

    /// Takes the socket out of every room.
    pub(crate) fn leave_all(&mut self, socket: SocketKey) {
        while let Some(last) = self.count_of(socket).checked_sub(1) {
            self.leave_slot(socket, last);
        }
        self.memberships.remove(socket);
    }

    fn find(&self, namespace: NamespaceKey, room: &str) -> Option<RoomKey> {
        self.names.get(namespace)?.get(room).copied()
    }

    /// Which of the socket's memberships is the one of this room. Sockets are in few rooms, and
    /// the number is limited, so a scan is faster than another index.
    fn slot(&self, namespace: NamespaceKey, room: &str, socket: SocketKey) -> Option<usize> {
        let memberships = self.memberships.get(socket)?;
        let key = self.find(namespace, room)?;
        memberships.iter().position(|membership| membership.room == key)
    }

    fn create(&mut self, namespace: NamespaceKey, name: &str) -> RoomKey {
        let name: Arc<str> = name.into();
        let key = self.rooms.insert(Room {
            namespace,
            name: name.clone(),
            members: Vec::new(),
            slots: Vec::new(),
        });
        if !self.names.contains_key(namespace) {
            self.names.insert(namespace, BTreeMap::new());
        }
        if let Some(names) = self.names.get_mut(namespace) {
            names.insert(name, key);
        }
        key
    }

    /// Removes one membership from both sides. The last entry of either list takes the place of
    /// the removed one, and its counterpart is told.
    fn leave_slot(&mut self, socket: SocketKey, slot: usize) {
        let Some(memberships) = self.memberships.get_mut(socket) else { return };
        let Membership { room: key, position } = memberships.swap_remove(slot);
        if let Some(moved) = memberships.get(slot).copied()
            && let Some(room) = self.rooms.get_mut(moved.room)
        {
            room.slots[moved.position as usize] = slot as u32;
        }
        let Some(room) = self.rooms.get_mut(key) else { return };
        room.members.swap_remove(position as usize);
        room.slots.swap_remove(position as usize);
        if let Some(moved) = room.members.get(position as usize) {
            let moved_slot = room.slots[position as usize] as usize;
            if let Some(memberships) = self.memberships.get_mut(moved.socket) {
                memberships[moved_slot].position = position;
            }
        }
        if room.members.is_empty() {
            self.remove(key);
        }
    }

    fn remove(&mut self, key: RoomKey) {
        let Some(room) = self.rooms.remove(key) else { return };
        if let Some(names) = self.names.get_mut(room.namespace) {
            names.remove(&room.name);
            if names.is_empty() {
                self.names.remove(room.namespace);
            }
        }
    }

    /// The sockets that are in rooms; for tests.
    #[cfg(test)]
    pub(crate) fn sockets(&self) -> impl Iterator<Item = SocketKey> {
        self.memberships.keys()
    }

    /// Checks the invariant in full; for tests.
    #[cfg(test)]
    pub(crate) fn check(&self) {
        let mut entries = 0;
        for (key, room) in &self.rooms {
            assert!(!room.members.is_empty());
            assert_eq!(room.members.len(), room.slots.len());
            assert_eq!(self.find(room.namespace, &room.name), Some(key));
            for (position, (member, slot)) in room.members.iter().zip(&room.slots).enumerate() {
                let membership = self.memberships[member.socket][*slot as usize];
                assert_eq!((membership.room, membership.position as usize), (key, position));
                entries += 1;
            }
        }
        assert_eq!(entries, self.memberships.values().map(Vec::len).sum::<usize>());
        assert_eq!(self.rooms.len(), self.names.values().map(BTreeMap::len).sum::<usize>());
    }
}

#[cfg(test)]
mod tests;
