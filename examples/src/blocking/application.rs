//! The application: what a driver's user would write.

use std::error::Error;
use std::io::{self, Write};

use sansocket_core::{
    Args, ConnectRequest, Delivery, Encoder, Event, Message, Raw, Received, Server, Target,
};
use serde::ser::{Serialize, SerializeTuple, Serializer};

/// Of a broadcast, how many recipients are served at a time. With one lock for everything there is
/// nobody to let in between.
const MEMBERS_MAX: usize = usize::MAX;

/// Something happened on a connection.
pub(crate) fn handle_event(server: &mut Server, encoder: &mut Encoder, event: Event) {
    let result = match event {
        Event::ConnectRequested(request) => connect(server, &request),
        Event::Received(received) => receive(server, encoder, received),
        // The server has taken the socket out of its rooms, and we keep nothing else of it.
        Event::Disconnected(_) | Event::Closed(_) => Ok(()),
        Event::Violation(error) => Err(error.into()),
        // A later version of the core may tell more.
        Event::NamespaceRequested(_) | _ => Ok(()),
    };
    // A client that sends nonsense, or is gone before its answer, is nothing to worry about.
    if let Err(error) = result {
        drop(writeln!(io::stderr(), "{error}"));
    }
}

fn connect(server: &mut Server, request: &ConnectRequest) -> Result<(), Box<dyn Error>> {
    server.accept_socket(request.socket, &Message::connect("/", request.id.as_str(), None))?;
    if let Some(mut socket) = server.socket(request.socket) {
        socket.join("lobby");
    }
    Ok(())
}

fn receive(
    server: &mut Server,
    encoder: &mut Encoder,
    received: Received,
) -> Result<(), Box<dyn Error>> {
    let Received { socket, packet, attachments } = received;
    let ack = packet.ack;
    // A socket that has disconnected since gets no answer.
    let Some(mut socket) = server.socket(socket) else { return Ok(()) };
    match packet.event_name() {
        "echo" => {
            let args = packet.into_args(attachments);
            let message = Message::event(encoder, "/", "echo", &Spread(&args), None)?;
            socket.emit(message, Delivery::Reliable)?;
        }
        "chat message" => {
            let Some(namespace) = socket.namespace() else { return Ok(()) };
            let text: String = packet.into_args(attachments).decode()?;
            let message = Message::event(encoder, "/", "chat message", &text, None)?;
            let mut recipients = server.recipients(namespace, &Target::everybody());
            while !recipients.is_done() {
                server.deliver(&mut recipients, &message, Delivery::Reliable, MEMBERS_MAX);
            }
        }
        "get data" => {
            if let Some(id) = ack {
                let message = Message::ack(encoder, "/", id, "Here's your data!")?;
                socket.acknowledge(message)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// Sends arguments on as they came. A tuple's elements become the arguments of an event.
struct Spread<'a>(&'a Args);

impl Serialize for Spread<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let args: Vec<Raw> = self.0.iter().collect();
        let mut tuple = serializer.serialize_tuple(args.len())?;
        for arg in &args {
            tuple.serialize_element(arg)?;
        }
        tuple.end()
    }
}
