//! Socket.IO and Engine.IO as a state machine without IO.
//!
//! [`Server`] is one value that holds every session, namespace, socket and room of a Socket.IO
//! server, and [`codec`] and [`http`] translate between it and bytes. Nothing here opens a socket,
//! reads a clock, draws a random number, spawns or waits: that is for a *driver*, which carries
//! bytes to and fro and calls the machine. [`client`] is the other end: a client's connection and
//! its namespaces, driven in the same way.
//!
//! ```text
//!                 the driver                                the core
//!
//!            .-------------------.  http::route, codec  .-----------------.
//!   bytes -> | read, decode      | -------------------> | handle_packet,  |
//!            |                   |       packets        | open_*, ...     |
//!            |                   |                      |                 |
//!   bytes <- | write, close      | <------------------- | poll_output     |
//!            |                   |       messages       |                 |
//!   clock -> | sleep             | -------------------> | handle_timeout  |
//!            |                   | <------------------- | poll_timeout    |
//!            |                   |       deadline       |                 |
//!            '-------------------'                      |     Server      |
//!            .-------------------.                      |                 |
//!            | the application   | <------------------- | poll_event,     |
//!            |                   |        events        | poll_ack        |
//!            |                   | -------------------> | socket().emit,  |
//!            '-------------------'       commands       | deliver, ...    |
//!                                                       '-----------------'
//! ```
//!
//! # Four classes of methods
//!
//! Their names tell them apart.
//!
//! 1. *Inputs*, `open_*`, `begin_*` and `handle_*`: what came from the network, and the time.
//! 2. *Commands*: what the application wants, such as [`Server::accept_socket`],
//!    [`Server::deliver`], and the methods of [`Socket`], a view of one socket that
//!    [`Server::socket`] lends.
//! 3. *Outputs*, `poll_*` and `take_*`: what the network and the application are to be told.
//!    Nothing is ever pushed: there are no callbacks.
//! 4. *Getters*: everything else. They change nothing.
//!
//! # The run loop
//!
//! A driver goes round these steps for ever. The example `blocking` is a complete one on nothing
//! but `std`, whose comments bear the same numbers.
//!
//! 1. **Input.** Read, decode, and tell the server: [`Server::open_websocket`] for a handshake that
//!    [`http::route`] has understood, [`Server::handle_packet`] for each packet,
//!    [`Server::handle_websocket_closed`] when the client has closed. Decoding needs no server,
//!    so it needs no lock either.
//! 2. **Time.** [`Server::handle_timeout`], at the latest at the time that step 7 has found.
//!    It sends the pings and closes what did not answer.
//! 3. **Who has news.** [`Server::poll_dirty`] until it gives `None`. It names each connection on
//!    which an input or a command has left something to take. Commands name others than the
//!    socket's own, for a broadcast has many recipients, so ask again after step 4.
//! 4. **Events.** For each connection that was named, [`Server::poll_ack`] and
//!    [`Server::poll_event`] until they give `None`. The application acts on them by commands, now
//!    or later: a [`ConnectRequest`] may wait for a database.
//! 5. **Output.** For each connection that was named, [`Server::poll_output`] for as long as the
//!    network takes it, and again when the network takes more. On [`Output::Close`] close the
//!    WebSocket, and report that.
//! 6. **Backpressure.** Read on from a connection only while [`Server::wants_input`] says so. It
//!    does not while the application leaves its events in step 4 untaken.
//! 7. **Sleep** until [`Server::poll_timeout`], or until there is input. It may have changed with
//!    each input and command, in either direction. Then go on with step 1.
//!
//! Extra calls do no harm, and no order of calls is wrong. Order is kept per connection: its events
//! come, and its messages go, in the order in which they were caused.
//!
//! Long-polling differs in steps 1 and 5 only. A GET begins with [`Server::begin_poll`] and is
//! answered by [`Server::take_poll_response`], a POST begins with [`Server::begin_post`] and ends
//! with [`Server::handle_post`]; [`Server::open_polling`], [`Server::find`] and
//! [`Server::begin_upgrade`] complete it.
//!
//! The whole of it in memory, with one client:
//!
//! ```
//! use bytes::Bytes;
//! use sansocket_core::codec::engine::decode_text;
//! use sansocket_core::{
//!     Config, Delivery, Encoder, Event, Limits, Message, Output, Server, Timestamp,
//! };
//!
//! let mut server = Server::new(Config::default(), [7; 32]); // A real seed is random.
//! let mut now = Timestamp::ZERO;
//! let text = |output| match output {
//!     Some(Output::Message(message)) => message.frames()[0].packet_bytes(),
//!     other => panic!("no message: {other:?}"),
//! };
//!
//! // A WebSocket was accepted: a session opens, and has its open packet to send.
//! let (opened, transport) = server.open_websocket(now)?;
//! let connection = opened.connection;
//! assert_eq!(server.poll_dirty(), Some(connection));
//! assert!(text(server.poll_output(connection, transport)).starts_with(br#"0{"sid":"#));
//!
//! // The client asks to join the namespace `/`, and the application lets it.
//! let mut receive = |server: &mut Server, packet: &'static str| {
//!     let packet = decode_text(Bytes::from_static(packet.as_bytes()), &Limits::default());
//!     server.handle_packet(now, connection, transport, packet);
//! };
//! receive(&mut server, "40");
//! let Some(Event::ConnectRequested(request)) = server.poll_event(connection) else { panic!() };
//! let confirmation = Message::connect("/", request.id.as_str(), None);
//! server.accept_socket(request.socket, &confirmation)?;
//! assert!(text(server.poll_output(connection, transport)).starts_with(br#"40{"sid":"#));
//!
//! // It emits an event, and the application answers with another.
//! receive(&mut server, r#"42["greet","world",3]"#);
//! let Some(Event::Received(received)) = server.poll_event(connection) else { panic!() };
//! assert_eq!(received.packet.event_name(), "greet");
//! let (name, times): (String, u32) = received.packet.into_args(received.attachments).decode()?;
//! let greeting = format!("Hello {name}");
//! let message = Message::event(&mut Encoder::new(), "/", "greeting", &(greeting, times), None)?;
//! let mut socket = server.socket(received.socket).ok_or("has left")?;
//! socket.emit(message, Delivery::Reliable)?;
//! let greeting = text(server.poll_output(connection, transport));
//! assert_eq!(greeting, r#"42["greeting","Hello world",3]"#);
//!
//! // Nothing happens for a while, so the server asks whether the client is still there.
//! now = server.poll_timeout().ok_or("no deadline")?;
//! server.handle_timeout(now);
//! assert_eq!(text(server.poll_output(connection, transport)), "2");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Time and entropy
//!
//! Time is an argument, a [`Timestamp`] in microseconds since an origin that the driver chooses. It
//! should not decrease; a smaller value counts as the largest that was seen. Deadlines are met
//! when `handle_timeout` is called and never earlier, so a driver that sleeps too long makes
//! heartbeats late, and breaks nothing.
//!
//! Entropy is the seed that [`Server::new`] takes. Session ids are bearer secrets made of it, so it
//! must come from a secure source. With the same seed, the same inputs and commands give the same
//! outputs, bit for bit: a run can be recorded and repeated.
//!
//! # Faults
//!
//! There are three kinds, and each has its own types.
//!
//! - The *peer's*: [`EngineError`] and [`PacketError`] from the decoders, handed to
//!   `handle_packet` as they are, [`Refusal`] for a request, and
//!   [`codec::websocket::Error`](enum@codec::websocket::Error) for a frame. They end that
//!   connection or refuse that request, and nothing else.
//! - The *caller's*: [`EmitError`], [`EncodeError`], [`ArgsError`]. Nothing was sent. A key outlives
//!   what it names, since peers leave at any time, and then gives [`Gone`], `None`, or no effect;
//!   that is no fault at all.
//! - *Ours*: an assertion. No input and no order of calls can reach one.
//!
//! # Limits
//!
//! Whatever a peer can make grow has a limit in [`Limits`]: the size of a message, its attachments,
//! nesting and names, a connection's namespaces, rooms, acknowledgements, events and output, and
//! the sessions themselves. Of a slow *client*, output waits in the server up to
//! [`Limits::outbox_bytes`]; past that an emit fails with [`EmitError::Full`], and a broadcast
//! closes the connection. Of a slow *application*, events wait up to [`Limits::inbox_events`] and
//! [`Limits::inbox_bytes`]; past that `wants_input` stops the reading.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod client;
pub mod codec;
mod config;
mod dialect;
mod engine;
mod entropy;
mod error;
pub mod http;
mod id;
mod inbox;
mod key;
mod limits;
mod rate;
mod reason;
mod reassembly;
mod recovery;
mod rooms;
mod server;
mod time;

pub use codec::args::{Args, Raw};
pub use codec::message::{BinaryForm, Encoder, Frame, Message};
#[cfg(feature = "msgpack")]
pub use codec::parser::MessagePack;
pub use codec::parser::{PacketParts, Parser, SharedParser, Wire};
pub use codec::socket::PacketKind;
pub use config::{Config, Transport, Transports};
pub use dialect::{Dialect, Revision};
pub use engine::{PollKey, PollResponse, PostKey, PostPackets, Remains, TransportKey};
pub use error::{ArgsError, EncodeError, EngineError, Gone, PacketError};
pub use http::Refusal;
pub use id::{SHARDS_MAX, Sid, SocketId};
pub use key::{AckId, ConnectionKey, NamespaceKey, SocketKey};
pub use limits::Limits;
pub use rate::{ExceededRate, Excess, Rate, RateLimit};
pub use reason::DisconnectReason;
pub use recovery::{LostSession, Recovering, RecoveryLimits, RecoveryLog};
pub use rooms::Target;
pub use server::{
    AckFailure, AckOutcome, BroadcastReport, ConnectRequest, Counters, Delivery, Disconnected,
    EmitError, Event, NamespaceRequest, NamespaceRequestKey, News, Opened, Output, RateExceeded,
    Received, Recipients, RecoveredSocket, Server, Socket, Stats, Wants,
};
pub use time::Timestamp;
