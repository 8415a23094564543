//! Socket.IO 4 packets, received: those of Socket.IO 5, but for CONNECT.
//!
//! A client of that revision says in the namespace what one of the next says in the payload:
//! `0/admin?token=abc,` is `0/admin,{"token":"abc"}`. It is translated here, so nobody else has to
//! know.

#[cfg(test)]
mod tests;

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use bytes::Bytes;
use memchr::memchr;

use super::Packet;
use crate::{Limits, PacketError};

/// Decodes `text`: an Engine.IO message, with the `4` in front.
///
/// # Errors
///
/// As for [`Packet::decode`].
pub fn decode(text: Bytes, limits: &Limits) -> Result<Packet, PacketError> {
    if !text.starts_with(b"40/") {
        return Packet::decode(text, limits);
    }
    // What follows the comma has no meaning in this revision.
    let end = memchr(b',', &text).unwrap_or(text.len());
    let address = text.slice(..end);
    let Some(name_end) = memchr(b'?', &address) else { return Packet::decode(address, limits) };
    let (connect, query) = address.split_at(name_end);
    // Of repeated names the last counts, as everywhere.
    let auth: BTreeMap<Cow<'_, str>, Cow<'_, str>> =
        form_urlencoded::parse(query.get(1..).unwrap_or_default()).collect();
    let mut translated = Vec::with_capacity(text.len() + 16);
    translated.extend_from_slice(connect);
    translated.push(b',');
    // A map of texts can always be written.
    translated.extend(serde_json::to_vec(&auth).unwrap_or_default());
    Packet::decode(Bytes::from(translated), limits)
}
