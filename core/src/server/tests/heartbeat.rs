//! Pings, pongs and the time in which a client must join.

use super::*;

#[test]
fn a_ping_each_interval_while_pongs_come() {
    let mut pair = Pair::new();
    let (peer, _) = pair.joined();
    for _ in 0..3 {
        pair.advance(24_999);
        assert_eq!(pair.received(peer), [""; 0]);
        pair.advance(1);
        assert_eq!(pair.received(peer), ["2"]);
        pair.advance(10_000);
        pair.send(peer, "3");
    }
    pair.advance(44_999);
    assert!(pair.events(peer).is_empty());
    pair.advance(1);
    assert_eq!(pair.events(peer), ["disconnected: ping timeout", "closed: ping timeout"]);
    assert_eq!(pair.received(peer), ["(close)"]);
}

#[test]
fn only_pongs_count() {
    let mut pair = Pair::new();
    let (peer, _) = pair.joined();
    pair.advance(30_000);
    pair.send(peer, r#"42["a"]"#);
    pair.send(peer, "6");
    pair.advance(15_000);
    assert_eq!(
        pair.events(peer),
        [r#"["a"]"#, "disconnected: ping timeout", "closed: ping timeout"]
    );
}

#[test]
fn a_pong_nobody_asked_for_starts_the_interval_again() {
    let mut pair = Pair::new();
    let (peer, _) = pair.joined();
    pair.advance(20_000);
    pair.send(peer, "3");
    pair.advance(24_999);
    assert_eq!(pair.received(peer), [""; 0]);
    pair.advance(1);
    assert_eq!(pair.received(peer), ["2"]);
}

#[test]
fn an_interval_shorter_than_the_timeout_is_kept() {
    let mut pair = Pair::with(|config| {
        config.ping_interval = core::time::Duration::from_millis(300);
        config.ping_timeout = core::time::Duration::from_millis(20_000);
    });
    let (peer, _) = pair.joined();
    for _ in 0..5 {
        pair.advance(300);
        assert_eq!(pair.received(peer), ["2"]);
        pair.send(peer, "3");
    }
}

#[test]
fn a_ping_of_the_client_is_the_wrong_direction() {
    for ping in ["2", "2probe"] {
        let mut pair = Pair::new();
        let (peer, _) = pair.joined();
        pair.send(peer, ping);
        assert_eq!(pair.events(peer), ["disconnected: transport error", "closed: transport error"]);
        assert_eq!(pair.received(peer), ["(close)"]);
    }
}

#[test]
fn on_polling_the_ping_waits_for_a_get_while_its_time_runs() {
    let mut pair = Pair::new();
    let (peer, _) = pair.joined_polling();
    pair.advance(25_000);
    pair.advance(10_000);
    assert_eq!(pair.poll(peer), "2");
    pair.post(peer, "3").unwrap();
    pair.advance(25_000);
    pair.get(peer).unwrap();
    assert_eq!(pair.body(peer).as_deref(), Some("2"));
    pair.get(peer).unwrap();
    pair.advance(20_000);
    assert_eq!(pair.body(peer).as_deref(), Some("1"));
    assert_eq!(pair.events(peer), ["disconnected: ping timeout", "closed: ping timeout"]);
}

#[test]
fn the_heartbeat_goes_on_across_an_upgrade() {
    for (unanswered, until_ping, until_timeout) in [(false, 15_000, 20_000), (true, 0, 20_000)] {
        let mut pair = Pair::new();
        let (peer, _) = pair.joined_polling();
        pair.advance(if unanswered { 35_000 } else { 10_000 });
        if unanswered {
            assert_eq!(pair.poll(peer), "2");
        }
        pair.upgrade(peer);
        if !unanswered {
            pair.advance(until_ping - 1);
            assert_eq!(pair.received(peer), [""; 0]);
            pair.advance(1);
            assert_eq!(pair.received(peer), ["2"]);
        }
        pair.advance(until_timeout - 1);
        assert!(pair.events(peer).is_empty());
        pair.advance(1);
        assert_eq!(pair.events(peer), ["disconnected: ping timeout", "closed: ping timeout"]);
    }
}

#[test]
fn a_late_call_does_everything_that_is_due() {
    let mut pair = Pair::new();
    let (peer, _) = pair.joined();
    pair.now = pair.after(1_000_000);
    pair.server.handle_timeout(pair.now);
    assert_eq!(pair.received(peer), ["2"]);
    assert_eq!(pair.server.poll_timeout(), Some(pair.after(20_000)));
    let earlier = crate::Timestamp::ZERO;
    pair.server.handle_timeout(earlier);
    assert!(pair.server.poll_timeout() > Some(pair.now), "time does not run back");
}

#[test]
fn the_end_of_time_ends_every_session() {
    let mut pair = Pair::new();
    let (peer, _) = pair.joined();
    pair.now = crate::Timestamp::from_micros(u64::MAX);
    pair.server.handle_timeout(pair.now);
    assert_eq!(pair.events(peer), ["disconnected: ping timeout", "closed: ping timeout"]);
    let late = pair.websocket();
    pair.server.handle_timeout(pair.now);
    assert_eq!(pair.events(late), ["closed: forced close"]);
}

#[test]
fn a_client_must_join_a_namespace_in_time() {
    let mut pair = Pair::new();
    let peer = pair.websocket();
    pair.advance(30_000);
    pair.send(peer, "3");
    assert_eq!(pair.received(peer), ["2"]);
    pair.send(peer, "40");
    pair.advance(14_999);
    assert_eq!(pair.events(peer), ["request /"]);
    pair.advance(1);
    assert_eq!(pair.events(peer), ["closed: forced close"]);
    assert_eq!(pair.received(peer), ["(close)"]);
}

#[test]
fn that_time_is_not_started_again() {
    let mut pair = Pair::new();
    let (peer, _) = pair.joined();
    pair.send(peer, "41");
    assert_eq!(pair.events(peer), ["disconnected: client namespace disconnect"]);
    for _ in 0..10 {
        pair.advance(25_000);
        assert_eq!(pair.received(peer), ["2"]);
        pair.send(peer, "3");
    }
    assert!(pair.events(peer).is_empty());
    pair.join(peer, "/");
}

#[test]
fn a_polling_client_that_joins_nothing_is_told_by_its_get() {
    let mut pair = Pair::with(|config| {
        config.connect_timeout = core::time::Duration::from_millis(1_000);
    });
    let waiting = pair.polling();
    pair.get(waiting).unwrap();
    let away = pair.polling();
    pair.advance(1_000);
    assert_eq!(pair.body(waiting).as_deref(), Some("1"));
    assert_eq!(pair.events(waiting), ["closed: forced close"]);
    assert_eq!(pair.events(away), [""; 0]);
    assert_eq!(pair.poll(away), "6|1");
    assert_eq!(pair.events(away), ["closed: forced close"]);
}

/// The driver does not read while the application does not keep up, so a pong may be there and not
/// be seen. Once there is room again, the client has the whole time to be heard.
#[test]
fn a_client_that_is_not_read_is_not_missed() {
    let mut pair = Pair::with(|config| config.limits.inbox_events = 2);
    let (peer, _) = pair.joined();
    pair.send(peer, r#"42["a"]"#);
    pair.send(peer, r#"42["b"]"#);
    assert!(!pair.server.wants_input(pair.connection(peer)));
    pair.advance(25_000);
    pair.advance(20_000);
    assert_eq!(pair.events(peer), [r#"["a"]"#, r#"["b"]"#]);
    pair.advance(20_000);
    assert_eq!(pair.events(peer), [""; 0]);
    pair.advance(20_000);
    assert_eq!(pair.events(peer), ["disconnected: ping timeout", "closed: ping timeout"]);
}
