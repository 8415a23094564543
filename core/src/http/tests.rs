use std::string::String;

use super::*;
use crate::{Config, Dialect, Revision, Sid, Transport};

const SID: &str = "Aabcdefghij0123456-_";

fn get(query: &str) -> Request<'_> {
    Request { method: Method::Get, query, origin: None, upgrade: false }
}

fn handshake(transport: Transport) -> Route {
    Route::Handshake { transport, dialect: Dialect::default() }
}

fn sid() -> Sid {
    Sid::parse(SID).expect("20 characters of the alphabet")
}

#[test]
fn routes_each_kind_of_request() {
    let config = Config::default();
    let with_sid = std::format!("EIO=4&transport=polling&sid={SID}&t=abc");
    let upgrade = std::format!("EIO=4&transport=websocket&sid={SID}");
    let cases = [
        (get("EIO=4&transport=polling"), Ok(handshake(Transport::Polling))),
        (
            Request { upgrade: true, ..get("transport=websocket&EIO=4") },
            Ok(handshake(Transport::WebSocket)),
        ),
        (get(&with_sid), Ok(Route::Poll(sid()))),
        (Request { method: Method::Post, ..get(&with_sid) }, Ok(Route::Post(sid()))),
        (
            Request { method: Method::Other, ..get(&with_sid) },
            Ok(Route::Refuse { sid: sid(), refusal: Refusal::UnexpectedMethod }),
        ),
        (Request { upgrade: true, ..get(&upgrade) }, Ok(Route::Upgrade(sid()))),
        (get(&upgrade), Ok(Route::Refuse { sid: sid(), refusal: Refusal::TransportMismatch })),
        (
            Request { upgrade: true, ..get(&with_sid) },
            Ok(Route::Refuse { sid: sid(), refusal: Refusal::TransportMismatch }),
        ),
        (get("EIO=4"), Err(Refusal::UnknownTransport)),
        (get("EIO=4&transport=__proto__"), Err(Refusal::UnknownTransport)),
        (get("EIO=4&transport=polling&transport=abc"), Err(Refusal::UnknownTransport)),
        // A name alone has an empty value, whether or not something else must be decoded.
        (get("EIO=4&transport=polling&transport"), Err(Refusal::UnknownTransport)),
        (get("EIO=4&transport=polling&transport&t=+"), Err(Refusal::UnknownTransport)),
        (get("EIO=4&transport=polling&sid&&"), Ok(handshake(Transport::Polling))),
        (get("EIO=4&transport=polling&sid="), Ok(handshake(Transport::Polling))),
        (get("EIO=4&transport=polling&sid=__proto__"), Err(Refusal::UnknownSession)),
        (
            Request { method: Method::Post, ..get("EIO=4&transport=polling") },
            Err(Refusal::BadHandshakeMethod),
        ),
        (get("EIO=4&transport=websocket"), Err(Refusal::NoWebSocketHandshake)),
        (get("EIO=3&transport=polling"), Err(Refusal::UnsupportedProtocol)),
        (get("transport=polling"), Err(Refusal::UnsupportedProtocol)),
        (
            Request { origin: Some(b"http://a\x01"), ..get("EIO=4&transport=polling") },
            Err(Refusal::InvalidOrigin),
        ),
        (
            Request { origin: Some(b"http://a"), ..get("EIO=4&transport=polling") },
            Ok(handshake(Transport::Polling)),
        ),
    ];
    for (request, expected) in cases {
        assert_eq!(route(&config, &request), expected, "{request:?}");
    }
}

#[test]
fn an_unlisted_transport_is_unknown() {
    let mut config = Config::default();
    config.transports.polling = false;
    assert_eq!(route(&config, &get("EIO=4&transport=polling")), Err(Refusal::UnknownTransport),);
}

#[test]
fn bodies_name_the_code_also_when_it_is_zero() {
    assert_eq!(Refusal::UnknownTransport.body(None), r#"{"code":0,"message":"Transport unknown"}"#);
    assert_eq!(Refusal::Forbidden.body(Some("\"no\"")), r#"{"code":4,"message":"\"no\""}"#);
    assert_eq!(Refusal::Overlap.body(None), String::new());
}

#[test]
fn base64_is_wanted_by_any_value_of_its_parameter() {
    for (query, wanted) in [("EIO=4", false), ("b64=1", true), ("a&b64=0", true), ("b64=", false)] {
        assert_eq!(wants_base64(query), wanted, "{query}");
    }
}

#[test]
fn refusals_are_told_as_the_reference_tells_them() {
    let cases = [
        (Refusal::UnknownTransport, Some(0), 400),
        (Refusal::UnknownSession, Some(1), 400),
        (Refusal::BadHandshakeMethod, Some(2), 400),
        (Refusal::InvalidOrigin, Some(3), 400),
        (Refusal::InvalidCallback, Some(3), 400),
        (Refusal::TransportMismatch, Some(3), 400),
        (Refusal::NoWebSocketHandshake, Some(3), 400),
        (Refusal::Middleware, Some(3), 400),
        (Refusal::SessionId, Some(3), 400),
        (Refusal::Unavailable, Some(3), 503),
        (Refusal::Forbidden, Some(4), 403),
        (Refusal::UnsupportedProtocol, Some(5), 400),
        (Refusal::Overlap, None, 400),
        (Refusal::UnexpectedMethod, None, 500),
    ];
    for (refusal, code, status) in cases {
        assert_eq!((refusal.code(), refusal.status()), (code, status), "{refusal:?}");
    }
}

#[test]
fn the_handshake_says_how_the_client_wants_to_be_spoken_to() {
    let config = Config { allow_eio3: true, ..Config::default() };
    let (v3, v4) = (Revision::V3, Revision::V4);
    let cases = [
        ("EIO=4", Ok((v4, false, None))),
        ("EIO=3", Ok((v3, false, None))),
        ("", Ok((v3, false, None))),
        ("EIO=3&b64=1", Ok((v3, true, None))),
        ("EIO=3&b64=", Ok((v3, false, None))),
        ("EIO=3&j=0", Ok((v3, true, Some(0)))),
        ("EIO=4&j=17", Ok((v4, false, Some(17)))),
        ("EIO=4&j=%31", Ok((v4, false, Some(1)))),
        ("EIO=3&EIO=4", Ok((v4, false, None))),
        ("EIO=5", Err(Refusal::UnsupportedProtocol)),
        ("EIO=", Err(Refusal::UnsupportedProtocol)),
        ("EIO=4&j=", Err(Refusal::InvalidCallback)),
        ("EIO=4&j=1a", Err(Refusal::InvalidCallback)),
        ("EIO=4&j=%2B1", Err(Refusal::InvalidCallback)),
        ("EIO=4&j=-1", Err(Refusal::InvalidCallback)),
        ("EIO=4&j=](alert)[", Err(Refusal::InvalidCallback)),
        ("EIO=4&j=4294967296", Err(Refusal::InvalidCallback)),
    ];
    for (parameters, expected) in cases {
        let query = std::format!("transport=polling&{parameters}");
        let expected = expected.map(|(revision, base64, jsonp)| Route::Handshake {
            transport: Transport::Polling,
            dialect: Dialect::new(revision, base64, jsonp),
        });
        assert_eq!(route(&config, &get(&query)), expected, "{parameters}");
    }
    let upgrade = Request { upgrade: true, ..get("EIO=3&transport=websocket&j=a") };
    let dialect = Dialect::new(Revision::V3, false, None);
    let expected = Route::Handshake { transport: Transport::WebSocket, dialect };
    assert_eq!(route(&config, &upgrade), Ok(expected), "scripts have no WebSockets");
}
