//! What a connection holds, measured by giving it to very many.

use std::io::{self, Write};
use std::time::Duration;

use bytes::Bytes;
use sansocket_bench::machine::{Client, Machine};
use sansocket_core::{AckId, Delivery, Event, Message};

use crate::process::resident_bytes;

/// So many that what the process holds beside them does not matter.
const CONNECTIONS: usize = 100_000;
/// The further rooms of a connection, of which each has a thousand members.
const ROOMS: usize = 10;
const MEMBERS: usize = 1_000;

/// Prints `BYTES NAME` for each step: what it adds for each connection.
pub(crate) fn measure(out: &mut impl Write) -> io::Result<()> {
    let mut machine = Machine::new();
    let mut before = resident_bytes();
    let mut print = |name: &str| {
        let now = resident_bytes();
        let bytes = now.saturating_sub(before) / CONNECTIONS;
        before = now;
        writeln!(out, "{bytes} {name}")
    };

    let opened: Vec<_> = (0..CONNECTIONS).map(|_| machine.open()).collect();
    print("a session on a WebSocket")?;

    let mut clients = Vec::with_capacity(CONNECTIONS);
    for (connection, transport) in opened {
        machine.receive(connection, transport, Bytes::from_static(b"40"));
        let Some(Event::ConnectRequested(request)) = machine.server.poll_event(connection) else {
            panic!("no request")
        };
        let welcome = Message::connect("/", request.id.as_str(), None);
        machine.server.accept_socket(request.socket, &welcome).expect("it is pending");
        machine.drain_dirty();
        machine.send(connection, transport);
        clients.push(Client { connection, transport, socket: request.socket });
    }
    print("its socket in the namespace `/`")?;

    clients.iter().for_each(|client| machine.join(*client, "everybody"));
    print("a first room")?;

    for (index, client) in clients.iter().enumerate() {
        let group = index / MEMBERS;
        (0..ROOMS).for_each(|room| machine.join(*client, &format!("group {group}, room {room}")));
    }
    print("ten more rooms")?;

    let message = machine.message("hello");
    let deadline = machine.now + Duration::from_secs(60);
    for client in &clients {
        let id = AckId::new(1).expect("it is small");
        let mut socket = machine.server.socket(client.socket).expect("it is connected");
        socket
            .emit_with_ack(message.clone(), Delivery::Reliable, id, deadline)
            .expect("there is room");
        machine.drain_dirty();
        machine.send(client.connection, client.transport);
    }
    print("an acknowledgement that its client owes")?;

    for client in &clients {
        let mut socket = machine.server.socket(client.socket).expect("it is connected");
        socket.emit(message.clone(), Delivery::Reliable).expect("there is room");
    }
    print("a message that waits, shared with all others")
}
