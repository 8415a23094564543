//! What the application learns from its client.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;
use thiserror::Error;

use crate::codec::args::{Args, Raw};
use crate::codec::socket::Packet;
use crate::inbox::Weigh;
use crate::{AckId, EncodeError, EngineError, SocketKey};

/// Something that happened. Pulled by [`Manager::poll_event`](super::Manager::poll_event), in the
/// order in which it happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// The connection is open; the namespaces are joined next.
    Opened,
    /// A WebSocket has taken over from polling.
    Upgraded,
    /// The connection that was open is not any more; with
    /// [`IoClientDisconnect`](DisconnectReason::IoClientDisconnect) where no namespace needs it.
    Closed(DisconnectReason),
    /// A reconnection begins: the first since the connection was lost has the number 1.
    ReconnectAttempt {
        /// The number.
        attempt: u32,
    },
    /// A reconnection failed. Another follows after a delay, or
    /// [`ReconnectFailed`](Self::ReconnectFailed).
    ReconnectError(ConnectError),
    /// All attempts have failed. Nothing more happens until a namespace is connected by a command.
    ReconnectFailed,
    /// A reconnection succeeded. Comes behind [`Opened`](Self::Opened), before any namespace is
    /// connected.
    Reconnected {
        /// How many attempts it took.
        attempts: u32,
    },
    /// What is the server to be told? Answer with
    /// [`Socket::authenticate`](super::Socket::authenticate), at once or later.
    AuthRequested(AuthRequest),
    /// A namespace is connected. What came for it before, and what a recovery has brought, follows.
    Connected(Connected),
    /// A namespace could not be connected. See [`ConnectError::is_final`].
    ConnectError {
        /// The namespace.
        socket: SocketKey,
        /// Why.
        error: ConnectError,
    },
    /// A namespace that was connected is not any more.
    Disconnected {
        /// The namespace.
        socket: SocketKey,
        /// Why.
        reason: DisconnectReason,
    },
    /// The server emitted an event.
    Received(Received),
    /// A message that had waited for the connection is larger than the server takes, and was not
    /// sent: that would have closed the connection. An acknowledgement that it asks for fails.
    Discarded {
        /// The namespace.
        socket: SocketKey,
        /// The server's `maxPayload`, in bytes.
        limit: usize,
    },
}

/// The application is asked for what the server is to be told.
#[derive(Debug)]
pub struct AuthRequest {
    /// The namespace that is to be connected.
    pub socket: SocketKey,
    /// Which of its connects this is for.
    pub(super) session: u32,
}

/// A namespace is connected.
#[derive(Debug)]
pub struct Connected {
    /// The namespace.
    pub socket: SocketKey,
    /// The id that the server gave it.
    pub id: Arc<str>,
    /// Whether the server has recovered the state that it had before the connection was lost.
    pub recovered: bool,
}

/// The server emitted an event.
#[derive(Debug)]
pub struct Received {
    /// The namespace that it was emitted in.
    pub socket: SocketKey,
    /// Its name and arguments. Where the server can recover connections, the last argument is an
    /// offset that it has added.
    pub packet: Packet,
    /// Binary data that the arguments refer to.
    pub attachments: Vec<Bytes>,
    /// The acknowledgement that the server asks for.
    pub ack: Option<AckToken>,
}

/// The right to answer one event, once, on the connection that brought it.
#[derive(Debug)]
pub struct AckToken {
    pub(super) id: AckId,
    pub(super) session: u32,
}

impl AckToken {
    /// The id to encode the answer with, a
    /// [`Message::ack`](crate::codec::message::Message::ack).
    pub fn id(&self) -> AckId {
        self.id
    }
}

/// What became of an acknowledgement that the server owed. Pulled by
/// [`Manager::poll_ack`](super::Manager::poll_ack).
#[derive(Debug)]
pub struct AckOutcome {
    /// The id that the emit was given.
    pub id: AckId,
    /// The namespace that it was emitted in.
    pub socket: SocketKey,
    /// The arguments of the acknowledgement, or why there are none.
    pub result: Result<Args, AckFailure>,
}

/// Why an acknowledgement did not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AckFailure {
    /// Its deadline passed, or that of the last try.
    #[error("operation has timed out")]
    TimedOut,
    /// The namespace was disconnected, or removed.
    #[error("socket was disconnected")]
    Disconnected,
    /// The message had waited for the connection, and is larger than the server takes: it was
    /// discarded, see [`Event::Discarded`].
    #[error("packet exceeds the {limit} bytes that the server takes")]
    TooLarge {
        /// The server's `maxPayload`, in bytes.
        limit: usize,
    },
    /// The message of [`Socket::emit_at_least_once`](super::Socket::emit_at_least_once) was under
    /// way each time that the connection was lost, 32 times in a row: it may be the cause.
    #[error("connection was lost at each try")]
    Interrupted,
}

/// Why a namespace, or the connection, is connected no longer. [`as_str`](Self::as_str) gives the
/// reference implementation's exact words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DisconnectReason {
    /// The server disconnected the namespace. It is not connected again by itself.
    IoServerDisconnect,
    /// The application did. It is not connected again by itself.
    IoClientDisconnect,
    /// The server sent no ping in time.
    PingTimeout,
    /// The connection was closed by the server or by the network.
    TransportClose,
    /// The transport failed, or the server broke the rules of Engine.IO.
    TransportError,
    /// The server sent what is no Socket.IO packet, or exceeded a limit.
    ParseError,
}

impl DisconnectReason {
    /// The words that applications compare with.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IoServerDisconnect => "io server disconnect",
            Self::IoClientDisconnect => "io client disconnect",
            Self::PingTimeout => "ping timeout",
            Self::TransportClose => "transport close",
            Self::TransportError => "transport error",
            Self::ParseError => "parse error",
        }
    }

    /// Whether the client connects again by itself, unless it was told not to.
    pub const fn reconnects(self) -> bool {
        match self {
            Self::IoServerDisconnect | Self::IoClientDisconnect => false,
            Self::PingTimeout | Self::TransportClose | Self::TransportError | Self::ParseError => {
                true
            }
        }
    }
}

impl fmt::Display for DisconnectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a connection, or a namespace, could not be connected.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The connection could not be made.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// [`Config::connect_timeout`](super::Config) passed.
    #[error("timeout")]
    TimedOut,
    /// The server refused the namespace.
    #[error("{message}")]
    Refused {
        /// What it says about it.
        message: String,
        /// What it added.
        data: Option<Raw>,
    },
    /// The server has not answered within [`SocketConfig::connect_timeout`](super::SocketConfig), or
    /// the application not said what to tell it. The connection stays open for other namespaces.
    #[error("the namespace was not confirmed in time")]
    Unanswered,
    /// The server's confirmation names no socket: it speaks an older protocol.
    #[error("the server speaks another version of the protocol")]
    UnsupportedProtocol,
}

impl ConnectError {
    /// Whether the client has given up: it does not try again by itself, though
    /// [`Socket::connect`](super::Socket::connect) may.
    pub const fn is_final(&self) -> bool {
        match self {
            Self::Transport(error) => matches!(error, TransportError::NoTransport),
            Self::TimedOut => false,
            Self::Refused { .. } | Self::Unanswered | Self::UnsupportedProtocol => true,
        }
    }
}

/// How a transport failed. What lies behind it the driver knows, which has told the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TransportError {
    /// A request had no answer.
    #[error("request failed")]
    Request,
    /// A request was answered with another status than 200.
    #[error("request was answered with status {status}")]
    Status {
        /// The status.
        status: u16,
    },
    /// An answer exceeds [`Limits::response_bytes`](super::Limits).
    #[error("answer exceeds {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// A WebSocket could not be opened, or failed.
    #[error("WebSocket failed")]
    WebSocket,
    /// The connection was closed before it was open.
    #[error("connection was closed before the handshake")]
    Closed,
    /// The first packet is no handshake, or one came later.
    #[error("malformed or misplaced handshake")]
    Handshake,
    /// What the server sent is no Engine.IO packet.
    #[error(transparent)]
    Packet(#[from] EngineError),
    /// [`Config::transports`](super::Config) is empty.
    #[error("no transports available")]
    NoTransport,
}

/// Why a message was not taken. Nothing of it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EmitError {
    /// More waits than [`Limits::outbox_bytes`](super::Limits), or, where the namespace is not
    /// connected, than [`Limits::buffered_packets`](super::Limits) and
    /// [`Limits::buffered_bytes`](super::Limits).
    #[error("too much waits to be sent")]
    Full,
    /// The message was volatile, and the namespace not connected or the transport not ready.
    #[error("volatile message was dropped")]
    Dropped,
    /// The server owes [`Limits::pending_acks`](super::Limits) acknowledgements already, or so many
    /// outcomes were not taken.
    #[error("too many pending acknowledgements")]
    TooManyAcks,
    /// An acknowledgement of that id is pending.
    #[error("acknowledgement id is in use")]
    AckInUse,
    /// A packet of the message is larger than the server takes, which would close the connection.
    /// Binary data count as base64 while the connection is polling.
    #[error("packet exceeds the {limit} bytes that the server takes")]
    TooLarge {
        /// The server's `maxPayload`, in bytes.
        limit: usize,
    },
    /// The connection that the answer belongs to is gone.
    #[error("the connection that asked is gone")]
    Stale,
}

/// Why a namespace was not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NamespaceError {
    /// Its name does not begin with `/`, or holds a comma, or is longer than
    /// [`Limits::namespace_bytes`](super::Limits).
    #[error("not a name of a namespace")]
    InvalidName,
    /// There are [`Limits::namespaces`](super::Limits) already.
    #[error("more than {limit} namespaces")]
    TooMany {
        /// The limit.
        limit: usize,
    },
}

/// Why a value cannot be told to the server when a namespace is connected.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AuthError {
    /// It could not be encoded.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// It is no JSON object.
    #[error("not a JSON object")]
    NoObject,
}

impl Weigh for Event {
    fn bytes(&self) -> usize {
        match self {
            Self::Received(received) => received.bytes(),
            Self::Opened
            | Self::Upgraded
            | Self::Closed(_)
            | Self::ReconnectAttempt { .. }
            | Self::ReconnectError(_)
            | Self::ReconnectFailed
            | Self::Reconnected { .. }
            | Self::AuthRequested(_)
            | Self::Connected(_)
            | Self::ConnectError { .. }
            | Self::Disconnected { .. }
            | Self::Discarded { .. } => 0,
        }
    }
}

impl Weigh for Received {
    fn bytes(&self) -> usize {
        self.packet.len_bytes() + self.attachments.iter().map(Bytes::len).sum::<usize>()
    }
}
