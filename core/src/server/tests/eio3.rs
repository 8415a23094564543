//! Clients of Engine.IO 3, with its own codecs on both sides.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;

use crate::codec::message::{BinaryForm, Encoder, Message};
use crate::codec::payload::v3;
use crate::{
    Config, ConnectRequest, ConnectionKey, Delivery, Dialect, DisconnectReason, Event, Output,
    PollKey, Revision, Server, Sid, SocketKey, Target, Timestamp, TransportKey,
};

struct World {
    server: Server,
    now: Timestamp,
    connection: ConnectionKey,
    sid: Sid,
}

impl World {
    fn polling() -> Self {
        let mut server = Server::new(Config::default(), [7; 32]);
        let now = Timestamp::from_millis(1_000);
        let dialect = Dialect::new(Revision::V3, false, None);
        let opened = server.open_polling_in(now, dialect).expect("it takes sessions");
        Self { server, now, connection: opened.connection, sid: opened.sid }
    }

    fn websocket() -> (Self, TransportKey) {
        let mut server = Server::new(Config::default(), [7; 32]);
        let now = Timestamp::from_millis(1_000);
        let dialect = Dialect::new(Revision::V3, false, None);
        let (opened, key) = server.open_websocket_in(now, dialect).expect("it takes sessions");
        let mut world = Self { server, now, connection: opened.connection, sid: opened.sid };
        assert!(world.received(key).concat().starts_with("0{"));
        (world, key)
    }

    fn begin_poll(&mut self) -> PollKey {
        self.server.begin_poll(self.connection).expect("no other GET waits")
    }

    fn answer(&mut self, poll: PollKey) -> Option<String> {
        let response = self.server.take_poll_response(self.connection, poll)?;
        Some(String::from_utf8_lossy(&response.into_body()).into_owned())
    }

    fn poll(&mut self) -> String {
        let poll = self.begin_poll();
        self.answer(poll).expect("an answer is due")
    }

    fn post(&mut self, body: &str) {
        let post = self.server.begin_post(self.connection).expect("no other POST");
        let body = Bytes::copy_from_slice(body.as_bytes());
        let limits = self.server.config().limits.clone();
        let packets = post.decode(body, v3::Body::Text, &limits);
        self.server.handle_post(self.now, self.connection, post, packets).expect("it is there");
    }

    fn send(&mut self, key: TransportKey, packet: &'static str) {
        let limits = self.server.config().limits.clone();
        let packet = Revision::V3.decode_text(Bytes::from_static(packet.as_bytes()), &limits);
        self.server.handle_packet(self.now, self.connection, key, packet);
    }

    /// What the WebSocket is to send, `!` for its close.
    fn received(&mut self, key: TransportKey) -> Vec<String> {
        let mut received = Vec::new();
        while let Some(output) = self.server.poll_output(self.connection, key) {
            match output {
                Output::Message(message) => received.extend(
                    message
                        .frames()
                        .iter()
                        .map(|frame| String::from_utf8_lossy(frame.packet()).into_owned()),
                ),
                Output::Close => {
                    received.push("!".to_string());
                    self.server.handle_websocket_closed(self.connection, key, true);
                    break;
                }
            }
        }
        received
    }

    fn request(&mut self) -> ConnectRequest {
        match self.server.poll_event(self.connection) {
            Some(Event::ConnectRequested(request)) => *request,
            other => panic!("no request but {other:?}"),
        }
    }

    fn accept(&mut self, request: &ConnectRequest) -> SocketKey {
        assert_eq!(request.revision, Revision::V3);
        let name = self.server.namespace_name(request.namespace).expect("it exists");
        let connect = Message::connect_v4(name);
        self.server.accept_socket(request.socket, &connect).expect("it is pending");
        request.socket
    }

    fn wait(&mut self, millis: u64) {
        self.now = self.now + Duration::from_millis(millis);
        self.server.handle_timeout(self.now);
    }

    fn closed(&mut self) -> Option<DisconnectReason> {
        while let Some(event) = self.server.poll_event(self.connection) {
            if let Event::Closed(reason) = event {
                return Some(reason);
            }
        }
        None
    }
}

#[test]
fn the_main_namespace_is_joined_by_opening_the_session() {
    let mut world = World::polling();
    let open = world.poll();
    assert!(
        open.contains(":0{\"sid\":") && open.contains("\"upgrades\":[\"websocket\"]"),
        "{open}"
    );
    let request = world.request();
    assert_eq!((request.packet.namespace(), request.packet.payload()), ("/", ""));
    assert_eq!(request.id.as_str(), world.sid.as_str(), "the client takes the one for the other");
    world.accept(&request);
    assert_eq!(world.poll(), "2:40");
    world.post("9:42[\"€😀\"]");
    let Some(Event::Received(received)) = world.server.poll_event(world.connection) else {
        panic!("no event")
    };
    assert_eq!(received.packet.event_name(), "€😀");
    // It has done so already.
    world.post("2:40");
    assert_eq!(world.poll(), "1:61:1");
    assert_eq!(world.closed(), Some(DisconnectReason::ForcedClose));
}

#[test]
fn a_namespace_may_have_a_query_and_is_confirmed_without_an_id() {
    let (mut world, key) = World::websocket();
    world.server.create_namespace("/admin");
    let main = world.request();
    world.accept(&main);
    world.send(key, "40/admin?token=abc,");
    let request = world.request();
    let packet = &request.packet;
    assert_eq!((packet.namespace(), packet.payload()), ("/admin", r#"{"token":"abc"}"#));
    assert_ne!(request.id.as_str(), world.sid.as_str());
    let socket = world.accept(&request);
    assert_eq!(world.received(key), ["40", "40/admin,"]);
    // The client makes an id for itself, by which it can be reached.
    let own_id = alloc::format!("/admin#{}", world.sid.as_str());
    let found = world.server.matching(request.namespace, &Target::room(&own_id));
    assert_eq!(found, [socket]);
    assert_eq!(world.server.matching(main.namespace, &Target::room(&own_id)), []);
    world.send(key, "41/admin,");
    assert_eq!(world.server.matching(request.namespace, &Target::room(&own_id)), []);
    world.send(key, "40/nope,");
    assert_eq!(world.received(key), [r#"44/nope,{"message":"Invalid namespace"}"#]);
}

#[test]
fn a_refused_client_is_told_a_value_and_may_stay_for_a_while() {
    let (mut world, key) = World::websocket();
    let request = world.request();
    let error = Message::error_v4(&mut Encoder::new(), "/", "no").expect("a text");
    world.server.reject_socket(request.socket, &error).expect("it is pending");
    assert_eq!(world.received(key), [r#"44"no""#]);
    world.wait(44_999);
    assert_eq!(world.received(key), [""; 0]);
    world.wait(1);
    assert_eq!(world.received(key), ["!"]);
}

#[test]
fn the_client_pings_and_is_answered() {
    let (mut world, key) = World::websocket();
    let request = world.request();
    world.accept(&request);
    assert_eq!(world.received(key), ["40"]);
    for _ in 0..5 {
        world.wait(44_999);
        assert_eq!(world.received(key), [""; 0], "the server does not ping");
        world.send(key, "2");
        assert_eq!(world.received(key), ["3"]);
    }
    for _ in 0..1_000 {
        world.send(key, "2");
    }
    assert_eq!(world.received(key), ["3"], "one answer is enough");
    world.wait(45_000);
    assert_eq!(world.closed(), Some(DisconnectReason::PingTimeout));
    assert_eq!(world.received(key), ["!"]);
}

#[test]
fn a_pong_from_the_client_is_the_wrong_direction() {
    let (mut world, key) = World::websocket();
    world.send(key, "3");
    assert_eq!(world.closed(), Some(DisconnectReason::TransportError));
}

#[test]
fn a_ping_on_polling_is_answered_by_the_get_that_waits() {
    let mut world = World::polling();
    world.poll();
    let poll = world.begin_poll();
    assert_eq!(world.answer(poll), None);
    world.post("1:2");
    assert!(world.server.wants(world.connection).poll);
    assert_eq!(world.answer(poll).as_deref(), Some("1:3"));
}

#[test]
fn a_session_goes_to_a_websocket_and_still_has_a_deadline() {
    let mut world = World::polling();
    let request = world.request();
    world.accept(&request);
    world.poll();
    let poll = world.begin_poll();
    let key = world.server.begin_upgrade(world.now, world.connection).expect("it may upgrade");
    world.send(key, "2probe");
    assert_eq!(world.received(key), ["3probe"]);
    assert_eq!(world.answer(poll).as_deref(), Some("1:6"));
    world.post("1:2");
    world.wait(9_000);
    world.send(key, "5");
    assert_eq!(world.received(key), ["3"], "the answer goes the new way");
    world.wait(36_001);
    assert_eq!(world.closed(), None, "its time began anew");
    world.wait(9_000);
    assert_eq!(world.closed(), Some(DisconnectReason::PingTimeout));
}

#[test]
fn one_message_reaches_clients_of_both_revisions() {
    let mut world = World::polling();
    world.poll();
    let request = world.request();
    world.accept(&request);
    assert_eq!(world.poll(), "2:40");
    let (opened, key) = world.server.open_websocket(world.now).expect("it takes sessions");
    let limits = world.server.config().limits.clone();
    let connect = Revision::V4.decode_text(Bytes::from_static(b"40"), &limits);
    world.server.handle_packet(world.now, opened.connection, key, connect);
    let Some(Event::ConnectRequested(newer)) = world.server.poll_event(opened.connection) else {
        panic!("no request")
    };
    assert_eq!(newer.revision, Revision::V4);
    let connect = Message::connect("/", newer.id.as_str(), None);
    world.server.accept_socket(newer.socket, &connect).expect("it is pending");
    while world.server.poll_output(opened.connection, key).is_some() {}

    let data = Bytes::from_static(&[1, 2]);
    let message = Message::event(&mut Encoder::new(), "/", "a", &data, None).expect("bytes");
    let mut recipients = world.server.recipients(request.namespace, &Target::everybody());
    world.server.deliver(&mut recipients, &message, Delivery::Reliable, 10);
    assert_eq!(recipients.report().queued, 2);

    let Some(Output::Message(sent)) = world.server.poll_output(opened.connection, key) else {
        panic!("no message")
    };
    let shared = sent.frames()[1].packet().as_ptr();
    assert_eq!(shared, message.frames()[1].packet().as_ptr(), "encoded once");
    let mut pieces = Vec::new();
    sent.frames()[1].websocket_as(BinaryForm::Typed, |piece| pieces.push(piece));
    assert_eq!(pieces[1].as_ptr(), shared, "also for the other revision");

    let poll = world.begin_poll();
    let response = world.server.take_poll_response(world.connection, poll).expect("an answer");
    assert_eq!(response.content_type(), "application/octet-stream");
    assert!(response.into_body().ends_with(b"\x01\x03\xff\x04\x01\x02"));
}

#[test]
fn scripts_are_given_scripts_and_bring_forms() {
    let mut server = Server::new(Config::default(), [7; 32]);
    let now = Timestamp::from_millis(1_000);
    for revision in [Revision::V3, Revision::V4] {
        let dialect = Dialect::new(revision, false, Some(3));
        let opened = server.open_polling_in(now, dialect).expect("it takes sessions");
        let poll = server.begin_poll(opened.connection).expect("no other GET");
        let response = server.take_poll_response(opened.connection, poll).expect("the open packet");
        assert_eq!(response.content_type(), "text/javascript; charset=UTF-8");
        let body = response.into_body();
        assert!(body.starts_with(b"___eio[3](\"") && body.ends_with(b"}\");"), "{body:?}");
        let post = server.begin_post(opened.connection).expect("no other POST");
        assert!(!post.takes_binary());
        let limits = server.config().limits.clone();
        let form =
            if revision == Revision::V3 { "d=7%3A42%5B%22a%22%5D" } else { "d=42%5B%22a%22%5D" };
        for (body, packets) in [(form, 1), ("", 0), ("d=6&d=6", 0)] {
            let body = Bytes::copy_from_slice(body.as_bytes());
            let decoded = post.decode(body, v3::Body::Text, &limits).collect::<Vec<_>>();
            assert_eq!(decoded.len(), packets);
            assert!(decoded.iter().all(Result::is_ok), "{decoded:?}");
        }
    }
}
