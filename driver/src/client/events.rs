//! Events for those who would rather pull them than register handlers.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_channel::mpsc;
use futures_core::Stream;
use sansocket_core::Args;
use sansocket_core::client::DisconnectReason;

use crate::app::Reply;

use super::error::ConnectError;

/// What happens to a connection, of all its namespaces: the events of the reference's `Manager`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Lifecycle {
    /// The connection is open; the namespaces are joined next.
    Opened,
    /// A WebSocket has taken over from polling.
    Upgraded,
    /// The connection that was open is not any more.
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
    /// A reconnection succeeded.
    Reconnected {
        /// How many attempts it took.
        attempts: u32,
    },
}

/// Something that happened in a namespace, or to its connection.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// The namespace is connected.
    Connected {
        /// Whether the server has recovered the state that it had before the connection was lost.
        recovered: bool,
    },
    /// The namespace could not be connected. See [`ConnectError::is_final`].
    ConnectError(ConnectError),
    /// The namespace is not connected any more.
    Disconnected(DisconnectReason),
    /// The server emitted an event.
    Received {
        /// Its name.
        event: String,
        /// Its arguments.
        args: Args,
        /// Answers it, if the server asked for that.
        reply: Reply,
    },
    /// Something happened to the connection.
    Lifecycle(Lifecycle),
}

/// The events of one namespace, as a stream.
///
/// It holds no more than a few: where they are not taken, the client stops reading from the server.
pub struct Events {
    receiver: mpsc::Receiver<Event>,
}

/// How many events a stream holds.
const BUFFERED: usize = 16;

impl Events {
    pub(super) fn channel() -> (mpsc::Sender<Event>, Self) {
        let (sender, receiver) = mpsc::channel(BUFFERED);
        (sender, Self { receiver })
    }

    /// The next one; `None` once the client is closed.
    pub async fn next(&mut self) -> Option<Event> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl Stream for Events {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        Pin::new(&mut self.receiver).poll_next(cx)
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Events")
    }
}

/// Waits until there is room, and puts an event there. Nothing happens where nobody pulls any more.
pub(super) async fn put(mut events: mpsc::Sender<Event>, event: Event) {
    if poll_fn(|cx| events.poll_ready(cx)).await.is_ok() {
        // Between the two nobody else can have taken the place, and the receiver may have gone.
        let _ = events.start_send(event);
    }
}
