//! What the application has to say about requests and responses.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Response};
use sansocket_core::Refusal;

/// Sees a request before Engine.IO does.
pub(crate) type Middleware = Box<
    dyn Fn(Parts) -> Pin<Box<dyn Future<Output = Result<Parts, Interception>> + Send>>
        + Send
        + Sync,
>;

/// Changes the headers of a response.
pub(crate) type HeadersHook = Box<dyn Fn(&mut HeaderMap, &Parts) + Send + Sync>;

/// Is told of a refused request.
pub(crate) type ConnectionErrorHook = Box<dyn Fn(&ConnectionError<'_>) + Send + Sync>;

/// What becomes of a request that a middleware does not let through: see
/// [`Builder::use_request`](crate::Builder::use_request).
///
/// A middleware may return a response or a text as its error, which become this.
#[derive(Debug)]
#[non_exhaustive]
pub enum Interception {
    /// It has been answered. Headers of CORS are added, where the server has that setting.
    Answered(Response<Bytes>),
    /// It is refused: 400 with code 3, `Bad request`. The text is for
    /// [`Builder::on_connection_error`](crate::Builder::on_connection_error), and not told to the
    /// client.
    Refused(String),
}

impl From<Response<Bytes>> for Interception {
    fn from(response: Response<Bytes>) -> Self {
        Self::Answered(response)
    }
}

impl From<String> for Interception {
    fn from(reason: String) -> Self {
        Self::Refused(reason)
    }
}

impl From<&str> for Interception {
    fn from(reason: &str) -> Self {
        Self::Refused(reason.to_owned())
    }
}

/// A request that was refused with one of the protocol's codes: what
/// [`Builder::on_connection_error`](crate::Builder::on_connection_error) is told.
#[derive(Debug)]
#[non_exhaustive]
pub struct ConnectionError<'a> {
    /// The request, as the middleware left it.
    pub request: &'a Parts,
    /// Why it is refused.
    pub refusal: Refusal,
    /// The code that the client is told, see [`Refusal::code`].
    pub code: u8,
    /// The message that the client is told.
    pub message: &'a str,
    /// What a middleware or [`Builder::allow_request`](crate::Builder::allow_request) gave as its
    /// reason, if that was it.
    pub reason: Option<&'a str>,
}

/// All of it, each in the order in which it was registered.
#[derive(Default)]
pub(crate) struct Hooks {
    pub(crate) middlewares: Vec<Middleware>,
    pub(crate) initial_headers: Vec<HeadersHook>,
    pub(crate) headers: Vec<HeadersHook>,
    pub(crate) connection_error: Vec<ConnectionErrorHook>,
}

impl Hooks {
    /// Lets every middleware see the request, until one of them does not let it through. The request
    /// is then what that one was given.
    pub(super) async fn intercept(&self, request: &mut Parts) -> Result<(), Interception> {
        for middleware in &self.middlewares {
            *request = middleware(request.clone()).await?;
        }
        Ok(())
    }

    /// The headers of a response that serves a request. `is_first` is whether it opens a session.
    pub(super) fn change_headers(&self, is_first: bool, headers: &mut HeaderMap, request: &Parts) {
        if is_first {
            self.initial_headers.iter().for_each(|hook| hook(headers, request));
        }
        self.headers.iter().for_each(|hook| hook(headers, request));
    }

    /// Tells of a refusal, if it has a code.
    pub(super) fn refused(&self, request: &Parts, refusal: Refusal, reason: Option<&str>) {
        let Some(code) = refusal.code().filter(|_| !self.connection_error.is_empty()) else {
            return;
        };
        let standard = refusal.to_string();
        let message = reason.filter(|_| refusal == Refusal::Forbidden).unwrap_or(&standard);
        let error = ConnectionError { request, refusal, code, message, reason };
        self.connection_error.iter().for_each(|hook| hook(&error));
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks").finish_non_exhaustive()
    }
}
