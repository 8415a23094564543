//! Other streams than TCP.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::{ClientConfig, RootCertStore, ServerConfig};
use sansocket_core::codec::websocket::Opcode;
use sansocket_driver::{Builder, Io, OnRuntime, Socket};
use sansocket_tests::client::{Http, PATIENCE, eventually, frame, in_time, upgrade_request};
use sansocket_tests::contract::self_signed;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio_rustls::{TlsAcceptor, TlsConnector};

const WEBSOCKET: &str = "/socket.io/?EIO=4&transport=websocket";
const PIPE_BYTES: usize = 1_024;

/// Reads until the text has come.
async fn expect(stream: &mut (impl AsyncRead + Unpin), text: &str) -> io::Result<Vec<u8>> {
    let mut received = Vec::new();
    while !received.windows(text.len()).any(|window| window == text.as_bytes()) {
        if in_time(text, stream.read_buf(&mut received)).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(received)
}

/// Becomes a WebSocket, and joins `/`.
async fn join(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> io::Result<()> {
    stream.write_all(upgrade_request(WEBSOCKET).as_bytes()).await?;
    expect(stream, "\"sid\"").await?;
    stream.write_all(&frame(Opcode::Text, b"40")).await?;
    expect(stream, "40{\"sid\"").await.map(drop)
}

/// Notes what each write brought to the network.
struct Noted {
    network: DuplexStream,
    takes_several: bool,
    writes: Arc<Mutex<Vec<usize>>>,
}

impl Noted {
    fn note(&self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(length)) = &result {
            self.writes.lock().expect("nobody panics").push(*length);
        }
        result
    }
}

impl AsyncRead for Noted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.network).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Noted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.network).poll_write(cx, data);
        self.note(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        chunks: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.network).poll_write_vectored(cx, chunks);
        self.note(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.takes_several
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.network).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.network).poll_shutdown(cx)
    }
}

/// An attachment has the packet that announces it before it. The network takes both at once, or a
/// part of them, or one after the other.
#[tokio::test]
async fn a_large_frame_goes_with_those_before_it() -> io::Result<()> {
    let large = "a".repeat(100_000);
    // The header of a frame and the packet: `42["a"]`, and as much around the large one.
    let (small_frame, large_frame) = (2 + 7, 10 + 100_006);
    for (room, takes_several) in
        [(1 << 20, true), (1 << 20, false), (PIPE_BYTES, true), (PIPE_BYTES, false)]
    {
        let server = sansocket_tokio::Server::builder().build()?;
        let (mut client, network) = tokio::io::duplex(room);
        let writes = Arc::default();
        let stream = Noted { network, takes_several, writes: Arc::clone(&writes) };
        let io = server.clone();
        tokio::spawn(async move { io.serve_stream(stream, None, false).await });
        join(&mut client).await?;
        writes.lock().expect("nobody panics").clear();
        for event in ["a", "b", &large, "c"] {
            server.emit(event, &()).map_err(io::Error::other)?;
        }
        let received = expect(&mut client, r#"42["c"]"#).await?;
        let mut expected = Vec::new();
        for event in ["a", "b", &large, "c"] {
            let packet = format!("42[\"{event}\"]");
            let header = received.get(expected.len()..).and_then(|rest| rest.get(1)).copied();
            let bytes = if header == Some(127) { 10 } else { 2 };
            expected.extend_from_slice(&received[expected.len()..][..bytes]);
            expected.extend_from_slice(packet.as_bytes());
        }
        assert!(received == expected, "{room} {takes_several}");
        let writes = writes.lock().expect("nobody panics").clone();
        match (room, takes_several) {
            (PIPE_BYTES, _) => assert!(writes.len() > 100_000 / PIPE_BYTES),
            (_, true) => assert_eq!(writes, [2 * small_frame + large_frame, small_frame]),
            (_, false) => assert_eq!(writes, [2 * small_frame, large_frame, small_frame]),
        }
        drop(client);
        Io::close(&server, PATIENCE).await;
    }
    Ok(())
}

/// TLS takes more than the network does, and must be made to pass on the rest.
#[tokio::test]
async fn what_tls_holds_back_still_arrives() -> io::Result<()> {
    let server = sansocket_tokio::Server::builder().build()?;
    let (config, certificate) = self_signed()?;
    let (near, far) = tokio::io::duplex(PIPE_BYTES);
    let io = server.clone();
    tokio::spawn(async move {
        let stream = TlsAcceptor::from(config).accept(far).await?;
        io.serve_stream(stream, None, true).await;
        Ok::<_, io::Error>(())
    });
    let mut roots = RootCertStore::empty();
    roots.add(certificate).map_err(io::Error::other)?;
    let config =
        ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
    let name = "localhost".try_into().map_err(io::Error::other)?;
    let mut client = TlsConnector::from(Arc::new(config)).connect(name, near).await?;
    join(&mut client).await?;
    let payload = "a".repeat(30 * PIPE_BYTES);
    for _ in 0..3 {
        server.emit("news", &payload).map_err(io::Error::other)?;
        eventually("the server is done with it", || server.stats().outbox_bytes == 0).await;
        let received = expect(&mut client, "a\"]").await?;
        assert!(received.len() > payload.len());
    }
    drop(client);
    Io::close(&server, PATIENCE).await;
    Ok(())
}

/// The handshake of one client is not what others wait for, and does not take forever.
async fn tells_tls_from_others<S: OnRuntime>(
    builder: Builder<S>,
    serve: impl FnOnce(S, std::net::TcpListener, Arc<ServerConfig>),
) -> io::Result<()> {
    let timeout = Duration::from_millis(300);
    let io = builder.header_timeout(timeout).build_with(S::runtime())?;
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address: SocketAddr = listener.local_addr()?;
    serve(S::from_io(io.clone()), listener, self_signed()?.0);

    let mut silent = Http::connect(address).await?;
    let mut mistaken = Http::connect(address).await?;
    mistaken.request("GET", "/socket.io/?EIO=4&transport=polling", "").await?;
    assert!(mistaken.response().await.is_ok_and(|response| response.is_none()));
    silent.read_to_end().await;
    assert_eq!(io.stats().sessions, 0);
    io.close(PATIENCE).await;
    Ok(())
}

#[tokio::test]
async fn tls_on_tokio_waits_for_nobody() -> io::Result<()> {
    tells_tls_from_others(sansocket_tokio::Server::builder(), |server, listener, config| {
        let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
        tokio::spawn(async move { server.serve_tls(listener, config).await });
    })
    .await
}

#[tokio::test]
async fn tls_on_smol_waits_for_nobody() -> io::Result<()> {
    tells_tls_from_others(sansocket_smol::Server::builder(), |server, listener, config| {
        let listener = listener.try_into().expect("a listener");
        smol::spawn(async move { server.serve_tls(listener, config).await }).detach();
    })
    .await
}

#[tokio::test]
async fn tls_on_async_std_waits_for_nobody() -> io::Result<()> {
    tells_tls_from_others(sansocket_async_std::Server::builder(), |server, listener, config| {
        async_std::task::spawn(async move { server.serve_tls(listener.into(), config).await });
    })
    .await
}

/// Unix sockets, through a folder of their own.
#[cfg(unix)]
mod unix {
    use std::path::{Path, PathBuf};

    use tokio::net::UnixStream;

    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> io::Result<Self> {
            let name = format!("sansocket-{name}-{}", std::process::id());
            let path = std::env::temp_dir().join(name);
            std::fs::create_dir(&path)?;
            Ok(Self(path))
        }

        fn socket(&self) -> PathBuf {
            self.0.join("socket")
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn install(io: &Io) {
        io.on("where", async |socket: Socket, (): ()| {
            socket.emit("has address", &socket.handshake().peer().is_some())
        });
    }

    async fn visit(path: &Path, io: &Io) -> io::Result<()> {
        let mut stream = UnixStream::connect(path).await?;
        join(&mut stream).await?;
        stream.write_all(&frame(Opcode::Text, br#"42["where"]"#)).await?;
        expect(&mut stream, r#"42["has address",false]"#).await?;
        drop(stream);
        io.close(PATIENCE).await;
        Ok(())
    }

    #[tokio::test]
    async fn tokio_serves_unix_sockets() -> io::Result<()> {
        let folder = Folder::new("tokio")?;
        let server = sansocket_tokio::Server::builder().build()?;
        install(&server);
        let listener = tokio::net::UnixListener::bind(folder.socket())?;
        let serving = server.clone();
        let serving = tokio::spawn(async move { serving.serve_unix(listener).await });
        visit(&folder.socket(), &server).await?;
        in_time("the end of the loop", serving).await?
    }

    #[tokio::test]
    async fn smol_serves_unix_sockets() -> io::Result<()> {
        let folder = Folder::new("smol")?;
        let server = sansocket_smol::Server::builder().build()?;
        install(&server);
        let listener = smol::net::unix::UnixListener::bind(folder.socket())?;
        let serving = server.clone();
        let serving = smol::spawn(async move { serving.serve_unix(listener).await });
        visit(&folder.socket(), &server).await?;
        in_time("the end of the loop", serving).await
    }

    #[tokio::test]
    async fn async_std_serves_unix_sockets() -> io::Result<()> {
        let folder = Folder::new("async-std")?;
        let server = sansocket_async_std::Server::builder().build()?;
        install(&server);
        let listener = async_std::os::unix::net::UnixListener::bind(folder.socket()).await?;
        let serving = server.clone();
        let serving = async_std::task::spawn(async move { serving.serve_unix(listener).await });
        visit(&folder.socket(), &server).await?;
        in_time("the end of the loop", serving).await
    }
}
