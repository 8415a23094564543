//! Engine.IO alone: every message is sent back as it came.
//!
//! There is no server of Engine.IO without Socket.IO above it, but a parser decides what a message
//! means. This one takes each for the wish to join a namespace whose name is the message, and sends
//! nothing but refusals, each as the message that it refuses. There are no such namespaces, so HTTP,
//! WebSocket, heartbeat and upgrade work as ever, and nothing of Socket.IO is seen.

use std::borrow::Cow;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use sansocket_driver::{
    Builder, EncodeError, Limits, PacketError, PacketKind, PacketParts, Parser, Wire,
};

const TEXT: &str = "/text/";
const BINARY: &str = "/binary/";

/// A session of Engine.IO need not join anything.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) fn apply<S>(builder: Builder<S>, max_payload: usize) -> Builder<S> {
    let mut limits = Limits::default();
    // Base64 makes four bytes of three.
    limits.namespace_bytes = max_payload.saturating_mul(2);
    builder.limits(limits).path("/engine.io/").connect_timeout(CONNECT_TIMEOUT).parser(Echo)
}

#[derive(Debug)]
struct Echo;

impl Parser for Echo {
    fn encode<'a>(&self, packet: &'a PacketParts<'_>) -> Result<Wire<'a>, EncodeError> {
        message(packet).ok_or_else(|| EncodeError::Value { message: "not a message".into() })
    }

    fn decode<'a>(&self, wire: Wire<'a>, _: &Limits) -> Result<PacketParts<'a>, PacketError> {
        let namespace = match wire {
            Wire::Text(text) => format!("{TEXT}{}", STANDARD.encode(text.as_bytes())),
            Wire::Binary(data) => format!("{BINARY}{}", STANDARD.encode(data)),
        };
        Ok(PacketParts {
            kind: PacketKind::Connect,
            namespace: namespace.into(),
            ack: None,
            payload: Cow::Borrowed(""),
            attachments: Vec::new(),
        })
    }
}

/// The message that a refusal is of.
fn message(packet: &PacketParts<'_>) -> Option<Wire<'static>> {
    if packet.kind != PacketKind::ConnectError {
        return None;
    }
    if let Some(text) = packet.namespace.strip_prefix(TEXT) {
        let text = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
        return Some(Wire::Text(text.into()));
    }
    let data = STANDARD.decode(packet.namespace.strip_prefix(BINARY)?).ok()?;
    Some(Wire::Binary(Bytes::from(data)))
}
