//! What is said of a connection that somebody is at work on.

use super::*;
use crate::ConnectionKey;

fn dirty(pair: &mut Pair) -> alloc::vec::Vec<ConnectionKey> {
    core::iter::from_fn(|| pair.server.poll_dirty()).collect()
}

#[test]
fn what_is_done_to_an_attended_connection_is_no_news() {
    let mut pair = Pair::new();
    let (peer, socket) = pair.joined();
    let (other, _) = pair.joined();
    let (key, other_key) = (pair.connection(peer), pair.connection(other));
    dirty(&mut pair);
    pair.server.set_attended(key, true);
    pair.emit(socket, "reply").unwrap();
    pair.send(peer, r#"42["event"]"#);
    pair.send(other, r#"42["event"]"#);
    assert_eq!(dirty(&mut pair), [other_key]);
    assert!(!pair.server.wants(key).session && pair.server.news(key).events);
    pair.server.set_attended(key, false);
    assert_eq!(dirty(&mut pair), [], "whoever stops looks for himself");
    pair.emit(socket, "later").unwrap();
    assert_eq!(dirty(&mut pair), [key]);
    assert_eq!(pair.received(peer).len(), 2);
    pair.events(peer);
    pair.events(other);
    pair.finish();
}

#[test]
fn a_get_that_waits_is_told_all_the_same() {
    let mut pair = Pair::new();
    let (peer, socket) = pair.joined_polling();
    let key = pair.connection(peer);
    pair.get(peer).unwrap();
    dirty(&mut pair);
    pair.server.set_attended(key, true);
    pair.emit(socket, "event").unwrap();
    assert_eq!(dirty(&mut pair), [key]);
    assert!(pair.server.wants(key).poll);
    assert!(pair.body(peer).is_some());
    pair.finish();
}

#[test]
fn packets_may_be_handed_over_together() {
    let packets = [r#"42["a"]"#, "3", r#"42["b"]"#, "41", "1", r#"42["c"]"#];
    let told = |together: bool| {
        let mut pair = Pair::new();
        let (peer, _) = pair.joined();
        match together {
            true => pair.send_together(peer, &packets),
            false => packets.iter().for_each(|packet| pair.send(peer, packet)),
        }
        let told = pair.events(peer);
        pair.finish();
        told
    };
    assert_eq!(told(true), told(false));
    assert_eq!(told(true).len(), 4, "two events, and two ends");
}
