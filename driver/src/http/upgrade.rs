//! From an HTTP request to a WebSocket.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use hyper::upgrade::OnUpgrade;
use sansocket_core::codec::websocket::{DecoderConfig, Role, handshake};
use sansocket_core::http as core_http;
use sansocket_core::{BinaryForm, ConnectionKey, Dialect, Refusal, Revision, Sid};

use crate::deflate;
use crate::handshake::Handshake;
use crate::inner::Inner;
use crate::session::Session;
use crate::shards::Slot;
use crate::websocket::{Closing, WebSocket};

use super::response::{self, Body};
use super::service::Unserved;

/// Whether a request asks for a WebSocket.
pub(super) fn is_requested(headers: &HeaderMap) -> bool {
    headers.get_all(UPGRADE).iter().any(|value| handshake::has_token(value.as_bytes(), "websocket"))
}

/// A session begins on a WebSocket. It is opened once the stream is the WebSocket's.
pub(super) fn open_session(
    inner: &Arc<Inner>,
    handshake: Arc<Handshake>,
    request: &mut Parts,
    dialect: Dialect,
    sid: Option<Sid>,
) -> Result<Response<Body>, Unserved> {
    if inner.shutdown.is_set() {
        return Err(Refusal::Unavailable.into());
    }
    let inner = inner.clone();
    Ok(accept(request, true, dialect.revision(), &inner.clone(), move |websocket| {
        let index = inner.shard_for(sid.as_ref());
        let now = inner.now();
        let opened = inner.shards.get(index).ok_or(Refusal::Unavailable).and_then(|shard| {
            shard.with(|state| {
                let (opened, transport) = state.core.open_websocket_as(now, dialect, sid)?;
                state.slots.insert(opened.connection, Slot::new(handshake));
                Ok((opened, transport))
            })
        });
        match opened {
            Ok((opened, transport)) => {
                inner.ensure_timers();
                Served::Session(Session::websocket(inner, index, &opened, transport, websocket))
            }
            // It is too late for another answer to the request.
            Err(refusal) => {
                tracing::debug!(?refusal, "WebSocket refused");
                Served::closing(inner, websocket)
            }
        }
    }))
}

/// A WebSocket for a session on polling. Where the session cannot take it, it is closed at once.
pub(super) fn join_session(
    inner: &Arc<Inner>,
    shard: usize,
    key: ConnectionKey,
    request: &mut Parts,
) -> Response<Body> {
    let inner = inner.clone();
    // What the session speaks, whatever this request says. One that has gone needs no answer.
    let revision =
        inner.shards.get(shard).and_then(|shard| shard.with(|state| state.core.revision(key)));
    accept(request, false, revision.unwrap_or_default(), &inner.clone(), move |websocket| {
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
        websocket.map_or(Served::Over, |websocket| Served::closing(inner, websocket))
    })
}

/// Who serves a WebSocket, from its beginning.
///
/// An idle session has this for its whole life, so it is written out: of an async function, the
/// arguments stay where they were beside what is made of them.
#[expect(clippy::large_enum_variant, reason = "the large one is what nearly all become")]
enum Served {
    Session(Session),
    Closing(Pin<Box<dyn Future<Output = ()> + Send>>),
    /// Nobody: the session's task has been given it, or there is none.
    Over,
}

impl Served {
    fn closing(inner: Arc<Inner>, websocket: WebSocket) -> Self {
        Self::Closing(Box::pin(async move { Closing::run(&inner, websocket).await }))
    }
}

/// The task of a stream that becomes a WebSocket.
#[expect(clippy::large_enum_variant, reason = "the large one is what nearly all become")]
enum Upgrading<F> {
    Waiting {
        stream: OnUpgrade,
        config: DecoderConfig,
        form: BinaryForm,
        compression: deflate::Slot,
        serve: Option<F>,
    },
    Served(Served),
}

// Nothing in it is pinned where it is.
impl<F> Unpin for Upgrading<F> {}

impl<F: FnOnce(WebSocket) -> Served> Future for Upgrading<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if let Self::Waiting { stream, config, form, compression, serve } = this {
            let served = match (ready!(Pin::new(stream).poll(cx)), serve.take()) {
                (Ok(stream), Some(serve)) => {
                    let compression = compression.take();
                    let mut websocket = WebSocket::new(stream, Role::Server, *config, compression);
                    websocket.form = *form;
                    serve(websocket)
                }
                (Ok(_), None) => Served::Over,
                (Err(error), _) => {
                    tracing::debug!(%error, "upgrade failed");
                    Served::Over
                }
            };
            *this = Self::Served(served);
        }
        match this {
            Self::Served(Served::Session(session)) => Pin::new(session).poll(cx),
            Self::Served(Served::Closing(closing)) => closing.as_mut().poll(cx),
            Self::Served(Served::Over) | Self::Waiting { .. } => Poll::Ready(()),
        }
    }
}

/// Answers the request, and goes on with `serve` when the stream is the WebSocket's. `is_first` is
/// whether the session is opened by it, `revision` what the session speaks.
fn accept<F>(
    request: &mut Parts,
    is_first: bool,
    revision: Revision,
    inner: &Arc<Inner>,
    serve: F,
) -> Response<Body>
where
    F: FnOnce(WebSocket) -> Served + Send + 'static,
{
    let headers = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let key = match handshake::check_request(request.method.as_str(), headers) {
        Ok(key) => key,
        Err(refusal) => return refused(refusal),
    };
    let Ok(accept) = HeaderValue::from_bytes(&key) else {
        return response::empty(StatusCode::BAD_REQUEST);
    };
    // Taken out of the request: nothing else of it is to live as long as the WebSocket.
    let Some(stream) = request.extensions.remove::<OnUpgrade>() else {
        return response::refused_upgrade("this connection cannot be upgraded");
    };
    let base64 = core_http::wants_base64(request.uri.query().unwrap_or_default());
    let form = BinaryForm::new(revision, base64);
    let config = DecoderConfig::from(&inner.config.limits);
    let offers = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let (compression, extensions) = deflate::accept(inner.settings.deflate.as_ref(), offers);
    let serve = Some(serve);
    let upgrading = Upgrading::Waiting { stream, config, form, compression, serve };
    inner.runtime.spawn(Box::pin(upgrading));
    let mut response = response::empty(StatusCode::SWITCHING_PROTOCOLS);
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    if let Some(extensions) = extensions {
        headers.insert(SEC_WEBSOCKET_EXTENSIONS, extensions);
    }
    inner.settings.hooks.change_headers(is_first, headers, request);
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
