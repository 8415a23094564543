//! Why a session or a socket ended.

use core::fmt;

/// Why a socket was disconnected. [`as_str`](Self::as_str) gives the reference implementation's
/// exact words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DisconnectReason {
    /// The client sent DISCONNECT for this namespace.
    ClientNamespaceDisconnect,
    /// The application disconnected this socket.
    ServerNamespaceDisconnect,
    /// The server is shutting down.
    ServerShuttingDown,
    /// The client did not answer a ping in time.
    PingTimeout,
    /// The client closed its transport.
    TransportClose,
    /// The transport failed, or the client broke its rules: overlapping requests, a wrong
    /// heartbeat direction, a message that is too large.
    TransportError,
    /// The client sent bytes that are no Engine.IO packet.
    ParseError,
    /// The server closed the connection, for one because a packet was malformed.
    ForcedClose,
    /// The server closed the connection because a packet came at the wrong time, or the client
    /// joined no namespace in time.
    ForcedServerClose,
    /// More waited to be sent than [`Limits::outbox_bytes`](crate::Limits). Not in the reference,
    /// which buffers without bound.
    OutboxOverflow,
    /// The client has sent more than its [`RateLimit`](crate::RateLimit) lets it. Not in the
    /// reference.
    RateExceeded,
}

impl DisconnectReason {
    /// How many there are.
    pub(crate) const COUNT: usize = 11;

    const ALL: [Self; Self::COUNT] = [
        Self::ClientNamespaceDisconnect,
        Self::ServerNamespaceDisconnect,
        Self::ServerShuttingDown,
        Self::PingTimeout,
        Self::TransportClose,
        Self::TransportError,
        Self::ParseError,
        Self::ForcedClose,
        Self::ForcedServerClose,
        Self::OutboxOverflow,
        Self::RateExceeded,
    ];

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter()
    }

    /// The words that applications compare with.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientNamespaceDisconnect => "client namespace disconnect",
            Self::ServerNamespaceDisconnect => "server namespace disconnect",
            Self::ServerShuttingDown => "server shutting down",
            Self::PingTimeout => "ping timeout",
            Self::TransportClose => "transport close",
            Self::TransportError => "transport error",
            Self::ParseError => "parse error",
            Self::ForcedClose => "forced close",
            Self::ForcedServerClose => "forced server close",
            Self::OutboxOverflow => "outbox overflow",
            Self::RateExceeded => "rate exceeded",
        }
    }
}

impl fmt::Display for DisconnectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
