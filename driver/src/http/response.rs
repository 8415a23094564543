//! The responses of Engine.IO.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderValue, SET_COOKIE, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, Response, StatusCode};
use http_body_util::Full;
use sansocket_core::{PollResponse, Refusal, Sid};

use crate::settings::Settings;

/// What this server's responses are made of.
pub(crate) type Body = Full<Bytes>;

/// A response without a body.
pub(super) fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::default());
    *response.status_mut() = status;
    response
}

/// A response without a body, behind which the connection is closed: what follows on it may be a
/// part of this request.
pub(super) fn last(status: StatusCode) -> Response<Body> {
    let mut response = empty(status);
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// What a refused request is told. `message` replaces the standard text.
pub(super) fn refused(refusal: Refusal, message: Option<&str>) -> Response<Body> {
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let body = refusal.body(message);
    let mut response = empty(status);
    if !body.is_empty() {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *response.body_mut() = Body::from(body);
    }
    response
}

/// What a refused WebSocket handshake is told: always 400, and the bare text, because nobody but a
/// person with a tool ever sees it.
pub(super) fn refused_upgrade(message: &str) -> Response<Body> {
    let mut response = empty(StatusCode::BAD_REQUEST);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    *response.body_mut() = Body::from(message.to_owned());
    response
}

/// The packets for a GET.
/// They are the first ones if a session has been `opened` by it.
pub(super) fn packets(
    settings: &Settings,
    packets: PollResponse,
    request: &Parts,
    opened: Option<&Sid>,
) -> Response<Body> {
    let content_type = packets.content_type();
    let may_be_compressed = packets.may_be_compressed();
    let body = packets.into_body();
    let response = match may_be_compressed {
        true => compressed(settings, body, &request.headers),
        false => Response::new(Body::from(body)),
    };
    success(settings, content_type, response, request, opened)
}

#[cfg(feature = "compression")]
fn compressed(settings: &Settings, body: Bytes, request: &HeaderMap) -> Response<Body> {
    match settings.compression {
        Some(compression) => compression.apply(request, body),
        None => Response::new(Body::from(body)),
    }
}

#[cfg(not(feature = "compression"))]
fn compressed(_: &Settings, body: Bytes, _: &HeaderMap) -> Response<Body> {
    Response::new(Body::from(body))
}

/// The answer to a POST, whatever its packets were.
pub(super) fn ok(settings: &Settings, request: &Parts) -> Response<Body> {
    success(settings, "text/html", Response::new(Body::from("ok")), request, None)
}

fn success(
    settings: &Settings,
    content_type: &'static str,
    mut response: Response<Body>,
    request: &Parts,
    opened: Option<&Sid>,
) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Old Internet Explorers take the packets for a page and refuse them as an attack.
    let explorer = request.headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
    if explorer.is_some_and(|agent| agent.contains(";MSIE") || agent.contains("Trident/")) {
        headers.insert("x-xss-protection", HeaderValue::from_static("0"));
    }
    if let (Some(sid), Some(cookie)) = (opened, &settings.cookie)
        && let Some(cookie) = cookie.header(sid)
    {
        headers.insert(SET_COOKIE, cookie);
    }
    settings.hooks.change_headers(opened.is_some(), headers, request);
    response
}
