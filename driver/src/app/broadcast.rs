//! Sending to many.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sansocket_core::{BroadcastReport, Delivery, EncodeError, Message, SocketId, Target};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::inner::Inner;

use super::ack::{Asked, BroadcastAckFuture};
use super::namespace::NamespaceShared;
use super::recovery::Recovery;
use super::rooms::Rooms;
use super::socket::{Socket, SocketShared};

/// Some of the sockets of a namespace, and how to send to them.
///
/// Each method gives a new one: `io.to("a").to("b").except("c")` is everybody who is in `a` or `b`,
/// and not in `c`. Nobody is reached twice.
#[derive(Clone)]
#[must_use = "this sends nothing by itself"]
pub struct Broadcast {
    inner: Arc<Inner>,
    namespace: Arc<NamespaceShared>,
    selection: Selection,
}

/// Whom a broadcast is for, in whichever namespace, and how it is delivered.
#[derive(Clone)]
pub(super) struct Selection {
    target: Target,
    /// Whether only members of the target's rooms are meant, so that no rooms means nobody. To the
    /// core, no rooms means everybody.
    in_rooms: bool,
    delivery: Delivery,
    compress: bool,
}

impl Selection {
    pub(super) fn everybody() -> Self {
        Self {
            target: Target::everybody(),
            in_rooms: false,
            delivery: Delivery::Reliable,
            compress: true,
        }
    }

    pub(super) fn add_rooms(&mut self, rooms: impl Rooms) {
        self.in_rooms = true;
        rooms.visit(&mut |room| self.target.rooms.push(room.into()));
    }

    pub(super) fn except(&mut self, rooms: impl Rooms) {
        rooms.visit(&mut |room| self.target.except.push(room.into()));
    }

    pub(super) fn make_volatile(&mut self) {
        self.delivery = Delivery::Volatile;
    }

    pub(super) fn set_compress(&mut self, compress: bool) {
        self.compress = compress;
    }

    /// `None` if nobody is meant.
    fn target(&self) -> Option<&Target> {
        (!self.in_rooms || !self.target.rooms.is_empty()).then_some(&self.target)
    }
}

impl fmt::Debug for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Selection")
            .field("target", &self.target)
            .field("delivery", &self.delivery)
            .finish_non_exhaustive()
    }
}

impl Broadcast {
    pub(super) fn new(inner: &Arc<Inner>, namespace: &Arc<NamespaceShared>) -> Self {
        Self::to_selection(inner, namespace, Selection::everybody())
    }

    pub(super) fn to_selection(
        inner: &Arc<Inner>,
        namespace: &Arc<NamespaceShared>,
        selection: Selection,
    ) -> Self {
        Self { inner: inner.clone(), namespace: namespace.clone(), selection }
    }

    pub(super) fn except_socket(mut self, id: SocketId) -> Self {
        self.selection.target.except_socket = Some(id);
        self
    }

    /// The members of `rooms`, beside those of rooms that were named before. An empty list names
    /// nobody; in the reference it names everybody.
    pub fn to(mut self, rooms: impl Rooms) -> Self {
        self.selection.add_rooms(rooms);
        self
    }

    /// The same as [`to`](Self::to).
    pub fn in_(self, rooms: impl Rooms) -> Self {
        self.to(rooms)
    }

    /// But not the members of `rooms`.
    pub fn except(mut self, rooms: impl Rooms) -> Self {
        self.selection.except(rooms);
        self
    }

    /// Only sockets of this server. A server is always alone so far, so it changes nothing.
    pub fn local(self) -> Self {
        self
    }

    /// The event may be dropped: it is sent only to those whose transport is ready at once.
    pub fn volatile(mut self) -> Self {
        self.selection.make_volatile();
        self
    }

    /// Whether the event may be compressed. See [`Socket::compress`].
    pub fn compress(mut self, compress: bool) -> Self {
        self.selection.set_compress(compress);
        self
    }

    /// The event is to be acknowledged within `timeout`. Such an event is never volatile.
    pub fn timeout(self, timeout: Duration) -> TimedBroadcast {
        TimedBroadcast { broadcast: self, timeout }
    }

    /// Sends an event, which is encoded once for all. A tuple of `args` is several arguments, `()`
    /// none. It is queued for everybody when this returns.
    ///
    /// A recipient whose outbox is full is disconnected, because it would miss the event; the
    /// report tells how many there were.
    ///
    /// # Errors
    ///
    /// If the arguments cannot be encoded. Nobody gets anything then.
    pub fn emit<T: Serialize + ?Sized>(
        &self,
        event: &str,
        args: &T,
    ) -> Result<BroadcastReport, EncodeError> {
        if let Some(recovery) = &self.inner.app.recovery
            && self.selection.delivery == Delivery::Reliable
        {
            return self.emit_kept(recovery, event, args);
        }
        let name = &self.namespace.name;
        let message =
            self.inner.encode(|encoder| Message::event(encoder, name, event, args, None))?;
        let Some(target) = self.selection.target() else { return Ok(BroadcastReport::default()) };
        let (key, delivery) = (self.namespace.key, self.selection.delivery);
        let message = self.shared(message);
        let mut observed = self.observed();
        let shards = &self.inner.shards;
        let report = shards.broadcast(key, target, &message, delivery, observed.as_mut());
        self.notify_outgoing(observed, event, &message);
        Ok(report)
    }

    /// Where the recipients are to be kept, if somebody wants to know of them.
    fn observed(&self) -> Option<Vec<Arc<SocketShared>>> {
        self.namespace.is_outgoing_observed().then(Vec::new)
    }

    fn notify_outgoing(
        &self,
        reached: Option<Vec<Arc<SocketShared>>>,
        event: &str,
        message: &Message,
    ) {
        for socket in reached.into_iter().flatten() {
            self.namespace.notify_outgoing(&Socket::new(&socket), event, message);
        }
    }

    /// The message as its recipients get it. It is compressed once for all of them.
    fn shared(&self, message: Message) -> Message {
        match (&self.inner.settings.deflate, self.selection.compress) {
            (_, false) => message.uncompressed(),
            (Some(deflate), true) => deflate.share(message),
            (None, true) => message,
        }
    }

    /// Sends an event that clients may ask for later.
    fn emit_kept<T: Serialize + ?Sized>(
        &self,
        recovery: &Recovery,
        event: &str,
        args: &T,
    ) -> Result<BroadcastReport, EncodeError> {
        let Self { inner, namespace, .. } = self;
        let offset = recovery.next_offset();
        let message = inner.encode(|encoder| {
            Message::event_with_offset(encoder, &namespace.name, event, args, offset)
        })?;
        let Some(target) = self.selection.target() else { return Ok(BroadcastReport::default()) };
        let shared = self.shared(message.clone());
        // Of the message that is kept, no second form is kept beside the first.
        let kept = if self.selection.compress { &message } else { &shared };
        let mut observed = self.observed();
        let report = recovery.send(inner, namespace, target.clone(), (offset, kept), || {
            let (key, reached) = (namespace.key, observed.as_mut());
            Ok(inner.shards.broadcast(key, target, &shared, Delivery::Reliable, reached))
        })?;
        self.notify_outgoing(observed, event, &message);
        Ok(report)
    }

    /// The sockets themselves.
    pub fn fetch_sockets(&self) -> Vec<Socket> {
        let Some(target) = self.selection.target() else { return Vec::new() };
        let found = self.inner.shards.matching(self.namespace.key, target);
        found.iter().map(Socket::new).collect()
    }

    /// Makes the sockets join rooms. A socket that is in too many rooms stays out.
    pub fn sockets_join(&self, rooms: impl Rooms) {
        self.each(rooms, |socket, room| {
            socket.join(room);
        });
    }

    /// Makes the sockets leave rooms.
    pub fn sockets_leave(&self, rooms: impl Rooms) {
        self.each(rooms, |socket, room| {
            socket.leave(room);
        });
    }

    /// Disconnects the sockets from the namespace; with `close`, their clients' connections too,
    /// and so from every namespace. Events that wait to be handled are not handled any more.
    pub fn disconnect_sockets(&self, close: bool) {
        let Some(target) = self.selection.target() else { return };
        let now = self.inner.now();
        let message = Message::disconnect(&self.namespace.name);
        // Whoever cannot be told sees his connection end.
        let message = self.inner.encode_control(message).filter(|_| !close);
        self.inner.shards.command(self.namespace.key, target, |state, socket| {
            state.disconnect(now, socket, message.as_ref());
        });
    }

    fn each(&self, rooms: impl Rooms, act: impl Fn(&mut sansocket_core::Socket<'_>, &str)) {
        let mut names: Vec<Box<str>> = Vec::new();
        rooms.visit(&mut |room| names.push(room.into()));
        let Some(target) = self.selection.target() else { return };
        self.inner.shards.command(self.namespace.key, target, |state, socket| {
            let Some(mut socket) = state.core.socket(socket) else { return };
            for room in &names {
                act(&mut socket, room);
            }
        });
    }
}

impl fmt::Debug for Broadcast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broadcast")
            .field("namespace", &self.namespace.name)
            .field("selection", &self.selection)
            .finish_non_exhaustive()
    }
}

/// A [`Broadcast`] that is to be acknowledged. See [`Broadcast::timeout`].
#[derive(Clone, Debug)]
#[must_use = "this sends nothing by itself"]
pub struct TimedBroadcast {
    broadcast: Broadcast,
    timeout: Duration,
}

impl TimedBroadcast {
    /// See [`Broadcast::to`].
    pub fn to(mut self, rooms: impl Rooms) -> Self {
        self.broadcast = self.broadcast.to(rooms);
        self
    }

    /// The same as [`to`](Self::to).
    pub fn in_(self, rooms: impl Rooms) -> Self {
        self.to(rooms)
    }

    /// See [`Broadcast::except`].
    pub fn except(mut self, rooms: impl Rooms) -> Self {
        self.broadcast = self.broadcast.except(rooms);
        self
    }

    /// See [`Broadcast::local`].
    pub fn local(mut self) -> Self {
        self.broadcast = self.broadcast.local();
        self
    }

    /// See [`Broadcast::compress`].
    pub fn compress(mut self, compress: bool) -> Self {
        self.broadcast = self.broadcast.compress(compress);
        self
    }

    /// Sends an event, at once, and gives what each recipient acknowledges it with, decoded as a
    /// `T`, in the order in which the answers come. The future ends when the last recipient has
    /// answered, timed out or gone; with no recipients, at once.
    ///
    /// # Errors
    ///
    /// Unless everybody answers. The error holds the answers that did come.
    pub fn emit_with_ack<T: DeserializeOwned>(
        &self,
        event: &str,
        args: &(impl Serialize + ?Sized),
    ) -> BroadcastAckFuture<T> {
        let Broadcast { inner, namespace, .. } = &self.broadcast;
        BroadcastAckFuture::new(&inner.app.acks, |id| {
            let message = inner.encode(|encoder| {
                Message::event(encoder, &namespace.name, event, args, Some(id))
            })?;
            let Some(target) = self.broadcast.selection.target() else {
                return Ok(Asked { queued: 0, overflowed: 0 });
            };
            let message = self.broadcast.shared(message);
            let asks = (id, inner.now() + self.timeout);
            let mut observed = self.broadcast.observed();
            let (shards, reached) = (&inner.shards, observed.as_mut());
            let report = shards.broadcast_with_ack(namespace.key, target, &message, asks, reached);
            self.broadcast.notify_outgoing(observed, event, &message);
            Ok(Asked { queued: report.queued, overflowed: report.overflowed })
        })
    }
}
