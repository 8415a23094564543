//! Virtual time.

use crate::model::Micros;

use super::driver::timestamp;
use super::{Checked, World, ensure};

impl World<'_, '_> {
    /// Lets time pass. The driver does what is due when it is due, or, where it is late, all of it
    /// at the end.
    pub(super) fn wait(&mut self, micros: Micros, late: bool) -> Checked {
        let target = self.now + micros;
        while !late && let Some(due) = self.next_deadline().filter(|due| *due <= target) {
            self.now = self.now.max(due);
            self.handle_timeouts()?;
        }
        self.now = target;
        if late {
            self.trace.line(|| format!("the driver is late: it is {target}"));
            // Sometimes input comes first.
            if self.choices.chance(128) {
                return Ok(());
            }
        }
        self.handle_timeouts()
    }

    /// The first deadline of all shards.
    pub(super) fn next_deadline(&self) -> Option<Micros> {
        let due = self.servers.iter().filter_map(sansocket_core::Server::poll_timeout);
        due.min().map(sansocket_core::Timestamp::as_micros)
    }

    /// Does what is due.
    pub(super) fn handle_timeouts(&mut self) -> Checked {
        let now = timestamp(self.now);
        for at in 0..self.order.len() {
            let shard = self.order[at];
            let server = &mut self.servers[shard];
            if server.poll_timeout().is_none_or(|due| due > now) {
                continue;
            }
            self.trace.line(|| format!("shard {shard} does what is due at {now}"));
            server.handle_timeout(now);
            let next = server.poll_timeout();
            ensure!(next.is_none_or(|next| next > now), "timeout", "{next:?} is not after {now}");
            self.model.handle_timeout(shard as u8, self.now);
        }
        self.collect_named();
        Ok(())
    }
}
