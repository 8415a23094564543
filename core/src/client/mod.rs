//! A Socket.IO client without IO: one connection, the namespaces on it, and what happens when it is
//! lost.
//!
//! [`Manager`] is to a client what [`Server`](crate::Server) is to a server: one value that opens no
//! socket, reads no clock and draws no random number. A driver carries out the HTTP requests and
//! the WebSockets that it asks for, tells it what came of them and what time it is, and hands
//! events and commands to and fro.
//!
//! # The run loop
//!
//! A driver goes round these steps for ever.
//!
//! 1. **Input.** Report each answer to a request by [`Manager::handle_response`] or
//!    [`Manager::handle_request_failed`], and what happens to a WebSocket by
//!    [`Manager::handle_websocket_open`], [`Manager::handle_websocket_text`],
//!    [`Manager::handle_websocket_binary`], and, once for each,
//!    [`Manager::handle_websocket_closed`] or [`Manager::handle_websocket_failed`].
//! 2. **Time.** [`Manager::handle_timeout`], at the latest at the time that step 7 has found.
//! 3. **Events.** [`Manager::poll_ack`] and [`Manager::poll_event`] until they give `None`. The
//!    application acts on them by commands, now or later: [`Manager::namespace`],
//!    [`Manager::socket`], [`Manager::close`].
//! 4. **Requests.** [`Manager::poll_request`] until it gives `None`. Make each of them, beside one
//!    another. A request that [`Manager::awaits`] denies is of no interest any more: drop it.
//! 5. **WebSockets.** Open the one that [`Manager::poll_websocket`] gives. For each that was asked
//!    for, [`Manager::poll_output`] for as long as the network takes it, and again when the network
//!    takes more; on
//!    [`Output::Close`](crate::Output::Close) close it, also while it is being opened.
//! 6. **Backpressure.** Read on from a WebSocket only while [`Manager::wants_input`] says so.
//!    Polling needs no care: no GET is asked for meanwhile.
//! 7. **Sleep** until [`Manager::poll_timeout`], or until there is input or a command. Then go on
//!    with step 1.
//!
//! `examples/src/bin/blocking-client.rs` in the repository is such a driver, in plain `std`.
//!
//! Extra calls do no harm, and no order of calls is wrong. Keys name one request or WebSocket of one
//! session, so that what comes late is recognized and ignored.
//!
//! ```
//! use bytes::Bytes;
//! use sansocket_core::client::{Config, Event, Manager, SocketConfig};
//! use sansocket_core::{Delivery, Encoder, Message, Timestamp, Transport};
//!
//! let mut config = Config::default();
//! config.transports = vec![Transport::Polling];
//! let mut client = Manager::new(config, [7; 32]); // A real seed is random.
//! let now = Timestamp::ZERO;
//! let mut encoder = Encoder::new();
//!
//! // What is emitted before the connection is open waits for it.
//! let chat = client.namespace("/chat", SocketConfig::default())?;
//! let mut socket = client.socket(chat).ok_or("has left")?;
//! socket.connect(now);
//! let greeting = Message::event(&mut encoder, "/chat", "greet", "hello", None)?;
//! socket.emit(now, greeting, Delivery::Reliable)?;
//!
//! // The driver makes the requests, and this test plays the server.
//! let open = client.poll_request().ok_or("no request")?;
//! assert_eq!(open.target, "/socket.io/?EIO=4&transport=polling");
//! let handshake = r#"0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000}"#;
//! client.handle_response(now, open.key, 200, Bytes::from_static(handshake.as_bytes()));
//! assert!(matches!(client.poll_event(), Some(Event::Opened)));
//!
//! let poll = client.poll_request().ok_or("no request")?;
//! assert_eq!(poll.target, "/socket.io/?EIO=4&transport=polling&sid=x");
//! let post = client.poll_request().ok_or("no request")?;
//! let key = post.key;
//! assert_eq!(post.into_body(), "40/chat,");
//! client.handle_response(now, key, 200, Bytes::from_static(b"ok"));
//! client.handle_response(now, poll.key, 200, Bytes::from_static(br#"40/chat,{"sid":"y"}"#));
//! assert!(matches!(client.poll_event(), Some(Event::Connected(connected)) if &*connected.id == "y"));
//!
//! client.poll_request().ok_or("no request")?;
//! let post = client.poll_request().ok_or("no request")?;
//! assert_eq!(post.into_body(), r#"42/chat,["greet","hello"]"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Connections and namespaces
//!
//! A manager has one connection, or is making one, while any of its namespaces is to be connected;
//! with the last it is closed. When it is lost, it is made again after a delay, and the namespaces
//! are connected again. A namespace that the server refused or disconnected, or the application, is
//! connected again by a command only.
//!
//! Packets are decoded in here, other than in a server: there is one connection, so nobody else waits
//! meanwhile. Messages are encoded by the caller.
//!
//! # What is promised about messages
//!
//! Events of one namespace come in the order in which the server emitted them, and are sent in the
//! order of the commands. While a connection holds, each arrives exactly once; one that was on its
//! way when it was lost may not arrive. [`Socket::emit_at_least_once`] repeats a message until it is
//! acknowledged. What becomes of an acknowledgement is said exactly once, by
//! [`Manager::poll_ack`].

mod backoff;
mod command;
mod config;
mod engine;
mod event;
mod inbound;
mod lifecycle;
mod limits;
mod outbound;
mod packet;
mod queue;
mod socket;

#[cfg(test)]
mod tests;

use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;

use slotmap::SlotMap;

use crate::entropy::Entropy;
use crate::inbox::Inbox;
use crate::reassembly::Reassembly;
use crate::{SocketKey, Timestamp, Transport};

use backoff::Backoff;
use engine::{Codec, Engine};
use socket::{Budget, SocketState};

pub use command::Socket;
pub use config::{Auth, AuthSource, Config, SocketConfig};
pub use engine::{Request, RequestKey, WebSocketKey, WebSocketRequest};
pub use event::{
    AckFailure, AckOutcome, AckToken, AuthError, AuthRequest, ConnectError, Connected,
    DisconnectReason, EmitError, Event, NamespaceError, Received, TransportError,
};
pub use limits::Limits;

/// A Socket.IO client without IO. See [the module](self) for how it is driven.
///
/// There are four classes of methods, told apart by their names, as those of a
/// [`Server`](crate::Server): *inputs* `handle_*`, *commands* such as [`close`](Self::close) and
/// those of [`Socket`], a view of one namespace that [`socket`](Self::socket) lends, *outputs*
/// `poll_*`, and *getters*.
pub struct Manager {
    config: Config,
    codec: Codec,
    now: Timestamp,
    entropy: Entropy,
    /// Invariant: `Some` while `standing` is `Opening` or `Open`.
    engine: Option<Engine>,
    /// Sessions that are being closed.
    closing: Vec<Engine>,
    epochs: u32,
    standing: Standing,
    backoff: Backoff,
    /// The number of the reconnection that is under way; 0 where none is.
    attempt: u32,
    reassembly: Option<Reassembly>,
    sockets: SlotMap<SocketKey, SocketState>,
    names: BTreeMap<Arc<str>, SocketKey>,
    /// What waits in the buffers and queues of `sockets`.
    budget: Budget,
    inbox: Inbox<Event>,
    outcomes: VecDeque<AckOutcome>,
    /// Whether the inbox has been full since the last heartbeat was due, so that the driver stopped
    /// reading, and a ping may be among what it has not read.
    input_was_held: bool,
}

/// Where the connection stands.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Standing {
    /// There is none, and none is to be.
    Closed,
    Opening {
        /// When this has failed.
        deadline: Option<Timestamp>,
        /// The transports that were not tried yet.
        untried: VecDeque<Transport>,
    },
    Open {
        since: Timestamp,
    },
    /// It was lost, or could not be made, and is made again at this time.
    Waiting {
        until: Timestamp,
    },
}

/// How much a manager holds. All zero once every namespace was removed and everything was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Sessions that are open, being opened or being closed.
    pub sessions: usize,
    /// Namespaces.
    pub namespaces: usize,
    /// Acknowledgements that the server owes.
    pub pending_acks: usize,
    /// Messages that wait for their namespace, or to be sent again.
    pub buffered_packets: usize,
    /// Bytes of those messages.
    pub buffered_bytes: usize,
    /// Bytes that wait to be sent on a connection.
    pub outbox_bytes: usize,
    /// Events that wait to be taken.
    pub inbox_events: usize,
    /// Events that came before their namespace was confirmed.
    pub early_events: usize,
    /// Outcomes of acknowledgements that wait to be taken.
    pub outcomes: usize,
}

impl Manager {
    /// A client without namespaces, that connects once one of them is to be connected.
    ///
    /// `seed` spreads the delays of reconnections, so each client needs another one. Two clients
    /// with the same seed and the same inputs give the same outputs.
    pub fn new(config: Config, seed: [u8; 32]) -> Self {
        Self {
            codec: Codec::new(config.limits.of_codec(), config.parser.clone()),
            config,
            now: Timestamp::ZERO,
            entropy: Entropy::new(seed),
            engine: None,
            closing: Vec::new(),
            epochs: 0,
            standing: Standing::Closed,
            backoff: Backoff::default(),
            attempt: 0,
            reassembly: None,
            sockets: SlotMap::with_key(),
            names: BTreeMap::new(),
            budget: Budget::default(),
            inbox: Inbox::default(),
            outcomes: VecDeque::new(),
            input_was_held: false,
        }
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The transport of the connection, if it is open.
    pub fn transport(&self) -> Option<Transport> {
        self.engine.as_ref().filter(|engine| engine.is_open()).map(Engine::transport)
    }

    /// Whether there is no connection, none being closed, and none to be made: the driver has
    /// nothing to do until a command.
    pub fn is_at_rest(&self) -> bool {
        self.standing == Standing::Closed && self.closing.is_empty()
    }

    /// How much the client holds. Takes time in proportion to the number of namespaces.
    pub fn stats(&self) -> Stats {
        let engines = || self.engine.iter().chain(&self.closing);
        let sum = |count: fn(&SocketState) -> usize| self.sockets.values().map(count).sum();
        Stats {
            sessions: engines().count(),
            namespaces: self.sockets.len(),
            pending_acks: sum(|socket| socket.acks.len() + socket.queue.len()),
            buffered_packets: self.budget.packets,
            buffered_bytes: self.budget.bytes,
            outbox_bytes: engines().map(Engine::outbox_bytes).sum(),
            inbox_events: self.inbox.len(),
            early_events: sum(|socket| socket.early.len()),
            outcomes: self.outcomes.len(),
        }
    }

    /// Takes the time into account that an input brought.
    fn advance(&mut self, now: Timestamp) -> Timestamp {
        self.now = self.now.max(now);
        self.now
    }
}
