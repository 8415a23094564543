//! A web server on plain hyper with Socket.IO inside, HTTP/1.1 and HTTP/2 on one port.

use std::convert::Infallible;
use std::io::{self, Write};
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use sansocket_tokio::{Peer, Server, Socket};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Time for clients to hear of the end.
const CLOSE_DEADLINE: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(3002);
    let io = Server::builder().build()?;
    io.on("shout", async |socket: Socket, text: String| {
        socket.server().emit("shouted", &text.to_uppercase())
    });

    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1().timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(30));
    let connections = GracefulShutdown::new();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut stop = pin!(terminate.recv());

    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    writeln!(io::stdout(), "listening on http://{}", listener.local_addr()?)?;
    loop {
        let (stream, address) = tokio::select! {
            accepted = listener.accept() => accepted?,
            _ = &mut stop => break,
        };
        let peer = Peer { address: Some(address), secure: false };
        let io = io.clone();
        let service = service_fn(move |request| respond(io.clone(), peer, request));
        let connection = http.serve_connection_with_upgrades(TokioIo::new(stream), service);
        let connection = connections.watch(connection.into_owned());
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                eprintln!("{error}");
            }
        });
    }
    io.close(CLOSE_DEADLINE).await;
    connections.shutdown().await;
    Ok(())
}

async fn respond(
    io: Server,
    peer: Peer,
    mut request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if io.serves_path(request.uri().path()) {
        request.extensions_mut().insert(peer);
        return Ok(io.serve_request(request).await);
    }
    Ok(Response::new(Full::from("a page of the application")))
}
