//! What can go wrong before a namespace is connected.

use std::fmt;
use std::io;
use std::sync::Arc;

use sansocket_core::client::{AuthError, DisconnectReason, NamespaceError, TransportError};
use sansocket_core::{Raw, client};
use thiserror::Error;

use super::address::UrlError;

/// Why a namespace is not connected.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The client was given no URL that it can connect to.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// A header that the client was given is none.
    #[error("not a header")]
    Header,
    /// The namespace cannot be one.
    #[error(transparent)]
    Namespace(#[from] NamespaceError),
    /// What the server is to be told cannot be encoded.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The operating system has no randomness to give, without which the delays of all clients
    /// would be the same.
    #[error("no randomness: {0}")]
    Randomness(Arc<io::Error>),
    /// The connection could not be made.
    #[error("{error}{}", Cause(cause.as_ref()))]
    Transport {
        /// What failed.
        error: TransportError,
        /// And why, as far as the network tells.
        cause: Option<Arc<io::Error>>,
    },
    /// [`Builder::timeout`](super::Builder::timeout) passed.
    #[error("timeout")]
    TimedOut,
    /// The server refused the namespace, for one in a middleware.
    #[error("{message}")]
    Refused {
        /// What it says about it.
        message: String,
        /// What it added.
        data: Option<Raw>,
    },
    /// The server has not answered within
    /// [`Builder::namespace_timeout`](super::Builder::namespace_timeout), or
    /// [`Builder::auth_with`](super::Builder::auth_with) has not said what to tell it.
    #[error("the namespace was not confirmed in time")]
    Unanswered,
    /// The server speaks an older protocol.
    #[error("the server speaks another version of the protocol")]
    UnsupportedProtocol,
    /// The connection was lost while the namespace was being connected. Another one follows, unless
    /// the client was told not to reconnect.
    #[error("the connection was lost before the namespace was connected: {0}")]
    Lost(DisconnectReason),
    /// The client was closed, or the namespace disconnected, before it was connected.
    #[error("closed before it was connected")]
    Closed,
    /// Something else that the core gives as a reason.
    #[error("{0}")]
    Other(client::ConnectError),
}

struct Cause<'a>(Option<&'a Arc<io::Error>>);

impl fmt::Display for Cause<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |error| write!(f, ": {error}"))
    }
}

impl ConnectError {
    /// What the core says, with what the network has said before.
    pub(super) fn new(error: client::ConnectError, cause: Option<&Arc<io::Error>>) -> Self {
        match error {
            client::ConnectError::Transport(error) => {
                let is_network =
                    matches!(error, TransportError::Request | TransportError::WebSocket);
                Self::Transport { error, cause: cause.filter(|_| is_network).cloned() }
            }
            client::ConnectError::TimedOut => Self::TimedOut,
            client::ConnectError::Refused { message, data } => Self::Refused { message, data },
            client::ConnectError::Unanswered => Self::Unanswered,
            client::ConnectError::UnsupportedProtocol => Self::UnsupportedProtocol,
            other => Self::Other(other),
        }
    }

    /// For whoever waits for a namespace when its connection ends.
    pub(super) fn lost(reason: DisconnectReason) -> Self {
        if reason == DisconnectReason::IoClientDisconnect {
            Self::Closed
        } else {
            Self::Lost(reason)
        }
    }

    /// Whether the client has given up: it does not try again by itself, though
    /// [`Socket::connect`](super::Socket::connect) may.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Transport { error, .. } => matches!(error, TransportError::NoTransport),
            Self::TimedOut | Self::Lost(_) => false,
            Self::Other(error) => error.is_final(),
            Self::Url(_)
            | Self::Header
            | Self::Namespace(_)
            | Self::Auth(_)
            | Self::Randomness(_)
            | Self::Refused { .. }
            | Self::Unanswered
            | Self::UnsupportedProtocol
            | Self::Closed => true,
        }
    }
}
