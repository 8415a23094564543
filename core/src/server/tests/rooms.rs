//! Rooms and broadcasts.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::*;
use crate::{BroadcastReport, Delivery, SocketKey, Target};

fn crowd(pair: &mut Pair, count: usize) -> Vec<(Peer, SocketKey)> {
    (0..count).map(|_| pair.joined()).collect()
}

fn join(pair: &mut Pair, member: (Peer, SocketKey), room: &str) {
    assert!(pair.server.socket(member.1).unwrap().join(room));
    pair.check();
}

fn broadcast(pair: &mut Pair, target: &Target, delivery: Delivery) -> BroadcastReport {
    let root = pair.root();
    let message = pair.message("all", None);
    let mut recipients = pair.server.recipients(root, target);
    while !recipients.is_done() {
        pair.server.deliver(&mut recipients, &message, delivery, 2);
    }
    pair.check();
    recipients.report()
}

/// Which of them a broadcast reaches, each once at most.
fn reached(pair: &mut Pair, crowd: &[(Peer, SocketKey)], target: &Target) -> Vec<usize> {
    let report = broadcast(pair, target, Delivery::Reliable);
    let mut reached = Vec::new();
    for (index, (peer, _)) in crowd.iter().enumerate() {
        match &pair.received(*peer)[..] {
            [] => {}
            [one] if one == r#"42["all"]"# => reached.push(index),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(report.queued, reached.len());
    reached
}

#[test]
fn a_broadcast_reaches_whom_it_is_for() {
    let mut pair = Pair::new();
    let crowd = crowd(&mut pair, 5);
    for index in [0, 1, 2] {
        join(&mut pair, crowd[index], "a");
    }
    for index in [2, 3] {
        join(&mut pair, crowd[index], "b");
    }
    let id =
        |pair: &mut Pair, index: usize| pair.server.socket(crowd[index].1).unwrap().id().unwrap();
    let own = id(&mut pair, 4);
    let sender = id(&mut pair, 0);
    let mut others = Target::room("a");
    others.except_socket = Some(sender);
    let cases = [
        (Target::everybody(), &[0, 1, 2, 3, 4][..]),
        (Target::room("a"), &[0, 1, 2]),
        (Target::room("a").to("b"), &[0, 1, 2, 3]),
        (Target::room("a").to("a"), &[0, 1, 2]),
        (Target::room("a").except("b"), &[0, 1]),
        (Target::everybody().except("a").except("b"), &[4]),
        (Target::room(own.as_str()), &[4]),
        (Target::room(own.as_str()).to("b"), &[2, 3, 4]),
        (Target::everybody().except(own.as_str()), &[0, 1, 2, 3]),
        (others, &[1, 2]),
        (Target::room("nobody"), &[]),
        (Target::room("a").except("a"), &[]),
    ];
    for (target, expected) in cases {
        assert_eq!(reached(&mut pair, &crowd, &target), expected, "{target:?}");
        let root = pair.root();
        assert_eq!(pair.server.matching(root, &target).len(), expected.len());
    }
}

#[test]
fn a_socket_may_leave_its_own_room_and_others() {
    let mut pair = Pair::new();
    let crowd = crowd(&mut pair, 2);
    let mut socket = pair.server.socket(crowd[0].1).unwrap();
    let id = socket.id().unwrap();
    assert!(socket.join("a") && !socket.join("a"));
    assert!(!socket.join(id.as_str()), "it is there from the start");
    assert_eq!(socket.rooms().map(ToString::to_string).collect::<Vec<_>>(), ["a"]);
    assert!(socket.leave(id.as_str()) && !socket.leave(id.as_str()));
    assert!(!socket.is_in_own_room());
    assert!(!socket.leave("b"));
    assert!(reached(&mut pair, &crowd, &Target::room(id.as_str())).is_empty());
    let mut others = Target::everybody();
    others.except_socket = Some(id);
    assert_eq!(reached(&mut pair, &crowd, &others), [1]);
    let mut socket = pair.server.socket(crowd[0].1).unwrap();
    assert!(socket.join(id.as_str()) && socket.leave("a"));
    assert_eq!(reached(&mut pair, &crowd, &Target::room(id.as_str())), [0]);
    assert_eq!(pair.server.stats().rooms, 0);
}

#[test]
fn a_room_may_bear_the_id_of_another_socket() {
    let mut pair = Pair::new();
    let crowd = crowd(&mut pair, 3);
    let id = pair.server.socket(crowd[1].1).unwrap().id().unwrap();
    join(&mut pair, crowd[0], id.as_str());
    assert_eq!(reached(&mut pair, &crowd, &Target::room(id.as_str())), [0, 1]);
    pair.hang_up(crowd[1].0, true);
    assert_eq!(reached(&mut pair, &crowd[..1], &Target::room(id.as_str())), [0]);
}

#[test]
fn rooms_belong_to_one_namespace() {
    let mut pair = Pair::new();
    let admin = pair.server.create_namespace("/admin");
    let (peer, root) = pair.joined();
    let other = pair.request(peer, "/admin");
    pair.accept(other).unwrap();
    join(&mut pair, (peer, root), "a");
    join(&mut pair, (peer, other), "a");
    let own = pair.server.socket(root).unwrap().id().unwrap();
    assert_eq!(pair.server.matching(admin, &Target::room("a")), [other]);
    assert!(pair.server.matching(admin, &Target::room(own.as_str())).is_empty());
}

#[test]
fn whoever_leaves_is_in_no_room_and_the_application_learns_which_they_were() {
    let mut pair = Pair::new();
    let crowd = crowd(&mut pair, 2);
    for member in &crowd {
        join(&mut pair, *member, "a");
    }
    join(&mut pair, crowd[0], "b");
    pair.send(crowd[0].0, "41");
    assert_eq!(pair.events(crowd[0].0), ["disconnected: client namespace disconnect [a] [b]"]);
    assert_eq!(pair.server.stats().rooms, 1);
    assert!(pair.server.socket(crowd[0].1).is_none(), "so it cannot join again");
    assert_eq!(reached(&mut pair, &crowd, &Target::room("a")), [1]);
}

#[test]
fn a_client_that_was_not_let_in_yet_is_not_reached() {
    let mut pair = Pair::new();
    let peer = pair.websocket();
    let socket = pair.request(peer, "/");
    assert_eq!(broadcast(&mut pair, &Target::everybody(), Delivery::Reliable).queued, 0);
    pair.accept(socket).unwrap();
    assert_eq!(broadcast(&mut pair, &Target::everybody(), Delivery::Reliable).queued, 1);
}

#[test]
fn whoever_goes_while_a_broadcast_is_under_way_is_passed_over() {
    let mut pair = Pair::new();
    let crowd = crowd(&mut pair, 3);
    let root = pair.root();
    let message = pair.message("all", None);
    let mut recipients = pair.server.recipients(root, &Target::everybody());
    pair.server.deliver(&mut recipients, &message, Delivery::Reliable, 1);
    pair.hang_up(crowd[1].0, true);
    let late = pair.joined().0;
    pair.server.deliver(&mut recipients, &message, Delivery::Reliable, usize::MAX);
    assert!(recipients.is_done());
    assert_eq!(recipients.report().queued, 2);
    assert_eq!(pair.received(crowd[2].0), [r#"42["all"]"#]);
    assert_eq!(pair.received(late), [""; 0]);
}

#[test]
fn a_volatile_broadcast_skips_whoever_is_not_ready() {
    let mut pair = Pair::new();
    let ready = pair.joined().0;
    let (busy, socket) = pair.joined();
    pair.emit(socket, "before").unwrap();
    let polling = pair.joined_polling().0;
    let waiting = pair.joined_polling().0;
    pair.get(waiting).unwrap();
    let report = broadcast(&mut pair, &Target::everybody(), Delivery::Volatile);
    assert_eq!((report.queued, report.dropped), (2, 2));
    assert_eq!(pair.received(ready), [r#"42["all"]"#]);
    assert_eq!(pair.received(busy), [r#"42["before"]"#]);
    assert_eq!(pair.body(waiting).as_deref(), Some(r#"42["all"]"#));
    pair.get(polling).unwrap();
    assert_eq!(pair.body(polling), None);
}

#[test]
fn a_broadcast_closes_slow_consumers_and_an_emit_does_not() {
    let mut pair = Pair::with(|config| config.limits.outbox_bytes = 64);
    let slow = pair.joined();
    let waiting = pair.joined_polling();
    let quick = pair.joined();
    while pair.emit(slow.1, "fill").is_ok() {}
    assert_eq!(pair.emit(slow.1, "fill"), Err(crate::EmitError::Full));
    while pair.emit(waiting.1, "fill").is_ok() {}
    assert!(pair.events(slow.0).is_empty());
    let report = broadcast(&mut pair, &Target::everybody(), Delivery::Reliable);
    assert_eq!((report.queued, report.overflowed), (1, 2));
    for peer in [slow.0, waiting.0] {
        assert_eq!(pair.events(peer), ["disconnected: outbox overflow", "closed: outbox overflow"]);
    }
    assert_eq!(pair.received(slow.0), ["(close)"]);
    assert_eq!(pair.received(quick.0), [r#"42["all"]"#]);
}

#[test]
fn reports_of_shards_add_up() {
    let report =
        |queued, dropped, overflowed, owing| BroadcastReport { queued, dropped, overflowed, owing };
    let mut sum = report(1, 2, 3, 4);
    sum.add(report(10, 20, 30, 40));
    assert_eq!(sum, report(11, 22, 33, 44));
}
