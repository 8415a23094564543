//! Rooms, and whom a broadcast reaches.

use std::collections::BTreeSet;

use super::{Member, Model, Socket};

/// A room: one with a name, or the one that bears a socket's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "their names say it")]
pub enum Room {
    Named(u8),
    Of(Socket),
}

/// Whom a broadcast is for: the union of rooms, or everybody if there are none.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "as in the server's targets")]
pub struct Whom {
    pub rooms: Vec<Room>,
    pub except: Vec<Room>,
    pub except_socket: Option<Socket>,
}

impl Model {
    /// Whether the socket came into a room that it was not in.
    pub fn join(&mut self, socket: Socket, room: Room) -> bool {
        let rooms_max = self.rules.rooms_max;
        let Some(member) = self.sockets.get_mut(&socket).filter(|m| m.connected) else {
            return false;
        };
        match room {
            Room::Of(owner) if owner == socket => !std::mem::replace(&mut member.own_room, true),
            Room::Named(name) => member.rooms.len() < rooms_max && member.rooms.insert(name),
            Room::Of(_) => false,
        }
    }

    /// Whether the socket left a room that it was in.
    pub fn leave(&mut self, socket: Socket, room: Room) -> bool {
        let Some(member) = self.sockets.get_mut(&socket).filter(|m| m.connected) else {
            return false;
        };
        match room {
            Room::Of(owner) if owner == socket => std::mem::take(&mut member.own_room),
            Room::Named(name) => member.rooms.remove(&name),
            Room::Of(_) => false,
        }
    }

    /// The rooms of a connected socket that have names, and whether it is in its own.
    pub fn rooms(&self, socket: Socket) -> Option<(&BTreeSet<u8>, bool)> {
        let member = self.sockets.get(&socket).filter(|member| member.connected)?;
        Some((&member.rooms, member.own_room))
    }

    /// The connected sockets of one shard that a broadcast reaches.
    pub fn recipients(&self, shard: u8, namespace: u8, whom: &Whom) -> BTreeSet<Socket> {
        let is_meant = |(socket, member): &(&Socket, &Member)| {
            let is_in = |room: &Room| match room {
                Room::Named(name) => member.rooms.contains(name),
                Room::Of(owner) => *owner == **socket && member.own_room,
            };
            member.connected
                && member.namespace == namespace
                && self.connection_of(member).is_some_and(|session| session.shard == shard)
                && (whom.rooms.is_empty() || whom.rooms.iter().any(is_in))
                && !whom.except.iter().any(is_in)
                && whom.except_socket != Some(**socket)
        };
        self.sockets.iter().filter(is_meant).map(|(socket, _)| *socket).collect()
    }
}
