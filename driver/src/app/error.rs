//! What can go wrong between the application and a client.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use sansocket_core::{AckFailure, ArgsError, EncodeError};
use thiserror::Error;

/// Why a message was not sent. The peer has not seen any of it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EmitError {
    /// The socket is not connected: not yet, or no longer. Of a client: it is closed for good, or the
    /// connection that asked for an acknowledgement is gone.
    #[error("socket is not connected")]
    NotConnected,
    /// More waits to be sent than [`Limits::outbox_bytes`](crate::Limits).
    #[error("outbox is full")]
    Full,
    /// The message was volatile and the transport not ready.
    #[error("volatile message was dropped")]
    Dropped,
    /// The peer owes [`Limits::pending_acks`](crate::Limits) acknowledgements already.
    #[error("too many pending acknowledgements")]
    TooManyAcks,
    /// A packet of the message is larger than the server takes, which would close the connection. Of
    /// a client only.
    #[error("packet exceeds the {limit} bytes that the server takes")]
    TooLarge {
        /// The server's `maxPayload`, in bytes.
        limit: usize,
    },
    /// The event's name is reserved, or its arguments could not be encoded.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// Something else that the core gives as a reason.
    #[error("{0}")]
    Other(sansocket_core::EmitError),
}

impl From<sansocket_core::EmitError> for EmitError {
    fn from(error: sansocket_core::EmitError) -> Self {
        match error {
            sansocket_core::EmitError::NotConnected => Self::NotConnected,
            sansocket_core::EmitError::Full => Self::Full,
            sansocket_core::EmitError::Dropped => Self::Dropped,
            sansocket_core::EmitError::TooManyAcks => Self::TooManyAcks,
            // The core may name more reasons in a later version.
            other => Self::Other(other),
        }
    }
}

impl From<sansocket_core::client::EmitError> for EmitError {
    fn from(error: sansocket_core::client::EmitError) -> Self {
        use sansocket_core::client::EmitError as Core;
        match error {
            Core::Full => Self::Full,
            Core::Dropped => Self::Dropped,
            // No two emits of a connection share an id.
            Core::TooManyAcks | Core::AckInUse => Self::TooManyAcks,
            Core::TooLarge { limit } => Self::TooLarge { limit },
            // The core may name more reasons in a later version.
            Core::Stale | _ => Self::NotConnected,
        }
    }
}

/// Why a socket did not join a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum JoinError {
    /// The socket is not connected: not yet, or no longer.
    #[error("socket is not connected")]
    NotConnected,
    /// The socket is in [`Limits::rooms`](crate::Limits) rooms already. It may have joined some of
    /// several.
    #[error("too many rooms")]
    TooManyRooms,
}

/// Why an acknowledgement did not come.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AckError {
    /// The peer did not answer in time.
    #[error("operation has timed out")]
    TimedOut,
    /// The socket was disconnected before it answered.
    #[error("socket was disconnected")]
    Disconnected,
    /// The answer does not fit the type that was asked for.
    #[error("acknowledgement does not fit: {0}")]
    Decode(#[from] ArgsError),
    /// The connection was lost at each of many tries, of which the event may be the cause. Of
    /// [`emit_at_least_once`](crate::client::Socket::emit_at_least_once) only.
    #[error("connection was lost at each try")]
    Interrupted,
    /// The event was not sent.
    #[error(transparent)]
    Emit(#[from] EmitError),
}

impl From<AckFailure> for AckError {
    fn from(failure: AckFailure) -> Self {
        match failure {
            AckFailure::TimedOut => Self::TimedOut,
            AckFailure::Disconnected => Self::Disconnected,
        }
    }
}

/// Not everybody acknowledged a broadcast.
#[derive(Debug)]
#[non_exhaustive]
pub struct BroadcastAckError<T> {
    /// The answers that did come, in the order in which they came.
    pub responses: Vec<T>,
    /// How many recipients gave none that counts.
    pub missing: usize,
    /// Why the first of those that apply, in the order of the variants.
    pub kind: BroadcastAckErrorKind,
}

/// Why acknowledgements of a broadcast are missing.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BroadcastAckErrorKind {
    /// The event was not sent to anybody.
    #[error(transparent)]
    Encode(EncodeError),
    /// Some did not answer in time.
    #[error("operation has timed out")]
    TimedOut,
    /// Some were disconnected before they answered, or because they did not keep up.
    #[error("sockets were disconnected")]
    Disconnected,
    /// Some answers do not fit the type that was asked for; the first error.
    #[error("acknowledgement does not fit: {0}")]
    Decode(ArgsError),
}

impl<T> fmt::Display for BroadcastAckError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} acknowledgements missing)", self.kind, self.missing)
    }
}

impl<T: fmt::Debug> StdError for BroadcastAckError<T> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.kind)
    }
}

/// Why a client may not join a namespace, in the words that it is told.
///
/// What a middleware returns becomes one of these: a text does by itself.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct ConnectError {
    /// The `message` of the error object that the client sees.
    pub message: String,
    /// Its `data`, if any.
    pub data: Option<serde_json::Value>,
}

impl ConnectError {
    /// A refusal with this message.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), data: None }
    }

    /// The same with details for the client, as `serde_json::json!` writes them.
    #[must_use]
    pub fn with_data(mut self, data: impl Into<serde_json::Value>) -> Self {
        self.data = Some(data.into());
        self
    }
}

impl From<&str> for ConnectError {
    fn from(message: &str) -> Self {
        Self::new(message)
    }
}

impl From<String> for ConnectError {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}

/// A handler that could not be called, or failed. See [`Builder::on_error`](crate::Builder).
#[derive(Debug, Error)]
#[error("event {event:?} in namespace {namespace}: {kind}")]
#[non_exhaustive]
pub struct HandlerError {
    /// The event's name; `connect` and `disconnect` for the handlers of those.
    pub event: Arc<str>,
    /// The namespace's name.
    pub namespace: Arc<str>,
    /// The socket's id; `None` where a client is not connected, and for events from other servers.
    pub socket: Option<Box<str>>,
    /// What went wrong.
    #[source]
    pub kind: HandlerErrorKind,
}

/// What went wrong with a handler.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HandlerErrorKind {
    /// The peer's arguments do not fit the handler's type, so it was not called.
    #[error("arguments do not fit: {0}")]
    Decode(#[source] ArgsError),
    /// The handler returned this error. The peer got no acknowledgement.
    #[error("handler failed: {0}")]
    Failed(#[source] Box<dyn StdError + Send + Sync>),
    /// A [middleware of events](crate::Namespace::use_event) returned this error, so no handler
    /// was called. The peer got no acknowledgement.
    #[error("event was refused: {0}")]
    Refused(#[source] Box<dyn StdError + Send + Sync>),
    /// The handler's acknowledgement was not sent.
    #[error("acknowledgement was not sent: {0}")]
    Reply(#[source] EmitError),
    /// What the server is to be told when a namespace is connected could not be encoded, so the
    /// namespace is not connected. Of a client only.
    #[error("{0}")]
    Auth(#[source] sansocket_core::client::AuthError),
}

/// Called with every [`HandlerError`].
pub(crate) type ErrorHook = Box<dyn Fn(&HandlerError) + Send + Sync>;

/// What of the id of a session or a socket is logged: enough to find it again, and not enough to
/// speak for its client. The id of a session is a secret, and in `/` a client of Socket.IO 4 has it
/// for that of its socket.
pub(crate) fn beginning_of_id(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

/// Logs without what the peer sent. A client can make as many decoding errors as it likes, so
/// those are not worth more than `debug`.
pub(crate) fn log(error: &HandlerError) {
    let HandlerError { event, namespace, socket, kind } = error;
    let socket = beginning_of_id(socket.as_deref().unwrap_or_default());
    match kind {
        // serde's errors quote the values that do not fit.
        HandlerErrorKind::Decode(_) => {
            tracing::debug!(%namespace, %socket, %event, "arguments do not fit the handler");
        }
        HandlerErrorKind::Failed(error) => {
            tracing::warn!(%namespace, %socket, %event, %error, "handler failed");
        }
        HandlerErrorKind::Refused(error) => {
            tracing::debug!(%namespace, %socket, %event, %error, "event was refused");
        }
        HandlerErrorKind::Reply(error) => {
            tracing::warn!(%namespace, %socket, %event, %error, "acknowledgement was not sent");
        }
        HandlerErrorKind::Auth(error) => tracing::warn!(%namespace, %error, "no auth to send"),
    }
}
