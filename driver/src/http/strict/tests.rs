use http::{HeaderName, Request, Response};

use super::*;

const LIMITS: HeaderLimits = HeaderLimits { bytes_max: 200, count_max: 5 };

const BAD: Result<(), StatusCode> = Err(StatusCode::BAD_REQUEST);
const TOO_LARGE: Result<(), StatusCode> = Err(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);

fn check(version: Version, headers: &[(&str, &str)]) -> Result<(), StatusCode> {
    let mut parts = Request::new(()).into_parts().0;
    parts.version = version;
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
        parts.headers.append(name, HeaderValue::from_str(value).expect("a value"));
    }
    check_request(&parts, LIMITS)
}

#[test]
fn hosts() {
    for (version, hosts, expected) in [
        (Version::HTTP_11, &["localhost:3000"][..], Ok(())),
        (Version::HTTP_11, &["[::1]:3000"], Ok(())),
        (Version::HTTP_11, &[""], Ok(())),
        (Version::HTTP_11, &[], BAD),
        (Version::HTTP_11, &["a", "b"], BAD),
        (Version::HTTP_11, &["a", "a"], BAD),
        (Version::HTTP_11, &["a b"], BAD),
        (Version::HTTP_11, &["a/b"], BAD),
        (Version::HTTP_11, &["a@b"], BAD),
        (Version::HTTP_11, &["a?b"], BAD),
        (Version::HTTP_11, &["ä"], BAD),
        (Version::HTTP_10, &[], Ok(())),
        (Version::HTTP_10, &["a"], Ok(())),
        (Version::HTTP_10, &["a", "b"], BAD),
        (Version::HTTP_2, &[], Ok(())),
    ] {
        let headers: Vec<_> = hosts.iter().map(|host| ("host", *host)).collect();
        assert_eq!(check(version, &headers), expected, "{version:?} {hosts:?}");
    }
}

#[test]
fn lengths() {
    let te = "transfer-encoding";
    for (headers, expected) in [
        (&[("content-length", "3")][..], Ok(())),
        (&[(te, "chunked")], Ok(())),
        (&[(te, "Chunked")], Ok(())),
        (&[(te, "")], BAD),
        (&[(te, "gzip")], BAD),
        (&[(te, "identity")], BAD),
        (&[(te, "gzip, chunked")], BAD),
        (&[(te, "chunked, chunked")], BAD),
        (&[(te, "chunked,")], BAD),
        (&[(te, "chunked;a=b")], BAD),
        (&[(te, "chunked"), (te, "chunked")], BAD),
        (&[(te, "gzip"), (te, "chunked")], BAD),
        (&[(te, "chunked"), ("content-length", "3")], BAD),
        (&[("content-length", "3"), (te, "chunked")], BAD),
    ] {
        let headers = [&[("host", "a")], headers].concat();
        assert_eq!(check(Version::HTTP_11, &headers), expected, "{headers:?}");
    }
}

#[test]
fn sizes() {
    // `host` and its value are 5 bytes, so 190 are left beside a name of 5.
    for (value_bytes, expected) in [(0, Ok(())), (190, Ok(())), (191, TOO_LARGE)] {
        let value = "x".repeat(value_bytes);
        let headers = [("host", "a"), ("x-big", &*value)];
        assert_eq!(check(Version::HTTP_11, &headers), expected, "{value_bytes} bytes");
    }
    for (lines, expected) in [(4, Ok(())), (5, TOO_LARGE)] {
        let mut headers = vec![("host", "a")];
        headers.resize(1 + lines, ("x", ""));
        assert_eq!(check(Version::HTTP_11, &headers), expected, "{lines} more lines");
    }
    // The size comes first: what is too large is not looked at further.
    assert_eq!(check(Version::HTTP_11, &[("x", &"x".repeat(200))]), TOO_LARGE);
}

/// Sends a request through hyper to a service that checks it and reads no body.
fn serve(request: &[u8]) -> (String, Option<Vec<String>>, bool) {
    let seen = std::sync::Mutex::new(None);
    let outcome = wire::serve(request, |request| {
        let (parts, _) = request.into_parts();
        let line = |(name, value): (&HeaderName, &HeaderValue)| {
            format!("{name}: {}", value.to_str().expect("printable"))
        };
        *seen.lock().expect("not poisoned") = Some(parts.headers.iter().map(line).collect());
        let mut response = Response::default();
        if let Err(status) = check_request(&parts, HeaderLimits::default()) {
            *response.status_mut() = status;
        }
        async move { response }
    });
    let status = outcome.sent.get(9..12).unwrap_or("none").to_owned();
    (status, seen.into_inner().expect("not poisoned"), outcome.closed)
}

/// What hyper does before the service is asked: the facts of the module's table. If one of these
/// fails after an update of hyper, the table has to be written anew.
#[test]
fn what_hyper_hands_over() {
    let chunks = "0\r\n\r\n";
    let te = "transfer-encoding: chunked";
    for (head, body, status, seen) in [
        ("host: a", "", "200", Some(&["host: a"][..])),
        ("host: a\r\ntransfer-encoding: chunked", chunks, "200", Some(&["host: a", te])),
        (
            "host: a\r\ncontent-length: 3\r\ncontent-length: 3",
            "abc",
            "200",
            Some(&["host: a", "content-length: 3"]),
        ),
        // One kind of length is removed; that both were there cannot be seen any more.
        (
            "host: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked",
            chunks,
            "200",
            Some(&["host: a", te]),
        ),
        (
            "host: a\r\ntransfer-encoding: chunked\r\ncontent-length: 5",
            chunks,
            "200",
            Some(&["host: a", te]),
        ),
        // Handed over, and refused by us.
        ("x: y", "", "400", Some(&["x: y"])),
        ("host: a\r\nhost: b", "", "400", Some(&["host: a", "host: b"])),
        (
            "host: a\r\ntransfer-encoding: gzip, chunked",
            chunks,
            "400",
            Some(&["host: a", "transfer-encoding: gzip, chunked"]),
        ),
        (
            "host: a\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked",
            chunks,
            "400",
            Some(&["host: a", te, te]),
        ),
        // Refused by hyper.
        ("host: a\r\ntransfer-encoding: chunked, identity", "", "400", None),
        ("host: a\r\ntransfer-encoding: xchunked", "", "400", None),
        ("host: a\r\ntransfer-encoding : chunked", "", "400", None),
        ("host: a\r\ncontent-length: 3\r\ncontent-length: 4", "", "400", None),
        ("host: a\r\ncontent-length: 3, 3", "", "400", None),
        ("host: a\r\ncontent-length: +3", "", "400", None),
        ("host: a\r\nx: y\r\n z", "", "400", None),
        ("host: a\r\nx: \0", "", "400", None),
    ] {
        let request = format!("POST / HTTP/1.1\r\n{head}\r\n\r\n{body}");
        let (got, headers, _) = serve(request.as_bytes());
        assert_eq!(got, status, "{head:?}");
        let seen = seen.map(|lines| lines.iter().map(|line| (*line).to_owned()).collect());
        assert_eq!(headers, seen, "{head:?}");
    }
}

#[test]
fn hyper_closes_after_both_kinds_of_length() {
    let ordinary = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    assert!(!serve(ordinary).2, "an ordinary request keeps the connection");
    for lengths in [
        "content-length: 5\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ncontent-length: 5",
    ] {
        let smuggled = "GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n";
        let request = format!("POST / HTTP/1.1\r\nhost: a\r\n{lengths}\r\n\r\n0\r\n\r\n{smuggled}");
        let requests = std::sync::atomic::AtomicUsize::new(0);
        let outcome = wire::serve(request.as_bytes(), |_| {
            requests.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            async { Response::default() }
        });
        assert!(outcome.closed, "{lengths:?}");
        assert!(outcome.sent.contains("connection: close"), "{}", outcome.sent);
        assert_eq!(requests.into_inner(), 1, "{lengths:?}");
    }
}

#[test]
fn large_heads_through_hyper() {
    for (bytes, status) in [(15_000, "200"), (17_000, "431"), (200_000, "431")] {
        let request = format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "x".repeat(bytes));
        assert_eq!(serve(request.as_bytes()).0, status, "{bytes} bytes");
    }
    let lines = format!("GET / HTTP/1.1\r\nhost: a\r\n{}\r\n", "x: y\r\n".repeat(100));
    assert_eq!(serve(lines.as_bytes()).0, "431", "101 lines");
}
