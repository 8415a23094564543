//! The ways in which sessions end, as far as they are not shown elsewhere.

use super::*;
use crate::{EmitError, Refusal};

#[test]
fn what_is_queued_goes_with_a_get_that_waits() {
    let mut pair = Pair::new();
    let (peer, socket) = pair.joined_polling();
    pair.get(peer).unwrap();
    pair.emit(socket, "last").unwrap();
    pair.server.socket(socket).unwrap().close_connection(pair.now);
    assert_eq!(pair.events(peer), ["disconnected: server namespace disconnect"]);
    assert_eq!(pair.body(peer).as_deref(), Some(r#"42["last"]|41"#));
    assert_eq!(pair.events(peer), [""; 0]);
    assert_eq!(pair.poll(peer), "6|1");
    assert_eq!(pair.events(peer), ["closed: forced close"]);
    assert_eq!(pair.get(peer), Err(Refusal::UnknownSession));
}

#[test]
fn what_is_queued_goes_with_the_next_get() {
    let mut pair = Pair::new();
    let (peer, socket) = pair.joined_polling();
    pair.emit(socket, "last").unwrap();
    pair.server.socket(socket).unwrap().close_connection(pair.now);
    assert_eq!(pair.events(peer), ["disconnected: server namespace disconnect"]);
    assert_eq!(pair.emit(socket, "late"), Err(EmitError::NotConnected));
    pair.post(peer, r#"42["ignored"]|40|x"#).unwrap();
    assert_eq!(pair.poll(peer), r#"42["last"]|41"#);
    assert_eq!(pair.poll(peer), "6|1");
    assert_eq!(pair.events(peer), ["closed: forced close"]);
}

#[test]
fn a_client_that_never_asks_again_is_given_up() {
    let mut pair = Pair::new();
    let (peer, socket) = pair.joined_polling();
    pair.server.socket(socket).unwrap().close_connection(pair.now);
    pair.events(peer);
    pair.advance(29_999);
    assert_eq!(pair.events(peer), [""; 0]);
    pair.advance(1);
    assert_eq!(pair.events(peer), ["closed: forced close"]);
    assert_eq!(pair.get(peer), Err(Refusal::UnknownSession));
}

#[test]
fn a_closing_session_sends_no_pings() {
    let mut pair = Pair::with(|config| {
        config.polling_close_timeout = core::time::Duration::from_millis(300_000);
    });
    let (peer, socket) = pair.joined_polling();
    pair.server.socket(socket).unwrap().close_connection(pair.now);
    pair.advance(299_999);
    assert_eq!(pair.poll(peer), "41");
    assert_eq!(pair.poll(peer), "6|1");
}

#[test]
fn a_websocket_hands_out_what_is_queued_and_closes() {
    let mut pair = Pair::new();
    let (peer, socket) = pair.joined();
    pair.emit(socket, "last").unwrap();
    pair.server.socket(socket).unwrap().close_connection(pair.now);
    let events = pair.events(peer);
    assert_eq!(events.last().unwrap(), "closed: forced close");
    assert_eq!(pair.received(peer), [r#"42["last"]"#, "41", "(close)"]);
}

#[test]
fn a_websocket_that_fails_loses_what_is_queued() {
    for (clean, reason) in [(true, "transport close"), (false, "transport error")] {
        let mut pair = Pair::new();
        let (peer, socket) = pair.joined();
        pair.emit(socket, "lost").unwrap();
        pair.hang_up(peer, clean);
        assert_eq!(
            pair.events(peer),
            [alloc::format!("disconnected: {reason}"), alloc::format!("closed: {reason}")]
        );
        assert_eq!(pair.server.stats(), crate::Stats::default());
    }
}

#[test]
fn the_end_of_a_session_voids_a_post_that_is_under_way() {
    let mut pair = Pair::new();
    let (peer, socket) = pair.joined_polling();
    let connection = pair.connection(peer);
    pair.get(peer).unwrap();
    let post = pair.server.begin_post(connection).unwrap();
    pair.server.socket(socket).unwrap().close_connection(pair.now);
    assert_eq!(pair.body(peer).as_deref(), Some("41"));
    assert_eq!(pair.poll(peer), "6|1");
    pair.events(peer);
    assert_eq!(pair.server.stats().connections, 1, "the POST is not over");
    assert!(pair.server.handle_post(pair.now, connection, post, []).is_err());
    assert_eq!(pair.server.stats(), crate::Stats::default());
}

#[test]
fn what_is_left_of_a_connection_goes_with_its_last_event() {
    let mut pair = Pair::new();
    let (peer, socket) = pair.joined();
    pair.emit_with_ack(socket, 1, 1_000).unwrap();
    pair.hang_up(peer, true);
    assert_eq!(pair.server.stats().sessions, 0);
    assert_eq!(pair.server.stats().connections, 1);
    pair.events(peer);
    assert_eq!(pair.server.stats().connections, 1);
    pair.acks(peer);
    assert_eq!(pair.server.stats(), crate::Stats::default());
}

#[test]
fn what_was_queued_for_a_connection_may_be_freed_bit_by_bit() {
    let mut pair = Pair::new();
    for (count, steps) in [(255, None), (1_000, Some(4))] {
        let (peer, socket) = pair.joined();
        for _ in 0..count {
            pair.emit(socket, "lost").unwrap();
        }
        pair.hang_up(peer, false);
        pair.events(peer);
        assert_eq!(pair.server.stats(), crate::Stats::default());
        let freed = pair.server.poll_remains().map(|mut remains| {
            let mut steps = 1;
            while remains.free(250) {
                steps += 1;
            }
            steps
        });
        assert_eq!(freed, steps);
        assert!(pair.server.poll_remains().is_none());
    }
}
