//! What is counted.

use super::*;
use crate::{Counters, Delivery, DisconnectReason, Message, Recipients, Target};

/// What was counted since this was called last.
fn news(pair: &Pair, before: &mut Counters) -> Counters {
    let now = pair.server.counters();
    now.since(&core::mem::replace(before, now))
}

fn broadcast(pair: &mut Pair, delivery: Delivery) -> Recipients {
    let (root, message) = (pair.root(), pair.message("e", None));
    let mut recipients = pair.server.recipients(root, &Target::everybody());
    while !recipients.is_done() {
        pair.server.deliver(&mut recipients, &message, delivery, 1);
    }
    recipients
}

#[test]
fn what_goes_in_and_out_is_counted_once() {
    let mut pair = Pair::new();
    let mut before = Counters::default();
    let (peer, socket) = pair.joined();
    let (other, _) = pair.joined_polling();
    let counted = news(&pair, &mut before);
    assert_eq!((counted.sessions_opened, counted.sockets_connected), (2, 2));
    assert_eq!((counted.events_received, counted.events_sent), (0, 0));
    pair.send_together(peer, &[r#"42["a"]"#, r#"421["a"]"#, "3", "6", "4399[]"]);
    assert_eq!(news(&pair, &mut before).events_received, 2);
    pair.emit(socket, "e").unwrap();
    pair.emit_with_ack(socket, 1, 1_000).unwrap();
    assert_eq!(news(&pair, &mut before).events_sent, 2);
    // The one on polling has no GET that waits, and the other has something queued.
    assert_eq!(broadcast(&mut pair, Delivery::Reliable).report().queued, 2);
    assert_eq!(broadcast(&mut pair, Delivery::Volatile).report().dropped, 2);
    assert!(pair.emit_by(socket, "e", Delivery::Volatile).is_err());
    let counted = news(&pair, &mut before);
    assert_eq!((counted.events_sent, counted.events_dropped), (2, 3));
    // Neither acknowledgements nor what the protocol says by itself.
    let ack = crate::AckId::new(1).unwrap();
    let message = Message::ack(&mut crate::Encoder::new(), "/", ack, &()).unwrap();
    pair.server.socket(socket).unwrap().acknowledge(message).unwrap();
    pair.server.socket(socket).unwrap().disconnect(&Message::disconnect("/"));
    assert!(pair.emit(socket, "e").is_err());
    let counted = news(&pair, &mut before);
    assert_eq!((counted.events_sent, counted.sockets_disconnected), (0, 1));
    pair.events(peer);
    pair.events(other);
}

#[test]
fn ends_are_counted_by_reason() {
    let mut pair = Pair::new();
    let mut before = Counters::default();
    let (peer, _) = pair.joined();
    pair.hang_up(peer, true);
    let (peer, _) = pair.joined();
    pair.hang_up(peer, false);
    let (peer, _) = pair.joined();
    pair.send(peer, "x");
    pair.joined();
    pair.advance(45_000);
    let counted = news(&pair, &mut before);
    let expected = |reason| match reason {
        DisconnectReason::TransportClose
        | DisconnectReason::TransportError
        | DisconnectReason::ParseError
        | DisconnectReason::PingTimeout => 1,
        DisconnectReason::ClientNamespaceDisconnect
        | DisconnectReason::ServerNamespaceDisconnect
        | DisconnectReason::ServerShuttingDown
        | DisconnectReason::ForcedClose
        | DisconnectReason::ForcedServerClose
        | DisconnectReason::OutboxOverflow
        | DisconnectReason::RateExceeded => 0,
    };
    for reason in DisconnectReason::all() {
        assert_eq!(counted.sessions_closed(reason), expected(reason), "{reason}");
    }
    assert_eq!(counted.heartbeats_missed(), 1);
    assert_eq!((counted.sessions_opened, counted.sockets_disconnected), (4, 4));
}

#[test]
fn every_reason_has_a_place() {
    assert!(DisconnectReason::all().enumerate().all(|(place, reason)| reason as usize == place));
}

#[test]
fn what_shards_have_counted_adds_up() {
    let mut pair = Pair::new();
    let (peer, socket) = pair.joined();
    pair.emit(socket, "e").unwrap();
    pair.hang_up(peer, true);
    let once = pair.server.counters();
    let mut twice = once;
    twice.add(&once);
    assert_eq!(twice.since(&once), once);
    assert_eq!(twice.events_sent, 2);
    assert_eq!(twice.sessions_closed(DisconnectReason::TransportClose), 2);
    assert_eq!(once.since(&once), Counters::default());
    pair.events(peer);
}
