//! What is registered for a namespace before it is connected.

use std::sync::Arc;

use futures_channel::mpsc;
use sansocket_core::client::{Auth, AuthSource};

use super::events::Event;
use super::namespace::{AskAuth, NamespaceShared};

/// What is to be registered for a namespace.
#[derive(Default)]
pub(super) struct NamespaceSettings {
    registrations: Vec<Registration>,
    pub(super) auth: Option<SetAuth>,
    pub(super) events: Option<mpsc::Sender<Event>>,
}

/// What the server is to be told.
pub(super) enum SetAuth {
    Value(Auth),
    Ask(Arc<AskAuth>),
}

type Registration = Box<dyn FnOnce(&NamespaceShared) + Send>;

impl NamespaceSettings {
    /// What the core is to be told of `auth`, if anything was said of it.
    pub(super) fn auth_source(&self) -> Option<AuthSource> {
        self.auth.as_ref().map(|auth| match auth {
            SetAuth::Value(auth) => AuthSource::Value(auth.clone()),
            SetAuth::Ask(_) => AuthSource::Ask,
        })
    }

    /// Adds to what is registered. Where nothing was said of `auth`, or of events to be pulled, it
    /// stays as it is.
    pub(super) fn register(self, namespace: &NamespaceShared) {
        match self.auth {
            None => {}
            Some(SetAuth::Value(_)) => namespace.set_auth(None),
            Some(SetAuth::Ask(ask)) => namespace.set_auth(Some(ask)),
        }
        if self.events.is_some() {
            namespace.set_events(self.events);
        }
        for register in self.registrations {
            register(namespace);
        }
    }

    pub(super) fn push(&mut self, register: impl FnOnce(&NamespaceShared) + Send + 'static) {
        self.registrations.push(Box::new(register));
    }
}
