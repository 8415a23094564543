//! Who is in which room, and what was said there. It knows nothing of connections, and no clock:
//! times are microseconds of the Unix epoch, given by the caller.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use sansocket_driver::SocketId;

use crate::chat::limits::{FILES_BYTES_MAX, ROOMS_MAX, ROOMS_PER_SOCKET_MAX, SOCKETS_PER_ROOM_MAX};
use crate::chat::protocol::{Content, File, Message, Refusal, User};

use history::History;

mod history;

/// Everything that the chat remembers.
#[derive(Default)]
pub(crate) struct Chat {
    rooms: HashMap<Arc<str>, Room>,
    people: HashMap<SocketId, Person>,
    /// The bytes of shared files by the ids of their messages, and so the oldest first. Each
    /// message is in the history of some room.
    files: BTreeMap<u64, Bytes>,
    files_bytes: usize,
    last_id: u64,
}

struct Room {
    /// In order of entering.
    members: Vec<SocketId>,
    history: History,
    created_at_micros: u64,
}

struct Person {
    nick: Arc<str>,
    rooms: Vec<Arc<str>>,
}

/// What became of something said or shared.
#[derive(Debug, PartialEq)]
pub(crate) enum Posted {
    /// Everybody else in the room is to get it.
    New(Arc<Message>),
    /// It came before, and was given this id.
    Known(u64),
}

impl Chat {
    /// Adds somebody to a room, or gives them another nick there and everywhere. Returns the rooms
    /// in which others are to see the change.
    pub(crate) fn enter(
        &mut self,
        id: SocketId,
        room: &str,
        nick: &str,
        now_micros: u64,
    ) -> Result<Vec<Arc<str>>, Refusal> {
        if !self.is_member(id, room) {
            self.add_member(id, room, nick, now_micros)?;
        }
        let person = self.people.get_mut(&id).ok_or(Refusal::NotInRoom)?;
        if *person.nick == *nick {
            return Ok(vec![room.into()]);
        }
        person.nick = nick.into();
        Ok(person.rooms.clone())
    }

    /// Whether somebody was in the room, and is no longer.
    pub(crate) fn leave(&mut self, id: SocketId, room: &str) -> bool {
        let Some(person) = self.people.get_mut(&id) else { return false };
        let Some(index) = person.rooms.iter().position(|joined| **joined == *room) else {
            return false;
        };
        person.rooms.remove(index);
        self.remove_member(id, room);
        true
    }

    /// Forgets somebody. Returns the rooms that they were in.
    pub(crate) fn disconnect(&mut self, id: SocketId) -> Vec<Arc<str>> {
        let rooms = self.people.remove(&id).map(|person| person.rooms).unwrap_or_default();
        for room in &rooms {
            self.remove_member(id, room);
        }
        rooms
    }

    pub(crate) fn say(
        &mut self,
        id: SocketId,
        room: &str,
        key: String,
        text: String,
        now_micros: u64,
    ) -> Result<Posted, Refusal> {
        self.post(id, room, key, Content::Text(text), now_micros)
    }

    pub(crate) fn share(
        &mut self,
        id: SocketId,
        room: &str,
        key: String,
        file: File,
        data: Bytes,
        now_micros: u64,
    ) -> Result<Posted, Refusal> {
        let posted = self.post(id, room, key, Content::File(file), now_micros)?;
        if let Posted::New(message) = &posted {
            self.keep(message.id, data);
        }
        Ok(posted)
    }

    /// The bytes of a file that was shared in a room.
    pub(crate) fn fetch(&self, id: SocketId, room: &str, message: u64) -> Result<Bytes, Refusal> {
        let room = self.room_of(id, room).ok_or(Refusal::NotInRoom)?;
        let data = self.files.get(&message).filter(|_| room.history.contains(message));
        data.cloned().ok_or(Refusal::Gone)
    }

    /// Somebody, if they are in the room.
    pub(crate) fn member(&self, id: SocketId, room: &str) -> Option<User> {
        self.is_member(id, room).then(|| self.user(id)).flatten()
    }

    /// Everybody in a room, in order of entering.
    pub(crate) fn members(&self, room: &str) -> Vec<User> {
        let members = self.rooms.get(room).map(|room| room.members.as_slice()).unwrap_or_default();
        members.iter().filter_map(|id| self.user(*id)).collect()
    }

    /// What a room remembers, the oldest first.
    pub(crate) fn history(&self, room: &str) -> Vec<Arc<Message>> {
        self.rooms.get(room).map(|room| room.history.messages()).unwrap_or_default()
    }

    fn user(&self, id: SocketId) -> Option<User> {
        self.people.get(&id).map(|person| User { id, nick: person.nick.clone() })
    }

    fn is_member(&self, id: SocketId, room: &str) -> bool {
        self.room_of(id, room).is_some()
    }

    /// The room, if somebody is in it.
    fn room_of(&self, id: SocketId, room: &str) -> Option<&Room> {
        self.rooms.get(room).filter(|room| room.members.contains(&id))
    }

    fn add_member(
        &mut self,
        id: SocketId,
        room: &str,
        nick: &str,
        now_micros: u64,
    ) -> Result<(), Refusal> {
        let joined = self.people.get(&id).map_or(0, |person| person.rooms.len());
        Refusal::TooManyRooms.unless(joined < ROOMS_PER_SOCKET_MAX)?;
        let members = self.rooms.get(room).map_or(0, |room| room.members.len());
        Refusal::RoomFull.unless(members < SOCKETS_PER_ROOM_MAX)?;
        if !self.rooms.contains_key(room) && self.rooms.len() >= ROOMS_MAX {
            self.forget_a_room()?;
        }
        let name: Arc<str> = room.into();
        let room = self.rooms.entry(name.clone()).or_insert_with(|| Room {
            members: Vec::new(),
            history: History::default(),
            created_at_micros: now_micros,
        });
        room.members.push(id);
        let person = self.people.entry(id);
        let person = person.or_insert_with(|| Person { nick: nick.into(), rooms: Vec::new() });
        person.rooms.push(name);
        Ok(())
    }

    fn remove_member(&mut self, id: SocketId, room: &str) {
        if let Some(room) = self.rooms.get_mut(room) {
            room.members.retain(|member| *member != id);
        }
    }

    /// Makes space for another room: of the empty ones, the quietest goes, with its history.
    fn forget_a_room(&mut self) -> Result<(), Refusal> {
        let empty = self.rooms.iter().filter(|(_, room)| room.members.is_empty());
        let quietest = empty.min_by_key(|(_, room)| room.last_active_at_micros());
        let name = quietest.map(|(name, _)| name.clone()).ok_or(Refusal::ServerFull)?;
        let room = self.rooms.remove(&name);
        for message in room.iter().flat_map(|room| room.history.messages()) {
            self.drop_file(message.id);
        }
        Ok(())
    }

    fn post(
        &mut self,
        id: SocketId,
        room: &str,
        key: String,
        content: Content,
        now_micros: u64,
    ) -> Result<Posted, Refusal> {
        let from = self.member(id, room).ok_or(Refusal::NotInRoom)?;
        let (name, _) = self.rooms.get_key_value(room).ok_or(Refusal::NotInRoom)?;
        let name = name.clone();
        let room = self.rooms.get_mut(room).ok_or(Refusal::NotInRoom)?;
        if let Some(known) = room.history.find_key(&key) {
            return Ok(Posted::Known(known));
        }
        self.last_id = now_micros.max(self.last_id + 1);
        let message = Arc::new(Message { id: self.last_id, room: name, key, from, content });
        for dropped in room.history.push(message.clone()) {
            self.drop_file(dropped.id);
        }
        Ok(Posted::New(message))
    }

    fn keep(&mut self, message: u64, data: Bytes) {
        self.files_bytes += data.len();
        self.files.insert(message, data);
        while self.files_bytes > FILES_BYTES_MAX
            && let Some((_, dropped)) = self.files.pop_first()
        {
            self.files_bytes -= dropped.len();
        }
    }

    fn drop_file(&mut self, message: u64) {
        if let Some(dropped) = self.files.remove(&message) {
            self.files_bytes -= dropped.len();
        }
    }
}

impl Room {
    /// The time of the last message; of the room's beginning if there was none.
    fn last_active_at_micros(&self) -> u64 {
        self.history.last_id().unwrap_or(self.created_at_micros)
    }
}

#[cfg(test)]
mod tests;
