//! Namespaces that are made when a client asks for them.

use alloc::boxed::Box;

use super::*;
use crate::{Event, Gone, NamespaceRequest};

fn pair() -> Pair {
    let mut pair = Pair::new();
    pair.server.set_dynamic_namespaces(true);
    pair
}

fn take_namespace_request(pair: &mut Pair, peer: Peer) -> Box<NamespaceRequest> {
    let key = pair.connection(peer);
    match pair.server.poll_event(key) {
        Some(Event::NamespaceRequested(request)) => request,
        other => panic!("no request for a namespace: {other:?}"),
    }
}

#[test]
fn a_namespace_is_made_for_a_client_that_asks() {
    let mut pair = pair();
    let peer = pair.websocket();
    pair.send(peer, r#"40/room-1,{"token":"abc"}"#);
    let request = take_namespace_request(&mut pair, peer);
    assert_eq!(request.packet.namespace(), "/room-1");
    assert_eq!(request.packet.payload(), r#"{"token":"abc"}"#);
    assert_eq!(pair.server.stats().namespace_requests, 1);
    let namespace = pair.server.create_namespace("/room-1");
    pair.server.answer_namespace_request(request.key, Some(namespace)).unwrap();
    assert_eq!(
        pair.server.answer_namespace_request(request.key, Some(namespace)),
        Err(Gone),
        "once only"
    );
    let connect = pair.take_request(peer);
    assert_eq!(connect.namespace, namespace);
    assert_eq!(connect.packet.payload(), r#"{"token":"abc"}"#);
    pair.accept(connect.socket).unwrap();
    assert!(pair.received(peer)[0].starts_with(r#"40/room-1,{"sid":"#));
    pair.check();
}

#[test]
fn a_namespace_that_is_not_to_be_is_refused_and_the_connection_kept() {
    let mut pair = pair();
    let peer = pair.websocket();
    let other = pair.server.create_namespace("/other");
    let gone = pair.server.create_unlisted_namespace("/gone");
    pair.server.remove_namespace(gone);
    for answer in [None, Some(gone), Some(other)] {
        pair.send(peer, "40/nope,");
        let request = take_namespace_request(&mut pair, peer);
        pair.server.answer_namespace_request(request.key, answer).unwrap();
        assert_eq!(pair.received(peer), [r#"44/nope,{"message":"Invalid namespace"}"#]);
    }
    assert!(pair.events(peer).is_empty());
    pair.check();
}

#[test]
fn a_second_wish_for_the_same_namespace_closes_the_connection() {
    for listed in [false, true] {
        let mut pair = pair();
        let peer = pair.websocket();
        pair.send(peer, "40/a,");
        let request = take_namespace_request(&mut pair, peer);
        if listed {
            pair.server.create_namespace("/a");
        }
        pair.send(peer, "40/a,");
        assert_eq!(pair.events(peer), ["closed: forced close"]);
        assert_eq!(pair.server.answer_namespace_request(request.key, None), Err(Gone));
        pair.check();
    }
}

#[test]
fn wishes_count_towards_the_limit_of_namespaces() {
    let mut pair = pair();
    let peer = pair.websocket();
    let limit = pair.server.config().limits.namespaces;
    for index in 0..limit {
        pair.send(peer, &alloc::format!("40/{index},"));
    }
    assert_eq!(pair.server.stats().namespace_requests, limit);
    pair.send(peer, "40/more,");
    assert_eq!(pair.server.stats().namespace_requests, 0);
    pair.check();
}

#[test]
fn a_wish_goes_with_its_connection() {
    let mut pair = pair();
    let peer = pair.websocket();
    let stays = pair.websocket();
    pair.send(peer, "40/a,");
    pair.send(stays, "40/a,");
    let request = take_namespace_request(&mut pair, peer);
    pair.hang_up(peer, true);
    assert_eq!(pair.server.stats().namespace_requests, 1);
    let namespace = pair.server.create_namespace("/a");
    let answer = pair.server.answer_namespace_request(request.key, Some(namespace));
    assert_eq!(answer, Err(Gone));
    let request = take_namespace_request(&mut pair, stays);
    pair.server.answer_namespace_request(request.key, Some(namespace)).unwrap();
    pair.check();
}

#[test]
fn a_namespace_with_a_socket_stays_pending_ones_included() {
    let mut pair = pair();
    let peer = pair.websocket();
    let namespace = pair.server.create_namespace("/a");
    let socket = pair.request(peer, "/a");
    assert!(!pair.server.unlist_namespace(namespace));
    pair.server.remove_namespace(namespace);
    pair.accept(socket).unwrap();
    assert!(!pair.server.unlist_namespace(namespace));
    pair.hang_up(peer, true);
    pair.server.remove_namespace(namespace);
    assert!(pair.server.namespace_name(namespace).is_some(), "it is still listed");
    assert!(pair.server.unlist_namespace(namespace));
    pair.server.list_namespace(namespace);
    assert_eq!(pair.server.create_namespace("/a"), namespace);
    assert!(pair.server.unlist_namespace(namespace));
    pair.server.remove_namespace(namespace);
    assert_eq!(pair.server.namespace_name(namespace), None);
    assert_ne!(pair.server.create_namespace("/a"), namespace);
}

#[test]
fn a_namespace_that_is_not_listed_is_not_found() {
    let mut pair = Pair::new();
    let peer = pair.websocket();
    let namespace = pair.server.create_unlisted_namespace("/a");
    pair.send(peer, "40/a,");
    assert_eq!(pair.received(peer), [r#"44/a,{"message":"Invalid namespace"}"#]);
    pair.server.list_namespace(namespace);
    let socket = pair.request(peer, "/a");
    pair.accept(socket).unwrap();
    assert_eq!(pair.server.create_unlisted_namespace("/a"), namespace);
}
