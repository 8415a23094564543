use super::Wire;

#[test]
fn one_get_and_one_post_at_a_time() {
    let mut wire = Wire::connected();
    wire.emit("a");
    assert_eq!(wire.requests(), [r#"POST 42["a"]"#]);
    wire.emit("b");
    wire.emit("c");
    assert!(wire.requests().is_empty());
    wire.posted();
    assert_eq!(wire.requests(), [r#"POST 42["b"]|42["c"]"#]);
    wire.answer("6");
    assert_eq!(wire.requests(), ["GET /socket.io/?EIO=4&transport=polling&sid=s"]);
    wire.finish();
}

/// Trap 33.
#[test]
fn bodies_respect_what_the_server_takes() {
    let mut wire = Wire::connected();
    for _ in 0..3 {
        assert_eq!(wire.emit(&"x".repeat(42)), "ok");
    }
    // Twice 48 bytes and a separator are 97, and 100 are allowed.
    let requests = wire.requests();
    assert_eq!(requests[0].len(), "POST ".len() + 97);
    wire.posted();
    assert_eq!(wire.requests()[0].len(), "POST ".len() + 48);
    wire.finish();
}

#[test]
fn a_packet_that_the_server_would_not_take_is_refused() {
    let mut wire = Wire::connected();
    assert_eq!(wire.emit(&"x".repeat(94)), "ok");
    let refused = "packet exceeds the 100 bytes that the server takes";
    assert_eq!(wire.emit(&"x".repeat(95)), refused);
    assert_eq!(wire.requests().len(), 1);
    wire.finish();
}

#[test]
fn failures_end_the_session() {
    let lost = ["closed: transport error", "disconnected /: transport error"];
    let mut wire = Wire::connected();
    wire.get_failed();
    assert_eq!(wire.events(), lost);
    wire.finish();

    let mut wire = Wire::connected();
    wire.answer_with(400, r#"{"code":1,"message":"Session ID unknown"}"#);
    assert_eq!(wire.events(), lost);
    wire.finish();

    let mut wire = Wire::connected();
    wire.emit("a");
    wire.requests();
    wire.posted_with(413);
    assert_eq!(wire.events(), lost);
    wire.finish();
}

#[test]
fn a_close_of_the_server_ends_it_and_what_follows_is_ignored() {
    let mut wire = Wire::connected();
    wire.answer(r#"42["a"]|1|42["b"]"#);
    let expected = [r#"["a"]"#, "closed: transport close", "disconnected /: transport close"];
    assert_eq!(wire.events(), expected);
    wire.finish();
}

/// Trap 30.
#[test]
fn malformed_payloads_end_the_session_behind_what_came_before() {
    for body in [r#"42["a"]||42["b"]"#, r#"42["a"]|x"#] {
        let mut wire = Wire::connected();
        wire.answer(body);
        let expected = [r#"["a"]"#, "closed: transport error", "disconnected /: transport error"];
        assert_eq!(wire.events(), expected);
        wire.finish();
    }
    let mut wire = Wire::connected();
    wire.answer("");
    assert_eq!(wire.events()[0], "closed: transport error");
    wire.finish();
}

/// Trap 34: the last event comes before the disconnection.
#[test]
fn what_is_no_socket_io_packet_is_a_parse_error() {
    for packet in ["4", "49", "42", "42{}", r#"42["connect"]"#, "bAAAA", r#"451-["a"]|42["b"]"#] {
        let mut wire = Wire::connected();
        wire.answer(&[r#"42["a"]"#, packet, r#"42["b"]"#].join("|"));
        let expected = [r#"["a"]"#, "closed: parse error", "disconnected /: parse error"];
        assert_eq!(wire.events(), expected, "{packet}");
        assert_eq!(wire.requests(), ["POST 1"], "the server is told");
        wire.finish();
    }
}

#[test]
fn what_belongs_to_another_session_is_ignored() {
    let mut wire = Wire::connected();
    let stale = wire.take_get();
    assert!(wire.client.awaits(stale));
    wire.advance(45_000);
    wire.events();
    assert!(!wire.client.awaits(stale));
    wire.sleep();
    wire.events();
    wire.establish();
    wire.client.handle_response(wire.now, stale, 200, bytes::Bytes::from_static(b"42[\"a\"]"));
    wire.client.handle_request_failed(wire.now, stale);
    assert!(wire.events().is_empty());
    assert!(wire.root().is_connected());
    wire.finish();
}
