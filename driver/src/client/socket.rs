//! One namespace of a connection, as a client sees it.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_channel::oneshot;
use sansocket_core::client::{self, AckToken, DisconnectReason};
use sansocket_core::codec::parser::encode_for;
use sansocket_core::{Args, Delivery, EncodeError, Message, Timestamp, Transport};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::app::{
    AckFuture, EmitError, Handler, HandlerError, HandlerErrorKind, IntoReply, Reply, Subject,
    erase, with_encoder,
};

use super::error::ConnectError;
use super::namespace::NamespaceShared;
use super::shared::Shared;

/// One namespace of a connection to a server.
///
/// This is what handlers are given: a handle, cheap to clone. Keeping one does not keep the client
/// connected, which is what a [`Client`](super::Client) is for.
#[derive(Clone)]
pub struct Socket {
    shared: Arc<Shared>,
    namespace: Arc<NamespaceShared>,
}

/// What it is.
impl Socket {
    pub(super) fn new(shared: &Arc<Shared>, namespace: &Arc<NamespaceShared>) -> Self {
        Self { shared: shared.clone(), namespace: namespace.clone() }
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(super) fn namespace_shared(&self) -> &NamespaceShared {
        &self.namespace
    }

    /// The name of the namespace.
    pub fn namespace(&self) -> &str {
        &self.namespace.name
    }

    /// The id that the server gave it; `None` while it is not connected.
    pub fn id(&self) -> Option<Arc<str>> {
        self.shared.with(|state| state.socket(self.namespace.place)?.id())
    }

    /// Whether it is connected at this moment.
    pub fn connected(&self) -> bool {
        self.id().is_some()
    }

    /// Whether it is connected, or will be by itself: `active` in JavaScript.
    pub fn is_active(&self) -> bool {
        let is_active = |socket: client::Socket<'_>| socket.is_active();
        self.shared.with(|state| state.socket(self.namespace.place).is_some_and(is_active))
    }

    /// Whether the server has restored the state that the namespace had before the connection was
    /// lost, rooms and missed events included.
    pub fn recovered(&self) -> bool {
        let place = self.namespace.place;
        self.shared.with(|state| state.entry(place).is_some_and(|entry| entry.recovered))
    }

    /// The transport of the connection, if it is open.
    pub fn transport(&self) -> Option<Transport> {
        self.shared.with(|state| state.manager.transport())
    }

    /// How much the connection holds, of all its namespaces.
    pub fn stats(&self) -> client::Stats {
        self.shared.with(|state| state.manager.stats())
    }
}

/// Sending.
impl Socket {
    /// Sends an event, or keeps it until the namespace is connected. A tuple of `args` is several
    /// arguments, `()` none.
    ///
    /// # Errors
    ///
    /// If the arguments cannot be encoded, or at a limit.
    pub fn emit<T: Serialize + ?Sized>(&self, event: &str, args: &T) -> Result<(), EmitError> {
        self.emit_as(event, args, Delivery::Reliable, true)
    }

    /// For an event that may be dropped: it is not sent unless it can be at once.
    pub fn volatile(&self) -> VolatileEmitter {
        VolatileEmitter { socket: self.clone(), compress: true }
    }

    /// For an event that is to be compressed, or not, on a WebSocket on which [compression] was agreed.
    /// Everything else is `true`. What is secret, or compressed already, is better not.
    ///
    /// [compression]: super::Builder#method.per_message_deflate
    pub fn compress(&self, compress: bool) -> Emitter {
        Emitter { socket: self.clone(), compress }
    }

    /// For an event that is to be acknowledged within `timeout`.
    pub fn timeout(&self, timeout: Duration) -> TimedEmitter {
        TimedEmitter { socket: self.clone(), timeout, compress: true }
    }

    /// Sends an event, at once or when the namespace is connected, and gives what the server
    /// acknowledges it with, decoded as a `T`. A tuple is several arguments.
    ///
    /// A handler may wait for an acknowledgement.
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

    fn ask<T: DeserializeOwned>(
        &self,
        event: &str,
        args: &(impl Serialize + ?Sized),
        timeout: Duration,
        compress: bool,
    ) -> AckFuture<T> {
        AckFuture::new(&self.shared.acks, |id| {
            let message = self.encode(|encoder, namespace| {
                Message::event(encoder, namespace, event, args, Some(id))
            })?;
            let message = if compress { message } else { message.uncompressed() };
            self.send(event, message, |socket, now, message| {
                socket.emit_with_ack(now, message, Delivery::Reliable, id, Some(now + timeout))
            })
        })
    }

    /// Sends an event until the server acknowledges it: again where no acknowledgement came within
    /// [`Builder::ack_timeout`](super::Builder::ack_timeout), up to
    /// [`Builder::retries`](super::Builder::retries) times, and again after each loss of the
    /// connection. One after the other, so they arrive in order, each at least once. The future
    /// gives the acknowledgement; dropping it gives up nothing but that.
    ///
    /// # Errors
    ///
    /// See [`AckError`](crate::AckError).
    pub fn emit_at_least_once<T: DeserializeOwned>(
        &self,
        event: &str,
        args: &(impl Serialize + ?Sized),
    ) -> AckFuture<T> {
        AckFuture::new(&self.shared.acks, |id| {
            let message = self.encode(|encoder, namespace| {
                Message::event(encoder, namespace, event, args, Some(id))
            })?;
            self.send(event, message, |socket, now, message| {
                socket.emit_at_least_once(now, message, id)
            })
        })
    }

    pub(crate) fn acknowledge<T: Serialize + ?Sized>(
        &self,
        token: AckToken,
        value: &T,
    ) -> Result<(), EmitError> {
        let id = token.id();
        let message =
            self.encode(|encoder, namespace| Message::ack(encoder, namespace, id, value))?;
        self.with_core(|socket, now| socket.acknowledge(now, token, message))
    }

    fn emit_as<T: Serialize + ?Sized>(
        &self,
        event: &str,
        args: &T,
        delivery: Delivery,
        compress: bool,
    ) -> Result<(), EmitError> {
        let message = self
            .encode(|encoder, namespace| Message::event(encoder, namespace, event, args, None))?;
        let message = if compress { message } else { message.uncompressed() };
        self.send(event, message, |socket, now, message| socket.emit(now, message, delivery))
    }

    /// Sends an event, and tells whoever wants to know.
    fn send(
        &self,
        event: &str,
        message: Message,
        act: impl FnOnce(&mut client::Socket<'_>, Timestamp, Message) -> Result<(), client::EmitError>,
    ) -> Result<(), EmitError> {
        let outgoing = &self.namespace.listeners.outgoing;
        let observed = outgoing.is_used().then(|| message.clone());
        self.with_core(|socket, now| act(socket, now, message))?;
        if let (Some(message), Some(listeners)) = (observed, outgoing.snapshot()) {
            listeners.iter().for_each(|listener| listener(self, event, &message));
        }
        Ok(())
    }

    fn encode(
        &self,
        encode: impl FnOnce(&mut sansocket_core::Encoder, &str) -> Result<Message, EncodeError>,
    ) -> Result<Message, EncodeError> {
        let message = with_encoder(|encoder| encode(encoder, &self.namespace.name))?;
        encode_for(self.shared.parser.as_ref(), message)
    }

    fn with_core(
        &self,
        act: impl FnOnce(&mut client::Socket<'_>, Timestamp) -> Result<(), client::EmitError>,
    ) -> Result<(), EmitError> {
        let now = self.shared.now();
        self.shared.change(|state| {
            let mut socket = state.socket(self.namespace.place).ok_or(EmitError::NotConnected)?;
            Ok(act(&mut socket, now)?)
        })
    }
}

/// Receiving. Handlers of one namespace run one after the other, in the order of its events.
impl Socket {
    /// Handles an event, in place of the last handler of that event.
    pub fn on<Form: 'static>(&self, event: &str, handler: impl Handler<Form, Self>) -> Self {
        self.namespace.listeners.on(event, erase(handler), false);
        self.clone()
    }

    /// As [`on`](Self::on), for the next event of that name only.
    pub fn once<Form: 'static>(&self, event: &str, handler: impl Handler<Form, Self>) -> Self {
        self.namespace.listeners.on(event, erase(handler), true);
        self.clone()
    }

    /// Removes the handler of an event. `false` if there is none.
    pub fn off(&self, event: &str) -> bool {
        self.namespace.listeners.off(event)
    }

    /// Gets every event, before its handler, with its undecoded arguments.
    pub fn on_any<F, Fut>(&self, handler: F) -> Self
    where
        F: Fn(Self, String, Args) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: IntoReply> + Send + 'static,
    {
        self.namespace.listeners.on_any(handler);
        self.clone()
    }

    /// As [`on_any`](Self::on_any), before those that there are already.
    pub fn prepend_any<F, Fut>(&self, handler: F) -> Self
    where
        F: Fn(Self, String, Args) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: IntoReply> + Send + 'static,
    {
        self.namespace.listeners.prepend_any(handler);
        self.clone()
    }

    /// Removes all that [`on_any`](Self::on_any), also of the
    /// [`Builder`](super::Builder::on_any), and [`prepend_any`](Self::prepend_any) have registered.
    pub fn off_any(&self) -> Self {
        self.namespace.listeners.any.clear();
        self.clone()
    }

    /// Is told of each event that is sent, or kept until it can be. It must not wait.
    pub fn on_any_outgoing<F>(&self, listener: F) -> Self
    where
        F: Fn(&Self, &str, &Message) + Send + Sync + 'static,
    {
        self.namespace.listeners.outgoing.push(Arc::new(listener));
        self.clone()
    }

    /// As [`on_any_outgoing`](Self::on_any_outgoing), before those that there are already.
    pub fn prepend_any_outgoing<F>(&self, listener: F) -> Self
    where
        F: Fn(&Self, &str, &Message) + Send + Sync + 'static,
    {
        self.namespace.listeners.outgoing.push_front(Arc::new(listener));
        self.clone()
    }

    /// Removes all that [`on_any_outgoing`](Self::on_any_outgoing) and
    /// [`prepend_any_outgoing`](Self::prepend_any_outgoing) have registered.
    pub fn off_any_outgoing(&self) -> Self {
        self.namespace.listeners.outgoing.clear();
        self.clone()
    }

    pub(crate) fn report(&self, event: &Arc<str>, kind: HandlerErrorKind) {
        (self.shared.error_hook)(&HandlerError {
            event: event.clone(),
            namespace: self.namespace.name.clone(),
            socket: self.id().map(|id| (*id).into()),
            kind,
        });
    }
}

/// Connecting and disconnecting.
impl Socket {
    /// Connects the namespace again after the server or the application has disconnected it, or a
    /// connect has failed for good. [`ready`](Self::ready) tells what comes of it.
    pub fn connect(&self) {
        let now = self.shared.now();
        self.shared.change(|state| {
            if let Some(mut socket) = state.socket(self.namespace.place) {
                socket.connect(now);
            }
            if let Some(entry) = state.entry(self.namespace.place) {
                entry.failure = None;
            }
        });
    }

    /// Waits until the namespace is connected.
    ///
    /// # Errors
    ///
    /// The first thing that goes wrong, although the client may go on trying, see
    /// [`ConnectError::is_final`].
    pub async fn ready(&self) -> Result<(), ConnectError> {
        let waiting = self.shared.with(|state| {
            let socket = state.socket(self.namespace.place).ok_or(ConnectError::Closed)?;
            if socket.is_connected() {
                return Ok(None);
            }
            let is_active = socket.is_active();
            let entry = state.entry(self.namespace.place).ok_or(ConnectError::Closed)?;
            if !is_active {
                // It may have been refused before we came to wait.
                return Err(entry.failure.clone().unwrap_or(ConnectError::Closed));
            }
            let (sender, receiver) = oneshot::channel();
            entry.waiting.retain(|waiting| !waiting.is_canceled());
            entry.waiting.push(sender);
            Ok(Some(receiver))
        })?;
        match waiting {
            Some(waiting) => waiting.await.unwrap_or(Err(ConnectError::Closed)),
            None => Ok(()),
        }
    }

    /// Disconnects the namespace, which tells the server. With the last namespace the connection is
    /// closed, as soon as what is queued was sent.
    pub fn disconnect(&self) {
        let now = self.shared.now();
        let waiting = self.shared.change(|state| {
            if let Some(socket) = state.socket(self.namespace.place) {
                socket.disconnect(now);
            }
            let entry = state.entry(self.namespace.place)?;
            entry.failure = None;
            Some(std::mem::take(&mut entry.waiting))
        });
        drop(waiting);
    }

    /// Begins the reconnection that is waited for at once, for one because the network is back.
    pub fn reconnect_now(&self) {
        let now = self.shared.now();
        self.shared.change(|state| state.manager.reconnect_now(now));
    }
}

impl Subject for Socket {
    type End = DisconnectReason;

    fn unasked(&self) -> Reply {
        Reply::to_server(self.clone(), None)
    }
}

impl PartialEq for Socket {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.namespace, &other.namespace)
    }
}

impl Eq for Socket {}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket")
            .field("id", &self.id())
            .field("namespace", &self.namespace.name)
            .finish_non_exhaustive()
    }
}

/// Sends events that are compressed, or not. See [`Socket::compress`].
#[derive(Clone, Debug)]
#[must_use = "this sends nothing by itself"]
pub struct Emitter {
    socket: Socket,
    compress: bool,
}

impl Emitter {
    /// See [`Socket::emit`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn emit<T: Serialize + ?Sized>(&self, event: &str, args: &T) -> Result<(), EmitError> {
        self.socket.emit_as(event, args, Delivery::Reliable, self.compress)
    }

    /// See [`Socket::volatile`].
    pub fn volatile(self) -> VolatileEmitter {
        let Self { socket, compress } = self;
        VolatileEmitter { socket, compress }
    }

    /// See [`Socket::timeout`].
    pub fn timeout(self, timeout: Duration) -> TimedEmitter {
        let Self { socket, compress } = self;
        TimedEmitter { socket, timeout, compress }
    }
}

/// Sends events that may be dropped. See [`Socket::volatile`].
#[derive(Clone, Debug)]
#[must_use = "this sends nothing by itself"]
pub struct VolatileEmitter {
    socket: Socket,
    compress: bool,
}

impl VolatileEmitter {
    /// See [`Socket::compress`].
    pub fn compress(self, compress: bool) -> Self {
        Self { compress, ..self }
    }

    /// As [`Socket::emit`].
    ///
    /// # Errors
    ///
    /// Also [`EmitError::Dropped`], where the namespace is not connected, or the transport not
    /// ready.
    pub fn emit<T: Serialize + ?Sized>(&self, event: &str, args: &T) -> Result<(), EmitError> {
        self.socket.emit_as(event, args, Delivery::Volatile, self.compress)
    }
}

/// Sends events that are to be acknowledged. See [`Socket::timeout`].
#[derive(Clone, Debug)]
#[must_use = "this sends nothing by itself"]
pub struct TimedEmitter {
    socket: Socket,
    timeout: Duration,
    compress: bool,
}

impl TimedEmitter {
    /// See [`Socket::compress`].
    pub fn compress(self, compress: bool) -> Self {
        Self { compress, ..self }
    }

    /// See [`Socket::emit_with_ack`].
    pub fn emit_with_ack<T: DeserializeOwned>(
        &self,
        event: &str,
        args: &(impl Serialize + ?Sized),
    ) -> AckFuture<T> {
        self.socket.ask(event, args, self.timeout, self.compress)
    }
}
