//! What all tasks of one server share.

use std::sync::Arc;

use sansocket_core::{Config, Timestamp};

use crate::app::App;
use crate::runtime::Runtime;
use crate::settings::Settings;
use crate::shards::Shards;

/// One server.
pub(crate) struct Inner {
    pub(crate) shards: Shards,
    pub(crate) runtime: Arc<dyn Runtime>,
    /// Namespaces, handlers, hooks, acknowledgements that somebody waits for.
    pub(crate) app: App,
    /// What every shard was told, but for its index.
    pub(crate) config: Config,
    /// How HTTP requests are served.
    pub(crate) settings: Settings,
}

impl Inner {
    pub(crate) fn now(&self) -> Timestamp {
        self.runtime.now()
    }
}
