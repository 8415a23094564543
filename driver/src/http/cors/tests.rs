use http::Request;

use super::*;
use crate::http::strict::wire;

const A: &str = "http://a.example";
type Header = (&'static str, &'static str);

const B: &str = "http://b.example:8080";

/// The headers of a response, in one line each, sorted.
fn lines(headers: &HeaderMap) -> Vec<String> {
    let line = |(name, value): (&HeaderName, &HeaderValue)| {
        format!("{name}: {}", value.to_str().expect("printable"))
    };
    let mut lines: Vec<String> = headers.iter().map(line).collect();
    lines.sort();
    lines
}

fn request(headers: &[Header]) -> http::request::Parts {
    let mut request = Request::options("/socket.io/?EIO=4&transport=polling");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).expect("a valid request").into_parts().0
}

#[test]
fn what_a_response_gets() {
    let allow_a = "access-control-allow-origin: http://a.example";
    let any = "access-control-allow-origin: *";
    let credentials = "access-control-allow-credentials: true";
    let vary = "vary: Origin";
    let two = Cors::origins([A, B]);
    let cases: &[(&str, Cors, Option<&'static str>, &[&str])] = &[
        ("any, with an origin", Cors::permissive(), Some(A), &[any]),
        ("any, without one", Cors::permissive(), None, &[any]),
        ("a star by name", Cors::origin("*"), Some(A), &[any]),
        ("any with credentials", Cors::permissive().credentials(true), Some(A), &[any]),
        ("one, asked by it", Cors::origin(A), Some(A), &[allow_a, vary]),
        ("one, asked by another", Cors::origin(A), Some(B), &[allow_a, vary]),
        ("one, asked by none", Cors::origin(A), None, &[allow_a, vary]),
        ("one that no header can hold", Cors::origin("a\r\nb: c"), Some(A), &[vary]),
        ("listed", two.clone(), Some(A), &[allow_a, vary]),
        ("not listed", two.clone(), Some("http://b.example"), &[vary]),
        ("listed in other case", two.clone(), Some("HTTP://A.EXAMPLE"), &[vary]),
        ("listed with a slash", two.clone(), Some("http://a.example/"), &[vary]),
        ("listed, without an origin", two.clone(), None, &[vary]),
        ("a star in the list", Cors::origins(["*"]), Some(A), &[vary]),
        ("an empty list", Cors::origins([""; 0]), Some(A), &[vary]),
        ("mirrored", Cors::mirror(), Some(A), &[allow_a, vary]),
        ("mirrored, without an origin", Cors::mirror(), None, &[vary]),
        ("accepted", Cors::mirror_if(|origin| origin == A), Some(A), &[allow_a, vary]),
        ("not accepted", Cors::mirror_if(|origin| origin == A), Some(B), &[vary]),
        ("with credentials", two.credentials(true), Some(A), &[credentials, allow_a, vary]),
        (
            "exposed headers",
            Cors::permissive().exposed_headers(["X-A", "X-B"]),
            Some(A),
            &[any, "access-control-expose-headers: X-A,X-B"],
        ),
        (
            "settings of preflights only",
            Cors::permissive().max_age(Duration::from_secs(5)).allowed_headers(["X-A"]),
            Some(A),
            &[any],
        ),
    ];
    for (name, cors, origin, expected) in cases {
        let origin = origin.map(|origin| ("origin", origin));
        let request = request(origin.as_slice());
        let mut headers = HeaderMap::new();
        cors.apply(&request.headers, &mut headers);
        assert_eq!(lines(&headers), *expected, "{name}");
    }
}

#[test]
fn what_a_preflight_gets() {
    let any = "access-control-allow-origin: *";
    let methods = "access-control-allow-methods: GET,HEAD,PUT,PATCH,POST,DELETE";
    let none = "content-length: 0";
    let vary_headers = "vary: Access-Control-Request-Headers";
    let plain = &[("origin", A)][..];
    let asking = &[("origin", A), ("access-control-request-headers", "x-one, x-two")][..];
    let cases: &[(&str, Cors, &[Header], &[&str])] = &[
        ("nothing asked", Cors::permissive(), plain, &[methods, any, none, vary_headers]),
        ("no origin", Cors::permissive(), &[], &[methods, any, none, vary_headers]),
        (
            "reflected",
            Cors::permissive(),
            asking,
            &["access-control-allow-headers: x-one, x-two", methods, any, none, vary_headers],
        ),
        (
            "listed headers are not reflected",
            Cors::permissive().allowed_headers(["X-A", "X-B"]),
            asking,
            &["access-control-allow-headers: X-A,X-B", methods, any, none],
        ),
        ("no headers", Cors::permissive().allowed_headers([""; 0]), asking, &[methods, any, none]),
        (
            "an origin that is not allowed",
            Cors::origins([B]).allowed_headers(["X-A"]),
            asking,
            &["access-control-allow-headers: X-A", methods, none, "vary: Origin"],
        ),
        (
            "everything set",
            Cors::origins([A, B])
                .credentials(true)
                .methods(["GET", "POST"])
                .allowed_headers(["X-A"])
                .exposed_headers(["X-B"])
                .max_age(Duration::from_millis(600_900)),
            asking,
            &[
                "access-control-allow-credentials: true",
                "access-control-allow-headers: X-A",
                "access-control-allow-methods: GET,POST",
                "access-control-allow-origin: http://a.example",
                "access-control-expose-headers: X-B",
                "access-control-max-age: 600",
                none,
                "vary: Origin",
            ],
        ),
    ];
    for (name, cors, headers, expected) in cases {
        let response = cors.preflight(&request(headers));
        assert_eq!(response.status(), StatusCode::NO_CONTENT, "{name}");
        assert_eq!(lines(response.headers()), *expected, "{name}");
    }
}

#[test]
fn origin_with_bytes_that_no_origin_has() {
    let mut request = request(&[]);
    request.headers.insert(ORIGIN, HeaderValue::from_bytes(b"http://\xe4").expect("allowed"));
    for cors in [Cors::mirror(), Cors::origins([A])] {
        let mut headers = HeaderMap::new();
        cors.apply(&request.headers, &mut headers);
        assert_eq!(lines(&headers), ["vary: Origin"]);
    }
}

#[test]
fn vary_is_extended_once() {
    for (before, after) in [
        (&["Accept-Encoding"][..], &["vary: Accept-Encoding", "vary: Origin"][..]),
        (&["accept-encoding, origin"], &["vary: accept-encoding, origin"]),
        (&["*"], &["vary: *"]),
        (&["X", "Origin"], &["vary: Origin", "vary: X"]),
        (&["Origin-Like"], &["vary: Origin", "vary: Origin-Like"]),
    ] {
        let mut headers = HeaderMap::new();
        for value in before {
            headers.append(VARY, HeaderValue::from_static(value));
        }
        vary(&mut headers, "Origin");
        assert_eq!(lines(&headers), after);
    }
}

#[test]
fn applying_replaces_what_was_there() {
    let mut headers = HeaderMap::new();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("http://old.example"));
    Cors::permissive().apply(&HeaderMap::new(), &mut headers);
    assert_eq!(lines(&headers), ["access-control-allow-origin: *"]);
}

#[test]
fn debug_output_names_the_origins() {
    let text = format!("{:?} {:?}", Cors::origins([A]), Cors::mirror());
    assert!(text.contains(A) && text.contains("Mirrored"), "{text}");
}

#[test]
fn a_preflight_on_the_wire() {
    let request = format!("OPTIONS / HTTP/1.1\r\nhost: a\r\norigin: {A}\r\n\r\n");
    let outcome = wire::serve(request.as_bytes(), |request| {
        let response = Cors::origin(A).preflight(&request.into_parts().0);
        async move { response.map(|()| bytes::Bytes::new()) }
    });
    let (head, body) = outcome.sent.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 204 "), "{head}");
    // hyper takes it off, as RFC 9110 section 8.6 asks for.
    assert!(!head.contains("content-length"), "{head}");
    assert!(body.is_empty() && !outcome.closed, "{body}");
}
