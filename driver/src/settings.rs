//! How HTTP requests are served.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use sansocket_core::Sid;

/// Decides about a handshake: `Err` with the text that the client is told.
pub(crate) type AllowRequest = Arc<
    dyn Fn(Arc<http::request::Parts>) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>>
        + Send
        + Sync,
>;

/// Gives the id of a new session: `Err` with the reason why there is none.
pub(crate) type GenerateId = Arc<
    dyn Fn(Arc<http::request::Parts>) -> Pin<Box<dyn Future<Output = Result<Sid, String>> + Send>>
        + Send
        + Sync,
>;

/// Answers requests that are not for the server's path.
pub(crate) type Fallback = Arc<
    dyn Fn(http::request::Parts) -> Pin<Box<dyn Future<Output = http::Response<Bytes>> + Send>>
        + Send
        + Sync,
>;

/// The HTTP side of a server's settings.
pub(crate) struct Settings {
    /// The path of the server, with its slash at the end: `/socket.io/`.
    pub(crate) path: Box<str>,
    pub(crate) allow_request: Option<AllowRequest>,
    pub(crate) generate_id: Option<GenerateId>,
    pub(crate) fallback: Option<Fallback>,
    pub(crate) cors: Option<crate::http::Cors>,
    #[cfg(feature = "compression")]
    pub(crate) compression: Option<crate::http::HttpCompression>,
    pub(crate) deflate: Option<Arc<crate::deflate::Deflate>>,
    pub(crate) cookie: Option<crate::http::PreparedCookie>,
    pub(crate) hooks: crate::http::Hooks,
    pub(crate) client_files: Option<crate::http::ClientFiles>,
    /// Time in which a request's header must be complete; also how long an idle connection is kept.
    pub(crate) header_timeout: Duration,
    /// Time in which a request's body must be complete.
    pub(crate) body_timeout: Duration,
    /// Time in which a closing WebSocket must have taken what is queued for it.
    pub(crate) close_timeout: Duration,
    /// How often numbers are reported.
    #[cfg(feature = "metrics")]
    pub(crate) metrics_interval: Option<Duration>,
    /// One for each type whose value a handshake keeps of its request's extensions.
    pub(crate) extensions: Vec<CopyExtension>,
}

/// Copies the value of one type, if there is one.
pub(crate) type CopyExtension = fn(&http::Extensions, &mut http::Extensions);

impl Settings {
    /// Whether a request with this path is for the server.
    pub(crate) fn covers(&self, path: &str) -> bool {
        path.starts_with(&*self.path)
    }

    /// What a handshake keeps of its request's extensions.
    pub(crate) fn kept_extensions(&self, request: &http::Extensions) -> http::Extensions {
        let mut kept = http::Extensions::new();
        self.extensions.iter().for_each(|copy| copy(request, &mut kept));
        kept
    }
}
