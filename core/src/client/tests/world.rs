//! A client and the real server, with a network between them that delays, cuts and loses, and an
//! application at either end that checks what it gets.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;

use super::super::{
    AckToken, Auth, AuthRequest, AuthSource, Config, Event, Manager, RequestKey, SocketConfig,
    WebSocketKey,
};
use crate::codec::message::Frame;
use crate::codec::{engine, payload};
use crate::http::{self, Method, Route};
use crate::{
    AckId, ConnectionKey, Delivery, Encoder, Message, Output, PollKey, Server, SocketKey,
    Timestamp, TransportKey,
};

pub(super) const NAMESPACES: [&str; 2] = ["/", "/asked"];

/// One HTTP request on its way.
struct Http {
    key: RequestKey,
    method: Method,
    target: String,
    body: Bytes,
    stage: Stage,
    /// The client was told that it failed; it may reach the server all the same.
    is_lost: bool,
}

enum Stage {
    Travelling,
    Waiting(ConnectionKey, PollKey),
    Answered(u16, Bytes),
    Failed,
}

/// One WebSocket, and what travels on it.
struct Link {
    key: WebSocketKey,
    target: String,
    server: Option<(ConnectionKey, TransportKey)>,
    up: VecDeque<Up>,
    down: VecDeque<Down>,
    was_accepted: bool,
    client_is_done: bool,
}

enum Up {
    Frame(Frame),
    Closed(bool),
}

enum Down {
    Opened,
    Frame(Frame),
    Closed,
}

/// What the server's application knows of one socket.
struct Joined {
    connection: ConnectionKey,
    key: SocketKey,
    id: String,
    namespace: usize,
    /// How many events it has emitted on it.
    emitted: u64,
    /// The last event that came, and the last of those that are repeated.
    received: Option<u64>,
    repeated: u64,
}

/// What the client's application knows of one namespace.
struct Side {
    key: SocketKey,
    emitted: u64,
    /// The id while it is connected, and how many events came since then.
    connected: Option<String>,
    received: u64,
    tokens: Vec<AckToken>,
    questions: Vec<AuthRequest>,
}

pub(super) struct World {
    pub(super) client: Manager,
    server: Server,
    pub(super) now: Timestamp,
    encoder: Encoder,
    https: Vec<Http>,
    links: Vec<Link>,
    sides: Vec<Side>,
    joined: Vec<Joined>,
    pending: Vec<(SocketKey, ConnectionKey, String, usize)>,
    next_ack: u64,
    /// Acknowledgements that are to have exactly one outcome.
    owed: BTreeSet<u64>,
    /// Of those, the ones of messages that are repeated until they have arrived.
    repeated: BTreeSet<u64>,
    delivered: BTreeSet<u64>,
    /// Events of the client that have arrived, by namespace and number.
    arrived: BTreeSet<(usize, u64)>,
    server_acks: BTreeMap<u64, usize>,
    connections: BTreeSet<ConnectionKey>,
    seed: u8,
}

impl World {
    pub(super) fn new(config: Config) -> Self {
        let mut client = Manager::new(config, [5; 32]);
        let sides = NAMESPACES.map(|name| {
            let config = SocketConfig {
                auth: match name {
                    "/asked" => AuthSource::Ask,
                    _ => AuthSource::Value(Auth::none()),
                },
                connect_timeout: Some(Duration::from_secs(5)),
                retries: u32::MAX,
                ack_timeout: Duration::from_secs(3),
            };
            Side {
                key: client.namespace(name, config).expect("it may be added"),
                emitted: 0,
                connected: None,
                received: 0,
                tokens: Vec::new(),
                questions: Vec::new(),
            }
        });
        Self {
            client,
            server: server(0),
            now: Timestamp::ZERO,
            encoder: Encoder::new(),
            https: Vec::new(),
            links: Vec::new(),
            sides: sides.into(),
            joined: Vec::new(),
            pending: Vec::new(),
            next_ack: 0,
            owed: BTreeSet::new(),
            repeated: BTreeSet::new(),
            delivered: BTreeSet::new(),
            arrived: BTreeSet::new(),
            server_acks: BTreeMap::new(),
            connections: BTreeSet::new(),
            seed: 0,
        }
    }

    // The client's application.

    pub(super) fn connect(&mut self, side: usize) {
        let (now, key) = (self.now, self.sides[side].key);
        self.client.socket(key).expect("it is there").connect(now);
    }

    pub(super) fn disconnect(&mut self, side: usize) {
        let (now, key) = (self.now, self.sides[side].key);
        self.client.socket(key).expect("it is there").disconnect(now);
    }

    pub(super) fn emit(&mut self, side: usize, len: usize) {
        let (now, key) = (self.now, self.sides[side].key);
        let value = (self.sides[side].emitted, "x".repeat(len));
        let message = Message::event(&mut self.encoder, NAMESPACES[side], "plain", &value, None);
        let message = message.expect("it can be encoded");
        let mut socket = self.client.socket(key).expect("it is there");
        if socket.emit(now, message, Delivery::Reliable).is_ok() {
            self.sides[side].emitted += 1;
        }
    }

    pub(super) fn emit_binary(&mut self, side: usize) {
        let (now, key) = (self.now, self.sides[side].key);
        let value = (self.sides[side].emitted, Bytes::from_static(&[7; 40]));
        let message = Message::event(&mut self.encoder, NAMESPACES[side], "plain", &value, None);
        let message = message.expect("it can be encoded");
        let mut socket = self.client.socket(key).expect("it is there");
        if socket.emit(now, message, Delivery::Reliable).is_ok() {
            self.sides[side].emitted += 1;
        }
    }

    pub(super) fn emit_volatile(&mut self, side: usize) {
        let (now, key) = (self.now, self.sides[side].key);
        let message = Message::event(&mut self.encoder, NAMESPACES[side], "volatile", &(), None);
        let message = message.expect("it can be encoded");
        let mut socket = self.client.socket(key).expect("it is there");
        // Whether it was dropped is of no interest.
        let _dropped = socket.emit(now, message, Delivery::Volatile);
    }

    pub(super) fn ask(&mut self, side: usize, millis: Option<u64>) {
        let (now, key, id) = (self.now, self.sides[side].key, self.next_ack);
        let deadline = millis.map(|millis| now + Duration::from_millis(millis));
        let ack = AckId::new(id).expect("small");
        let message = Message::event(&mut self.encoder, NAMESPACES[side], "ask", &id, Some(ack));
        let message = message.expect("it can be encoded");
        let mut socket = self.client.socket(key).expect("it is there");
        if socket.emit_with_ack(now, message, Delivery::Reliable, ack, deadline).is_ok() {
            self.next_ack += 1;
            self.owed.insert(id);
        }
    }

    pub(super) fn emit_at_least_once(&mut self, side: usize) {
        let (now, key, id) = (self.now, self.sides[side].key, self.next_ack);
        let ack = AckId::new(id).expect("small");
        let message =
            Message::event(&mut self.encoder, NAMESPACES[side], "repeated", &id, Some(ack));
        let message = message.expect("it can be encoded");
        let mut socket = self.client.socket(key).expect("it is there");
        if socket.emit_at_least_once(now, message, ack).is_ok() {
            self.next_ack += 1;
            self.owed.insert(id);
            self.repeated.insert(id);
        }
    }

    /// The application answers what it was asked.
    pub(super) fn answer(&mut self, side: usize) {
        let (now, key) = (self.now, self.sides[side].key);
        if let Some(token) = self.sides[side].tokens.pop() {
            let message =
                Message::ack(&mut self.encoder, NAMESPACES[side], token.id(), &token.id().get());
            let message = message.expect("it can be encoded");
            let mut socket = self.client.socket(key).expect("it is there");
            // The connection may be another by now.
            let _stale = socket.acknowledge(now, token, message);
        }
    }

    pub(super) fn authenticate(&mut self, side: usize) {
        if self.sides[side].questions.is_empty() {
            return;
        }
        let request = self.sides[side].questions.remove(0);
        let auth = Auth::encode(&BTreeMap::from([("t", 1)])).expect("an object");
        let mut socket = self.client.socket(request.socket).expect("it is there");
        let _gone = socket.authenticate(&request, &auth);
    }

    /// Takes what the client has to tell, and checks it.
    pub(super) fn take_events(&mut self, count: usize) {
        for _ in 0..count {
            let Some(event) = self.client.poll_event() else { break };
            self.check_event(event);
        }
        while let Some(outcome) = self.client.poll_ack() {
            let id = outcome.id.get();
            assert!(self.owed.remove(&id), "{id} has two outcomes");
            if let Ok(args) = outcome.result {
                assert_eq!(args.decode::<u64>().ok(), Some(id), "another's acknowledgement");
            } else {
                assert!(!self.repeated.contains(&id), "it was given up");
            }
            if self.repeated.remove(&id) {
                assert!(self.delivered.contains(&id));
            }
        }
    }

    fn check_event(&mut self, event: Event) {
        let index = |socket| {
            self.sides.iter().position(|side| side.key == socket).expect("a namespace of ours")
        };
        match event {
            Event::Connected(connected) => {
                let side = index(connected.socket);
                let before = self.sides[side].connected.replace(connected.id.to_string());
                assert!(before.is_none(), "connected twice");
                self.sides[side].received = 0;
            }
            Event::Disconnected { socket, .. } => {
                let side = index(socket);
                assert!(self.sides[side].connected.take().is_some(), "disconnected unconnected");
            }
            Event::Received(received) => {
                let side = index(received.socket);
                let side = &mut self.sides[side];
                side.tokens.extend(received.ack);
                let args = received.packet.into_args(received.attachments);
                let (id, number): (String, u64) = args.decode().expect("they are ours");
                assert_eq!(side.connected.as_ref(), Some(&id), "of another connection");
                assert_eq!(number, side.received, "lost, repeated or out of order");
                side.received += 1;
            }
            Event::AuthRequested(request) => {
                let side = index(request.socket);
                self.sides[side].questions.push(request);
            }
            Event::ConnectError { .. }
            | Event::Opened
            | Event::Upgraded
            | Event::Closed(_)
            | Event::ReconnectAttempt { .. }
            | Event::ReconnectError(_)
            | Event::ReconnectFailed
            | Event::Reconnected { .. } => {}
            Event::Discarded { .. } => {
                // Which one it was, nobody can tell, so the numbers have a gap.
                panic!("no message is that large");
            }
        }
    }

    // The network.

    /// The driver takes what is to be done.
    pub(super) fn drive(&mut self) {
        while let Some(request) = self.client.poll_request() {
            let (key, method, target) = (request.key, request.method, request.target.clone());
            let same_kind = |http: &&Http| {
                http.method == method && !http.is_lost && self.client.awaits(http.key)
            };
            let busy = self.https.iter().filter(same_kind);
            let busy = busy.filter(|http| sid(&http.target) == sid(&target)).count();
            assert!(busy == 0 || sid(&target).is_none(), "two of a kind at once");
            let body = request.into_body();
            let stage = Stage::Travelling;
            self.https.push(Http { key, method, target, body, stage, is_lost: false });
        }
        while let Some(request) = self.client.poll_websocket() {
            self.links.push(Link {
                key: request.key,
                target: request.target,
                server: None,
                up: VecDeque::new(),
                down: VecDeque::new(),
                was_accepted: false,
                client_is_done: false,
            });
        }
    }

    /// The client writes up to so many packets to each of its WebSockets.
    pub(super) fn write(&mut self, count: usize) {
        for link in self.links.iter_mut().filter(|link| !link.client_is_done) {
            for _ in 0..count {
                match self.client.poll_output(link.key) {
                    None => break,
                    Some(Output::Message(message)) => {
                        link.up.extend(message.frames().iter().cloned().map(Up::Frame));
                    }
                    Some(Output::Close) => {
                        link.up.push_back(Up::Closed(true));
                        link.client_is_done = true;
                        self.client.handle_websocket_closed(self.now, link.key);
                        break;
                    }
                }
            }
        }
    }

    /// One request gets a step further, if there are any.
    pub(super) fn move_http(&mut self, which: usize) {
        if self.https.is_empty() {
            return;
        }
        let index = which % self.https.len();
        let http = &mut self.https[index];
        match &http.stage {
            Stage::Travelling => {
                http.stage = serve(&mut self.server, self.now, http, &mut self.connections);
            }
            Stage::Waiting(connection, poll) => {
                let response = self.server.take_poll_response(*connection, *poll);
                if let Some(response) = response {
                    http.stage = Stage::Answered(200, response.into_body());
                } else if self.server.is_over(*connection) || !self.client.awaits(http.key) {
                    self.server.handle_poll_aborted(*connection, *poll);
                    http.stage = Stage::Failed;
                }
            }
            Stage::Answered(..) | Stage::Failed => {
                let http = self.https.remove(index);
                match http.stage {
                    _ if http.is_lost => {}
                    Stage::Answered(status, body) => {
                        self.client.handle_response(self.now, http.key, status, body);
                    }
                    Stage::Travelling | Stage::Waiting(..) | Stage::Failed => {
                        self.client.handle_request_failed(self.now, http.key);
                    }
                }
            }
        }
    }

    /// A request is cut off. It may reach the server all the same.
    pub(super) fn cut_http(&mut self, which: usize) {
        if self.https.is_empty() {
            return;
        }
        let index = which % self.https.len();
        let http = &mut self.https[index];
        if !core::mem::replace(&mut http.is_lost, true) {
            self.client.handle_request_failed(self.now, http.key);
        }
    }

    /// What travels on one of the WebSockets gets a step further.
    pub(super) fn move_link(&mut self, which: usize, up: bool) {
        if self.links.is_empty() {
            return;
        }
        let index = which % self.links.len();
        let link = &mut self.links[index];
        if !link.was_accepted {
            link.was_accepted = true;
            link.server = accept(&mut self.server, self.now, &link.target);
            self.connections.extend(link.server.map(|(connection, _)| connection));
            link.down.push_back(match link.server {
                Some(_) => Down::Opened,
                None => Down::Closed,
            });
            return;
        }
        if let Some((connection, transport)) = link.server {
            while let Some(output) = self.server.poll_output(connection, transport) {
                match output {
                    Output::Message(message) => {
                        link.down.extend(message.frames().iter().cloned().map(Down::Frame));
                    }
                    Output::Close => {
                        link.down.push_back(Down::Closed);
                        link.server = None;
                        self.server.handle_websocket_closed(connection, transport, true);
                        break;
                    }
                }
            }
        }
        if up {
            match (link.up.pop_front(), link.server) {
                (Some(Up::Frame(frame)), Some((connection, transport))) => {
                    let limits = &self.server.config().limits;
                    let packet = match frame.is_binary() {
                        true => Ok(engine::decode_binary(frame.packet_bytes())),
                        false => engine::decode_text(frame.packet_bytes(), limits),
                    };
                    self.server.handle_packet(self.now, connection, transport, packet);
                }
                (Some(Up::Closed(clean)), Some((connection, transport))) => {
                    link.server = None;
                    self.server.handle_websocket_closed(connection, transport, clean);
                }
                (Some(_), None) | (None, _) => {}
            }
        } else if !link.client_is_done {
            match link.down.pop_front() {
                Some(Down::Opened) => self.client.handle_websocket_open(self.now, link.key),
                Some(Down::Frame(frame)) if frame.is_binary() => {
                    let data = frame.packet_bytes();
                    self.client.handle_websocket_binary(self.now, link.key, data);
                }
                Some(Down::Frame(frame)) => {
                    let text = frame.packet_bytes();
                    self.client.handle_websocket_text(self.now, link.key, text);
                }
                Some(Down::Closed) => {
                    link.client_is_done = true;
                    link.up.push_back(Up::Closed(true));
                    self.client.handle_websocket_closed(self.now, link.key);
                }
                None => {}
            }
        }
        let link = &self.links[index];
        if link.client_is_done && link.server.is_none() {
            self.links.remove(index);
        }
    }

    /// A WebSocket is cut off. What the client has sent may arrive all the same.
    pub(super) fn cut_link(&mut self, which: usize, arrives: bool) {
        if self.links.is_empty() {
            return;
        }
        let index = which % self.links.len();
        let link = &mut self.links[index];
        link.was_accepted = true;
        if !core::mem::replace(&mut link.client_is_done, true) {
            self.client.handle_websocket_failed(self.now, link.key);
        }
        if !arrives {
            link.up.clear();
        }
        link.up.push_back(Up::Closed(false));
    }

    /// Lets time pass up to so many milliseconds, doing what is due on the way.
    pub(super) fn advance(&mut self, millis: u64) {
        let target = self.now + Duration::from_millis(millis);
        let due = self.client.poll_timeout().into_iter().chain(self.server.poll_timeout()).min();
        self.now = due.map_or(target, |due| due.min(target)).max(self.now);
        self.client.handle_timeout(self.now);
        assert!(self.client.poll_timeout().is_none_or(|next| next > self.now));
        self.server.handle_timeout(self.now);
    }

    // The server's application.

    /// The server goes away with everything, and another one is there.
    pub(super) fn restart(&mut self) {
        self.seed += 1;
        self.server = server(self.seed);
        self.joined.clear();
        self.pending.clear();
        self.connections.clear();
        self.server_acks.clear();
        for http in &mut self.https {
            if let Stage::Waiting(..) = http.stage {
                http.stage = Stage::Failed;
            }
        }
        for link in &mut self.links {
            if link.server.take().is_some() {
                link.down.clear();
                link.down.push_back(Down::Closed);
            }
        }
    }

    pub(super) fn server_emit(&mut self, which: usize, asks: bool) {
        if self.joined.is_empty() {
            return;
        }
        let index = which % self.joined.len();
        let joined = &mut self.joined[index];
        let value = (joined.id.clone(), joined.emitted);
        let name = NAMESPACES[joined.namespace];
        let ack = AckId::new(self.next_ack).filter(|_| asks);
        let message = Message::event(&mut self.encoder, name, "down", &value, ack);
        let message = message.expect("it can be encoded");
        let Some(mut socket) = self.server.socket(joined.key) else { return };
        let result = match ack {
            None => socket.emit(message, Delivery::Reliable),
            Some(ack) => {
                self.next_ack += 1;
                let deadline = self.now + Duration::from_secs(5);
                socket.emit_with_ack(message, Delivery::Reliable, ack, deadline)
            }
        };
        if result.is_ok() {
            joined.emitted += 1;
            if let Some(ack) = ack {
                self.server_acks.insert(ack.get(), 0);
            }
        }
    }

    pub(super) fn server_disconnect(&mut self, which: usize, connection: bool) {
        if self.joined.is_empty() {
            return;
        }
        let joined = &self.joined[which % self.joined.len()];
        let Some(socket) = self.server.socket(joined.key) else { return };
        match connection {
            true => socket.close_connection(self.now),
            false => socket.disconnect(&Message::disconnect(NAMESPACES[joined.namespace])),
        }
    }

    pub(super) fn decide(&mut self, accepts: bool) {
        if self.pending.is_empty() {
            return;
        }
        let (key, connection, id, namespace) = self.pending.remove(0);
        let name = NAMESPACES[namespace];
        if !accepts {
            let error = Message::connect_error(&mut self.encoder, name, "no", None::<&()>);
            // It may have left in the meantime.
            let _gone = self.server.reject_socket(key, &error.expect("it can be encoded"));
            return;
        }
        if self.server.accept_socket(key, &Message::connect(name, &id, None)).is_ok() {
            self.joined.push(Joined {
                connection,
                key,
                id,
                namespace,
                emitted: 0,
                received: None,
                repeated: 0,
            });
        }
    }

    /// The server's application takes what there is, and checks it.
    pub(super) fn serve(&mut self) {
        while self.server.poll_dirty().is_some() {}
        for connection in self.connections.clone() {
            while let Some(outcome) = self.server.poll_ack(connection) {
                let id = outcome.id.get();
                let count = self.server_acks.get_mut(&id).expect("it was asked for");
                *count += 1;
                assert_eq!(*count, 1, "two outcomes");
                if let Ok(args) = outcome.result {
                    assert_eq!(args.decode::<u64>().ok(), Some(id));
                }
            }
            while let Some(event) = self.server.poll_event(connection) {
                self.check_server_event(connection, event);
            }
        }
    }

    fn check_server_event(&mut self, connection: ConnectionKey, event: crate::Event) {
        match event {
            crate::Event::ConnectRequested(request) => {
                let name = request.packet.namespace();
                let namespace =
                    NAMESPACES.iter().position(|known| *known == name).expect("it is known");
                let told = if name == "/asked" { r#"{"t":1}"# } else { "" };
                assert_eq!(request.packet.payload(), told);
                let id = request.id.as_str().to_string();
                self.pending.push((request.socket, connection, id, namespace));
            }
            crate::Event::NamespaceRequested(_) => panic!("namespaces are not dynamic"),
            crate::Event::Received(received) => self.check_received(received),
            crate::Event::Disconnected(disconnected) => {
                self.joined.retain(|joined| joined.key != disconnected.socket);
            }
            crate::Event::RateExceeded(exceeded) => panic!("no rate is set: {exceeded:?}"),
            crate::Event::Violation(error) => panic!("the client broke the protocol: {error}"),
            crate::Event::Closed(_) => {
                self.connections.remove(&connection);
                self.joined.retain(|joined| joined.connection != connection);
            }
        }
    }

    fn check_received(&mut self, received: crate::Received) {
        let joined = self.joined.iter_mut().find(|joined| joined.key == received.socket);
        let joined = joined.expect("it has joined");
        let ack = received.ack();
        let name = received.packet.event_name().to_string();
        let args = received.packet.into_args(received.attachments);
        match &name[..] {
            "plain" => {
                let (number, _): (u64, serde::de::IgnoredAny) = args.decode().expect("ours");
                let is_next = joined.received.is_none_or(|last| number == last + 1);
                assert!(is_next, "{number} after {:?}", joined.received);
                joined.received = Some(number);
                assert!(self.arrived.insert((joined.namespace, number)), "{number} came twice");
            }
            "repeated" => {
                let number: u64 = args.decode().expect("ours");
                assert!(number >= joined.repeated, "out of order");
                joined.repeated = number;
                self.delivered.insert(number);
            }
            "ask" | "volatile" => {}
            other => panic!("unknown event {other}"),
        }
        if let Some(id) = ack {
            let name = NAMESPACES[joined.namespace];
            let message = Message::ack(&mut self.encoder, name, id, &id.get());
            // It may have been disconnected since.
            if let Some(mut socket) = self.server.socket(received.socket) {
                let _full = socket.acknowledge(message.expect("it can be encoded"));
            }
        }
    }

    // The end.

    /// The network heals, and everything comes to rest.
    pub(super) fn settle(&mut self) {
        for side in 0..NAMESPACES.len() {
            self.connect(side);
        }
        for _ in 0..3_000 {
            self.round();
            let connected = self.sides.iter().all(|side| side.connected.is_some());
            if connected && self.owed.is_empty() {
                break;
            }
            for side in 0..NAMESPACES.len() {
                self.connect(side);
            }
            self.advance(50);
        }
        assert!(self.owed.is_empty(), "without an outcome: {:?}", self.owed);
        for side in &self.sides {
            assert!(side.connected.is_some(), "it is not connected");
        }
        // What is emitted now arrives, everything, and in order.
        let before: Vec<_> = self.sides.iter().map(|side| side.emitted).collect();
        for side in 0..NAMESPACES.len() {
            for _ in 0..5 {
                self.emit(side, 10);
            }
        }
        for _ in 0..100 {
            self.round();
        }
        for (side, before) in before.into_iter().enumerate() {
            assert_eq!(self.sides[side].emitted, before + 5, "it was refused");
            for number in before..before + 5 {
                assert!(self.arrived.contains(&(side, number)), "{number} is lost");
            }
        }
        for side in &self.sides {
            let id = side.connected.as_ref().expect("it is connected");
            let joined = self.joined.iter().find(|joined| joined.id == *id);
            assert_eq!(side.received, joined.expect("it has joined").emitted, "lost downwards");
        }
        self.leave();
    }

    /// Everybody goes, and nothing may be left.
    fn leave(&mut self) {
        for side in &self.sides {
            self.client.socket(side.key).expect("it is there").remove(self.now);
        }
        for _ in 0..20 {
            self.round();
            self.take_events(usize::MAX);
        }
        assert!(self.client.is_at_rest());
        assert_eq!(self.client.poll_timeout(), None);
        assert_eq!(self.client.stats(), super::super::Stats::default());
        assert!(self.owed.is_empty());
        // Nothing was left in the server by a client that said goodbye; older sessions that were
        // cut off may linger until their heartbeat fails.
        for _ in 0..200 {
            self.round();
            self.advance(60_000);
        }
        assert_eq!(self.server.stats(), crate::Stats::default(), "left in the server");
        assert!(self.https.is_empty() && self.links.is_empty());
    }

    /// Everything gets as far as it can without time passing.
    fn round(&mut self) {
        for _ in 0..20 {
            self.flow();
        }
    }

    /// Everything gets a little further.
    pub(super) fn flow(&mut self) {
        self.drive();
        self.write(usize::MAX);
        for index in (0..self.https.len()).rev() {
            self.move_http(index);
        }
        for index in (0..self.links.len()).rev() {
            for up in [true, false] {
                for _ in 0..50 {
                    if index < self.links.len() {
                        self.move_link(index, up);
                    }
                }
            }
        }
        self.serve();
        while !self.pending.is_empty() {
            self.decide(true);
        }
        self.take_events(usize::MAX);
        for side in 0..NAMESPACES.len() {
            while !self.sides[side].questions.is_empty() {
                self.authenticate(side);
            }
        }
    }

    /// Everything gets a little further, but for WebSockets.
    pub(super) fn flow_by_polling(&mut self) {
        self.drive();
        for index in (0..self.https.len()).rev() {
            self.move_http(index);
        }
        self.serve();
        self.decide(true);
        self.take_events(usize::MAX);
    }

    pub(super) fn is_connected(&self) -> bool {
        self.sides[0].connected.is_some()
    }

    /// Both ends have got everything, on the connection that they have had all the time.
    pub(super) fn check_that_nothing_is_lost(&mut self) {
        let id = self.sides[0].connected.clone();
        for _ in 0..10 {
            self.round();
        }
        assert!(self.client.transport() == Some(crate::Transport::WebSocket), "no upgrade");
        assert_eq!(self.sides[0].connected, id, "it is another connection");
        assert!((0..self.sides[0].emitted).all(|number| self.arrived.contains(&(0, number))));
        assert_eq!(self.sides[0].received, self.joined[0].emitted);
    }

    /// What must hold at any time.
    pub(super) fn check(&self) {
        let (stats, limits) = (self.client.stats(), &self.client.config().limits);
        assert!(stats.buffered_packets <= limits.buffered_packets);
        assert!(stats.outbox_bytes <= 2 * limits.outbox_bytes + limits.buffered_bytes + 1_000);
        assert!(stats.sessions <= 5);
        assert!(stats.pending_acks <= 2 * limits.pending_acks + limits.buffered_packets);
        for joined in &self.joined {
            assert!(self.connections.contains(&joined.connection));
        }
    }

    pub(super) fn trace(&self) -> String {
        format!("{:?} {:?} {:?}", self.now, self.client.stats(), self.server.stats())
    }
}

fn server(seed: u8) -> Server {
    let config = crate::Config {
        ping_interval: Duration::from_secs(3),
        ping_timeout: Duration::from_secs(2),
        upgrade_timeout: Duration::from_secs(3),
        limits: crate::Limits { max_payload: 200, ..crate::Limits::default() },
        ..crate::Config::default()
    };
    let mut server = Server::new(config, [seed; 32]);
    server.create_namespace("/asked");
    server
}

fn sid(target: &str) -> Option<&str> {
    target.split_once("sid=").map(|(_, sid)| sid)
}

fn route(target: &str, method: Method, upgrade: bool) -> Result<Route, crate::Refusal> {
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let request = http::Request { method, query, origin: None, upgrade };
    http::route(&crate::Config::default(), &request)
}

/// What the server's driver does with a request.
fn serve(
    server: &mut Server,
    now: Timestamp,
    http: &Http,
    connections: &mut BTreeSet<ConnectionKey>,
) -> Stage {
    let refuse = |refusal: crate::Refusal| {
        Stage::Answered(refusal.status(), Bytes::from(refusal.body(None)))
    };
    let route = match route(&http.target, http.method, false) {
        Ok(route) => route,
        Err(refusal) => panic!("{}: {refusal}", http.target),
    };
    let connection = match route {
        Route::Handshake { .. } => server.open_polling(now).map(|opened| opened.connection),
        Route::Poll(_) | Route::Post(_) | Route::Upgrade(_) | Route::Refuse { .. } => {
            server.find(&route)
        }
    };
    let connection = match connection {
        Ok(connection) => connection,
        Err(refusal) => return refuse(refusal),
    };
    connections.insert(connection);
    if http.method == Method::Get {
        return match server.begin_poll(connection) {
            Ok(poll) => Stage::Waiting(connection, poll),
            Err(refusal) => refuse(refusal),
        };
    }
    let post = match server.begin_post(connection) {
        Ok(post) => post,
        Err(refusal) => return refuse(refusal),
    };
    let limits = server.config().limits.clone();
    assert!(http.body.len() <= limits.max_payload, "a body of {} bytes", http.body.len());
    let packets = payload::decode(http.body.clone(), &limits);
    match server.handle_post(now, connection, post, packets) {
        Ok(()) => Stage::Answered(200, Bytes::from_static(b"ok")),
        Err(_) => Stage::Failed,
    }
}

/// What the server's driver does with a WebSocket.
fn accept(
    server: &mut Server,
    now: Timestamp,
    target: &str,
) -> Option<(ConnectionKey, TransportKey)> {
    let route = route(target, Method::Get, true).expect("the client asks for what there is");
    match route {
        Route::Handshake { .. } => {
            let (opened, transport) = server.open_websocket(now).ok()?;
            Some((opened.connection, transport))
        }
        Route::Upgrade(_) => {
            let connection = server.find(&route).ok()?;
            Some((connection, server.begin_upgrade(now, connection)?))
        }
        Route::Poll(_) | Route::Post(_) | Route::Refuse { .. } => None,
    }
}
