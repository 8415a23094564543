//! What all tasks of one server share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Waker;

use sansocket_core::{Config, Timestamp};

use crate::app::App;
use crate::runtime::Runtime;
use crate::settings::Settings;
use crate::shards::Shards;
use crate::signal::Signal;
use crate::timer::ShardTimer;

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
    /// Set when the server begins to shut down.
    pub(crate) shutdown: Signal,
    pub(crate) sessions: SessionCount,
    next_shard: AtomicUsize,
    timers_run: AtomicBool,
    /// Set when what is left is to be dropped.
    pub(crate) aborted: Signal,
}

/// The session tasks that there are.
#[derive(Default)]
pub(crate) struct SessionCount {
    count: AtomicUsize,
    /// Set when the last one has ended after the shutdown began.
    pub(crate) drained: Signal,
}

impl Inner {
    pub(crate) fn new(
        config: Config,
        shards: Shards,
        runtime: Arc<dyn Runtime>,
        app: App,
        settings: Settings,
    ) -> Self {
        Self {
            shards,
            runtime,
            app,
            settings,
            config,
            shutdown: Signal::default(),
            sessions: SessionCount::default(),
            next_shard: AtomicUsize::new(0),
            timers_run: AtomicBool::new(false),
            aborted: Signal::default(),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.runtime.now()
    }

    /// The shard of the next session: each in turn.
    pub(crate) fn next_shard(&self) -> usize {
        self.next_shard.fetch_add(1, Ordering::Relaxed) % self.shards.len()
    }

    /// Starts the shards' timers with the first session, because a server may be built outside of
    /// its runtime.
    pub(crate) fn ensure_timers(self: &Arc<Self>) {
        if !self.timers_run.swap(true, Ordering::Relaxed) {
            for shard in 0..self.shards.len() {
                self.runtime.spawn(Box::pin(ShardTimer::new(self, shard)));
            }
        }
    }

    /// Refuses what is new and ends what there is; resolves when every session has gone.
    pub(crate) async fn shut_down(&self) {
        self.shutdown.set();
        let now = self.now();
        for shard in self.shards.iter() {
            shard.with(|state| state.core.shut_down(now));
        }
        self.sessions.check_drained(self.shutdown.is_set());
        self.sessions.drained.wait().await;
    }

    /// Ends the session tasks that are left.
    pub(crate) fn abort(&self) {
        self.aborted.set();
        for shard in self.shards.iter() {
            let wakers: Vec<_> = shard.with(|state| {
                state.slots.values_mut().filter_map(|slot| slot.session.take()).collect()
            });
            wakers.into_iter().for_each(Waker::wake);
        }
    }

    pub(crate) fn session_ended(&self) {
        self.sessions.count.fetch_sub(1, Ordering::SeqCst);
        self.sessions.check_drained(self.shutdown.is_set());
    }
}

impl SessionCount {
    pub(crate) fn started(&self) {
        self.count.fetch_add(1, Ordering::SeqCst);
    }

    fn check_drained(&self, shutting_down: bool) {
        if shutting_down && self.count.load(Ordering::SeqCst) == 0 {
            self.drained.set();
        }
    }
}

/// Timers hold their server weakly; the last handle's end is theirs.
impl Drop for Inner {
    fn drop(&mut self) {
        for shard in self.shards.iter() {
            if let Some(timer) = shard.with(|state| state.timer.waker.take()) {
                timer.wake();
            }
        }
    }
}
