//! What the server says in its open packet (Engine.IO protocol 4, "Handshake").

#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use serde::Deserialize;

use crate::Transport;

/// The open packet's data.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Handshake {
    /// The session's id, as it is written in a query string.
    pub(super) sid: Box<str>,
    /// Whether the session may go to a WebSocket.
    pub(super) offers_websocket: bool,
    /// How long the server may be silent: the interval of its pings and what a ping may be late.
    pub(super) silence_max: Duration,
    /// Bytes of the largest body or message that the server takes; `None` if it does not say, or
    /// says 0, which would be nothing at all.
    pub(super) max_payload: Option<usize>,
}

/// Bytes of a session id. Those of all servers known are far shorter; it is part of each request.
const SID_BYTES_MAX: usize = 512;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OpenPacket {
    sid: String,
    #[serde(default)]
    upgrades: Vec<String>,
    ping_interval: u64,
    ping_timeout: u64,
    #[serde(default)]
    max_payload: Option<u64>,
}

impl Handshake {
    /// Reads an open packet. `None` if it is malformed.
    pub(super) fn decode(packet: &[u8]) -> Option<Self> {
        let open: OpenPacket = serde_json::from_slice(packet.strip_prefix(b"0")?).ok()?;
        if open.sid.is_empty() || open.sid.len() > SID_BYTES_MAX {
            return None;
        }
        let sid: String = form_urlencoded::byte_serialize(open.sid.as_bytes()).collect();
        Some(Self {
            sid: sid.into_boxed_str(),
            offers_websocket: open
                .upgrades
                .iter()
                .any(|upgrade| upgrade == Transport::WebSocket.as_str()),
            silence_max: Duration::from_millis(
                open.ping_interval.saturating_add(open.ping_timeout),
            ),
            max_payload: open
                .max_payload
                .filter(|bytes| *bytes > 0)
                .map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
        })
    }
}
