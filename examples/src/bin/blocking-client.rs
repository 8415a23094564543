//! The simplest driver of `sansocket_core::client::Manager`: blocking sockets, threads and channels.
//!
//! It shows how a client's core is driven, in the steps that the documentation of
//! `sansocket_core::client` counts, with nothing else in the way: no async runtime, no HTTP library,
//! no long-polling, no TLS. A line that is typed goes to the server as an event `chat message`; each
//! event that comes is printed as JSON. What is typed while there is no connection waits for the next.
//!
//! ```text
//!  a reader for each WebSocket --- Input --->  main thread  --- bytes --->  a writer for each
//!                              <-- permit ---  owns the     <--- Input ---
//!  who reads the standard input -- Input --->  Manager
//! ```
//!
//! `blocking-client [HOST:PORT]`, which is `127.0.0.1:3000` unless told. Environment:
//! `RECONNECTION_DELAY_MS`.

use std::collections::HashMap;
use std::error::Error;
use std::io::{self, BufRead, Write};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use sansocket_core::client::{Config, Event, Manager, SocketConfig, WebSocketKey};
use sansocket_core::codec::websocket::{self, Opcode};
use sansocket_core::{Delivery, Encoder, Message, Output, SocketKey, Timestamp, Transport};

use dial::{Link, Received, masked};

#[path = "../blocking/dial.rs"]
mod dial;

/// The most that a writer gets at a time, give or take a message.
const WRITE_BYTES: usize = 64 << 10;

/// What the other threads tell the main thread.
enum Input {
    /// A WebSocket is open.
    Opened(WebSocketKey, Link),
    /// A WebSocket could not be opened.
    Failed(WebSocketKey, io::Error),
    /// A read is over.
    Received(WebSocketKey, Received),
    /// A write is over.
    Written(WebSocketKey),
    /// A line was typed.
    Line(String),
    /// No more will be.
    NoMoreLines,
}

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let mut config = Config::default();
    config.transports = vec![Transport::WebSocket];
    if let Ok(millis) = std::env::var("RECONNECTION_DELAY_MS") {
        config.reconnection_delay = Duration::from_millis(millis.parse()?);
    }
    // It spreads the delays of reconnections.
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    let mut manager = Manager::new(config, seed);
    let root = manager.namespace("/", SocketConfig::default())?;

    let (inputs, input) = mpsc::channel();
    let lines = inputs.clone();
    thread::spawn(move || read_lines(&lines));
    Client { manager, root, links: HashMap::new(), address, inputs, has_ended: false }.run(&input)
}

struct Client {
    manager: Manager,
    root: SocketKey,
    /// The WebSockets that are open.
    links: HashMap<WebSocketKey, Link>,
    address: String,
    /// For the threads to come.
    inputs: Sender<Input>,
    /// Whether there is nothing more to be said.
    has_ended: bool,
}

impl Client {
    /// The run loop.
    fn run(mut self, input: &Receiver<Input>) -> Result<(), Box<dyn Error>> {
        let started = Instant::now();
        let now = || Timestamp::ZERO + started.elapsed();
        if let Some(mut socket) = self.manager.socket(self.root) {
            socket.connect(now());
        }
        loop {
            // Step 3: take what happened.
            while self.manager.poll_ack().is_some() {}
            while let Some(event) = self.manager.poll_event() {
                tell(&event)?;
            }
            self.leave_if_done(now());
            // Step 4 is for long-polling. Step 5: open WebSockets, and serve those that are open.
            while let Some(request) = self.manager.poll_websocket() {
                dial::spawn(&self.address, request, self.manager.config(), &self.inputs)?;
            }
            let manager = &mut self.manager;
            self.links.retain(|key, link| link.visit(manager, now(), *key));
            if self.has_ended && self.links.is_empty() && self.manager.is_at_rest() {
                break;
            }
            // Step 7: wait for input, but no longer than until the next deadline.
            let next = match self.manager.poll_timeout() {
                Some(at) => input.recv_timeout(at.saturating_duration_since(now())).ok(),
                None => Some(input.recv()?),
            };
            // Steps 1 and 2: tell the client what has come, and the time.
            if let Some(next) = next {
                self.handle(now(), next)?;
            }
            self.manager.handle_timeout(now());
        }
        // The threads of the last WebSocket are still saying goodbye. With the last of them the
        // channel ends.
        drop(self);
        while input.recv().is_ok() {}
        Ok(())
    }

    fn handle(&mut self, now: Timestamp, input: Input) -> Result<(), Box<dyn Error>> {
        match input {
            Input::Opened(key, link) => {
                self.links.insert(key, link);
                self.manager.handle_websocket_open(now, key);
            }
            Input::Failed(key, error) => {
                writeln!(io::stderr(), "{}: {error}", self.address)?;
                self.manager.handle_websocket_failed(now, key);
            }
            Input::Received(key, received) => {
                if let Some(link) = self.links.get_mut(&key) {
                    link.receive(&mut self.manager, now, key, received);
                }
            }
            Input::Written(key) => {
                if let Some(link) = self.links.get_mut(&key) {
                    link.is_writing = false;
                }
            }
            Input::Line(line) => {
                let message = Message::event(&mut Encoder::new(), "/", "chat message", &line, None);
                if let Some(mut socket) = self.manager.socket(self.root)
                    && let Err(error) = socket.emit(now, message?, Delivery::Reliable)
                {
                    writeln!(io::stderr(), "not sent: {error}")?;
                }
            }
            Input::NoMoreLines => self.has_ended = true,
        }
        Ok(())
    }

    /// Leaves as soon as everything was sent.
    fn leave_if_done(&mut self, now: Timestamp) {
        let nothing_waits = self.manager.stats().buffered_packets == 0;
        if self.has_ended
            && nothing_waits
            && let Some(socket) = self.manager.socket(self.root)
            && (socket.is_connected() || !socket.is_active())
        {
            self.manager.close(now);
        }
    }
}

impl Link {
    /// Step 1, for what a reader has sent.
    fn receive(
        &mut self,
        manager: &mut Manager,
        now: Timestamp,
        key: WebSocketKey,
        received: Received,
    ) {
        self.reader_waits = received.end.is_none();
        for message in received.messages {
            match message {
                websocket::Message::Text(text) => manager.handle_websocket_text(now, key, text),
                websocket::Message::Binary(data) => manager.handle_websocket_binary(now, key, data),
                websocket::Message::Ping(data) => self.urgent = masked(Opcode::Pong, &data),
                websocket::Message::Pong(_) | websocket::Message::Close(_) => {}
            }
        }
        match received.end {
            Some(end) if end.is_clean => manager.handle_websocket_closed(now, key),
            Some(_) => manager.handle_websocket_failed(now, key),
            None => {}
        }
    }

    /// Steps 5 and 6: hands on what is to be sent, no more than can be written soon, and lets the
    /// reader go on. Whether the WebSocket stays open.
    fn visit(&mut self, manager: &mut Manager, now: Timestamp, key: WebSocketKey) -> bool {
        let mut is_open = true;
        if !self.is_writing {
            let mut bytes = std::mem::take(&mut self.urgent);
            while is_open && bytes.len() < WRITE_BYTES {
                match manager.poll_output(key) {
                    Some(Output::Message(message)) => {
                        for frame in message.frames() {
                            let is_binary = frame.is_binary();
                            let opcode = if is_binary { Opcode::Binary } else { Opcode::Text };
                            bytes.extend(masked(opcode, frame.packet()));
                        }
                    }
                    Some(Output::Close) => {
                        bytes.extend(masked(Opcode::Close, &[]));
                        is_open = false;
                        manager.handle_websocket_closed(now, key);
                    }
                    None => break,
                }
            }
            if !bytes.is_empty() {
                self.is_writing = self.output.send(bytes).is_ok();
            }
        }
        if is_open && self.reader_waits && manager.wants_input() {
            self.reader_waits = self.permits.send(()).is_err();
        }
        is_open
    }
}

/// What the person at the keyboard learns.
fn tell(event: &Event) -> io::Result<()> {
    match event {
        Event::Received(received) => writeln!(io::stdout(), "{}", received.packet.payload()),
        Event::Connected(connected) => writeln!(io::stderr(), "connected as {}", connected.id),
        Event::ConnectError { error, .. } => writeln!(io::stderr(), "not connected: {error}"),
        Event::Disconnected { reason, .. } => writeln!(io::stderr(), "disconnected: {reason}"),
        Event::Discarded { limit, .. } => writeln!(io::stderr(), "longer than {limit} bytes"),
        Event::Opened
        | Event::Upgraded
        | Event::Closed(_)
        | Event::ReconnectAttempt { .. }
        | Event::ReconnectError(_)
        | Event::ReconnectFailed
        | Event::Reconnected { .. }
        | Event::AuthRequested(_) => Ok(()),
        // A later version of the core may tell more.
        _ => Ok(()),
    }
}

fn read_lines(inputs: &Sender<Input>) {
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        drop(inputs.send(Input::Line(line)));
    }
    drop(inputs.send(Input::NoMoreLines));
}
