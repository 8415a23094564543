//! The namespace `/`: the events that every Socket.IO tutorial shows.

use std::error::Error;
use std::io::{self, Write};

use sansocket_driver::{Ack, Namespace, Raw, Socket};
use serde::Serialize;

use crate::chat::limits;

const LINE_CHARS_MAX: usize = 1_000;

pub(crate) fn register(namespace: &Namespace) {
    namespace
        .on("chat message", chat_message)
        .on("join room", join_room)
        .on("get data", async |_: Socket, (): ()| Ack(Data { message: "Here's your data!" }))
        .on("update user", update_user);
}

#[derive(Serialize)]
struct Data {
    message: &'static str,
}

/// To everybody, the sender included.
async fn chat_message(socket: Socket, text: String) -> Result<(), Box<dyn Error + Send + Sync>> {
    if limits::is_text(&text) {
        socket.server().emit("chat message", &text)?;
    }
    Ok(())
}

async fn join_room(socket: Socket, room: String) -> Result<(), Box<dyn Error + Send + Sync>> {
    if limits::is_room(&room) {
        socket.join(&room)?;
        let text = format!("{} joined {room}", socket.id());
        socket.server().to(room).emit("room message", &text)?;
    }
    Ok(())
}

/// The JSON is printed as it came, without decoding it, but for its control characters: line feeds
/// may stand between its values, and what is printed is to be one line.
async fn update_user(_: Socket, user: Raw) -> io::Result<()> {
    if !user.as_str().starts_with('{') {
        return Ok(());
    }
    let printable = user.as_str().chars().filter(|character| !character.is_control());
    let json: String = printable.take(LINE_CHARS_MAX).collect();
    writeln!(io::stdout(), "update user {json}")
}
