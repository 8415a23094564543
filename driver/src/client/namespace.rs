//! What an application has registered for one namespace.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use futures_channel::mpsc;
use sansocket_core::client::{Auth, AuthError};

use crate::app::{List, Listeners, OnConnect, Work, lock};

use super::error::ConnectError;
use super::events::Event;
use super::shared::Place;
use super::socket::Socket;

pub(super) type OnConnectError = dyn Fn(Socket, ConnectError) -> Work + Send + Sync;

/// Says what the server is to be told.
pub(super) type AskAuth = dyn Fn() -> Asking + Send + Sync;
pub(super) type Asking = Pin<Box<dyn Future<Output = Result<Auth, AuthError>> + Send>>;

/// One namespace of a connection. It keeps what was registered for as long as the namespace is wanted,
/// whether it is connected or not.
pub(super) struct NamespaceShared {
    pub(super) name: Arc<str>,
    pub(super) place: Place,
    pub(super) listeners: Listeners<Socket>,
    pub(super) connect: List<OnConnect<Socket>>,
    pub(super) connect_error: List<OnConnectError>,
    auth: Mutex<Option<Arc<AskAuth>>>,
    events: Mutex<Option<mpsc::Sender<Event>>>,
}

impl NamespaceShared {
    pub(super) fn new(name: Arc<str>, place: Place) -> Self {
        Self {
            name,
            place,
            listeners: Listeners::default(),
            connect: List::default(),
            connect_error: List::default(),
            auth: Mutex::default(),
            events: Mutex::default(),
        }
    }

    pub(super) fn auth(&self) -> Option<Arc<AskAuth>> {
        lock(&self.auth).clone()
    }

    pub(super) fn set_auth(&self, auth: Option<Arc<AskAuth>>) {
        let replaced = std::mem::replace(&mut *lock(&self.auth), auth);
        drop(replaced);
    }

    /// Where events go beside the handlers, if somebody pulls them.
    pub(super) fn events(&self) -> Option<mpsc::Sender<Event>> {
        lock(&self.events).clone()
    }

    pub(super) fn set_events(&self, events: Option<mpsc::Sender<Event>>) {
        let replaced = std::mem::replace(&mut *lock(&self.events), events);
        drop(replaced);
    }

    /// Forgets everything, and with it whatever handlers hold.
    pub(super) fn clear(&self) {
        self.listeners.clear();
        self.connect.clear();
        self.connect_error.clear();
        self.set_auth(None);
        self.set_events(None);
    }
}
