//! Namespaces that are made when a client asks for them.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use sansocket_core::codec::socket::Packet;
use sansocket_core::{Args, ArgsError, BroadcastReport, EncodeError, Message, NamespaceKey};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::handshake::Handshake;
use crate::inner::Inner;

use super::broadcast::{Broadcast, Selection};
use super::error::ConnectError;
use super::handler::{Handler, erase};
use super::listeners::{Disconnect, middleware, on_connect};
use super::namespace::{Handlers, Namespace, NamespaceShared};
use super::reply::IntoReply;
use super::rooms::Rooms;
use super::socket::Socket;
use super::sync::lock;

pub(super) type OnNewNamespace = dyn Fn(Namespace) + Send + Sync;

/// A client's wish to join a namespace that does not exist. See [`Io::of_dynamic`](crate::Io).
#[derive(Clone)]
pub struct NamespaceRequest {
    handshake: Arc<Handshake>,
    packet: Packet,
}

impl NamespaceRequest {
    pub(super) fn new(handshake: Arc<Handshake>, packet: Packet) -> Self {
        Self { handshake, packet }
    }

    /// The name of the namespace, which begins with `/`.
    pub fn name(&self) -> &str {
        self.packet.namespace()
    }

    /// The HTTP request by which the client opened the session.
    pub fn handshake(&self) -> &Handshake {
        &self.handshake
    }

    /// What the client gave as `auth` for this namespace. A client that gave nothing is taken to
    /// have given an empty object.
    ///
    /// # Errors
    ///
    /// If it does not fit.
    pub fn auth<T: DeserializeOwned>(&self) -> Result<T, ArgsError> {
        let auth = if self.packet.payload().is_empty() { "{}" } else { self.packet.payload() };
        Ok(serde_json::from_str(auth)?)
    }
}

impl fmt::Debug for NamespaceRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `auth` holds secrets.
        f.debug_struct("NamespaceRequest").field("name", &self.name()).finish_non_exhaustive()
    }
}

/// Says which namespaces are made, and what they begin with.
pub(super) struct Parent {
    matcher: Matcher,
    pub(super) handlers: Handlers,
    children: Mutex<HashMap<NamespaceKey, Arc<NamespaceShared>>>,
}

enum Matcher {
    Name(Box<dyn Fn(&str) -> bool + Send + Sync>),
    Request(Box<dyn Fn(NamespaceRequest) -> Answer + Send + Sync>),
}

type Answer = Pin<Box<dyn Future<Output = bool> + Send>>;

impl Parent {
    fn new(matcher: Matcher) -> Self {
        Self { matcher, handlers: Handlers::default(), children: Mutex::default() }
    }

    pub(super) fn by_name(takes: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self::new(Matcher::Name(Box::new(takes)))
    }

    pub(super) fn by_request<F, Fut>(takes: F) -> Self
    where
        F: Fn(NamespaceRequest) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = bool> + Send + 'static,
    {
        Self::new(Matcher::Request(Box::new(move |request| Box::pin(takes(request)))))
    }

    /// Whether a name is all it needs, and this is one.
    pub(super) fn takes(&self, name: &str) -> bool {
        match &self.matcher {
            Matcher::Name(takes) => takes(name),
            Matcher::Request(_) => false,
        }
    }

    pub(super) async fn admits(&self, request: &NamespaceRequest) -> bool {
        match &self.matcher {
            Matcher::Name(takes) => takes(request.name()),
            Matcher::Request(takes) => takes(request.clone()).await,
        }
    }

    pub(super) fn add(&self, child: &Arc<NamespaceShared>) {
        lock(&self.children).insert(child.key, child.clone());
    }

    pub(super) fn remove(&self, child: &NamespaceShared) {
        let removed = lock(&self.children).remove(&child.key);
        drop(removed);
    }
}

/// All namespaces that are made by one rule, those there are and those to come. A handle, cheap to
/// clone.
///
/// A namespace begins with the middlewares and handlers that its parent has at that moment; what
/// either is given later is its own.
#[derive(Clone)]
pub struct ParentNamespace {
    inner: Arc<Inner>,
    parent: Arc<Parent>,
}

impl ParentNamespace {
    pub(super) fn new(inner: &Arc<Inner>, parent: &Arc<Parent>) -> Self {
        Self { inner: inner.clone(), parent: parent.clone() }
    }

    /// The namespaces that have been made, in no order.
    pub fn children(&self) -> Vec<Namespace> {
        let children = lock(&self.parent.children);
        children.values().map(|child| Namespace::new(&self.inner, child)).collect()
    }
}

/// What new namespaces begin with.
impl ParentNamespace {
    /// See [`Namespace::use_`].
    pub fn use_<F, Fut, E>(&self, function: F) -> Self
    where
        F: Fn(Socket) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<ConnectError> + 'static,
    {
        self.parent.handlers.middleware.push(middleware(function));
        self.clone()
    }

    /// See [`Namespace::on_connect`].
    pub fn on_connect<F, Fut>(&self, handler: F) -> Self
    where
        F: Fn(Socket) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: IntoReply> + Send + 'static,
    {
        self.parent.handlers.connect.push(on_connect(handler));
        self.clone()
    }

    /// See [`Namespace::on_disconnect`].
    pub fn on_disconnect<F, Fut, D>(&self, handler: F) -> Self
    where
        F: Fn(Socket, D) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: IntoReply> + Send + 'static,
        D: From<Disconnect> + 'static,
    {
        self.parent.handlers.listeners.on_disconnect(handler);
        self.clone()
    }

    /// See [`Namespace::on`].
    pub fn on<Form: 'static>(&self, event: &str, handler: impl Handler<Form>) -> Self {
        self.parent.handlers.listeners.on(event, erase(handler), false);
        self.clone()
    }

    /// See [`Namespace::off`].
    pub fn off(&self, event: &str) -> bool {
        self.parent.handlers.listeners.off(event)
    }

    /// See [`Namespace::on_any`].
    pub fn on_any<F, Fut>(&self, handler: F) -> Self
    where
        F: Fn(Socket, String, Args) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: IntoReply> + Send + 'static,
    {
        self.parent.handlers.listeners.on_any(handler);
        self.clone()
    }

    /// See [`Namespace::use_event`].
    pub fn use_event<F, Fut, E>(&self, middleware: F) -> Self
    where
        F: Fn(Socket, String, Args) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + 'static,
    {
        self.parent.handlers.listeners.use_event(middleware);
        self.clone()
    }

    /// See [`Namespace::on_any_outgoing`].
    pub fn on_any_outgoing<F>(&self, function: F) -> Self
    where
        F: Fn(&Socket, &str, &Message) + Send + Sync + 'static,
    {
        self.parent.handlers.listeners.outgoing.push(Arc::new(function));
        self.clone()
    }
}

/// Sending.
impl ParentNamespace {
    /// Sends an event to everybody in every one of the namespaces. See [`Broadcast::emit`].
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

    /// The members of `rooms`, in each of the namespaces.
    pub fn to(&self, rooms: impl Rooms) -> ParentBroadcast {
        self.everybody().to(rooms)
    }

    /// The same as [`to`](Self::to).
    pub fn in_(&self, rooms: impl Rooms) -> ParentBroadcast {
        self.to(rooms)
    }

    /// Everybody who is in none of `rooms`.
    pub fn except(&self, rooms: impl Rooms) -> ParentBroadcast {
        self.everybody().except(rooms)
    }

    /// Everybody, for an event that may be dropped.
    pub fn volatile(&self) -> ParentBroadcast {
        self.everybody().volatile()
    }

    /// Everybody, for an event that may be compressed, or not. See [`Socket::compress`].
    pub fn compress(&self, compress: bool) -> ParentBroadcast {
        self.everybody().compress(compress)
    }

    fn everybody(&self) -> ParentBroadcast {
        ParentBroadcast { parent: self.clone(), selection: Selection::everybody() }
    }
}

impl fmt::Debug for ParentNamespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParentNamespace")
            .field("children", &self.children())
            .finish_non_exhaustive()
    }
}

/// Some of the sockets of the namespaces of one [`ParentNamespace`], and how to send to them.
#[derive(Clone, Debug)]
#[must_use = "this sends nothing by itself"]
pub struct ParentBroadcast {
    parent: ParentNamespace,
    selection: Selection,
}

impl ParentBroadcast {
    /// See [`Broadcast::to`].
    pub fn to(mut self, rooms: impl Rooms) -> Self {
        self.selection.add_rooms(rooms);
        self
    }

    /// The same as [`to`](Self::to).
    pub fn in_(self, rooms: impl Rooms) -> Self {
        self.to(rooms)
    }

    /// See [`Broadcast::except`].
    pub fn except(mut self, rooms: impl Rooms) -> Self {
        self.selection.except(rooms);
        self
    }

    /// See [`Broadcast::volatile`].
    pub fn volatile(mut self) -> Self {
        self.selection.make_volatile();
        self
    }

    /// See [`Broadcast::compress`].
    pub fn compress(mut self, compress: bool) -> Self {
        self.selection.set_compress(compress);
        self
    }

    /// Sends an event in each of the namespaces that there are now, for each of which it is encoded
    /// once. See [`Broadcast::emit`].
    ///
    /// # Errors
    ///
    /// If the arguments cannot be encoded. Nobody gets anything then.
    pub fn emit<T: Serialize + ?Sized>(
        &self,
        event: &str,
        args: &T,
    ) -> Result<BroadcastReport, EncodeError> {
        let mut report = BroadcastReport::default();
        let children: Vec<_> = lock(&self.parent.parent.children).values().cloned().collect();
        for child in children {
            let (inner, selection) = (&self.parent.inner, self.selection.clone());
            let broadcast = Broadcast::to_selection(inner, &child, selection);
            report.add(broadcast.emit(event, args)?);
        }
        Ok(report)
    }
}
