//! From what happened at a socket to the handlers. Called by the session task, one event of a
//! socket after the other, and never with a shard locked.

use std::sync::Arc;

use sansocket_core::{
    AckId, Args, ConnectRequest, Disconnected, ExceededRate, Gone, Message, NamespaceKey,
    PacketError, Received, Revision,
};

use smallvec::SmallVec;
use tracing::Instrument;

use crate::handshake::Handshake;
use crate::inner::Inner;

use super::Work;
use super::dynamic::NamespaceRequest;
use super::error::{ConnectError, HandlerErrorKind, beginning_of_id};
use super::handler::{Call, ErasedHandler};
use super::listeners::{Disconnect, Listeners};
use super::namespace::{Namespace, NamespaceShared};
use super::recovery::{Claim, Taken};
use super::reply::Reply;
use super::socket::{Socket, SocketShared};

/// Decides about a client that asks to join a namespace, then runs the handlers of connections.
/// Events of the socket are to wait until this is done.
pub(crate) fn connect(
    inner: &Arc<Inner>,
    shard: usize,
    handshake: Arc<Handshake>,
    request: Box<ConnectRequest>,
) -> Work {
    let inner = inner.clone();
    Box::pin(async move {
        // Namespaces are known here before clients can see them, and stay while this socket does.
        let Some(namespace) = inner.app.namespaces.by_key(request.namespace) else { return };
        let _cleanup = namespace
            .parent
            .is_some()
            .then(|| CleanUp { inner: inner.clone(), namespace: namespace.clone() });
        // The query of a client of Socket.IO 4 may say what it will: it has nothing to recover.
        let recovery = inner.app.recovery.as_ref().filter(|_| request.revision == Revision::V4);
        let mut taken = match recovery.zip(Claim::of(&request)) {
            Some((recovery, claim)) => {
                recovery.supersede(&inner, &namespace, &claim).await;
                recovery.take(&inner, &namespace, &claim)
            }
            None => None,
        };
        let socket = loop {
            let session = taken.as_ref().and_then(Taken::session);
            let handshake = handshake.clone();
            let shared = SocketShared::new(&inner, shard, &namespace, handshake, &request, session);
            let socket = Socket::new(&Arc::new(shared));
            let skips = session.is_some() && recovery.is_some_and(|kept| kept.skip_middlewares);
            if !skips {
                let middlewares = namespace.handlers.middleware.snapshot();
                for middleware in middlewares.iter().flat_map(|list| list.iter()) {
                    if let Err(error) = middleware(socket.clone()).await {
                        settle(taken);
                        return reject(&socket, &namespace, error);
                    }
                }
            }
            // Where the client has left meanwhile, there is nobody to tell.
            let Ok(is_accepted) = accept(&socket, taken.as_ref()) else { return };
            settle(taken.take());
            if is_accepted {
                break socket;
            }
            // What it has missed has gone meanwhile: a new one, then, with nothing of the old.
        };
        drop(request);
        for handler in namespace.handlers.connect.snapshot().iter().flat_map(|list| list.iter()) {
            handler(socket.clone()).await;
        }
    })
}

fn settle(taken: Option<Taken>) {
    if let Some(taken) = taken {
        taken.settle();
    }
}

/// Finds or makes the namespace that a client asks for, or tells it that there is none.
pub(crate) fn find_namespace(
    inner: &Arc<Inner>,
    shard: usize,
    handshake: Arc<Handshake>,
    request: Box<sansocket_core::NamespaceRequest>,
) -> Work {
    let inner = inner.clone();
    Box::pin(async move {
        let sansocket_core::NamespaceRequest { key, packet } = *request;
        let request = NamespaceRequest::new(handshake, packet);
        let namespaces = &inner.app.namespaces;
        let mut parent = None;
        if namespaces.get(request.name()).is_none() {
            let parents = namespaces.parents.snapshot();
            for candidate in parents.iter().flat_map(|list| list.iter()) {
                if candidate.admits(&request).await {
                    parent = Some(candidate.clone());
                    break;
                }
            }
        }
        loop {
            let namespace = match &parent {
                Some(parent) => namespaces.get_or_make(&inner.shards, request.name(), parent),
                None => namespaces.get(request.name()),
            };
            let Some(namespace) = namespace else {
                // The client may have left meanwhile.
                let _ = inner.shards.answer_namespace_request(shard, key, None);
                return;
            };
            // A hook that panics runs again for the next client.
            namespace.announcement.call_once_force(|_| {
                for hook in namespaces.hooks.snapshot().iter().flat_map(|list| list.iter()) {
                    hook(Namespace::new(&inner, &namespace));
                }
            });
            // Its last socket may have gone in between, and the namespace with it.
            if namespaces.answer(&inner.shards, shard, key, &namespace) {
                return;
            }
        }
    })
}

/// Removes a namespace with its last socket, if that is wanted.
pub(crate) fn clean_up(inner: &Inner, key: NamespaceKey) {
    let namespaces = &inner.app.namespaces;
    if let Some(namespace) = namespaces.by_key(key) {
        namespaces.clean_up(&inner.shards, &namespace);
    }
}

/// At the end of an admission, also where the client did not wait for it.
struct CleanUp {
    inner: Arc<Inner>,
    namespace: Arc<NamespaceShared>,
}

impl Drop for CleanUp {
    fn drop(&mut self) {
        self.inner.app.namespaces.clean_up(&self.inner.shards, &self.namespace);
    }
}

/// `false` if it cannot be recovered any more.
fn accept(socket: &Socket, taken: Option<&Taken>) -> Result<bool, Gone> {
    let shared = socket.shared();
    if let Some(recovery) = shared.recovery() {
        return match taken {
            Some(taken) => recovery.accept_recovered(socket, taken),
            None => recovery.accept(socket).map(|()| true),
        };
    }
    let name = &shared.namespace.name;
    let message = match shared.revision {
        Revision::V4 => Message::connect(name, shared.id.as_str(), None),
        Revision::V3 => Message::connect_v4(name),
    };
    let message = shared.inner.encode_control(message).ok_or(Gone)?;
    let shard = shared.inner.shards.get(shared.shard).ok_or(Gone)?;
    shard.with(|state| {
        state.core.accept_socket(shared.key, &message)?;
        // Acceptance may have ended the connection, if its outbox had no room for the answer; the
        // event of that end, which is still to come, takes the entry away again.
        state.sockets.insert(shared.key, shared.clone());
        Ok(true)
    })
}

fn reject(socket: &Socket, namespace: &NamespaceShared, error: ConnectError) {
    let shared = socket.shared();
    let ConnectError { message, data } = error;
    let encoded = shared.inner.encode(|encoder| match (shared.revision, &data) {
        (Revision::V4, _) => {
            Message::connect_error(encoder, &namespace.name, &message, data.as_ref())
        }
        (Revision::V3, None) => Message::error_v4(encoder, &namespace.name, &message),
        (Revision::V3, Some(data)) => Message::error_v4(encoder, &namespace.name, data),
    });
    let encoded = encoded.or_else(|_| {
        let data: Option<&()> = None;
        shared
            .inner
            .encode(|encoder| Message::connect_error(encoder, &namespace.name, &message, data))
    });
    // A text and a JSON value can always be encoded, unless the parser has no form for them.
    let Ok(encoded) = encoded else { return };
    let Some(shard) = shared.inner.shards.get(shared.shard) else { return };
    // The client may have left meanwhile.
    let _ = shard.with(|state| state.core.reject_socket(shared.key, &encoded));
}

/// Calls the handlers of an event; `None` if there is nothing to run.
pub(crate) fn receive(socket: &Arc<SocketShared>, received: Received) -> Option<Work> {
    if socket.is_dismissed() {
        return None;
    }
    let listeners = &socket.namespace.handlers.listeners;
    let own = socket.own();
    if own.is_some() || listeners.any.is_used() || listeners.middleware.is_used() {
        return receive_by_several(socket, received, listeners, own);
    }
    // As it is most often, and without a copy of anything.
    let Some((event, handler)) = listeners.find(received.packet.event_name_bytes()) else {
        let event = received.packet.event_name();
        tracing::trace!(socket = beginning_of_id(socket.id.as_str()), event, "no handler");
        return None;
    };
    let ack = received.ack();
    call(socket, event, &*handler, received.packet.into_args(received.attachments), ack)
}

/// Catch-alls, then middlewares, then handlers, each kind first those of the namespace; except that
/// the socket's own handler comes before the namespace's, and is the one that acknowledges. One of
/// the former may disconnect the socket.
fn receive_by_several(
    socket: &Arc<SocketShared>,
    received: Received,
    listeners: &Listeners<Socket>,
    own: Option<&Listeners<Socket>>,
) -> Option<Work> {
    let ack = received.ack();
    let levels = [Some(listeners), own].into_iter().flatten();
    let any: SmallVec<[_; 2]> = levels.clone().filter_map(|level| level.any.snapshot()).collect();
    let middlewares: SmallVec<[_; 2]> =
        levels.filter_map(|level| level.middleware.snapshot()).collect();
    let name: Arc<str> = received.packet.event_name().into();
    let args = received.packet.into_args(received.attachments);
    if any.is_empty() && middlewares.is_empty() {
        return in_order(call_all(socket, &name, args, ack).collect());
    }
    let socket = socket.clone();
    Some(Box::pin(async move {
        for handler in any.iter().flat_map(|list| list.iter()) {
            handler(Socket::new(&socket), name.to_string(), args.clone()).await;
        }
        for middleware in middlewares.iter().flat_map(|list| list.iter()) {
            let verdict = middleware(Socket::new(&socket), name.to_string(), args.clone()).await;
            if let Err(error) = verdict {
                let reply = Reply::new(socket.clone(), None);
                return reply.report(&name, HandlerErrorKind::Refused(error));
            }
        }
        if !socket.is_dismissed() {
            for work in call_all(&socket, &name, args, ack) {
                work.await;
            }
        }
    }))
}

/// The socket's own handler, and then the namespace's. The first acknowledges.
fn call_all(
    socket: &Arc<SocketShared>,
    name: &str,
    args: Args,
    mut ack: Option<AckId>,
) -> impl Iterator<Item = Work> {
    let listeners = [socket.own(), Some(&socket.namespace.handlers.listeners)];
    let found = listeners.map(|level| level?.find(name.as_bytes()));
    found.into_iter().flatten().filter_map(move |(event, handler)| {
        call(socket, event, &*handler, args.clone(), ack.take())
    })
}

fn call(
    socket: &Arc<SocketShared>,
    event: Arc<str>,
    handler: &dyn ErasedHandler<Socket>,
    args: Args,
    ack: Option<AckId>,
) -> Option<Work> {
    let reply = Reply::new(socket.clone(), ack);
    // The name is the application's: it is that of a handler.
    let span = tracing::debug_span!(
        "event",
        namespace = &*socket.namespace.name,
        socket = beginning_of_id(socket.id.as_str()),
        event = &*event,
    );
    let call = Call { event, socket: Socket::new(socket), args, reply };
    if span.is_disabled() {
        return handler.call(call);
    }
    let work = span.in_scope(|| handler.call(call))?;
    Some(Box::pin(work.instrument(span)))
}

/// Runs the handlers of disconnections. To be called when the socket is no longer among those of
/// its shard; its own handlers are forgotten, and with them whatever they hold.
pub(crate) fn disconnect(socket: &Arc<SocketShared>, event: Disconnected) -> Option<Work> {
    let Disconnected { reason, rooms, .. } = event;
    socket.inner.app.namespaces.clean_up(&socket.inner.shards, &socket.namespace);
    let disconnect = Disconnect { reason, rooms };
    let own = socket.own().and_then(|own| own.disconnect.snapshot());
    let shared = socket.namespace.handlers.listeners.disconnect.snapshot();
    let handlers = own.iter().chain(&shared).flat_map(|list| list.iter());
    let works = handlers.map(|handler| handler(Socket::new(socket), disconnect.clone())).collect();
    if let Some(own) = socket.own() {
        own.clear();
    }
    in_order(works)
}

/// A client broke the protocol. Its connection is closed by the core.
pub(crate) fn violation(_inner: &Inner, error: PacketError) {
    tracing::debug!(%error, "client broke the protocol");
}

/// A client has sent too much, and the core has dealt with it.
pub(crate) fn rate_exceeded(socket: &Arc<SocketShared>, rate: ExceededRate) {
    let SocketShared { inner, namespace, id, .. } = &**socket;
    let id = beginning_of_id(id.as_str());
    tracing::debug!(namespace = &*namespace.name, socket = id, %rate, "rate exceeded");
    if let Some(hook) = &inner.app.hooks.rate {
        hook(&Socket::new(socket), rate);
    }
}

/// Runs one after the other.
pub(crate) fn in_order(mut works: Vec<Work>) -> Option<Work> {
    match works.len() {
        0 | 1 => works.pop(),
        _ => Some(Box::pin(async move {
            for work in works {
                work.await;
            }
        })),
    }
}
