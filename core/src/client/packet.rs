//! What a Socket.IO packet does (protocol 5, "Packet types").

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::Bytes;
use serde::Deserialize;

use crate::codec::args::Raw;
use crate::codec::message::{Frame, Message};
use crate::codec::parser::{Complete, encode_for};
use crate::codec::socket::{Packet, PacketKind};
use crate::reassembly::Reassembly;
use crate::{SocketKey, Timestamp};

use super::Manager;
use super::config::{Auth, AuthSource};
use super::engine::Engine;
use super::event::{
    AckFailure, AckOutcome, AckToken, AuthRequest, ConnectError, Connected, DisconnectReason,
    Event, Received,
};
use super::socket::{Buffered, Early, Recovery, SocketState, Standing};

/// Bytes of an offset. What is longer is an argument of the application.
const OFFSET_BYTES_MAX: usize = 128;
/// Bytes of the secret that a recovery needs. A longer one is not kept: it would be sent with each
/// connect.
const PID_BYTES_MAX: usize = 512;

/// The server's confirmation.
#[derive(Deserialize)]
struct Confirmation {
    sid: String,
    #[serde(default)]
    pid: Option<String>,
}

/// The server's refusal: an object, or in older protocols a string.
#[derive(Deserialize)]
#[serde(untagged)]
enum RefusalMessage {
    Object { message: String },
    Text(String),
}

/// What the application has added to a refusal. Apart from the message, because what is decoded
/// without a type in advance cannot stay undecoded.
#[derive(Deserialize)]
struct RefusalData {
    data: Option<Raw>,
}

impl Manager {
    /// The connection is open: a namespace that waits for it is to be connected.
    pub(super) fn join(&mut self, key: SocketKey) {
        let Some(socket) = self.sockets.get_mut(key) else { return };
        if socket.standing != Standing::Waiting {
            return;
        }
        socket.session = socket.session.wrapping_add(1);
        socket.await_answer(self.now);
        match &socket.config.auth {
            AuthSource::Value(auth) => {
                let auth = auth.clone();
                self.request_connect(key, &auth);
            }
            AuthSource::Ask => {
                socket.standing = Standing::AuthAsked;
                let request = AuthRequest { socket: key, session: socket.session };
                self.inbox.push(Event::AuthRequested(request));
            }
        }
    }

    /// Asks the server to connect a namespace.
    pub(super) fn request_connect(&mut self, key: SocketKey, auth: &Auth) {
        let (Some(socket), Some(engine)) = (self.sockets.get_mut(key), &mut self.engine) else {
            return;
        };
        let parser = self.config.parser.as_ref();
        // One that has no form is not sent, and so not answered: that fails after a while.
        if let Ok(request) = encode_for(parser, connect_request(socket, auth)) {
            engine.push_control(&request);
        }
        socket.takes_early = socket.epoch != Some(engine.epoch());
        socket.standing = Standing::Requested;
    }

    pub(super) fn handle_packet(&mut self, now: Timestamp, packet: Packet) {
        if self.reassembly.is_some() {
            return self.handle_violation();
        }
        if packet.attachments > 0 {
            let deadline = now + self.config.limits.attachments_timeout;
            self.reassembly = Some(Reassembly::new(packet, deadline));
            return;
        }
        self.dispatch(now, packet, Vec::new());
    }

    /// A packet whose attachments have come with it.
    pub(super) fn handle_complete_packet(&mut self, now: Timestamp, complete: Complete) {
        if self.reassembly.is_some() {
            return self.handle_violation();
        }
        self.dispatch(now, complete.packet, complete.attachments);
    }

    pub(super) fn handle_attachment(&mut self, now: Timestamp, data: Bytes) {
        let Some(mut reassembly) = self.reassembly.take() else { return self.handle_violation() };
        match reassembly.push(data, self.config.limits.message_bytes) {
            Ok(true) => {
                let (packet, attachments) = reassembly.into_parts();
                self.dispatch(now, packet, attachments);
            }
            Ok(false) => self.reassembly = Some(reassembly),
            Err(_) => self.handle_violation(),
        }
    }

    /// A packet for a namespace that is not, or not any more, connected is ignored: it may have been
    /// under way.
    fn dispatch(&mut self, now: Timestamp, packet: Packet, attachments: Vec<Bytes>) {
        let Some(key) = self.names.get(packet.namespace()).copied() else { return };
        match packet.kind {
            PacketKind::Connect => self.handle_connect(now, key, &packet),
            PacketKind::ConnectError => self.handle_connect_error(now, key, packet),
            PacketKind::Event => self.handle_event(key, packet, attachments),
            PacketKind::Ack => self.handle_ack(now, key, packet, attachments),
            PacketKind::Disconnect => self.handle_disconnect(now, key),
        }
    }

    fn handle_connect(&mut self, now: Timestamp, key: SocketKey, packet: &Packet) {
        let Some(socket) = self.sockets.get_mut(key) else { return };
        let epoch = self.engine.as_ref().map(Engine::epoch);
        match socket.standing {
            Standing::Requested => socket.epoch = epoch,
            Standing::Leaving { again } => {
                socket.epoch = epoch;
                let disconnect = Message::disconnect(&socket.namespace);
                let disconnect = encode_for(self.config.parser.as_ref(), disconnect);
                // What it recovered was dropped, so it must not be recovered once more.
                socket.recovery = None;
                if let (Some(engine), Ok(disconnect)) = (&mut self.engine, disconnect) {
                    engine.push_control(&disconnect);
                }
                return self.leave(key, again);
            }
            Standing::Idle
            | Standing::Waiting
            | Standing::AuthAsked
            | Standing::Connected { .. } => return,
        }
        let Ok(confirmation) = serde_json::from_str::<Confirmation>(packet.payload()) else {
            return self.refuse(now, key, ConnectError::UnsupportedProtocol);
        };
        let id: Arc<str> = Arc::from(confirmation.sid);
        let before = socket.recovery.take();
        let pid = confirmation.pid.filter(|pid| pid.len() <= PID_BYTES_MAX);
        let pid = pid.map(String::into_boxed_str);
        let recovered =
            before.as_ref().map(|recovery| &recovery.pid) == pid.as_ref() && pid.is_some();
        let offset = before.filter(|_| recovered).and_then(|recovery| recovery.offset);
        socket.recovery = pid.map(|pid| Recovery { pid, offset });
        socket.standing = Standing::Connected { id: Arc::clone(&id) };
        self.inbox.push(Event::Connected(Connected { socket: key, id, recovered }));
        for event in socket.early.take() {
            socket.note_offset(&event);
            self.inbox.push(Event::Received(event));
        }
        self.flush_buffer(key);
        self.drain_queue(now, key);
    }

    fn handle_connect_error(&mut self, now: Timestamp, key: SocketKey, packet: Packet) {
        let Some(socket) = self.sockets.get_mut(key) else { return };
        match socket.standing {
            Standing::Requested => {}
            Standing::Leaving { again } => return self.leave(key, again),
            Standing::Idle
            | Standing::Waiting
            | Standing::AuthAsked
            | Standing::Connected { .. } => return,
        }
        let message = match serde_json::from_str(packet.payload()) {
            Ok(RefusalMessage::Object { message } | RefusalMessage::Text(message)) => message,
            Err(_) => String::new(),
        };
        let data = packet.into_raw().and_then(|raw| raw.decode::<RefusalData>().ok());
        let data = data.and_then(|refusal| refusal.data);
        self.refuse(now, key, ConnectError::Refused { message, data });
    }

    /// A CONNECT that is not wanted any more was answered; `again` where another one is.
    fn leave(&mut self, key: SocketKey, again: bool) {
        if let Some(socket) = self.sockets.get_mut(key) {
            socket.standing = if again { Standing::Waiting } else { Standing::Idle };
        }
        self.join(key);
        self.forget_if_removed(key);
    }

    /// A namespace is not connected, and is not to be any more.
    fn refuse(&mut self, now: Timestamp, key: SocketKey, error: ConnectError) {
        if let Some(socket) = self.sockets.get_mut(key) {
            socket.standing = Standing::Idle;
            socket.early.take();
        }
        self.inbox.push(Event::ConnectError { socket: key, error });
        self.close_if_unused(now);
    }

    fn handle_event(&mut self, key: SocketKey, packet: Packet, attachments: Vec<Bytes>) {
        let Some(socket) = self.sockets.get_mut(key) else { return };
        let ack = packet.ack.map(|id| AckToken { id, session: socket.session });
        let received = Received { socket: key, packet, attachments, ack };
        match socket.standing {
            Standing::Connected { .. } => {
                socket.note_offset(&received);
                self.inbox.push(Event::Received(received));
            }
            Standing::Requested if socket.takes_early => {
                socket.early.push(received);
                if self.has_too_much_early() {
                    self.handle_violation();
                }
            }
            Standing::Requested
            | Standing::Idle
            | Standing::Waiting
            | Standing::AuthAsked
            | Standing::Leaving { .. } => {}
        }
    }

    /// Whether events that came before their namespaces were confirmed have passed a limit, those of
    /// all namespaces together.
    fn has_too_much_early(&self) -> bool {
        let limits = &self.config.limits;
        let early = || self.sockets.values().map(|socket| &socket.early);
        early().map(Early::len).sum::<usize>() > limits.early_events
            || early().map(Early::bytes).sum::<usize>() > limits.early_bytes
    }

    fn handle_ack(
        &mut self,
        now: Timestamp,
        key: SocketKey,
        packet: Packet,
        attachments: Vec<Bytes>,
    ) {
        let Some(socket) = self.sockets.get_mut(key) else { return };
        // What waits in the buffer of a namespace that is not connected was not sent, so nobody can answer it.
        let Some(id) = packet.ack.filter(|_| socket.is_connected()) else { return };
        // Unknown and repeated acknowledgements are ignored, as in the reference.
        let from_queue = socket.queue.resolve(id);
        if from_queue.is_none() && !socket.acks.resolve(id) {
            return;
        }
        let result = Ok(packet.into_args(attachments));
        self.outcomes.push_back(AckOutcome { id, socket: key, result });
        if let Some(message) = from_queue {
            self.budget.give_back(&message);
            self.drain_queue(now, key);
        }
    }

    fn handle_disconnect(&mut self, now: Timestamp, key: SocketKey) {
        let Some(socket) = self.sockets.get_mut(key) else { return };
        if !socket.is_connected() {
            return;
        }
        socket.standing = Standing::Idle;
        let reason = DisconnectReason::IoServerDisconnect;
        self.inbox.push(Event::Disconnected { socket: key, reason });
        self.fail_sent(key, reason);
        self.close_if_unused(now);
    }

    /// Sends what has waited for the namespace.
    fn flush_buffer(&mut self, key: SocketKey) {
        let (Some(socket), Some(engine)) = (self.sockets.get_mut(key), &mut self.engine) else {
            return;
        };
        let mut failed = Vec::new();
        for Buffered { message, ack } in core::mem::take(&mut socket.buffer) {
            self.budget.give_back(&message);
            if let Some(id) = ack {
                socket.acks.mark_sent(id);
            }
            match engine.exceeded_by(&message) {
                None => engine.push_control(&message),
                Some(limit) => {
                    self.inbox.push(Event::Discarded { socket: key, limit });
                    let owed = ack.filter(|id| socket.acks.resolve(*id));
                    failed.extend(owed.map(|id| (id, limit)));
                }
            }
        }
        for (id, limit) in failed {
            self.push_failure(key, id, AckFailure::TooLarge { limit });
        }
    }

    /// Sends the first message of a queue, unless it is under way.
    pub(super) fn drain_queue(&mut self, now: Timestamp, key: SocketKey) {
        let mut failed = Vec::new();
        if let (Some(socket), Some(engine)) = (self.sockets.get_mut(key), &mut self.engine)
            && socket.is_connected()
        {
            while let Some(message) = socket.queue.start(now, socket.config.ack_timeout) {
                let Some(limit) = engine.exceeded_by(&message) else {
                    if !engine.push(&message, self.config.limits.outbox_bytes) {
                        socket.queue.postpone();
                    }
                    break;
                };
                self.budget.give_back(&message);
                self.inbox.push(Event::Discarded { socket: key, limit });
                failed.extend(socket.queue.discard().map(|(id, _)| (id, limit)));
            }
        }
        for (id, limit) in failed {
            self.push_failure(key, id, AckFailure::TooLarge { limit });
        }
    }
}

impl SocketState {
    /// Keeps the offset that a server which can recover connections adds to its events. A string
    /// that the application sent cannot be told from one; an event that asks for an acknowledgement
    /// has none.
    fn note_offset(&mut self, received: &Received) {
        let Some(recovery) = self.recovery.as_mut().filter(|_| received.ack.is_none()) else {
            return;
        };
        let args = received.packet.clone().into_args(received.attachments.clone());
        let last = args.iter().last().filter(|last| last.as_str().starts_with('"'));
        let offset = last.and_then(|last| last.decode::<String>().ok());
        if let Some(offset) = offset.filter(|offset| offset.len() <= OFFSET_BYTES_MAX) {
            recovery.offset = Some(Box::from(offset));
        }
    }
}

/// The CONNECT packet. What the server needs for a recovery stands behind what the application
/// tells, because of two keys of the same name the last counts.
fn connect_request(socket: &SocketState, auth: &Auth) -> Message {
    let namespace = match &*socket.namespace {
        "/" => String::new(),
        name => format!("{name},"),
    };
    let Some(recovery) = &socket.recovery else {
        let auth = auth.json().unwrap_or_default();
        return Message::from(Frame::text(&format!("40{namespace}{auth}")));
    };
    let quoted = |text: &str| serde_json::to_string(text).unwrap_or_default();
    let mut fields = format!(r#""pid":{}"#, quoted(&recovery.pid));
    if let Some(offset) = &recovery.offset {
        fields.push_str(&format!(r#","offset":{}"#, quoted(offset)));
    }
    let object = match auth.json().and_then(|json| json.strip_suffix('}')) {
        None => format!("{{{fields}}}"),
        Some("{") => format!("{{{fields}}}"),
        Some(rest) => format!("{rest},{fields}}}"),
    };
    Message::from(Frame::text(&format!("40{namespace}{object}")))
}
