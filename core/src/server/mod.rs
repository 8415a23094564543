//! The server: every session, namespace and room, as one value.

mod broadcast;
mod command;
mod connection;
mod counters;
mod dynamic;
mod event;
mod inbound;
mod late;
mod lifecycle;
mod limiter;
mod namespace;
mod outbound;
mod packet;
mod timeout;

#[cfg(test)]
mod tests;

use alloc::collections::{BTreeMap, BinaryHeap};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Reverse;

use slotmap::SlotMap;

use crate::engine::Remains;
use crate::entropy::Entropy;
use crate::rooms::Registry;
use crate::{Config, ConnectionKey, NamespaceKey, Sid, SocketId, SocketKey, Timestamp};

use connection::Connection;
use dynamic::NamespaceRequests;
use late::LatePolls;
use namespace::Namespace;

pub use broadcast::{BroadcastReport, Delivery, Recipients};
pub use command::Socket;
pub use counters::Counters;
pub use dynamic::NamespaceRequestKey;
pub use event::{
    AckFailure, AckOutcome, ConnectRequest, Disconnected, EmitError, Event, NamespaceRequest,
    RateExceeded, Received,
};
pub use lifecycle::{Opened, RecoveredSocket};
pub use outbound::{News, Output, Wants};

/// A Socket.IO server without IO: Engine.IO sessions, namespaces, sockets and rooms.
///
/// # Methods
///
/// There are four classes of methods, told apart by their names:
///
/// 1. *Inputs*, `open_*`, `begin_*`, `handle_*`: what came from the network, and the time.
/// 2. *Commands*: what the application wants. [`socket`](Self::socket) gives a short-lived view of
///    one socket; [`recipients`](Self::recipients) and [`deliver`](Self::deliver) are a broadcast.
/// 3. *Outputs*, `poll_*` and `take_*`: what the network and the application are to be told.
/// 4. *Getters*: everything else.
///
/// After inputs and commands, call [`poll_dirty`](Self::poll_dirty) until it gives `None`; each
/// connection that it names has output or events to take. Then read
/// [`poll_timeout`](Self::poll_timeout), and call [`handle_timeout`](Self::handle_timeout) at that
/// time. Extra calls do no harm. The crate's documentation shows the whole loop.
///
/// # Time
///
/// Inputs that depend on time take `now`. It should not decrease; a smaller value counts as the
/// largest that was seen.
///
/// # Several servers as one
///
/// A driver may run several of these as shards of one application, each behind its own lock. A
/// session lives in one shard, and the first character of its `sid` says in which. A broadcast
/// visits all shards with one encoded message.
pub struct Server {
    config: Config,
    now: Timestamp,
    entropy: Entropy,
    connections: SlotMap<ConnectionKey, Connection>,
    sids: BTreeMap<Sid, ConnectionKey>,
    sockets: SlotMap<SocketKey, SocketState>,
    socket_ids: BTreeMap<SocketId, SocketKey>,
    namespaces: SlotMap<NamespaceKey, Namespace>,
    namespace_names: BTreeMap<Arc<str>, NamespaceKey>,
    requests: NamespaceRequests,
    dynamic_namespaces: bool,
    rooms: Registry,
    /// Connections that have output or events to take.
    dirty: Vec<ConnectionKey>,
    /// For each connection that waits for a time: one entry that counts, see `Connection::armed`,
    /// and perhaps some that no longer do.
    timers: BinaryHeap<Reverse<(Timestamp, ConnectionKey)>>,
    /// Marks the sockets that a broadcast has seen, so that none is reached twice.
    visit: u64,
    accepting: bool,
    counters: Counters,
    late_polls: LatePolls,
    /// What the connection had that was forgotten last.
    remains: Option<Remains>,
}

/// A connection's membership of one namespace.
struct SocketState {
    connection: ConnectionKey,
    namespace: NamespaceKey,
    id: SocketId,
    standing: Standing,
    visit: u64,
}

/// Invariant: a socket that is not connected is in no room and in no list of members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// The application has not decided yet.
    Pending,
    Connected {
        /// Where the socket stands in its namespace's list of members.
        position: u32,
        /// Whether it is in the room that bears its id. It is at first, and may leave.
        in_own_room: bool,
    },
}

/// How much a server holds. All zero once every session has gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Sessions that are open or closing.
    pub sessions: usize,
    /// Connections of which something is left: those sessions, and closed ones whose last output
    /// or event was not taken yet.
    pub connections: usize,
    /// Sockets that are connected or asked to be.
    pub sockets: usize,
    /// Wishes to join namespaces that do not exist, not answered yet.
    pub namespace_requests: usize,
    /// Rooms that have members, the sockets' own rooms not counted. Where the numbers of several
    /// shards are added up, a room counts in each that has members of it.
    pub rooms: usize,
    /// Acknowledgements that clients owe.
    pub pending_acks: usize,
    /// Bytes that wait to be sent.
    pub outbox_bytes: usize,
    /// Entries of the timer heap.
    pub timers: usize,
}

impl Server {
    /// A server without sessions, with the namespace `/`.
    ///
    /// `seed` must come from a secure source: session ids are derived from it. Two servers with
    /// the same seed and the same inputs give the same outputs.
    pub fn new(config: Config, seed: [u8; 32]) -> Self {
        let mut server = Self {
            config,
            now: Timestamp::ZERO,
            entropy: Entropy::new(seed),
            connections: SlotMap::with_key(),
            sids: BTreeMap::new(),
            sockets: SlotMap::with_key(),
            socket_ids: BTreeMap::new(),
            namespaces: SlotMap::with_key(),
            namespace_names: BTreeMap::new(),
            requests: NamespaceRequests::default(),
            dynamic_namespaces: false,
            rooms: Registry::default(),
            dirty: Vec::new(),
            timers: BinaryHeap::new(),
            visit: 0,
            accepting: true,
            counters: Counters::default(),
            late_polls: LatePolls::default(),
            remains: None,
        };
        server.create_namespace("/");
        server
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What is left of a connection that was forgotten, if it is so much that freeing it would hold
    /// others up. For who would rather free it bit by bit, with the machine's lock released; where
    /// it is not taken, the machine frees it with the next that comes.
    pub fn poll_remains(&mut self) -> Option<Remains> {
        self.remains.take()
    }

    /// How much the server holds. Takes time in proportion to the number of connections.
    pub fn stats(&self) -> Stats {
        Stats {
            sessions: self.sids.len(),
            connections: self.connections.len(),
            sockets: self.sockets.len(),
            namespace_requests: self.requests.len(),
            rooms: self.rooms.room_count(),
            pending_acks: self.connections.values().map(|c| c.acks.len()).sum(),
            outbox_bytes: self.connections.values().map(|c| c.session.outbox_bytes()).sum(),
            timers: self.timers.len(),
        }
    }

    /// What has happened since the server was made.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Takes the time into account that an input brought.
    fn advance(&mut self, now: Timestamp) -> Timestamp {
        self.now = self.now.max(now);
        self.now
    }
}
