//! The settings of a new server.

mod operations;
mod requests;

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::io;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
#[cfg(feature = "deflate")]
use sansocket_core::codec::websocket::deflate::PerMessageDeflate;
use sansocket_core::{Config, Limits, SHARDS_MAX, SharedParser, Transports};

#[cfg(feature = "deflate")]
use crate::deflate::Deflate;
#[cfg(feature = "compression")]
use crate::http::HttpCompression;
use crate::http::{ClientFiles, Cors, Hooks};
use crate::inner::Inner;
use crate::runtime::Runtime;
use crate::settings::Settings;
use crate::shards::Shards;

use super::error::{HandlerError, log};
use super::io::Io;
use super::state::State;
use super::{App, AppHooks, ConnectionStateRecovery, NamespaceSettings};

/// The settings of a new server. Names and defaults are the reference implementation's where it
/// has them.
///
/// `S` is the server that comes of it: a runtime's, or an [`Io`] for a runtime that is given to
/// [`build_with`](Self::build_with).
#[must_use = "this is no server yet"]
pub struct Builder<S = Io> {
    config: Config,
    settings: Settings,
    shards: usize,
    seed: Option<[u8; 32]>,
    state: State,
    hooks: AppHooks,
    namespaces: NamespaceSettings,
    recovery: Option<ConnectionStateRecovery>,
    server: PhantomData<fn() -> S>,
}

/// A server that knows its runtime. Implemented by runtimes' crates.
pub trait OnRuntime {
    /// The runtime.
    fn runtime() -> Arc<dyn Runtime>;

    /// The server around `io`, which was built on that runtime.
    fn from_io(io: Io) -> Self;
}

impl<S> Default for Builder<S> {
    fn default() -> Self {
        let settings = Settings {
            path: "/socket.io/".into(),
            allow_request: None,
            generate_id: None,
            cors: None,
            #[cfg(feature = "compression")]
            compression: None,
            deflate: None,
            cookie: None,
            hooks: Hooks::default(),
            client_files: None,
            fallback: None,
            header_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(30),
            close_timeout: Duration::from_secs(10),
            #[cfg(feature = "metrics")]
            metrics_interval: None,
            extensions: Vec::new(),
        };
        Self {
            config: Config::default(),
            settings,
            shards: std::thread::available_parallelism().map_or(1, usize::from),
            seed: None,
            state: State::default(),
            hooks: AppHooks { error: Box::new(log), rate: None },
            namespaces: NamespaceSettings::default(),
            recovery: None,
            server: PhantomData,
        }
    }
}

/// The protocol.
impl<S> Builder<S> {
    /// Transports that clients may use. Both by default.
    pub fn transports(mut self, transports: Transports) -> Self {
        self.config.transports = transports;
        self
    }

    /// Whether clients may go from polling to WebSocket. They may by default.
    pub fn allow_upgrades(mut self, allow: bool) -> Self {
        self.config.allow_upgrades = allow;
        self
    }

    /// Whether clients of Engine.IO 3, `socket.io-client` 2, are served. They are refused by
    /// default, with code 5.
    ///
    /// In the namespace `/` such a client takes the id of its session for that of its socket, as it
    /// does at the reference. Whoever learns that id can act as that client, so an application that
    /// tells sockets' ids to other clients should not allow it.
    pub fn allow_eio3(mut self, allow: bool) -> Self {
        self.config.allow_eio3 = allow;
        self
    }

    /// What packets look like on the wire, in place of the default form: the reference's `parser`.
    /// Every client must use the same. `MessagePack`, of the feature `msgpack`, is what
    /// `socket.io-msgpack-parser` speaks; see [`Parser`](crate::Parser) for others.
    pub fn parser(mut self, parser: impl Into<SharedParser>) -> Self {
        self.config.parser = Some(parser.into());
        self
    }

    /// Time between a pong and the next ping. 25 s by default.
    pub fn ping_interval(mut self, interval: Duration) -> Self {
        self.config.ping_interval = interval;
        self
    }

    /// Time in which a ping must be answered. 20 s by default.
    pub fn ping_timeout(mut self, timeout: Duration) -> Self {
        self.config.ping_timeout = timeout;
        self
    }

    /// Time that an upgrade may take. 10 s by default.
    pub fn upgrade_timeout(mut self, timeout: Duration) -> Self {
        self.config.upgrade_timeout = timeout;
        self
    }

    /// Time in which a connection must have joined a namespace. 45 s by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.config.connect_timeout = timeout;
        self
    }

    /// Bytes of one HTTP body, one WebSocket message, and one event with all its attachments: the
    /// reference's `maxHttpBufferSize`, and one of the [`Limits`]. 1 000 000 by default.
    pub fn max_payload(mut self, bytes: usize) -> Self {
        self.config.limits.max_payload = bytes;
        self
    }

    /// What a client may make the server hold, [`max_payload`](Self::max_payload) included.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.config.limits = limits;
        self
    }
}

/// HTTP.
impl<S> Builder<S> {
    /// The path of the server, `/socket.io/` by default. Slashes in front and behind may be left
    /// out.
    pub fn path(mut self, path: &str) -> Self {
        let path = path.trim_matches('/');
        self.settings.path =
            if path.is_empty() { "/".into() } else { format!("/{path}/").into_boxed_str() };
        self
    }

    /// Lets scripts of other origins use the server. None may by default.
    pub fn cors(mut self, cors: Cors) -> Self {
        self.settings.cors = Some(cors);
        self
    }

    /// Compresses what clients on polling are sent, where they accept it. Nothing is compressed by
    /// default, unlike in the reference. Behind the feature `compression`.
    #[cfg(feature = "compression")]
    pub fn http_compression(mut self, compression: HttpCompression) -> Self {
        self.settings.compression = Some(compression);
        self
    }

    /// Compresses what goes over WebSockets, where the client can (RFC 7692). Nothing is compressed by
    /// default. Behind the feature `deflate`.
    #[cfg(feature = "deflate")]
    pub fn per_message_deflate(mut self, deflate: PerMessageDeflate) -> Self {
        self.settings.deflate = Some(Arc::new(Deflate::new(deflate)));
        self
    }

    /// Decides about every handshake, by its HTTP request. An error refuses it, and its text is
    /// told to the client.
    pub fn allow_request<F, Fut, E>(mut self, allow: F) -> Self
    where
        F: Fn(Arc<http::request::Parts>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<String> + 'static,
    {
        self.settings.allow_request = Some(Arc::new(move |request| {
            let verdict = allow(request);
            Box::pin(async move { verdict.await.map_err(Into::into) })
        }));
        self
    }

    /// Serves the official client's files, `socket.io.js` and the like, under the server's path.
    pub fn serve_client(mut self, files: ClientFiles) -> Self {
        self.settings.client_files = Some(files);
        self
    }

    /// Answers the requests that are not for the server's path, which are otherwise answered with
    /// 404: a page for a start. An application of more than a few pages embeds this server in a web
    /// framework instead.
    pub fn fallback<F, Fut>(mut self, answer: F) -> Self
    where
        F: Fn(http::request::Parts) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = http::Response<Bytes>> + Send + 'static,
    {
        self.settings.fallback = Some(Arc::new(move |request| Box::pin(answer(request))));
        self
    }

    /// Keeps what a web framework has put among a request's extensions, for
    /// [`Handshake::extension`](crate::Handshake::extension): one type with each call, if the
    /// request has a value of it.
    ///
    /// Only what is named is kept, because it is kept for as long as the session lives, and
    /// frameworks put much there; some of that holds on to the buffer that the request was read
    /// into.
    pub fn extension<T: Clone + Send + Sync + 'static>(mut self) -> Self {
        self.settings.extensions.push(|request, kept| {
            if let Some(value) = request.get::<T>() {
                kept.insert(value.clone());
            }
        });
        self
    }

    /// Time in which the header of a request must be complete, and for which an idle HTTP
    /// connection is kept. 30 s by default.
    pub fn header_timeout(mut self, timeout: Duration) -> Self {
        self.settings.header_timeout = timeout;
        self
    }

    /// Time in which the body of a request must be complete. 30 s by default.
    pub fn body_timeout(mut self, timeout: Duration) -> Self {
        self.settings.body_timeout = timeout;
        self
    }

    /// Time in which a WebSocket that closes must have taken what is queued for it. 10 s by
    /// default.
    pub fn close_timeout(mut self, timeout: Duration) -> Self {
        self.settings.close_timeout = timeout;
        self
    }
}

/// The application.
impl<S> Builder<S> {
    /// A value that every handler can get, by its type: `socket.state::<S>()`. There is one of
    /// each type; a later one takes the place of an earlier one.
    pub fn state<T: Any + Send + Sync>(mut self, state: T) -> Self {
        self.state.insert(state);
        self
    }

    /// Whether a namespace that was [made for a client](Io::of_matching) goes with its last socket,
    /// a pending or a connected one. `false` by default: it stays for ever. Handlers that were
    /// registered at it, and not at its [`ParentNamespace`](crate::ParentNamespace), go with it.
    pub fn cleanup_empty_child_namespaces(mut self, cleanup: bool) -> Self {
        self.namespaces.cleans_up = cleanup;
        self
    }

    /// How many namespaces there can be that were [made for clients](Io::of_matching). 10 000 by
    /// default; clients that ask for more are told that there is no such namespace. Those that the
    /// application creates by [`of`](Io::of) are counted and not limited.
    pub fn max_child_namespaces(mut self, count: usize) -> Self {
        self.namespaces.children_max = count;
        self
    }

    /// Gives clients that have lost their connection their state back, if they are back soon: the
    /// socket's id, rooms and data, and every event that was sent to them meanwhile. Off by
    /// default.
    ///
    /// Clients of 4.6 and later ask for it by themselves, and then say `socket.recovered`. Each
    /// event carries its offset as one more argument, a string. Events that are volatile, or ask
    /// for an acknowledgement, are not kept.
    ///
    /// Events of all namespaces are sent one after the other then, which costs throughput where
    /// several threads send.
    pub fn connection_state_recovery(mut self, recovery: ConnectionStateRecovery) -> Self {
        self.recovery = Some(recovery);
        self
    }

    /// Called when a handler could not be called, or failed, in place of the default, which logs
    /// by `tracing`, without what clients have sent. It must not take long.
    pub fn on_error(mut self, hook: impl Fn(&HandlerError) + Send + Sync + 'static) -> Self {
        self.hooks.error = Box::new(hook);
        self
    }

    /// Into how many parts the sessions are divided, each behind a lock of its own: by default as
    /// many as there are processors, 64 at most. Applications do not notice.
    pub fn shards(mut self, count: usize) -> Self {
        self.shards = count;
        self
    }

    /// Where ids come from, instead of the operating system's random numbers: for tests that are
    /// to run the same way twice.
    ///
    /// The id of a session is a secret by which its client is known. Whoever can guess the seed can
    /// take over every session, so never set one where strangers connect.
    pub fn seed(mut self, seed: [u8; 32]) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The server. It may be built outside of the runtime that will run it.
    ///
    /// # Errors
    ///
    /// If the operating system has no random numbers for us.
    pub fn build(self) -> io::Result<S>
    where
        S: OnRuntime,
    {
        self.build_with(S::runtime()).map(S::from_io)
    }

    /// The server, on some runtime. Runtimes' crates have a shorter way.
    ///
    /// # Errors
    ///
    /// If the operating system has no random numbers for us.
    pub fn build_with(self, runtime: Arc<dyn Runtime>) -> io::Result<Io> {
        let Self {
            config,
            settings,
            shards,
            seed,
            state,
            hooks,
            namespaces,
            recovery,
            server: PhantomData,
        } = self;
        let mut given = seed;
        let mut entropy = Ok(());
        let shards = Shards::new(&config, shards.clamp(1, SHARDS_MAX), &runtime, || {
            if let Some(given) = &mut given {
                // No two shards have the same.
                given[0] = given[0].wrapping_add(1);
                return *given;
            }
            let mut seed = [0; 32];
            if let Err(error) = getrandom::fill(&mut seed) {
                entropy = Err(io::Error::other(error.to_string()));
            }
            seed
        });
        entropy?;
        let app = App::new(&shards, state, hooks, namespaces, recovery)?;
        Ok(Io { inner: Arc::new(Inner::new(config, shards, runtime, app, settings)) })
    }
}

impl<S> fmt::Debug for Builder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("config", &self.config)
            .field("path", &self.settings.path)
            .field("shards", &self.shards)
            .finish_non_exhaustive()
    }
}
