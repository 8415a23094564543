//! What a peer can make the server hold.

use super::*;
use crate::{EmitError, Refusal, Stats};

#[test]
fn sessions_are_limited() {
    let mut pair = Pair::with(|config| config.limits.sessions = 2);
    let first = pair.websocket();
    pair.polling();
    assert_eq!(pair.server.open_websocket(pair.now).err(), Some(Refusal::Unavailable));
    pair.hang_up(first, true);
    pair.websocket();
    assert_eq!(pair.server.open_polling(pair.now).err(), Some(Refusal::Unavailable));
}

#[test]
fn namespaces_are_limited() {
    let mut pair = Pair::with(|config| config.limits.namespaces = 2);
    for name in ["/a", "/b"] {
        pair.server.create_namespace(name);
    }
    let (peer, _) = pair.joined();
    pair.request(peer, "/a");
    pair.send(peer, "40/b,");
    assert_eq!(pair.events(peer), ["disconnected: forced close", "closed: forced close"]);
}

#[test]
fn rooms_are_limited() {
    let mut pair = Pair::with(|config| config.limits.rooms = 2);
    let (_, key) = pair.joined();
    let mut socket = pair.server.socket(key).unwrap();
    let id = socket.id().unwrap();
    assert!(socket.join("a") && socket.join("b") && !socket.join("c"));
    assert!(socket.leave(id.as_str()) && socket.join(id.as_str()), "its own is not counted");
    assert!(socket.leave("a") && socket.join("c"));
    assert_eq!(pair.server.stats().rooms, 2);
}

#[test]
fn events_that_nobody_takes_stop_the_reading() {
    let mut pair = Pair::with(|config| {
        config.limits.inbox_events = 3;
        config.limits.inbox_bytes = 100;
    });
    let (peer, _) = pair.joined();
    let connection = pair.connection(peer);
    for _ in 0..2 {
        pair.send(peer, r#"42["a"]"#);
        assert!(pair.server.wants_input(connection));
    }
    pair.send(peer, r#"42["a"]"#);
    assert!(!pair.server.wants_input(connection));
    pair.server.poll_event(connection);
    assert!(pair.server.wants_input(connection));
    pair.events(peer);
    pair.send(peer, &alloc::format!(r#"42["{}"]"#, "a".repeat(100)));
    assert!(!pair.server.wants_input(connection));
    pair.events(peer);
    assert!(pair.server.wants_input(connection));
}

#[test]
fn requests_to_join_count_as_events() {
    let mut pair = Pair::with(|config| config.limits.inbox_events = 1);
    let peer = pair.websocket();
    let connection = pair.connection(peer);
    pair.send(peer, "40");
    assert!(!pair.server.wants_input(connection));
}

#[test]
fn a_client_that_asks_without_reading_is_closed() {
    let mut pair = Pair::with(|config| config.limits.outbox_bytes = 1_000);
    let peer = pair.websocket();
    for _ in 0..100 {
        pair.send(peer, "40/nope,");
        assert!(pair.server.stats().outbox_bytes <= 1_000);
    }
    assert_eq!(pair.events(peer), ["closed: outbox overflow"]);
}

#[test]
fn a_client_that_is_refused_again_and_again_without_reading_is_closed() {
    let mut pair = Pair::with(|config| config.limits.outbox_bytes = 200);
    let peer = pair.polling();
    for _ in 0..100 {
        if pair.server.stats().sessions == 0 {
            break;
        }
        let socket = pair.request(peer, "/");
        pair.reject(socket, "no").unwrap();
        assert!(pair.server.stats().outbox_bytes <= 200);
    }
    assert_eq!(pair.events(peer), ["closed: outbox overflow"]);
}

#[test]
fn a_socket_whose_client_is_told_nothing_any_more_ends_with_the_connection() {
    let mut pair = Pair::with(|config| config.limits.outbox_bytes = 100);
    pair.server.create_namespace("/a");
    let (peer, socket) = pair.joined();
    let other = pair.request(peer, "/a");
    while pair.emit(socket, "fill").is_ok() {}
    pair.accept(other).unwrap();
    assert_eq!(
        pair.events(peer),
        [
            "disconnected: outbox overflow",
            "disconnected: outbox overflow",
            "closed: outbox overflow"
        ]
    );
}

#[test]
fn a_message_larger_than_the_limit_goes_out_alone() {
    let mut pair = Pair::with(|config| config.limits.outbox_bytes = 10);
    let (peer, socket) = pair.joined();
    pair.emit(socket, "a long name of an event").unwrap();
    assert_eq!(pair.emit(socket, "b"), Err(EmitError::Full));
    assert_eq!(pair.received(peer).len(), 1);
    pair.emit(socket, "another long name").unwrap();
}

#[test]
fn timers_of_connections_that_have_gone_do_not_pile_up() {
    let mut pair = Pair::new();
    let keeper = pair.websocket();
    for _ in 0..2_000 {
        let peer = pair.websocket();
        pair.hang_up(peer, true);
        pair.events(peer);
        assert!(pair.server.stats().timers <= 300);
    }
    pair.hang_up(keeper, true);
    pair.events(keeper);
    assert_eq!(pair.server.stats(), Stats::default());
}

#[test]
fn a_long_conversation_needs_few_timers() {
    let mut pair = Pair::new();
    let (peer, socket) = pair.joined();
    for ack in 0..2_000 {
        pair.emit_with_ack(socket, ack, 5_000).unwrap();
        pair.received(peer);
        pair.send(peer, &alloc::format!("43{ack}[]"));
        pair.advance(10);
        pair.send(peer, "3");
        assert_eq!(pair.acks(peer).len(), 1);
        // Each entry that no longer counts was the heartbeat's when no acknowledgement was due.
        assert!(pair.server.stats().timers <= 8);
    }
}

#[test]
fn what_waits_to_be_sent_may_reach_the_limit_and_not_pass_it() {
    // Two bytes of a WebSocket's header, then `42["abc"]`.
    const MESSAGE_BYTES: usize = 2 + 9;
    let mut pair = Pair::with(|config| config.limits.outbox_bytes = 3 * MESSAGE_BYTES);
    let (peer, socket) = pair.joined();
    for round in 0..3 {
        for count in 0..3 {
            assert_eq!(pair.server.stats().outbox_bytes, count * MESSAGE_BYTES, "{round}");
            pair.emit(socket, "abc").unwrap();
        }
        assert_eq!(pair.server.stats().outbox_bytes, 3 * MESSAGE_BYTES);
        assert_eq!(pair.emit(socket, "abc"), Err(EmitError::Full));
        assert_eq!(pair.received(peer).len(), 3);
    }
    assert_eq!(pair.server.stats().outbox_bytes, 0);
    pair.emit(socket, "abc").unwrap();
    pair.emit(socket, "abc").unwrap();
    assert_eq!(pair.emit(socket, "abcd"), Err(EmitError::Full), "one byte too many");
}
