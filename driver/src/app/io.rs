//! The server, as the application sees it.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use sansocket_core::{
    Args, BroadcastReport, Config, Counters, EncodeError, Message, SocketId, Stats,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::inner::Inner;

use super::ack::BroadcastAckFuture;
use super::broadcast::{Broadcast, TimedBroadcast};
use super::builder::Builder;
use super::dynamic::{NamespaceRequest, Parent, ParentNamespace};
use super::error::ConnectError;
use super::handler::Handler;
use super::listeners::Disconnect;
use super::namespace::Namespace;
use super::reply::IntoReply;
use super::rooms::Rooms;
use super::socket::Socket;

/// A server. A handle, cheap to clone.
///
/// What is registered or sent here concerns the namespace `/`; [`of`](Self::of) gives others.
#[derive(Clone)]
pub struct Io {
    pub(crate) inner: Arc<Inner>,
}

impl Io {
    /// The settings of a new server.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn new(inner: &Arc<Inner>) -> Self {
        Self { inner: inner.clone() }
    }

    /// The namespace of that name, created if there is none. Clients can join it from now on.
    ///
    /// Names begin with `/`; one that does not is given it.
    pub fn of(&self, name: &str) -> Namespace {
        let namespace = self.inner.app.namespace(&self.inner.shards, name);
        Namespace::new(&self.inner, &namespace)
    }

    /// Namespaces that are made when a client first asks for them: those whose names `matches`
    /// takes. It is told what [`NamespaceRequest::name`] tells, and must not take long; a compiled
    /// regular expression does well. What is registered at the result is what each new namespace
    /// begins with.
    ///
    /// A namespace that exists is never asked for. Several rules are tried in the order in which
    /// they were made. See [`Builder::cleanup_empty_child_namespaces`] for how namespaces go.
    pub fn of_matching(
        &self,
        matches: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> ParentNamespace {
        self.add_parent(Parent::by_name(matches))
    }

    /// As [`of_matching`](Self::of_matching), for a rule that is asynchronous, or asks who the
    /// client is. While it decides, the client waits; its connection is closed after
    /// [`Builder::connect_timeout`] unless it has joined another namespace.
    pub fn of_dynamic<F, Fut>(&self, admits: F) -> ParentNamespace
    where
        F: Fn(NamespaceRequest) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = bool> + Send + 'static,
    {
        self.add_parent(Parent::by_request(admits))
    }

    /// Called with each namespace that is made because a client asked for it, once, before that
    /// client or another one gets in. It must not take long.
    pub fn on_new_namespace(&self, hook: impl Fn(Namespace) + Send + Sync + 'static) -> Self {
        self.inner.app.namespaces.hooks.push(Arc::new(hook));
        self.clone()
    }

    fn add_parent(&self, parent: Parent) -> ParentNamespace {
        let parent = Arc::new(parent);
        self.inner.app.namespaces.parents.push(parent.clone());
        self.inner.shards.set_dynamic_namespaces();
        ParentNamespace::new(&self.inner, &parent)
    }

    /// The state of that type that the server was built with, see [`Builder::state`].
    pub fn state<S: Any + Send + Sync>(&self) -> Option<&S> {
        self.inner.app.state()
    }

    /// The connected socket of that id, in whichever namespace.
    pub fn find_socket(&self, id: &SocketId) -> Option<Socket> {
        let may_move =
            self.inner.app.recovery.is_some() || self.inner.settings.generate_id.is_some();
        self.inner.shards.find_socket(id, may_move).as_ref().map(Socket::new)
    }

    /// How much the server holds at this moment. Takes time in proportion to the number of
    /// connections. A room is counted once in each shard where it has members.
    pub fn stats(&self) -> Stats {
        let mut total = Stats::default();
        for shard in self.inner.shards.iter() {
            let stats = shard.with(|state| state.core.stats());
            total.sessions += stats.sessions;
            total.connections += stats.connections;
            total.sockets += stats.sockets;
            total.namespace_requests += stats.namespace_requests;
            total.rooms += stats.rooms;
            total.pending_acks += stats.pending_acks;
            total.outbox_bytes += stats.outbox_bytes;
            total.timers += stats.timers;
        }
        total
    }

    /// What the server has counted since it was built.
    pub fn counters(&self) -> Counters {
        let mut total = Counters::default();
        for shard in self.inner.shards.iter() {
            total.add(&shard.with(|state| state.core.counters()));
        }
        total
    }

    /// The path of the server, with a slash at its end.
    pub fn path(&self) -> &str {
        &self.inner.settings.path
    }

    /// The settings that the protocol knows: intervals, transports, limits.
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    fn root(&self) -> Namespace {
        Namespace::new(&self.inner, self.inner.app.root())
    }
}

/// The namespace `/`.
impl Io {
    /// See [`Namespace::use_`].
    pub fn use_<F, Fut, E>(&self, middleware: F) -> Self
    where
        F: Fn(Socket) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<ConnectError> + 'static,
    {
        self.root().use_(middleware);
        self.clone()
    }

    /// See [`Namespace::on_connect`].
    pub fn on_connect<F, Fut>(&self, handler: F) -> Self
    where
        F: Fn(Socket) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: IntoReply> + Send + 'static,
    {
        self.root().on_connect(handler);
        self.clone()
    }

    /// See [`Namespace::on_disconnect`].
    pub fn on_disconnect<F, Fut, D>(&self, handler: F) -> Self
    where
        F: Fn(Socket, D) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: IntoReply> + Send + 'static,
        D: From<Disconnect> + 'static,
    {
        self.root().on_disconnect(handler);
        self.clone()
    }

    /// See [`Namespace::on`].
    pub fn on<Form: 'static>(&self, event: &str, handler: impl Handler<Form>) -> Self {
        self.root().on(event, handler);
        self.clone()
    }

    /// See [`Namespace::off`].
    pub fn off(&self, event: &str) -> bool {
        self.root().off(event)
    }

    /// See [`Namespace::on_any`].
    pub fn on_any<F, Fut>(&self, handler: F) -> Self
    where
        F: Fn(Socket, String, Args) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: IntoReply> + Send + 'static,
    {
        self.root().on_any(handler);
        self.clone()
    }

    /// See [`Namespace::use_event`].
    pub fn use_event<F, Fut, E>(&self, middleware: F) -> Self
    where
        F: Fn(Socket, String, Args) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + 'static,
    {
        self.root().use_event(middleware);
        self.clone()
    }

    /// See [`Namespace::on_any_outgoing`].
    pub fn on_any_outgoing<F>(&self, function: F) -> Self
    where
        F: Fn(&Socket, &str, &Message) + Send + Sync + 'static,
    {
        self.root().on_any_outgoing(function);
        self.clone()
    }

    /// See [`Namespace::on_server_side`].
    pub fn on_server_side<Form: 'static>(
        &self,
        event: &str,
        handler: impl Handler<Form, Namespace>,
    ) -> Self {
        self.root().on_server_side(event, handler);
        self.clone()
    }

    /// See [`Namespace::off_server_side`].
    pub fn off_server_side(&self, event: &str) -> bool {
        self.root().off_server_side(event)
    }

    /// See [`Namespace::server_side_emit`].
    ///
    /// # Errors
    ///
    /// If the name is reserved or the arguments cannot be encoded.
    pub fn server_side_emit<T: Serialize + ?Sized>(
        &self,
        event: &str,
        args: &T,
    ) -> Result<(), EncodeError> {
        self.root().server_side_emit(event, args)
    }

    /// See [`Namespace::server_side_emit_with_ack`].
    pub fn server_side_emit_with_ack<T: DeserializeOwned>(
        &self,
        event: &str,
        args: &(impl Serialize + ?Sized),
        timeout: Duration,
    ) -> BroadcastAckFuture<T> {
        self.root().server_side_emit_with_ack(event, args, timeout)
    }

    /// Sends an event to everybody in `/`. See [`Broadcast::emit`].
    ///
    /// # Errors
    ///
    /// If the arguments cannot be encoded.
    pub fn emit<T: Serialize + ?Sized>(
        &self,
        event: &str,
        args: &T,
    ) -> Result<BroadcastReport, EncodeError> {
        self.root().emit(event, args)
    }

    /// See [`Namespace::to`].
    pub fn to(&self, rooms: impl Rooms) -> Broadcast {
        self.root().to(rooms)
    }

    /// See [`Namespace::in_`].
    pub fn in_(&self, rooms: impl Rooms) -> Broadcast {
        self.root().in_(rooms)
    }

    /// See [`Namespace::except`].
    pub fn except(&self, rooms: impl Rooms) -> Broadcast {
        self.root().except(rooms)
    }

    /// See [`Namespace::local`].
    pub fn local(&self) -> Broadcast {
        self.root().local()
    }

    /// See [`Namespace::volatile`].
    pub fn volatile(&self) -> Broadcast {
        self.root().volatile()
    }

    /// See [`Namespace::compress`].
    pub fn compress(&self, compress: bool) -> Broadcast {
        self.root().compress(compress)
    }

    /// See [`Namespace::timeout`].
    pub fn timeout(&self, timeout: Duration) -> TimedBroadcast {
        self.root().timeout(timeout)
    }

    /// See [`Namespace::sockets`].
    pub fn sockets(&self) -> Vec<Socket> {
        self.root().sockets()
    }

    /// See [`Namespace::fetch_sockets`].
    pub fn fetch_sockets(&self) -> Vec<Socket> {
        self.root().fetch_sockets()
    }

    /// See [`Namespace::sockets_join`].
    pub fn sockets_join(&self, rooms: impl Rooms) {
        self.root().sockets_join(rooms);
    }

    /// See [`Namespace::sockets_leave`].
    pub fn sockets_leave(&self, rooms: impl Rooms) {
        self.root().sockets_leave(rooms);
    }

    /// See [`Namespace::disconnect_sockets`].
    pub fn disconnect_sockets(&self, close: bool) {
        self.root().disconnect_sockets(close);
    }
}

impl fmt::Debug for Io {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Io").field("path", &self.inner.settings.path).finish_non_exhaustive()
    }
}
