//! A Socket.IO client.
//!
//! It reads like the JavaScript one. Handlers and their arguments are those of the server.
//!
//! | JavaScript | here |
//! | --- | --- |
//! | `io("https://host/chat", opts)` | `Client::builder("https://host/chat")....connect().await`, or [`start()`](Builder::start), which does not wait |
//! | `socket.io.socket("/admin")` | [`client.of("/admin").connect().await`](Client::of): on the same connection |
//! | `auth: {...}`, `auth: cb => cb({...})` | [`auth(&value)`](Builder::auth), [`auth_with(async \|\| value)`](Builder::auth_with) |
//! | `socket.on("e", (a, b) => {})` | [`on("e", async \|socket: Socket, (a, b): (A, B)\| {})`](Builder::on), before connecting or [later](Socket::on) |
//! | `socket.on("e", (a, callback) => callback(x))` | `on("e", async \|_: Socket, a: A\| Ack(x))`, or a third parameter, [`Reply`](crate::Reply) |
//! | `socket.once`, `off`, `onAny`, `onAnyOutgoing`, `prependAny`, `offAny`, ... | [`once`](Socket::once), [`off`](Socket::off), [`on_any`](Socket::on_any), [`on_any_outgoing`](Socket::on_any_outgoing); `prepend_` and `off_` of each |
//! | `socket.on("connect")`, `"connect_error"`, `"disconnect"` | [`on_connect`](Builder::on_connect), [`on_connect_error`](Builder::on_connect_error), [`on_disconnect`](Builder::on_disconnect) |
//! | `socket.io.on("reconnect_attempt")` and so on | [`on_lifecycle`](Builder::on_lifecycle) |
//! | `socket.emit("e", a)`, `emit("e", a, b)` | [`emit("e", &a)`](Socket::emit), `emit("e", &(a, b))` |
//! | `await socket.timeout(ms).emitWithAck("e", a)` | [`emit_with_ack::<T>("e", &a, timeout).await`](Socket::emit_with_ack) |
//! | `socket.emit` with the option `retries` | [`emit_at_least_once`](Socket::emit_at_least_once) |
//! | `socket.volatile.emit` | [`volatile().emit`](Socket::volatile) |
//! | `socket.compress(false).emit` | [`compress(false).emit`](Socket::compress) |
//! | `perMessageDeflate` | `Builder::per_message_deflate`, by the feature `deflate` |
//! | `socket.id`, `connected`, `active`, `recovered` | [`id()`](Socket::id), [`connected()`](Socket::connected), [`is_active()`](Socket::is_active), [`recovered()`](Socket::recovered) |
//! | `socket.connect()`, `disconnect()` | [`connect()`](Socket::connect), [`disconnect()`](Socket::disconnect) |
//! | `socket.io.engine.transport.name` | [`transport()`](Socket::transport) |
//! | `extraHeaders`, `query`, `path`, `transports`, `reconnection...` | the methods of [`Builder`] |
//! | `agent` | [`connector`](Builder::connector) |
//!
//! Who would rather pull events than register handlers connects by
//! [`connect_with_events`](Builder::connect_with_events).
//!
//! What the core promises about messages is said in [`sansocket_core::client`].

mod address;
mod builder;
mod connect;
mod cookies;
mod error;
mod events;
mod http;
mod lane;
mod link;
mod namespace;
#[cfg(feature = "rustls")]
mod roots;
mod settings;
mod shared;
mod socket;
mod task;

pub use address::{Endpoint, UrlError};
pub use builder::{Builder, NewConnection, SameConnection, Target};
pub use connect::{Connect, Connecting, OnRuntime, Stream};
pub use error::ConnectError;
pub use events::{Event, Events, Lifecycle};
#[cfg(feature = "rustls")]
pub use roots::tls_config;
pub use sansocket_core::client::{
    AuthError, DisconnectReason, Limits, NamespaceError, Stats, TransportError,
};
pub use socket::{Emitter, Socket, TimedEmitter, VolatileEmitter};

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use futures_channel::oneshot;

use crate::runtime::Runtime;

use shared::Handle;

/// A client in one namespace, which it keeps connected.
///
/// It can do whatever a [`Socket`] can. When the last clone is dropped, the namespace is
/// disconnected and its handlers are forgotten once they have learned of that; with the last
/// namespace the connection is closed. So a handler must not hold
/// one of its own client; it is given a [`Socket`].
///
/// `R` is the runtime. Each runtime's crate has a name for its own.
pub struct Client<R> {
    socket: Socket,
    /// Dropped with the last clone.
    _handle: Arc<Handle>,
    runtime: PhantomData<fn() -> R>,
}

impl<R: OnRuntime> Client<R> {
    /// The settings of a client, to begin with. The URL begins with `http://`, `https://`, `ws://`
    /// or `wss://`; its path is the namespace.
    pub fn builder(url: impl Into<String>) -> Builder<NewConnection<R>> {
        Builder::to(url.into(), R::runtime(), R::connector())
    }
}

impl<R> Client<R> {
    /// As [`builder`](Self::builder), on a runtime that is given, for one with an executor of the
    /// application's. `R` is then but a name.
    pub fn builder_on(
        runtime: Arc<dyn Runtime>,
        connector: impl Connect,
        url: impl Into<String>,
    ) -> Builder<NewConnection<R>> {
        Builder::to(url.into(), runtime, Arc::new(connector))
    }

    fn new(socket: Socket, handle: Handle) -> Self {
        Self { socket, _handle: Arc::new(handle), runtime: PhantomData }
    }

    /// The settings of one more namespace of the same connection, to begin with. Of one that another
    /// client is in, this gives another handle: what is registered adds to what is there, and limits
    /// and time-outs stay.
    pub fn of(&self, namespace: impl Into<String>) -> Builder<SameConnection<R>> {
        Builder::of(self.socket.shared().clone(), namespace.into())
    }

    /// Disconnects all namespaces of the connection, and waits until what was queued is sent and
    /// the connection closed.
    pub async fn close(self) {
        let shared = self.socket.shared();
        let now = shared.now();
        let closed = shared.change(|state| {
            state.manager.close(now);
            let (sender, receiver) = oneshot::channel();
            // Where the task has ended, nothing is to be waited for.
            (!state.is_over).then(|| {
                state.closing.push(sender);
                receiver
            })
        });
        if let Some(closed) = closed {
            // A task that is dropped has closed as well.
            let _ = closed.await;
        }
    }
}

impl<R> Deref for Client<R> {
    type Target = Socket;

    fn deref(&self) -> &Socket {
        &self.socket
    }
}

impl<R> Clone for Client<R> {
    fn clone(&self) -> Self {
        let Self { socket, _handle, runtime } = self;
        Self { socket: socket.clone(), _handle: _handle.clone(), runtime: *runtime }
    }
}

impl<R> fmt::Debug for Client<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.socket).finish()
    }
}
