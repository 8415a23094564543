//! A server on a port of its own, inside the test's process.

#![allow(dead_code, reason = "each of the test programs uses a part of it")]

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use sansocket_tests::client::{PATIENCE, eventually, in_time, visit};
use sansocket_tokio::{Ack, Args, Builder, Io, OnRuntime, Runtime, Server, Socket, Stats};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use watched::Watched;

mod watched;

pub(crate) struct TestServer {
    pub(crate) io: Io,
    pub(crate) address: SocketAddr,
    /// Handlers of `wait` take one permit each, and do not finish without.
    pub(crate) gate: Arc<Semaphore>,
    /// Set by a handler that blocks.
    pub(crate) blocked: Arc<AtomicBool>,
    /// How many of the server's tasks have panicked.
    panics: Arc<AtomicUsize>,
    serving: JoinHandle<io::Result<()>>,
}

impl TestServer {
    pub(crate) async fn start(builder: Builder) -> Self {
        let backend = Backend::of_this_program();
        let panics = Arc::new(AtomicUsize::new(0));
        let runtime = Watched::new(backend.runtime(), panics.clone());
        let io = builder.build_with(Arc::new(runtime)).expect("entropy");
        let gate = Arc::new(Semaphore::new(0));
        let waiting = gate.clone();
        io.on_connect(async |socket: Socket| {
            socket.join(["lobby", "hall"])?;
            Ok::<_, sansocket_tokio::JoinError>(())
        })
        .on("echo", async |_: Socket, value: String| Ack(value))
        .on("ask", async |socket: Socket, (): ()| {
            let answer = socket.emit_with_ack::<u32>("question", &(), PATIENCE).await;
            socket.emit("answered", &answer.is_ok())
        })
        .on("wait", move |_: Socket, _: Args| {
            let gate = waiting.clone();
            async move {
                if let Ok(permit) = gate.acquire().await {
                    permit.forget();
                }
            }
        });
        let (address, serving) = backend.serve(&io).await.expect("a port");
        Self { io, address, gate, blocked: Arc::default(), panics, serving }
    }

    /// Whether nothing is left of any client.
    pub(crate) fn is_at_rest(&self) -> bool {
        let Stats { sessions, connections, sockets, rooms, pending_acks, outbox_bytes, .. } =
            self.io.stats();
        [sessions, connections, sockets, rooms, pending_acks, outbox_bytes] == [0; 6]
    }

    pub(crate) async fn rests(&self) {
        eventually("the server is at rest", || self.is_at_rest()).await;
    }

    /// The test makes so many tasks panic on purpose.
    pub(crate) async fn panicked(&self, tasks: usize) {
        eventually("tasks panic", || self.panics.load(Ordering::SeqCst) == tasks).await;
        self.panics.store(0, Ordering::SeqCst);
    }

    /// The end of a test: the server still serves, holds nothing, and ends when it is told to. It
    /// could not end before its deadline if a session's task were left.
    pub(crate) async fn finish(self) {
        visit(self.address).await.expect("a fresh client is served");
        self.gate.close();
        self.rests().await;
        let closing = Io::close(&self.io, 10 * PATIENCE);
        in_time("Server::close", closing).await;
        self.finish_closed().await;
    }

    /// The end of a test that has closed the server.
    pub(crate) async fn finish_closed(self) {
        let served = in_time("Server::serve", self.serving).await;
        served.expect("no panic").expect("no error");
        // A runtime keeps that to itself.
        assert_eq!(self.panics.load(Ordering::SeqCst), 0, "tasks have panicked");
    }
}

/// The runtime that serves. The clients are on tokio.
#[derive(Clone, Copy)]
enum Backend {
    Tokio,
    Smol,
    AsyncStd,
}

impl Backend {
    /// Test programs whose names end with a runtime repeat the others' tests on it.
    fn of_this_program() -> Self {
        match env!("CARGO_CRATE_NAME") {
            name if name.ends_with("smol") => Self::Smol,
            name if name.ends_with("async_std") => Self::AsyncStd,
            _ => Self::Tokio,
        }
    }

    fn runtime(self) -> Arc<dyn Runtime> {
        match self {
            Self::Tokio => Server::runtime(),
            Self::Smol => sansocket_smol::Server::runtime(),
            Self::AsyncStd => sansocket_async_std::Server::runtime(),
        }
    }

    /// Serves on a free port.
    async fn serve(self, io: &Io) -> io::Result<(SocketAddr, JoinHandle<io::Result<()>>)> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        let io = io.clone();
        let serving = match self {
            Self::Tokio => {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                tokio::spawn(async move { Server::from_io(io).serve(listener).await })
            }
            Self::Smol => {
                let listener = smol::net::TcpListener::try_from(listener)?;
                let server = sansocket_smol::Server::from_io(io);
                tokio::spawn(smol::spawn(async move { server.serve(listener).await }))
            }
            Self::AsyncStd => {
                let server = sansocket_async_std::Server::from_io(io);
                let serve = async move { server.serve(listener.into()).await };
                tokio::spawn(async_std::task::spawn(serve))
            }
        };
        Ok((address, serving))
    }
}

/// For time-outs that a test wants to see run out.
pub(crate) const SHORT: Duration = Duration::from_millis(100);

/// Sessions on polling whose clients vanish between requests are noticed by their missing pongs.
/// (A request whose client is gone when it is read may never reach the session.)
pub(crate) fn quick() -> Builder {
    Server::builder().ping_interval(SHORT).ping_timeout(Duration::from_secs(3))
}
