//! TLS.

use std::io;
use std::sync::Arc;

use async_std::net::{TcpListener, ToSocketAddrs};
use futures_rustls::TlsAcceptor;
use futures_rustls::rustls::ServerConfig;
use sansocket_driver::FuturesIo;

use crate::Server;
use crate::stream::tcp;

impl Server {
    /// As [`listen`](Self::listen), over TLS: clients connect by `https` and `wss`.
    ///
    /// The certificates are those of `config`; to change them while the server runs, give it a
    /// [resolver](crate::rustls::server::ResolvesServerCert). Where `config` names protocols for
    /// ALPN, `http/1.1` must be the only one. Handshakes may take as long as the header of a
    /// request, see [`header_timeout`](crate::Builder::header_timeout).
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on.
    pub async fn listen_tls(
        &self,
        address: impl ToSocketAddrs,
        config: Arc<ServerConfig>,
    ) -> io::Result<()> {
        self.serve_tls(TcpListener::bind(address).await?, config).await
    }

    /// As [`listen_tls`](Self::listen_tls), with a listener.
    ///
    /// # Errors
    ///
    /// None at present.
    pub async fn serve_tls(
        &self,
        listener: TcpListener,
        config: Arc<ServerConfig>,
    ) -> io::Result<()> {
        let acceptor = TlsAcceptor::from(config);
        let serve = |(stream, peer)| {
            let handshake = acceptor.accept(tcp(stream));
            self.serve_after(async move { handshake.await.map(FuturesIo::new) }, Some(peer), true)
        };
        self.serve_incoming(|| listener.accept(), serve).await;
        Ok(())
    }
}
