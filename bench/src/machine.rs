//! A server in memory with its clients, driven by the public interface of the core in the order in
//! which the driver calls it, so that what is measured is what a driver would cause.

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use sansocket_core::codec::engine::decode_text;
use sansocket_core::{
    BroadcastReport, Config, ConnectionKey, Delivery, Encoder, Event, Limits, Message,
    NamespaceKey, Output, Received, Server, SocketKey, Target, Timestamp, TransportKey,
};

/// A server, and what a driver keeps beside it.
pub struct Machine {
    /// The server.
    pub server: Server,
    /// The time.
    pub now: Timestamp,
    encoder: Encoder,
    namespace: NamespaceKey,
    limits: Limits,
}

/// A client on a WebSocket that has joined the namespace `/`.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// Its connection.
    pub connection: ConnectionKey,
    /// Its WebSocket.
    pub transport: TransportKey,
    /// Its socket.
    pub socket: SocketKey,
}

impl Default for Machine {
    fn default() -> Self {
        Self::new()
    }
}

impl Machine {
    /// One without clients, with every setting at its default.
    pub fn new() -> Self {
        let config = Config::default();
        let limits = config.limits.clone();
        // Figures are compared between runs, so every run draws the same ids.
        let mut server = Server::new(config, [7; 32]);
        let namespace = server.create_namespace("/");
        Self { server, now: Timestamp::ZERO, encoder: Encoder::new(), namespace, limits }
    }

    /// One with so many clients.
    pub fn with_clients(count: usize) -> (Self, Vec<Client>) {
        let mut machine = Self::new();
        let clients = (0..count).map(|_| machine.connect()).collect();
        (machine, clients)
    }

    /// A WebSocket is opened, and its open packet sent. No namespace is joined.
    pub fn open(&mut self) -> (ConnectionKey, TransportKey) {
        let (opened, transport) = self.server.open_websocket(self.now).expect("below the limit");
        self.drain_dirty();
        self.send(opened.connection, transport);
        (opened.connection, transport)
    }

    /// A WebSocket is opened, and its client asks to join `/` and is let in.
    pub fn connect(&mut self) -> Client {
        let (connection, transport) = self.open();
        self.receive(connection, transport, Bytes::from_static(b"40"));
        let Some(Event::ConnectRequested(request)) = self.server.poll_event(connection) else {
            panic!("no request")
        };
        let welcome = Message::connect("/", request.id.as_str(), None);
        self.server.accept_socket(request.socket, &welcome).expect("it is pending");
        self.drain_dirty();
        self.send(connection, transport);
        Client { connection, transport, socket: request.socket }
    }

    /// A client's WebSocket is closed, and the application told.
    pub fn disconnect(&mut self, client: Client) {
        self.server.handle_websocket_closed(client.connection, client.transport, true);
        self.drain_dirty();
        while let Some(event) = self.server.poll_event(client.connection) {
            black_box(event);
        }
    }

    /// A packet comes on a WebSocket, as the text that its decoder has given.
    pub fn receive(&mut self, connection: ConnectionKey, transport: TransportKey, text: Bytes) {
        let packet = decode_text(text, &self.limits);
        self.server.handle_packet(self.now, connection, transport, packet);
        self.drain_dirty();
    }

    /// The event that a client has just emitted.
    pub fn event(&mut self, client: Client) -> Received {
        match self.server.poll_event(client.connection) {
            Some(Event::Received(received)) => received,
            other => panic!("no event but {other:?}"),
        }
    }

    /// What became dirty, each looked at as the driver does to find out whom to wake. How many
    /// there were.
    pub fn drain_dirty(&mut self) -> usize {
        let mut count = 0;
        while let Some(key) = self.server.poll_dirty() {
            black_box(self.server.wants(key));
            count += 1;
        }
        black_box(self.server.poll_timeout());
        count
    }

    /// Takes what is to be sent on a WebSocket. How many frames that is.
    pub fn send(&mut self, connection: ConnectionKey, transport: TransportKey) -> usize {
        let mut frames = 0;
        while let Some(Output::Message(message)) = self.server.poll_output(connection, transport) {
            message.into_websocket(|frame| {
                black_box(frame);
                frames += 1;
            });
        }
        frames
    }

    /// Encodes an event with one text as its argument.
    pub fn message(&mut self, text: &str) -> Message {
        Message::event(&mut self.encoder, "/", "message", text, None).expect("text can be encoded")
    }

    /// Answers an event by its own argument.
    pub fn acknowledge(&mut self, client: Client) {
        let received = self.event(client);
        let id = received.ack().expect("it asks for one");
        let text: String =
            received.packet.into_args(received.attachments).decode().expect("it is a text");
        let message = Message::ack(&mut self.encoder, "/", id, &text).expect("text can be encoded");
        let mut socket = self.server.socket(client.socket).expect("it is connected");
        socket.acknowledge(message).expect("there is room");
        self.drain_dirty();
    }

    /// Emits an event to one client.
    pub fn emit(&mut self, client: Client, text: &str) {
        let message = self.message(text);
        let mut socket = self.server.socket(client.socket).expect("it is connected");
        socket.emit(message, Delivery::Reliable).expect("there is room");
        self.drain_dirty();
        self.send(client.connection, client.transport);
    }

    /// Queues a message for all whom `target` means, and has it sent to `members`, who are they.
    pub fn broadcast(
        &mut self,
        target: &Target,
        message: &Message,
        members: &[Client],
    ) -> BroadcastReport {
        let mut recipients = self.server.recipients(self.namespace, target);
        while !recipients.is_done() {
            self.server.deliver(&mut recipients, message, Delivery::Reliable, MEMBERS_PER_HOLD);
            self.drain_dirty();
        }
        for client in members {
            self.send(client.connection, client.transport);
        }
        recipients.report()
    }

    /// Joins a room.
    pub fn join(&mut self, client: Client, room: &str) {
        let mut socket = self.server.socket(client.socket).expect("it is connected");
        assert!(socket.join(room), "it was in {room} before");
    }

    /// Leaves a room.
    pub fn leave(&mut self, client: Client, room: &str) {
        let mut socket = self.server.socket(client.socket).expect("it is connected");
        assert!(socket.leave(room), "it was not in {room}");
    }

    /// Lets time pass until something is due. How many connections have news then.
    pub fn pass_time(&mut self) -> usize {
        self.now = self.server.poll_timeout().unwrap_or(self.now);
        self.server.handle_timeout(self.now);
        self.drain_dirty()
    }

    /// Lets time pass without anything being due.
    pub fn advance(&mut self, duration: Duration) {
        self.now = self.now + duration;
    }
}

/// As many as the driver serves before it lets go of its lock.
const MEMBERS_PER_HOLD: usize = 4_096;
