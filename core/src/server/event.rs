//! What the application learns from the server.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::codec::args::Args;
use crate::codec::socket::Packet;
use crate::{
    AckId, DisconnectReason, ExceededRate, NamespaceKey, PacketError, Revision, SocketId, SocketKey,
};

use super::dynamic::NamespaceRequestKey;

/// Something that happened on a connection. Pulled by
/// [`Server::poll_event`](crate::Server::poll_event), in the order in which it happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A client asks to join a namespace. Answer with
    /// [`Server::accept_socket`](crate::Server::accept_socket) or
    /// [`Server::reject_socket`](crate::Server::reject_socket), at once or later.
    ConnectRequested(Box<ConnectRequest>),
    /// A client asks to join a namespace that does not exist; only where
    /// [`Server::set_dynamic_namespaces`](crate::Server::set_dynamic_namespaces) allows it. Answer
    /// with [`Server::answer_namespace_request`](crate::Server::answer_namespace_request), at once
    /// or later.
    NamespaceRequested(Box<NamespaceRequest>),
    /// A client emitted an event.
    Received(Received),
    /// A client has sent more than its [`RateLimit`](crate::RateLimit) lets it. Told once for each
    /// row of events that are too much.
    RateExceeded(RateExceeded),
    /// A socket that had been accepted is no longer connected. The last event of that socket.
    Disconnected(Disconnected),
    /// The peer broke the protocol, which closes the connection.
    Violation(PacketError),
    /// The connection is over. Its last event.
    Closed(DisconnectReason),
}

/// A client asks to join a namespace.
#[derive(Debug)]
pub struct ConnectRequest {
    /// The socket that it will be.
    pub socket: SocketKey,
    /// That socket's id.
    pub id: SocketId,
    /// The namespace.
    pub namespace: NamespaceKey,
    /// What the client speaks: the answer is a [`Message::connect`](crate::Message::connect) or
    /// [`connect_v4`](crate::Message::connect_v4), and of
    /// [`connect_error`](crate::Message::connect_error) or
    /// [`error_v4`](crate::Message::error_v4).
    pub revision: Revision,
    /// The CONNECT packet; its payload is what the client gave as `auth`, a JSON object or
    /// nothing.
    pub packet: Packet,
}

/// A client asks to join a namespace that does not exist.
#[derive(Debug)]
pub struct NamespaceRequest {
    /// What the answer must name.
    pub key: NamespaceRequestKey,
    /// The CONNECT packet, with the namespace's name and what the client gave as `auth`.
    pub packet: Packet,
}

/// A client emitted an event.
#[derive(Debug)]
pub struct Received {
    /// The socket that it was emitted on.
    pub socket: SocketKey,
    /// Its name and arguments.
    pub packet: Packet,
    /// Binary data that the arguments refer to.
    pub attachments: Vec<Bytes>,
}

/// A client has sent too much, and the first event that was too much is dealt with as
/// [`Excess`](crate::Excess) says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateExceeded {
    /// The socket that it was emitted on.
    pub socket: SocketKey,
    /// What it was too much of.
    pub rate: ExceededRate,
}

impl Received {
    /// The bytes of its text and its attachments.
    pub(crate) fn bytes(&self) -> usize {
        self.packet.len_bytes() + self.attachments.iter().map(Bytes::len).sum::<usize>()
    }

    /// The acknowledgement that the client asks for. Answer with
    /// [`Socket::acknowledge`](crate::Socket::acknowledge), at most once.
    pub fn ack(&self) -> Option<AckId> {
        self.packet.ack
    }
}

/// A socket is no longer connected.
#[derive(Debug)]
pub struct Disconnected {
    /// The socket.
    pub socket: SocketKey,
    /// Why.
    pub reason: DisconnectReason,
    /// The rooms that it was in until then, its own not among them.
    pub rooms: Vec<Arc<str>>,
}

/// What became of an acknowledgement that a client owed. Pulled by
/// [`Server::poll_ack`](crate::Server::poll_ack).
#[derive(Debug)]
pub struct AckOutcome {
    /// The id that the emit was given.
    pub id: AckId,
    /// The socket that owed it.
    pub socket: SocketKey,
    /// The arguments of the acknowledgement, or why there are none.
    pub result: Result<Args, AckFailure>,
}

/// Why an acknowledgement did not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AckFailure {
    /// Its deadline passed.
    #[error("operation has timed out")]
    TimedOut,
    /// The socket was disconnected.
    #[error("socket was disconnected")]
    Disconnected,
}

/// Why an emit, or another command to one socket, was not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EmitError {
    /// The socket is not connected: not yet, or no longer.
    #[error("socket is not connected")]
    NotConnected,
    /// More waits to be sent than [`Limits::outbox_bytes`](crate::Limits).
    #[error("outbox is full")]
    Full,
    /// The message was volatile and the transport not ready.
    #[error("volatile message was dropped")]
    Dropped,
    /// The connection owes [`Limits::pending_acks`](crate::Limits) acknowledgements already.
    #[error("too many pending acknowledgements")]
    TooManyAcks,
}
