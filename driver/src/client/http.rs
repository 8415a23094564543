//! HTTP as a client: requests over connections that are used again, and the opening of WebSockets.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use bytes::{Bytes, BytesMut};
use futures_channel::oneshot;
use http::header::{
    CONNECTION, CONTENT_TYPE, COOKIE, HOST, HeaderMap, HeaderValue, SEC_WEBSOCKET_EXTENSIONS,
    UPGRADE,
};
use http::{HeaderName, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::upgrade::Upgraded;
use sansocket_core::codec::websocket::handshake;

use crate::app::lock;
use crate::deflate::{self, Deflate};
use crate::runtime::Runtime;

use super::address::Endpoint;
use super::connect::Connect;
use super::cookies::Cookies;

/// Connections that are kept for the next request: at most one GET and one POST are under way.
const IDLE_MAX: usize = 2;

const PAYLOAD_TYPE: HeaderValue = HeaderValue::from_static("text/plain;charset=UTF-8");
const SEC_WEBSOCKET_KEY: HeaderName = HeaderName::from_static("sec-websocket-key");
const SEC_WEBSOCKET_VERSION: HeaderName = HeaderName::from_static("sec-websocket-version");

/// A connection. It is closed when this is dropped, whatever is under way on it: hyper would wait
/// until what was begun is written, and a server need not read it.
struct Sender {
    request: SendRequest<Full<Bytes>>,
    _open: oneshot::Sender<()>,
}

/// One server, as HTTP sees it.
pub(super) struct Http {
    endpoint: Endpoint,
    /// What each request has: `Host`, and what the application adds.
    headers: HeaderMap,
    connector: Arc<dyn Connect>,
    runtime: Arc<dyn Runtime>,
    /// What is read of an answer is this and a byte more, at least, where it is larger.
    response_bytes_max: usize,
    /// What is offered for a WebSocket.
    deflate: Option<Arc<Deflate>>,
    cookies: Mutex<Cookies>,
    idle: Mutex<Vec<Sender>>,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Bytes,
}

impl Http {
    /// # Errors
    ///
    /// If the host is nothing that `Host` can hold.
    pub(super) fn new(
        endpoint: Endpoint,
        mut headers: HeaderMap,
        connector: Arc<dyn Connect>,
        runtime: Arc<dyn Runtime>,
        response_bytes_max: usize,
        deflate: Option<Arc<Deflate>>,
    ) -> Result<Self, http::header::InvalidHeaderValue> {
        if !headers.contains_key(HOST) {
            headers.insert(HOST, HeaderValue::try_from(endpoint.authority())?);
        }
        Ok(Self {
            endpoint,
            headers,
            connector,
            runtime,
            response_bytes_max,
            deflate,
            cookies: Mutex::default(),
            idle: Mutex::default(),
        })
    }

    /// Makes a request. `body` is `None` for a GET.
    pub(super) async fn request(
        self: Arc<Self>,
        target: String,
        body: Option<Bytes>,
    ) -> io::Result<Answer> {
        let mut request = self.build(&target, body)?;
        // What is kept may have been closed by the server, who then has seen nothing of this.
        loop {
            let kept = lock(&self.idle).pop();
            let is_kept = kept.is_some();
            let mut sender = match kept {
                Some(sender) => sender,
                None => self.open().await?,
            };
            // One that is kept may not have noticed the end of the last answer yet.
            if is_kept && sender.request.ready().await.is_err() {
                continue;
            }
            match sender.request.try_send_request(request).await {
                Ok(response) => return self.take(sender, response).await,
                Err(mut error) => match error.take_message() {
                    Some(unsent) if is_kept => request = unsent,
                    Some(_) | None => return Err(io::Error::other(error.into_error())),
                },
            }
        }
    }

    /// Opens a WebSocket, on a connection of its own.
    pub(super) async fn websocket(
        self: Arc<Self>,
        target: String,
    ) -> io::Result<(Upgraded, deflate::Slot)> {
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).map_err(io::Error::other)?;
        let key = handshake::encode_key(nonce);
        let mut request = self.build(&target, None)?;
        let headers = request.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        let value = HeaderValue::from_bytes(&key).map_err(io::Error::other)?;
        headers.insert(SEC_WEBSOCKET_KEY, value);
        if let Some(offer) = deflate::offer(self.deflate.as_ref()) {
            headers.insert(SEC_WEBSOCKET_EXTENSIONS, offer);
        }
        let mut sender = self.open().await?;
        let mut response = sender.request.send_request(request).await.map_err(io::Error::other)?;
        self.learn(&response);
        let headers = response.headers();
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let status = response.status().as_u16();
        let compression = deflate::check_response(self.deflate.as_ref(), &key, status, &headers)
            .map_err(io::Error::other)?;
        let stream = hyper::upgrade::on(&mut response).await.map_err(io::Error::other)?;
        Ok((stream, compression))
    }

    /// A session begins: its server has yet to be chosen.
    pub(super) fn forget_cookies(&self) {
        lock(&self.cookies).clear();
    }

    /// Closes connections that are kept, because none is needed for now.
    pub(super) fn close_idle(&self) {
        let idle = std::mem::take(&mut *lock(&self.idle));
        drop(idle);
    }

    fn build(&self, target: &str, body: Option<Bytes>) -> io::Result<Request<Full<Bytes>>> {
        let method = if body.is_some() { Method::POST } else { Method::GET };
        let has_body = body.is_some();
        let request = Request::builder().method(method).uri(target);
        let mut request =
            request.body(Full::new(body.unwrap_or_default())).map_err(io::Error::other)?;
        let headers = request.headers_mut();
        headers.clone_from(&self.headers);
        if has_body {
            headers.insert(CONTENT_TYPE, PAYLOAD_TYPE);
        }
        if let Some(cookies) = lock(&self.cookies).header() {
            headers.append(COOKIE, cookies);
        }
        Ok(request)
    }

    async fn open(&self) -> io::Result<Sender> {
        let stream = self.connector.connect(&self.endpoint).await?;
        let (request, connection) = http1::handshake(stream).await.map_err(io::Error::other)?;
        let (open, mut closed) = oneshot::channel();
        let mut connection = connection.with_upgrades();
        self.runtime.spawn(Box::pin(poll_fn(move |cx| {
            match Pin::new(&mut connection).poll(cx) {
                Poll::Ready(Ok(())) => return Poll::Ready(()),
                Poll::Ready(Err(error)) => {
                    tracing::debug!(%error, "connection failed");
                    return Poll::Ready(());
                }
                Poll::Pending => {}
            }
            Pin::new(&mut closed).poll(cx).map(drop)
        })));
        Ok(Sender { request, _open: open })
    }

    fn learn(&self, response: &Response<Incoming>) {
        lock(&self.cookies).learn(response.headers());
    }

    /// Reads an answer, and keeps the connection.
    async fn take(&self, sender: Sender, response: Response<Incoming>) -> io::Result<Answer> {
        self.learn(&response);
        let status = response.status().as_u16();
        let mut incoming = pin!(response.into_body());
        let mut body = Collected::Nothing;
        while let Some(frame) = incoming.frame().await {
            if let Ok(data) = frame.map_err(io::Error::other)?.into_data() {
                body.push(data);
            }
            if body.len() > self.response_bytes_max {
                // With the sender the connection goes.
                return Ok(Answer { status, body: body.into_bytes() });
            }
        }
        let mut idle = lock(&self.idle);
        if idle.len() < IDLE_MAX && !sender.request.is_closed() {
            idle.push(sender);
        }
        drop(idle);
        Ok(Answer { status, body: body.into_bytes() })
    }
}

/// What has come of a body. Most come as one piece, which need not be copied.
enum Collected {
    Nothing,
    One(Bytes),
    Many(BytesMut),
}

impl Collected {
    fn push(&mut self, data: Bytes) {
        *self = match std::mem::replace(self, Self::Nothing) {
            Self::Nothing => Self::One(data),
            Self::One(first) => {
                let mut all = BytesMut::from(first);
                all.extend_from_slice(&data);
                Self::Many(all)
            }
            Self::Many(mut all) => {
                all.extend_from_slice(&data);
                Self::Many(all)
            }
        };
    }

    fn len(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::One(data) => data.len(),
            Self::Many(data) => data.len(),
        }
    }

    fn into_bytes(self) -> Bytes {
        match self {
            Self::Nothing => Bytes::new(),
            Self::One(data) => data,
            Self::Many(data) => data.freeze(),
        }
    }
}
