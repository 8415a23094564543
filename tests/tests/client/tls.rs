//! `https` and `wss`.

use std::io;
use std::sync::Arc;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use sansocket_tests::client::{PATIENCE, eventually, in_time};
use sansocket_tokio::client::ConnectError;
use sansocket_tokio::{Ack, Server, Socket as ServerSocket, Transport};
use tokio::net::TcpListener;

use crate::{Client, Tcp};

/// A server for `localhost`, and a client's configuration that trusts it.
async fn serve() -> (String, Server, Arc<ClientConfig>) {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a key");
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signed.signing_key.serialize_der()));
    let certificate = signed.cert.der().clone();
    let server = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .expect("there are some")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .expect("they fit");
    let mut roots = RootCertStore::empty();
    roots.add(certificate).expect("a certificate");
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("there are some")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let io = Server::builder().build().expect("entropy");
    io.on("echo", async |_: ServerSocket, text: String| Ack(text));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let serving = io.clone();
    tokio::spawn(async move { serving.serve_tls(listener, Arc::new(server)).await });
    (format!("localhost:{port}"), io, Arc::new(client))
}

#[tokio::test]
async fn a_trusted_server_is_spoken_to_by_either_transport() {
    let (authority, io, config) = serve().await;
    for (scheme, transports) in [
        ("https", vec![Transport::Polling, Transport::WebSocket]),
        ("wss", vec![Transport::WebSocket]),
    ] {
        let client = Client::builder(format!("{scheme}://{authority}"))
            .connector(Tcp::with_tls(config.clone()))
            .transports(transports)
            .connect()
            .await
            .expect("it connects");
        eventually("the upgrade", || client.transport() == Some(Transport::WebSocket)).await;
        let large = "x".repeat(300_000);
        let echo: String = client.emit_with_ack("echo", &large, PATIENCE).await.expect("it");
        assert_eq!(echo, large);
        in_time("close", client.close()).await;
    }
    in_time("Server::close", io.close(PATIENCE)).await;
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_is_not() {
    let (authority, io, _) = serve().await;
    let error = Client::builder(format!("https://{authority}")).connect().await.map(drop);
    let Err(ConnectError::Transport { cause: Some(cause), .. }) = &error else {
        panic!("{error:?}")
    };
    // No roots at all, or none of its own: the features of the build decide.
    let kinds = [io::ErrorKind::Unsupported, io::ErrorKind::InvalidData];
    assert!(kinds.contains(&cause.kind()), "{cause:?}");
    in_time("Server::close", io.close(PATIENCE)).await;
}
