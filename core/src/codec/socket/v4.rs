//! Socket.IO 4 packets, received: those of Socket.IO 5, but for CONNECT.
//!
//! A client of that revision says in the namespace what one of the next says in the payload:
//! `0/admin?token=abc,` is `0/admin,{"token":"abc"}`. It is translated here, so nobody else has to
//! know.

#[cfg(test)]
mod tests;

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::string::String;
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
    let mut translated = Vec::with_capacity(text.len() + 16);
    translated.extend_from_slice(connect);
    translated.push(b',');
    translated.extend_from_slice(auth(query).as_bytes());
    Packet::decode(Bytes::from(translated), limits)
}

/// What a query, with its `?`, is as the payload of a CONNECT.
fn auth(query: &[u8]) -> String {
    // Of repeated names the last counts, as everywhere.
    let auth: BTreeMap<Cow<'_, str>, Cow<'_, str>> =
        form_urlencoded::parse(query.get(1..).unwrap_or_default()).collect();
    // A map of texts can always be written.
    serde_json::to_string(&auth).unwrap_or_default()
}

/// Takes the query off the namespace of a CONNECT, and gives what it is as a payload. Without one
/// that is nothing, whatever the packet has.
pub(super) fn take_auth(namespace: &mut Cow<'_, str>) -> String {
    let Some(end) = memchr(b'?', namespace.as_bytes()) else { return String::new() };
    let payload = auth(namespace.as_bytes().get(end..).unwrap_or_default());
    namespace.to_mut().truncate(end);
    payload
}
