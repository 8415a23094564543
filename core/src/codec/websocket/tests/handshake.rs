//! The opening handshake: the RFC's example, and each reason to refuse.

use super::super::handshake::*;
use std::vec::Vec;

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

const REQUEST: [(&str, &str); 5] = [
    ("Host", "example.com"),
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", KEY),
    ("Sec-WebSocket-Version", "13"),
];

const RESPONSE: [(&str, &str); 3] =
    [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", ACCEPT)];

/// `headers` without those named `name`, then with one of that name for each of `values`.
fn with<'a>(
    headers: &[(&'a str, &'a str)],
    name: &'a str,
    values: &[&'a str],
) -> Vec<(&'a str, &'a [u8])> {
    let others = headers.iter().copied().filter(|(other, _)| *other != name);
    others
        .chain(values.iter().map(|value| (name, *value)))
        .map(|(name, value)| (name, value.as_bytes()))
        .collect()
}

#[test]
fn example_of_the_rfc() {
    assert_eq!(accept_key(KEY.as_bytes()), ACCEPT.as_bytes());
    assert_eq!(encode_key(*b"the sample nonce"), KEY.as_bytes());
    let request = with(&REQUEST, "Origin", &[]);
    assert_eq!(check_request("GET", request).unwrap(), ACCEPT.as_bytes());
    let response = with(&RESPONSE, "Date", &[]);
    assert_eq!(check_response(KEY.as_bytes(), 101, response), Ok(()));
}

#[test]
fn requests() {
    let check = |name, values: &[&str]| check_request("GET", with(&REQUEST, name, values));
    let bad = |name, values: &[&str], refusal| {
        assert_eq!(check(name, values), Err(refusal), "{name}: {values:?}");
    };
    let good = |name, values: &[&str]| {
        assert!(check(name, values).is_ok(), "{name}: {values:?}");
    };
    good("Upgrade", &["WebSocket"]);
    good("Upgrade", &["h2c, websocket"]);
    good("Connection", &["keep-alive, upgrade"]);
    good("Connection", &["keep-alive ,\tUPGRADE\t"]);
    good("Connection", &["keep-alive", "Upgrade"]);
    good("Sec-WebSocket-Version", &["8"]);
    good("Sec-WebSocket-Version", &[" 13 "]);
    good("Sec-WebSocket-Key", &["AAAAAAAAAAAAAAAAAAAA+/=="]);

    for (name, refusal) in [
        ("Upgrade", Refusal::Upgrade),
        ("Connection", Refusal::Connection),
        ("Sec-WebSocket-Key", Refusal::Key),
        ("Sec-WebSocket-Version", Refusal::Version),
    ] {
        bad(name, &[], refusal);
        bad(name, &[""], refusal);
        bad(name, &["other"], refusal);
    }
    bad("Upgrade", &["websocket2"], Refusal::Upgrade);
    bad("Connection", &["up grade, close"], Refusal::Connection);
    bad("Sec-WebSocket-Key", &[KEY, KEY], Refusal::Key);
    bad("Sec-WebSocket-Version", &["13", "13"], Refusal::Version);
    for version in ["12", "14", "0", "013", "13.0", "13, 8", "8,13", "+13"] {
        bad("Sec-WebSocket-Version", &[version], Refusal::Version);
    }
    let post = with(&REQUEST, "Origin", &[]);
    assert_eq!(check_request("POST", post), Err(Refusal::Method));
}

#[test]
fn keys() {
    for key in [
        "dGhlIHNhbXBsZSBub25jZQ=",
        "dGhlIHNhbXBsZSBub25jZQ===",
        "dGhlIHNhbXBsZSBub25jZQAA",
        "dGhlIHNhbXBsZSBub25jZ===",
        "dGhlIHNhbXBsZSBub25j-Q==",
        "dGhlIHNhbXBsZSBub25j Q==",
        "==dGhlIHNhbXBsZSBub25jZQ",
    ] {
        assert!(!validate_key(key.as_bytes()), "{key}");
    }
    assert!(!validate_key(&[0xFF; 24]));
}

#[test]
fn answers_to_refusals() {
    assert_eq!(Refusal::Version.status(), 400);
    assert_eq!(Refusal::Version.header(), Some(("Sec-WebSocket-Version", "13, 8")));
    assert_eq!(Refusal::Method.status(), 405);
    assert_eq!(Refusal::Method.header(), Some(("Allow", "GET")));
    assert_eq!(Refusal::Key.status(), 400);
    assert_eq!(Refusal::Key.header(), None);
}

#[test]
fn responses() {
    let check =
        |name, values: &[&str]| check_response(KEY.as_bytes(), 101, with(&RESPONSE, name, values));
    assert_eq!(check("Upgrade", &[]), Err(ResponseError::Upgrade));
    assert_eq!(check("Connection", &["close"]), Err(ResponseError::Connection));
    assert_eq!(check("Sec-WebSocket-Accept", &[]), Err(ResponseError::Accept));
    assert_eq!(check("Sec-WebSocket-Accept", &[KEY]), Err(ResponseError::Accept));
    assert_eq!(check("Sec-WebSocket-Accept", &[ACCEPT, ACCEPT]), Err(ResponseError::Accept));
    let extension = "Sec-WebSocket-Extensions";
    assert_eq!(check(extension, &["permessage-deflate"]), Err(ResponseError::Extension));
    assert_eq!(check(extension, &[""]), Ok(()));
    let response = with(&RESPONSE, "Date", &[]);
    let error = check_response(KEY.as_bytes(), 200, response);
    assert_eq!(error, Err(ResponseError::Status { status: 200 }));
}
