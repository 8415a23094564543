//! What the application does to end sockets, connections and the server, and what the driver must
//! be able to rely on.

use alloc::string::String;
use alloc::vec::Vec;

use super::*;
use crate::{EmitError, Message, Refusal, Target, Wants};

#[test]
fn a_socket_is_disconnected_and_its_connection_kept() {
    let mut pair = Pair::new();
    let (peer, socket) = pair.joined();
    pair.emit(socket, "last").unwrap();
    pair.server.socket(socket).unwrap().disconnect(&Message::disconnect("/"));
    assert_eq!(pair.emit(socket, "late"), Err(EmitError::NotConnected));
    assert_eq!(pair.events(peer), ["disconnected: server namespace disconnect"]);
    assert_eq!(pair.received(peer), [r#"42["last"]"#, "41"]);
    pair.join(peer, "/");
}

#[test]
fn a_connection_is_closed_and_each_socket_told() {
    let mut pair = Pair::new();
    for name in ["/a", "/pending"] {
        pair.server.create_namespace(name);
    }
    let (peer, socket) = pair.joined();
    let other = pair.request(peer, "/a");
    pair.accept(other).unwrap();
    pair.received(peer);
    pair.request(peer, "/pending");
    pair.server.socket(socket).unwrap().close_connection(pair.now);
    assert_eq!(
        pair.events(peer),
        [
            "disconnected: server namespace disconnect",
            "disconnected: server namespace disconnect",
            "closed: forced close"
        ]
    );
    assert_eq!(pair.received(peer), ["41", "41/a,", "(close)"]);
}

#[test]
fn the_server_shuts_down() {
    let mut pair = Pair::new();
    let (direct, socket) = pair.joined();
    pair.emit(socket, "last").unwrap();
    let (waiting, _) = pair.joined_polling();
    pair.get(waiting).unwrap();
    let (away, _) = pair.joined_polling();
    let unjoined = pair.websocket();
    pair.server.shut_down(pair.now);
    assert_eq!(pair.server.open_polling(pair.now).err(), Some(Refusal::Unavailable));
    assert_eq!(pair.server.open_websocket(pair.now).err(), Some(Refusal::Unavailable));
    let told = "disconnected: server shutting down";
    let closed = "closed: server shutting down";
    assert_eq!(pair.received(direct), [r#"42["last"]"#, "(close)"]);
    assert_eq!(pair.events(direct), [told, closed]);
    assert_eq!(pair.body(waiting).as_deref(), Some("1"));
    assert_eq!(pair.events(waiting), [told, closed]);
    assert_eq!(pair.events(away), [told, closed]);
    assert_eq!(pair.received(unjoined), ["(close)"]);
    pair.server.shut_down(pair.now);
}

#[test]
fn a_driver_that_gives_a_connection_up_leaves_nothing_behind() {
    let mut pair = Pair::new();
    let (peer, socket) = pair.joined();
    let connection = pair.connection(peer);
    pair.emit_with_ack(socket, 1, 1_000).unwrap();
    pair.send(peer, r#"42["a"]"#);
    pair.server.abandon(connection);
    // What the application is still to be told is all that keeps it.
    assert_eq!(pair.acks(peer).len(), 1);
    assert_eq!(pair.events(peer).len(), 3);
    assert_eq!(pair.server.stats(), crate::Stats::default());
    pair.server.abandon(connection);

    let (peer, _) = pair.joined_polling();
    pair.get(peer).unwrap();
    pair.server.abandon(pair.connection(peer));
    assert_eq!(pair.body(peer).as_deref(), Some("1"));
    assert_eq!(pair.events(peer).len(), 2);
    assert_eq!(pair.server.stats(), crate::Stats::default());
}

#[test]
fn whoever_has_something_to_take_is_named_once() {
    let mut pair = Pair::new();
    let (first, socket) = pair.joined();
    let (second, _) = pair.joined_polling();
    pair.get(second).unwrap();
    while pair.server.poll_dirty().is_some() {}
    let connection = pair.connection(first);
    assert_eq!(pair.server.wants(connection), Wants::default());
    pair.emit(socket, "a").unwrap();
    pair.emit(socket, "b").unwrap();
    assert_eq!(pair.server.poll_dirty(), Some(connection));
    assert_eq!(pair.server.poll_dirty(), None);
    assert_eq!(pair.server.wants(connection), Wants { session: true, poll: false });
    assert_eq!(pair.received(first), [r#"42["a"]"#, r#"42["b"]"#]);
    assert_eq!(pair.server.wants(connection), Wants::default());

    let root = pair.root();
    let message = pair.message("all", None);
    let mut recipients = pair.server.recipients(root, &Target::everybody());
    pair.server.deliver(&mut recipients, &message, crate::Delivery::Reliable, usize::MAX);
    let mut named: Vec<_> = core::iter::from_fn(|| pair.server.poll_dirty()).collect();
    named.sort();
    assert_eq!(named, [connection, pair.connection(second)]);
    let polling = pair.connection(second);
    assert_eq!(pair.server.wants(polling), Wants { session: false, poll: true });
    pair.body(second);
    assert_eq!(pair.server.wants(polling), Wants::default());
}

#[test]
fn acknowledgements_are_news_even_to_those_who_want_no_events() {
    let mut pair = Pair::new();
    let (peer, socket) = pair.joined();
    let connection = pair.connection(peer);
    pair.send(peer, r#"42["a"]"#);
    let news = pair.server.news(connection);
    assert!(news.events && !news.acks && news.wants_input && !news.is_over);
    pair.emit_with_ack(socket, 1, 1_000).unwrap();
    pair.send(peer, "431[]");
    assert!(pair.server.news(connection).acks);
    assert_eq!(pair.acks(peer), ["1: []"]);
}

#[test]
fn keys_of_what_has_gone_answer_so() {
    let mut pair = Pair::new();
    let (peer, socket) = pair.joined();
    let connection = pair.connection(peer);
    pair.hang_up(peer, true);
    pair.events(peer);
    assert_eq!(pair.server.wants(connection), Wants::default());
    assert!(pair.server.socket(socket).is_none());
    assert!(pair.server.wants_input(connection));
    assert!(pair.server.poll_event(connection).is_none());
    assert!(pair.server.poll_ack(connection).is_none());
    assert_eq!(pair.received(peer), ["(close)"]);
    assert_eq!(pair.server.begin_poll(connection).err(), Some(Refusal::UnknownSession));
    let newcomer = pair.joined().0;
    assert_ne!(pair.connection(newcomer), connection);
}

/// Everything that a small life of two clients brings out.
fn story(seed: u8) -> Vec<String> {
    let mut pair = Pair::new();
    pair.server = crate::Server::new(crate::Config::default(), [seed; 32]);
    let mut trace = Vec::new();
    let (first, open) = pair.open_websocket();
    trace.extend(open);
    let (second, open) = pair.open_polling();
    trace.push(open);
    for peer in [first, second] {
        let socket = pair.request(peer, "/");
        pair.accept(socket).unwrap();
        pair.server.socket(socket).unwrap().join("room");
        pair.emit(socket, "hello").unwrap();
    }
    pair.advance(100_000);
    trace.extend(pair.received(first));
    trace.extend(pair.events(first));
    trace.extend(pair.events(second));
    trace
}

#[test]
fn the_same_seed_and_inputs_give_the_same_outputs() {
    assert_eq!(story(1), story(1));
    assert_ne!(story(1), story(2));
}

#[test]
fn the_session_is_wanted_for_each_thing_that_it_has() {
    let mut pair = Pair::new();
    let (peer, socket) = pair.joined();
    let connection = pair.connection(peer);
    assert!(!pair.server.wants(connection).session);
    pair.send(peer, r#"42["a"]"#);
    assert!(pair.server.wants(connection).session, "an event");
    pair.events(peer);
    assert!(!pair.server.wants(connection).session);
    pair.emit_with_ack(socket, 0, 5_000).unwrap();
    assert!(pair.server.wants(connection).session, "a message");
    pair.received(peer);
    assert!(!pair.server.wants(connection).session);
    pair.send(peer, "430[]");
    assert!(pair.server.wants(connection).session, "an acknowledgement");
    pair.acks(peer);
    assert!(!pair.server.wants(connection).session);
}

#[test]
fn a_session_is_over_though_its_last_events_were_not_taken() {
    let mut pair = Pair::new();
    let (peer, _) = pair.joined();
    let connection = pair.connection(peer);
    assert!(!pair.server.is_over(connection));
    pair.hang_up(peer, true);
    assert!(pair.server.is_over(connection));
    assert_eq!(pair.server.stats().connections, 1);
    pair.events(peer);
    assert_eq!(pair.server.stats().connections, 0);
    assert!(pair.server.is_over(connection));
}
