//! One client in one namespace.

mod receiving;

use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use sansocket_core::{ArgsError, LostSession, Message, Revision, SocketId, SocketKey};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::handshake::Handshake;
use crate::inner::Inner;

use super::ack::AckFuture;
use super::broadcast::Broadcast;
use super::emitter::{Emitter, Flags, TimedEmitter, VolatileEmitter};
use super::error::{EmitError, JoinError};
use super::extensions::Extensions;
use super::io::Io;
use super::listeners::Listeners;
use super::namespace::{Namespace, NamespaceShared};
use super::recovery::{Recovery, Ticket};
use super::rooms::Rooms;

/// What the driver and all handles of one socket share.
pub(crate) struct SocketShared {
    pub(crate) key: SocketKey,
    pub(crate) shard: usize,
    pub(crate) id: SocketId,
    /// What its client speaks.
    pub(super) revision: Revision,
    pub(crate) inner: Arc<Inner>,
    pub(crate) namespace: Arc<NamespaceShared>,
    pub(crate) handshake: Arc<Handshake>,
    /// The JSON that came with the CONNECT packet; empty if none did.
    pub(super) auth: Box<str>,
    pub(super) extensions: Extensions,
    /// Whether it has got its state back.
    recovered: bool,
    /// Set when it is let in, if it can be recovered.
    pub(super) ticket: OnceLock<Box<Ticket>>,
    /// Most sockets have no handlers of their own.
    own: OnceLock<Box<Listeners<Socket>>>,
    dismissed: AtomicBool,
}

impl SocketShared {
    pub(super) fn new(
        inner: &Arc<Inner>,
        shard: usize,
        namespace: &Arc<NamespaceShared>,
        handshake: Arc<Handshake>,
        request: &sansocket_core::ConnectRequest,
        recovered: Option<&LostSession<Extensions>>,
    ) -> Self {
        Self {
            key: request.socket,
            shard,
            id: recovered.map_or(request.id, |session| session.id),
            revision: request.revision,
            inner: inner.clone(),
            namespace: namespace.clone(),
            handshake,
            auth: request.packet.payload().into(),
            extensions: recovered.map(|session| session.data.copy()).unwrap_or_default(),
            recovered: recovered.is_some(),
            ticket: OnceLock::new(),
            own: OnceLock::new(),
            dismissed: AtomicBool::new(false),
        }
    }

    /// The application has disconnected it.
    pub(crate) fn dismiss(&self) {
        self.dismissed.store(true, Ordering::Release);
    }

    /// Whether the application has disconnected it, and so wants to hear of it no more but that.
    pub(super) fn is_dismissed(&self) -> bool {
        self.dismissed.load(Ordering::Acquire)
    }

    /// The socket's own handlers, if it ever had any.
    pub(super) fn own(&self) -> Option<&Listeners<Socket>> {
        self.own.get().map(|own| &**own)
    }

    /// What keeps events for it, if its client can ask for them.
    pub(super) fn recovery(&self) -> Option<&Recovery> {
        self.inner.app.recovery.as_ref().filter(|_| self.revision == Revision::V4)
    }

    /// Does something to the socket in its shard.
    pub(super) fn with_core<R>(
        &self,
        act: impl FnOnce(&mut sansocket_core::Socket<'_>) -> Result<R, sansocket_core::EmitError>,
    ) -> Result<R, sansocket_core::EmitError> {
        let gone = sansocket_core::EmitError::NotConnected;
        let shard = self.inner.shards.get(self.shard).ok_or(gone)?;
        shard.with(|state| act(&mut state.core.socket(self.key).ok_or(gone)?))
    }
}

/// One client in one namespace.
///
/// This is a handle, cheap to clone. Keeping one does not keep the client connected; used after
/// the client has left, it answers [`EmitError::NotConnected`].
#[derive(Clone)]
pub struct Socket {
    shared: Arc<SocketShared>,
}

/// What it is.
impl Socket {
    /// The socket's id, which is no secret. It is also the name of a room that the socket alone
    /// is in.
    pub fn id(&self) -> SocketId {
        self.shared.id
    }

    /// The namespace that the socket is in.
    pub fn namespace(&self) -> Namespace {
        Namespace::new(&self.shared.inner, &self.shared.namespace)
    }

    /// The server.
    pub fn server(&self) -> Io {
        Io::new(&self.shared.inner)
    }

    /// The HTTP request by which the client opened the session.
    pub fn handshake(&self) -> &Handshake {
        &self.shared.handshake
    }

    /// What the client gave as `auth` for this namespace. A client that gave nothing is taken to
    /// have given an empty object.
    ///
    /// # Errors
    ///
    /// If it does not fit.
    pub fn auth<T: DeserializeOwned>(&self) -> Result<T, ArgsError> {
        let auth = if self.shared.auth.is_empty() { "{}" } else { &self.shared.auth };
        Ok(serde_json::from_str(auth)?)
    }

    /// Whether the socket is connected at this moment: not before every middleware has let it
    /// pass, and not after it was disconnected.
    pub fn connected(&self) -> bool {
        self.shared.with_core(|_| Ok(())).is_ok()
    }

    /// Whether the client had lost its connection and has got its state back: this socket's id,
    /// rooms and data are the old ones, and what it missed was sent to it. See
    /// [`Builder::connection_state_recovery`](crate::Builder::connection_state_recovery).
    pub fn recovered(&self) -> bool {
        self.shared.recovered
    }

    /// The state of that type that the server was built with, see
    /// [`Builder::state`](crate::Builder::state).
    pub fn state<S: Any + Send + Sync>(&self) -> Option<&S> {
        self.shared.inner.app.state()
    }

    pub(crate) fn new(shared: &Arc<SocketShared>) -> Self {
        Self { shared: shared.clone() }
    }

    pub(super) fn shared(&self) -> &Arc<SocketShared> {
        &self.shared
    }
}

/// Data of the application.
impl Socket {
    /// Keeps a value at the socket, in place of one of the same type, which is returned.
    pub fn insert<T: Send + Sync + 'static>(&self, value: T) -> Option<Arc<T>> {
        self.shared.extensions.insert(value)
    }

    /// A copy of the value of that type.
    pub fn get<T: Clone + Send + Sync + 'static>(&self) -> Option<T> {
        self.shared.extensions.get()
    }

    /// Takes the value of that type away.
    pub fn remove<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.shared.extensions.remove()
    }

    /// All values that are kept at the socket. They stay for as long as a handle of it does.
    pub fn extensions(&self) -> &Extensions {
        &self.shared.extensions
    }
}

/// Sending.
impl Socket {
    /// Sends an event to this client. A tuple of `args` is several arguments, `()` none.
    ///
    /// It is queued when this returns, in order with everything else that is sent to the client.
    ///
    /// # Errors
    ///
    /// If the arguments cannot be encoded, the socket is not connected, or its outbox is full.
    pub fn emit<T: Serialize + ?Sized>(&self, event: &str, args: &T) -> Result<(), EmitError> {
        self.emit_as(event, args, Flags::default())
    }

    /// For an event that may be dropped: it is not sent unless the transport is ready at once.
    pub fn volatile(&self) -> VolatileEmitter {
        VolatileEmitter::new(self)
    }

    /// For an event that is to be compressed, or not, where the server [compresses polling] or
    /// [WebSockets]. Everything else is `true`. What is secret, or compressed already, is better not.
    ///
    /// [compresses polling]: crate::Builder#method.http_compression
    /// [WebSockets]: crate::Builder#method.per_message_deflate
    pub fn compress(&self, compress: bool) -> Emitter {
        Emitter::new(self, compress)
    }

    /// For an event that is to be acknowledged within `timeout`.
    pub fn timeout(&self, timeout: Duration) -> TimedEmitter {
        TimedEmitter::new(self, timeout)
    }

    /// Sends an event, at once, and gives what the client acknowledges it with, decoded as a `T`.
    /// A tuple is several arguments.
    ///
    /// A handler may wait for an acknowledgement from its own socket.
    ///
    /// # Errors
    ///
    /// See [`AckError`](crate::AckError).
    pub fn emit_with_ack<T: DeserializeOwned>(
        &self,
        event: &str,
        args: &(impl Serialize + ?Sized),
        timeout: Duration,
    ) -> AckFuture<T> {
        self.ask(event, args, timeout, true)
    }
}

/// Sending to others in the namespace.
impl Socket {
    /// Everybody else.
    pub fn broadcast(&self) -> Broadcast {
        Broadcast::new(&self.shared.inner, &self.shared.namespace).except_socket(self.shared.id)
    }

    /// Everybody else who is in one of `rooms`.
    pub fn to(&self, rooms: impl Rooms) -> Broadcast {
        self.broadcast().to(rooms)
    }

    /// The same as [`to`](Self::to).
    pub fn in_(&self, rooms: impl Rooms) -> Broadcast {
        self.to(rooms)
    }

    /// Everybody else who is in none of `rooms`.
    pub fn except(&self, rooms: impl Rooms) -> Broadcast {
        self.broadcast().except(rooms)
    }

    /// Everybody else at this server, if there are several.
    pub fn local(&self) -> Broadcast {
        self.broadcast().local()
    }
}

/// Rooms.
impl Socket {
    /// The rooms that the socket is in, its own among them. None once it is disconnected.
    pub fn rooms(&self) -> Vec<Arc<str>> {
        let rooms = self.shared.with_core(|socket| {
            let own = socket.is_in_own_room().then(|| Arc::from(self.shared.id.as_str()));
            Ok(own.into_iter().chain(socket.rooms().cloned()).collect())
        });
        rooms.unwrap_or_default()
    }

    /// Joins rooms. To be in a room already is no error.
    ///
    /// # Errors
    ///
    /// If the socket is not connected, as in a middleware, or is in too many rooms.
    pub fn join(&self, rooms: impl Rooms) -> Result<(), JoinError> {
        // Collected first: an implementation of the trait is not to run with the shard locked.
        let mut names: Vec<Box<str>> = Vec::new();
        rooms.visit(&mut |room| names.push(room.into()));
        let joined = self.shared.with_core(|socket| {
            Ok(names.iter().all(|room| socket.join(room) || is_in(socket, room)))
        });
        match joined {
            Ok(true) => Ok(()),
            Ok(false) => Err(JoinError::TooManyRooms),
            Err(_) => Err(JoinError::NotConnected),
        }
    }

    /// Leaves rooms. Not to be in a room is no error.
    pub fn leave(&self, rooms: impl Rooms) {
        let mut names: Vec<Box<str>> = Vec::new();
        rooms.visit(&mut |room| names.push(room.into()));
        let left = self.shared.with_core(|socket| {
            for room in &names {
                socket.leave(room);
            }
            Ok(())
        });
        // Whoever is not connected is in no room.
        let _ = left;
    }
}

/// Ending.
impl Socket {
    /// Disconnects the socket from its namespace. The client's connection stays open for others.
    /// Events of this socket that wait to be handled are not handled any more.
    pub fn disconnect(&self) {
        let message = Message::disconnect(&self.shared.namespace.name);
        // Who cannot be told sees his connection end.
        self.end(self.shared.inner.encode_control(message).as_ref());
    }

    /// Disconnects the client from every namespace and closes its connection: `disconnect(true)`
    /// in JavaScript. Its events that wait to be handled are not handled any more.
    pub fn disconnect_connection(&self) {
        self.end(None);
    }

    fn end(&self, message: Option<&Message>) {
        let SocketShared { inner, shard, key, .. } = &*self.shared;
        let now = inner.now();
        let Some(shard) = inner.shards.get(*shard) else { return };
        shard.with(|state| state.disconnect(now, *key, message));
    }
}

impl PartialEq for Socket {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl Eq for Socket {}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket")
            .field("id", &self.shared.id)
            .field("namespace", &self.shared.namespace.name)
            .finish_non_exhaustive()
    }
}

fn is_in(socket: &sansocket_core::Socket<'_>, room: &str) -> bool {
    let is_own = socket.id().is_some_and(|id| id.as_str() == room);
    is_own || socket.rooms().any(|joined| **joined == *room)
}
