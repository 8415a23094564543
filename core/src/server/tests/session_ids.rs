//! Ids that the application gives to sessions.

use super::*;
use crate::{Dialect, Refusal, Sid, SocketId};

fn sid(text: &str) -> Option<Sid> {
    Some(Sid::parse(text).expect("an id"))
}

#[test]
fn a_session_has_the_id_that_it_is_given() {
    let mut pair = Pair::new();
    let given = sid("polling-_0123456789A");
    let opened = pair.server.open_polling_as(pair.now, Dialect::default(), given).unwrap();
    assert_eq!(Some(opened.sid), given);
    let poll = pair.server.begin_poll(opened.connection).unwrap();
    let response = pair.server.take_poll_response(opened.connection, poll).unwrap();
    assert!(response.into_body().starts_with(br#"0{"sid":"polling-_0123456789A","#));
    pair.server.abandon(opened.connection);
    while pair.server.poll_event(opened.connection).is_some() {}
}

#[test]
fn an_id_that_is_taken_is_refused_and_nobody_suffers() {
    let mut pair = Pair::new();
    let (now, dialect) = (pair.now, Dialect::default());
    let given = sid("AAAAAAAAAAAAAAAAAAAA");
    let (first, key) = pair.server.open_websocket_as(now, dialect, given).unwrap();
    let before = pair.server.stats();
    for _ in 0..2 {
        let refused = pair.server.open_polling_as(now, dialect, given).err();
        assert_eq!(refused, Some(Refusal::SessionId));
        let refused = pair.server.open_websocket_as(now, dialect, given).err();
        assert_eq!(refused, Some(Refusal::SessionId));
    }
    assert_eq!(pair.server.stats(), before);
    assert!(pair.server.poll_output(first.connection, key).is_some());
    // It is free again when its session has ended, whatever is left of that.
    pair.server.handle_websocket_closed(first.connection, key, true);
    let (second, key) = pair.server.open_websocket_as(now, dialect, given).unwrap();
    assert_ne!(first.connection, second.connection);
    while pair.server.poll_event(first.connection).is_some() {}
    let third = pair.server.open_polling_as(now, dialect, given).err();
    assert_eq!(third, Some(Refusal::SessionId));
    pair.server.handle_websocket_closed(second.connection, key, true);
    while pair.server.poll_event(second.connection).is_some() {}
}

/// A client of Socket.IO 4 would have it for its socket's id.
#[test]
fn the_id_of_a_socket_is_taken_too() {
    let mut pair = Pair::new();
    let (_, socket) = pair.joined();
    let id: SocketId = pair.server.socket(socket).unwrap().id().unwrap();
    let refused = pair.server.open_polling_as(pair.now, Dialect::default(), sid(id.as_str())).err();
    assert_eq!(refused, Some(Refusal::SessionId));
}
