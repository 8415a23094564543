//! Acknowledgements both ways.

use super::*;
use crate::codec::message::Encoder;
use crate::{AckId, EmitError, Message, Target};

#[test]
fn the_client_acknowledges() {
    let mut pair = Pair::new();
    let (peer, socket) = pair.joined();
    pair.emit_with_ack(socket, 0, 1_000).unwrap();
    assert_eq!(pair.received(peer), [r#"420["ask"]"#]);
    pair.send(peer, r#"430["yes",2]"#);
    assert_eq!(pair.acks(peer), [r#"0: ["yes", 2]"#]);
    assert_eq!(pair.server.stats().pending_acks, 0);
    pair.advance(2_000);
    assert!(pair.acks(peer).is_empty());
}

#[test]
fn the_server_acknowledges() {
    let mut pair = Pair::new();
    let (peer, socket) = pair.joined();
    pair.send(peer, r#"4213["ask"]"#);
    assert_eq!(pair.events(peer), [r#"["ask"] ack 13"#]);
    let id = AckId::new(13).unwrap();
    let message = Message::ack(&mut Encoder::new(), "/", id, &("yes", 2)).unwrap();
    pair.server.socket(socket).unwrap().acknowledge(message).unwrap();
    assert_eq!(pair.received(peer), [r#"4313["yes",2]"#]);
}

#[test]
fn an_acknowledgement_with_attachments() {
    let mut pair = Pair::new();
    let (peer, socket) = pair.joined();
    pair.emit_with_ack(socket, 5, 1_000).unwrap();
    pair.send(peer, r#"461-5[{"_placeholder":true,"num":0}]"#);
    assert!(pair.acks(peer).is_empty());
    pair.send_binary(peer, &[1, 2]);
    assert_eq!(pair.acks(peer).len(), 1);
}

#[test]
fn repeated_unknown_and_numberless_acknowledgements_are_ignored() {
    let mut pair = Pair::new();
    let (peer, socket) = pair.joined();
    pair.emit_with_ack(socket, 1, 1_000).unwrap();
    for packet in ["432[]", "43[]", "431[]", "431[]", "439007199254740991[]"] {
        pair.send(peer, packet);
    }
    assert_eq!(pair.acks(peer), ["1: []"]);
    assert!(pair.events(peer).is_empty());
}

#[test]
fn only_the_socket_that_owes_it_can_acknowledge() {
    let mut pair = Pair::new();
    pair.server.create_namespace("/b");
    let (peer, socket) = pair.joined();
    let other = pair.request(peer, "/b");
    pair.accept(other).unwrap();
    pair.emit_with_ack(socket, 1, 1_000).unwrap();
    pair.send(peer, "43/b,1[]");
    assert!(pair.acks(peer).is_empty());
    let stranger = pair.joined().0;
    pair.send(stranger, "431[]");
    assert!(pair.acks(stranger).is_empty() && pair.acks(peer).is_empty());
    pair.send(peer, "431[]");
    assert_eq!(pair.acks(peer), ["1: []"]);
}

#[test]
fn each_acknowledgement_has_its_deadline() {
    let mut pair = Pair::new();
    let (peer, socket) = pair.joined();
    pair.emit_with_ack(socket, 1, 3_000).unwrap();
    pair.emit_with_ack(socket, 2, 1_000).unwrap();
    pair.emit_with_ack(socket, 3, 2_000).unwrap();
    pair.send(peer, "432[]");
    pair.advance(1_999);
    assert_eq!(pair.acks(peer), ["2: []"]);
    pair.advance(1);
    assert_eq!(pair.acks(peer), ["3: operation has timed out"]);
    pair.send(peer, "433[]");
    pair.advance(1_000);
    assert_eq!(pair.acks(peer), ["1: operation has timed out"]);
}

#[test]
fn a_deadline_that_has_passed_fails_with_the_next_timeout() {
    let mut pair = Pair::new();
    let (peer, socket) = pair.joined();
    pair.emit_with_ack(socket, 1, 0).unwrap();
    pair.advance(0);
    assert_eq!(pair.acks(peer), ["1: operation has timed out"]);
}

#[test]
fn whatever_ends_the_socket_fails_what_it_owes() {
    let ends: [fn(&mut Pair, Peer, crate::SocketKey); 6] = [
        |pair, peer, _| pair.send(peer, "41"),
        |pair, peer, _| pair.hang_up(peer, true),
        |pair, peer, _| pair.send(peer, "4"),
        |pair, _, socket| {
            pair.server.socket(socket).unwrap().disconnect(&Message::disconnect("/"));
        },
        |pair, _, socket| pair.server.socket(socket).unwrap().close_connection(pair.now),
        |pair, _, _| pair.server.shut_down(pair.now),
    ];
    for end in ends {
        let mut pair = Pair::new();
        let (peer, socket) = pair.joined();
        pair.emit_with_ack(socket, 1, 1_000).unwrap();
        pair.emit_with_ack(socket, 2, 2_000).unwrap();
        end(&mut pair, peer, socket);
        assert_eq!(pair.acks(peer), ["1: socket was disconnected", "2: socket was disconnected"]);
        pair.advance(5_000);
        assert!(pair.acks(peer).is_empty());
    }
}

#[test]
fn no_more_acknowledgements_than_the_limit() {
    let mut pair = Pair::with(|config| config.limits.pending_acks = 2);
    let (peer, socket) = pair.joined();
    pair.emit_with_ack(socket, 1, 1_000).unwrap();
    pair.emit_with_ack(socket, 2, 1_000).unwrap();
    assert_eq!(pair.emit_with_ack(socket, 3, 1_000), Err(EmitError::TooManyAcks));
    let other = pair.joined().0;
    let report = broadcast(&mut pair, 4);
    assert_eq!((report.queued, report.owing), (1, 1));
    assert_eq!(pair.received(peer), [r#"421["ask"]"#, r#"422["ask"]"#]);
    assert_eq!(pair.received(other), [r#"424["all"]"#]);
    pair.send(peer, "431[]");
    pair.emit_with_ack(socket, 5, 1_000).unwrap();
}

#[test]
fn a_broadcast_collects_acknowledgements() {
    let mut pair = Pair::new();
    let (first, _) = pair.joined();
    let (second, _) = pair.joined_polling();
    let (third, _) = pair.joined();
    let report = broadcast(&mut pair, 7);
    assert_eq!(report.queued, 3);
    assert_eq!(pair.received(first), [r#"427["all"]"#]);
    assert_eq!(pair.poll(second), r#"427["all"]"#);
    pair.send(first, "437[1]");
    pair.send(second, "437[2]");
    assert_eq!(pair.acks(first), ["7: [1]"]);
    assert_eq!(pair.acks(second), ["7: [2]"]);
    pair.advance(1_000);
    assert_eq!(pair.acks(third), ["7: operation has timed out"]);
}

fn broadcast(pair: &mut Pair, ack: u64) -> crate::BroadcastReport {
    let root = pair.root();
    let message = pair.message("all", Some(ack));
    let deadline = pair.after(1_000);
    let mut recipients = pair.server.recipients(root, &Target::everybody());
    let id = AckId::new(ack).unwrap();
    while !recipients.is_done() {
        pair.server.deliver_with_ack(&mut recipients, &message, id, deadline, 1);
    }
    recipients.report()
}
