//! Whom a broadcast is for.

use alloc::sync::Arc;

use smallvec::SmallVec;

use crate::SocketId;

/// The recipients of a broadcast: the union of some rooms, or a whole namespace, less the members
/// of other rooms. Nobody is reached twice.
///
/// A socket's id is also the name of a room that the socket alone is in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// The rooms whose members are meant; none of them means everybody.
    pub rooms: SmallVec<[Arc<str>; 1]>,
    /// The rooms whose members are left out.
    pub except: SmallVec<[Arc<str>; 1]>,
    /// A socket that is left out, as the sender of `socket.to(room)` is. The reference leaves out
    /// the room of that id instead, which fails for a socket that has left its own room.
    pub except_socket: Option<SocketId>,
}

impl Target {
    /// Everybody in the namespace.
    pub fn everybody() -> Self {
        Self::default()
    }

    /// The members of one room.
    pub fn room(name: &str) -> Self {
        Self::default().to(name)
    }

    /// Also the members of `room`.
    #[must_use]
    pub fn to(mut self, room: &str) -> Self {
        self.rooms.push(room.into());
        self
    }

    /// But not the members of `room`.
    #[must_use]
    pub fn except(mut self, room: &str) -> Self {
        self.except.push(room.into());
        self
    }
}
