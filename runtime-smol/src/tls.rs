//! TLS.

use std::io;
use std::sync::Arc;

use futures_rustls::TlsAcceptor;
use futures_rustls::rustls::ServerConfig;
use sansocket_driver::FuturesIo;
use smol::net::{AsyncToSocketAddrs, TcpListener};

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
    /// An application chooses the cryptography by a feature of rustls, `ring` or `aws_lc_rs`, which it
    /// depends on as well.
    ///
    /// ```no_run
    /// use std::sync::Arc;
    ///
    /// use sansocket_smol::Server;
    /// use sansocket_smol::rustls::ServerConfig;
    /// use sansocket_smol::rustls::pki_types::pem::PemObject;
    /// use sansocket_smol::rustls::pki_types::{CertificateDer, PrivateKeyDer};
    ///
    /// # async fn listen(io: Server) -> Result<(), Box<dyn std::error::Error>> {
    /// let chain = CertificateDer::pem_file_iter("chain.pem")?.collect::<Result<_, _>>()?;
    /// let key = PrivateKeyDer::from_pem_file("key.pem")?;
    /// let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?;
    /// io.listen_tls("127.0.0.1:3443", Arc::new(config)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on.
    pub async fn listen_tls(
        &self,
        address: impl AsyncToSocketAddrs,
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
