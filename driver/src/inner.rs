//! What all tasks of one server share.

use std::sync::Arc;

use sansocket_core::Timestamp;

use crate::app::App;
use crate::runtime::Runtime;
use crate::shards::Shards;

/// One server.
pub(crate) struct Inner {
    pub(crate) shards: Shards,
    pub(crate) runtime: Arc<dyn Runtime>,
    /// Namespaces, handlers, hooks, acknowledgements that somebody waits for.
    pub(crate) app: App,
    /// How HTTP requests are served.
    pub(crate) settings: crate::settings::Settings,
}

impl Inner {
    pub(crate) fn now(&self) -> Timestamp {
        self.runtime.now()
    }
}
