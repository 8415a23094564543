//! What all tasks of one server share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Waker;

use sansocket_core::codec::parser::encode_for;
use sansocket_core::{Config, EncodeError, Encoder, Message, Sid, Timestamp};

use crate::app::{App, with_encoder};
use crate::key_map::fnv1a;
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
    #[cfg(feature = "metrics")]
    pub(crate) reported: crate::metrics::Reported,
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
            #[cfg(feature = "metrics")]
            reported: crate::metrics::Reported::default(),
            next_shard: AtomicUsize::new(0),
            timers_run: AtomicBool::new(false),
            aborted: Signal::default(),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.runtime.now()
    }

    /// Encodes a message for the clients of this server, whose parser has the last word. Not to be
    /// called with a shard locked.
    #[inline]
    pub(crate) fn encode(
        &self,
        encode: impl FnOnce(&mut Encoder) -> Result<Message, EncodeError>,
    ) -> Result<Message, EncodeError> {
        encode_for(self.config.parser.as_ref(), with_encoder(encode)?)
    }

    /// As [`encode`](Self::encode), for what is made of nothing that the application has given.
    /// `None` where the parser has no form for it.
    pub(crate) fn encode_control(&self, message: Message) -> Option<Message> {
        let encoded = encode_for(self.config.parser.as_ref(), message);
        encoded.inspect_err(|error| tracing::error!(%error, "the parser refuses a packet")).ok()
    }

    /// The shard of a new session: each in turn, unless it comes with an id.
    pub(crate) fn shard_for(&self, sid: Option<&Sid>) -> usize {
        match sid {
            Some(sid) => self.shard_of(sid),
            None => self.next_shard.fetch_add(1, Ordering::Relaxed) % self.shards.len(),
        }
    }

    /// The shard of a session. An id that the application has made says nothing about that, and may
    /// begin as all others do, so all of it counts.
    pub(crate) fn shard_of(&self, sid: &Sid) -> usize {
        if self.settings.generate_id.is_none() {
            return sid.shard();
        }
        (fnv1a(sid.as_str().as_bytes()) % self.shards.len() as u64) as usize
    }

    /// Starts the shards' timers, and reports, with the first session, because a server may be built
    /// outside of its runtime.
    pub(crate) fn ensure_timers(self: &Arc<Self>) {
        if !self.timers_run.swap(true, Ordering::Relaxed) {
            for shard in 0..self.shards.len() {
                self.runtime.spawn(Box::pin(ShardTimer::new(self, shard)));
            }
            #[cfg(feature = "metrics")]
            if let Some(interval) = self.settings.metrics_interval {
                self.runtime.spawn(Box::pin(crate::metrics::Reporter::new(self, interval)));
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
