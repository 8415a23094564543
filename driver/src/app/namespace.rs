//! One namespace: its handlers, and sending to its sockets.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Once, Weak};
use std::time::Duration;

use sansocket_core::{Args, BroadcastReport, EncodeError, Message, NamespaceKey};
use serde::Serialize;

use crate::inner::Inner;

use super::broadcast::{Broadcast, TimedBroadcast};
use super::dynamic::Parent;
use super::error::ConnectError;
use super::handler::{Handler, erase};
use super::io::Io;
use super::listeners::{
    Disconnect, Listeners, Named, OnConnect, OnMiddleware, middleware, on_connect,
};
use super::reply::IntoReply;
use super::rooms::Rooms;
use super::socket::Socket;
use super::sync::List;

/// What the driver and all handles of one namespace share.
pub(crate) struct NamespaceShared {
    pub(crate) name: Arc<str>,
    pub(crate) key: NamespaceKey,
    pub(super) handlers: Handlers,
    /// Of events from other servers.
    pub(super) server_side: Named<Namespace>,
    /// Of a namespace that a [`ParentNamespace`](super::ParentNamespace) has made.
    pub(super) parent: Option<Weak<Parent>>,
    /// The hooks of new namespaces run once, before the first client gets in.
    pub(super) announcement: Once,
    /// Whether clients find it.
    pub(super) is_listed: AtomicBool,
    /// How many functions of its sockets are told what is sent to them.
    pub(super) observers: AtomicUsize,
}

/// Who is called for the sockets of a namespace.
#[derive(Default)]
pub(super) struct Handlers {
    pub(super) middleware: List<OnMiddleware>,
    pub(super) connect: List<OnConnect<Socket>>,
    pub(super) listeners: Listeners<Socket>,
}

impl Handlers {
    /// The same, to which others may be added.
    pub(super) fn copy(&self) -> Self {
        Self {
            middleware: self.middleware.copy(),
            connect: self.connect.copy(),
            listeners: self.listeners.copy(),
        }
    }
}

impl NamespaceShared {
    pub(super) fn new(name: Arc<str>, key: NamespaceKey, parent: Option<&Arc<Parent>>) -> Self {
        Self {
            name,
            key,
            handlers: parent.map(|parent| parent.handlers.copy()).unwrap_or_default(),
            server_side: Named::default(),
            parent: parent.map(Arc::downgrade),
            announcement: Once::new(),
            is_listed: AtomicBool::new(false),
            observers: AtomicUsize::new(0),
        }
    }

    /// Whether somebody may want to know what is sent to a socket of this namespace. If not, nobody
    /// is looked up for it.
    pub(super) fn is_outgoing_observed(&self) -> bool {
        self.handlers.listeners.outgoing.is_used() || self.observers.load(Ordering::Relaxed) > 0
    }

    /// Tells whoever wants to know that `event` was sent to `socket`.
    pub(super) fn notify_outgoing(&self, socket: &Socket, event: &str, message: &Message) {
        let own = socket.shared().own().and_then(|own| own.outgoing.snapshot());
        let listeners = self.handlers.listeners.outgoing.snapshot();
        let listeners = listeners.iter().chain(&own).flat_map(|list| list.iter());
        listeners.for_each(|listener| listener(socket, event, message));
    }
}

/// One namespace. A handle, cheap to clone.
///
/// Handlers may be registered at any time, before and while the server runs. Methods that
/// register one give the namespace back, for the next.
#[derive(Clone)]
pub struct Namespace {
    pub(super) inner: Arc<Inner>,
    pub(super) shared: Arc<NamespaceShared>,
}

impl Namespace {
    pub(super) fn new(inner: &Arc<Inner>, shared: &Arc<NamespaceShared>) -> Self {
        Self { inner: inner.clone(), shared: shared.clone() }
    }

    /// The name, which begins with `/`.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// The server.
    pub fn server(&self) -> Io {
        Io::new(&self.inner)
    }

    /// The sockets that are connected.
    pub fn sockets(&self) -> Vec<Socket> {
        self.everybody().fetch_sockets()
    }
}

/// Admission.
impl Namespace {
    /// Decides who may join. Middlewares run one after the other, in the order in which they were
    /// registered, until one returns an error, which the client is told: see [`ConnectError`].
    ///
    /// The socket is not connected yet: a middleware can look at its handshake and `auth`, and keep
    /// data at it, but neither send anything nor join rooms.
    ///
    /// The client waits meanwhile. If it has joined no other namespace, its connection is closed
    /// after [`Builder::connect_timeout`](crate::Builder::connect_timeout).
    pub fn use_<F, Fut, E>(&self, function: F) -> Self
    where
        F: Fn(Socket) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<ConnectError> + 'static,
    {
        self.shared.handlers.middleware.push(middleware(function));
        self.clone()
    }

    /// Runs when a client has joined. Its events wait until this is done. Several of these run one
    /// after the other.
    pub fn on_connect<F, Fut>(&self, handler: F) -> Self
    where
        F: Fn(Socket) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: IntoReply> + Send + 'static,
    {
        self.shared.handlers.connect.push(on_connect(handler));
        self.clone()
    }

    /// Runs when a socket was disconnected, by whichever side. It gets the socket, and the
    /// [`DisconnectReason`](crate::DisconnectReason) or all of [`Disconnect`], which also names the
    /// rooms that the socket was in. Several of these run one after the other.
    pub fn on_disconnect<F, Fut, D>(&self, handler: F) -> Self
    where
        F: Fn(Socket, D) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: IntoReply> + Send + 'static,
        D: From<Disconnect> + 'static,
    {
        self.shared.handlers.listeners.on_disconnect(handler);
        self.clone()
    }
}

/// Receiving.
impl Namespace {
    /// Handles an event of every socket. It replaces the last handler of that event. An event
    /// without a handler is ignored.
    ///
    /// Connections and disconnections are no events, see [`on_connect`](Self::on_connect) and
    /// [`on_disconnect`](Self::on_disconnect).
    pub fn on<Form: 'static>(&self, event: &str, handler: impl Handler<Form>) -> Self {
        self.shared.handlers.listeners.on(event, erase(handler), false);
        self.clone()
    }

    /// Removes the handler of an event. `false` if there is none.
    pub fn off(&self, event: &str) -> bool {
        self.shared.handlers.listeners.off(event)
    }

    /// Gets every event of every socket, before its handlers, with its undecoded arguments.
    pub fn on_any<F, Fut>(&self, handler: F) -> Self
    where
        F: Fn(Socket, String, Args) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: IntoReply> + Send + 'static,
    {
        self.shared.handlers.listeners.on_any(handler);
        self.clone()
    }

    /// Decides about every event of every socket, before its handlers and after
    /// [`on_any`](Self::on_any): it gets the event's name and undecoded arguments. Middlewares run
    /// one after the other, those of the namespace first, until one returns an error; no handler is
    /// called then, the client gets no acknowledgement, and
    /// [`Builder::on_error`](crate::Builder::on_error) is told. The socket's next events wait
    /// meanwhile, so their order stays.
    pub fn use_event<F, Fut, E>(&self, middleware: F) -> Self
    where
        F: Fn(Socket, String, Args) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + 'static,
    {
        self.shared.handlers.listeners.use_event(middleware);
        self.clone()
    }

    /// Gets every event that is sent to a socket of this namespace, by name and as it is encoded:
    /// once for each recipient, as soon as the event is queued for it. Acknowledgements, events that
    /// were not sent because the outbox was full, volatile ones that were dropped, and those that a
    /// [recovered](crate::Builder::connection_state_recovery) socket has missed are not among them.
    ///
    /// It must not wait. Where there is one of these, a broadcast costs much more than otherwise.
    pub fn on_any_outgoing<F>(&self, function: F) -> Self
    where
        F: Fn(&Socket, &str, &Message) + Send + Sync + 'static,
    {
        self.shared.handlers.listeners.outgoing.push(Arc::new(function));
        self.clone()
    }
}

/// Sending.
impl Namespace {
    /// Sends an event to everybody in the namespace. See [`Broadcast::emit`].
    ///
    /// # Errors
    ///
    /// If the arguments cannot be encoded.
    pub fn emit<T: Serialize + ?Sized>(
        &self,
        event: &str,
        args: &T,
    ) -> Result<BroadcastReport, EncodeError> {
        self.everybody().emit(event, args)
    }

    /// The members of `rooms`.
    pub fn to(&self, rooms: impl Rooms) -> Broadcast {
        self.everybody().to(rooms)
    }

    /// The same as [`to`](Self::to).
    pub fn in_(&self, rooms: impl Rooms) -> Broadcast {
        self.everybody().to(rooms)
    }

    /// Everybody who is in none of `rooms`.
    pub fn except(&self, rooms: impl Rooms) -> Broadcast {
        self.everybody().except(rooms)
    }

    /// Everybody at this server, if there are several.
    pub fn local(&self) -> Broadcast {
        self.everybody().local()
    }

    /// Everybody, for an event that may be dropped.
    pub fn volatile(&self) -> Broadcast {
        self.everybody().volatile()
    }

    /// Everybody, for an event that may be compressed, or not. See [`Socket::compress`].
    pub fn compress(&self, compress: bool) -> Broadcast {
        self.everybody().compress(compress)
    }

    /// Everybody, for an event that is to be acknowledged within `timeout`.
    pub fn timeout(&self, timeout: Duration) -> TimedBroadcast {
        self.everybody().timeout(timeout)
    }

    /// The sockets that are connected.
    pub fn fetch_sockets(&self) -> Vec<Socket> {
        self.everybody().fetch_sockets()
    }

    /// Makes everybody join rooms.
    pub fn sockets_join(&self, rooms: impl Rooms) {
        self.everybody().sockets_join(rooms);
    }

    /// Makes everybody leave rooms.
    pub fn sockets_leave(&self, rooms: impl Rooms) {
        self.everybody().sockets_leave(rooms);
    }

    /// Disconnects everybody. See [`Broadcast::disconnect_sockets`].
    pub fn disconnect_sockets(&self, close: bool) {
        self.everybody().disconnect_sockets(close);
    }

    fn everybody(&self) -> Broadcast {
        Broadcast::new(&self.inner, &self.shared)
    }
}

impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Namespace").field("name", &self.shared.name).finish_non_exhaustive()
    }
}
