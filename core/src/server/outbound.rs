//! What goes to the network and to the application.

use crate::codec::message::Message;
use crate::engine::{PollKey, PollResponse, TransportKey, WebSocketOutput};
use crate::{ConnectionKey, Timestamp};

use super::Server;
use super::event::{AckOutcome, Event};

/// What to do next on a WebSocket.
#[derive(Debug)]
pub enum Output {
    /// Send these frames, one after the other.
    Message(Message),
    /// Send a close frame, close, and report
    /// [`handle_websocket_closed`](Server::handle_websocket_closed).
    Close,
}

/// Who has something to take from a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// Whoever serves the connection's WebSockets, events and acknowledgements; not while he
    /// [attends](Server::set_attended) to it.
    pub session: bool,
    /// Whoever serves the GET that waits.
    pub poll: bool,
}

/// What whoever serves a connection's session may find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct News {
    /// [`poll_ack`](Server::poll_ack) has something.
    pub acks: bool,
    /// [`poll_event`](Server::poll_event) has something.
    pub events: bool,
    /// [`wants_input`](Server::wants_input), before any of that is taken.
    pub wants_input: bool,
    /// [`is_over`](Server::is_over).
    pub is_over: bool,
}

impl Server {
    /// A connection that may have output or events to take. Each is named once, until something
    /// happens to it again; see also [`set_attended`](Self::set_attended).
    pub fn poll_dirty(&mut self) -> Option<ConnectionKey> {
        while let Some(key) = self.dirty.pop() {
            if let Some(connection) = self.connections.get_mut(key) {
                connection.dirty = false;
                return Some(key);
            }
        }
        None
    }

    /// Whether whoever serves the connection's WebSockets, events and acknowledgements is at work on
    /// it, or has been told to be. Until that is over, [`poll_dirty`](Self::poll_dirty) names the
    /// connection only while a GET waits. At the end of the work, say so and then look once more
    /// whether there is something to take.
    ///
    /// Nobody has to say it: it spares a driver with many things to do the news that it knows.
    pub fn set_attended(&mut self, key: ConnectionKey, attended: bool) {
        if let Some(connection) = self.connections.get_mut(key) {
            connection.attended = attended;
            if let Some(limiter) = connection.limiter.as_mut().filter(|_| attended) {
                limiter.has_resumed = false;
            }
        }
    }

    /// Who has something to take from a connection.
    pub fn wants(&self, key: ConnectionKey) -> Wants {
        let Some(connection) = self.connections.get(key) else { return Wants::default() };
        Wants {
            session: !connection.attended
                && (!connection.inbox.is_empty()
                    || !connection.outcomes.is_empty()
                    || connection.limiter.as_ref().is_some_and(|limiter| limiter.has_resumed)
                    || connection.session.has_websocket_output()),
            poll: connection.session.has_poll_response(),
        }
    }

    /// What [`poll_ack`](Self::poll_ack), [`poll_event`](Self::poll_event),
    /// [`wants_input`](Self::wants_input) and [`is_over`](Self::is_over) would say.
    pub fn news(&self, key: ConnectionKey) -> News {
        match self.connections.get(key) {
            Some(connection) => News {
                acks: !connection.outcomes.is_empty(),
                events: !connection.inbox.is_empty(),
                wants_input: connection.wants_input(&self.config.limits),
                is_over: connection.session.is_closed(),
            },
            None => News { acks: false, events: false, wants_input: true, is_over: true },
        }
    }

    /// Whether a connection's session has ended, though something of it may be left to take.
    pub fn is_over(&self, key: ConnectionKey) -> bool {
        self.connections.get(key).is_none_or(|connection| connection.session.is_closed())
    }

    /// What to do next on a WebSocket. Take no more than the network takes: what stays here counts
    /// towards the limit of the outbox.
    pub fn poll_output(&mut self, key: ConnectionKey, transport: TransportKey) -> Option<Output> {
        let Some(connection) = self.connections.get_mut(key) else { return Some(Output::Close) };
        Some(match connection.session.next_websocket_output(transport)? {
            WebSocketOutput::Message(message) => Output::Message(message),
            WebSocketOutput::Close => Output::Close,
        })
    }

    /// The answer to a GET, once there is one.
    pub fn take_poll_response(
        &mut self,
        key: ConnectionKey,
        poll: PollKey,
    ) -> Option<PollResponse> {
        let connection = self.connections.get_mut(key)?;
        let response = connection.session.take_poll_response(poll);
        self.settle(key);
        response
    }

    /// What happened on a connection, in order. A driver that must wait for the application stops
    /// calling this, and reading, see [`wants_input`](Self::wants_input).
    pub fn poll_event(&mut self, key: ConnectionKey) -> Option<Event> {
        let event = self.connections.get_mut(key)?.inbox.pop();
        if matches!(event, Some(Event::Closed(_))) {
            self.forget_if_at_rest(key);
        }
        event
    }

    /// What became of acknowledgements. Apart from the events, because a handler may be waiting
    /// for one while the events that follow it wait for the handler.
    pub fn poll_ack(&mut self, key: ConnectionKey) -> Option<AckOutcome> {
        let outcome = self.connections.get_mut(key)?.outcomes.pop_front();
        if outcome.is_some() {
            self.forget_if_at_rest(key);
        }
        outcome
    }

    /// When to call [`handle_timeout`](Self::handle_timeout). May be earlier than anything is due,
    /// never later. After such a call it is later than that call's time; only a deadline that the
    /// application gives for an acknowledgement, and that has passed, makes it earlier again.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.timers.peek().map(|entry| entry.0.0)
    }
}
