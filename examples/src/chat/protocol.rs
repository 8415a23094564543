//! The values of the namespace `/chat`, as EVENTS.md describes them.

use std::sync::Arc;

use bytes::Bytes;
use sansocket_driver::SocketId;
use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;

/// Somebody in a room.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct User {
    #[serde(serialize_with = "as_text")]
    pub(crate) id: SocketId,
    pub(crate) nick: Arc<str>,
}

/// What was said or shared in a room.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Message {
    /// Microseconds of the Unix epoch, and greater than in every message before.
    pub(crate) id: u64,
    pub(crate) room: Arc<str>,
    pub(crate) key: String,
    pub(crate) from: User,
    #[serde(flatten)]
    pub(crate) content: Content,
}

/// The field of a message that is either `text` or `file`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Content {
    Text(String),
    File(File),
}

/// A file without its bytes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct File {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) content_type: String,
    /// In bytes.
    pub(crate) size: usize,
}

#[derive(Deserialize)]
pub(crate) struct Enter {
    pub(crate) room: String,
    pub(crate) nick: String,
}

#[derive(Deserialize)]
pub(crate) struct Leave {
    pub(crate) room: String,
}

#[derive(Deserialize)]
pub(crate) struct Say {
    pub(crate) room: String,
    pub(crate) key: String,
    pub(crate) text: String,
}

/// Its bytes are the second argument of the event.
#[derive(Deserialize)]
pub(crate) struct Share {
    pub(crate) room: String,
    pub(crate) key: String,
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) content_type: String,
}

#[derive(Deserialize)]
pub(crate) struct Fetch {
    pub(crate) room: String,
    pub(crate) id: u64,
}

#[derive(Deserialize)]
pub(crate) struct Typing {
    pub(crate) room: String,
    pub(crate) on: bool,
}

#[derive(Serialize)]
pub(crate) struct Presence<'a> {
    pub(crate) room: &'a str,
    pub(crate) users: Vec<User>,
}

#[derive(Serialize)]
pub(crate) struct TypingHint<'a> {
    pub(crate) room: &'a str,
    pub(crate) user: User,
    pub(crate) on: bool,
}

#[derive(Serialize)]
pub(crate) struct Entered {
    pub(crate) user: User,
    pub(crate) messages: Vec<Arc<Message>>,
}

#[derive(Serialize)]
pub(crate) struct Left {}

#[derive(Serialize)]
pub(crate) struct Accepted {
    pub(crate) id: u64,
}

#[derive(Serialize)]
pub(crate) struct Fetched {
    pub(crate) data: Bytes,
}

/// An acknowledgement: `{"ok": true, ..}` with the fields of `T`, or `{"ok": false, "error": ..}`.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Answer<T> {
    Done {
        ok: bool,
        #[serde(flatten)]
        fields: T,
    },
    Refused {
        ok: bool,
        error: Refusal,
    },
}

impl<T> From<Result<T, Refusal>> for Answer<T> {
    fn from(result: Result<T, Refusal>) -> Self {
        match result {
            Ok(fields) => Self::Done { ok: true, fields },
            Err(error) => Self::Refused { ok: false, error },
        }
    }
}

/// Why something was not done, in the words that the client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum Refusal {
    #[error("bad request")]
    BadRequest,
    #[error("bad nick")]
    BadNick,
    #[error("bad room")]
    BadRoom,
    #[error("bad text")]
    BadText,
    #[error("bad file")]
    BadFile,
    #[error("not in room")]
    NotInRoom,
    #[error("too many rooms")]
    TooManyRooms,
    #[error("room full")]
    RoomFull,
    #[error("server full")]
    ServerFull,
    #[error("gone")]
    Gone,
}

impl Refusal {
    /// This refusal unless `fits`.
    pub(crate) fn unless(self, fits: bool) -> Result<(), Self> {
        if fits { Ok(()) } else { Err(self) }
    }
}

impl Serialize for Refusal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn as_text<S: Serializer>(id: &SocketId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(id.as_str())
}
