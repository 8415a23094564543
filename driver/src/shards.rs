//! The core's machines, each behind its own lock, and the wake-ups that follow from a change.

use std::slice;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;

use sansocket_core::{
    AckId, BroadcastReport, Config, ConnectionKey, Delivery, Gone, Message, NamespaceKey,
    NamespaceRequestKey, Recipients, Server, SocketId, SocketKey, Target, Timestamp, TransportKey,
};
use smallvec::SmallVec;

use crate::app::SocketShared;
use crate::crowd::Crowd;
use crate::handshake::Handshake;
use crate::key_map::KeyMap;
use crate::runtime::Runtime;
use crate::websocket::WebSocket;

/// How many recipients a broadcast serves before it lets go of a shard's lock: a fraction of a
/// millisecond.
const MEMBERS_PER_HOLD: usize = 4_096;

/// All shards of one server.
pub(crate) struct Shards {
    shards: Box<[Shard]>,
}

/// One machine. Whatever is done to it happens in [`with`](Self::with).
pub(crate) struct Shard {
    /// Those of its sessions that are busy.
    pub(crate) crowd: Arc<Crowd>,
    state: Mutex<ShardState>,
}

/// A machine, and what the driver keeps beside it.
pub(crate) struct ShardState {
    pub(crate) core: Server,
    pub(crate) slots: KeyMap<ConnectionKey, Slot>,
    /// The sockets that are connected.
    pub(crate) sockets: KeyMap<SocketKey, Arc<SocketShared>>,
    /// Who waits for the machine's next deadline, and which deadline that is.
    pub(crate) timer: TimerSlot,
}

/// What the driver keeps for a connection.
pub(crate) struct Slot {
    pub(crate) handshake: Arc<Handshake>,
    /// The session task, unless it has been woken since it parked.
    pub(crate) session: Option<Waker>,
    /// The task of the GET that waits.
    pub(crate) poll: Option<Waker>,
    /// The task of a POST that waits until the application has caught up.
    pub(crate) post: Option<Waker>,
    /// WebSockets for the session task to take over.
    pub(crate) websockets: Vec<(TransportKey, WebSocket)>,
}

impl Slot {
    pub(crate) fn new(handshake: Arc<Handshake>) -> Self {
        Self { handshake, session: None, poll: None, post: None, websockets: Vec::new() }
    }
}

impl ShardState {
    /// The application disconnects a socket by `message`; without one, its whole connection. What
    /// their client has sent and nobody has handled yet is not handled any more.
    pub(crate) fn disconnect(&mut self, now: Timestamp, key: SocketKey, message: Option<&Message>) {
        let Some(socket) = self.core.socket(key) else { return };
        let ended = if message.is_some() { slice::from_ref(&key) } else { socket.of_connection() };
        for key in ended {
            if let Some(socket) = self.sockets.get(key) {
                socket.dismiss();
            }
        }
        match message {
            Some(message) => socket.disconnect(message),
            None => socket.close_connection(now),
        }
    }
}

#[derive(Default)]
pub(crate) struct TimerSlot {
    pub(crate) waker: Option<Waker>,
    pub(crate) armed: Option<Timestamp>,
}

/// Where the sockets go that a broadcast is queued for, if somebody is to be told of each.
pub(crate) type Reached<'a> = Option<&'a mut Vec<Arc<SocketShared>>>;

/// Tasks to wake once the lock is released.
type Wakers = SmallVec<[Waker; 4]>;

impl Shards {
    /// As many machines as `count`, at least one. `seed` gives each its own secret.
    pub(crate) fn new(
        config: &Config,
        count: usize,
        runtime: &Arc<dyn Runtime>,
        mut seed: impl FnMut() -> [u8; 32],
    ) -> Self {
        let count = count.clamp(1, sansocket_core::SHARDS_MAX);
        let shards = (0..count)
            .map(|index| {
                let mut config = config.clone();
                config.shard = index as u8;
                Shard::new(Server::new(config, seed()), runtime.clone())
            })
            .collect();
        Self { shards }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Shard> {
        self.shards.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.shards.len()
    }

    pub(crate) fn get(&self, index: usize) -> Option<&Shard> {
        self.shards.get(index)
    }

    /// Creates a namespace in every shard, of which clients know nothing yet. The caller makes sure
    /// that no two creations and removals interleave, so all shards agree on the key.
    pub(crate) fn create_namespace(&self, name: &str) -> Option<NamespaceKey> {
        // The loop must not be lazy: each shard is to know the namespace, checked or not.
        let mut key = None;
        for shard in self.iter() {
            let created = shard.with(|state| state.core.create_unlisted_namespace(name));
            debug_assert!(key.is_none_or(|key| key == created), "shards disagree on namespaces");
            key = Some(created);
        }
        key
    }

    /// Lets clients find a namespace.
    pub(crate) fn list_namespace(&self, key: NamespaceKey) {
        self.iter().for_each(|shard| shard.with(|state| state.core.list_namespace(key)));
    }

    /// Removes a namespace from every shard if it has no socket in any, and says whether it did.
    /// `is_listed` is whether clients can find it, as they can again where it stays.
    pub(crate) fn remove_namespace(&self, key: NamespaceKey, is_listed: bool) -> bool {
        let removed = self.iter().all(|shard| shard.with(|state| state.core.unlist_namespace(key)));
        for shard in self.iter().filter(|_| removed || is_listed) {
            shard.with(|state| match removed {
                true => state.core.remove_namespace(key),
                false => state.core.list_namespace(key),
            });
        }
        removed
    }

    /// Tells clients that ask for a namespace that does not exist to wait for an answer.
    pub(crate) fn set_dynamic_namespaces(&self) {
        self.iter().for_each(|shard| shard.with(|state| state.core.set_dynamic_namespaces(true)));
    }

    /// Answers a client that has asked for a namespace that did not exist.
    pub(crate) fn answer_namespace_request(
        &self,
        shard: usize,
        key: NamespaceRequestKey,
        namespace: Option<NamespaceKey>,
    ) -> Result<(), Gone> {
        let shard = self.get(shard).ok_or(Gone)?;
        shard.with(|state| state.core.answer_namespace_request(key, namespace))
    }

    /// Queues one encoded message for everybody whom `target` means, shard by shard.
    pub(crate) fn broadcast(
        &self,
        namespace: NamespaceKey,
        target: &Target,
        message: &Message,
        delivery: Delivery,
        reached: Reached<'_>,
    ) -> BroadcastReport {
        self.visit(namespace, target, reached, |core, recipients, members_max| {
            core.deliver(recipients, message, delivery, members_max);
        })
    }

    /// As [`broadcast`](Self::broadcast), for a message that asks each recipient for an
    /// acknowledgement. Each one that the message is queued for will have one outcome.
    pub(crate) fn broadcast_with_ack(
        &self,
        namespace: NamespaceKey,
        target: &Target,
        message: &Message,
        (ack, deadline): (AckId, Timestamp),
        reached: Reached<'_>,
    ) -> BroadcastReport {
        self.visit(namespace, target, reached, |core, recipients, members_max| {
            core.deliver_with_ack(recipients, message, ack, deadline, members_max);
        })
    }

    /// One broadcast: `deliver` serves so many of the recipients.
    fn visit(
        &self,
        namespace: NamespaceKey,
        target: &Target,
        mut reached: Reached<'_>,
        deliver: impl Fn(&mut Server, &mut Recipients, usize),
    ) -> BroadcastReport {
        let mut deliver = |state: &mut ShardState, recipients: &mut Recipients| {
            let Some(reached) = &mut reached else {
                return deliver(&mut state.core, recipients, MEMBERS_PER_HOLD);
            };
            for _ in 0..MEMBERS_PER_HOLD {
                let Some(key) = recipients.next_socket() else { return };
                let before = recipients.report().queued;
                deliver(&mut state.core, recipients, 1);
                if recipients.report().queued > before {
                    reached.extend(state.sockets.get(&key).cloned());
                }
            }
        };
        let mut report = BroadcastReport::default();
        for shard in self.iter() {
            let mut recipients = shard.with(|state| {
                let mut recipients = state.core.recipients(namespace, target);
                deliver(state, &mut recipients);
                recipients
            });
            while !recipients.is_done() {
                shard.with(|state| deliver(state, &mut recipients));
            }
            report.add(recipients.report());
        }
        report
    }

    /// Does something to every connected socket whom `target` means.
    pub(crate) fn command(
        &self,
        namespace: NamespaceKey,
        target: &Target,
        mut act: impl FnMut(&mut ShardState, SocketKey),
    ) {
        for shard in self.iter() {
            let keys = shard.with(|state| state.core.matching(namespace, target));
            for keys in keys.chunks(MEMBERS_PER_HOLD) {
                shard.with(|state| {
                    for key in keys {
                        act(state, *key);
                    }
                });
            }
        }
    }

    /// The connected sockets whom `target` means.
    pub(crate) fn matching(
        &self,
        namespace: NamespaceKey,
        target: &Target,
    ) -> Vec<Arc<SocketShared>> {
        let mut found = Vec::new();
        for shard in self.iter() {
            shard.with(|state| {
                let keys = state.core.matching(namespace, target);
                found.extend(keys.iter().filter_map(|key| state.sockets.get(key).cloned()));
            });
        }
        found
    }

    /// The connected socket of that id, which the shard has that the id names, unless it `may_move`:
    /// a socket that is recovered brings its id along, and the application may have made it.
    pub(crate) fn find_socket(&self, id: &SocketId, may_move: bool) -> Option<Arc<SocketShared>> {
        let find = |shard: &Shard| {
            shard.with(|state| state.sockets.get(&state.core.find_socket(id)?).cloned())
        };
        let found = self.get(id.shard()).and_then(find);
        found.or_else(|| self.iter().filter(|_| may_move).find_map(find))
    }
}

impl Shard {
    fn new(core: Server, runtime: Arc<dyn Runtime>) -> Self {
        let state = ShardState {
            core,
            slots: KeyMap::default(),
            sockets: KeyMap::default(),
            timer: TimerSlot::default(),
        };
        Self { crowd: Arc::new(Crowd::new(runtime)), state: Mutex::new(state) }
    }

    /// Does something to the machine, then wakes whom it concerns, after the lock is released.
    ///
    /// Nothing that may take long, or call into the application, belongs in `act`.
    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut ShardState) -> R) -> R {
        // The machine does not panic; if it ever does, its other connections are better served by
        // what is left of it than by nothing.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let result = act(&mut state);
        let mut wakers = Wakers::new();
        state.collect_wakers(&mut wakers);
        let remains = state.core.poll_remains();
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        if let Some(remains) = remains {
            self.crowd.free(remains);
        }
        result
    }
}

impl ShardState {
    /// A woken task takes its waker along and leaves a new one when it parks, so a task is woken
    /// once, however many messages are queued for it, and never while it runs.
    fn collect_wakers(&mut self, wakers: &mut Wakers) {
        while let Some(key) = self.core.poll_dirty() {
            let Some(slot) = self.slots.get_mut(&key) else { continue };
            let wants = self.core.wants(key);
            if wants.session
                && let Some(waker) = slot.session.take()
            {
                wakers.push(waker);
                self.core.set_attended(key, true);
            }
            if wants.poll {
                wakers.extend(slot.poll.take());
            }
        }
        let next = self.core.poll_timeout();
        if let Some(next) = next
            && self.timer.armed.is_none_or(|armed| next < armed)
        {
            wakers.extend(self.timer.waker.take());
        }
    }
}
