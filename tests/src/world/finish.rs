//! The end of an episode: rest, farewell, and the search for what was left behind.

use sansocket_core::Stats;

use crate::model::Totals;

use super::client::{Mode, Space};
use super::{Checked, World, ensure};

/// Rounds after which a world that has not come to rest never will.
const ROUNDS_MAX: usize = 2_000;

impl World<'_, '_> {
    pub(super) fn finish(&mut self) -> Checked {
        self.trace.line(|| "the end begins".to_owned());
        while let Some(waiting) = self.waiting.pop() {
            self.deliver_broadcast(waiting)?;
            self.check()?;
        }
        self.come_to_rest()?;
        self.check_rest()?;
        self.part()?;
        self.check_nothing_is_left()
    }

    /// Everybody says, reads and answers what there is, until there is no more.
    pub(super) fn come_to_rest(&mut self) -> Checked {
        self.handle_timeouts()?;
        for client in &mut self.clients {
            client.is_deaf = false;
        }
        for _ in 0..ROUNDS_MAX {
            let mut progress = false;
            for client in 0..self.clients.len() {
                // A client that breaks the rules may ask for nothing for ever.
                progress |= self.exchange(client)? && self.clients[client].honest;
                self.check()?;
            }
            for at in (0..self.live.len()).rev() {
                if let Some(session) = self.live.get(at).copied() {
                    self.serve(session, 64)?;
                    self.check()?;
                }
            }
            if !progress {
                return Ok(());
            }
        }
        ensure!(false, "rest", "the world does not come to rest");
        Ok(())
    }

    /// Whoever is still connected has everything that was meant for it.
    fn check_rest(&self) -> Checked {
        for (index, client) in self.clients.iter().enumerate() {
            let Some(session) = client.session.filter(|_| client.honest) else { continue };
            let session = &self.sessions[session];
            if self.model.is_over(session.connection) {
                continue;
            }
            let transport = &client.mode;
            ensure!(
                self.model.is_drained(session.connection) && client.next == session.sent,
                "delivery",
                "client {index} lacks messages {}..{} on {transport:?}",
                client.next,
                session.sent
            );
            let is_joined = client.spaces.contains(&Space::In);
            ensure!(
                client.queue.is_empty() && (!is_joined || client.tag == session.next_tag),
                "delivery",
                "the application lacks events {}..{} of client {index}",
                session.next_tag,
                client.tag
            );
            let is_upgrading = matches!(client.mode, Mode::Probing { is_answered: true, .. });
            ensure!(!is_upgrading, "upgrade", "client {index} cannot finish its upgrade");
        }
        Ok(())
    }

    /// Everybody goes, in one of the ways there are.
    fn part(&mut self) -> Checked {
        let way = self.choices.index(4);
        self.trace.line(|| format!("everybody goes, in way {way}"));
        for client in 0..self.clients.len() {
            match way {
                0 => self.leave(client, false),
                1 => self.leave(client, true),
                _ => {}
            }
            self.check()?;
        }
        if way == 2 {
            self.shut_down()?;
            self.check()?;
        }
        // Clients that are silent from now on end by their heartbeats.
        for _ in 0..ROUNDS_MAX {
            for at in (0..self.live.len()).rev() {
                let Some(session) = self.live.get(at).copied() else { continue };
                self.drain_blindly(session)?;
                self.check()?;
            }
            let Some(due) = self.next_deadline() else { break };
            self.now = self.now.max(due);
            self.handle_timeouts()?;
            self.check()?;
        }
        // What no heartbeat ends is a request that the driver gives up.
        for session in self.live.clone() {
            self.post_is_aborted(session);
            for link in 0..self.sessions[session].links.len() {
                ensure!(
                    self.sessions[session].links[link].is_reported,
                    "rest",
                    "session {session} outlives its heartbeat"
                );
            }
            self.drain_blindly(session)?;
            self.check()?;
        }
        Ok(())
    }

    /// The driver takes all there is, though nobody reads it.
    fn drain_blindly(&mut self, session: usize) -> Checked {
        for link in &mut self.sessions[session].links {
            link.is_left = true;
            link.down.clear();
            link.sent.clear();
        }
        self.serve(session, usize::MAX)
    }

    fn check_nothing_is_left(&mut self) -> Checked {
        for shard in 0..self.servers.len() {
            let stats = self.servers[shard].stats();
            ensure!(stats == Stats::default(), "leak", "shard {shard} still has {stats:?}");
            let due = self.servers[shard].poll_timeout();
            ensure!(due.is_none(), "leak", "shard {shard} still waits until {due:?}");
            let totals = self.model.totals(shard as u8);
            ensure!(totals == Totals::default(), "leak", "the model still has {totals:?}");
            for key in &self.namespaces {
                let count = self.servers[shard].namespace_len(*key);
                ensure!(count == 0, "leak", "{count} sockets are left in a namespace");
            }
            let dirty = self.servers[shard].poll_dirty();
            ensure!(dirty.is_none(), "leak", "{dirty:?} is named at the end");
        }
        ensure!(self.live.is_empty(), "leak", "sessions {:?} are not over", self.live);
        let forgotten = self
            .records
            .iter()
            .find(|record| !record.has_ended && self.model.is_connected(record.socket));
        ensure!(forgotten.is_none(), "leak", "a socket is still connected");
        Ok(())
    }
}
