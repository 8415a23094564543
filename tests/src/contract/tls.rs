//! TLS with a certificate that nobody else vouches for.

use std::env;
use std::io;
use std::sync::Arc;

use rcgen::generate_simple_self_signed;
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

/// The TLS to listen with, where the variable `TLS` is set.
///
/// # Errors
///
/// If there is no randomness for a key.
pub fn tls() -> io::Result<Option<Arc<ServerConfig>>> {
    env::var_os("TLS").map(|_| Ok(self_signed()?.0)).transpose()
}

/// A server with a new certificate for the loopback address, and that certificate.
///
/// # Errors
///
/// If there is no randomness for a key.
pub fn self_signed() -> io::Result<(Arc<ServerConfig>, CertificateDer<'static>)> {
    let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
    let certified = generate_simple_self_signed(names).map_err(io::Error::other)?;
    let key = PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
    let certificate = certified.cert.der().clone();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            let certificates = vec![certificate.clone()];
            builder.with_no_client_auth().with_single_cert(certificates, key.into())
        });
    Ok((Arc::new(config.map_err(io::Error::other)?), certificate))
}
