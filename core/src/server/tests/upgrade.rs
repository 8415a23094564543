//! From polling to WebSocket.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::*;
use crate::http::Route;
use crate::{Delivery, Refusal};

#[test]
fn an_upgrade_step_by_step() {
    let mut pair = Pair::new();
    let (peer, socket) = pair.joined_polling();
    pair.get(peer).unwrap();
    let websocket = pair.begin_upgrade(peer).unwrap();
    assert_eq!(pair.received_on(peer, websocket), [""; 0]);
    pair.send_on(peer, websocket, "2probe");
    assert_eq!(pair.received_on(peer, websocket), ["3probe"]);
    assert_eq!(pair.body(peer).as_deref(), Some("6"));
    pair.send_on(peer, websocket, "5");
    pair.switch(peer, websocket);
    pair.emit(socket, "a").unwrap();
    assert_eq!(pair.received(peer), [r#"42["a"]"#]);
    pair.send(peer, r#"42["b"]"#);
    assert_eq!(pair.events(peer), [r#"["b"]"#]);
    assert_eq!(pair.server.find(&Route::Poll(pair.sid(peer))), Err(Refusal::TransportMismatch));
    assert_eq!(pair.get(peer), Err(Refusal::TransportMismatch));
    assert_eq!(pair.begin_upgrade(peer), None);
    pair.hang_up(peer, true);
    assert_eq!(pair.events(peer), ["disconnected: transport close", "closed: transport close"]);
}

/// The steps of an upgrade. Messages are emitted before any set of them, and the client may have a
/// GET under way at first, or not, and may ask once more before it gets the `3probe`.
#[test]
fn whenever_messages_are_emitted_each_arrives_once_and_in_order() {
    const STEPS: u32 = 7;
    for emits in 0..1_u32 << STEPS {
        for waiting in [false, true] {
            for polls_again in [false, true] {
                upgrade_with(emits, waiting, polls_again);
            }
        }
    }
}

fn upgrade_with(emits: u32, waiting: bool, polls_again: bool) {
    let mut pair = Pair::new();
    let (peer, socket) = pair.joined_polling();
    let mut expected = Vec::new();
    let mut got = Vec::new();
    let mut step = 0;
    let mut before_step = |pair: &mut Pair, expected: &mut Vec<String>| {
        if emits & (1 << step) != 0 {
            let name = alloc::format!("e{step}");
            pair.emit(socket, &name).unwrap();
            expected.push(alloc::format!(r#"42["{name}"]"#));
        }
        step += 1;
    };
    let take = |body: Option<String>, got: &mut Vec<String>| {
        let body = body.unwrap_or_default();
        got.extend(body.split('|').filter(|p| !matches!(*p, "" | "6")).map(ToString::to_string));
    };
    if waiting {
        pair.get(peer).unwrap();
    }
    before_step(&mut pair, &mut expected);
    let websocket = pair.begin_upgrade(peer).unwrap();
    before_step(&mut pair, &mut expected);
    pair.send_on(peer, websocket, "2probe");
    before_step(&mut pair, &mut expected);
    take(pair.body(peer), &mut got);
    before_step(&mut pair, &mut expected);
    if polls_again {
        take(Some(pair.poll(peer)), &mut got);
    }
    assert_eq!(pair.received_on(peer, websocket), ["3probe"]);
    before_step(&mut pair, &mut expected);
    pair.send_on(peer, websocket, "5");
    pair.switch(peer, websocket);
    before_step(&mut pair, &mut expected);
    got.extend(pair.received(peer));
    before_step(&mut pair, &mut expected);
    got.extend(pair.received(peer));
    assert_eq!(got, expected, "{emits:b} {waiting} {polls_again}");
}

#[test]
fn a_get_that_waits_at_the_takeover_is_told_that_polling_is_over() {
    let mut pair = Pair::new();
    let (peer, socket) = pair.joined_polling();
    let websocket = pair.begin_upgrade(peer).unwrap();
    pair.send_on(peer, websocket, "2probe");
    pair.get(peer).unwrap();
    pair.emit(socket, "a").unwrap();
    pair.send_on(peer, websocket, "5");
    pair.switch(peer, websocket);
    assert_eq!(pair.body(peer).as_deref(), Some("1"));
    assert_eq!(pair.received(peer), ["3probe", r#"42["a"]"#][1..]);
}

#[test]
fn a_request_that_ends_badly_after_the_takeover_does_no_harm() {
    let mut pair = Pair::new();
    let (peer, _) = pair.joined_polling();
    let connection = pair.connection(peer);
    pair.get(peer).unwrap();
    let post = pair.server.begin_post(connection).unwrap();
    pair.upgrade(peer);
    pair.abort_get(peer);
    pair.server.handle_post_aborted(connection, post);
    pair.send(peer, r#"42["a"]"#);
    assert_eq!(pair.events(peer), [r#"["a"]"#]);
}

#[test]
fn packets_of_a_post_that_ends_after_the_takeover_are_ignored() {
    let mut pair = Pair::new();
    let (peer, _) = pair.joined_polling();
    let connection = pair.connection(peer);
    let post = pair.server.begin_post(connection).unwrap();
    pair.upgrade(peer);
    let packets = [Ok(crate::codec::engine::Inbound::Close)];
    pair.server.handle_post(pair.now, connection, post, packets).unwrap();
    assert!(pair.events(peer).is_empty());
}

#[test]
fn whatever_is_no_probe_ends_the_probe_only_and_the_client_may_try_again() {
    for packet in ["0", "1", "2", "3", "3probe", "40", r#"42["a"]"#, "5", "6", "b", "x", "", "4"] {
        let mut pair = Pair::new();
        let (peer, socket) = pair.joined_polling();
        let websocket = pair.begin_upgrade(peer).unwrap();
        assert_eq!(pair.begin_upgrade(peer), None, "one at a time");
        pair.send_on(peer, websocket, packet);
        assert_eq!(pair.received_on(peer, websocket), ["(close)"], "{packet:?}");
        assert!(pair.events(peer).is_empty());
        pair.emit(socket, "a").unwrap();
        assert_eq!(pair.poll(peer), r#"42["a"]"#);
        pair.upgrade(peer);
        pair.emit(socket, "b").unwrap();
        assert_eq!(pair.received(peer), [r#"42["b"]"#]);
    }
}

#[test]
fn whatever_follows_the_probe_must_be_the_upgrade() {
    for packet in ["0", "1", "2", "3", "40", r#"42["a"]"#, "6", "x"] {
        let mut pair = Pair::new();
        let (peer, _) = pair.joined_polling();
        let websocket = pair.begin_upgrade(peer).unwrap();
        pair.send_on(peer, websocket, "2probe");
        pair.send_on(peer, websocket, packet);
        assert_eq!(pair.received_on(peer, websocket), ["(close)"], "{packet:?}");
        pair.send_on(peer, websocket, "5");
        pair.post(peer, r#"42["a"]"#).unwrap();
        assert_eq!(pair.events(peer), [r#"["a"]"#]);
        pair.get(peer).unwrap();
        assert_eq!(pair.body(peer), None, "polling waits again");
    }
}

#[test]
fn many_probes_on_one_websocket_are_one() {
    let mut pair = Pair::new();
    let (peer, _) = pair.joined_polling();
    let websocket = pair.begin_upgrade(peer).unwrap();
    for _ in 0..100 {
        pair.send_on(peer, websocket, "2probe");
    }
    assert_eq!(pair.received_on(peer, websocket), ["3probe"]);
}

#[test]
fn an_upgrade_takes_no_longer_than_its_limit() {
    let mut pair = Pair::new();
    let (peer, _) = pair.joined_polling();
    let websocket = pair.begin_upgrade(peer).unwrap();
    pair.send_on(peer, websocket, "2probe");
    pair.advance(9_999);
    assert_eq!(pair.received_on(peer, websocket), ["3probe"]);
    pair.advance(1);
    assert_eq!(pair.received_on(peer, websocket), ["(close)"]);
    assert!(pair.events(peer).is_empty());
    pair.upgrade(peer);
    pair.send(peer, r#"42["a"]"#);
    assert_eq!(pair.events(peer), [r#"["a"]"#]);
}

#[test]
fn a_probe_that_fails_leaves_polling_alone() {
    let mut pair = Pair::new();
    let (peer, _) = pair.joined_polling();
    let websocket = pair.begin_upgrade(peer).unwrap();
    pair.send_on(peer, websocket, "2probe");
    pair.close_websocket(peer, websocket, false);
    pair.post(peer, r#"42["a"]"#).unwrap();
    assert_eq!(pair.events(peer), [r#"["a"]"#]);
}

#[test]
fn an_abandoned_websocket_does_not_disturb_the_one_that_took_over() {
    let mut pair = Pair::new();
    let (peer, socket) = pair.joined_polling();
    let first = pair.begin_upgrade(peer).unwrap();
    pair.send_on(peer, first, "6");
    pair.upgrade(peer);
    pair.send_on(peer, first, "1");
    assert_eq!(pair.received_on(peer, first), ["(close)"]);
    pair.emit(socket, "a").unwrap();
    assert_eq!(pair.received(peer), [r#"42["a"]"#]);
    assert!(pair.events(peer).is_empty());
}

#[test]
fn upgrades_can_be_refused() {
    let mut pair = Pair::with(|config| config.allow_upgrades = false);
    let (peer, _) = pair.joined_polling();
    assert_eq!(pair.begin_upgrade(peer), None);
    let direct = pair.websocket();
    assert_eq!(pair.begin_upgrade(direct), None);
}

#[test]
fn the_end_of_the_session_closes_the_probe() {
    let mut pair = Pair::new();
    let (peer, _) = pair.joined_polling();
    let websocket = pair.begin_upgrade(peer).unwrap();
    pair.send_on(peer, websocket, "2probe");
    pair.post(peer, "1").unwrap();
    assert_eq!(pair.received_on(peer, websocket), ["(close)"]);
}

#[test]
fn a_session_that_is_closing_may_still_upgrade_to_hand_over_what_it_has() {
    let mut pair = Pair::new();
    let (peer, socket) = pair.joined_polling();
    pair.emit(socket, "a").unwrap();
    pair.server.socket(socket).unwrap().close_connection(pair.now);
    assert_eq!(pair.events(peer), ["disconnected: server namespace disconnect"]);
    let websocket = pair.begin_upgrade(peer).unwrap();
    pair.send_on(peer, websocket, "2probe");
    assert_eq!(pair.received_on(peer, websocket), ["3probe"]);
    pair.send_on(peer, websocket, "5");
    pair.switch(peer, websocket);
    assert_eq!(pair.events(peer), ["closed: forced close"]);
    assert_eq!(pair.received(peer), [r#"42["a"]"#, "41", "(close)"]);
}

#[test]
fn volatile_messages_go_by_the_transport_of_the_moment() {
    let mut pair = Pair::new();
    let (peer, socket) = pair.joined_polling();
    let websocket = pair.begin_upgrade(peer).unwrap();
    pair.send_on(peer, websocket, "2probe");
    assert!(pair.emit_by(socket, "a", Delivery::Volatile).is_err());
    pair.send_on(peer, websocket, "5");
    pair.switch(peer, websocket);
    assert!(pair.emit_by(socket, "b", Delivery::Volatile).is_ok());
    assert!(pair.emit_by(socket, "c", Delivery::Volatile).is_err());
    assert_eq!(pair.received(peer), [r#"42["b"]"#]);
}

#[test]
fn a_probe_that_was_given_up_does_not_disturb_the_next() {
    let mut pair = Pair::new();
    let (peer, socket) = pair.joined_polling();
    let first = pair.begin_upgrade(peer).unwrap();
    while pair.server.poll_dirty().is_some() {}
    pair.send_on(peer, first, "6");
    assert_eq!(pair.server.poll_dirty(), Some(pair.connection(peer)), "it is to be closed");
    assert!(pair.server.wants(pair.connection(peer)).session);
    let second = pair.begin_upgrade(peer).unwrap();
    // Nobody has closed the first yet, and what comes on it counts for nothing.
    pair.send_on(peer, first, "2probe");
    assert_eq!(pair.received_on(peer, second), [""; 0]);
    pair.send_on(peer, second, "2probe");
    pair.send_on(peer, first, "5");
    pair.send_on(peer, first, "6");
    pair.emit(socket, "a").unwrap();
    assert_eq!(pair.received_on(peer, first), ["(close)"]);
    assert_eq!(pair.received_on(peer, second), ["3probe"]);
    pair.send_on(peer, second, "5");
    pair.switch(peer, second);
    assert_eq!(pair.received(peer), [r#"42["a"]"#]);
    assert!(pair.events(peer).is_empty());
}
