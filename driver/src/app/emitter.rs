//! Ways to send to one socket.

use std::time::Duration;

use sansocket_core::Delivery;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::ack::AckFuture;
use super::error::EmitError;
use super::socket::Socket;

/// Sends events that may be dropped. See [`Socket::volatile`].
#[derive(Clone, Debug)]
#[must_use = "this sends nothing by itself"]
pub struct VolatileEmitter {
    socket: Socket,
}

impl VolatileEmitter {
    pub(super) fn new(socket: &Socket) -> Self {
        Self { socket: socket.clone() }
    }

    /// As [`Socket::emit`].
    ///
    /// # Errors
    ///
    /// Also [`EmitError::Dropped`], where the transport was not ready.
    pub fn emit<T: Serialize + ?Sized>(&self, event: &str, args: &T) -> Result<(), EmitError> {
        self.socket.emit_as(event, args, Delivery::Volatile)
    }
}

/// Sends events that are to be acknowledged. See [`Socket::timeout`].
#[derive(Clone, Debug)]
#[must_use = "this sends nothing by itself"]
pub struct TimedEmitter {
    socket: Socket,
    timeout: Duration,
}

impl TimedEmitter {
    pub(super) fn new(socket: &Socket, timeout: Duration) -> Self {
        Self { socket: socket.clone(), timeout }
    }

    /// See [`Socket::emit_with_ack`].
    pub fn emit_with_ack<T: DeserializeOwned>(
        &self,
        event: &str,
        args: &(impl Serialize + ?Sized),
    ) -> AckFuture<T> {
        self.socket.emit_with_ack(event, args, self.timeout)
    }
}
