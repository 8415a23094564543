//! Session ids and socket ids: 20 characters of the URL-safe base64 alphabet.
//!
//! The first character names the shard that holds the session, so that any request finds it
//! without a shared table. The other 19 carry 114 random bits.

#[cfg(test)]
mod tests;

use alloc::borrow::Cow;
use core::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::entropy::Entropy;

const LENGTH: usize = 20;
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The most shards that a first character can name.
pub const SHARDS_MAX: usize = ALPHABET.len();

/// Names an Engine.IO session on the wire (`sid`). A bearer secret: whoever knows it can read and
/// write as that client, so it is never shown to other clients and [`fmt::Debug`] hides it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sid([u8; LENGTH]);

/// Names a Socket.IO socket, to the application and to other clients (`socket.id`). Unrelated to
/// the [`Sid`] of the session that carries it, except for clients of Socket.IO 4 in `/`: they take
/// the one for the other, so there it is as secret as that.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId([u8; LENGTH]);

impl Sid {
    pub(crate) fn generate(shard: u8, entropy: &mut Entropy) -> Self {
        Self(generate(shard, entropy))
    }

    /// Reads an id from a query string, or one that an application has made: 20 letters, digits,
    /// `-` and `_`. `None` where it cannot be one of ours.
    pub fn parse(text: &str) -> Option<Self> {
        parse(text).map(Self)
    }

    /// The index of the shard that made this id; of one that the application made, any number below
    /// [`SHARDS_MAX`].
    pub fn shard(&self) -> usize {
        shard(&self.0)
    }

    /// The 20 characters.
    pub fn as_str(&self) -> &str {
        as_str(&self.0)
    }
}

impl SocketId {
    pub(crate) fn generate(shard: u8, entropy: &mut Entropy) -> Self {
        Self(generate(shard, entropy))
    }

    pub(crate) fn of_session(sid: &Sid) -> Self {
        Self(sid.0)
    }

    /// Reads an id, as another client or a database may have kept it.
    pub fn parse(text: &str) -> Option<Self> {
        parse(text).map(Self)
    }

    /// The index of the shard that made this id.
    pub fn shard(&self) -> usize {
        shard(&self.0)
    }

    /// The 20 characters.
    pub fn as_str(&self) -> &str {
        as_str(&self.0)
    }
}

impl fmt::Debug for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sid(..)")
    }
}

impl fmt::Debug for SocketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SocketId({})", self.as_str())
    }
}

impl fmt::Display for SocketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// As its 20 characters.
impl Serialize for SocketId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for SocketId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not a socket id"))
    }
}

fn generate(shard: u8, entropy: &mut Entropy) -> [u8; LENGTH] {
    let mut characters = entropy.bytes::<LENGTH>().map(|byte| ALPHABET[usize::from(byte & 63)]);
    characters[0] = ALPHABET[usize::from(shard & 63)];
    characters
}

fn parse(text: &str) -> Option<[u8; LENGTH]> {
    let characters: [u8; LENGTH] = text.as_bytes().try_into().ok()?;
    characters.iter().all(|character| position(*character).is_some()).then_some(characters)
}

fn shard(characters: &[u8; LENGTH]) -> usize {
    position(characters[0]).unwrap_or(0)
}

fn position(character: u8) -> Option<usize> {
    match character {
        b'A'..=b'Z' => Some(usize::from(character - b'A')),
        b'a'..=b'z' => Some(usize::from(character - b'a') + 26),
        b'0'..=b'9' => Some(usize::from(character - b'0') + 52),
        b'-' => Some(62),
        b'_' => Some(63),
        _ => None,
    }
}

fn as_str(characters: &[u8; LENGTH]) -> &str {
    // Only characters of the alphabet ever get in.
    core::str::from_utf8(characters).unwrap_or_default()
}
