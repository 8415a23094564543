//! What a server is told once, at its creation.

use core::time::Duration;

use crate::{Limits, RateLimit, SharedParser};

/// The settings of a [`Server`](crate::Server). Names and defaults are the reference
/// implementation's where it has them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// Time between a pong and the next ping. The reference's `pingInterval`.
    pub ping_interval: Duration,
    /// Time from a ping to its pong; then the session closes with `ping timeout`.
    pub ping_timeout: Duration,
    /// Time that an upgrade may take; then it is given up and polling goes on.
    pub upgrade_timeout: Duration,
    /// Time in which a connection must have joined a namespace; then it is closed.
    pub connect_timeout: Duration,
    /// Time that a closing polling session waits for one more request, to tell the client.
    pub polling_close_timeout: Duration,
    /// Transports that clients may use.
    pub transports: Transports,
    /// Whether clients may go from polling to WebSocket. If not, the upgrade is neither announced
    /// nor accepted.
    pub allow_upgrades: bool,
    /// Whether clients of Engine.IO 3, `socket.io-client` 2, are served. If not, they are
    /// refused.
    pub allow_eio3: bool,
    /// What packets look like on the wire, for all clients; `None` is the default form. What the
    /// server sends by itself has that form, and what it is given to send must have it:
    /// [`encode_for`](crate::codec::parser::encode_for).
    pub parser: Option<SharedParser>,
    /// What a peer may make the server hold.
    pub limits: Limits,
    /// What each connection may send, all its sockets together.
    pub connection_rate: Option<RateLimit>,
    /// What each socket may send.
    pub socket_rate: Option<RateLimit>,
    /// The index of this server among the shards of one application, below [`SHARDS_MAX`](crate::SHARDS_MAX).
    pub shard: u8,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            ping_interval: Duration::from_millis(25_000),
            ping_timeout: Duration::from_millis(20_000),
            upgrade_timeout: Duration::from_millis(10_000),
            connect_timeout: Duration::from_millis(45_000),
            polling_close_timeout: Duration::from_millis(30_000),
            transports: Transports::default(),
            allow_upgrades: true,
            allow_eio3: false,
            parser: None,
            limits: Limits::default(),
            connection_rate: None,
            socket_rate: None,
            shard: 0,
        }
    }
}

impl Config {
    /// Whether what clients send is limited in time, so that the machine needs to know the time of
    /// each packet.
    pub const fn has_rates(&self) -> bool {
        self.connection_rate.is_some() || self.socket_rate.is_some()
    }
}

/// A way to carry Engine.IO packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// HTTP requests: a GET that waits for packets, a POST that brings some.
    Polling,
    /// One WebSocket.
    WebSocket,
}

impl Transport {
    /// The name in the query string.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Polling => "polling",
            Self::WebSocket => "websocket",
        }
    }

    /// The transport of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Polling, Self::WebSocket].into_iter().find(|transport| transport.as_str() == name)
    }
}

/// A set of transports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transports {
    /// Whether [`Transport::Polling`] is in the set.
    pub polling: bool,
    /// Whether [`Transport::WebSocket`] is in the set.
    pub websocket: bool,
}

impl Transports {
    /// Whether `transport` is in the set.
    pub const fn contains(self, transport: Transport) -> bool {
        match transport {
            Transport::Polling => self.polling,
            Transport::WebSocket => self.websocket,
        }
    }
}

/// Both.
impl Default for Transports {
    fn default() -> Self {
        Self { polling: true, websocket: true }
    }
}
