//! What clients miss while their connections are lost ("connection state recovery").

#[cfg(test)]
mod tests;

use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use crate::codec::message::Message;
use crate::{Sid, SocketId, Target, Timestamp};

/// What an entry of the log takes beside its message.
const ENTRY_BYTES: usize = 128;

/// How much is kept, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecoveryLimits {
    /// How long after its loss a connection can be recovered. 2 minutes by default, as in the
    /// reference.
    pub max_disconnection_duration: Duration,
    /// Messages that are kept. 65 536 by default.
    pub messages: usize,
    /// Their bytes, with 128 for each beside what it takes on a WebSocket. 16 MiB by default.
    pub bytes: usize,
    /// Sockets whose state is kept after their connection was lost. 65 536 by default.
    pub sessions: usize,
}

impl Default for RecoveryLimits {
    fn default() -> Self {
        Self {
            max_disconnection_duration: Duration::from_secs(120),
            messages: 1 << 16,
            bytes: 16 << 20,
            sessions: 1 << 16,
        }
    }
}

/// Recent events, whoever they were for, and the state of sockets whose connections were lost. `D`
/// is what the application kept at a socket.
///
/// Events must be appended in the order in which they are sent: whoever runs this does both under
/// one lock. Everything is bounded by [`RecoveryLimits`]; the oldest goes first.
pub struct RecoveryLog<D> {
    limits: RecoveryLimits,
    entries: VecDeque<Entry>,
    /// The position of the first entry. Positions count all events that were ever appended.
    first: u64,
    bytes: usize,
    /// Where the event of each offset stands. Offsets are given before the events are encoded, so
    /// neighbours may have come here in the other order.
    positions: BTreeMap<u64, u64>,
    sessions: BTreeMap<Sid, Kept<D>>,
    /// Invariant: one entry for each session.
    expiries: BTreeMap<(Timestamp, Sid), ()>,
}

struct Entry {
    at: Timestamp,
    offset: u64,
    namespace: Arc<str>,
    target: Target,
    message: Message,
}

struct Kept<D> {
    expires: Timestamp,
    session: LostSession<D>,
}

/// A socket whose connection was lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostSession<D> {
    /// Its id, which it gets back.
    pub id: SocketId,
    /// The name of its namespace.
    pub namespace: Arc<str>,
    /// The rooms that it was in, its own not among them.
    pub rooms: Vec<Arc<str>>,
    /// The position of the log when it was connected.
    pub since: u64,
    /// What the application kept.
    pub data: D,
}

/// A session that is being recovered. It is no longer in the log: no second connection can have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovering<D> {
    /// The session.
    pub session: LostSession<D>,
    /// The position of the first event that its client may have missed.
    from: u64,
}

impl<D> RecoveryLog<D> {
    /// An empty log.
    pub fn new(limits: RecoveryLimits) -> Self {
        Self {
            limits,
            entries: VecDeque::new(),
            first: 0,
            bytes: 0,
            positions: BTreeMap::new(),
            sessions: BTreeMap::new(),
            expiries: BTreeMap::new(),
        }
    }

    /// The position of the next event.
    pub fn position(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    /// How many events are kept.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether neither events nor sessions are kept.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.sessions.is_empty()
    }

    /// The bytes of the events, as [`RecoveryLimits::bytes`] counts them.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many sessions are kept.
    pub fn session_count(&self) -> usize {
        self.sessions.len()
    }

    /// Keeps an event that is sent now. `offset` is what was encoded with it, see
    /// [`Message::event_with_offset`]; no other event has the same. Gives what
    /// [`purge`](Self::purge) gives.
    pub fn append(
        &mut self,
        now: Timestamp,
        offset: u64,
        namespace: Arc<str>,
        target: Target,
        message: Message,
    ) -> Vec<D> {
        self.bytes += entry_bytes(&message);
        self.positions.insert(offset, self.position());
        self.entries.push_back(Entry { at: now, offset, namespace, target, message });
        self.purge(now)
    }

    /// Keeps a session whose connection was lost. `pid` is the secret that its client was given.
    pub fn save(&mut self, now: Timestamp, pid: Sid, session: LostSession<D>) -> Vec<D> {
        let mut dropped = Vec::new();
        dropped.extend(self.remove(&pid).map(|replaced| replaced.data));
        let expires = now + self.limits.max_disconnection_duration;
        self.expiries.insert((expires, pid), ());
        self.sessions.insert(pid, Kept { expires, session });
        dropped.extend(self.purge(now));
        dropped
    }

    /// Takes the session of a client that is back, if it can be recovered: it was lost in the same
    /// namespace and not too long ago, and every event since then is still there. `offset` is that
    /// of the last event that the client got; a client that got none has none.
    pub fn take(
        &mut self,
        now: Timestamp,
        namespace: &str,
        pid: &Sid,
        offset: Option<&str>,
    ) -> Option<Recovering<D>> {
        let kept = self.sessions.get(pid)?;
        if *kept.session.namespace != *namespace || kept.expires < now {
            return None;
        }
        let from = match offset {
            Some(offset) => *self.positions.get(&parse_offset(offset)?)? + 1,
            None => kept.session.since,
        };
        if from < self.first {
            return None;
        }
        let session = self.remove(pid)?;
        Some(Recovering { session, from })
    }

    /// The events that the client has missed until now. `None` if some of them are gone.
    pub fn missed(&self, recovering: &Recovering<D>) -> Option<Vec<Message>> {
        let skipped = recovering.from.checked_sub(self.first)?;
        let entries = self.entries.iter().skip(usize::try_from(skipped).ok()?);
        let session = &recovering.session;
        let missed = entries.filter(|entry| {
            entry.namespace == session.namespace && session.is_meant(&entry.target)
        });
        Some(missed.map(|entry| entry.message.clone()).collect())
    }

    /// Forgets what is too old or too much, and gives what the application had kept at sockets, to
    /// be dropped where that is safe.
    pub fn purge(&mut self, now: Timestamp) -> Vec<D> {
        let is_old = |at: Timestamp| at + self.limits.max_disconnection_duration < now;
        while let Some(entry) = self.entries.front()
            && (is_old(entry.at)
                || self.entries.len() > self.limits.messages
                || self.bytes > self.limits.bytes)
        {
            self.bytes -= entry_bytes(&entry.message);
            self.positions.remove(&entry.offset);
            self.entries.pop_front();
            self.first += 1;
        }
        let mut dropped = Vec::new();
        while let Some((expires, pid)) = self.expiries.first_key_value().map(|(key, ())| *key)
            && (expires < now || self.sessions.len() > self.limits.sessions)
        {
            dropped.extend(self.remove(&pid).map(|session| session.data));
        }
        dropped
    }

    /// When there is something to [`purge`](Self::purge), at the earliest.
    pub fn next_expiry(&self) -> Option<Timestamp> {
        let session = self.expiries.first_key_value().map(|((expires, _), ())| *expires);
        let entry = self.entries.front();
        let entry = entry.map(|entry| entry.at + self.limits.max_disconnection_duration);
        // What expires at a time is still good at that time.
        [session, entry].into_iter().flatten().min().map(|at| at + Duration::from_millis(1))
    }

    fn remove(&mut self, pid: &Sid) -> Option<LostSession<D>> {
        let kept = self.sessions.remove(pid)?;
        self.expiries.remove(&(kept.expires, *pid));
        Some(kept.session)
    }
}

impl<D> LostSession<D> {
    fn is_meant(&self, target: &Target) -> bool {
        let is_in = |room: &Arc<str>| **room == *self.id.as_str() || self.rooms.contains(room);
        let is_meant = target.rooms.is_empty() || target.rooms.iter().any(is_in);
        is_meant && !target.except.iter().any(is_in) && target.except_socket != Some(self.id)
    }
}

fn entry_bytes(message: &Message) -> usize {
    message.websocket_bytes() + ENTRY_BYTES
}

/// As [`Message::event_with_offset`] writes it, and no other way.
fn parse_offset(offset: &str) -> Option<u64> {
    let is_canonical = offset.bytes().all(|byte| byte.is_ascii_digit())
        && (offset == "0" || !offset.starts_with('0'));
    is_canonical.then(|| offset.parse().ok()).flatten()
}
