//! What an application sees of the server.
//!
//! It reads like the JavaScript interface. Handlers are registered at the namespace rather than at
//! each socket as it comes, return their acknowledgement, and take typed arguments.
//!
//! | JavaScript | here |
//! | --- | --- |
//! | `new Server(opts)` | `Server::builder()....build()` |
//! | `io.engine.use((req, res, next) => {})`, `new Server({ allowRequest })` | [`Builder::use_request`], [`Builder::allow_request`] |
//! | `io.engine.generateId = (req) => id` | [`Builder::generate_id`] |
//! | `io.engine.on("headers", (headers, req) => {})`, `"initial_headers"`, `"connection_error"` | [`Builder::on_headers`], [`on_initial_headers`](Builder::on_initial_headers), [`on_connection_error`](Builder::on_connection_error) |
//! | `io.of("/chat")` | [`io.of("/chat")`](Io::of) |
//! | `io.of(/regex/)`, `io.of((name, auth, next) => next(null, true))` | [`io.of_matching(\|name\| ...)`](Io::of_matching), [`io.of_dynamic(async \|request\| true)`](Io::of_dynamic) |
//! | `io.on("new_namespace", nsp => {})` | [`io.on_new_namespace(\|namespace\| {})`](Io::on_new_namespace) |
//! | `io.use((socket, next) => next(err))` | [`io.use_(async \|socket: Socket\| Err("..."))`](Namespace::use_) |
//! | `socket.use((event, next) => next(err))` | [`socket.use_event(async \|socket, event, args\| Err("..."))`](Socket::use_event), or for all sockets [`io.use_event`](Namespace::use_event) |
//! | `connectionStateRecovery: {}`, `socket.recovered` | [`Builder::connection_state_recovery`], [`recovered`](Socket::recovered) |
//! | `io.on("connection", socket => {})` | [`io.on_connect(async \|socket: Socket\| {})`](Namespace::on_connect) |
//! | `socket.on("e", (a, b) => {})` | [`io.on("e", async \|socket: Socket, (a, b): (A, B)\| {})`](Namespace::on) for all sockets, [`socket.on`](Socket::on) for one |
//! | `socket.on("e", (a, callback) => callback(x))` | `io.on("e", async \|_: Socket, a: A\| Ack(x))`, or a third parameter, [`Reply`] |
//! | `socket.once`, `off` | [`once`](Socket::once), [`off`](Socket::off); an event has at most one handler at a namespace, and one at a socket |
//! | `socket.on("disconnect", reason => {})`, `"disconnecting"` | [`on_disconnect`](Namespace::on_disconnect), which can be told the rooms |
//! | `socket.onAny`, `prependAny`, `offAny` | [`on_any`](Socket::on_any), [`prepend_any`](Socket::prepend_any), [`off_any`](Socket::off_any), or for all sockets [`io.on_any`](Namespace::on_any) |
//! | `socket.onAnyOutgoing`, `prependAnyOutgoing`, `offAnyOutgoing` | [`on_any_outgoing`](Socket::on_any_outgoing), [`prepend_any_outgoing`](Socket::prepend_any_outgoing), [`off_any_outgoing`](Socket::off_any_outgoing), or for all sockets [`io.on_any_outgoing`](Namespace::on_any_outgoing) |
//! | `socket.emit("e", a)`, `emit("e", a, b)` | [`socket.emit("e", &a)`](Socket::emit), `emit("e", &(a, b))` |
//! | `await socket.timeout(ms).emitWithAck("e", a)` | [`socket.emit_with_ack::<T>("e", &a, timeout).await`](Socket::emit_with_ack) |
//! | `io.to("r").except("s").emit("e", a)` | [the same](Broadcast) |
//! | `io.in("r")` | [`io.in_("r")`](Io::in_) |
//! | `io.timeout(ms).emitWithAck("e")` | [`io.timeout(timeout).emit_with_ack::<T>("e", &()).await`](TimedBroadcast::emit_with_ack) |
//! | `io.serverSideEmit("e", a)`, `await io.serverSideEmitWithAck("e", a)` | [`io.server_side_emit("e", &a)`](Io::server_side_emit), [`io.server_side_emit_with_ack::<T>("e", &a, timeout).await`](Io::server_side_emit_with_ack) |
//! | `io.on("e", (a, callback) => {})`, for those events | [`io.on_server_side("e", async \|_: Namespace, a: A\| Ack(x))`](Io::on_server_side) |
//! | `socket.broadcast.emit`, `socket.to("r").emit` | [`socket.broadcast().emit`](Socket::broadcast), [`socket.to("r").emit`](Socket::to) |
//! | `socket.volatile.emit` | [`socket.volatile().emit`](Socket::volatile) |
//! | `new Server({ perMessageDeflate })` | `Builder::per_message_deflate`, by the feature `deflate` |
//! | `socket.compress(false).emit`, `io.compress(false).emit` | [`socket.compress(false).emit`](Socket::compress), [`io.compress(false).emit`](Broadcast::compress) |
//! | `socket.join("r")`, `leave`, `rooms` | [`join`](Socket::join), [`leave`](Socket::leave), [`rooms`](Socket::rooms) |
//! | `io.fetchSockets()`, `socketsJoin`, `socketsLeave`, `disconnectSockets(true)` | [`fetch_sockets`](Broadcast::fetch_sockets), [`sockets_join`](Broadcast::sockets_join), [`sockets_leave`](Broadcast::sockets_leave), [`disconnect_sockets(true)`](Broadcast::disconnect_sockets) |
//! | `socket.disconnect()`, `disconnect(true)` | [`disconnect()`](Socket::disconnect), [`disconnect_connection()`](Socket::disconnect_connection) |
//! | `socket.handshake`, `socket.handshake.auth` | [`handshake()`](Socket::handshake), [`auth::<T>()`](Socket::auth) |
//! | `socket.data.user = x` | [`socket.insert(x)`](Socket::insert), [`socket.get::<X>()`](Socket::get) |
//! | variables around the handlers | [`Builder::state`], [`socket.state::<S>()`](Socket::state) |

mod ack;
mod broadcast;
mod builder;
mod dispatch;
mod dynamic;
mod emitter;
mod encode;
mod error;
mod extensions;
mod handler;
mod io;
mod listeners;
mod namespace;
mod recovery;
mod registry;
mod reply;
mod rooms;
mod server_side;
mod socket;
mod state;
mod sync;

#[cfg(test)]
mod tests;

pub use ack::{AckFuture, BroadcastAckFuture, UndecodedAckFuture};
pub use broadcast::{Broadcast, TimedBroadcast};
pub use builder::{Builder, OnRuntime};
pub use dynamic::{NamespaceRequest, ParentBroadcast, ParentNamespace};
pub use emitter::{Emitter, TimedEmitter, VolatileEmitter};
pub use error::{
    AckError, BroadcastAckError, BroadcastAckErrorKind, ConnectError, EmitError, HandlerError,
    HandlerErrorKind, JoinError,
};
pub use extensions::Extensions;
pub use handler::{FromArgs, Handler};
pub use io::Io;
pub use listeners::Disconnect;
pub use namespace::Namespace;
pub use recovery::ConnectionStateRecovery;
pub use reply::{Ack, IntoReply, Reply};
pub use rooms::Rooms;
pub use socket::Socket;

pub(crate) use ack::Acks;
pub(crate) use dispatch::{
    clean_up, connect, disconnect, find_namespace, in_order, rate_exceeded, receive, violation,
};
pub(crate) use encode::with_encoder;
pub(crate) use error::{ErrorHook, beginning_of_id, log};
pub(crate) use handler::{Call, erase, run};
pub(crate) use listeners::{Listeners, OnConnect, Subject, on_connect};
pub(crate) use recovery::{can_be_recovered, ended};
pub(crate) use socket::SocketShared;
pub(crate) use sync::{List, lock};

use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use sansocket_core::{AckOutcome, ExceededRate};

use crate::shards::Shards;

use namespace::NamespaceShared;
use recovery::Recovery;
use registry::{NamespaceSettings, Registry};
use state::State;

/// Handlers that run.
pub(crate) type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What the application has registered, and what it waits for.
pub(crate) struct App {
    root: Arc<NamespaceShared>,
    namespaces: Registry,
    pub(crate) recovery: Option<Recovery>,
    acks: Arc<Acks>,
    state: State,
    hooks: AppHooks,
}

/// Whom the application has told to be told.
struct AppHooks {
    error: ErrorHook,
    rate: Option<Box<RateHook>>,
}

/// Called when a client has sent too much.
type RateHook = dyn Fn(&Socket, ExceededRate) + Send + Sync;

impl App {
    fn new(
        shards: &Shards,
        state: State,
        hooks: AppHooks,
        namespaces: NamespaceSettings,
        recovery: Option<ConnectionStateRecovery>,
    ) -> std::io::Result<Self> {
        let registry = Registry::new(namespaces);
        let root = registry.get_or_create(shards, "/");
        let root = root.ok_or_else(|| std::io::Error::other("a server needs a shard"))?;
        Ok(Self {
            root,
            namespaces: registry,
            recovery: recovery.map(Recovery::new),
            acks: Arc::default(),
            state,
            hooks,
        })
    }

    /// What became of an acknowledgement that a client owed.
    pub(crate) fn resolve(&self, outcome: AckOutcome) {
        self.acks.resolve(outcome.id, outcome.result);
    }

    fn root(&self) -> &Arc<NamespaceShared> {
        &self.root
    }

    /// The namespace of that name, created if there is none.
    fn namespace(&self, shards: &Shards, name: &str) -> Arc<NamespaceShared> {
        let namespace = self.namespaces.get_or_create(shards, name);
        namespace.unwrap_or_else(|| self.root.clone())
    }

    fn state<S: Any + Send + Sync>(&self) -> Option<&S> {
        self.state.get()
    }

    fn report(&self, error: &HandlerError) {
        (self.hooks.error)(error);
    }
}
