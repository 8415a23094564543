//! How clients join namespaces and leave them.

use super::*;
use crate::{EmitError, Gone};

#[test]
fn a_client_asks_and_is_let_in() {
    let mut pair = Pair::new();
    let peer = pair.websocket();
    pair.send(peer, r#"40{"token":"abc"}"#);
    let request = pair.take_request(peer);
    assert_eq!(request.packet.payload(), r#"{"token":"abc"}"#);
    assert_eq!(pair.emit(request.socket, "early"), Err(EmitError::NotConnected));
    assert_eq!(pair.server.find_socket(&request.id), None);
    pair.accept(request.socket).unwrap();
    assert_eq!(pair.server.find_socket(&request.id), Some(request.socket));
    let reply = alloc::format!(r#"40{{"sid":"{}"}}"#, request.id.as_str());
    assert_eq!(pair.received(peer), [reply]);
    assert_ne!(request.id.as_str(), pair.sid(peer).as_str());
    let mut socket = pair.server.socket(request.socket).unwrap();
    assert_eq!(socket.id(), Some(request.id));
    assert!(socket.is_in_own_room());
    assert!(socket.emit(crate::Message::noop(), crate::Delivery::Reliable).is_ok());
    assert_eq!(pair.accept(request.socket), Err(Gone), "once only");
    assert_eq!(pair.reject(request.socket, "no"), Err(Gone));
}

#[test]
fn a_client_that_is_refused_may_ask_again() {
    let mut pair = Pair::new();
    let peer = pair.websocket();
    let socket = pair.request(peer, "/");
    pair.reject(socket, "no").unwrap();
    assert_eq!(pair.received(peer), [r#"44{"message":"no"}"#]);
    assert_eq!(pair.accept(socket), Err(Gone));
    assert_eq!(pair.events(peer), [""; 0], "it was never connected");
    let other = pair.join(peer, "/");
    assert_ne!(socket, other);
}

#[test]
fn a_decision_after_the_peer_has_left_is_gone() {
    for accept in [true, false] {
        let mut pair = Pair::new();
        let peer = pair.websocket();
        let socket = pair.request(peer, "/");
        pair.hang_up(peer, true);
        let decision = if accept { pair.accept(socket) } else { pair.reject(socket, "no") };
        assert_eq!(decision, Err(Gone));
        assert_eq!(pair.events(peer), ["closed: transport close"]);
    }
}

#[test]
fn a_request_may_be_found_after_the_peer_has_left() {
    let mut pair = Pair::new();
    let peer = pair.websocket();
    pair.send(peer, "40");
    pair.hang_up(peer, false);
    let request = pair.take_request(peer);
    assert_eq!(pair.accept(request.socket), Err(Gone));
    assert_eq!(pair.events(peer), ["closed: transport error"]);
}

#[test]
fn an_unknown_namespace_is_refused_and_the_connection_kept() {
    let mut pair = Pair::new();
    let (peer, _) = pair.joined();
    for name in ["/nope", "/NOPE", "/?a=b", "/__proto__"] {
        pair.send(peer, &alloc::format!("40{name},"));
        let refusal = alloc::format!(r#"44{name},{{"message":"Invalid namespace"}}"#);
        assert_eq!(pair.received(peer), [refusal]);
    }
    assert!(pair.events(peer).is_empty());
}

#[test]
fn namespaces_are_created_once_and_given_a_slash() {
    let mut pair = Pair::new();
    let admin = pair.server.create_namespace("admin");
    assert_eq!(pair.server.create_namespace("/admin"), admin);
    assert_eq!(pair.server.namespace_name(admin), Some("/admin"));
    let root = pair.root();
    assert_eq!(pair.server.create_namespace(""), root);
    assert_eq!(pair.server.create_namespace("/"), root);
}

#[test]
fn one_connection_joins_several_namespaces() {
    let mut pair = Pair::new();
    let admin = pair.server.create_namespace("/admin");
    let (peer, root) = pair.joined();
    let socket = pair.request(peer, "/admin");
    pair.accept(socket).unwrap();
    assert!(pair.received(peer)[0].starts_with(r#"40/admin,{"sid":"#));
    assert_eq!(pair.server.socket(socket).unwrap().namespace(), Some(admin));
    assert_eq!(pair.server.namespace_len(admin), 1);
    pair.send(peer, r#"42/admin,["a"]"#);
    pair.send(peer, "41/admin,");
    assert_eq!(pair.events(peer), [r#"["a"]"#, "disconnected: client namespace disconnect"]);
    assert_eq!(pair.server.namespace_len(admin), 0);
    assert_eq!(pair.emit(socket, "late"), Err(EmitError::NotConnected));
    pair.emit(root, "a").unwrap();
    assert_eq!(pair.received(peer), [r#"42["a"]"#]);
}

#[test]
fn a_client_that_leaves_may_come_back_as_somebody_else() {
    let mut pair = Pair::new();
    let (peer, first) = pair.joined();
    pair.send(peer, "41");
    pair.events(peer);
    let second = pair.join(peer, "/");
    assert_ne!(first, second);
    assert!(pair.server.socket(first).is_none());
}

#[test]
fn the_end_of_a_connection_ends_each_of_its_sockets() {
    let mut pair = Pair::new();
    pair.server.create_namespace("/a");
    pair.server.create_namespace("/b");
    let (peer, _) = pair.joined();
    let a = pair.request(peer, "/a");
    pair.accept(a).unwrap();
    pair.request(peer, "/b");
    pair.hang_up(peer, false);
    assert_eq!(
        pair.events(peer),
        [
            "disconnected: transport error",
            "disconnected: transport error",
            "closed: transport error"
        ]
    );
}
