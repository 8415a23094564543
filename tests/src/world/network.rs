//! What lies between a client and the server: WebSockets as two pipes of bytes, and requests.

use std::collections::VecDeque;

use sansocket_core::codec::websocket::{Decoder, DecoderConfig, Role};
use sansocket_core::{ConnectionKey, PollKey, PostKey, Sid, TransportKey};

use crate::model::{Connection, Note, WebSocket};

/// A message on its way, with its place among all that the session was sent. Messages of the
/// transports themselves have none.
pub(super) type Sent = (Option<u64>, Note);

/// A session as the driver has it.
pub(super) struct Session {
    /// The client that opened it.
    pub(super) client: usize,
    pub(super) shard: usize,
    pub(super) key: ConnectionKey,
    pub(super) sid: Sid,
    pub(super) connection: Connection,
    pub(super) links: Vec<Link>,
    pub(super) get: Option<PollKey>,
    pub(super) post: Option<PostKey>,
    /// Whether the server has named it since its session task has taken all there was.
    pub(super) is_named: bool,
    /// As well, of the GET.
    pub(super) is_get_named: bool,
    /// How many messages it was sent.
    pub(super) sent: u64,
    /// The number of the client's next event.
    pub(super) next_tag: u64,
    /// Whether its client keeps to the rules.
    pub(super) honest: bool,
}

/// One WebSocket.
pub(super) struct Link {
    pub(super) websocket: WebSocket,
    pub(super) transport: TransportKey,
    pub(super) decoder: Decoder,
    /// On the way to the server.
    pub(super) up: VecDeque<u8>,
    /// How the stream ends behind that, if it does: cleanly or not.
    pub(super) up_end: Option<bool>,
    /// On the way to the client.
    pub(super) down: VecDeque<u8>,
    /// The messages in there.
    pub(super) sent: VecDeque<Sent>,
    /// What the client has read of a frame.
    pub(super) unread: Vec<u8>,
    /// Whether the server does not have it any more.
    pub(super) is_reported: bool,
    /// Whether the client does not.
    pub(super) is_left: bool,
}

impl Link {
    pub(super) fn new(
        websocket: WebSocket,
        transport: TransportKey,
        config: DecoderConfig,
    ) -> Self {
        Self {
            websocket,
            transport,
            decoder: Decoder::new(Role::Server, config),
            up: VecDeque::new(),
            up_end: None,
            down: VecDeque::new(),
            sent: VecDeque::new(),
            unread: Vec::new(),
            is_reported: false,
            is_left: false,
        }
    }

    /// The client is gone, with or without a word.
    pub(super) fn leave(&mut self, clean: bool) {
        if !self.is_left {
            self.is_left = true;
            self.up_end.get_or_insert(clean);
        }
        self.down.clear();
        self.sent.clear();
        self.unread.clear();
        if !clean {
            self.up.clear();
        }
    }
}

/// A GET, as the client has it.
#[derive(Debug, Default)]
pub(super) struct Get {
    pub(super) has_arrived: bool,
    pub(super) answer: Option<Answer>,
}

/// A POST, as the client has it.
#[derive(Debug)]
pub(super) struct Post {
    pub(super) body: Vec<u8>,
    /// How much of it has arrived; nothing is a request that has not.
    pub(super) arrived: usize,
    pub(super) has_begun: bool,
    pub(super) answer: Option<bool>,
}

#[derive(Debug)]
pub(super) enum Answer {
    Payload(Vec<u8>, VecDeque<Sent>),
    Refused,
}
