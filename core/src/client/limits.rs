//! One number for each resource that a server, or the application itself, could make grow.

use core::time::Duration;

/// What a [`Manager`](super::Manager) may be made to hold.
///
/// Each field says what happens at the limit. A client trusts its server more than a server its
/// clients, and a server sends everything that waited in one answer, so these are wider than the
/// server's [`Limits`](crate::Limits).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of one received event with all its attachments; past it the connection is closed with
    /// `parse error`. The driver gives its WebSocket decoder the same limit.
    pub message_bytes: usize,
    /// Bytes of the answer to one request; past it the connection is closed with
    /// `transport error`. More than `message_bytes`, for a server answers with all that waited. The
    /// driver stops reading there.
    pub response_bytes: usize,
    /// Packets in the answer to one request; past it the connection is closed.
    pub response_packets: usize,
    /// Binary attachments of one received packet. The reference's `maxAttachments`.
    pub attachments: usize,
    /// Time from a packet's header to its last attachment; then the connection is closed. Where the
    /// application kept the driver from reading, the time begins anew. The reference waits for ever.
    pub attachments_timeout: Duration,
    /// Nesting of arrays and objects in JSON. serde_json's own limit is the same.
    pub json_depth: usize,
    /// Bytes of an event name.
    pub event_name_bytes: usize,
    /// Bytes of a namespace's name.
    pub namespace_bytes: usize,
    /// Namespaces of one manager; past it [`Manager::namespace`](super::Manager::namespace) fails.
    pub namespaces: usize,
    /// Acknowledgements that the server may owe one namespace, and outcomes that the application
    /// has not taken; past it an emit that asks for one fails with
    /// [`EmitError::TooManyAcks`](super::EmitError::TooManyAcks). What is sent again until it is
    /// acknowledged counts as [`buffered_packets`](Self::buffered_packets) instead.
    pub pending_acks: usize,
    /// Bytes that wait to be sent on an open connection; past it an emit fails with
    /// [`EmitError::Full`](super::EmitError::Full).
    pub outbox_bytes: usize,
    /// Messages that wait for their namespaces to be connected, or to be sent again, in all of
    /// them; past it an emit fails with [`EmitError::Full`](super::EmitError::Full). The reference
    /// buffers without bound.
    pub buffered_packets: usize,
    /// Bytes of those messages; past it an emit fails with
    /// [`EmitError::Full`](super::EmitError::Full).
    pub buffered_bytes: usize,
    /// Events received and not yet taken by the application; past it
    /// [`Manager::wants_input`](super::Manager::wants_input) stops the reading, and a lost connection
    /// is not made again.
    pub inbox_events: usize,
    /// Bytes of those events; past it the reading stops.
    pub inbox_bytes: usize,
    /// Events received before their namespaces were confirmed, of all of these together, which is how
    /// a recovered connection brings what was missed; past it the connection is closed with
    /// `parse error`, for the confirmation comes behind them.
    pub early_events: usize,
    /// Bytes of those events; past it the connection is closed.
    pub early_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes: 16 << 20,
            response_bytes: 32 << 20,
            response_packets: 1 << 18,
            attachments: 10,
            attachments_timeout: Duration::from_secs(30),
            json_depth: 127,
            event_name_bytes: 512,
            namespace_bytes: 512,
            namespaces: 64,
            pending_acks: 1_024,
            outbox_bytes: 16 << 20,
            buffered_packets: 16_384,
            buffered_bytes: 16 << 20,
            inbox_events: 1_024,
            inbox_bytes: 4 << 20,
            early_events: 65_536,
            early_bytes: 16 << 20,
        }
    }
}

impl Limits {
    /// Those of the decoders.
    pub(super) fn of_codec(&self) -> crate::Limits {
        crate::Limits {
            max_payload: self.message_bytes,
            payload_packets: self.response_packets,
            attachments: self.attachments,
            attachments_timeout: self.attachments_timeout,
            json_depth: self.json_depth,
            event_name_bytes: self.event_name_bytes,
            namespace_bytes: self.namespace_bytes,
            ..crate::Limits::default()
        }
    }
}
