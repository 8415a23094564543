//! From an HTTP request to a WebSocket.

use std::sync::Arc;

use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use hyper::upgrade::OnUpgrade;
use sansocket_core::codec::websocket::{DecoderConfig, handshake};
use sansocket_core::http as core_http;
use sansocket_core::{ConnectionKey, Refusal};

use crate::handshake::Handshake;
use crate::inner::Inner;
use crate::session::Session;
use crate::shards::Slot;
use crate::websocket::{Closing, WebSocket};

use super::response::{self, Body};

/// Whether a request asks for a WebSocket.
pub(super) fn is_requested(headers: &HeaderMap) -> bool {
    headers.get_all(UPGRADE).iter().any(|value| handshake::has_token(value.as_bytes(), "websocket"))
}

/// A session begins on a WebSocket. It is opened once the stream is the WebSocket's.
pub(super) fn open_session(
    inner: &Arc<Inner>,
    handshake: Arc<Handshake>,
    parts: Parts,
) -> Response<Body> {
    if inner.shutdown.is_set() {
        return response::refused_upgrade(&Refusal::Unavailable.to_string());
    }
    let inner = inner.clone();
    accept(parts, &inner.clone(), move |websocket| async move {
        let index = inner.next_shard();
        let now = inner.now();
        let opened = inner.shards.get(index).and_then(|shard| {
            shard.with(|state| {
                let (opened, transport) = state.core.open_websocket(now).ok()?;
                state.slots.insert(opened.connection, Slot::new(handshake));
                Some((opened.connection, transport))
            })
        });
        match opened {
            Some((key, transport)) => {
                inner.ensure_timers();
                tracing::debug!(transport = "websocket", "session opened");
                Session::websocket(inner, index, key, transport, websocket).await;
            }
            None => Closing::run(&inner, websocket).await,
        }
    })
}

/// A WebSocket for a session on polling. Where the session cannot take it, it is closed at once.
pub(super) fn join_session(
    inner: &Arc<Inner>,
    shard: usize,
    key: ConnectionKey,
    parts: Parts,
) -> Response<Body> {
    let inner = inner.clone();
    accept(parts, &inner.clone(), move |websocket| async move {
        let now = inner.now();
        let mut websocket = Some(websocket);
        if let Some(shard) = inner.shards.get(shard) {
            let session = shard.with(|state| {
                let slot = state.slots.get_mut(&key)?;
                let transport = state.core.begin_upgrade(now, key)?;
                slot.websockets.extend(websocket.take().map(|websocket| (transport, websocket)));
                slot.session.take()
            });
            if let Some(session) = session {
                session.wake();
            }
        }
        if let Some(websocket) = websocket {
            Closing::run(&inner, websocket).await;
        }
    })
}

/// Answers the request, and goes on with `serve` when the stream is the WebSocket's.
fn accept<F, Served>(mut parts: Parts, inner: &Arc<Inner>, serve: F) -> Response<Body>
where
    F: FnOnce(WebSocket) -> Served + Send + 'static,
    Served: Future<Output = ()> + Send,
{
    let headers = parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let key = match handshake::check_request(parts.method.as_str(), headers) {
        Ok(key) => key,
        Err(refusal) => return refused(refusal),
    };
    let Ok(accept) = HeaderValue::from_bytes(&key) else {
        return response::empty(StatusCode::BAD_REQUEST);
    };
    // Taken out of the request: nothing else of it is to live as long as the WebSocket.
    let Some(stream) = parts.extensions.remove::<OnUpgrade>() else {
        return response::refused_upgrade("this connection cannot be upgraded");
    };
    let sends_text_only = core_http::wants_base64(parts.uri.query().unwrap_or_default());
    drop(parts);
    let config = DecoderConfig::from(&inner.config.limits);
    inner.runtime.spawn(Box::pin(async move {
        match stream.await {
            Ok(stream) => serve(WebSocket::new(stream, config, sends_text_only)).await,
            Err(error) => tracing::debug!(%error, "upgrade failed"),
        }
    }));
    let mut response = response::empty(StatusCode::SWITCHING_PROTOCOLS);
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    response
}

fn refused(refusal: handshake::Refusal) -> Response<Body> {
    let mut response = response::refused_upgrade(&refusal.to_string());
    if let Ok(status) = StatusCode::from_u16(refusal.status()) {
        *response.status_mut() = status;
    }
    if let Some((name, value)) = refusal.header()
        && let Ok(name) = HeaderName::try_from(name)
    {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
