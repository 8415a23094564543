//! One number for each resource that a peer could otherwise make grow.

use core::time::Duration;

/// What a peer, or an application that does not keep up, may make the server hold.
///
/// Each field says what happens at the limit. The defaults are generous for honest clients: they
/// are the reference implementation's where it has one, and otherwise a value that no client of
/// the ecosystem is known to reach.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of one HTTP body, one WebSocket message, and one event with all its attachments.
    /// The reference's `maxHttpBufferSize`; announced to clients as `maxPayload`. Past it, an
    /// HTTP body is answered with 413 and the session lives on, a WebSocket is closed with 1009.
    /// With a [`Parser`](crate::Parser) it is the message as it comes; what that makes of it may be
    /// eight times as large, and counts so in [`inbox_bytes`](Self::inbox_bytes).
    pub max_payload: usize,
    /// Packets in one polling payload. The official client sends what it has buffered in one
    /// payload, so this bounds a burst; more is a parse error.
    pub payload_packets: usize,
    /// Binary attachments of one packet. The reference's `maxAttachments`.
    pub attachments: usize,
    /// Time from a packet's header to its last attachment; then the connection is closed. Where the
    /// application kept the driver from reading, the time begins anew. The reference waits for ever.
    pub attachments_timeout: Duration,
    /// Nesting of arrays and objects in JSON. serde_json's own limit is the same, so deeper values
    /// could not be decoded by a handler anyway.
    pub json_depth: usize,
    /// Bytes of an event name. Deeper than any real name, small enough to look up and to log.
    pub event_name_bytes: usize,
    /// Bytes of a namespace's name; an unknown one is echoed back in the refusal.
    pub namespace_bytes: usize,
    /// Namespaces that one connection has joined or asked to join.
    pub namespaces: usize,
    /// Rooms of one socket, its own room not counted.
    pub rooms: usize,
    /// Acknowledgements that one connection may owe the server.
    pub pending_acks: usize,
    /// Bytes that wait to be sent to one connection. An emit past it fails with
    /// [`EmitError::Full`](crate::EmitError::Full); a broadcast past it closes the slow consumer.
    pub outbox_bytes: usize,
    /// Events received and not yet taken by the application; past it the driver stops reading.
    pub inbox_events: usize,
    /// Bytes of those events; past it the driver stops reading.
    pub inbox_bytes: usize,
    /// Fragments of one WebSocket message. Guards against endless empty fragments.
    pub message_fragments: usize,
    /// Sessions at the same time in one [`Server`](crate::Server); a handshake past it is refused.
    pub sessions: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_payload: 1_000_000,
            payload_packets: 4_096,
            attachments: 10,
            attachments_timeout: Duration::from_secs(30),
            json_depth: 127,
            event_name_bytes: 512,
            namespace_bytes: 512,
            namespaces: 64,
            rooms: 1_024,
            pending_acks: 1_024,
            outbox_bytes: 16 << 20,
            inbox_events: 1_024,
            inbox_bytes: 4 << 20,
            message_fragments: 1_024,
            sessions: 1 << 20,
        }
    }
}
