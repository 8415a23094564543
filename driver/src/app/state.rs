//! The application's own values at the server.

use std::any::{Any, TypeId};
use std::collections::HashMap;

/// Values of different types, one of each. They do not change once the server is built.
#[derive(Default)]
pub(super) struct State(HashMap<TypeId, Box<dyn Any + Send + Sync>>);

impl State {
    pub(super) fn insert<S: Any + Send + Sync>(&mut self, state: S) {
        self.0.insert(TypeId::of::<S>(), Box::new(state));
    }

    pub(super) fn get<S: Any + Send + Sync>(&self) -> Option<&S> {
        self.0.get(&TypeId::of::<S>())?.downcast_ref()
    }
}
