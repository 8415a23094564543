//! Long-polling: the handshake, the cycle of GET and POST, and what clients do wrong with them.

use alloc::format;
use alloc::vec::Vec;

use super::*;
use crate::codec::engine::Inbound;
use crate::codec::payload::v3;
use crate::http::Route;
use crate::{Delivery, EmitError, Gone, Refusal};

#[test]
fn the_handshake_of_a_polling_session() {
    let mut pair = Pair::new();
    let (peer, open) = pair.open_polling();
    let sid = pair.sid(peer);
    assert_eq!(
        open,
        format!(
            r#"0{{"sid":"{}","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}}"#,
            sid.as_str()
        )
    );
    assert_eq!(pair.server.find(&Route::Poll(sid)).ok(), Some(pair.connection(peer)));
}

#[test]
fn the_handshake_of_a_websocket_session() {
    let mut pair = Pair::with(|config| config.shard = 1);
    let (peer, open) = pair.open_websocket();
    let sid = pair.sid(peer);
    assert_eq!(sid.shard(), 1);
    assert_eq!(
        open,
        [format!(
            r#"0{{"sid":"{}","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}}"#,
            sid.as_str()
        )]
    );
    assert_eq!(pair.server.find(&Route::Poll(sid)), Err(Refusal::TransportMismatch));
    assert_eq!(pair.server.find(&Route::Post(sid)), Err(Refusal::TransportMismatch));
}

#[test]
fn upgrades_are_announced_only_where_they_are_possible() {
    let mut pair = Pair::with(|config| config.allow_upgrades = false);
    assert!(pair.open_polling().1.contains(r#""upgrades":[]"#));
    let mut pair = Pair::with(|config| config.transports.websocket = false);
    assert!(pair.open_polling().1.contains(r#""upgrades":[]"#));
}

#[test]
fn a_get_waits_for_a_message_and_takes_all_there_are() {
    let mut pair = Pair::new();
    let (peer, socket) = pair.joined_polling();
    pair.get(peer).unwrap();
    assert_eq!(pair.body(peer), None);
    pair.emit(socket, "a").unwrap();
    pair.emit(socket, "b").unwrap();
    assert_eq!(pair.body(peer).as_deref(), Some(r#"42["a"]|42["b"]"#));
    pair.emit(socket, "c").unwrap();
    assert_eq!(pair.poll(peer), r#"42["c"]"#);
}

#[test]
fn a_post_brings_several_packets_while_a_get_waits() {
    let mut pair = Pair::new();
    let (peer, _) = pair.joined_polling();
    pair.get(peer).unwrap();
    pair.post(peer, r#"42["a",1]|427["b"]|6|0"#).unwrap();
    assert_eq!(pair.events(peer), [r#"["a",1]"#, r#"["b"] ack 7"#]);
    assert_eq!(pair.body(peer), None);
}

#[test]
fn packets_before_a_malformed_one_count() {
    let mut pair = Pair::new();
    let (peer, _) = pair.joined_polling();
    pair.get(peer).unwrap();
    pair.post(peer, r#"42["a"]|x|42["b"]"#).unwrap();
    assert_eq!(pair.events(peer), [r#"["a"]"#, "disconnected: parse error", "closed: parse error"]);
    assert_eq!(pair.body(peer).as_deref(), Some("1"));
    assert_eq!(pair.get(peer), Err(Refusal::UnknownSession));
}

#[test]
fn malformed_bodies_are_parse_errors() {
    for body in ["", "abc", "4x|", r#"42["a"]|"#, "7"] {
        let mut pair = Pair::new();
        let (peer, _) = pair.joined_polling();
        pair.post(peer, body).unwrap();
        let events = pair.events(peer);
        let last = events.last().map(alloc::string::String::as_str);
        if body == "4x|" {
            // Its first packet is a message that is no Socket.IO packet.
            assert_eq!(events[0], "violation: unknown packet type 0x78");
        } else {
            assert_eq!(last, Some("closed: parse error"), "{body:?}");
        }
    }
}

#[test]
fn more_packets_than_the_limit_are_a_parse_error() {
    let mut pair = Pair::with(|config| config.limits.payload_packets = 3);
    let (peer, _) = pair.joined_polling();
    pair.post(peer, "6|6|6").unwrap();
    assert!(pair.events(peer).is_empty());
    pair.post(peer, r#"6|6|42["a"]|6"#).unwrap();
    assert_eq!(pair.events(peer), [r#"["a"]"#, "disconnected: parse error", "closed: parse error"]);
}

#[test]
fn a_post_may_be_handled_in_parts() {
    let mut pair = Pair::new();
    let (peer, _) = pair.joined_polling();
    let connection = pair.connection(peer);
    let post = pair.server.begin_post(connection).unwrap();
    let limits = pair.server.config().limits.clone();
    let mut packets = post.decode(
        r#"42["a"]|42["b"]|42["c"]"#.replace('|', "\x1e").into(),
        v3::Body::Text,
        &limits,
    );
    for event in [r#"["a"]"#, r#"["b"]"#] {
        let part = packets.by_ref().take(1);
        pair.server.handle_post_part(pair.now, connection, post, part).unwrap();
        assert_eq!(pair.events(peer), [event]);
    }
    pair.server.handle_post(pair.now, connection, post, packets).unwrap();
    assert_eq!(pair.events(peer), [r#"["c"]"#]);
    pair.post(peer, r#"42["d"]"#).unwrap();
    assert_eq!(pair.events(peer), [r#"["d"]"#]);
}

#[test]
fn a_post_is_under_way_between_its_parts() {
    let mut pair = Pair::new();
    let (peer, _) = pair.joined_polling();
    let connection = pair.connection(peer);
    let post = pair.server.begin_post(connection).unwrap();
    pair.server.handle_post_part(pair.now, connection, post, []).unwrap();
    assert_eq!(pair.server.begin_post(connection).err(), Some(Refusal::Overlap));
    assert_eq!(pair.server.handle_post_part(pair.now, connection, post, []), Err(Gone));
}

#[test]
fn a_part_of_a_post_that_ends_its_session_is_its_last() {
    let mut pair = Pair::new();
    let (peer, _) = pair.joined_polling();
    let connection = pair.connection(peer);
    let post = pair.server.begin_post(connection).unwrap();
    let close = [Ok(Inbound::Close)];
    assert_eq!(pair.server.handle_post_part(pair.now, connection, post, close), Ok(()));
    pair.events(peer);
    assert_eq!(pair.server.stats().connections, 1, "the POST is not over");
    assert_eq!(pair.server.handle_post_part(pair.now, connection, post, []), Err(Gone));
    assert_eq!(pair.server.stats(), crate::Stats::default());
}

#[test]
fn a_second_get_closes_the_session_and_releases_the_first() {
    let mut pair = Pair::new();
    let (peer, _) = pair.joined_polling();
    pair.get(peer).unwrap();
    let connection = pair.connection(peer);
    assert_eq!(pair.server.begin_poll(connection).err(), Some(Refusal::Overlap));
    assert_eq!(pair.body(peer).as_deref(), Some("1"));
    assert_eq!(pair.events(peer), ["disconnected: transport error", "closed: transport error"]);
    assert_eq!(pair.server.find(&Route::Poll(pair.sid(peer))), Err(Refusal::UnknownSession));
}

#[test]
fn a_second_post_closes_the_session_and_voids_the_first() {
    let mut pair = Pair::new();
    let (peer, _) = pair.joined_polling();
    pair.get(peer).unwrap();
    let connection = pair.connection(peer);
    let first = pair.server.begin_post(connection).unwrap();
    assert_eq!(pair.server.begin_post(connection).err(), Some(Refusal::Overlap));
    assert_eq!(pair.body(peer).as_deref(), Some("1"));
    assert_eq!(pair.events(peer), ["disconnected: transport error", "closed: transport error"]);
    assert_eq!(pair.server.handle_post(pair.now, connection, first, []), Err(Gone));
}

#[test]
fn a_get_that_is_aborted_closes_the_session() {
    let mut pair = Pair::new();
    let (peer, socket) = pair.joined_polling();
    pair.get(peer).unwrap();
    pair.emit(socket, "lost").unwrap();
    pair.abort_get(peer);
    assert_eq!(pair.events(peer), ["disconnected: transport error", "closed: transport error"]);
}

#[test]
fn a_post_that_is_aborted_closes_the_session() {
    let mut pair = Pair::new();
    let (peer, _) = pair.joined_polling();
    let connection = pair.connection(peer);
    let post = pair.server.begin_post(connection).unwrap();
    pair.server.handle_post_aborted(connection, post);
    assert_eq!(pair.events(peer), ["disconnected: transport error", "closed: transport error"]);
}

#[test]
fn a_post_that_is_too_large_changes_nothing() {
    let mut pair = Pair::new();
    let (peer, _) = pair.joined_polling();
    let connection = pair.connection(peer);
    let post = pair.server.begin_post(connection).unwrap();
    pair.server.handle_post_rejected(connection, post);
    pair.post(peer, r#"42["a"]"#).unwrap();
    assert_eq!(pair.events(peer), [r#"["a"]"#]);
}

#[test]
fn a_post_whose_session_ended_meanwhile_is_given_up() {
    let mut pair = Pair::new();
    let (peer, _) = pair.joined_polling();
    let connection = pair.connection(peer);
    let post = pair.server.begin_post(connection).unwrap();
    pair.get(peer).unwrap();
    pair.abort_get(peer);
    pair.events(peer);
    assert_eq!(pair.server.handle_post(pair.now, connection, post, []), Err(Gone));
    assert_eq!(pair.server.handle_post(pair.now, connection, post, []), Err(Gone));
}

#[test]
fn the_clients_close_is_answered_with_a_noop() {
    let mut pair = Pair::new();
    let (peer, _) = pair.joined_polling();
    pair.get(peer).unwrap();
    pair.post(peer, r#"1|42["late"]"#).unwrap();
    assert_eq!(pair.body(peer).as_deref(), Some("6"));
    assert_eq!(pair.events(peer), ["disconnected: transport close", "closed: transport close"]);
}

#[test]
fn a_get_that_the_clients_close_overtook_is_answered_once() {
    let mut pair = Pair::new();
    let (peer, _) = pair.joined_polling();
    assert_eq!(pair.late_body(peer), None, "the session is open");
    pair.post(peer, "1").unwrap();
    assert_eq!(pair.get(peer), Err(Refusal::UnknownSession));
    assert_eq!(pair.late_body(peer).as_deref(), Some("6"));
    assert_eq!(pair.late_body(peer), None);
}

#[test]
fn no_get_is_awaited_of_who_did_not_say_close_or_has_one_that_waits() {
    let mut pair = Pair::new();
    let (waits, _) = pair.joined_polling();
    pair.get(waits).unwrap();
    pair.post(waits, "1").unwrap();
    assert_eq!(pair.body(waits).as_deref(), Some("6"));
    let (failed, _) = pair.joined_polling();
    pair.post(failed, "9").unwrap();
    let (superseded, socket) = pair.joined_polling();
    pair.server.socket(socket).unwrap().supersede();
    let (on_websocket, _) = pair.open_websocket();
    pair.send(on_websocket, "1");
    for peer in [waits, failed, superseded, on_websocket] {
        assert_eq!(pair.late_body(peer), None);
    }
}

#[test]
fn the_gets_of_those_who_left_last_are_awaited() {
    let mut pair = Pair::new();
    let left: Vec<_> = core::iter::repeat_with(|| {
        let peer = pair.polling();
        pair.post(peer, "1").unwrap();
        peer
    })
    .take(65)
    .collect();
    assert_eq!(pair.late_body(left[0]), None);
    for peer in &left[1..] {
        assert_eq!(pair.late_body(*peer).as_deref(), Some("6"));
    }
}

#[test]
fn a_stale_key_of_a_request_changes_nothing() {
    let mut pair = Pair::new();
    let (peer, socket) = pair.joined_polling();
    let connection = pair.connection(peer);
    let old = pair.server.begin_poll(connection).unwrap();
    pair.emit(socket, "a").unwrap();
    assert!(pair.server.take_poll_response(connection, old).is_some());
    pair.get(peer).unwrap();
    pair.emit(socket, "b").unwrap();
    assert!(pair.server.take_poll_response(connection, old).is_none());
    pair.server.handle_poll_aborted(connection, old);
    assert_eq!(pair.body(peer).as_deref(), Some(r#"42["b"]"#));
}

#[test]
fn a_volatile_message_needs_a_get_that_waits() {
    let mut pair = Pair::new();
    let (peer, socket) = pair.joined_polling();
    assert_eq!(pair.emit_by(socket, "a", Delivery::Volatile), Err(EmitError::Dropped));
    pair.get(peer).unwrap();
    assert_eq!(pair.emit_by(socket, "b", Delivery::Volatile), Ok(()));
    assert_eq!(pair.emit_by(socket, "c", Delivery::Volatile), Err(EmitError::Dropped));
    assert_eq!(pair.body(peer).as_deref(), Some(r#"42["b"]"#));
}

#[test]
fn unknown_sessions_are_refused() {
    let mut pair = Pair::new();
    let peer = pair.polling();
    let sid = pair.sid(peer);
    pair.post(peer, "1").unwrap();
    for route in [Route::Poll(sid), Route::Post(sid), Route::Upgrade(sid)] {
        assert_eq!(pair.server.find(&route), Err(Refusal::UnknownSession));
    }
    let connection = pair.connection(peer);
    assert_eq!(pair.server.begin_post(connection).err(), Some(Refusal::UnknownSession));
    assert_eq!(pair.begin_upgrade(peer), None);
}
