//! Deadlines.

use super::{Connection, Micros, Missed, Model, Outcome, Session};

impl Model {
    /// When the first of a shard's deadlines is.
    pub fn deadline(&self, shard: u8) -> Option<Micros> {
        let sessions = self.sessions.values().filter(|session| session.shard == shard);
        sessions.filter_map(|session| session.deadline(session.first_ack())).min()
    }

    /// Does what is due in a shard.
    pub fn handle_timeout(&mut self, shard: u8, now: Micros) {
        let now = self.advance_shard(shard, now);
        let due = |session: &Session| {
            session.shard == shard && session.deadline(session.acks_due).is_some_and(|at| at <= now)
        };
        while let Some(connection) =
            self.sessions.iter().find(|(_, session)| due(session)).map(|(key, _)| *key)
        {
            self.handle_connection_timeout(now, connection);
        }
    }

    fn handle_connection_timeout(&mut self, now: Micros, connection: Connection) {
        let Some(session) = self.sessions.get_mut(&connection) else { return };
        session.expire_acks(now);
        if session.was_held {
            session.was_held = session.is_full(&self.rules);
            session.engine.excuse(now, &self.rules, now);
            if let Some(partial) = &mut session.partial {
                partial.until = now + self.rules.attachments_timeout;
            }
        }
        session.engine.handle_timeout(now, &self.rules);
        self.settle(connection);
        let Some(session) = self.sessions.get(&connection) else { return };
        if session.partial.as_ref().is_some_and(|partial| partial.until <= now) {
            self.violation(now, connection);
        }
        let Some(session) = self.sessions.get(&connection) else { return };
        if session.connect_by.is_some_and(|at| at <= now) {
            self.force_close(now, connection, "forced server close");
        }
    }
}

impl Session {
    fn deadline(&self, acks: Option<Micros>) -> Option<Micros> {
        let partial = self.partial.as_ref().map(|partial| partial.until);
        [self.engine.deadline(), self.connect_by, acks, partial].into_iter().flatten().min()
    }

    pub(super) fn first_ack(&self) -> Option<Micros> {
        self.acks.values().map(|(_, deadline)| *deadline).min()
    }

    fn expire_acks(&mut self, now: Micros) {
        if self.acks_due.is_none_or(|at| at > now) {
            return;
        }
        let expired: Vec<u64> =
            self.acks.iter().filter(|(_, (_, at))| *at <= now).map(|(id, _)| *id).collect();
        for id in expired {
            if let Some((socket, _)) = self.acks.remove(&id) {
                self.outcomes.push_back(Outcome { id, socket, result: Err(Missed::Deadline) });
            }
        }
        self.acks_due = self.first_ack();
    }
}
