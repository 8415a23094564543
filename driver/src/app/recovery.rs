//! Connection state recovery: clients whose connections were lost get their state back, and what
//! they missed.

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_channel::oneshot;
use sansocket_core::{
    ConnectRequest, DisconnectReason, Gone, LostSession, Message, RecoveredSocket, Recovering,
    RecoveryLimits, RecoveryLog, Sid, SocketId, Target, Timestamp,
};
use serde::Deserialize;

use crate::inner::Inner;
use crate::runtime::Sleep;

use super::extensions::Extensions;
use super::namespace::NamespaceShared;
use super::socket::{Socket, SocketShared};
use super::sync::lock;

/// How much room is left in a new connection's outbox when it has been given what it missed, as the
/// part of the limit: one in this.
const OUTBOX_LEFT: usize = 4;

/// How long a client that is back waits for the end of its old connection.
const SUPERSEDE_PATIENCE: Duration = Duration::from_secs(1);

/// The settings of connection state recovery. See
/// [`Builder::connection_state_recovery`](crate::Builder::connection_state_recovery).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionStateRecovery {
    limits: RecoveryLimits,
    skip_middlewares: bool,
}

impl Default for ConnectionStateRecovery {
    fn default() -> Self {
        Self { limits: RecoveryLimits::default(), skip_middlewares: true }
    }
}

impl ConnectionStateRecovery {
    /// How long after its loss a connection can be recovered. 2 minutes by default.
    pub fn max_disconnection_duration(mut self, duration: Duration) -> Self {
        self.limits.max_disconnection_duration = duration;
        self
    }

    /// Whether a client that is recovered is let in without being asked again. `true` by default.
    /// In any case it is sent what it missed only once it has been let in.
    pub fn skip_middlewares(mut self, skip: bool) -> Self {
        self.skip_middlewares = skip;
        self
    }

    /// Events that are kept, for all clients together. 65 536 by default. Clients that have missed
    /// more than is kept start anew.
    pub fn max_messages(mut self, messages: usize) -> Self {
        self.limits.messages = messages;
        self
    }

    /// The bytes of those events, and 128 for each. 16 MiB by default.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.limits.bytes = bytes;
        self
    }

    /// Sockets whose state is kept after their connection was lost. 65 536 by default.
    pub fn max_sessions(mut self, sessions: usize) -> Self {
        self.limits.sessions = sessions;
        self
    }
}

/// What a server keeps for it.
pub(crate) struct Recovery {
    pub(super) skip_middlewares: bool,
    next_offset: AtomicU64,
    /// Held while an event is sent, so that the log has events in the order of sending. Shards are
    /// locked under it, never the other way round.
    kept: Mutex<Kept>,
}

struct Kept {
    log: RecoveryLog<Extensions>,
    /// The sockets that are connected.
    live: HashMap<Sid, Live>,
    /// Whether there is a task that forgets what is too old.
    is_swept: bool,
}

struct Live {
    socket: Weak<SocketShared>,
    /// Told when it has ended, and its state is kept.
    ended: Option<oneshot::Sender<()>>,
}

/// What a socket is known by, should its connection be lost.
pub(super) struct Ticket {
    pid: Sid,
    /// The log's position when it was connected.
    since: u64,
}

impl Recovery {
    pub(super) fn new(settings: ConnectionStateRecovery) -> Self {
        let log = RecoveryLog::new(settings.limits);
        Self {
            skip_middlewares: settings.skip_middlewares,
            next_offset: AtomicU64::new(0),
            kept: Mutex::new(Kept { log, live: HashMap::new(), is_swept: false }),
        }
    }

    /// For the next event to be encoded with.
    pub(super) fn next_offset(&self) -> u64 {
        self.next_offset.fetch_add(1, Ordering::Relaxed)
    }

    /// Sends an event by `send`, and keeps it if that succeeds.
    pub(super) fn send<R, E>(
        &self,
        inner: &Arc<Inner>,
        namespace: &NamespaceShared,
        target: Target,
        (offset, message): (u64, &Message),
        send: impl FnOnce() -> Result<R, E>,
    ) -> Result<R, E> {
        let now = inner.now();
        let mut kept = lock(&self.kept);
        let sent = send()?;
        let name = namespace.name.clone();
        let dropped = kept.log.append(now, offset, name, target, message.clone());
        let starts = !std::mem::replace(&mut kept.is_swept, true);
        drop(kept);
        drop(dropped);
        if starts {
            Sweeper::start(inner);
        }
        Ok(sent)
    }

    /// Ends the connection of a socket whose client is back on another one, before the server has
    /// noticed that the first was lost. Its state is kept when this is done.
    pub(super) async fn supersede(
        &self,
        inner: &Inner,
        namespace: &NamespaceShared,
        claim: &Claim<'_>,
    ) {
        let Some(mut ended) = self.begin_superseding(inner, namespace, claim.pid) else { return };
        // Handlers that hang must not keep their client from coming back, if only as a new one.
        let mut patience = inner.runtime.sleep_until(inner.now() + SUPERSEDE_PATIENCE);
        poll_fn(|cx| match Pin::new(&mut ended).poll(cx) {
            Poll::Ready(_) => Poll::Ready(()),
            Poll::Pending => patience.as_mut().poll(cx),
        })
        .await;
    }

    /// `None` where there is nothing to wait for.
    fn begin_superseding(
        &self,
        inner: &Inner,
        namespace: &NamespaceShared,
        pid: Sid,
    ) -> Option<oneshot::Receiver<()>> {
        let (sender, ended) = oneshot::channel();
        let mut kept = lock(&self.kept);
        let live = kept.live.get_mut(&pid)?;
        let socket = live.socket.upgrade()?;
        let is_meant = socket.namespace.name == namespace.name;
        if is_meant {
            live.ended = Some(sender);
        }
        // This may be the last handle of a socket, and what it holds is the application's.
        drop(kept);
        if !is_meant {
            return None;
        }
        let shard = inner.shards.get(socket.shard)?;
        shard.with(|state| {
            if let Some(socket) = state.core.socket(socket.key) {
                socket.supersede();
            }
        });
        Some(ended)
    }

    /// The session that a client wants back, if it can have it.
    pub(super) fn take(
        &self,
        inner: &Arc<Inner>,
        namespace: &NamespaceShared,
        claim: &Claim<'_>,
    ) -> Option<Taken> {
        let Claim { pid, offset } = *claim;
        let now = inner.now();
        let mut kept = lock(&self.kept);
        let recovering = kept.log.take(now, &namespace.name, &pid, offset)?;
        let missed = kept.log.missed(&recovering);
        drop(kept);
        let bytes: usize = missed?.iter().map(Message::websocket_bytes).sum();
        let limit = inner.config.limits.outbox_bytes;
        let fits = bytes <= limit - limit / OUTBOX_LEFT;
        fits.then(|| Taken { inner: inner.clone(), pid, recovering: Some(recovering) })
    }

    /// Lets a client in that can be recovered later.
    pub(super) fn accept(&self, socket: &Socket) -> Result<(), Gone> {
        let shared = socket.shared();
        let shard = shared.inner.shards.get(shared.shard).ok_or(Gone)?;
        let pid = shard.with(|state| state.core.new_recovery_id());
        let message = confirmation(shared, shared.id, pid)?;
        // What is sent meanwhile is either before this socket is in its namespace, or logged after
        // the position that it begins at.
        let mut kept = lock(&self.kept);
        let since = kept.log.position();
        shard.with(|state| {
            state.core.accept_socket(shared.key, &message)?;
            let _ = shared.ticket.set(Box::new(Ticket { pid, since }));
            state.sockets.insert(shared.key, shared.clone());
            Ok(())
        })?;
        kept.add(pid, shared);
        Ok(())
    }

    /// Lets a client in that gets its state back. `false` if the log no longer has all of it.
    pub(super) fn accept_recovered(&self, socket: &Socket, taken: &Taken) -> Result<bool, Gone> {
        let Taken { pid, recovering: Some(recovering), .. } = taken else { return Ok(false) };
        let pid = *pid;
        let shared = socket.shared();
        let shard = shared.inner.shards.get(shared.shard).ok_or(Gone)?;
        let session = &recovering.session;
        let connect = confirmation(shared, session.id, pid)?;
        // Nothing is sent between the last missed event and the acceptance.
        let mut kept = lock(&self.kept);
        let Some(missed) = kept.log.missed(recovering) else { return Ok(false) };
        let since = kept.log.position();
        let recovered = RecoveredSocket { id: session.id, rooms: &session.rooms, missed: &missed };
        shard.with(|state| {
            state.core.accept_recovered(shared.key, &recovered, &connect)?;
            let _ = shared.ticket.set(Box::new(Ticket { pid, since }));
            state.sockets.insert(shared.key, shared.clone());
            Ok(())
        })?;
        kept.add(pid, shared);
        Ok(true)
    }

    /// A socket has ended. Its state is kept if its connection was lost.
    fn end(&self, socket: &SocketShared, pid: Sid, lost: Option<LostSession<Extensions>>) {
        let now = socket.inner.now();
        let mut kept = lock(&self.kept);
        // Where it has been recovered, there is another socket of that name.
        let is_live = |live: &Live| std::ptr::eq(live.socket.as_ptr(), socket);
        let live =
            if kept.live.get(&pid).is_some_and(is_live) { kept.live.remove(&pid) } else { None };
        let starts = lost.is_some() && !std::mem::replace(&mut kept.is_swept, true);
        let dropped = lost.map(|session| kept.log.save(now, pid, session));
        drop(kept);
        // It is the application's, and dropped without the lock.
        drop(dropped);
        if starts {
            Sweeper::start(&socket.inner);
        }
        if let Some(ended) = live.and_then(|live| live.ended) {
            // Nobody may be waiting any more.
            let _ = ended.send(());
        }
    }
}

/// What a client is told that it is let in by.
fn confirmation(socket: &SocketShared, id: SocketId, pid: Sid) -> Result<Message, Gone> {
    let message = Message::connect(&socket.namespace.name, id.as_str(), Some(pid.as_str()));
    socket.inner.encode_control(message).ok_or(Gone)
}

/// A session that was taken out of the log. It goes back there where its client leaves before it is
/// let in or refused: it may try again.
pub(super) struct Taken {
    inner: Arc<Inner>,
    pid: Sid,
    recovering: Option<Recovering<Extensions>>,
}

impl Taken {
    pub(super) fn session(&self) -> Option<&LostSession<Extensions>> {
        self.recovering.as_ref().map(|recovering| &recovering.session)
    }

    /// The client was let in or refused.
    pub(super) fn settle(mut self) {
        self.recovering = None;
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let Some(Recovering { session, .. }) = self.recovering.take() else { return };
        let Some(recovery) = &self.inner.app.recovery else { return };
        let now = self.inner.now();
        let mut kept = lock(&recovery.kept);
        let dropped = kept.log.save(now, self.pid, session);
        let starts = !std::mem::replace(&mut kept.is_swept, true);
        drop(kept);
        drop(dropped);
        if starts {
            Sweeper::start(&self.inner);
        }
    }
}

impl Kept {
    fn add(&mut self, pid: Sid, socket: &Arc<SocketShared>) {
        self.live.insert(pid, Live { socket: Arc::downgrade(socket), ended: None });
    }
}

/// What a client that wants its state back says beside its own `auth`.
pub(super) struct Claim<'a> {
    /// The secret that it was given.
    pid: Sid,
    /// That of the last event that it got, if it got any.
    offset: Option<&'a str>,
}

impl<'a> Claim<'a> {
    pub(super) fn of(request: &'a ConnectRequest) -> Option<Self> {
        #[derive(Deserialize)]
        struct Auth<'a> {
            pid: &'a str,
            #[serde(borrow, default)]
            offset: Option<&'a str>,
        }
        let auth = request.packet.payload();
        // Most clients ask for nothing.
        if !auth.contains("\"pid\"") {
            return None;
        }
        let Auth { pid, offset } = serde_json::from_str(auth).ok()?;
        Some(Self { pid: Sid::parse(pid)?, offset })
    }
}

/// Whether [`ended`] has something to do.
pub(crate) fn can_be_recovered(socket: &SocketShared) -> bool {
    socket.ticket.get().is_some()
}

/// A socket is no longer connected. To be called as soon as that is known, and before its handlers
/// are: its client may be back before they are done.
pub(crate) fn ended(socket: &SocketShared, reason: DisconnectReason, rooms: Vec<Arc<str>>) {
    if let (Some(recovery), Some(ticket)) = (&socket.inner.app.recovery, socket.ticket.get()) {
        let lost = is_recoverable(reason).then(|| LostSession {
            id: socket.id,
            namespace: socket.namespace.name.clone(),
            rooms,
            since: ticket.since,
            data: socket.extensions.copy(),
        });
        recovery.end(socket, ticket.pid, lost);
    }
}

/// Whether a client may come back after that: neither side wanted the end, and the client has not
/// broken the protocol in a way that it would repeat.
fn is_recoverable(reason: DisconnectReason) -> bool {
    matches!(
        reason,
        DisconnectReason::TransportClose
            | DisconnectReason::TransportError
            | DisconnectReason::PingTimeout
            | DisconnectReason::ForcedClose
            | DisconnectReason::ForcedServerClose
    )
}

/// Forgets what is too old, while there is something. Ends with the server.
struct Sweeper {
    inner: Weak<Inner>,
    sleep: Option<(Timestamp, Pin<Box<dyn Sleep>>)>,
}

impl Sweeper {
    fn start(inner: &Arc<Inner>) {
        inner.runtime.spawn(Box::pin(Self { inner: Arc::downgrade(inner), sleep: None }));
    }
}

impl Future for Sweeper {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        loop {
            if let Some((_, sleep)) = &mut this.sleep
                && sleep.as_mut().poll(cx).is_pending()
            {
                return Poll::Pending;
            }
            let Some(inner) = this.inner.upgrade() else { return Poll::Ready(()) };
            let Some(recovery) = &inner.app.recovery else { return Poll::Ready(()) };
            let mut kept = lock(&recovery.kept);
            let dropped = kept.log.purge(inner.now());
            let next = kept.log.next_expiry();
            kept.is_swept = next.is_some();
            drop(kept);
            drop(dropped);
            let Some(next) = next else { return Poll::Ready(()) };
            this.sleep = Some((next, inner.runtime.sleep_until(next)));
        }
    }
}
