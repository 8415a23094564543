//! Packets whose binary attachments follow them.

use super::*;

const HEADER: &str = r#"452-["file",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]"#;

#[test]
fn a_packet_is_complete_with_its_last_attachment() {
    let mut pair = Pair::new();
    let (peer, _) = pair.joined();
    pair.send(peer, HEADER);
    pair.send_binary(peer, &[1]);
    pair.send(peer, "6");
    assert!(pair.events(peer).is_empty());
    pair.send(peer, "bAgM=");
    pair.send(peer, r#"42["next"]"#);
    let events = pair.events(peer);
    assert!(events[0].ends_with("<[1]> <[2, 3]>"), "{events:?}");
    assert_eq!(events[1], r#"["next"]"#);
    pair.advance(31_000);
    assert_eq!(pair.events(peer), [""; 0], "nothing is awaited any more");
}

#[test]
fn attachments_by_polling() {
    let mut pair = Pair::new();
    let (peer, _) = pair.joined_polling();
    pair.post(peer, &alloc::format!("{HEADER}|bAQ==")).unwrap();
    assert!(pair.events(peer).is_empty());
    pair.post(peer, "b").unwrap();
    assert!(pair.events(peer)[0].ends_with("<[1]> <[]>"));
}

#[test]
fn nothing_may_come_in_between() {
    for packet in [r#"42["a"]"#, "40/nope,", "41", "431[]", HEADER] {
        let mut pair = Pair::new();
        let (peer, _) = pair.joined();
        pair.send(peer, HEADER);
        pair.send(peer, packet);
        assert_eq!(
            pair.events(peer),
            [
                "violation: text while attachments are due",
                "disconnected: forced close",
                "closed: forced close"
            ]
        );
    }
}

#[test]
fn attachments_must_come_in_time() {
    let mut pair = Pair::new();
    let (peer, _) = pair.joined();
    pair.advance(10_000);
    pair.send(peer, HEADER);
    pair.advance(20_000);
    pair.send(peer, "3");
    pair.send_binary(peer, &[1]);
    pair.advance(9_999);
    assert!(pair.events(peer).is_empty());
    pair.advance(1);
    assert_eq!(
        pair.events(peer),
        ["violation: illegal attachments", "disconnected: forced close", "closed: forced close"]
    );
}

/// The client has sent them; it is the application that has kept the driver from reading them.
#[test]
fn attachments_are_given_their_time_anew_where_nobody_read() {
    let mut pair = Pair::with(|config| config.limits.inbox_events = 1);
    let (peer, _) = pair.joined();
    let connection = pair.connection(peer);
    pair.send_together(peer, &[r#"42["slow"]"#, HEADER]);
    assert!(!pair.server.wants_input(connection));
    pair.advance(40_000);
    assert_eq!(pair.events(peer), [r#"["slow"]"#]);
    pair.advance(20_000);
    pair.send_binary(peer, &[1]);
    pair.send_binary(peer, &[2, 3]);
    assert_eq!(pair.events(peer).len(), 1, "they came in time after all");

    pair.send(peer, HEADER);
    for _ in 0..4 {
        pair.send(peer, "3");
        pair.advance(20_000);
    }
    assert_eq!(pair.events(peer)[0], "violation: illegal attachments", "but not for ever");
}

#[test]
fn all_parts_together_are_limited() {
    let mut pair = Pair::with(|config| config.limits.max_payload = 100);
    let (peer, _) = pair.joined();
    pair.send(peer, r#"452-["a"]"#);
    pair.send_binary(peer, &[0; 50]);
    pair.send_binary(peer, &[0; 50]);
    assert_eq!(
        pair.events(peer),
        [
            "violation: event exceeds 100 bytes with its attachments",
            "disconnected: forced close",
            "closed: forced close"
        ]
    );
}

#[test]
fn attachments_that_are_due_are_forgotten_with_the_session() {
    let mut pair = Pair::with(|config| {
        config.limits.attachments_timeout = core::time::Duration::from_millis(1_000);
    });
    let (peer, socket) = pair.joined_polling();
    pair.post(peer, HEADER).unwrap();
    pair.server.socket(socket).unwrap().close_connection(pair.now);
    pair.advance(2_000);
    assert_eq!(pair.events(peer), ["disconnected: server namespace disconnect"]);
    assert_eq!(pair.poll(peer), "41");
    assert_eq!(pair.poll(peer), "6|1");
    assert_eq!(pair.events(peer), ["closed: forced close"]);
}

#[test]
fn nothing_follows_the_end_even_if_attachments_are_due_at_that_moment() {
    let mut pair = Pair::with(|config| {
        config.ping_interval = core::time::Duration::from_millis(1_000);
        config.ping_timeout = core::time::Duration::from_millis(1_000);
        config.limits.attachments_timeout = core::time::Duration::from_millis(2_000);
    });
    let (peer, _) = pair.joined();
    pair.send(peer, HEADER);
    pair.advance(2_000);
    assert_eq!(pair.events(peer), ["disconnected: ping timeout", "closed: ping timeout"]);
}

#[test]
fn an_announcement_for_a_namespace_that_was_not_joined_fails_when_complete() {
    let mut pair = Pair::new();
    let (peer, _) = pair.joined();
    pair.send(peer, r#"451-/nope,["a"]"#);
    assert!(pair.events(peer).is_empty());
    pair.send_binary(peer, &[1]);
    assert_eq!(pair.events(peer), ["disconnected: forced close", "closed: forced close"]);
}

#[test]
fn a_packet_may_have_the_largest_size_with_its_attachments_and_no_byte_more() {
    for (limit, is_taken) in [(HEADER.len() + 3, true), (HEADER.len() + 2, false)] {
        let mut pair = Pair::with(|config| config.limits.max_payload = limit);
        let (peer, _) = pair.joined();
        pair.send(peer, HEADER);
        pair.send_binary(peer, &[1]);
        pair.send_binary(peer, &[2, 3]);
        let events = pair.events(peer);
        assert_eq!(events[0].starts_with("violation"), !is_taken, "{events:?}");
        assert_eq!(events.len(), if is_taken { 1 } else { 3 });
    }
}

#[test]
fn attachments_that_nobody_takes_count_as_events_do() {
    for (limit, is_full) in [(HEADER.len() + 3, true), (HEADER.len() + 4, false)] {
        let mut pair = Pair::with(|config| config.limits.inbox_bytes = limit);
        let (peer, _) = pair.joined();
        let connection = pair.connection(peer);
        pair.send(peer, HEADER);
        pair.send_binary(peer, &[1]);
        pair.send_binary(peer, &[2, 3]);
        assert_eq!(pair.server.wants_input(connection), !is_full);
        pair.events(peer);
        assert!(pair.server.wants_input(connection));
    }
}
