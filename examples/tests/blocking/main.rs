//! The example `blocking`, run as a process and spoken to over TCP; and `blocking-client`.

mod client;
mod terminal;

use std::io::{ErrorKind, Write};
use std::net::Shutdown;
use std::thread;
use std::time::Duration;

use sansocket_core::codec::websocket::{CloseCode, CloseFrame, Message, Opcode};

use client::{Client, Server, frame, upgrade_request};

fn closed_with(code: CloseCode) -> Option<Message> {
    Some(Message::Close(Some(CloseFrame { code, reason: String::new() })))
}

#[test]
fn echoes_events_with_all_their_arguments() {
    let server = Server::start();
    let mut client = server.connect();
    for event in [r#"42["echo"]"#, r#"42["echo",1,"two",{"three":[3]},null]"#] {
        client.send(event);
        assert_eq!(client.receive_text(), event);
    }
    let event = r#"451-["echo",{"_placeholder":true,"num":0},"text"]"#;
    client.send(event);
    client.write(&frame(Opcode::Binary, b"\0\xff"));
    assert_eq!(client.receive_text(), event);
    assert_eq!(client.receive(), Some(Message::Binary(b"\0\xff".as_slice().into())));
}

#[test]
fn acknowledges_only_who_asks() {
    let server = Server::start();
    let mut client = server.connect();
    client.send(r#"42["get data"]"#);
    client.send(r#"427["get data"]"#);
    assert_eq!(client.receive_text(), r#"437["Here's your data!"]"#);
}

#[test]
fn a_chat_message_reaches_everybody() {
    let server = Server::start();
    let (mut alice, mut bob) = (server.connect(), server.connect());
    // A message that is no text reaches nobody.
    alice.send(r#"42["chat message",{}]"#);
    alice.send(r#"42["chat message","hello"]"#);
    assert_eq!(alice.receive_text(), r#"42["chat message","hello"]"#);
    assert_eq!(bob.receive_text(), r#"42["chat message","hello"]"#);
}

#[test]
fn a_client_may_leave_and_join_again() {
    let server = Server::start();
    let mut client = server.connect();
    client.send("41");
    client.send("40/unknown,");
    assert_eq!(client.receive_text(), r#"44/unknown,{"message":"Invalid namespace"}"#);
    client.send("40");
    assert!(client.receive_text().starts_with(r#"40{"sid":""#));
}

#[test]
fn answers_pings_and_the_close_of_the_websocket() {
    let server = Server::start();
    let mut client = server.connect();
    client.write(&frame(Opcode::Ping, b"?"));
    assert_eq!(client.receive(), Some(Message::Pong(b"?".as_slice().into())));
    client.close();
    assert_eq!(client.receive(), closed_with(CloseCode::NORMAL));
    assert_eq!(client.receive(), None);
}

#[test]
fn a_client_that_answers_the_heartbeat_stays() {
    let server = Server::start_with(&[("PING_INTERVAL_MS", "20")]);
    let mut client = server.connect();
    for _ in 0..10 {
        assert_eq!(client.receive_text(), "2");
        client.send("3");
    }
    client.send(r#"42["echo"]"#);
    while client.receive_text() != r#"42["echo"]"# {}
}

#[test]
fn a_client_that_does_not_is_closed() {
    let settings = [("PING_INTERVAL_MS", "20"), ("PING_TIMEOUT_MS", "20")];
    let server = Server::start_with(&settings);
    let mut client = server.open();
    assert!(client.receive_text().starts_with("0{"));
    // The ping is lost if the server is too slow to write it before it gives up.
    let mut end = client.receive();
    if end == Some(Message::Text(b"2".as_slice().into())) {
        end = client.receive();
    }
    assert_eq!(end, Some(Message::Close(None)));
    assert_eq!(client.receive(), None);
}

#[test]
fn refuses_what_is_no_websocket_handshake() {
    let server = Server::start();
    let polling = "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let answer = server.answer_to(polling.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.ends_with(r#"{"code":0,"message":"Transport unknown"}"#), "{answer}");
    let keyless = server.answer_to(&upgrade_request(b"short"));
    assert!(keyless.ends_with(r#"{"code":3,"message":"Bad request"}"#), "{keyless}");
    let elsewhere = server.answer_to(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(elsewhere.starts_with("HTTP/1.1 404 "), "{elsewhere}");
}

#[test]
fn garbage_ends_its_own_connection_only() {
    let server = Server::start();
    let mut witness = server.connect();
    assert_eq!(server.answer_to(b"garbage"), "");
    assert_eq!(server.answer_to(&[b'a'; 100_000]), "");
    assert_eq!(server.answer_to(&[0xff; 3]), "");
    for garbage in [&b"garbage\r\n\r\n"[..], b"\r\n\r\n", b"GET  \xff\r\n\r\n", b": \r\n:\r\n\r\n"]
    {
        assert!(server.answer_to(garbage).starts_with("HTTP/1.1 400 "));
    }
    let too_large = [&[0x82, 0xff][..], &u64::from(u32::MAX).to_be_bytes(), &[0; 4]].concat();
    let cases = [
        (b"garbage".to_vec(), closed_with(CloseCode::PROTOCOL_ERROR)),
        (too_large, closed_with(CloseCode::TOO_LARGE)),
        (frame(Opcode::Text, b"\xff"), closed_with(CloseCode::INVALID_PAYLOAD)),
        (frame(Opcode::Text, b"x"), Some(Message::Close(None))),
        (frame(Opcode::Text, b"42{"), Some(Message::Close(None))),
        (frame(Opcode::Text, br#"42["echo"]"#), Some(Message::Close(None))),
        (frame(Opcode::Binary, b"unannounced"), Some(Message::Close(None))),
    ];
    for (bytes, end) in cases {
        let mut client = server.open();
        assert!(client.receive_text().starts_with("0{"));
        client.write(&bytes);
        assert_eq!(client.receive(), end, "{bytes:x?}");
        assert_eq!(client.receive(), None);
    }
    witness.send(r#"42["echo"]"#);
    assert_eq!(witness.receive_text(), r#"42["echo"]"#);
}

#[test]
fn the_end_of_the_stream_is_answered_by_the_end_of_the_stream() {
    let server = Server::start();
    let mut client = server.connect();
    client.stream.shutdown(Shutdown::Write).expect("the stream is open");
    assert_eq!(client.receive(), Some(Message::Close(None)));
    assert_eq!(client.receive(), None);
}

/// More than the server and both ends' kernels may hold for a client that does not read.
const FLOOD_BYTES: usize = 256 << 20;

#[test]
fn a_client_that_does_not_read_is_not_read_either() {
    let server = Server::start();
    let mut client = server.connect();
    let mut other = server.connect();
    let stall = Some(Duration::from_millis(500));
    client.stream.set_write_timeout(stall).expect("a timeout");
    let event = format!(r#"42["echo","{}"]"#, "x".repeat(64 << 10));
    let event_frame = frame(Opcode::Text, event.as_bytes());

    // However slow the machine, writing ends by a stall: if not by this client's, by the server's.
    let (mut sent, mut rest) = (0, event_frame.as_slice());
    let stalled = loop {
        match client.stream.write(rest) {
            Ok(count) => rest = &rest[count..],
            Err(error) => break error.kind(),
        }
        if rest.is_empty() {
            sent += 1;
            rest = event_frame.as_slice();
        }
        assert!(sent * event.len() < FLOOD_BYTES, "the server takes whatever comes");
    };
    assert!(matches!(stalled, ErrorKind::WouldBlock | ErrorKind::TimedOut), "{stalled}");

    other.send(r#"42["echo"]"#);
    assert_eq!(other.receive_text(), r#"42["echo"]"#);

    // Nothing was lost. The frame that was cut off by the stall is completed meanwhile.
    let mut writer = client.stream.try_clone().expect("another handle");
    writer.set_write_timeout(None).expect("no timeout");
    let rest = rest.to_vec();
    let finish = thread::spawn(move || writer.write_all(&rest));
    receive_all(&mut client, sent + 1, &event);
    finish.join().expect("no panic").expect("the server reads again");
}

fn receive_all(client: &mut Client, count: usize, event: &str) {
    for _ in 0..count {
        // Not `assert_eq`, which would print it all.
        assert!(client.receive_text() == event);
    }
}
