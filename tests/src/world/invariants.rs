//! What must hold after every step.

use std::collections::BTreeSet;

use sansocket_core::{SocketKey, Target, Timestamp};

use crate::model::{Room, Totals, Whom};

use super::application::Record;
use super::network::Session;
use super::wire::NAMESPACES;
use super::{Checked, World, ensure};

/// The timer heap may hold this many entries that no longer count.
const TIMERS_KEPT: usize = 256;

impl World<'_, '_> {
    pub(super) fn check(&mut self) -> Checked {
        self.collect_named();
        for shard in 0..self.servers.len() {
            self.check_shard(shard)?;
        }
        for at in 0..self.live.len() {
            self.check_session(self.live[at])?;
        }
        self.forget_finished();
        self.check_a_socket()
    }

    /// How much there is, and when something is due.
    fn check_shard(&self, shard: usize) -> Checked {
        let server = &self.servers[shard];
        let stats = server.stats();
        let totals = self.model.totals(shard as u8);
        let found = Totals {
            sessions: stats.sessions,
            connections: stats.connections,
            sockets: stats.sockets,
            rooms: stats.rooms,
            pending_acks: stats.pending_acks,
            outbox_bytes: stats.outbox_bytes,
        };
        ensure!(found == totals, "totals", "shard {shard}: {found:?} and not {totals:?}");
        ensure!(
            stats.timers <= 2 * stats.connections + TIMERS_KEPT + 1,
            "limit",
            "{} timers for {} connections",
            stats.timers,
            stats.connections
        );
        let due = server.poll_timeout().map(Timestamp::as_micros);
        if let Some(deadline) = self.model.deadline(shard as u8) {
            ensure!(
                due.is_some_and(|due| due <= deadline),
                "timeout",
                "shard {shard} is to be woken at {due:?}, but {deadline} is a deadline"
            );
        }
        Ok(())
    }

    /// Whether who must act knows of it, and may.
    fn check_session(&self, session: usize) -> Checked {
        let Session { shard, key, connection, is_named, is_get_named, get, .. } =
            &self.sessions[session];
        let server = &self.servers[*shard];
        ensure!(
            *is_named || !self.model.has_news(*connection),
            "wake-up",
            "nobody was told that session {connection} has news"
        );
        ensure!(
            *is_get_named || get.is_none() || !self.model.has_answer(*connection),
            "wake-up",
            "nobody was told that the GET of session {connection} has an answer"
        );
        let wants = server.wants(*key);
        let expected = (self.model.has_news(*connection), self.model.has_answer(*connection));
        ensure!(
            (wants.session, wants.poll) == expected,
            "wake-up",
            "session {connection}: {wants:?} and not {expected:?}"
        );
        let wants = (server.wants_input(*key), server.is_over(*key));
        let expected = (self.model.wants_input(*connection), self.model.is_over(*connection));
        ensure!(
            wants == expected,
            "state",
            "session {connection} wants input and is over: {wants:?} and not {expected:?}"
        );
        Ok(())
    }

    fn forget_finished(&mut self) {
        let (model, sessions) = (&self.model, &self.sessions);
        self.live.retain(|session| {
            let session = &sessions[*session];
            !model.is_over(session.connection)
                || model.has_news(session.connection)
                || session.get.is_some()
                || session.post.is_some()
                || session.links.iter().any(|link| !link.is_reported)
        });
    }

    /// One socket in full, another one after each step: in a room if and only if connected.
    fn check_a_socket(&mut self) -> Checked {
        if self.records.is_empty() {
            return Ok(());
        }
        let step = self.trace.steps();
        let record = self.records.len() - 1 - step % self.records.len().min(12);
        let Record { shard, key, socket, id, namespace, .. } = self.records[record];
        let server = &mut self.servers[shard];
        let found = server.find_socket(&id);
        let expected = self.model.rooms(socket);
        ensure!(
            found == expected.is_some().then_some(key),
            "state",
            "socket {socket} is found by its id: {found:?}"
        );
        let view = server.socket(key);
        let rooms = view.map(|view| {
            let names: BTreeSet<String> = view.rooms().map(ToString::to_string).collect();
            (names, view.is_in_own_room())
        });
        let names = |rooms: &BTreeSet<u8>| rooms.iter().map(|room| format!("r{room}")).collect();
        let expected = expected.map(|(rooms, own)| (names(rooms), own));
        ensure!(rooms == expected, "room", "socket {socket}: {rooms:?} and not {expected:?}");
        if step.is_multiple_of(4) {
            return self.check_a_room(shard, namespace, (step / 4) as u8 % 4);
        }
        Ok(())
    }

    fn check_a_room(&mut self, shard: usize, namespace: u8, room: u8) -> Checked {
        let key = self.namespaces[usize::from(namespace)];
        let server = &mut self.servers[shard];
        let keys = server.matching(key, &Target::room(&format!("r{room}")));
        let members: BTreeSet<SocketKey> = keys.iter().copied().collect();
        let whom = Whom { rooms: vec![Room::Named(room)], ..Whom::default() };
        let expected = self.model.recipients(shard as u8, namespace, &whom);
        let of_key = |key: &SocketKey| {
            let record = self.by_key.get(&(shard, *key)).map(|record| &self.records[*record]);
            record.is_some_and(|record| expected.contains(&record.socket))
        };
        ensure!(
            members.len() == expected.len()
                && keys.len() == members.len()
                && members.iter().all(of_key),
            "room",
            "members of r{room}: {keys:?} and not {expected:?}"
        );
        let everybody = self.model.recipients(shard as u8, namespace, &Whom::default()).len();
        let count = self.servers[shard].namespace_len(key);
        let name = NAMESPACES[usize::from(namespace)];
        ensure!(count == everybody, "state", "{count} and not {everybody} sockets in {name}");
        Ok(())
    }
}
