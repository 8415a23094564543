//! The client on async-std.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use sansocket_async_std::Client;
//! use sansocket_async_std::client::Socket;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # async_std::task::block_on(async {
//! let client = Client::builder("http://localhost:3000")
//!     .on("chat message", async |_: Socket, text: String| println!("{text}"))
//!     .connect()
//!     .await?;
//! client.emit("chat message", "hello")?;
//! let data: String = client.emit_with_ack("get data", &(), Duration::from_secs(5)).await?;
//! println!("{data}");
//! client.close().await;
//! # Ok(())
//! # })
//! # }
//! ```
//!
//! See [`sansocket_driver::client`] for what there is, beside the words of JavaScript.
//!
//! # TLS
//!
//! `https` and `wss` need the feature `webpki-roots` or `native-roots`, which say whom to trust; or
//! `tls`, and [`Tcp::with_tls`] for a configuration of one's own.

use std::sync::Arc;

use async_std::net::TcpStream;
use futures_io::{AsyncRead, AsyncWrite};
use sansocket_driver::{FuturesIo, Runtime};

use crate::AsyncStd;
use crate::stream::tcp;

pub use sansocket_driver::client::*;

/// A client on async-std.
pub type Client = sansocket_driver::client::Client<AsyncStd>;

/// Connections over TCP, with TLS where the URL asks for it.
#[derive(Clone, Debug, Default)]
pub struct Tcp {
    #[cfg(feature = "tls")]
    tls: Option<Arc<crate::rustls::ClientConfig>>,
}

impl Tcp {
    /// As by default.
    pub fn new() -> Self {
        Self::default()
    }

    /// With a configuration of TLS of one's own. Where it names protocols for ALPN, `http/1.1` must
    /// be the only one.
    #[cfg(feature = "tls")]
    pub fn with_tls(config: Arc<crate::rustls::ClientConfig>) -> Self {
        Self { tls: Some(config) }
    }
}

impl Connect for Tcp {
    fn connect(&self, endpoint: &Endpoint) -> Connecting {
        let (endpoint, this) = (endpoint.clone(), self.clone());
        Box::pin(async move {
            let stream = TcpStream::connect((endpoint.host(), endpoint.port())).await?;
            match endpoint.is_secure() {
                true => this.secure(&endpoint, tcp(stream)).await,
                false => Ok(boxed(tcp(stream))),
            }
        })
    }
}

/// A stream of futures-io, for a [`Connect`] of one's own.
pub fn boxed(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Box<dyn Stream> {
    Box::new(FuturesIo::new(stream))
}

#[cfg(feature = "tls")]
impl Tcp {
    async fn secure(
        self,
        endpoint: &Endpoint,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) -> std::io::Result<Box<dyn Stream>> {
        let config = self.tls.map_or_else(tls_config, Ok)?;
        let name = crate::rustls::pki_types::ServerName::try_from(endpoint.host().to_owned())
            .map_err(std::io::Error::other)?;
        let connector = futures_rustls::TlsConnector::from(config);
        Ok(boxed(connector.connect(name, stream).await?))
    }
}

#[cfg(not(feature = "tls"))]
impl Tcp {
    async fn secure<S>(self, _: &Endpoint, _: S) -> std::io::Result<Box<dyn Stream>> {
        let text = "no TLS: see the features of the crate";
        Err(std::io::Error::new(std::io::ErrorKind::Unsupported, text))
    }
}

impl OnRuntime for AsyncStd {
    fn runtime() -> Arc<dyn Runtime> {
        Arc::new(Self::new())
    }

    fn connector() -> Arc<dyn Connect> {
        Arc::new(Tcp::new())
    }
}
