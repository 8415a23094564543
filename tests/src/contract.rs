//! The fixture server of `tests/interop/CONTRACT.md`, as far as it is the same on every runtime.
//!
//! A binary takes its runtime's builder through [`configure`], hands the server to [`install`], and
//! listens on [`address`], by TLS where [`tls()`] says so. The [`announce`] line tells the suite
//! where.

mod arguments;
mod engine;
mod events;
mod settings;
mod tls;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_channel::oneshot;
use sansocket_driver::{
    Builder, ConnectError, Disconnect, Io, Namespace, NamespaceRequest, Raw, Runtime, Socket,
};
use serde_json::{Map, Value, json};

pub use settings::address;
pub use tls::{self_signed, tls};

/// The room of `/` whose members get the reports.
const WATCHERS: &str = "watchers";

/// How long clients may take to hear of the server's end.
pub const CLOSE_DEADLINE: Duration = Duration::from_secs(5);

/// What the handlers share.
struct Fixture {
    runtime: Arc<dyn Runtime>,
    /// Who waits at `/late`.
    waiting: Mutex<Vec<oneshot::Sender<()>>>,
}

/// A builder with the settings that the environment asks for. `runtime` runs what must not hold up
/// the handlers of a socket.
///
/// # Errors
///
/// If a variable of the environment is set to what it cannot mean.
pub fn configure<S>(builder: Builder<S>, runtime: Arc<dyn Runtime>) -> io::Result<Builder<S>> {
    let fixture = Fixture { runtime, waiting: Mutex::default() };
    Ok(settings::apply(builder)?.state(fixture).on_error(|error| eprintln!("{error}")))
}

/// Creates the namespaces and registers every handler.
pub fn install(io: &Io) {
    if settings::is_engine_alone() {
        return;
    }
    io.of("/token").use_(async |socket: Socket| {
        let auth = socket.auth::<Map<String, Value>>().unwrap_or_default();
        let is_known = auth.get("token").is_some_and(|token| token == "secret");
        if is_known { Ok(()) } else { Err("bad token") }
    });
    io.of("/refused").use_(async |_: Socket| {
        Err::<(), _>(ConnectError::new("not allowed").with_data(json!({ "code": 42 })))
    });
    io.of("/late").use_(async |socket: Socket| wait_for_release(&socket).await);
    for name in ["/", "/custom", "/token", "/refused", "/late"] {
        register(&io.of(name));
    }
    io.of_matching(|name| name.starts_with("/dynamic-"));
    io.of_dynamic(async |request: NamespaceRequest| {
        let auth = request.auth::<Map<String, Value>>().unwrap_or_default();
        request.name().starts_with("/asked-") && auth.get("token") == Some(&json!("secret"))
    });
    io.on_new_namespace(|namespace| register(&namespace));
}

fn register(namespace: &Namespace) {
    namespace
        .on_connect(async |socket: Socket| {
            socket.insert(events::Kept::default());
            socket.emit("auth", &socket.auth::<Raw>().map_err(io::Error::other)?)?;
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
        })
        .on_disconnect(report_disconnection);
    events::register(namespace);
}

/// Tells the suite that connections are accepted at `address`.
///
/// # Errors
///
/// If standard output is closed.
pub fn announce(address: SocketAddr) -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "listening on {address}")?;
    output.flush()
}

async fn wait_for_release(socket: &Socket) -> Result<(), String> {
    let fixture = fixture(socket)?;
    let (release, released) = oneshot::channel();
    // Whoever sees the report may release at once.
    fixture.waiting().push(release);
    let report = socket.server().to(WATCHERS).emit("waiting", socket.namespace().name());
    report.map_err(|error| error.to_string())?;
    released.await.map_err(|error| error.to_string())
}

async fn report_disconnection(socket: Socket, disconnect: Disconnect) {
    let report = json!({
        "id": socket.id().as_str(),
        "namespace": socket.namespace().name(),
        "reason": disconnect.reason.as_str(),
        "rooms": sorted(disconnect.rooms.iter().map(ToString::to_string)),
    });
    // JSON values can always be encoded.
    let _ = socket.server().to(WATCHERS).emit("disconnected", &report);
}

fn fixture(socket: &Socket) -> Result<&Fixture, String> {
    socket.state::<Fixture>().ok_or_else(|| "the server was built without its fixture".to_owned())
}

impl Fixture {
    fn waiting(&self) -> MutexGuard<'_, Vec<oneshot::Sender<()>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ascending by UTF-16 code unit, as JavaScript sorts.
fn sorted(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut texts: Vec<_> = texts.collect();
    texts.sort_by(|a, b| a.encode_utf16().cmp(b.encode_utf16()));
    texts
}
