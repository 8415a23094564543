//! What a client is told whose request cannot be served.

use alloc::format;
use alloc::string::String;

use thiserror::Error;

/// Why a request is refused. The only place that decides what the client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// `transport` is missing, unknown, or not among the server's.
    #[error("Transport unknown")]
    UnknownTransport,
    /// There is no session of that `sid`, or no longer.
    #[error("Session ID unknown")]
    UnknownSession,
    /// A session can only be opened by GET.
    #[error("Bad handshake method")]
    BadHandshakeMethod,
    /// The `Origin` header has characters that no header may have.
    #[error("Bad request")]
    InvalidOrigin,
    /// The parameter `j` is no index of a function (JSONP).
    #[error("Bad request")]
    InvalidCallback,
    /// The session is on another transport.
    #[error("Bad request")]
    TransportMismatch,
    /// `transport=websocket` without a WebSocket handshake.
    #[error("Bad request")]
    NoWebSocketHandshake,
    /// A middleware of the application did not let the request through.
    #[error("Bad request")]
    Middleware,
    /// The application gave no id for the session, or one that is taken.
    #[error("Bad request")]
    SessionId,
    /// The application refused the handshake.
    #[error("Forbidden")]
    Forbidden,
    /// `EIO` names a revision that the server does not speak.
    #[error("Unsupported protocol version")]
    UnsupportedProtocol,
    /// A second GET or POST while the first is under way. The session is closed.
    #[error("overlapping requests")]
    Overlap,
    /// A method that means nothing to a session.
    #[error("unexpected method")]
    UnexpectedMethod,
    /// [`Limits::sessions`](crate::Limits) is reached, or the server is shutting down.
    #[error("Service unavailable")]
    Unavailable,
}

impl Refusal {
    /// The `code` in the body, where there is one.
    pub const fn code(self) -> Option<u8> {
        match self {
            Self::UnknownTransport => Some(0),
            Self::UnknownSession => Some(1),
            Self::BadHandshakeMethod => Some(2),
            Self::InvalidOrigin
            | Self::InvalidCallback
            | Self::TransportMismatch
            | Self::NoWebSocketHandshake
            | Self::Middleware
            | Self::SessionId
            | Self::Unavailable => Some(3),
            Self::Forbidden => Some(4),
            Self::UnsupportedProtocol => Some(5),
            Self::Overlap | Self::UnexpectedMethod => None,
        }
    }

    /// The HTTP status. A refused WebSocket handshake is always answered 400 instead.
    pub const fn status(self) -> u16 {
        match self {
            Self::UnknownTransport
            | Self::UnknownSession
            | Self::BadHandshakeMethod
            | Self::InvalidOrigin
            | Self::InvalidCallback
            | Self::TransportMismatch
            | Self::NoWebSocketHandshake
            | Self::Middleware
            | Self::SessionId
            | Self::UnsupportedProtocol
            | Self::Overlap => 400,
            Self::Forbidden => 403,
            Self::UnexpectedMethod => 500,
            Self::Unavailable => 503,
        }
    }

    /// The JSON body, empty for refusals without a code. `message` replaces the standard text, as
    /// an application may do for [`Forbidden`](Self::Forbidden).
    pub fn body(self, message: Option<&str>) -> String {
        let Some(code) = self.code() else { return String::new() };
        match message {
            None => format!(r#"{{"code":{code},"message":"{self}"}}"#),
            Some(message) => {
                let message = serde_json::to_string(message).unwrap_or_default();
                format!(r#"{{"code":{code},"message":{message}}}"#)
            }
        }
    }
}
