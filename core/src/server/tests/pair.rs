//! A server and its clients, played by the test. Packets go through the real codecs, and whatever
//! comes out is shown as text, so that a test reads as what happened on the wire.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bytes::Bytes;

use super::super::{Server, Standing, Stats};
use crate::codec::message::{Encoder, Message};
use crate::codec::{engine, payload};
use crate::{
    AckId, AckOutcome, Config, ConnectRequest, ConnectionKey, Delivery, EmitError, Event, Gone,
    NamespaceKey, Output, PollKey, Refusal, Sid, SocketKey, Timestamp, TransportKey,
};

/// One of the clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Peer(usize);

struct Client {
    connection: ConnectionKey,
    sid: Sid,
    poll: Option<PollKey>,
    /// The WebSocket that carries messages.
    websocket: Option<TransportKey>,
    /// All WebSockets that the driver has not reported as closed.
    open: Vec<TransportKey>,
}

/// A server, its clients, and the time. Checks the server's invariants as it goes, and when it is
/// dropped lets every client go and checks that nothing is left.
pub(super) struct Pair {
    pub(super) server: Server,
    pub(super) now: Timestamp,
    encoder: Encoder,
    clients: Vec<Client>,
}

impl Pair {
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(super) fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        change(&mut config);
        Self {
            server: Server::new(config, [7; 32]),
            now: Timestamp::from_millis(1_000),
            encoder: Encoder::new(),
            clients: Vec::new(),
        }
    }

    /// Opens a session by a GET, whose answer it gives.
    pub(super) fn open_polling(&mut self) -> (Peer, String) {
        let opened = self.server.open_polling(self.now).expect("the server takes sessions");
        let peer = self.client(opened.connection, opened.sid, None);
        let open = self.poll(peer);
        (peer, open)
    }

    pub(super) fn polling(&mut self) -> Peer {
        self.open_polling().0
    }

    /// Opens a session by a WebSocket; gives its first packets.
    pub(super) fn open_websocket(&mut self) -> (Peer, Vec<String>) {
        let (opened, key) = self.server.open_websocket(self.now).expect("it takes sessions");
        let peer = self.client(opened.connection, opened.sid, Some(key));
        let open = self.received(peer);
        (peer, open)
    }

    pub(super) fn websocket(&mut self) -> Peer {
        self.open_websocket().0
    }

    /// A client on a WebSocket that has joined `/`.
    pub(super) fn joined(&mut self) -> (Peer, SocketKey) {
        let peer = self.websocket();
        let socket = self.join(peer, "/");
        (peer, socket)
    }

    /// A client on polling that has joined `/`. No GET of it waits.
    pub(super) fn joined_polling(&mut self) -> (Peer, SocketKey) {
        let peer = self.polling();
        let socket = self.join(peer, "/");
        (peer, socket)
    }

    /// The client asks to join a namespace, is let in and told so.
    pub(super) fn join(&mut self, peer: Peer, namespace: &str) -> SocketKey {
        let socket = self.request(peer, namespace);
        self.accept(socket).expect("it is pending");
        let reply = match self.clients[peer.0].websocket {
            Some(_) => self.received(peer).join("|"),
            None => self.poll(peer),
        };
        assert!(reply.starts_with("40"), "{reply}");
        socket
    }

    /// The client asks to join a namespace.
    pub(super) fn request(&mut self, peer: Peer, namespace: &str) -> SocketKey {
        let packet = if namespace == "/" { "40".to_string() } else { format!("40{namespace},") };
        self.send(peer, &packet);
        self.take_request(peer).socket
    }

    pub(super) fn take_request(&mut self, peer: Peer) -> ConnectRequest {
        match self.server.poll_event(self.connection(peer)) {
            Some(Event::ConnectRequested(request)) => *request,
            other => panic!("no request but {other:?}"),
        }
    }

    pub(super) fn accept(&mut self, socket: SocketKey) -> Result<(), Gone> {
        let state = self.server.sockets.get(socket).map(|state| (state.id, state.namespace));
        let connect = match state {
            Some((id, namespace)) => {
                let name = self.server.namespace_name(namespace).expect("it exists");
                Message::connect(name, id.as_str(), None)
            }
            None => Message::connect("/", "", None),
        };
        let result = self.server.accept_socket(socket, &connect);
        self.check();
        result
    }

    pub(super) fn reject(&mut self, socket: SocketKey, why: &str) -> Result<(), Gone> {
        let error = Message::connect_error(&mut self.encoder, "/", why, None::<&()>)
            .expect("text can be encoded");
        let result = self.server.reject_socket(socket, &error);
        self.check();
        result
    }

    pub(super) fn connection(&self, peer: Peer) -> ConnectionKey {
        self.clients[peer.0].connection
    }

    pub(super) fn sid(&self, peer: Peer) -> Sid {
        self.clients[peer.0].sid
    }

    pub(super) fn root(&mut self) -> NamespaceKey {
        self.server.create_namespace("/")
    }

    pub(super) fn message(&mut self, name: &str, ack: Option<u64>) -> Message {
        let ack = ack.map(|id| AckId::new(id).expect("small"));
        Message::event(&mut self.encoder, "/", name, &(), ack).expect("text can be encoded")
    }

    pub(super) fn emit(&mut self, socket: SocketKey, name: &str) -> Result<(), EmitError> {
        self.emit_by(socket, name, Delivery::Reliable)
    }

    pub(super) fn emit_by(
        &mut self,
        socket: SocketKey,
        name: &str,
        delivery: Delivery,
    ) -> Result<(), EmitError> {
        let message = self.message(name, None);
        let mut socket = self.server.socket(socket).ok_or(EmitError::NotConnected)?;
        socket.emit(message, delivery)
    }

    /// Emits with an acknowledgement that is due in so many milliseconds.
    pub(super) fn emit_with_ack(
        &mut self,
        socket: SocketKey,
        ack: u64,
        millis: u64,
    ) -> Result<(), EmitError> {
        let message = self.message("ask", Some(ack));
        let deadline = self.after(millis);
        let id = AckId::new(ack).expect("small");
        let mut socket = self.server.socket(socket).ok_or(EmitError::NotConnected)?;
        socket.emit_with_ack(message, Delivery::Reliable, id, deadline)
    }

    pub(super) fn after(&self, millis: u64) -> Timestamp {
        self.now + core::time::Duration::from_millis(millis)
    }

    /// A GET comes in.
    pub(super) fn get(&mut self, peer: Peer) -> Result<(), Refusal> {
        let key = self.server.begin_poll(self.connection(peer))?;
        let before = self.clients[peer.0].poll.replace(key);
        assert!(before.is_none(), "two GETs wait");
        self.check();
        Ok(())
    }

    /// The answer to a GET of a session that is unknown, if there is one.
    pub(super) fn late_body(&mut self, peer: Peer) -> Option<String> {
        let response = self.server.take_late_poll_response(&self.sid(peer))?;
        Some(String::from_utf8(response.into_body().to_vec()).expect("text"))
    }

    /// The answer to the GET, if there is one.
    pub(super) fn body(&mut self, peer: Peer) -> Option<String> {
        let key = self.clients[peer.0].poll?;
        let response = self.server.take_poll_response(self.connection(peer), key)?;
        self.clients[peer.0].poll = None;
        self.check();
        let body = response.into_body();
        Some(String::from_utf8(body.to_vec()).expect("text").replace('\u{1e}', "|"))
    }

    /// A GET and its answer.
    pub(super) fn poll(&mut self, peer: Peer) -> String {
        self.get(peer).expect("a GET may begin");
        self.body(peer).expect("it is answered at once")
    }

    pub(super) fn abort_get(&mut self, peer: Peer) {
        let key = self.clients[peer.0].poll.take().expect("a GET waits");
        self.server.handle_poll_aborted(self.connection(peer), key);
        self.check();
    }

    /// A POST with this body, its packets separated by `|`.
    pub(super) fn post(&mut self, peer: Peer, body: &str) -> Result<(), Gone> {
        let connection = self.connection(peer);
        let key = self.server.begin_post(connection).expect("a POST may begin");
        let limits = self.server.config().limits.clone();
        let body = Bytes::from(body.replace('|', "\u{1e}"));
        let packets = payload::decode(body, &limits);
        let result = self.server.handle_post(self.now, connection, key, packets);
        self.check();
        result
    }

    /// The client sends one packet on the transport that carries messages.
    pub(super) fn send(&mut self, peer: Peer, packet: &str) {
        match self.clients[peer.0].websocket {
            Some(key) => self.send_on(peer, key, packet),
            None => self.post(peer, packet).expect("the session is open"),
        }
    }

    /// The client sends packets on its WebSocket, which come at once.
    pub(super) fn send_together(&mut self, peer: Peer, packets: &[&str]) {
        let key = self.clients[peer.0].websocket.expect("it is on a WebSocket");
        let limits = self.server.config().limits.clone();
        let packets = packets
            .iter()
            .map(|packet| (key, engine::decode_text(Bytes::from((*packet).to_string()), &limits)));
        self.server.handle_packets(self.now, self.connection(peer), packets);
        self.check();
    }

    pub(super) fn send_on(&mut self, peer: Peer, key: TransportKey, packet: &str) {
        let limits = &self.server.config().limits;
        let packet = engine::decode_text(Bytes::from(packet.to_string()), limits);
        self.server.handle_packet(self.now, self.connection(peer), key, packet);
        self.check();
    }

    pub(super) fn send_binary(&mut self, peer: Peer, data: &'static [u8]) {
        let key = self.clients[peer.0].websocket.expect("it is on a WebSocket");
        let packet = Ok(engine::decode_binary(Bytes::from_static(data)));
        self.server.handle_packet(self.now, self.connection(peer), key, packet);
        self.check();
    }

    /// What the client finds on its WebSocket. A close of the server's is carried out.
    pub(super) fn received(&mut self, peer: Peer) -> Vec<String> {
        let key = self.clients[peer.0].websocket.expect("it is on a WebSocket");
        self.received_on(peer, key)
    }

    pub(super) fn received_on(&mut self, peer: Peer, key: TransportKey) -> Vec<String> {
        let mut found = Vec::new();
        while let Some(output) = self.server.poll_output(self.connection(peer), key) {
            match output {
                Output::Message(message) => {
                    found.extend(message.frames().iter().map(|frame| {
                        if frame.is_binary() {
                            format!("<{:?}>", frame.packet())
                        } else {
                            String::from_utf8(frame.packet().to_vec()).expect("text")
                        }
                    }));
                }
                Output::Close => {
                    found.push("(close)".to_string());
                    self.close_websocket(peer, key, true);
                    break;
                }
            }
        }
        self.check();
        found
    }

    /// A WebSocket is closed by the client, or fails.
    pub(super) fn close_websocket(&mut self, peer: Peer, key: TransportKey, clean: bool) {
        let client = &mut self.clients[peer.0];
        let position = client.open.iter().position(|open| *open == key);
        if let Some(position) = position {
            client.open.swap_remove(position);
            let connection = client.connection;
            self.server.handle_websocket_closed(connection, key, clean);
        }
        self.check();
    }

    /// The client's WebSocket is closed by the client, or fails.
    pub(super) fn hang_up(&mut self, peer: Peer, clean: bool) {
        let key = self.clients[peer.0].websocket.expect("it is on a WebSocket");
        self.close_websocket(peer, key, clean);
    }

    /// The client opens a WebSocket beside its polling.
    pub(super) fn begin_upgrade(&mut self, peer: Peer) -> Option<TransportKey> {
        let key = self.server.begin_upgrade(self.now, self.connection(peer))?;
        self.clients[peer.0].open.push(key);
        self.check();
        Some(key)
    }

    /// The client regards this WebSocket as the one that carries messages.
    pub(super) fn switch(&mut self, peer: Peer, key: TransportKey) {
        self.clients[peer.0].websocket = Some(key);
    }

    /// A whole upgrade, with no GET under way.
    pub(super) fn upgrade(&mut self, peer: Peer) -> TransportKey {
        let key = self.begin_upgrade(peer).expect("it may upgrade");
        self.send_on(peer, key, "2probe");
        assert_eq!(self.received_on(peer, key), ["3probe"]);
        self.send_on(peer, key, "5");
        self.switch(peer, key);
        key
    }

    /// What the application learns.
    pub(super) fn events(&mut self, peer: Peer) -> Vec<String> {
        let mut found = Vec::new();
        while let Some(event) = self.server.poll_event(self.connection(peer)) {
            found.push(self.describe(event));
        }
        self.check();
        found
    }

    /// What became of acknowledgements.
    pub(super) fn acks(&mut self, peer: Peer) -> Vec<String> {
        let mut found = Vec::new();
        while let Some(AckOutcome { id, result, .. }) = self.server.poll_ack(self.connection(peer))
        {
            found.push(match result {
                Ok(args) => format!("{id}: {args:?}"),
                Err(failure) => format!("{id}: {failure}"),
            });
        }
        self.check();
        found
    }

    fn describe(&self, event: Event) -> String {
        match event {
            Event::ConnectRequested(request) => {
                format!("request {} {}", request.packet.namespace(), request.packet.payload())
                    .trim_end()
                    .to_string()
            }
            Event::NamespaceRequested(request) => {
                format!("namespace {}", request.packet.namespace())
            }
            Event::Received(received) => {
                let mut text = received.packet.payload().to_string();
                if let Some(ack) = received.ack() {
                    text.push_str(&format!(" ack {ack}"));
                }
                for attachment in &received.attachments {
                    text.push_str(&format!(" <{:?}>", &attachment[..]));
                }
                text
            }
            Event::Disconnected(disconnected) => {
                let mut text = format!("disconnected: {}", disconnected.reason);
                for room in &disconnected.rooms {
                    text.push_str(&format!(" [{room}]"));
                }
                text
            }
            Event::RateExceeded(exceeded) => format!("exceeded: {}", exceeded.rate),
            Event::Violation(error) => format!("violation: {error}"),
            Event::Closed(reason) => format!("closed: {reason}"),
        }
    }

    /// Lets time pass, doing what is due on the way.
    pub(super) fn advance(&mut self, millis: u64) {
        let target = self.after(millis);
        while let Some(due) = self.server.poll_timeout().filter(|due| *due <= target) {
            self.now = self.now.max(due);
            self.server.handle_timeout(self.now);
            assert!(self.server.poll_timeout().is_none_or(|next| next > self.now));
            self.check();
        }
        self.now = target;
    }

    /// Checks what must hold at any time.
    pub(super) fn check(&self) {
        check(&self.server);
    }

    /// Every client goes away, and the application takes what there is to know of it.
    pub(super) fn finish(&mut self) {
        for index in 0..self.clients.len() {
            let peer = Peer(index);
            self.leave(peer);
            self.events(peer);
            self.acks(peer);
        }
        while self.server.poll_dirty().is_some() {}
        self.check();
        assert_eq!(self.server.stats(), Stats::default());
        assert!(self.server.connections.is_empty() && self.server.socket_ids.is_empty());
        assert!(self.server.namespaces.values().all(|namespace| namespace.members.is_empty()));
        assert_eq!(self.server.poll_timeout(), None);
    }

    fn leave(&mut self, peer: Peer) {
        let connection = self.connection(peer);
        if self.body(peer).is_none() && self.clients[peer.0].poll.is_some() {
            self.abort_get(peer);
        }
        while let Some(key) = self.clients[peer.0].open.last().copied() {
            self.close_websocket(peer, key, true);
        }
        if self.get(peer).is_ok() {
            self.abort_get(peer);
        }
        if let Some(state) = self.server.connections.get(connection)
            && let Some(post) = state.session.pending_post()
        {
            self.server.handle_post_aborted(connection, post);
        }
    }

    fn client(
        &mut self,
        connection: ConnectionKey,
        sid: Sid,
        websocket: Option<TransportKey>,
    ) -> Peer {
        let open = websocket.into_iter().collect();
        self.clients.push(Client { connection, sid, poll: None, websocket, open });
        Peer(self.clients.len() - 1)
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.finish();
        }
    }
}

/// The invariants of the server's indices.
pub(super) fn check(server: &Server) {
    server.rooms.check();
    let mut connected = 0;
    for (key, socket) in &server.sockets {
        assert_eq!(server.socket_ids.get(&socket.id), Some(&key));
        let connection = server.connections.get(socket.connection).expect("it has a connection");
        assert!(connection.sockets.contains(&key));
        assert!(connection.session.is_open(), "a socket outlives its session");
        match socket.standing {
            Standing::Pending => assert_eq!(server.rooms.count_of(key), 0),
            Standing::Connected { position, .. } => {
                let namespace = &server.namespaces[socket.namespace];
                assert_eq!(namespace.members[position as usize].socket, key);
                connected += 1;
            }
        }
    }
    assert_eq!(server.sockets.len(), server.socket_ids.len());
    assert_eq!(connected, server.namespaces.values().map(|n| n.members.len()).sum::<usize>());
    assert_eq!(server.sockets.len(), server.namespaces.values().map(|n| n.sockets).sum::<usize>());
    for connection in server.requests.connections() {
        let connection = server.connections.get(connection).expect("it has a connection");
        assert!(connection.session.is_open(), "a request outlives its session");
    }
    assert!(server.rooms.sockets().all(|socket| server.sockets.contains_key(socket)));
    for (sid, key) in &server.sids {
        let session = &server.connections[*key].session;
        assert!(session.sid() == sid && !session.is_closed());
    }
    for (key, connection) in &server.connections {
        assert!(connection.sockets.iter().all(|socket| server.sockets.contains_key(*socket)));
        assert_eq!(
            server.sids.contains_key(connection.session.sid()),
            !connection.session.is_closed()
        );
        assert!(!connection.is_at_rest(), "a connection at rest was not forgotten");
        assert!(!connection.dirty || server.dirty.contains(&key));
        assert!(connection.acks.sockets().all(|socket| connection.sockets.contains(&socket)));
        // Whatever is due is in the heap, not later.
        if let Some(deadline) = connection.deadline() {
            let armed = connection.armed.expect("a deadline is armed");
            assert!(armed <= deadline);
            assert!(server.timers.iter().any(|entry| entry.0 == (armed, key)));
        }
    }
}
