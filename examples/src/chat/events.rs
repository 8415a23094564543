//! The namespace `/chat`: the page's protocol.
//!
//! Handlers send while they hold the lock. Sending only puts packets into queues, so it does not
//! wait; and whoever changes a room after us also tells it after us, so that the last list of
//! people that a client gets is the current one.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use sansocket_driver::{Ack, Broadcast, DisconnectReason, Namespace, Socket};
use serde::Serialize;

use crate::chat::limits;
use crate::chat::protocol::{
    Accepted, Answer, Enter, Entered, Fetch, Fetched, File, Leave, Left, Presence, Refusal, Say,
    Share, Typing, TypingHint,
};
use crate::chat::state::{Chat, Posted};

pub(crate) fn register(namespace: &Namespace) {
    namespace
        .on("enter", async |socket: Socket, request| answer(enter(&socket, request)))
        .on("leave", async |socket: Socket, request| answer(leave(&socket, request)))
        .on("say", async |socket: Socket, request| answer(say(&socket, request)))
        .on("share", async |socket: Socket, (request, data)| answer(share(&socket, request, data)))
        .on("fetch", async |socket: Socket, request| answer(fetch(&socket, request)))
        .on("typing", async |socket: Socket, request| typing(&socket, request))
        .on_disconnect(async |socket: Socket, _: DisconnectReason| disconnect(&socket));
}

fn answer<T: Serialize>(result: Result<T, Refusal>) -> Ack<Answer<T>> {
    Ack(result.into())
}

fn enter(socket: &Socket, Enter { room, nick }: Enter) -> Result<Entered, Refusal> {
    Refusal::BadNick.unless(limits::is_nick(&nick))?;
    Refusal::BadRoom.unless(limits::is_room(&room))?;
    let mut chat = lock(socket);
    let changed = chat.enter(socket.id(), &room, &nick, now_micros())?;
    // Fails if the client has gone. Its disconnection, which is handled next, undoes the above.
    let _ = socket.join(channel(&room));
    for room in &changed {
        send_presence(socket, &chat, room);
    }
    let user = chat.member(socket.id(), &room).ok_or(Refusal::NotInRoom)?;
    Ok(Entered { user, messages: chat.history(&room) })
}

fn leave(socket: &Socket, Leave { room }: Leave) -> Result<Left, Refusal> {
    let mut chat = lock(socket);
    if chat.leave(socket.id(), &room) {
        socket.leave(channel(&room));
        send_presence(socket, &chat, &room);
    }
    Ok(Left {})
}

fn say(socket: &Socket, Say { room, key, text }: Say) -> Result<Accepted, Refusal> {
    Refusal::BadRequest.unless(limits::is_key(&key))?;
    Refusal::BadText.unless(limits::is_text(&text))?;
    let mut chat = lock(socket);
    match chat.say(socket.id(), &room, key, text, now_micros())? {
        Posted::New(message) => {
            emit(&socket.to(channel(&room)), "said", &message);
            Ok(Accepted { id: message.id })
        }
        Posted::Known(id) => Ok(Accepted { id }),
    }
}

fn share(socket: &Socket, request: Share, data: Bytes) -> Result<Accepted, Refusal> {
    let Share { room, key, name, content_type } = request;
    Refusal::BadRequest.unless(limits::is_key(&key))?;
    Refusal::BadFile.unless(limits::is_file_name(&name))?;
    Refusal::BadFile.unless(limits::is_file_type(&content_type))?;
    Refusal::BadFile.unless(limits::is_file_data(&data))?;
    let file = File { name, content_type, size: data.len() };
    let mut chat = lock(socket);
    match chat.share(socket.id(), &room, key, file, data.clone(), now_micros())? {
        Posted::New(message) => {
            emit(&socket.to(channel(&room)), "shared", &(&message, data));
            Ok(Accepted { id: message.id })
        }
        Posted::Known(id) => Ok(Accepted { id }),
    }
}

fn fetch(socket: &Socket, Fetch { room, id }: Fetch) -> Result<Fetched, Refusal> {
    let data = lock(socket).fetch(socket.id(), &room, id)?;
    Ok(Fetched { data })
}

fn typing(socket: &Socket, Typing { room, on }: Typing) {
    let chat = lock(socket);
    if let Some(user) = chat.member(socket.id(), &room) {
        let hint = TypingHint { room: &room, user, on };
        emit(&socket.to(channel(&room)), "typing", &hint);
    }
}

fn disconnect(socket: &Socket) {
    let mut chat = lock(socket);
    for room in chat.disconnect(socket.id()) {
        send_presence(socket, &chat, &room);
    }
}

/// Tells a room who is in it.
fn send_presence(socket: &Socket, chat: &Chat, room: &str) {
    let presence = Presence { room, users: chat.members(room) };
    emit(&socket.namespace().to(channel(room)), "presence", &presence);
}

fn emit<T: Serialize>(recipients: &Broadcast, event: &str, args: &T) {
    // A client that does not keep up is disconnected, so nobody misses anything unawares.
    if let Err(error) = recipients.emit(event, args) {
        eprintln!("{event} was not sent: {error}");
    }
}

/// The Socket.IO room of a room of the chat. The two differ, because a socket is always in the
/// Socket.IO room that is called by its id, and a room of the chat may be called by any name.
fn channel(room: &str) -> String {
    format!("chat:{room}")
}

fn lock(socket: &Socket) -> MutexGuard<'_, Chat> {
    let chat: &Mutex<Chat> = socket.state().expect("the server is built with a chat");
    chat.lock().unwrap_or_else(PoisonError::into_inner)
}

fn now_micros() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_micros()).unwrap_or(u64::MAX)
}
