//! A server inside an application of axum, or of whatever else speaks tower and hyper.
//!
//! [`Server::layer`] goes around an application: requests for the server's path are served here,
//! all others reach the application untouched. [`Server::service`] is for a router that has chosen
//! already.
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use sansocket_tokio::{Server, Socket};
//!
//! # async fn run() -> std::io::Result<()> {
//! let io = Server::builder().build()?;
//! io.on("ping", async |socket: Socket, (): ()| socket.emit("pong", &()));
//! let app = Router::new().route("/", get(async || "Hello")).layer(io.layer());
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//! axum::serve(listener, app).await
//! # }
//! ```
//!
//! # What the application's side has to do
//!
//! - *Upgrade.* axum and `hyper_util`'s server do it by themselves; with hyper's own `http1`,
//!   serve `with_upgrades`. HTTP/2 carries polling; there are no WebSockets on it, and browsers open
//!   a connection of HTTP/1.1 for them.
//! - *Say who it is.* What middleware puts among a request's extensions, such as the session of a
//!   user, is found by [`Handshake::extension`](crate::Handshake::extension), if its type was named
//!   to [`Builder::extension`](crate::Builder::extension). A [`Peer`](crate::Peer) there is what
//!   [`Handshake::peer`](crate::Handshake::peer) shows.
//! - *Time-outs* of a request's header, and limits of connections. A time-out of the whole request
//!   must exceed the ping interval, because a GET waits for as long. The body's size and time are
//!   limited here.
//! - *Shut down*: call [`Io::close`](crate::Io::close) in the future that starts the application's
//!   graceful shutdown. It ends the sessions, and answers the requests that wait.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{Either, Full};
use pin_project_lite::pin_project;

use crate::{Io, Server};

impl Server {
    /// A service for requests that are for this server: nested in a router, at any path.
    pub fn service(&self) -> SocketIoService {
        SocketIoService { io: (**self).clone() }
    }

    /// A layer that serves the requests for this server's path, by default `/socket.io/`.
    pub fn layer(&self) -> SocketIoLayer {
        SocketIoLayer { io: (**self).clone() }
    }
}

/// Serves every request that it is given. See [`Server::service`].
#[derive(Clone)]
pub struct SocketIoService {
    io: Io,
}

impl<B> tower_service::Service<Request<B>> for SocketIoService
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
{
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> ResponseFuture {
        ResponseFuture { response: Box::pin(self.io.serve_request(request)) }
    }
}

/// The response of a [`SocketIoService`].
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture {
    response: Pin<Box<dyn Future<Output = Response<Full<Bytes>>> + Send>>,
}

impl Future for ResponseFuture {
    type Output = Result<Response<Full<Bytes>>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.response.as_mut().poll(cx).map(Ok)
    }
}

/// Puts a server in front of an application. See [`Server::layer`].
#[derive(Clone)]
pub struct SocketIoLayer {
    io: Io,
}

impl<S> tower_layer::Layer<S> for SocketIoLayer {
    type Service = WithSocketIo<S>;

    fn layer(&self, application: S) -> WithSocketIo<S> {
        WithSocketIo { service: SocketIoService { io: self.io.clone() }, application }
    }
}

/// An application with a server in front of it. See [`Server::layer`].
#[derive(Clone)]
pub struct WithSocketIo<S> {
    service: SocketIoService,
    application: S,
}

impl<S, B, R> tower_service::Service<Request<B>> for WithSocketIo<S>
where
    S: tower_service::Service<Request<B>, Response = Response<R>>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
{
    type Response = Response<Either<Full<Bytes>, R>>;
    type Error = S::Error;
    type Future = LayerFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.application.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let whose = if self.service.io.serves_path(request.uri().path()) {
            Whose::Ours { response: self.service.call(request) }
        } else {
            Whose::Application { response: self.application.call(request) }
        };
        LayerFuture { whose }
    }
}

pin_project! {
    /// The response of a [`WithSocketIo`].
    #[must_use = "futures do nothing unless polled"]
    pub struct LayerFuture<F> {
        #[pin]
        whose: Whose<F>,
    }
}

pin_project! {
    #[project = WhoseProjection]
    enum Whose<F> {
        Ours { response: ResponseFuture },
        Application { #[pin] response: F },
    }
}

impl<F, R, E> Future for LayerFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<Either<Full<Bytes>, R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().whose.project() {
            WhoseProjection::Ours { response } => {
                Pin::new(response).poll(cx).map(|Ok(response)| Ok(response.map(Either::Left)))
            }
            WhoseProjection::Application { response } => {
                response.poll(cx).map_ok(|response| response.map(Either::Right))
            }
        }
    }
}
