//! A client whose driver and server the test plays. What it asks for and what it tells is shown as
//! text, so that a test reads as what happened on the wire.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;
use serde::Serialize;

use super::super::{
    AckOutcome, Auth, AuthRequest, Config, ConnectError, Event, Manager, Received, RequestKey,
    Socket, SocketConfig, Stats, WebSocketKey,
};
use crate::http::Method;
use crate::{AckId, Delivery, Encoder, Message, Output, SocketKey, Timestamp};

pub(super) const HANDSHAKE: &str =
    r#"0{"sid":"s","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":100}"#;
pub(super) const UPGRADABLE: &str =
    r#"0{"sid":"s","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000}"#;

pub(super) struct Wire {
    pub(super) client: Manager,
    pub(super) now: Timestamp,
    pub(super) root: SocketKey,
    encoder: Encoder,
    get: Option<RequestKey>,
    post: Option<RequestKey>,
    /// The WebSocket that was asked for last.
    pub(super) websocket: Option<WebSocketKey>,
    /// The questions of the client and the server's that are to be answered.
    pub(super) auth: Vec<AuthRequest>,
    pub(super) received: Vec<Received>,
}

impl Wire {
    /// A client of polling alone, with the namespace `/`.
    pub(super) fn polling() -> Self {
        Self::with(|config| config.upgrade = false)
    }

    /// A client of WebSocket alone.
    pub(super) fn websocket() -> Self {
        Self::with(|config| config.transports = alloc::vec![crate::Transport::WebSocket])
    }

    pub(super) fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::with_root(change, |_| {})
    }

    pub(super) fn with_root(
        change: impl FnOnce(&mut Config),
        change_root: impl FnOnce(&mut SocketConfig),
    ) -> Self {
        let mut config = Config::default();
        change(&mut config);
        let mut root_config = SocketConfig::default();
        change_root(&mut root_config);
        let mut client = Manager::new(config, [7; 32]);
        let root = client.namespace("/", root_config).expect("it may be added");
        Self {
            client,
            now: Timestamp::from_millis(1_000),
            root,
            encoder: Encoder::new(),
            get: None,
            post: None,
            websocket: None,
            auth: Vec::new(),
            received: Vec::new(),
        }
    }

    /// A polling client whose namespace `/` is connected; a GET is under way.
    pub(super) fn connected() -> Self {
        let mut wire = Self::polling();
        wire.connect(wire.root);
        wire.establish();
        wire
    }

    /// A WebSocket client whose namespace `/` is connected.
    pub(super) fn connected_websocket() -> Self {
        let mut wire = Self::websocket();
        wire.connect(wire.root);
        wire.establish_websocket();
        wire
    }

    /// Plays the whole opening by polling.
    pub(super) fn establish(&mut self) {
        assert_eq!(self.requests(), ["GET /socket.io/?EIO=4&transport=polling"]);
        self.answer(HANDSHAKE);
        self.requests();
        self.posted();
        self.answer(r#"40{"sid":"id"}"#);
        self.events();
        self.requests();
    }

    pub(super) fn establish_websocket(&mut self) {
        self.dial();
        self.text(HANDSHAKE);
        assert_eq!(self.output(), ["40"]);
        self.text(r#"40{"sid":"id"}"#);
        self.events();
    }

    pub(super) fn socket(&mut self, key: SocketKey) -> Socket<'_> {
        self.client.socket(key).expect("it is there")
    }

    pub(super) fn root(&mut self) -> Socket<'_> {
        self.socket(self.root)
    }

    pub(super) fn add(&mut self, name: &str) -> SocketKey {
        self.client.namespace(name, SocketConfig::default()).expect("it may be added")
    }

    pub(super) fn connect(&mut self, key: SocketKey) {
        let now = self.now;
        self.socket(key).connect(now);
    }

    pub(super) fn disconnect(&mut self, key: SocketKey) {
        let now = self.now;
        self.socket(key).disconnect(now);
    }

    pub(super) fn message(&mut self, name: &str, ack: Option<u64>) -> Message {
        let ack = ack.map(id);
        Message::event(&mut self.encoder, "/", name, &(), ack).expect("text can be encoded")
    }

    pub(super) fn message_of<T: Serialize>(&mut self, value: &T, ack: Option<u64>) -> Message {
        let ack = ack.map(id);
        Message::event(&mut self.encoder, "/", "a", value, ack).expect("it can be encoded")
    }

    /// Emits an event in `/`; the answer is `ok` or the error.
    pub(super) fn emit(&mut self, name: &str) -> String {
        self.emit_by(name, Delivery::Reliable)
    }

    pub(super) fn emit_by(&mut self, name: &str, delivery: Delivery) -> String {
        let (now, message) = (self.now, self.message(name, None));
        told(self.root().emit(now, message, delivery))
    }

    /// Emits with an acknowledgement that is due in so many milliseconds.
    pub(super) fn ask(&mut self, ack: u64, millis: Option<u64>) -> String {
        let (now, message) = (self.now, self.message("ask", Some(ack)));
        let deadline = millis.map(|millis| self.after(millis));
        told(self.root().emit_with_ack(now, message, Delivery::Reliable, id(ack), deadline))
    }

    pub(super) fn emit_at_least_once(&mut self, name: &str, ack: u64) -> String {
        let (now, message) = (self.now, self.message(name, Some(ack)));
        told(self.root().emit_at_least_once(now, message, id(ack)))
    }

    /// Answers the oldest event that asked for it.
    pub(super) fn acknowledge(&mut self) -> String {
        let token = self.received.remove(0).ack.expect("it asks for it");
        let message = Message::ack(&mut self.encoder, "/", token.id(), &"yes").expect("text");
        let now = self.now;
        told(self.root().acknowledge(now, token, message))
    }

    /// Answers the oldest question of what is to be told.
    pub(super) fn authenticate(&mut self, token: &str) -> bool {
        let request = self.auth.remove(0);
        let auth = Auth::encode(&[("token", token)].into_iter().collect::<Map<'_>>());
        let auth = auth.expect("an object can be encoded");
        self.socket(request.socket).authenticate(&request, &auth).is_ok()
    }

    /// The requests that the client makes: method and target, for a POST with its body.
    pub(super) fn requests(&mut self) -> Vec<String> {
        let mut found = Vec::new();
        while let Some(request) = self.client.poll_request() {
            let (key, target) = (request.key, request.target.clone());
            assert!(self.client.awaits(key));
            if request.method == Method::Get {
                assert!(self.get.replace(key).is_none_or(|get| !self.client.awaits(get)));
                found.push(format!("GET {target}"));
            } else {
                assert!(self.post.replace(key).is_none_or(|post| !self.client.awaits(post)));
                let body = String::from_utf8(request.into_body().to_vec()).expect("text");
                found.push(format!("POST {}", body.replace('\u{1e}', "|")));
            }
        }
        found
    }

    /// The GET is answered, the packets separated by `|`.
    pub(super) fn answer(&mut self, body: &str) {
        self.answer_with(200, body);
    }

    pub(super) fn answer_with(&mut self, status: u16, body: &str) {
        let key = self.get.take().expect("a GET is under way");
        let body = Bytes::from(body.replace('|', "\u{1e}"));
        self.client.handle_response(self.now, key, status, body);
    }

    /// The POST is answered.
    pub(super) fn posted(&mut self) {
        self.posted_with(200);
    }

    pub(super) fn posted_with(&mut self, status: u16) {
        let key = self.post.take().expect("a POST is under way");
        self.client.handle_response(self.now, key, status, Bytes::from_static(b"ok"));
    }

    pub(super) fn get_failed(&mut self) {
        let key = self.get.take().expect("a GET is under way");
        self.client.handle_request_failed(self.now, key);
    }

    /// The GET that is under way, which the test answers itself.
    pub(super) fn take_get(&mut self) -> RequestKey {
        self.get.take().expect("a GET is under way")
    }

    /// The client asks for a WebSocket, and it is opened.
    pub(super) fn dial(&mut self) -> String {
        let request = self.client.poll_websocket().expect("a WebSocket is asked for");
        assert!(self.client.poll_websocket().is_none());
        self.websocket = Some(request.key);
        self.client.handle_websocket_open(self.now, request.key);
        request.target
    }

    pub(super) fn key(&self) -> WebSocketKey {
        self.websocket.expect("a WebSocket was asked for")
    }

    pub(super) fn text(&mut self, text: &str) {
        let text = Bytes::from(text.to_string());
        self.client.handle_websocket_text(self.now, self.key(), text);
    }

    pub(super) fn binary(&mut self, data: &'static [u8]) {
        self.client.handle_websocket_binary(self.now, self.key(), Bytes::from_static(data));
    }

    /// What the client sends on its WebSocket. A close is carried out.
    pub(super) fn output(&mut self) -> Vec<String> {
        let mut found = Vec::new();
        while let Some(output) = self.client.poll_output(self.key()) {
            match output {
                Output::Message(message) => found.extend(message.frames().iter().map(|frame| {
                    if frame.is_binary() {
                        return format!("<{:?}>", frame.packet());
                    }
                    String::from_utf8(frame.packet().to_vec()).expect("text")
                })),
                Output::Close => {
                    found.push("(close)".to_string());
                    self.client.handle_websocket_closed(self.now, self.key());
                    break;
                }
            }
        }
        found
    }

    /// What the application learns.
    pub(super) fn events(&mut self) -> Vec<String> {
        let mut found = Vec::new();
        while let Some(event) = self.client.poll_event() {
            found.push(self.describe(event));
        }
        found
    }

    /// What became of acknowledgements.
    pub(super) fn acks(&mut self) -> Vec<String> {
        let mut found = Vec::new();
        while let Some(AckOutcome { id, result, .. }) = self.client.poll_ack() {
            found.push(match result {
                Ok(args) => format!("{id}: {args:?}"),
                Err(failure) => format!("{id}: {failure}"),
            });
        }
        found
    }

    fn describe(&mut self, event: Event) -> String {
        let name = |wire: &mut Self, socket| {
            let socket = wire.client.socket(socket);
            socket.and_then(|socket| socket.namespace()).unwrap_or_default()
        };
        match event {
            Event::Opened => "opened".to_string(),
            Event::Upgraded => "upgraded".to_string(),
            Event::Closed(reason) => format!("closed: {reason}"),
            Event::ReconnectAttempt { attempt } => format!("attempt {attempt}"),
            Event::ReconnectError(error) => format!("attempt failed: {error}"),
            Event::ReconnectFailed => "all attempts failed".to_string(),
            Event::Reconnected { attempts } => format!("reconnected: {attempts}"),
            Event::AuthRequested(request) => {
                let text = format!("auth? {}", name(self, request.socket));
                self.auth.push(request);
                text
            }
            Event::Connected(connected) => {
                let recovered = if connected.recovered { " recovered" } else { "" };
                format!("connected {} {}{recovered}", name(self, connected.socket), connected.id)
            }
            Event::ConnectError { socket, error } => {
                let data = if let ConnectError::Refused { data: Some(data), .. } = &error {
                    format!(" {data:?}")
                } else {
                    String::new()
                };
                format!("connect error {}: {error}{data}", name(self, socket))
            }
            Event::Disconnected { socket, reason } => {
                format!("disconnected {}: {reason}", name(self, socket))
            }
            Event::Discarded { socket, limit } => {
                format!("discarded {}: {limit}", name(self, socket))
            }
            Event::Received(received) => {
                let mut text = received.packet.payload().to_string();
                if let Some(token) = &received.ack {
                    text.push_str(&format!(" ack {}", token.id()));
                }
                for attachment in &received.attachments {
                    text.push_str(&format!(" <{:?}>", &attachment[..]));
                }
                self.received.push(received);
                text
            }
        }
    }

    pub(super) fn after(&self, millis: u64) -> Timestamp {
        self.now + Duration::from_millis(millis)
    }

    /// Lets time pass, doing what is due on the way.
    pub(super) fn advance(&mut self, millis: u64) {
        let target = self.after(millis);
        while let Some(due) = self.client.poll_timeout().filter(|due| *due <= target) {
            self.now = self.now.max(due);
            self.client.handle_timeout(self.now);
            assert!(self.client.poll_timeout().is_none_or(|next| next > self.now));
        }
        self.now = target;
    }

    /// Lets time pass until something happens, in milliseconds.
    pub(super) fn sleep(&mut self) -> u64 {
        let due = self.client.poll_timeout().expect("something is due");
        let millis = due.saturating_duration_since(self.now).as_millis() as u64 + 1;
        self.advance(millis);
        millis
    }

    /// The application lets everything go, and nothing may be left.
    pub(super) fn finish(mut self) {
        let keys: Vec<_> = self.client.sockets.keys().collect();
        for key in keys {
            if let Some(socket) = self.client.socket(key) {
                socket.remove(self.now);
            }
        }
        self.advance(60_000);
        self.events();
        self.acks();
        assert!(self.client.is_at_rest());
        assert_eq!(self.client.stats(), Stats::default());
        assert_eq!(self.client.poll_timeout(), None);
    }
}

type Map<'a> = alloc::collections::BTreeMap<&'a str, &'a str>;

fn id(ack: u64) -> AckId {
    AckId::new(ack).expect("small")
}

fn told<E: ToString>(result: Result<(), E>) -> String {
    match result {
        Ok(()) => "ok".to_string(),
        Err(error) => error.to_string(),
    }
}
