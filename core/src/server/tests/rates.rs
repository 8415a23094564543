//! What a client may send in a time.

use alloc::format;
use alloc::string::{String, ToString};

use super::*;
use crate::{Excess, Rate, RateLimit};

const EVENT: &str = r#"42["a"]"#;

/// Two events at once, and ten in a second.
fn events(excess: Excess) -> RateLimit {
    RateLimit::new().events(Rate::per_second(10).burst(2)).excess(excess)
}

fn socket_rate(limit: RateLimit) -> Pair {
    Pair::with(|config| config.socket_rate = Some(limit))
}

#[test]
fn events_beyond_the_rate_are_dropped_and_told_of_once() {
    let mut pair = socket_rate(events(Excess::Drop));
    let (peer, _) = pair.joined();
    pair.send(peer, EVENT);
    pair.send(peer, r#"427["a"]"#);
    assert_eq!(pair.events(peer), [r#"["a"]"#, r#"["a"] ack 7"#]);
    for _ in 0..3 {
        pair.send(peer, r#"428["a"]"#);
    }
    assert_eq!(pair.events(peer), ["exceeded: too many events"]);
    // One more is there after a tenth of a second, and not before.
    pair.advance(99);
    pair.send(peer, EVENT);
    assert_eq!(pair.events(peer), [""; 0]);
    pair.advance(1);
    pair.send(peer, EVENT);
    pair.send(peer, EVENT);
    assert_eq!(pair.events(peer), [r#"["a"]"#, "exceeded: too many events"]);
    pair.advance(10_000);
    for _ in 0..3 {
        pair.send(peer, EVENT);
    }
    assert_eq!(pair.events(peer), [r#"["a"]"#, r#"["a"]"#, "exceeded: too many events"]);
    let counters = pair.server.counters();
    assert_eq!((counters.events_received, counters.rate_dropped), (5, 6));
    assert_eq!(pair.received(peer), [""; 0], "the client is told nothing");
}

#[test]
fn bytes_are_those_of_text_and_attachments() {
    // The text of the event is 40 bytes long.
    let text = r#"451-["ab",{"_placeholder":true,"num":0}]"#;
    assert_eq!(text.len(), 40);
    for (burst, is_passed) in [(43, true), (42, false)] {
        let limit = RateLimit::new().bytes(Rate::per_second(1).burst(burst));
        let mut pair = socket_rate(limit);
        let (peer, _) = pair.joined();
        pair.send(peer, text);
        pair.send_binary(peer, &[1, 2, 3]);
        let expected = match is_passed {
            true => format!("{} <[1, 2, 3]>", &text[4..]),
            false => "exceeded: too many bytes".to_string(),
        };
        assert_eq!(pair.events(peer), [expected]);
    }
}

#[test]
fn sockets_of_a_connection_have_a_rate_each_and_one_together() {
    let mut pair = Pair::with(|config| {
        config.socket_rate = Some(events(Excess::Drop));
        let together = RateLimit::new().events(Rate::per_second(10).burst(3));
        config.connection_rate = Some(together);
    });
    pair.server.create_namespace("/b");
    let (peer, _) = pair.joined();
    pair.join(peer, "/b");
    let exceeded = "exceeded: too many events";
    let sends = |pair: &mut Pair, packet: &str| {
        pair.send(peer, packet);
        pair.events(peer).join(" ")
    };
    let (a, b) = (r#"42["a"]"#, r#"42/b,["b"]"#);
    assert_eq!(sends(&mut pair, a), r#"["a"]"#);
    assert_eq!(sends(&mut pair, a), r#"["a"]"#);
    assert_eq!(sends(&mut pair, a), exceeded);
    assert_eq!(sends(&mut pair, b), r#"["b"]"#, "what was dropped is not counted");
    assert_eq!(sends(&mut pair, b), exceeded, "three together");
    pair.advance(100);
    assert_eq!(sends(&mut pair, b), r#"["b"]"#);
    assert_eq!(sends(&mut pair, a), exceeded);
    // A socket that is new begins anew, but the connection does not.
    pair.send(peer, "41/b,");
    pair.events(peer);
    pair.join(peer, "/b");
    assert_eq!(sends(&mut pair, b), "");
    pair.advance(100);
    assert_eq!(sends(&mut pair, b), r#"["b"]"#);
}

#[test]
fn a_socket_that_sends_too_much_is_disconnected() {
    let mut pair = socket_rate(events(Excess::Disconnect));
    pair.server.create_namespace("/b");
    let (peer, _) = pair.joined();
    pair.join(peer, "/b");
    pair.send(peer, EVENT);
    pair.send(peer, EVENT);
    pair.events(peer);
    pair.send(peer, EVENT);
    assert_eq!(pair.events(peer), ["exceeded: too many events", "disconnected: rate exceeded"]);
    assert_eq!(pair.received(peer), ["41"]);
    // The other one is still there.
    pair.send(peer, r#"42/b,["b"]"#);
    assert_eq!(pair.events(peer), [r#"["b"]"#]);
    assert_eq!(pair.server.counters().rate_disconnected, 1);
}

#[test]
fn a_connection_that_sends_too_much_is_closed() {
    for is_polling in [false, true] {
        let mut pair = Pair::with(|config| {
            config.connection_rate = Some(events(Excess::Disconnect));
            // The other one disconnects more than this one drops.
            config.socket_rate = Some(events(Excess::Drop));
        });
        pair.server.create_namespace("/b");
        let peer = if is_polling { pair.polling() } else { pair.websocket() };
        pair.join(peer, "/");
        pair.join(peer, "/b");
        if is_polling {
            pair.post(peer, &[EVENT; 4].join("|")).unwrap();
        } else {
            pair.send_together(peer, &[EVENT; 4]);
        }
        let ended = "disconnected: rate exceeded";
        let told: alloc::vec::Vec<String> = pair.events(peer);
        let expected = [r#"["a"]"#, r#"["a"]"#, "exceeded: too many events", ended, ended];
        assert_eq!(told[..5], expected);
        if is_polling {
            assert_eq!(pair.poll(peer), "41|41/b,");
            pair.poll(peer);
            assert_eq!(pair.events(peer), ["closed: rate exceeded"]);
        } else {
            assert_eq!(told[5..], ["closed: rate exceeded"]);
            assert_eq!(pair.received(peer), ["41", "41/b,", "(close)"]);
        }
    }
}

#[test]
fn a_connection_is_read_from_again_when_it_may_send_again() {
    let mut pair = socket_rate(events(Excess::Delay));
    let (peer, _) = pair.joined();
    let connection = pair.connection(peer);
    while pair.server.poll_dirty().is_some() {}
    pair.send(peer, EVENT);
    assert!(pair.server.wants_input(connection));
    pair.send(peer, EVENT);
    assert!(!pair.server.wants_input(connection));
    assert!(!pair.server.news(connection).wants_input);
    // What was read together with it is passed on, and has to be made up for.
    pair.send(peer, EVENT);
    let event = r#"["a"]"#;
    assert_eq!(pair.events(peer), [event, "exceeded: too many events", event, event]);
    while pair.server.poll_dirty().is_some() {}
    pair.advance(199);
    assert!(!pair.server.wants_input(connection));
    assert_eq!(pair.server.poll_dirty(), None);
    pair.advance(1);
    assert!(pair.server.wants_input(connection));
    assert_eq!(pair.server.poll_dirty(), Some(connection));
    assert!(pair.server.wants(connection).session);
    pair.server.set_attended(connection, true);
    pair.server.set_attended(connection, false);
    assert!(!pair.server.wants(connection).session);
    // Not told again while it goes on at its rate.
    for _ in 0..5 {
        pair.send(peer, EVENT);
        assert!(!pair.server.wants_input(connection));
        pair.advance(100);
        assert!(pair.server.wants_input(connection));
    }
    assert_eq!(pair.events(peer), [event; 5]);
    pair.advance(1_000);
    pair.send(peer, EVENT);
    pair.send(peer, EVENT);
    assert_eq!(pair.events(peer), [event, "exceeded: too many events", event]);
    let counters = pair.server.counters();
    assert_eq!((counters.rate_delayed, counters.rate_dropped), (7, 0));
}

/// The time in which nothing is read is not held against the client.
#[test]
fn a_pong_that_is_not_read_is_not_overdue() {
    let mut pair = Pair::with(|config| {
        let rate = Rate::per_second(1).burst(1);
        config.connection_rate = Some(RateLimit::new().bytes(rate).excess(Excess::Delay));
    });
    let (peer, _) = pair.joined();
    let connection = pair.connection(peer);
    // More than the time for a ping and its pong.
    pair.send(peer, &format!(r#"42["{}"]"#, "a".repeat(100)));
    assert_eq!(pair.events(peer).len(), 2);
    pair.advance(105_999);
    assert!(!pair.server.wants_input(connection));
    assert_eq!(pair.received(peer), ["2"]);
    pair.advance(1);
    assert!(pair.server.wants_input(connection));
    pair.advance(1_000);
    assert_eq!(pair.events(peer), [""; 0], "its pong is still to be read");
    pair.send(peer, "3");
    pair.advance(25_000);
    assert_eq!(pair.received(peer), ["2"]);
    pair.advance(20_000);
    assert_eq!(pair.events(peer), ["disconnected: ping timeout", "closed: ping timeout"]);
}

#[test]
fn a_connection_that_ends_while_it_waits_leaves_nothing() {
    let mut pair = socket_rate(events(Excess::Delay));
    let (peer, _) = pair.joined();
    pair.send_together(peer, &[EVENT; 100]);
    pair.hang_up(peer, true);
    assert_eq!(pair.events(peer).len(), 103);
    assert_eq!(pair.server.stats(), crate::Stats::default());
    let (peer, _) = pair.joined();
    pair.send_together(peer, &[EVENT; 100]);
    pair.send(peer, "41");
    assert_eq!(pair.events(peer).len(), 102);
}

#[test]
fn what_is_no_event_is_not_counted() {
    let mut pair = socket_rate(events(Excess::Drop));
    let (peer, socket) = pair.joined();
    for ack in 0..10 {
        pair.emit_with_ack(socket, ack, 1_000).unwrap();
        pair.send(peer, &format!("43{ack}[]"));
        pair.send(peer, "3");
    }
    pair.send(peer, EVENT);
    assert_eq!(pair.events(peer).len(), 1);
    assert_eq!(pair.acks(peer).len(), 10);
}
