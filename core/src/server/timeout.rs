//! Time: one heap for all deadlines of all connections.

use core::cmp::Reverse;

use crate::{ConnectionKey, DisconnectReason, PacketError, Timestamp};

use super::Server;
use super::event::{AckFailure, AckOutcome};

impl Server {
    /// Does what is due. See [`poll_timeout`](Self::poll_timeout).
    pub fn handle_timeout(&mut self, now: Timestamp) {
        let now = self.advance(now);
        while let Some(Reverse((due, key))) = self.timers.peek().copied() {
            if due > now {
                break;
            }
            self.timers.pop();
            let Some(connection) = self.connections.get_mut(key) else { continue };
            if connection.armed != Some(due) {
                continue;
            }
            connection.armed = None;
            if connection.deadline().is_some_and(|deadline| deadline <= now) {
                self.handle_connection_timeout(now, key);
            }
            self.arm(key);
        }
    }

    fn handle_connection_timeout(&mut self, now: Timestamp, key: ConnectionKey) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        for (id, socket) in connection.acks.expire(now) {
            let result = Err(AckFailure::TimedOut);
            connection.outcomes.push_back(AckOutcome { id, socket, result });
        }
        let has_resumed = connection.limiter.as_mut().is_some_and(|limiter| limiter.resume(now));
        if connection.input_was_held {
            // What has come while nothing was read is still to be looked at.
            connection.input_was_held = has_resumed || !connection.wants_input(&self.config.limits);
            connection.session.excuse_silence(now, &self.config);
            if let Some(parts) = &mut connection.reassembly {
                parts.postpone(now + self.config.limits.attachments_timeout);
            }
        }
        connection.session.handle_timeout(now, &self.config);
        self.settle(key);
        // Each step may end the session, and with it what the next one would wait for.
        let is_due = |deadline: Option<Timestamp>| deadline.is_some_and(|at| at <= now);
        let Some(connection) = self.connections.get(key) else { return };
        if is_due(connection.reassembly.as_ref().map(|parts| parts.deadline())) {
            self.handle_violation(now, key, PacketError::IllegalAttachments);
        }
        let Some(connection) = self.connections.get(key) else { return };
        if is_due(connection.connect_deadline) {
            self.force_close(now, key, DisconnectReason::ForcedServerClose);
        }
    }

    /// To be called after anything that may have brought a connection's deadline forward. A
    /// deadline that moved back is noticed when the entry comes up.
    pub(super) fn arm(&mut self, key: ConnectionKey) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let Some(deadline) = connection.deadline() else { return };
        if connection.armed.is_none_or(|armed| deadline < armed) {
            connection.armed = Some(deadline);
            self.timers.push(Reverse((deadline, key)));
            self.compact_timers();
        }
    }

    /// Entries of connections that have gone stay until their time, so many short connections
    /// would pile them up.
    fn compact_timers(&mut self) {
        if self.timers.len() > 2 * self.connections.len() + TIMERS_KEPT {
            let connections = &self.connections;
            self.timers.retain(|Reverse((due, key))| {
                connections.get(*key).is_some_and(|connection| connection.armed == Some(*due))
            });
        }
    }
}

/// Below this many entries, compacting would cost more than it gives back.
const TIMERS_KEPT: usize = 256;
