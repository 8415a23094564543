//! Packets that are malformed, or come at the wrong time: the rows of the reference's table that
//! concern more than the codec.

use super::*;

/// What a client that has joined `/` sends; what the application learns, apart from the ends of
/// socket and connection, which both are `forced close`.
const CLOSING: &[(&str, &str)] = &[
    ("4", "violation: empty message"),
    ("47", "violation: unknown packet type 0x37"),
    ("4abc", "violation: unknown packet type 0x61"),
    ("40[]", "violation: invalid payload"),
    ("40{", "violation: invalid payload"),
    ("40", ""),
    ("405", ""),
    (r#"42/nope,["a"]"#, ""),
    ("43/nope,1[]", ""),
    ("41/nope,", ""),
    ("42[]", "violation: invalid payload"),
    ("42{}", "violation: invalid payload"),
    ("42[null]", "violation: invalid payload"),
    (r#"42["connect"]"#, "violation: reserved event name"),
    (r#"42["disconnecting"]"#, "violation: reserved event name"),
    ("42abc", "violation: invalid payload"),
    ("43{}", "violation: invalid payload"),
    (r#"44{"message":"a"}"#, ""),
    (r#"44"a""#, ""),
    ("44[]", "violation: invalid payload"),
    ("41{}", "violation: invalid payload"),
    ("45", "violation: illegal attachments"),
    (r#"451["a"]"#, "violation: illegal attachments"),
    (r#"4511-["a"]"#, "violation: more than 10 attachments"),
    ("bAQ==", "violation: binary data that no packet announced"),
];

#[test]
fn what_closes_a_websocket() {
    for (packet, violation) in CLOSING {
        let mut pair = Pair::new();
        let (peer, _) = pair.joined();
        pair.send(peer, packet);
        let events = pair.events(peer);
        let (ends, before) = split(&events);
        assert_eq!(before, *violation, "{packet}");
        assert_eq!(ends, ["disconnected: forced close", "closed: forced close"], "{packet}");
        assert_eq!(pair.received(peer), ["(close)"]);
    }
}

#[test]
fn what_closes_a_polling_session_whose_get_waits() {
    for (packet, violation) in CLOSING {
        let mut pair = Pair::new();
        let (peer, _) = pair.joined_polling();
        pair.get(peer).unwrap();
        pair.send(peer, packet);
        let events = pair.events(peer);
        let (ends, before) = split(&events);
        assert_eq!(before, *violation, "{packet}");
        assert_eq!(ends, ["disconnected: forced close", "closed: forced close"], "{packet}");
        assert_eq!(pair.body(peer).as_deref(), Some("1"));
    }
}

#[test]
fn what_closes_a_polling_session_without_a_get() {
    for (packet, violation) in CLOSING {
        let mut pair = Pair::new();
        let (peer, _) = pair.joined_polling();
        pair.send(peer, packet);
        // The sockets end at once, the session when it could say so.
        let reason = if violation.is_empty() { "forced server close" } else { "forced close" };
        let events = pair.events(peer);
        let (ends, before) = split(&events);
        assert_eq!(before, *violation, "{packet}");
        assert_eq!(ends, [alloc::format!("disconnected: {reason}")], "{packet}");
        pair.post(peer, r#"42["ignored"]"#).unwrap();
        assert_eq!(pair.poll(peer), "6|1");
        assert_eq!(pair.events(peer), ["closed: forced close"]);
    }
}

fn split(events: &[alloc::string::String]) -> (&[alloc::string::String], &str) {
    match events.split_first() {
        Some((first, rest)) if first.starts_with("violation") => (rest, first),
        Some(_) | None => (events, ""),
    }
}

#[test]
fn what_is_taken() {
    let cases = [
        (r#"42[1,"a"]"#, r#"[1,"a"]"#),
        (r#"42["error"]"#, r#"["error"]"#),
        (r#"42["__proto__"]"#, r#"["__proto__"]"#),
        (r#"42[""]"#, r#"[""]"#),
        (r#"42007["m"]"#, r#"["m"] ack 7"#),
        (r#"450-["a"]"#, r#"["a"]"#),
    ];
    for (packet, event) in cases {
        let mut pair = Pair::new();
        let (peer, _) = pair.joined();
        pair.send(peer, packet);
        pair.send(peer, "6");
        assert_eq!(pair.events(peer), [event], "{packet}");
    }
}

#[test]
fn nothing_may_come_before_a_namespace_is_joined() {
    for packet in [r#"42["a"]"#, "41", "431[]", r#"451-["a"]|bAQ=="#] {
        let mut pair = Pair::new();
        let peer = pair.polling();
        pair.post(peer, packet).unwrap();
        assert_eq!(pair.poll(peer), "6|1", "{packet}");
        assert_eq!(pair.events(peer), ["closed: forced close"]);
    }
}

#[test]
fn an_event_may_not_come_before_the_client_was_let_in() {
    let mut pair = Pair::new();
    let peer = pair.websocket();
    let socket = pair.request(peer, "/");
    pair.send(peer, r#"42["early"]"#);
    assert_eq!(pair.events(peer), ["closed: forced close"]);
    assert_eq!(pair.accept(socket), Err(crate::Gone));
}

#[test]
fn a_namespace_is_asked_for_once_at_a_time() {
    let mut pair = Pair::new();
    let peer = pair.polling();
    pair.get(peer).unwrap();
    pair.post(peer, "40|40|6").unwrap();
    assert_eq!(pair.events(peer), ["request /", "closed: forced close"]);
    assert_eq!(pair.body(peer).as_deref(), Some("1"));
}

#[test]
fn a_connect_with_an_id_connects() {
    let mut pair = Pair::new();
    let peer = pair.websocket();
    pair.send(peer, "405");
    assert_eq!(pair.events(peer), ["request /"]);
}

#[test]
fn engine_packets_without_meaning_are_ignored() {
    let mut pair = Pair::new();
    let (peer, _) = pair.joined();
    for packet in ["0", "5", "6", "3probe", r#"0{"sid":"x"}"#, "6abc"] {
        pair.send(peer, packet);
    }
    assert!(pair.events(peer).is_empty());
    assert_eq!(pair.received(peer), [""; 0]);
}

#[test]
fn a_close_packet_closes_a_websocket() {
    let mut pair = Pair::new();
    let (peer, _) = pair.joined();
    pair.send(peer, "1");
    pair.send(peer, r#"42["late"]"#);
    assert_eq!(pair.events(peer), ["disconnected: transport close", "closed: transport close"]);
    assert_eq!(pair.received(peer), ["(close)"]);
}

#[test]
fn garbage_on_a_websocket_is_a_parse_error() {
    for packet in ["", "x", "7", "\u{1e}"] {
        let mut pair = Pair::new();
        let (peer, _) = pair.joined();
        pair.send(peer, packet);
        assert_eq!(pair.events(peer), ["disconnected: parse error", "closed: parse error"]);
    }
}
