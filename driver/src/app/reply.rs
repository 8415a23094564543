//! How a handler answers.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use sansocket_core::client::AckToken;
use sansocket_core::{AckId, BroadcastReport, Message};
use serde::Serialize;

use crate::client;

use super::error::{EmitError, HandlerError, HandlerErrorKind};
use super::namespace::Namespace;
use super::server_side::Answer;
use super::socket::SocketShared;

/// The acknowledgement of an event, to be given by hand: at once, later, or from another task.
///
/// A handler that takes one acknowledges by it alone, whatever it returns. Dropping it leaves the
/// peer without an answer.
pub struct Reply {
    asker: Asker,
}

/// Who asked, and whether for an acknowledgement.
enum Asker {
    /// A client of ours.
    Client { socket: Arc<SocketShared>, ack: Option<AckId> },
    /// The server that we are a client of.
    Server { socket: client::Socket, ack: Option<AckToken> },
    /// Another server of the cluster.
    Peer { namespace: Namespace, answer: Option<Answer> },
}

impl Reply {
    /// To a client of ours.
    pub(super) fn new(socket: Arc<SocketShared>, ack: Option<AckId>) -> Self {
        Self { asker: Asker::Client { socket, ack } }
    }

    /// To the server that we are a client of.
    pub(crate) fn to_server(socket: client::Socket, ack: Option<AckToken>) -> Self {
        Self { asker: Asker::Server { socket, ack } }
    }

    /// To another server of the cluster.
    pub(super) fn to_peer(namespace: Namespace, answer: Option<Answer>) -> Self {
        Self { asker: Asker::Peer { namespace, answer } }
    }

    /// Whether the peer asked for an acknowledgement.
    pub fn is_wanted(&self) -> bool {
        match &self.asker {
            Asker::Client { ack, .. } => ack.is_some(),
            Asker::Server { ack, .. } => ack.is_some(),
            Asker::Peer { answer, .. } => answer.is_some(),
        }
    }

    /// Acknowledges with `value`; a tuple is several arguments, `()` none. Does nothing if the
    /// peer did not ask.
    ///
    /// # Errors
    ///
    /// If the value cannot be encoded, the peer has left, or the outbox is full.
    pub fn send<T: Serialize + ?Sized>(mut self, value: &T) -> Result<(), EmitError> {
        self.answer(value)
    }

    fn answer<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EmitError> {
        match &mut self.asker {
            Asker::Client { socket, ack } => {
                let Some(id) = ack.take() else { return Ok(()) };
                let namespace = &socket.namespace.name;
                let message =
                    socket.inner.encode(|encoder| Message::ack(encoder, namespace, id, value))?;
                Ok(socket.with_core(|socket| socket.acknowledge(message))?)
            }
            Asker::Server { socket, ack } => match ack.take() {
                Some(token) => socket.acknowledge(token, value),
                None => Ok(()),
            },
            Asker::Peer { answer, .. } => match answer.take() {
                Some(answer) => answer.give(value),
                None => Ok(()),
            },
        }
    }

    /// Takes it away from what a handler returns, so that the handler can be given it.
    pub(super) fn take(&mut self) -> Self {
        let asker = match &mut self.asker {
            Asker::Client { socket, ack } => {
                Asker::Client { socket: socket.clone(), ack: ack.take() }
            }
            Asker::Server { socket, ack } => {
                Asker::Server { socket: socket.clone(), ack: ack.take() }
            }
            Asker::Peer { namespace, answer } => {
                Asker::Peer { namespace: namespace.clone(), answer: answer.take() }
            }
        };
        Self { asker }
    }

    /// Ends a call: answers with what the handler returned, or reports why it did not.
    pub(super) fn finish(mut self, returned: impl IntoReply, event: &Arc<str>) {
        if let Err(kind) = returned.reply(Target(&mut self)) {
            self.report(event, kind);
        }
    }

    pub(super) fn report(&self, event: &Arc<str>, kind: HandlerErrorKind) {
        match &self.asker {
            Asker::Client { socket, .. } => {
                let SocketShared { inner, id, namespace, .. } = &**socket;
                inner.app.report(&HandlerError {
                    event: event.clone(),
                    namespace: namespace.name.clone(),
                    socket: Some(id.as_str().into()),
                    kind,
                });
            }
            Asker::Server { socket, .. } => socket.report(event, kind),
            Asker::Peer { namespace, .. } => namespace.inner.app.report(&HandlerError {
                event: event.clone(),
                namespace: namespace.shared.name.clone(),
                socket: None,
                kind,
            }),
        }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("is_wanted", &self.is_wanted()).finish_non_exhaustive()
    }
}

/// An acknowledgement with a value, as the return value of a handler. A tuple is several
/// arguments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ack<T>(pub T);

/// What a handler may return.
///
/// | returned | acknowledgement, if the peer asked for one |
/// | --- | --- |
/// | `()` | an empty one |
/// | [`Ack(value)`](Ack) | the value |
/// | `Ok(..)` | that of what is inside |
/// | `Err(error)` | none; the error goes to [`Builder::on_error`](crate::Builder::on_error) |
#[diagnostic::on_unimplemented(
    message = "a handler cannot return `{Self}`",
    note = "return `()`, `Ack(value)`, or a `Result` of these with an error type"
)]
pub trait IntoReply {
    /// Acknowledges.
    #[doc(hidden)]
    fn reply(self, target: Target<'_>) -> Result<(), HandlerErrorKind>;
}

/// Whom to answer. Nobody else can make one, or do anything with it.
#[doc(hidden)]
pub struct Target<'a>(&'a mut Reply);

impl Target<'_> {
    fn send<T: Serialize + ?Sized>(self, value: &T) -> Result<(), HandlerErrorKind> {
        match self.0.answer(value) {
            // Peers leave at any time; nobody is to be blamed.
            Ok(()) | Err(EmitError::NotConnected) => Ok(()),
            Err(error) => Err(HandlerErrorKind::Reply(error)),
        }
    }
}

impl IntoReply for () {
    fn reply(self, target: Target<'_>) -> Result<(), HandlerErrorKind> {
        target.send(&())
    }
}

/// A broadcast as a handler's last words: its report is no answer.
impl IntoReply for BroadcastReport {
    fn reply(self, target: Target<'_>) -> Result<(), HandlerErrorKind> {
        target.send(&())
    }
}

impl<T: Serialize> IntoReply for Ack<T> {
    fn reply(self, target: Target<'_>) -> Result<(), HandlerErrorKind> {
        target.send(&self.0)
    }
}

impl<R, E> IntoReply for Result<R, E>
where
    R: IntoReply,
    E: Into<Box<dyn StdError + Send + Sync>>,
{
    fn reply(self, target: Target<'_>) -> Result<(), HandlerErrorKind> {
        match self {
            Ok(returned) => returned.reply(target),
            Err(error) => Err(HandlerErrorKind::Failed(error.into())),
        }
    }
}
