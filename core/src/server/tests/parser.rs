//! A server whose packets have another form than the default one.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bytes::Bytes;

use crate::codec::base64;
use crate::codec::parser::encode_for;
use crate::codec::parser::tests::Lines;
use crate::codec::payload::v3;
use crate::{
    AckId, Config, ConnectionKey, Delivery, Encoder, Event, Excess, Message, Output, Rate,
    RateLimit, Revision, Server, SharedParser, SocketKey, Target, Timestamp, TransportKey,
};

struct World {
    server: Server,
    parser: SharedParser,
    now: Timestamp,
    connection: ConnectionKey,
    transport: TransportKey,
}

impl World {
    fn new() -> Self {
        Self::with(Config::default())
    }

    fn with(config: Config) -> Self {
        let parser = SharedParser::from(Lines);
        let config = Config { parser: Some(parser.clone()), ..config };
        let mut server = Server::new(config, [7; 32]);
        let now = Timestamp::from_millis(1_000);
        let (opened, transport) = server.open_websocket(now).expect("it takes sessions");
        let mut world = Self { server, parser, now, connection: opened.connection, transport };
        assert!(world.sent().concat().starts_with("0{"));
        world
    }

    fn message(&self, message: Message) -> Message {
        encode_for(Some(&self.parser), message).expect("it has a form")
    }

    fn receive(&mut self, text: &str) {
        let limits = self.server.config().limits.clone();
        let text = Bytes::copy_from_slice(text.as_bytes());
        let packet = Revision::V4.decode_text_by(Some(&self.parser), text, &limits);
        self.server.handle_packet(self.now, self.connection, self.transport, packet);
    }

    fn join(&mut self, namespace: &str) -> SocketKey {
        self.receive(&alloc::format!("40\n{namespace}\n\n{{}}"));
        let Some(Event::ConnectRequested(request)) = self.server.poll_event(self.connection) else {
            panic!("no request")
        };
        let confirmation = self.message(Message::connect(namespace, "id", None));
        self.server.accept_socket(request.socket, &confirmation).expect("it is pending");
        assert_eq!(self.sent(), [alloc::format!("40\n{namespace}\n\n{{\"sid\":\"id\"}}")]);
        request.socket
    }

    fn sent(&mut self) -> Vec<String> {
        let mut sent = Vec::new();
        while let Some(output) = self.server.poll_output(self.connection, self.transport) {
            match output {
                Output::Message(message) => sent.extend(
                    message
                        .frames()
                        .iter()
                        .map(|frame| String::from_utf8_lossy(frame.packet()).into_owned()),
                ),
                Output::Close => {
                    sent.push("(close)".to_string());
                    self.server.handle_websocket_closed(self.connection, self.transport, true);
                    break;
                }
            }
        }
        sent
    }
}

#[test]
fn events_and_acknowledgements_come_with_their_attachments() {
    let mut world = World::new();
    let socket = world.join("/");
    world.receive("42\n/\n3\n[\"a\",{\"_placeholder\":true,\"num\":0}]\nAQI=");
    let Some(Event::Received(received)) = world.server.poll_event(world.connection) else {
        panic!("no event")
    };
    assert_eq!((received.packet.event_name(), received.ack().map(AckId::get)), ("a", Some(3)));
    let data: Bytes = received.packet.into_args(received.attachments).decode().expect("bytes");
    assert_eq!(&data[..], [1, 2]);

    let id = AckId::new(0).expect("small");
    let ask = Message::event(&mut Encoder::new(), "/", "b", &data, Some(id)).expect("encodes");
    let ask = world.message(ask);
    let deadline = world.now + core::time::Duration::from_secs(1);
    let mut view = world.server.socket(socket).expect("it is there");
    view.emit_with_ack(ask, Delivery::Reliable, id, deadline).expect("there is room");
    assert_eq!(world.sent(), ["42\n/\n0\n[\"b\",{\"_placeholder\":true,\"num\":0}]\nAQI="]);
    world.receive("43\n/\n0\n[{\"_placeholder\":true,\"num\":0}]\nBA==");
    let outcome = world.server.poll_ack(world.connection).expect("an acknowledgement");
    let data: Bytes = outcome.result.expect("it came").decode().expect("bytes");
    assert_eq!(&data[..], [4]);
}

#[test]
fn what_the_server_says_by_itself_has_the_form_too() {
    let mut world = World::new();
    world.server.create_namespace("/chat");
    world.receive("40\n/nope\n\n");
    assert_eq!(world.sent(), ["44\n/nope\n\n{\"message\":\"Invalid namespace\"}"]);
    world.join("/chat");
    let socket = world.join("/");
    let now = world.now;
    world.server.socket(socket).expect("it is there").close_connection(now);
    assert_eq!(world.sent(), ["41\n/chat\n\n", "41\n/\n\n", "(close)"]);
}

#[test]
fn who_sends_too_much_is_told_in_that_form() {
    let limit = RateLimit::new().events(Rate::per_second(1).burst(1)).excess(Excess::Disconnect);
    let socket_rate = Config { socket_rate: Some(limit), ..Config::default() };
    let connection_rate = Config { connection_rate: Some(limit), ..Config::default() };
    for (config, expected) in
        [(socket_rate, &["41\n/\n\n"][..]), (connection_rate, &["41\n/\n\n", "(close)"])]
    {
        let mut world = World::with(config);
        world.join("/");
        world.receive("42\n/\n\n[\"a\"]");
        world.receive("42\n/\n\n[\"b\"]");
        assert_eq!(world.sent(), expected);
    }
}

#[test]
fn a_broadcast_is_encoded_once() {
    let mut world = World::new();
    world.join("/");
    let message = Message::event(&mut Encoder::new(), "/", "all", &1, None).expect("encodes");
    let message = world.message(message);
    let root = world.server.create_namespace("/");
    let mut recipients = world.server.recipients(root, &Target::everybody());
    world.server.deliver(&mut recipients, &message, Delivery::Reliable, usize::MAX);
    let Some(Output::Message(sent)) = world.server.poll_output(world.connection, world.transport)
    else {
        panic!("nothing was sent")
    };
    assert_eq!(sent.frames()[0].packet(), b"42\n/\n\n[\"all\",1]");
    let memory = |message: &Message| message.frames()[0].websocket().as_ptr();
    assert_eq!(memory(&sent), memory(&message));
}

#[test]
fn what_is_no_packet_closes_the_connection() {
    for text in ["42[\"a\"]", "45\n/\n\n[]", "42\n/\n\n[]\n", "4", "bAQ=="] {
        let mut world = World::new();
        world.join("/");
        world.receive(text);
        let events: Vec<_> =
            core::iter::from_fn(|| world.server.poll_event(world.connection)).collect();
        assert!(matches!(events[0], Event::Violation(_)), "{text}: {events:?}");
        assert_eq!(world.sent(), ["(close)"], "{text}");
    }
}

#[test]
fn a_packet_with_attachments_does_not_come_among_those_of_another() {
    let mut world = World::new();
    world.join("/");
    // No parser has two kinds of packets; but the machine takes what it is given.
    let limits = world.server.config().limits.clone();
    let header = Bytes::from_static(br#"451-["a",{"_placeholder":true,"num":0}]"#);
    let packet = Revision::V4.decode_text(header, &limits);
    world.server.handle_packet(world.now, world.connection, world.transport, packet);
    world.receive("42\n/\n\n[\"a\",{\"_placeholder\":true,\"num\":0}]\nAQI=");
    assert!(matches!(world.server.poll_event(world.connection), Some(Event::Violation(_))));
    assert_eq!(world.sent(), ["(close)"]);
}

#[test]
fn polling_carries_it() {
    let parser = SharedParser::from(Lines);
    let config = Config { parser: Some(parser.clone()), ..Config::default() };
    let mut server = Server::new(config, [7; 32]);
    let now = Timestamp::from_millis(1_000);
    let connection = server.open_polling(now).expect("it takes sessions").connection;
    let post = server.begin_post(connection).expect("no other POST");
    let mut event = b"40\n/\n\n{}\x1e42\n/\n\n[\"a\",{\"_placeholder\":true,\"num\":0}]\n".to_vec();
    base64::encode_into(&[1, 2], &mut event);
    let limits = server.config().limits.clone();
    let packets: Vec<_> =
        post.decode_by(Some(&parser), event.into(), v3::Body::Text, &limits).collect();
    assert_eq!(packets.len(), 2);
    let Ok(crate::codec::engine::Inbound::Complete(complete)) = &packets[1] else {
        panic!("{packets:?}")
    };
    assert_eq!(complete.attachments, [Bytes::from_static(&[1, 2])]);
    // Nothing is waited for.
    assert!(!packets.iter().flatten().any(crate::codec::engine::Inbound::needs_time));
    server.handle_post(now, connection, post, packets).expect("it is there");
    assert!(matches!(server.poll_event(connection), Some(Event::ConnectRequested(_))));
}
