//! What one socket has of handlers of its own.

use std::error::Error;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use sansocket_core::{Args, Message};

use super::super::handler::{Handler, erase};
use super::super::listeners::{Disconnect, Listeners, OnAnyOutgoing};
use super::super::namespace::NamespaceShared;
use super::super::reply::IntoReply;
use super::Socket;

/// Receiving. What is registered here concerns this socket alone, and is forgotten when it is
/// disconnected. What concerns every socket is better registered at its
/// [`Namespace`](crate::Namespace).
impl Socket {
    /// Handles an event, before the namespace's handler of the same event, if there is one: both
    /// are called, and only this one acknowledges. It replaces the socket's last handler of that
    /// event.
    pub fn on<Form: 'static>(&self, event: &str, handler: impl Handler<Form>) -> Self {
        self.own().on(event, erase(handler), false);
        self.clone()
    }

    /// As [`on`](Self::on), for the next event of that name only.
    pub fn once<Form: 'static>(&self, event: &str, handler: impl Handler<Form>) -> Self {
        self.own().on(event, erase(handler), true);
        self.clone()
    }

    /// Removes the socket's handler of an event. `false` if there is none.
    pub fn off(&self, event: &str) -> bool {
        self.shared.own().is_some_and(|own| own.off(event))
    }

    /// Gets every event, before its handlers, with its undecoded arguments.
    pub fn on_any<F, Fut>(&self, handler: F) -> Self
    where
        F: Fn(Self, String, Args) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: IntoReply> + Send + 'static,
    {
        self.own().on_any(handler);
        self.clone()
    }

    /// As [`on_any`](Self::on_any), before those that the socket has already.
    pub fn prepend_any<F, Fut>(&self, handler: F) -> Self
    where
        F: Fn(Self, String, Args) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: IntoReply> + Send + 'static,
    {
        self.own().prepend_any(handler);
        self.clone()
    }

    /// Removes all that [`on_any`](Self::on_any) and [`prepend_any`](Self::prepend_any) have
    /// registered at this socket.
    pub fn off_any(&self) -> Self {
        self.shared.own().into_iter().for_each(|own| own.any.clear());
        self.clone()
    }

    /// Gets every event that is sent to this socket, also by broadcasts, after those of the
    /// namespace: see [`Namespace::on_any_outgoing`](crate::Namespace::on_any_outgoing). While a
    /// socket of a namespace has one of these, all broadcasts there cost much more than otherwise.
    pub fn on_any_outgoing<F>(&self, function: F) -> Self
    where
        F: Fn(&Self, &str, &Message) + Send + Sync + 'static,
    {
        self.own().outgoing.push(self.observer(function));
        self.clone()
    }

    /// As [`on_any_outgoing`](Self::on_any_outgoing), before those that the socket has already.
    pub fn prepend_any_outgoing<F>(&self, function: F) -> Self
    where
        F: Fn(&Self, &str, &Message) + Send + Sync + 'static,
    {
        self.own().outgoing.push_front(self.observer(function));
        self.clone()
    }

    /// Removes all that [`on_any_outgoing`](Self::on_any_outgoing) and
    /// [`prepend_any_outgoing`](Self::prepend_any_outgoing) have registered at this socket.
    pub fn off_any_outgoing(&self) -> Self {
        self.shared.own().into_iter().for_each(|own| own.outgoing.clear());
        self.clone()
    }

    /// Runs when the socket is disconnected, before the namespace's handlers of that. See
    /// [`Namespace::on_disconnect`](crate::Namespace::on_disconnect).
    pub fn on_disconnect<F, Fut, D>(&self, handler: F) -> Self
    where
        F: Fn(Self, D) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: IntoReply> + Send + 'static,
        D: From<Disconnect> + 'static,
    {
        self.own().on_disconnect(handler);
        self.clone()
    }

    /// Decides about every event of this socket, after the middlewares of its namespace. See
    /// [`Namespace::use_event`](crate::Namespace::use_event).
    pub fn use_event<F, Fut, E>(&self, middleware: F) -> Self
    where
        F: Fn(Self, String, Args) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + 'static,
    {
        self.own().use_event(middleware);
        self.clone()
    }

    fn own(&self) -> &Listeners<Self> {
        self.shared.own.get_or_init(Box::default)
    }

    /// A function that its namespace knows of for as long as it is there.
    fn observer<F>(&self, function: F) -> Arc<OnAnyOutgoing<Self>>
    where
        F: Fn(&Self, &str, &Message) + Send + Sync + 'static,
    {
        let counted = Counted::new(&self.shared.namespace);
        Arc::new(move |socket: &Self, event: &str, message: &Message| {
            let _ = &counted;
            function(socket, event, message);
        })
    }
}

/// Counts a function that is told what is sent to a socket.
struct Counted(Arc<NamespaceShared>);

impl Counted {
    fn new(namespace: &Arc<NamespaceShared>) -> Self {
        namespace.observers.fetch_add(1, Ordering::Relaxed);
        Self(namespace.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.observers.fetch_sub(1, Ordering::Relaxed);
    }
}
