//! What a client is told once, at its creation, and each namespace at its own.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;
use serde::Serialize;

use crate::codec::args;
use crate::{EncodeError, SharedParser, Transport};

use super::event::AuthError;
use super::limits::Limits;

/// The settings of a [`Manager`](super::Manager). Names and defaults are the reference
/// implementation's where it has them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// The path of the server's endpoint, which is not that of a namespace.
    pub path: String,
    /// What the application adds to the query string of each request, already percent-encoded and
    /// without `?` or `&` at its ends. `EIO`, `transport` and `sid` are the protocol's.
    pub query: String,
    /// The transports to use: the first opens the session, a WebSocket after it takes over.
    pub transports: Vec<Transport>,
    /// Whether to go from polling to a WebSocket where the server offers it.
    pub upgrade: bool,
    /// Whether to open the session by the next transport where one fails. The connect timeout
    /// spans all of them.
    pub try_all_transports: bool,
    /// Time that an upgrade may take; then it is given up and polling goes on. The reference waits
    /// for ever.
    pub upgrade_timeout: Duration,
    /// Time from the first request to the end of the handshake; then the connection has failed.
    /// `None` waits for ever. The reference's `timeout`.
    pub connect_timeout: Option<Duration>,
    /// Time that a closing connection may take to send what is queued and to say goodbye.
    pub close_timeout: Duration,
    /// Whether to connect again when a connection was lost or could not be made.
    pub reconnection: bool,
    /// How often, before [`Event::ReconnectFailed`](super::Event::ReconnectFailed). `None` is
    /// without end, which is 0 in the reference.
    pub reconnection_attempts: Option<u32>,
    /// The delay before the first attempt; it doubles with each.
    pub reconnection_delay: Duration,
    /// What the delay grows to.
    pub reconnection_delay_max: Duration,
    /// By how many percent of it a delay may be shorter or longer, so that clients of a server that
    /// was restarted do not all come at once. At most 100. The reference's `randomizationFactor`.
    pub randomization_percent: u8,
    /// What packets look like on the wire, which must be what the server has; `None` is the default
    /// form. What the client sends by itself has that form, and what it is given to send must have
    /// it: [`encode_for`](crate::codec::parser::encode_for).
    pub parser: Option<SharedParser>,
    /// What the server, and the application, may make the client hold.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            path: String::from("/socket.io/"),
            query: String::new(),
            transports: alloc::vec![Transport::Polling, Transport::WebSocket],
            upgrade: true,
            try_all_transports: false,
            upgrade_timeout: Duration::from_millis(10_000),
            connect_timeout: Some(Duration::from_millis(20_000)),
            close_timeout: Duration::from_millis(10_000),
            reconnection: true,
            reconnection_attempts: None,
            reconnection_delay: Duration::from_millis(1_000),
            reconnection_delay_max: Duration::from_millis(5_000),
            randomization_percent: 50,
            parser: None,
            limits: Limits::default(),
        }
    }
}

/// The settings of one namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SocketConfig {
    /// What the server is told at each connect.
    pub auth: AuthSource,
    /// Time from the open connection, with that for which the application is asked for what to tell
    /// the server, to the server's answer; then the connect has failed with
    /// [`ConnectError::Unanswered`](super::ConnectError::Unanswered). `None` waits for ever, as the
    /// reference does.
    pub connect_timeout: Option<Duration>,
    /// How often a message of
    /// [`Socket::emit_at_least_once`](super::Socket::emit_at_least_once) is sent again where no
    /// acknowledgement came in time.
    pub retries: u32,
    /// The time that each of its tries is given.
    pub ack_timeout: Duration,
}

impl Default for SocketConfig {
    fn default() -> Self {
        Self {
            auth: AuthSource::Value(Auth::none()),
            connect_timeout: Some(Duration::from_millis(45_000)),
            retries: 3,
            ack_timeout: Duration::from_millis(10_000),
        }
    }
}

/// Where the data come from that the server is told when a namespace is connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthSource {
    /// They are always these.
    Value(Auth),
    /// The application is asked each time, by
    /// [`Event::AuthRequested`](super::Event::AuthRequested).
    Ask,
}

/// What the server is told when a namespace is connected: a JSON object, or nothing.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Auth(Option<Bytes>);

impl Auth {
    /// Nothing.
    pub fn none() -> Self {
        Self(None)
    }

    /// What `value` serializes as. Binary data in it becomes an array of numbers.
    ///
    /// # Errors
    ///
    /// If that fails, or gives no JSON object.
    pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Self, AuthError> {
        let mut json = Vec::new();
        args::encode_plain(value, &mut json)
            .map_err(|error: EncodeError| AuthError::Encode(error))?;
        if json.first() != Some(&b'{') {
            return Err(AuthError::NoObject);
        }
        Ok(Self(Some(Bytes::from(json))))
    }

    /// The text of the object.
    pub(super) fn json(&self) -> Option<&str> {
        self.0.as_deref().map(|json| core::str::from_utf8(json).unwrap_or_default())
    }
}
