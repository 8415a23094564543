//! Ways to send to one socket.

use std::time::Duration;

use sansocket_core::{Delivery, Message, Target};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::ack::AckFuture;
use super::error::EmitError;
use super::recovery::Recovery;
use super::socket::{Socket, SocketShared};

/// How an event is sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flags {
    pub(super) delivery: Delivery,
    pub(super) compress: bool,
}

impl Default for Flags {
    fn default() -> Self {
        Self { delivery: Delivery::Reliable, compress: true }
    }
}

impl Flags {
    /// The message as it is to be sent.
    fn apply(self, message: Message) -> Message {
        if self.compress { message } else { message.uncompressed() }
    }
}

impl Socket {
    pub(super) fn emit_as<T: Serialize + ?Sized>(
        &self,
        event: &str,
        args: &T,
        flags: Flags,
    ) -> Result<(), EmitError> {
        if let Some(recovery) = self.shared().recovery()
            && flags.delivery == Delivery::Reliable
        {
            return self.emit_kept(recovery, event, args, flags);
        }
        let SocketShared { inner, namespace, .. } = &**self.shared();
        let message =
            inner.encode(|encoder| Message::event(encoder, &namespace.name, event, args, None))?;
        let message = flags.apply(message);
        let observed = namespace.is_outgoing_observed().then(|| message.clone());
        self.shared().with_core(|socket| socket.emit(message, flags.delivery))?;
        self.notify_outgoing(event, observed);
        Ok(())
    }

    /// Sends an event that the client may ask for later.
    fn emit_kept<T: Serialize + ?Sized>(
        &self,
        recovery: &Recovery,
        event: &str,
        args: &T,
        flags: Flags,
    ) -> Result<(), EmitError> {
        let SocketShared { inner, namespace, id, .. } = &**self.shared();
        let offset = recovery.next_offset();
        let message = inner.encode(|encoder| {
            Message::event_with_offset(encoder, &namespace.name, event, args, offset)
        })?;
        let message = flags.apply(message);
        recovery.send(inner, namespace, Target::room(id.as_str()), (offset, &message), || {
            self.shared().with_core(|socket| socket.emit(message.clone(), Delivery::Reliable))
        })?;
        let observed = namespace.is_outgoing_observed().then_some(message);
        self.notify_outgoing(event, observed);
        Ok(())
    }

    /// Sends an event that is to be acknowledged.
    pub(super) fn ask<T: DeserializeOwned>(
        &self,
        event: &str,
        args: &(impl Serialize + ?Sized),
        timeout: Duration,
        compress: bool,
    ) -> AckFuture<T> {
        let SocketShared { inner, namespace, .. } = &**self.shared();
        AckFuture::new(&inner.app.acks, |id| {
            let message = inner.encode(|encoder| {
                Message::event(encoder, &namespace.name, event, args, Some(id))
            })?;
            let message = Flags { compress, ..Flags::default() }.apply(message);
            let deadline = inner.now() + timeout;
            let observed = namespace.is_outgoing_observed().then(|| message.clone());
            self.shared().with_core(|socket| {
                socket.emit_with_ack(message, Delivery::Reliable, id, deadline)
            })?;
            self.notify_outgoing(event, observed);
            Ok(())
        })
    }

    fn notify_outgoing(&self, event: &str, message: Option<Message>) {
        if let Some(message) = message {
            self.shared().namespace.notify_outgoing(self, event, &message);
        }
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
    pub(super) fn new(socket: &Socket, compress: bool) -> Self {
        Self { socket: socket.clone(), compress }
    }

    /// See [`Socket::emit`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn emit<T: Serialize + ?Sized>(&self, event: &str, args: &T) -> Result<(), EmitError> {
        self.socket.emit_as(event, args, Flags { compress: self.compress, ..Flags::default() })
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
    pub(super) fn new(socket: &Socket) -> Self {
        Self { socket: socket.clone(), compress: true }
    }

    /// See [`Socket::compress`].
    pub fn compress(self, compress: bool) -> Self {
        Self { compress, ..self }
    }

    /// As [`Socket::emit`].
    ///
    /// # Errors
    ///
    /// Also [`EmitError::Dropped`], where the transport was not ready.
    pub fn emit<T: Serialize + ?Sized>(&self, event: &str, args: &T) -> Result<(), EmitError> {
        let flags = Flags { delivery: Delivery::Volatile, compress: self.compress };
        self.socket.emit_as(event, args, flags)
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
    pub(super) fn new(socket: &Socket, timeout: Duration) -> Self {
        Self { socket: socket.clone(), timeout, compress: true }
    }

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
