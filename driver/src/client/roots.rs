//! Whom clients trust.

use std::io;
use std::sync::Arc;

use rustls::ClientConfig;

/// The configuration of TLS of a client that was given none: certificates are checked against the
/// roots that the features `webpki-roots` and `native-roots` bring, and the cryptography is `ring`.
///
/// # Errors
///
/// Without both features, or if the system has no roots.
#[cfg(any(feature = "webpki-roots", feature = "native-roots"))]
pub fn tls_config() -> io::Result<Arc<ClientConfig>> {
    let mut roots = rustls::RootCertStore::empty();
    #[cfg(feature = "webpki-roots")]
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    #[cfg(feature = "native-roots")]
    {
        let found = rustls_native_certs::load_native_certs();
        // Systems hold certificates that nothing can be done with.
        let (added, _) = roots.add_parsable_certificates(found.certs);
        if let Some(error) = found.errors.into_iter().next().filter(|_| added == 0) {
            return Err(io::Error::other(error));
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The configuration of TLS of a client that was given none.
///
/// # Errors
///
/// Always: there are roots only with the features `webpki-roots` and `native-roots`.
#[cfg(not(any(feature = "webpki-roots", feature = "native-roots")))]
pub fn tls_config() -> io::Result<Arc<ClientConfig>> {
    let text = "no roots to check certificates against: see the features of the crate";
    Err(io::Error::new(io::ErrorKind::Unsupported, text))
}
