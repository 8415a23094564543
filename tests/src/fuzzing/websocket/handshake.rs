//! The opening handshake, against a model that is as plain as the rules.

use sansocket_core::codec::websocket::handshake::{
    Refusal, ResponseError, accept_key, check_request, check_response, encode_key, has_token,
    validate_key,
};

const NAMES: [&str; 8] = [
    "Upgrade",
    "Connection",
    "sec-websocket-key",
    "Sec-WebSocket-Version",
    "Sec-WebSocket-Accept",
    "Sec-WebSocket-Extensions",
    "UPGRADE",
    "Host",
];

/// Values without which nearly all requests would be refused for the same reason.
const VALUES: [&[u8]; 7] = [
    b"websocket",
    b"keep-alive, Upgrade",
    b"dGhlIHNhbXBsZSBub25jZQ==",
    b"13",
    b"s3pPLMBiTxaQ9kYGzhZRbK+xOo8=",
    b" 8 ",
    b"",
];

/// Each line is a header: a byte that chooses its name, one that chooses its value, and the value
/// where the latter chooses none.
pub(super) fn run(bytes: &[u8]) {
    let headers: Vec<(&str, &[u8])> = bytes.split(|byte| *byte == b'\n').map(header).collect();
    for method in ["GET", "get", "POST"] {
        assert_eq!(check_request(method, headers.clone()), expected_answer(method, &headers));
    }
    let key = headers.first().map_or(&[][..], |(_, value)| value);
    for status in [101, 200] {
        let answer = check_response(key, status, headers.clone());
        assert_eq!(answer, expected_verdict(key, status, &headers));
    }
    if let Ok(accept) = check_request("GET", headers.clone()) {
        let key = only(&headers, "sec-websocket-key").unwrap_or_default();
        let response = [
            ("upgrade", &b"websocket"[..]),
            ("connection", b"Upgrade"),
            ("sec-websocket-accept", &accept),
        ];
        assert_eq!(check_response(&key, 101, response), Ok(()), "our own answer");
    }
    check_key(bytes);
}

fn header(line: &[u8]) -> (&'static str, &[u8]) {
    let Some((name, rest)) = line.split_first() else { return ("Host", b"") };
    let name = NAMES[usize::from(*name) % NAMES.len()];
    let Some((choice, rest)) = rest.split_first() else { return (name, b"") };
    (name, VALUES.get(usize::from(*choice & 15)).copied().unwrap_or(rest))
}

fn check_key(bytes: &[u8]) {
    let mut nonce = [0; 16];
    nonce.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    let key = encode_key(nonce);
    assert!(validate_key(&key));
    assert!(!validate_key(&key[1..]) && !validate_key(&[&key[..], b"="].concat()));
}

fn expected_answer(method: &str, headers: &[(&str, &[u8])]) -> Result<[u8; 28], Refusal> {
    let names = |name, token| values(headers, name).any(|value| lists(value, token));
    if method != "GET" {
        return Err(Refusal::Method);
    }
    if !names("upgrade", "websocket") {
        return Err(Refusal::Upgrade);
    }
    if !names("connection", "upgrade") {
        return Err(Refusal::Connection);
    }
    let Some(key) = only(headers, "sec-websocket-key").filter(|key| is_key(key)) else {
        return Err(Refusal::Key);
    };
    match only(headers, "sec-websocket-version").as_deref() {
        Some(b"13" | b"8") => Ok(accept_key(&key)),
        Some(_) | None => Err(Refusal::Version),
    }
}

fn expected_verdict(
    key: &[u8],
    status: u16,
    headers: &[(&str, &[u8])],
) -> Result<(), ResponseError> {
    let names = |name, token| values(headers, name).any(|value| lists(value, token));
    if status != 101 {
        return Err(ResponseError::Status { status });
    }
    if !names("upgrade", "websocket") {
        return Err(ResponseError::Upgrade);
    }
    if !names("connection", "upgrade") {
        return Err(ResponseError::Connection);
    }
    if only(headers, "sec-websocket-accept").as_deref() != Some(&accept_key(key)[..]) {
        return Err(ResponseError::Accept);
    }
    let extensions = values(headers, "sec-websocket-extensions");
    let blank = |value: &[u8]| value.iter().all(u8::is_ascii_whitespace);
    if extensions.into_iter().all(blank) { Ok(()) } else { Err(ResponseError::Extension) }
}

fn values<'a>(
    headers: &'a [(&str, &'a [u8])],
    name: &'a str,
) -> impl Iterator<Item = &'a [u8]> + 'a {
    let is_named = move |other: &str| other.to_ascii_lowercase() == name;
    headers.iter().filter(move |(other, _)| is_named(other)).map(|(_, value)| *value)
}

/// The value of a header that comes once.
fn only(headers: &[(&str, &[u8])], name: &str) -> Option<Vec<u8>> {
    let found: Vec<&[u8]> = values(headers, name).collect();
    let [only] = found[..] else { return None };
    Some(only.trim_ascii().to_vec())
}

fn lists(value: &[u8], token: &str) -> bool {
    let text = String::from_utf8_lossy(value).to_ascii_lowercase();
    let found = text.split(',').any(|element| {
        element.trim_matches(|character: char| character.is_ascii_whitespace()) == token
    });
    assert_eq!(has_token(value, token), found);
    found
}

/// 22 digits of base64 and two times `=`.
fn is_key(key: &[u8]) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/".contains(byte);
    key.len() == 24 && key.ends_with(b"==") && key[..22].iter().all(is_digit)
}
