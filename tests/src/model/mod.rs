//! A reference model of the server: what it must do, in maps and queues, and nothing else.
//!
//! It knows the protocol and none of the server's modules. Where the server has generations, heaps,
//! slots and shared frames, the model searches a map. Whoever compares the two gives both the same
//! inputs and commands, and then asks both for the same outputs.
//!
//! Time is in microseconds. Messages are [`Note`]s: their kind and a tag that their sender chose;
//! of their bytes the model knows only how many there are, because limits count them.

mod application;
mod engine;
mod inputs;
mod rooms;
mod sockets;
mod time;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub use application::{Emit, Report};
pub use engine::{Refused, Taken};
pub use rooms::{Room, Whom};

/// Microseconds.
pub type Micros = u64;
/// One Engine.IO session.
pub type Connection = u32;
/// One WebSocket.
pub type WebSocket = u32;
/// One socket: a connection's membership of a namespace.
pub type Socket = u32;
/// The words that an application is given.
pub type Reason = &'static str;

/// What a client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the packets of the protocol, by their names")]
pub enum Note {
    Open,
    Close,
    Ping,
    ProbePong,
    Noop,
    Connected { namespace: u8, socket: Socket },
    Refused { namespace: u8 },
    UnknownNamespace,
    Disconnected { namespace: u8 },
    Event { namespace: u8, tag: u64, ack: Option<u64>, attachments: u8 },
    Ack { namespace: u8, id: u64, tag: u64, attachments: u8 },
}

/// What a client said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the packets of the protocol, by their names")]
pub enum Said {
    Open,
    Close,
    Ping,
    ProbePing,
    Pong,
    Upgrade,
    Noop,
    /// No Engine.IO packet.
    Malformed,
    /// A message that is no Socket.IO packet.
    BadPacket,
    Packet(Packet),
    Binary {
        bytes: usize,
    },
}

/// A Socket.IO packet that a client sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Its type, the binary types being events and acknowledgements.
    pub kind: Kind,
    /// Its namespace; `None` for one that no server has.
    pub namespace: Option<u8>,
    /// Its acknowledgement id.
    pub ack: Option<u64>,
    /// The number in its arguments.
    pub tag: u64,
    /// The binary messages that follow.
    pub attachments: u8,
    /// The length of its text.
    pub bytes: usize,
}

/// The types of Socket.IO packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the packets of the protocol, by their names")]
pub enum Kind {
    Connect,
    Disconnect,
    Event,
    Ack,
    ConnectError,
}

/// What the application is told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the events of the server, by their names")]
pub enum Happened {
    Requested { namespace: u8, socket: Socket },
    Received { socket: Socket, tag: u64, ack: Option<u64>, attachments: u8 },
    Disconnected { socket: Socket, reason: Reason, rooms: BTreeSet<u8> },
    Violation,
    Closed(Reason),
}

/// What became of an acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Its id.
    pub id: u64,
    /// The socket that owed it.
    pub socket: Socket,
    /// The tag of the answer.
    pub result: Result<u64, Missed>,
}

/// Why an acknowledgement did not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "their names say it")]
pub enum Missed {
    Deadline,
    Disconnect,
}

/// The settings that the server is given too.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "as in the server's configuration")]
pub struct Rules {
    pub ping_interval: Micros,
    pub ping_timeout: Micros,
    pub upgrade_timeout: Micros,
    pub connect_timeout: Micros,
    pub polling_close_timeout: Micros,
    pub attachments_timeout: Micros,
    pub allow_upgrades: bool,
    pub max_payload: usize,
    pub namespaces_max: usize,
    pub rooms_max: usize,
    pub pending_acks_max: usize,
    pub outbox_bytes_max: usize,
    pub inbox_events_max: usize,
    pub inbox_bytes_max: usize,
    pub sessions_max: usize,
    /// The names of the namespaces; a namespace is known by its place here.
    pub namespaces: Vec<&'static str>,
}

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in the server's statistics")]
pub struct Totals {
    pub sessions: usize,
    pub connections: usize,
    pub sockets: usize,
    pub rooms: usize,
    pub pending_acks: usize,
    pub outbox_bytes: usize,
}

/// How many late GETs of a shard are remembered.
const LATE_GETS: usize = 64;

/// What a server of several shards holds.
#[derive(Debug)]
pub struct Model {
    rules: Rules,
    sessions: BTreeMap<Connection, Session>,
    sockets: BTreeMap<Socket, Member>,
    /// The latest time that each shard has heard of.
    clocks: BTreeMap<u8, Micros>,
    accepting: BTreeMap<u8, bool>,
    /// Who was faster to close than with its GET, by shard; the latest ones.
    late_gets: BTreeMap<u8, VecDeque<Connection>>,
    /// The shard of each connection, also of those that have gone.
    shards: Vec<u8>,
    sockets_made: Socket,
}

/// One session and the connection that it carries.
#[derive(Debug)]
struct Session {
    shard: u8,
    engine: engine::Engine,
    sockets: Vec<Socket>,
    partial: Option<sockets::Partial>,
    acks: BTreeMap<u64, (Socket, Micros)>,
    /// When the acknowledgements are looked at: not after the first deadline, but perhaps before
    /// it, where an answer has come in.
    acks_due: Option<Micros>,
    events: VecDeque<(Happened, usize)>,
    events_bytes: usize,
    outcomes: VecDeque<Outcome>,
    connect_by: Option<Micros>,
    /// Whether the driver was asked to stop reading since the last deadline.
    was_held: bool,
}

/// One socket.
#[derive(Debug)]
struct Member {
    connection: Connection,
    namespace: u8,
    connected: bool,
    own_room: bool,
    rooms: BTreeSet<u8>,
}

impl Model {
    /// A server without sessions.
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            sessions: BTreeMap::new(),
            sockets: BTreeMap::new(),
            clocks: BTreeMap::new(),
            accepting: BTreeMap::new(),
            late_gets: BTreeMap::new(),
            shards: Vec::new(),
            sockets_made: 0,
        }
    }

    /// The settings.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// How much there is in one shard.
    pub fn totals(&self, shard: u8) -> Totals {
        let mut totals = Totals::default();
        let mut rooms = BTreeSet::new();
        for session in self.sessions.values().filter(|session| session.shard == shard) {
            totals.connections += 1;
            totals.sessions += usize::from(!session.engine.is_closed());
            totals.sockets += session.sockets.len();
            totals.pending_acks += session.acks.len();
            totals.outbox_bytes += session.engine.outbox_bytes;
            for member in session.sockets.iter().filter_map(|socket| self.sockets.get(socket)) {
                rooms.extend(member.rooms.iter().map(|room| (member.namespace, *room)));
            }
        }
        totals.rooms = rooms.len();
        totals
    }

    /// The sockets that are connected.
    pub fn connected(&self) -> impl Iterator<Item = (Socket, u8, u8)> {
        let connected = self.sockets.iter().filter(|(_, member)| member.connected);
        connected.map(|(socket, member)| {
            (*socket, member.namespace, self.shards[member.connection as usize])
        })
    }

    /// Whether the application may use a socket.
    pub fn is_connected(&self, socket: Socket) -> bool {
        self.sockets.get(&socket).is_some_and(|member| member.connected)
    }

    /// The next event, which is taken.
    pub fn take_event(&mut self, connection: Connection) -> Option<Happened> {
        let session = self.sessions.get_mut(&connection)?;
        let (event, bytes) = session.events.pop_front()?;
        session.events_bytes -= bytes;
        self.forget_at_rest(connection);
        Some(event)
    }

    /// The next outcome, which is taken.
    pub fn take_outcome(&mut self, connection: Connection) -> Option<Outcome> {
        let outcome = self.sessions.get_mut(&connection)?.outcomes.pop_front();
        self.forget_at_rest(connection);
        outcome
    }

    /// Whether the driver may go on reading.
    pub fn wants_input(&self, connection: Connection) -> bool {
        self.sessions.get(&connection).is_none_or(|session| !session.is_full(&self.rules))
    }

    /// Whether the connection has something for its session task.
    pub fn has_news(&self, connection: Connection) -> bool {
        self.sessions.get(&connection).is_some_and(|session| {
            !session.events.is_empty()
                || !session.outcomes.is_empty()
                || session.engine.has_output()
        })
    }

    /// Whether the session has ended.
    pub fn is_over(&self, connection: Connection) -> bool {
        self.sessions.get(&connection).is_none_or(|session| session.engine.is_closed())
    }

    fn advance(&mut self, connection: Connection, now: Micros) -> Micros {
        let shard = self.shards.get(connection as usize).copied().unwrap_or(0);
        self.advance_shard(shard, now)
    }

    fn advance_shard(&mut self, shard: u8, now: Micros) -> Micros {
        let clock = self.clocks.entry(shard).or_default();
        *clock = now.max(*clock);
        *clock
    }

    /// Passes on the end of a session, and forgets one of which nothing is left.
    fn settle(&mut self, connection: Connection) {
        let Some(session) = self.sessions.get_mut(&connection) else { return };
        if let Some(reason) = session.engine.ended.take() {
            session.connect_by = None;
            session.partial = None;
            if session.engine.awaits_get {
                let late_gets = self.late_gets.entry(session.shard).or_default();
                late_gets.push_back(connection);
                if late_gets.len() > LATE_GETS {
                    late_gets.pop_front();
                }
            }
            self.end_sockets(connection, reason);
            if let Some(session) = self.sessions.get_mut(&connection) {
                session.tell(Happened::Closed(reason), 0);
            }
        }
        self.forget_at_rest(connection);
    }

    fn forget_at_rest(&mut self, connection: Connection) {
        if self.sessions.get(&connection).is_some_and(Session::is_at_rest) {
            self.sessions.remove(&connection);
        }
    }
}

impl Session {
    fn is_full(&self, rules: &Rules) -> bool {
        self.events.len() >= rules.inbox_events_max || self.events_bytes >= rules.inbox_bytes_max
    }

    fn is_at_rest(&self) -> bool {
        self.engine.is_at_rest()
            && self.sockets.is_empty()
            && self.events.is_empty()
            && self.outcomes.is_empty()
    }

    fn tell(&mut self, event: Happened, bytes: usize) {
        self.events_bytes += bytes;
        self.events.push_back((event, bytes));
    }
}

/// The bytes of a WebSocket frame that a server sends.
pub fn frame_bytes(payload_bytes: usize) -> usize {
    payload_bytes
        + match payload_bytes {
            0..126 => 2,
            126..65_536 => 4,
            65_536.. => 10,
        }
}
