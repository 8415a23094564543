//! Which request goes where.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::header::CONNECTION;
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode, Version};
use sansocket_core::http as core_http;
use sansocket_core::http::Route;
use sansocket_core::{Dialect, Refusal, Sid, Transport};

use crate::handshake::Handshake;
use crate::inner::Inner;

use super::hooks::Interception;
use super::response::{self, Body};
use super::strict::{self, HeaderLimits};
use super::{polling, upgrade};

/// What is known of the other end of a stream.
///
/// A web framework that hands its requests to [`Io::serve_request`](crate::Io::serve_request) can
/// put one among their extensions, if it knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    /// The address, for streams that have one.
    pub address: Option<SocketAddr>,
    /// Whether the stream is encrypted.
    pub secure: bool,
}

/// There is no response: the connection is to be closed.
#[derive(Debug, thiserror::Error)]
#[error("the request was given up")]
pub(crate) struct GivenUp;

/// Why a request under the server's path is not served.
#[derive(Debug)]
pub(super) enum Unserved {
    GivenUp,
    /// With the application's reason, where it was that which refused.
    Refused(Refusal, Option<String>),
}

impl From<GivenUp> for Unserved {
    fn from(GivenUp: GivenUp) -> Self {
        Self::GivenUp
    }
}

impl From<Refusal> for Unserved {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal, None)
    }
}

/// Serves one request of a stream that is ours.
pub(crate) async fn serve<B>(
    inner: Arc<Inner>,
    peer: Peer,
    request: Request<B>,
) -> Result<Response<Body>, GivenUp>
where
    B: http_body::Body<Data = Bytes>,
{
    if inner.settings.covers(request.uri().path()) {
        return serve_own(inner, peer, request).await;
    }
    let (parts, _) = request.into_parts();
    if let Err(status) = strict::check_request(&parts, HeaderLimits::default()) {
        return Ok(response::last(status));
    }
    Ok(match &inner.settings.fallback {
        Some(fallback) => fallback(parts).await.map(Body::from),
        None => response::empty(StatusCode::NOT_FOUND),
    })
}

/// Serves one request that somebody else's HTTP server has received, and that is for this server.
pub(crate) async fn serve_embedded<B>(inner: Arc<Inner>, request: Request<B>) -> Response<Body>
where
    B: http_body::Body<Data = Bytes>,
{
    let peer = request.extensions().get().copied().unwrap_or_default();
    let version = request.version();
    let response = serve_own(inner, peer, request).await;
    // There is no way to close the connection without an answer here.
    let mut response = response.unwrap_or_else(|GivenUp| response::last(StatusCode::BAD_REQUEST));
    if version >= Version::HTTP_2 {
        // A connection is more than one request there, and the header not allowed.
        response.headers_mut().remove(CONNECTION);
    }
    response
}

/// Serves one request that is for this server, whatever its path says: who nests the server in a
/// router may have cut the path.
async fn serve_own<B>(
    inner: Arc<Inner>,
    peer: Peer,
    request: Request<B>,
) -> Result<Response<Body>, GivenUp>
where
    B: http_body::Body<Data = Bytes>,
{
    let (mut parts, body) = request.into_parts();
    if let Err(status) = strict::check_request(&parts, HeaderLimits::default()) {
        return Ok(response::last(status));
    }
    let settings = &inner.settings;
    if let Some(files) = &settings.client_files {
        let path = parts.uri.path();
        let name =
            path.strip_prefix(&*settings.path).unwrap_or_else(|| path.trim_start_matches('/'));
        if let Some(response) = files.serve(name, &parts.method, &parts.headers) {
            let response = response.map(Body::from);
            return Ok(with_cors(&inner, &parts.headers, response));
        }
    }
    if let Some(cors) = settings.cors.as_ref().filter(|_| parts.method == Method::OPTIONS) {
        return Ok(cors.preflight(&parts).map(|()| Body::default()));
    }
    let served = match settings.hooks.intercept(&mut parts).await {
        Ok(()) => serve_engine(&inner, peer, &mut parts, body).await,
        Err(Interception::Answered(response)) => Ok(response.map(Body::from)),
        Err(Interception::Refused(reason)) => {
            Err(Unserved::Refused(Refusal::Middleware, Some(reason)))
        }
    };
    let response = match served {
        Ok(response) => response,
        Err(Unserved::GivenUp) => return Err(GivenUp),
        Err(Unserved::Refused(refusal, reason)) => refuse(&inner, &parts, refusal, reason),
    };
    Ok(with_cors(&inner, &parts.headers, response))
}

/// Answers a request that is refused, and tells of it.
fn refuse(
    inner: &Inner,
    request: &Parts,
    refusal: Refusal,
    reason: Option<String>,
) -> Response<Body> {
    // Of several refusals the client is told the same.
    tracing::debug!(?refusal, code = ?refusal.code(), "request refused");
    inner.settings.hooks.refused(request, refusal, reason.as_deref());
    // What a middleware says is not for the client.
    let message = reason.filter(|_| refusal == Refusal::Forbidden);
    if upgrade::is_requested(&request.headers) {
        response::refused_upgrade(&message.unwrap_or_else(|| refusal.to_string()))
    } else {
        response::refused(refusal, message.as_deref())
    }
}

fn with_cors(inner: &Inner, request: &HeaderMap, mut response: Response<Body>) -> Response<Body> {
    if let Some(cors) = &inner.settings.cors {
        cors.apply(request, response.headers_mut());
    }
    response
}

/// A request under the server's path.
async fn serve_engine<B>(
    inner: &Arc<Inner>,
    peer: Peer,
    parts: &mut Parts,
    body: B,
) -> Result<Response<Body>, Unserved>
where
    B: http_body::Body<Data = Bytes>,
{
    let request = core_http::Request {
        method: match parts.method {
            Method::GET => core_http::Method::Get,
            Method::POST => core_http::Method::Post,
            _ => core_http::Method::Other,
        },
        query: parts.uri.query().unwrap_or_default(),
        origin: parts.headers.get(http::header::ORIGIN).map(http::HeaderValue::as_bytes),
        upgrade: upgrade::is_requested(&parts.headers),
    };
    let route = core_http::route(&inner.config, &request)?;
    let sid = match route {
        Route::Handshake { transport, dialect } => {
            if let Err(reason) = admit(inner, parts).await {
                return Err(Unserved::Refused(Refusal::Forbidden, Some(reason)));
            }
            return handshake(inner, peer, parts, transport, dialect).await;
        }
        Route::Poll(sid) | Route::Post(sid) | Route::Upgrade(sid) | Route::Refuse { sid, .. } => {
            sid
        }
    };
    match serve_session(inner, &sid, &route, parts, body).await {
        Err(Unserved::Refused(Refusal::UnknownSession, None)) if route == Route::Poll(sid) => {
            polling::late_poll(inner, &sid, parts).ok_or_else(|| Refusal::UnknownSession.into())
        }
        served => served,
    }
}

/// A request of a session.
async fn serve_session<B>(
    inner: &Arc<Inner>,
    sid: &Sid,
    route: &Route,
    parts: &mut Parts,
    body: B,
) -> Result<Response<Body>, Unserved>
where
    B: http_body::Body<Data = Bytes>,
{
    let shard = inner.shard_of(sid);
    let found = inner.shards.get(shard).ok_or(Refusal::UnknownSession)?;
    let now = inner.now();
    let key = found.with(|state| {
        // A session that is overdue is over, whether or not the timer has come to it.
        if state.core.poll_timeout().is_some_and(|due| due <= now) {
            state.core.handle_timeout(now);
        }
        state.core.find(route)
    })?;
    match route {
        Route::Poll(_) => polling::poll(inner, shard, key, parts, None).await,
        Route::Refuse { refusal, .. } => Err((*refusal).into()),
        Route::Post(_) => polling::post(inner, shard, key, parts, body).await,
        Route::Upgrade(_) | Route::Handshake { .. } => {
            Ok(upgrade::join_session(inner, shard, key, parts))
        }
    }
}

/// Asks the application whether it wants this client.
async fn admit(inner: &Inner, parts: &Parts) -> Result<(), String> {
    match &inner.settings.allow_request {
        Some(allow) => allow(Arc::new(parts.clone())).await,
        None => Ok(()),
    }
}

async fn handshake(
    inner: &Arc<Inner>,
    peer: Peer,
    parts: &mut Parts,
    transport: Transport,
    dialect: Dialect,
) -> Result<Response<Body>, Unserved> {
    let sid = match &inner.settings.generate_id {
        Some(generate) => Some(
            generate(Arc::new(parts.clone()))
                .await
                .map_err(|reason| Unserved::Refused(Refusal::SessionId, Some(reason)))?,
        ),
        None => None,
    };
    let issued = SystemTime::now();
    let extensions = inner.settings.kept_extensions(&parts.extensions);
    let handshake = Arc::new(Handshake::new(parts, peer, extensions, issued));
    match transport {
        Transport::Polling => polling::open(inner, handshake, parts, dialect, sid).await,
        Transport::WebSocket => upgrade::open_session(inner, handshake, parts, dialect, sid),
    }
}
