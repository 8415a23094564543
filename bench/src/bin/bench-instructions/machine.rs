//! The machine with its codec, from what a WebSocket brings to what it sends.

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use sansocket_bench::machine::{Client, Machine};
use sansocket_core::codec::payload;
use sansocket_core::codec::websocket::{
    Decoder, DecoderConfig, Message as Received, Opcode, Role, encode_masked_into,
};
use sansocket_core::{Event, Limits, Message, Target};

use crate::cases::Case;

const ITERATIONS: u64 = 1_000;
/// How many other clients there are where there are some.
const CROWD: usize = 1_000;
/// As long as the payload of the load generator.
const TEXT: &str = "a text of sixty-four characters, neither short nor long, in ASCII";

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::new("machine: open by WebSocket and CONNECT", ITERATIONS, || {
            let mut machine = Machine::new();
            move || {
                black_box(machine.connect());
            }
        }),
        Case::new("machine: connect and disconnect beside 1 000", ITERATIONS, || {
            let mut machine = Machine::with_clients(CROWD).0;
            move || {
                let client = machine.connect();
                machine.disconnect(client);
            }
        }),
        Case::new("machine: echo with acknowledgement", ITERATIONS, echo),
        Case::new("machine: echo with acknowledgement, frame to frame", ITERATIONS, echo_of_frame),
        Case::new("machine: echo with acknowledgement, polling", ITERATIONS, echo_by_polling),
        Case::new("machine: emit to one", ITERATIONS, || {
            let (mut machine, clients) = Machine::with_clients(1);
            move || machine.emit(clients[0], TEXT)
        }),
        Case::new("machine: heartbeat of one in 1 000", ITERATIONS, heartbeat),
        Case::new("machine: join and leave a room", ITERATIONS, || {
            let (mut machine, clients) = Machine::with_clients(CROWD);
            machine.join(clients[1], "room");
            move || {
                machine.join(clients[0], "room");
                machine.leave(clients[0], "room");
            }
        }),
    ];
    for (members, iterations) in [(100, 200), (1_000, 40)] {
        let name = format!("machine: broadcast to {}", spaced(members));
        cases.push(Case::new(name, iterations, move || broadcast(members)));
    }
    cases
}

fn echo() -> impl FnMut() {
    let (mut machine, clients) = Machine::with_clients(1);
    let text = format!(r#"423["echo","{TEXT}"]"#);
    move || {
        let client = clients[0];
        machine.receive(client.connection, client.transport, Bytes::copy_from_slice(text.as_ref()));
        machine.acknowledge(client);
        assert_eq!(machine.send(client.connection, client.transport), 1);
    }
}

fn echo_of_frame() -> impl FnMut() {
    let (mut machine, clients) = Machine::with_clients(1);
    let mut frame = Vec::new();
    let text = format!(r#"423["echo","{TEXT}"]"#);
    encode_masked_into(&mut frame, Opcode::Text, text.as_bytes(), [0x11, 0x22, 0x33, 0x44]);
    let mut decoder = Decoder::new(Role::Server, DecoderConfig::from(&Limits::default()));
    let mut received = frame.clone();
    move || {
        let client = clients[0];
        received.copy_from_slice(black_box(&frame));
        let mut input = received.as_mut_slice();
        let Ok(Some(Received::Text(text))) = decoder.decode(&mut input) else { panic!("no text") };
        machine.receive(client.connection, client.transport, text);
        machine.acknowledge(client);
        assert_eq!(machine.send(client.connection, client.transport), 1);
    }
}

/// A POST that brings the event, and a GET that takes the acknowledgement.
fn echo_by_polling() -> impl FnMut() {
    let mut machine = Machine::new();
    let connection = machine.server.open_polling(machine.now).expect("below the limit").connection;
    get(&mut machine, connection);
    post(&mut machine, connection, Bytes::from_static(b"40"));
    let Some(Event::ConnectRequested(request)) = machine.server.poll_event(connection) else {
        panic!("no request")
    };
    let welcome = Message::connect("/", request.id.as_str(), None);
    machine.server.accept_socket(request.socket, &welcome).expect("it is pending");
    get(&mut machine, connection);
    // It has no WebSocket; that of another stands in, and is not used.
    let client = Client { connection, socket: request.socket, ..machine.connect() };
    let text = format!(r#"423["echo","{TEXT}"]"#);
    move || {
        post(&mut machine, connection, Bytes::copy_from_slice(text.as_ref()));
        machine.acknowledge(client);
        get(&mut machine, connection);
    }
}

fn get(machine: &mut Machine, connection: sansocket_core::ConnectionKey) {
    let poll = machine.server.begin_poll(connection).expect("none waits");
    let response = machine.server.take_poll_response(connection, poll).expect("there is one");
    machine.drain_dirty();
    black_box(response.into_body());
}

fn post(machine: &mut Machine, connection: sansocket_core::ConnectionKey, body: Bytes) {
    let limits = Limits::default();
    let post = machine.server.begin_post(connection).expect("none is under way");
    let packets: Vec<_> = payload::decode(body, &limits).collect();
    machine.server.handle_post(machine.now, connection, post, packets).expect("it is open");
    machine.drain_dirty();
}

fn broadcast(members: usize) -> impl FnMut() {
    let (mut machine, clients) = Machine::with_clients(members);
    for client in &clients {
        machine.join(*client, "room");
    }
    let target = Target::room("room");
    move || {
        let message = machine.message(TEXT);
        let report = machine.broadcast(&target, &message, &clients);
        assert_eq!(report.queued, members);
    }
}

/// A ping, and its pong. The others are there for their deadlines, which are a millisecond apart.
fn heartbeat() -> impl FnMut() {
    let mut machine = Machine::new();
    let clients: Vec<Client> = (0..CROWD)
        .map(|_| {
            machine.advance(Duration::from_millis(1));
            machine.connect()
        })
        .collect();
    let mut turn = clients.into_iter().cycle();
    let pong = Bytes::from_static(b"3");
    move || {
        let Some(client) = turn.next() else { return };
        while machine.pass_time() == 0 {}
        assert_eq!(machine.send(client.connection, client.transport), 1);
        machine.receive(client.connection, client.transport, pong.clone());
    }
}

/// A number with its thousands set apart.
fn spaced(number: usize) -> String {
    if number < 1_000 {
        return number.to_string();
    }
    format!("{} {:03}", number / 1_000, number % 1_000)
}
