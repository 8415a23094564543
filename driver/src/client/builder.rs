//! The settings of a client, and of each of its namespaces.

use std::fmt;
use std::future::Future;
use std::io;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use sansocket_core::client::{Auth, Config, Limits, Manager, SocketConfig};
#[cfg(feature = "deflate")]
use sansocket_core::codec::websocket::deflate::PerMessageDeflate;
use sansocket_core::{Args, SharedParser, Transport};
use serde::Serialize;

use crate::app::{
    ErrorHook, Handler, HandlerError, IntoReply, OnConnect, Subject, erase, log, on_connect, run,
};

use crate::deflate::Deflate;
use crate::runtime::Runtime;

use super::address::Address;
use super::connect::Connect;
use super::error::ConnectError;
use super::events::{Events, Lifecycle};
use super::http::Http;
use super::namespace::OnConnectError;
use super::settings::{NamespaceSettings, SetAuth};
use super::shared::{Handle, Shared};
use super::socket::Socket;
use super::task::Task;
use super::{Client, DisconnectReason};

/// The settings of a client, or of one more namespace of its connection.
///
/// `T` says which: [`NewConnection`], by [`Client::builder`], or [`SameConnection`], by
/// [`Client::of`]. Names and defaults are the reference implementation's where it has them.
#[must_use = "this is no client yet"]
pub struct Builder<T> {
    target: T,
    config: SocketConfig,
    settings: NamespaceSettings,
    invalid: Option<ConnectError>,
}

/// A connection that is to be made.
pub struct NewConnection<R> {
    url: String,
    namespace: Option<String>,
    config: Config,
    headers: HeaderMap,
    runtime: Arc<dyn Runtime>,
    connector: Arc<dyn Connect>,
    seed: Option<[u8; 32]>,
    deflate: Option<Arc<Deflate>>,
    on_lifecycle: Option<Box<OnLifecycle>>,
    error_hook: ErrorHook,
    name: PhantomData<fn() -> R>,
}

/// A connection that there is.
pub struct SameConnection<R> {
    shared: Arc<Shared>,
    namespace: String,
    runtime: PhantomData<fn() -> R>,
}

pub(super) type OnLifecycle = dyn Fn(&Lifecycle) + Send + Sync;

/// The namespace.
impl<T> Builder<T> {
    fn new(target: T) -> Self {
        let settings = NamespaceSettings::default();
        Self { target, config: SocketConfig::default(), settings, invalid: None }
    }

    /// What the server is told at each connect, in `auth`: what serializes as a JSON object.
    pub fn auth(mut self, auth: &(impl Serialize + ?Sized)) -> Self {
        match Auth::encode(auth) {
            Ok(auth) => self.settings.auth = Some(SetAuth::Value(auth)),
            Err(error) => self.invalid = Some(error.into()),
        }
        self
    }

    /// As [`auth`](Self::auth), asked for at each connect, for one because a token expires. What it
    /// waits for is part of [`namespace_timeout`](Self::namespace_timeout).
    pub fn auth_with<F, Fut>(mut self, ask: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output: Serialize> + Send + 'static,
    {
        self.settings.auth = Some(SetAuth::Ask(Arc::new(move || {
            let asked = ask();
            Box::pin(async move { Auth::encode(&asked.await) })
        })));
        self
    }

    /// How often a message of [`Socket::emit_at_least_once`] is sent again where no acknowledgement
    /// came in time. 3 by default.
    pub fn retries(mut self, retries: u32) -> Self {
        self.config.retries = retries;
        self
    }

    /// The time that each of its tries is given. 10 s by default.
    pub fn ack_timeout(mut self, timeout: Duration) -> Self {
        self.config.ack_timeout = timeout;
        self
    }

    /// Time from the open connection to the server's answer for the namespace; `None` waits for
    /// ever. 45 s by default.
    pub fn namespace_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.config.connect_timeout = timeout;
        self
    }

    /// Handles an event of the server.
    pub fn on<Form: 'static>(mut self, event: &str, handler: impl Handler<Form, Socket>) -> Self {
        let (event, handler) = (event.to_owned(), erase(handler));
        self.settings.push(move |namespace| namespace.listeners.on(&event, handler, false));
        self
    }

    /// Gets every event, before its handler, with its undecoded arguments.
    pub fn on_any<F, Fut>(mut self, handler: F) -> Self
    where
        F: Fn(Socket, String, Args) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: IntoReply> + Send + 'static,
    {
        self.settings.push(move |namespace| namespace.listeners.on_any(handler));
        self
    }

    /// Runs each time that the namespace is connected, before the events that follow.
    pub fn on_connect<F, Fut>(mut self, handler: F) -> Self
    where
        F: Fn(Socket) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: IntoReply> + Send + 'static,
    {
        let handler: Arc<OnConnect<Socket>> = on_connect(handler);
        self.settings.push(move |namespace| namespace.connect.push(handler));
        self
    }

    /// Runs each time that the namespace could not be connected, also where the client goes on
    /// trying: see [`ConnectError::is_final`].
    pub fn on_connect_error<F, Fut>(mut self, handler: F) -> Self
    where
        F: Fn(Socket, ConnectError) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: IntoReply> + Send + 'static,
    {
        let event: Arc<str> = "connect_error".into();
        let handler: Arc<OnConnectError> = Arc::new(move |socket, error| {
            let reply = socket.unasked();
            run(handler(socket, error), reply, event.clone())
        });
        self.settings.push(move |namespace| namespace.connect_error.push(handler));
        self
    }

    /// Runs each time that the namespace is not connected any more.
    pub fn on_disconnect<F, Fut>(mut self, handler: F) -> Self
    where
        F: Fn(Socket, DisconnectReason) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: IntoReply> + Send + 'static,
    {
        self.settings.push(move |namespace| namespace.listeners.on_disconnect(handler));
        self
    }
}

/// The connection.
impl<R> Builder<NewConnection<R>> {
    /// The transports to use, in their order: the first opens the session, a WebSocket after polling
    /// takes over. Polling, then WebSocket, by default.
    pub fn transports(mut self, transports: impl IntoIterator<Item = Transport>) -> Self {
        self.target.config.transports = transports.into_iter().collect();
        self
    }

    /// Whether to go from polling to a WebSocket where the server offers it. Yes by default.
    pub fn upgrade(mut self, upgrade: bool) -> Self {
        self.target.config.upgrade = upgrade;
        self
    }

    /// Whether to open the session by the next transport where one fails. No by default.
    pub fn try_all_transports(mut self, try_all: bool) -> Self {
        self.target.config.try_all_transports = try_all;
        self
    }

    /// The namespace, in place of the path of the URL.
    pub fn namespace(mut self, name: impl Into<String>) -> Self {
        self.target.namespace = Some(slashed(name.into()));
        self
    }

    /// The path of the server's endpoint. `/socket.io/` by default.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.target.config.path = path.into();
        self
    }

    /// Adds a parameter to the query of each request, beside those of the URL.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        let query = std::mem::take(&mut self.target.config.query);
        let mut serializer = form_urlencoded::Serializer::new(query);
        self.target.config.query = serializer.append_pair(name, value).finish();
        self
    }

    /// Adds a header to each request, that of a WebSocket included.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            (Ok(name), Ok(value)) => drop(self.target.headers.append(name, value)),
            _ => self.invalid = Some(ConnectError::Header),
        }
        self
    }

    /// Offers to compress what goes over a WebSocket (RFC 7692). Unlike the official client, this one
    /// does not by default. Behind the feature `deflate`.
    #[cfg(feature = "deflate")]
    pub fn per_message_deflate(mut self, deflate: PerMessageDeflate) -> Self {
        self.target.deflate = Some(Arc::new(Deflate::new(deflate)));
        self
    }

    /// What packets look like on the wire, in place of the default form; it must be what the server
    /// uses. `MessagePack`, of the feature `msgpack`, is what `socket.io-msgpack-parser` speaks.
    pub fn parser(mut self, parser: impl Into<SharedParser>) -> Self {
        self.target.config.parser = Some(parser.into());
        self
    }

    /// Time from the first request to the end of the handshake; `None` waits for ever. 20 s by
    /// default.
    pub fn timeout(mut self, timeout: Option<Duration>) -> Self {
        self.target.config.connect_timeout = timeout;
        self
    }

    /// Whether to connect again when the connection was lost or could not be made. Yes by default.
    pub fn reconnection(mut self, reconnection: bool) -> Self {
        self.target.config.reconnection = reconnection;
        self
    }

    /// How often, before it is given up. Without end by default.
    pub fn reconnection_attempts(mut self, attempts: u32) -> Self {
        self.target.config.reconnection_attempts = Some(attempts);
        self
    }

    /// The delay before the first attempt, which doubles with each, and what it grows to. 1 s and
    /// 5 s by default.
    pub fn reconnection_delay(mut self, delay: Duration, max: Duration) -> Self {
        self.target.config.reconnection_delay = delay;
        self.target.config.reconnection_delay_max = max;
        self
    }

    /// By how many percent of it a delay may be shorter or longer. 50 by default.
    pub fn randomization_percent(mut self, percent: u8) -> Self {
        self.target.config.randomization_percent = percent;
        self
    }

    /// Time that a closing connection may take to send what is queued and to say goodbye. 10 s by
    /// default.
    pub fn close_timeout(mut self, timeout: Duration) -> Self {
        self.target.config.close_timeout = timeout;
        self
    }

    /// What the server, and the application, may make the client hold.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.target.config.limits = limits;
        self
    }

    /// How connections are made, in place of the runtime's TCP and TLS: through a proxy, to a Unix
    /// socket, or in memory.
    pub fn connector(mut self, connector: impl Connect) -> Self {
        self.target.connector = Arc::new(connector);
        self
    }

    /// What spreads the delays of reconnections, for tests that are to run the same way twice. Random by
    /// default: clients of one seed would all come back at once.
    pub fn seed(mut self, seed: [u8; 32]) -> Self {
        self.target.seed = Some(seed);
        self
    }

    /// Is told what happens to the connection, in the order in which it happens. It must not wait.
    pub fn on_lifecycle(mut self, hook: impl Fn(&Lifecycle) + Send + Sync + 'static) -> Self {
        self.target.on_lifecycle = Some(Box::new(hook));
        self
    }

    /// Is told of handlers that could not be called, or failed. They are logged by default.
    pub fn on_error(mut self, hook: impl Fn(&HandlerError) + Send + Sync + 'static) -> Self {
        self.target.error_hook = Box::new(hook);
        self
    }
}

impl<R> Builder<NewConnection<R>> {
    pub(super) fn to(url: String, runtime: Arc<dyn Runtime>, connector: Arc<dyn Connect>) -> Self {
        Self::new(NewConnection {
            url,
            namespace: None,
            config: Config::default(),
            headers: HeaderMap::new(),
            runtime,
            connector,
            seed: None,
            deflate: None,
            on_lifecycle: None,
            error_hook: Box::new(log),
            name: PhantomData,
        })
    }
}

impl<R> Builder<SameConnection<R>> {
    pub(super) fn of(shared: Arc<Shared>, namespace: String) -> Self {
        Self::new(SameConnection { shared, namespace, runtime: PhantomData })
    }
}

/// Where a namespace is to be connected.
///
/// Implemented by [`NewConnection`] and [`SameConnection`], and by nothing else.
pub trait Target: sealed::Sealed {
    /// The runtime.
    type Runtime;
}

mod sealed {
    use super::{ConnectError, Handle, NamespaceSettings, Socket, SocketConfig};

    pub trait Sealed {
        #[doc(hidden)]
        fn join(self, namespace: Joining) -> Result<Joined, ConnectError>;
    }

    #[doc(hidden)]
    pub struct Joining {
        pub(super) config: SocketConfig,
        pub(super) settings: NamespaceSettings,
    }

    #[doc(hidden)]
    pub struct Joined {
        pub(super) socket: Socket,
        pub(super) handle: Handle,
    }
}

use sealed::{Joined, Joining};

impl<R> Target for NewConnection<R> {
    type Runtime = R;
}

impl<R> sealed::Sealed for NewConnection<R> {
    fn join(self, namespace: Joining) -> Result<Joined, ConnectError> {
        let Self { url, namespace: name, mut config, headers, runtime, connector, .. } = self;
        let Self { seed, deflate, on_lifecycle, error_hook, .. } = self;
        let address = Address::parse(&url)?;
        config.query = match (address.query.as_str(), config.query.as_str()) {
            (query, "") | ("", query) => query.to_owned(),
            (first, second) => format!("{first}&{second}"),
        };
        let seed = match seed {
            Some(seed) => seed,
            None => draw_seed()?,
        };
        let response_bytes_max = config.limits.response_bytes;
        let endpoint = address.endpoint;
        let http =
            Http::new(endpoint, headers, connector, runtime.clone(), response_bytes_max, deflate)
                .map_err(|_| ConnectError::Header)?;
        let manager = Manager::new(config, seed);
        let shared = Arc::new(Shared::new(manager, runtime.clone(), error_hook));
        let joined = join(&shared, &name.unwrap_or(address.namespace), namespace)?;
        runtime.spawn(Box::pin(Task::new(&shared, http, on_lifecycle)));
        Ok(joined)
    }
}

impl<R> Target for SameConnection<R> {
    type Runtime = R;
}

impl<R> sealed::Sealed for SameConnection<R> {
    fn join(self, namespace: Joining) -> Result<Joined, ConnectError> {
        let Self { shared, namespace: name, .. } = self;
        join(&shared, &slashed(name), namespace)
    }
}

fn draw_seed() -> Result<[u8; 32], ConnectError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)
        .map_err(|error| ConnectError::Randomness(Arc::new(io::Error::other(error))))?;
    Ok(seed)
}

fn slashed(name: String) -> String {
    if name.starts_with('/') { name } else { format!("/{name}") }
}

fn join(shared: &Arc<Shared>, name: &str, joining: Joining) -> Result<Joined, ConnectError> {
    let Joining { config, settings } = joining;
    let (handle, namespace) = shared.join(name, config, settings)?;
    Ok(Joined { socket: Socket::new(shared, &namespace), handle })
}

/// Connecting.
impl<T: Target> Builder<T> {
    /// Begins to connect, and does not wait. What is emitted meanwhile waits for the connection.
    ///
    /// # Errors
    ///
    /// If a setting is none: the URL, a header, the namespace, or `auth`.
    pub fn start(self) -> Result<Client<T::Runtime>, ConnectError> {
        let Self { target, config, settings, invalid } = self;
        match invalid {
            Some(error) => Err(error),
            None => {
                let Joined { socket, handle } = target.join(Joining { config, settings })?;
                Ok(Client::new(socket, handle))
            }
        }
    }

    /// Connects, and waits for that.
    ///
    /// # Errors
    ///
    /// The first thing that goes wrong; the client is closed then. To go on trying,
    /// [`start`](Self::start) instead.
    pub async fn connect(self) -> Result<Client<T::Runtime>, ConnectError> {
        let client = self.start()?;
        client.ready().await?;
        Ok(client)
    }

    /// As [`connect`](Self::connect), for an application that pulls its events.
    ///
    /// They come beside what handlers are called with. An event without a handler is to be answered
    /// by its [`Reply`](crate::Reply) where the server asked for that.
    ///
    /// # Errors
    ///
    /// As for [`connect`](Self::connect).
    pub async fn connect_with_events(self) -> Result<(Client<T::Runtime>, Events), ConnectError> {
        let (client, events) = self.start_with_events()?;
        client.ready().await?;
        Ok((client, events))
    }

    /// As [`start`](Self::start), for an application that pulls its events.
    ///
    /// # Errors
    ///
    /// As for [`start`](Self::start).
    pub fn start_with_events(mut self) -> Result<(Client<T::Runtime>, Events), ConnectError> {
        let (sender, events) = Events::channel();
        self.settings.events = Some(sender);
        Ok((self.start()?, events))
    }
}

impl<T> fmt::Debug for Builder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("config", &self.config).finish_non_exhaustive()
    }
}
