//! Who is called when something happens, in a namespace or at one socket.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::error::Error;
use std::future::Future;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, RwLock};

use foldhash::fast::RandomState;
use sansocket_core::{Args, DisconnectReason, Message};

use super::Work;
use super::error::ConnectError;
use super::handler::{ErasedHandler, run};
use super::reply::{IntoReply, Reply};
use super::socket::Socket;
use super::sync::{List, read, write};

pub(super) type OnMiddleware = dyn Fn(Socket) -> Verdict + Send + Sync;
pub(crate) type OnConnect<S> = dyn Fn(S) -> Work + Send + Sync;
pub(crate) type OnDisconnect<S> = dyn Fn(S, <S as Subject>::End) -> Work + Send + Sync;
pub(crate) type OnAny<S> = dyn Fn(S, String, Args) -> Work + Send + Sync;
pub(super) type OnEvent<S> = dyn Fn(S, String, Args) -> EventVerdict + Send + Sync;
pub(crate) type OnAnyOutgoing<S> = dyn Fn(&S, &str, &Message) + Send + Sync;

/// What a middleware decides.
pub(super) type Verdict = std::pin::Pin<Box<dyn Future<Output = Result<(), ConnectError>> + Send>>;

/// What a middleware of events decides.
pub(super) type EventVerdict =
    std::pin::Pin<Box<dyn Future<Output = Result<(), Box<dyn Error + Send + Sync>>> + Send>>;

/// How a socket ended.
///
/// A handler of disconnections gets one, or only the [`DisconnectReason`] of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Disconnect {
    /// Why.
    pub reason: DisconnectReason,
    /// The rooms that the socket was in until then, its own not among them.
    pub rooms: Vec<Arc<str>>,
}

impl From<Disconnect> for DisconnectReason {
    fn from(disconnect: Disconnect) -> Self {
        disconnect.reason
    }
}

/// What handlers are called with.
pub(crate) trait Subject: Clone + Send + Sync + 'static {
    /// How it ends.
    type End;

    /// Takes what a handler returns that nobody asked.
    fn unasked(&self) -> Reply;
}

impl Subject for Socket {
    type End = Disconnect;

    fn unasked(&self) -> Reply {
        Reply::new(self.shared().clone(), None)
    }
}

/// Handlers of events, by name: one for each.
pub(crate) struct Named<S>(RwLock<HashMap<EventName, Listener<S>, RandomState>>);

impl<S> Default for Named<S> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

/// What a server's namespaces and sockets and a client's namespaces have in common.
pub(crate) struct Listeners<S: Subject> {
    events: Named<S>,
    pub(crate) any: List<OnAny<S>>,
    /// Middlewares of events. Of a server only.
    pub(super) middleware: List<OnEvent<S>>,
    pub(crate) disconnect: List<OnDisconnect<S>>,
    /// Called with every event that is sent.
    pub(crate) outgoing: List<OnAnyOutgoing<S>>,
}

struct Listener<S> {
    handler: Arc<dyn ErasedHandler<S>>,
    once: bool,
}

impl<S> Clone for Listener<S> {
    fn clone(&self) -> Self {
        Self { handler: self.handler.clone(), once: self.once }
    }
}

impl<S: Subject> Default for Listeners<S> {
    fn default() -> Self {
        Self {
            events: Named::default(),
            any: List::default(),
            middleware: List::default(),
            disconnect: List::default(),
            outgoing: List::default(),
        }
    }
}

/// The name of an event. It is looked up by its bytes, without a check that they are UTF-8.
#[derive(Clone, PartialEq, Eq)]
struct EventName(Arc<str>);

impl Borrow<[u8]> for EventName {
    fn borrow(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl Hash for EventName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.as_bytes().hash(state);
    }
}

/// A handler, and the name that it was registered by.
pub(crate) type Found<S> = (Arc<str>, Arc<dyn ErasedHandler<S>>);

impl<S> Named<S> {
    pub(crate) fn on(&self, event: &str, handler: Arc<dyn ErasedHandler<S>>, once: bool) {
        let replaced = write(&self.0).insert(EventName(event.into()), Listener { handler, once });
        // The application's destructors run without the lock.
        drop(replaced);
    }

    pub(crate) fn off(&self, event: &str) -> bool {
        let removed = write(&self.0).remove(event.as_bytes());
        removed.is_some()
    }

    /// The handler of an event, without a string being made for the look-up. One that is for once
    /// is found once.
    pub(crate) fn find(&self, event: &[u8]) -> Option<Found<S>> {
        let events = read(&self.0);
        let (name, listener) = events.get_key_value(event)?;
        if !listener.once {
            return Some((name.0.clone(), listener.handler.clone()));
        }
        drop(events);
        let mut events = write(&self.0);
        // It may have been replaced meanwhile by one that stays.
        let (name, listener) = events.get_key_value(event)?;
        let found = (name.0.clone(), listener.handler.clone());
        if listener.once {
            events.remove(event);
        }
        Some(found)
    }

    fn copy(&self) -> Self {
        Self(RwLock::new(read(&self.0).clone()))
    }

    fn clear(&self) {
        let events = std::mem::take(&mut *write(&self.0));
        drop(events);
    }
}

impl<S: Subject> Listeners<S> {
    pub(crate) fn on(&self, event: &str, handler: Arc<dyn ErasedHandler<S>>, once: bool) {
        self.events.on(event, handler, once);
    }

    pub(crate) fn off(&self, event: &str) -> bool {
        self.events.off(event)
    }

    /// See [`Named::find`].
    pub(crate) fn find(&self, event: &[u8]) -> Option<Found<S>> {
        self.events.find(event)
    }

    pub(crate) fn on_any<F, Fut>(&self, handler: F)
    where
        F: Fn(S, String, Args) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: IntoReply> + Send + 'static,
    {
        self.any.push(catch_all(handler));
    }

    pub(crate) fn prepend_any<F, Fut>(&self, handler: F)
    where
        F: Fn(S, String, Args) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: IntoReply> + Send + 'static,
    {
        self.any.push_front(catch_all(handler));
    }

    pub(super) fn use_event<F, Fut, E>(&self, middleware: F)
    where
        F: Fn(S, String, Args) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.middleware.push(Arc::new(move |socket, event, args| {
            let verdict = middleware(socket, event, args);
            Box::pin(async move { verdict.await.map_err(Into::into) })
        }));
    }

    pub(crate) fn on_disconnect<F, Fut, D>(&self, handler: F)
    where
        F: Fn(S, D) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: IntoReply> + Send + 'static,
        D: From<S::End>,
    {
        let event: Arc<str> = "disconnect".into();
        self.disconnect.push(Arc::new(move |socket: S, end: S::End| {
            let reply = socket.unasked();
            run(handler(socket, end.into()), reply, event.clone())
        }));
    }

    /// The same handlers, to which others may be added.
    pub(crate) fn copy(&self) -> Self {
        Self {
            events: self.events.copy(),
            any: self.any.copy(),
            middleware: self.middleware.copy(),
            disconnect: self.disconnect.copy(),
            outgoing: self.outgoing.copy(),
        }
    }

    /// Forgets all handlers.
    pub(crate) fn clear(&self) {
        self.events.clear();
        self.any.clear();
        self.middleware.clear();
        self.disconnect.clear();
        self.outgoing.clear();
    }
}

fn catch_all<S, F, Fut>(handler: F) -> Arc<OnAny<S>>
where
    S: Subject,
    F: Fn(S, String, Args) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: IntoReply> + Send + 'static,
{
    Arc::new(move |socket: S, event: String, args| {
        let name = event.as_str().into();
        let reply = socket.unasked();
        run(handler(socket, event, args), reply, name)
    })
}

pub(crate) fn on_connect<S, F, Fut>(handler: F) -> Arc<OnConnect<S>>
where
    S: Subject,
    F: Fn(S) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: IntoReply> + Send + 'static,
{
    let event: Arc<str> = "connect".into();
    Arc::new(move |socket: S| {
        let reply = socket.unasked();
        run(handler(socket), reply, event.clone())
    })
}

pub(super) fn middleware<F, Fut, E>(middleware: F) -> Arc<OnMiddleware>
where
    F: Fn(Socket) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), E>> + Send + 'static,
    E: Into<ConnectError>,
{
    Arc::new(move |socket| {
        let verdict = middleware(socket);
        Box::pin(async move { verdict.await.map_err(Into::into) })
    })
}
