//! The simplest driver of `sansocket_core::Server`: blocking sockets, threads and channels.
//!
//! It shows how the core is driven, in the steps that the documentation of `sansocket_core` counts,
//! with nothing else in the way: no async runtime, no HTTP library, no long-polling. So clients
//! must ask for `transports: ["websocket"]`.
//!
//! ```text
//!  reader threads --- Input ---->  main thread   --- bytes ----> writer threads
//!  read, decode   <-- permit ----  owns the      <-- Input -----  write
//!                                  Server
//! ```
//!
//! Every queue between them is short: a reader that has sent something waits for the permit to go
//! on, and a writer gets more only when it has written what it had.
//!
//! Environment: `PORT` (3000; 0 picks a free one), `PING_INTERVAL_MS` and `PING_TIMEOUT_MS`.

use std::collections::HashMap;
use std::error::Error;
use std::io::{self, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sansocket_core::codec::websocket;
use sansocket_core::{
    Config, ConnectionKey, Encoder, Output, Refusal, Server, Timestamp, TransportKey, Transports,
};

use connection::{End, Received};

#[path = "../blocking/application.rs"]
mod application;
#[path = "../blocking/connection.rs"]
mod connection;
#[path = "../blocking/handshake.rs"]
mod handshake;

/// The most that a writer gets at a time, give or take a message. What stays in the server counts
/// towards the limit of the outbox.
const WRITE_BYTES: usize = 64 << 10;

/// What the other threads tell the main thread.
enum Input {
    /// A client has asked for a session. `response` accepts its WebSocket.
    Opened { response: String, admission: Sender<Result<Admission, Refusal>> },
    /// A read is over.
    Received(ConnectionKey, Received),
    /// A write is over.
    Written(ConnectionKey),
}

/// What the threads of a connection get.
struct Admission {
    connection: ConnectionKey,
    permits: Receiver<()>,
    output: Receiver<Vec<u8>>,
}

/// What the main thread knows of a connection. Dropping it ends the connection's threads.
struct Client {
    transport: TransportKey,
    /// Whether the reader waits for a permit.
    reader_waits: bool,
    permits: Sender<()>,
    /// Whether the writer is busy.
    is_writing: bool,
    output: Sender<Vec<u8>>,
    /// To be sent before anything else: the response to the handshake, later the answer to a
    /// WebSocket ping.
    urgent: Bytes,
    /// The close frame to send at the end.
    close: Bytes,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut config = Config::default();
    config.transports = Transports { polling: false, websocket: true };
    if let Ok(millis) = std::env::var("PING_INTERVAL_MS") {
        config.ping_interval = Duration::from_millis(millis.parse()?);
    }
    if let Ok(millis) = std::env::var("PING_TIMEOUT_MS") {
        config.ping_timeout = Duration::from_millis(millis.parse()?);
    }
    let port = std::env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    writeln!(io::stdout(), "listening on {}", listener.local_addr()?)?;

    // Session ids are made of this seed: whoever could guess it could take over sessions.
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    let server = Server::new(config.clone(), seed);
    let (input, inputs) = mpsc::channel();
    thread::spawn(move || connection::listen(&listener, &Arc::new(config), &input));
    run(server, &inputs);
    Ok(())
}

/// The run loop.
fn run(mut server: Server, inputs: &Receiver<Input>) {
    let started = Instant::now();
    let now = || Timestamp::ZERO + started.elapsed();
    let mut clients = HashMap::new();
    let mut encoder = Encoder::new();
    loop {
        // Step 7: wait for input, but no longer than until the server's next deadline.
        let input = match server.poll_timeout() {
            Some(deadline) => inputs.recv_timeout(deadline.saturating_duration_since(now())).ok(),
            None => inputs.recv().ok(),
        };
        // Step 1: tell the server what the network brought.
        let mut visited = None;
        match input {
            Some(Input::Opened { response, admission }) => match server.open_websocket(now()) {
                Ok((opened, transport)) => {
                    let connection = opened.connection;
                    let (permits, permitted) = mpsc::channel();
                    let (output, to_write) = mpsc::channel();
                    clients.insert(
                        connection,
                        Client {
                            transport,
                            reader_waits: true,
                            permits,
                            is_writing: false,
                            output,
                            urgent: response.into(),
                            close: websocket::encode_close(None, ""),
                        },
                    );
                    let admitted = Admission { connection, permits: permitted, output: to_write };
                    drop(admission.send(Ok(admitted)));
                }
                Err(refusal) => drop(admission.send(Err(refusal))),
            },
            Some(Input::Received(connection, received)) => {
                if let Some(client) = clients.get_mut(&connection) {
                    client.receive(&mut server, now(), connection, received);
                }
                visited = Some(connection);
            }
            Some(Input::Written(connection)) => {
                if let Some(client) = clients.get_mut(&connection) {
                    client.is_writing = false;
                }
                visited = Some(connection);
            }
            None => {}
        }
        // Step 2: tell it the time. It does what is due by now.
        server.handle_timeout(now());
        // Step 3: visit the connections that have something to take, and the one whose reader or
        // writer has become free.
        while let Some(connection) = visited.take().or_else(|| server.poll_dirty()) {
            if let Some(client) = clients.get_mut(&connection)
                && client.visit(&mut server, &mut encoder, connection)
            {
                clients.remove(&connection);
            }
        }
    }
}

impl Client {
    /// Step 1, for what a reader has sent.
    fn receive(
        &mut self,
        server: &mut Server,
        now: Timestamp,
        connection: ConnectionKey,
        received: Received,
    ) {
        for packet in received.packets {
            server.handle_packet(now, connection, self.transport, packet);
        }
        if let Some(pong) = received.pong {
            self.urgent = pong;
        }
        self.reader_waits = received.end.is_none();
        if let Some(End { clean, code }) = received.end {
            self.close = websocket::encode_close(code, "");
            server.handle_websocket_closed(connection, self.transport, clean);
        }
    }

    /// Brings a connection forward as far as that is possible now. Whether it is over.
    fn visit(
        &mut self,
        server: &mut Server,
        encoder: &mut Encoder,
        connection: ConnectionKey,
    ) -> bool {
        let mut is_over = false;
        // A client that does not take its output is not served either: its events wait.
        if !self.is_writing {
            // Step 4: take what happened, and let the application act on it. This one asks for no
            // acknowledgements, so `poll_ack` has nothing for it.
            while server.poll_ack(connection).is_some() {}
            while let Some(event) = server.poll_event(connection) {
                application::handle_event(server, encoder, event);
            }
            is_over = self.write(server, connection);
        }
        // Step 6: read on only if the events do not pile up. TCP passes that on to the client.
        if self.reader_waits && server.wants_input(connection) {
            self.reader_waits = self.permits.send(()).is_err();
        }
        is_over
    }

    /// Step 5: take the output, no more than can be written soon. Whether it is the last.
    fn write(&mut self, server: &mut Server, connection: ConnectionKey) -> bool {
        let mut is_over = false;
        let mut bytes = Vec::from(std::mem::take(&mut self.urgent));
        while !is_over && bytes.len() < WRITE_BYTES {
            match server.poll_output(connection, self.transport) {
                Some(Output::Message(message)) => {
                    message.frames().iter().for_each(|frame| bytes.extend(frame.websocket()));
                }
                Some(Output::Close) => {
                    bytes.extend(&self.close);
                    is_over = true;
                    // If the client was first, the server knows that already, and ignores this.
                    server.handle_websocket_closed(connection, self.transport, true);
                }
                None => break,
            }
        }
        if !bytes.is_empty() {
            self.is_writing = self.output.send(bytes).is_ok();
        }
        is_over
    }
}
