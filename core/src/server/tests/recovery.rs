//! Sockets that get their old state back.

use alloc::sync::Arc;

use super::*;
use crate::{Gone, Message, RecoveredSocket, SocketId, Target};

fn id() -> SocketId {
    SocketId::parse("Iiiiiiiiiiiiiiiiiiii").unwrap()
}

#[test]
fn a_socket_gets_its_id_and_rooms_back_and_what_it_missed() {
    let mut pair = Pair::new();
    let peer = pair.websocket();
    let socket = pair.request(peer, "/");
    let rooms: [Arc<str>; 2] = ["a".into(), "b".into()];
    let missed = [pair.message("one", None), pair.message("two", None)];
    let recovered = RecoveredSocket { id: id(), rooms: &rooms, missed: &missed };
    let connect = Message::connect("/", id().as_str(), Some("secret"));
    pair.server.accept_recovered(socket, &recovered, &connect).unwrap();
    let received = pair.received(peer);
    assert!(received[0].starts_with(r#"42["one""#) && received[1].starts_with(r#"42["two""#));
    assert_eq!(received[2], r#"40{"sid":"Iiiiiiiiiiiiiiiiiiii","pid":"secret"}"#);
    assert_eq!(pair.server.find_socket(&id()), Some(socket));
    let root = pair.root();
    for room in ["a", "b", id().as_str()] {
        assert_eq!(pair.server.matching(root, &Target::room(room)), [socket]);
    }
    assert_eq!(pair.server.accept_recovered(socket, &recovered, &connect), Err(Gone));
    pair.check();
    let second = pair.websocket();
    let other = pair.request(second, "/");
    let taken = pair.server.accept_recovered(other, &recovered, &connect);
    assert_eq!(taken, Err(Gone), "the id is in use");
    pair.accept(other).unwrap();
    pair.hang_up(peer, true);
    assert_eq!(pair.server.find_socket(&id()), None);
    pair.check();
}

#[test]
fn a_connection_that_is_superseded_ends_as_if_it_was_lost() {
    for polling in [true, false] {
        let mut pair = Pair::new();
        let (peer, socket) = if polling { pair.joined_polling() } else { pair.joined() };
        pair.server.socket(socket).unwrap().join("a");
        pair.emit(socket, "never sent").unwrap();
        pair.server.socket(socket).unwrap().supersede();
        assert!(pair.server.socket(socket).is_none());
        let expected = ["disconnected: transport close", "closed: transport close"];
        let events = pair.events(peer);
        assert!(events[0].starts_with(expected[0]) && events[1] == expected[1], "{events:?}");
        pair.check();
    }
}

#[test]
fn one_that_missed_more_than_the_outbox_holds_is_closed() {
    let mut pair = Pair::with(|config| config.limits.outbox_bytes = 100);
    let peer = pair.websocket();
    let socket = pair.request(peer, "/");
    let missed: alloc::vec::Vec<_> = (0..20).map(|_| pair.message("missed", None)).collect();
    let recovered = RecoveredSocket { id: id(), rooms: &[], missed: &missed };
    let connect = Message::connect("/", id().as_str(), None);
    pair.server.accept_recovered(socket, &recovered, &connect).unwrap();
    assert_eq!(pair.events(peer), ["disconnected: outbox overflow", "closed: outbox overflow"]);
    pair.check();
}
