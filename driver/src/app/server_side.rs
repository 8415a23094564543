//! Events between the servers of a cluster.
//!
//! A server is always alone so far: what it sends reaches nobody, and nobody answers. Whoever
//! connects servers by means of his own gives what comes from the others to
//! [`Namespace::receive_server_side`].

use std::future::Future;
use std::time::Duration;

use futures_channel::oneshot;
use sansocket_core::codec::socket::Packet;
use sansocket_core::{AckId, Args, EncodeError, Frame, Limits, Message};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::ack::{Asked, BroadcastAckFuture};
use super::encode::with_encoder;
use super::error::EmitError;
use super::handler::{Call, Handler, erase};
use super::namespace::Namespace;
use super::reply::Reply;

/// What a server tells itself by, in the reference.
const RESERVED: [&str; 3] = ["connect", "connection", "new_namespace"];

/// Between the servers of a cluster.
impl Namespace {
    /// Handles an event that another server of the cluster has sent to this namespace by
    /// [`server_side_emit`](Self::server_side_emit). It replaces the last handler of that event.
    /// What it returns is the acknowledgement, where the other server asks for one.
    ///
    /// Events of clients are others, see [`on`](Self::on).
    pub fn on_server_side<Form: 'static>(
        &self,
        event: &str,
        handler: impl Handler<Form, Self>,
    ) -> Self {
        self.shared.server_side.on(event, erase(handler), false);
        self.clone()
    }

    /// Removes the handler of an event of other servers. `false` if there is none.
    pub fn off_server_side(&self, event: &str) -> bool {
        self.shared.server_side.off(event)
    }

    /// Sends an event to this namespace of every other server of the cluster. This one does not get
    /// it. A tuple of `args` is several arguments, `()` none.
    ///
    /// A server without a cluster has nobody to tell, which is no error.
    ///
    /// # Errors
    ///
    /// If the name is `connect`, `connection` or `new_namespace`, or the arguments cannot be
    /// encoded.
    pub fn server_side_emit<T: Serialize + ?Sized>(
        &self,
        event: &str,
        args: &T,
    ) -> Result<(), EncodeError> {
        check(event, args)
    }

    /// As [`server_side_emit`](Self::server_side_emit), and gives what each of the other servers
    /// acknowledges it with, decoded as a `T`, in the order in which the answers come.
    ///
    /// Without a cluster there are no answers, at once.
    ///
    /// # Errors
    ///
    /// Unless every other server answers within `timeout`. The error holds the answers that did
    /// come.
    pub fn server_side_emit_with_ack<T: DeserializeOwned>(
        &self,
        event: &str,
        args: &(impl Serialize + ?Sized),
        timeout: Duration,
    ) -> BroadcastAckFuture<T> {
        // Nobody is asked, so nobody is waited for.
        let _ = timeout;
        BroadcastAckFuture::new(&self.inner.app.acks, |_| {
            check(event, args)?;
            Ok(Asked { queued: 0, overflowed: 0 })
        })
    }

    /// Calls the handler of an event that has come from another server, and gives the arguments of
    /// its acknowledgement. `None` if there is no handler, it could not be called, or it has failed,
    /// of which [`Builder::on_error`](crate::Builder::on_error) is told.
    ///
    /// The handler runs as this future is polled, and dropping it cancels the handler. One that gives
    /// its acknowledgement by hand may do so late or never, so do not wait without a limit.
    pub fn receive_server_side(
        &self,
        event: &str,
        args: Args,
    ) -> impl Future<Output = Option<Args>> + Send + use<> {
        let (sender, receiver) = oneshot::channel();
        let work = self.shared.server_side.find(event.as_bytes()).and_then(|(event, handler)| {
            let reply = Reply::to_peer(self.clone(), Some(Answer(sender)));
            handler.call(Call { event, socket: self.clone(), args, reply })
        });
        async move {
            work?.await;
            receiver.await.ok()
        }
    }
}

/// Takes the acknowledgement of an event that came from another server.
pub(super) struct Answer(oneshot::Sender<Args>);

impl Answer {
    pub(super) fn give<T: Serialize + ?Sized>(self, value: &T) -> Result<(), EmitError> {
        let args = encode(value)?;
        // Whoever asked may not wait any more.
        self.0.send(args).map_err(|_| EmitError::NotConnected)
    }
}

/// Whether an event could be sent to other servers: what is refused in a cluster is refused always.
fn check<T: Serialize + ?Sized>(event: &str, args: &T) -> Result<(), EncodeError> {
    if RESERVED.contains(&event) {
        return Err(EncodeError::ReservedName);
    }
    encode(args).map(drop)
}

/// Arguments as another server would get them.
pub(super) fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Args, EncodeError> {
    let message = with_encoder(|encoder| Message::ack(encoder, "/", AckId::MAX, value))?;
    // What is our own is not limited, except in depth: deeper values cannot be decoded.
    let mut limits = Limits::default();
    limits.attachments = usize::MAX;
    let mut frames = message.frames().iter().map(Frame::packet_bytes);
    let packet = Packet::decode(frames.next().unwrap_or_default(), &limits);
    let packet =
        packet.map_err(|error| EncodeError::Value { message: error.to_string().into() })?;
    Ok(packet.into_args(frames.collect()))
}
