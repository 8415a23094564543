//! What the client needs of a runtime beside tasks and time: connections.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use crate::runtime::Runtime;

use super::address::Endpoint;

/// A connection that is open, TLS included where the endpoint asks for it.
pub trait Stream: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static {}

impl<T: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static> Stream for T {}

/// A connection that is being made. Dropping it gives it up.
pub type Connecting = Pin<Box<dyn Future<Output = io::Result<Box<dyn Stream>>> + Send>>;

/// How connections are made: over TCP, through a proxy, to a Unix socket, or in memory.
///
/// A runtime's crate has one for TCP and TLS; another is given to
/// [`Builder::connector`](super::Builder::connector).
pub trait Connect: Send + Sync + 'static {
    /// Begins to make one. The client gives it up by itself when it takes too long.
    fn connect(&self, endpoint: &Endpoint) -> Connecting;
}

impl<F: Fn(&Endpoint) -> Connecting + Send + Sync + 'static> Connect for F {
    fn connect(&self, endpoint: &Endpoint) -> Connecting {
        self(endpoint)
    }
}

/// A runtime that clients run on. Implemented by runtimes' crates.
pub trait OnRuntime {
    /// The runtime.
    fn runtime() -> Arc<dyn Runtime>;

    /// How it makes connections, unless told otherwise.
    fn connector() -> Arc<dyn Connect>;
}
