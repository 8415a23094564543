//! How the rates of clients are kept.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::rate::Allowance;
use crate::{
    ConnectionKey, DisconnectReason, ExceededRate, Excess, RateLimit, SocketKey, Timestamp,
};

use super::Server;
use super::event::{Event, RateExceeded, Received};

/// What a connection and its sockets may still send.
#[derive(Debug, Default)]
pub(super) struct Limiter {
    connection: Option<Allowance>,
    /// Of sockets that have sent something. There are few.
    sockets: Vec<(SocketKey, Allowance)>,
    /// Until when nothing is to be read.
    pub(super) held_until: Option<Timestamp>,
    /// That time has come, and whoever reads does not know it yet.
    pub(super) has_resumed: bool,
}

/// Whom a limit is for.
#[derive(Clone, Copy, Debug)]
enum Scope {
    Socket,
    Connection,
}

impl Limiter {
    /// What has a limit, of one socket and of the connection, whether it has sent anything or not.
    fn allowances(
        &mut self,
        now: Timestamp,
        socket: SocketKey,
        (of_socket, of_connection): (Option<&RateLimit>, Option<&RateLimit>),
    ) -> impl Iterator<Item = (Scope, &mut Allowance)> {
        if let Some(limit) = of_socket
            && !self.sockets.iter().any(|(key, _)| *key == socket)
        {
            self.sockets.push((socket, Allowance::new(limit, now)));
        }
        if let (Some(limit), None) = (of_connection, &self.connection) {
            self.connection = Some(Allowance::new(limit, now));
        }
        let own = self.sockets.iter_mut().filter(move |(key, _)| *key == socket);
        let own = own.map(|(_, allowance)| (Scope::Socket, allowance));
        own.chain(self.connection.iter_mut().map(|allowance| (Scope::Connection, allowance)))
    }

    /// Forgets a socket that has gone.
    pub(super) fn forget(&mut self, socket: SocketKey) {
        self.sockets.retain(|(key, _)| *key != socket);
    }

    /// Whether this is the end of a time in which nothing was to be read.
    pub(super) fn resume(&mut self, now: Timestamp) -> bool {
        let is_due = self.held_until.is_some_and(|until| until <= now);
        if is_due {
            self.held_until = None;
            self.has_resumed = true;
        }
        is_due
    }
}

impl Server {
    /// Whether an event is passed on. What is too much is dealt with.
    pub(super) fn admit_event(
        &mut self,
        now: Timestamp,
        key: ConnectionKey,
        received: &Received,
    ) -> bool {
        let Some(connection) = self.connections.get_mut(key) else { return false };
        let limiter = connection.limiter.get_or_insert_with(Box::default);
        let limits = (self.config.socket_rate.as_ref(), self.config.connection_rate.as_ref());
        let (socket, bytes) = (received.socket, received.bytes());
        let mut refused = None;
        let mut news = None;
        for (scope, allowance) in limiter.allowances(now, socket, limits) {
            let is_disconnected = match allowance.excess() {
                Excess::Delay => continue,
                Excess::Drop => false,
                Excess::Disconnect => true,
            };
            let exceeded = allowance.check(now, bytes).err();
            if allowance.note(exceeded) {
                news = news.or(exceeded);
            }
            if exceeded.is_some() && (is_disconnected || refused.is_none()) {
                refused = Some((scope, is_disconnected));
            }
        }
        if let Some((scope, is_disconnected)) = refused {
            self.tell_excess(key, socket, news);
            match is_disconnected {
                true => self.disconnect_excess(now, key, socket, scope),
                false => self.counters.rate_dropped += 1,
            }
            return false;
        }
        let held_before = limiter.held_until;
        let mut held_until = held_before;
        for (_, allowance) in limiter.allowances(now, socket, limits) {
            allowance.take(now, bytes);
            if allowance.excess() == Excess::Delay {
                let exhausted = allowance.exhausted();
                let rate = exhausted.map(|(rate, _)| rate);
                if allowance.note(rate) {
                    news = news.or(rate);
                }
                held_until = held_until.max(exhausted.map(|(_, until)| until));
            }
        }
        if held_until > held_before {
            limiter.held_until = held_until;
            self.counters.rate_delayed += u64::from(held_before.is_none());
            self.arm(key);
        }
        self.tell_excess(key, socket, news);
        true
    }

    fn tell_excess(
        &mut self,
        key: ConnectionKey,
        socket: SocketKey,
        exceeded: Option<ExceededRate>,
    ) {
        if let (Some(rate), Some(connection)) = (exceeded, self.connections.get_mut(key)) {
            connection.inbox.push(Event::RateExceeded(RateExceeded { socket, rate }));
        }
    }

    /// Ends the socket, or the connection, whose rate it was.
    fn disconnect_excess(
        &mut self,
        now: Timestamp,
        key: ConnectionKey,
        socket: SocketKey,
        scope: Scope,
    ) {
        self.counters.rate_disconnected += 1;
        let reason = DisconnectReason::RateExceeded;
        match scope {
            Scope::Connection => {
                self.tell_sockets_of_end(key, reason);
                self.close_connection(now, key, reason);
            }
            Scope::Socket => {
                let namespace = self.sockets.get(socket).map(|state| state.namespace);
                let name = namespace.and_then(|namespace| self.namespace_name(namespace));
                match name.and_then(|name| self.disconnect_message(name)) {
                    Some(message) => self.disconnect_socket(socket, &message, reason),
                    None => self.end_socket(socket, reason),
                }
                self.settle(key);
            }
        }
    }
}
