//! Offers and answers.

use alloc::{format, vec};

use super::*;
use crate::codec::websocket::deflate::Accepted;
use crate::codec::websocket::handshake::{ResponseError, accept_key, check_response_to_offer};

const NAME: &str = "sec-websocket-extensions";

fn settings(server_context: bool, client_context: bool) -> PerMessageDeflate {
    PerMessageDeflate::default()
        .server_context_takeover(server_context)
        .client_context_takeover(client_context)
}

/// What a server answers.
fn answer(settings: PerMessageDeflate, lines: &[&str]) -> Option<String> {
    let headers = lines.iter().map(|line| (NAME, line.as_bytes()));
    settings.accept(headers).map(Accepted::answer)
}

#[test]
fn a_server_answers_the_first_offer_that_it_can_accept() {
    const NONE: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    const BOTH: &str = "permessage-deflate";
    const WINDOW: &str = "permessage-deflate; server_no_context_takeover; \
                          client_no_context_takeover; server_max_window_bits=15";
    let none = settings(false, false);
    for (offers, expected) in [
        (&["permessage-deflate; client_max_window_bits"][..], Some(NONE)),
        (&["permessage-deflate"], Some(NONE)),
        (&["permessage-deflate;client_max_window_bits=8"], Some(NONE)),
        (&["permessage-deflate ; client_max_window_bits = \"10\" "], Some(NONE)),
        (&["permessage-deflate; client_max_window_bits=\"\\1\\5\""], Some(NONE)),
        (&["permessage-deflate; server_max_window_bits=15"], Some(WINDOW)),
        (&["permessage-deflate; server_max_window_bits=14"], None),
        (&["permessage-deflate; server_max_window_bits=10, permessage-deflate"], Some(NONE)),
        (&["permessage-deflate; server_max_window_bits=10", "permessage-deflate"], Some(NONE)),
        (&["x-other; a=\"b\", ,permessage-deflate"], Some(NONE)),
        (&["permessage-deflate; server_no_context_takeover"], Some(NONE)),
        // Parameters that are unknown, repeated, or have no such value.
        (&["permessage-deflate; level=9"], None),
        (&["permessage-deflate; level=9, permessage-deflate"], Some(NONE)),
        (&["permessage-deflate; server_no_context_takeover; server_no_context_takeover"], None),
        (&["permessage-deflate; client_max_window_bits; client_max_window_bits=9"], None),
        (&["permessage-deflate; server_no_context_takeover=1"], None),
        (&["permessage-deflate; server_max_window_bits"], None),
        (&["permessage-deflate; server_max_window_bits=16"], None),
        (&["permessage-deflate; server_max_window_bits=7"], None),
        (&["permessage-deflate; server_max_window_bits=015"], None),
        (&["permessage-deflate; client_max_window_bits=+9"], None),
        // No lists of extensions.
        (&["permessage-deflate;"], None),
        (&["permessage-deflate; ="], None),
        (&["permessage-deflate; client_max_window_bits="], None),
        (&["permessage-deflate; client_max_window_bits=\"9"], None),
        (&["permessage-deflate; client_max_window_bits=\"\""], None),
        (&["permessage-deflate client_max_window_bits"], None),
        (&["permessage-deflate, \"x\""], None),
        (&["x-other; a=\"b,c\", permessage-deflate"], None),
        // Other names.
        (&["permessage-bzip2"], None),
        (&["Permessage-Deflate"], None),
        (&[""], None),
        (&[], None),
    ] {
        assert_eq!(answer(none, offers).as_deref(), expected, "{offers:?}");
    }
    assert_eq!(answer(settings(true, true), &["permessage-deflate"]).as_deref(), Some(BOTH));
}

#[test]
fn a_context_is_kept_only_where_both_ends_want_it() {
    for server_wish in [false, true] {
        for client_wish in [false, true] {
            let offer = settings(server_wish, client_wish).offer();
            for server_grant in [false, true] {
                for client_grant in [false, true] {
                    let server = settings(server_grant, client_grant);
                    let accepted = server.accept([(NAME, offer.as_bytes())]).unwrap();
                    let agreed = accepted.agreed();
                    let expected = server_wish && server_grant;
                    assert_eq!(agreed.keeps_context(Role::Server), expected);
                    let expected = client_wish && client_grant;
                    assert_eq!(agreed.keeps_context(Role::Client), expected);
                    // The client makes the same of it.
                    let answer = accepted.answer();
                    let client = settings(server_wish, client_wish);
                    let seen = client.check_answer([(NAME, answer.as_bytes())]);
                    assert_eq!(seen, Ok(Some(agreed)));
                }
            }
        }
    }
}

#[test]
fn a_client_takes_no_answer_to_what_it_did_not_offer() {
    let check = |lines: &[&str]| {
        settings(true, true).check_answer(lines.iter().map(|line| (NAME, line.as_bytes())))
    };
    assert_eq!(check(&[]), Ok(None));
    assert_eq!(check(&[" "]), Ok(None));
    let agreed = check(&["permessage-deflate; server_max_window_bits=9"]).unwrap().unwrap();
    assert!(agreed.keeps_context(Role::Server) && agreed.keeps_context(Role::Client));
    let agreed = check(&["permessage-deflate; client_no_context_takeover"]).unwrap().unwrap();
    assert!(agreed.keeps_context(Role::Server) && !agreed.keeps_context(Role::Client));
    for answer in [
        &["permessage-deflate; client_max_window_bits=15"][..],
        &["permessage-deflate; client_max_window_bits"],
        &["permessage-deflate; server_max_window_bits"],
        &["permessage-deflate; server_max_window_bits=16"],
        &["permessage-deflate; other"],
        &["permessage-deflate, permessage-deflate"],
        &["permessage-deflate", "permessage-deflate"],
        &["x-other"],
        &["permessage-deflate; "],
    ] {
        assert_eq!(check(answer), Err(ResponseError::Extension), "{answer:?}");
    }
}

/// It costs memory at the client, and nothing else.
#[test]
fn a_server_may_keep_its_context_although_it_was_asked_not_to() {
    let client = settings(false, false);
    let answer = b"permessage-deflate".as_slice();
    let agreed = client.check_answer([(NAME, answer)]).unwrap().unwrap();
    assert!(agreed.keeps_context(Role::Server) && !agreed.keeps_context(Role::Client));
}

#[test]
fn a_response_is_checked_with_its_extensions() {
    let key = b"dGhlIHNhbXBsZSBub25jZQ==";
    let accept = accept_key(key);
    let mut headers = std::vec![
        ("Upgrade", b"websocket".as_slice()),
        ("Connection", b"Upgrade"),
        ("Sec-WebSocket-Accept", &accept),
    ];
    let offered = PerMessageDeflate::default();
    let check = |headers: &[(&'static str, &[u8])]| {
        let headers: Vec<(&str, &[u8])> = headers.to_vec();
        check_response_to_offer(key, 101, headers.iter().copied(), &offered)
            .map(|agreed| agreed.is_some())
    };
    assert_eq!(check(&headers), Ok(false));
    headers.push(("Sec-WebSocket-Extensions", b"permessage-deflate; server_no_context_takeover"));
    assert_eq!(check(&headers), Ok(true));
    headers.push(("Sec-WebSocket-Extensions", b"x-other"));
    assert_eq!(check(&headers), Err(ResponseError::Extension));
    headers.remove(0);
    assert_eq!(check(&headers), Err(ResponseError::Upgrade));
}

/// Whoever looked at what is left for each element, or for each way to read one, would not come to
/// the end of these.
#[test]
fn a_list_is_read_once_however_long_it_is() {
    const BYTES: usize = 1_000_000;
    let repeated = |part: &str| part.repeat(BYTES / part.len());
    let deflate = "permessage-deflate";
    for part in [",", " ", " ,\t", "a,", "a;b,", "a;b=\"c\",", "a;b=\"\\c\" , ", "x-a ; b = c ,"] {
        let offers = format!("{}{deflate}", repeated(part));
        assert!(answer(settings(true, true), &[&offers]).is_some(), "{part}");
    }
    for part in ["a;", "a;b=\"", "a\t \t", "\"", ";", "=", "a", "\\", "\u{e4}"] {
        for begin in ["", "a", "a;b=\"", "permessage-deflate; server_max_window_bits=\"1"] {
            let list = format!("{begin}{}", repeated(part));
            assert_eq!(answer(settings(true, true), &[&list, "x"]), None, "{begin}{part}");
        }
    }
    for parameter in ["; server_max_window_bits=99", ";server_no_context_takeover"] {
        let list = format!("{deflate}{}", repeated(parameter));
        assert_eq!(answer(settings(true, true), &[&list, &list]), None, "{parameter}");
    }
    let lines = vec![deflate; 10_000];
    assert!(answer(settings(true, true), &lines).is_some());
}
