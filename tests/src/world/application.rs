//! The application: what it is told, and what it answers at once.

use std::collections::BTreeSet;

use sansocket_core::{AckFailure, ConnectRequest, Event, Message, Received, Recipients};
use sansocket_core::{AckId, SocketId, SocketKey};

use crate::model::{Happened, Micros, Missed, Note, Outcome, Socket};

use super::network::Session;
use super::wire::{self, NAMESPACES};
use super::{Checked, Violation, World, ensure};

/// A socket as the application knows it, also when it has long gone.
pub(super) struct Record {
    pub(super) shard: usize,
    pub(super) key: SocketKey,
    pub(super) socket: Socket,
    pub(super) id: SocketId,
    pub(super) namespace: u8,
    /// Whether the application was told of its end.
    pub(super) has_ended: bool,
    /// Events that are to be acknowledged.
    pub(super) owes: Vec<u64>,
}

/// A broadcast between the choice of its recipients and their delivery.
pub(super) struct Waiting {
    pub(super) recipients: Vec<(usize, Recipients, BTreeSet<Socket>)>,
    pub(super) message: Message,
    pub(super) note: Note,
    pub(super) volatile: bool,
    pub(super) ack: Option<(u64, Micros)>,
}

impl World<'_, '_> {
    /// The application takes events; whether that was all.
    pub(super) fn take_events(&mut self, session: usize, budget: usize) -> Result<bool, Violation> {
        let Session { shard, key, connection, .. } = self.sessions[session];
        for _ in 0..budget {
            let event = self.servers[shard].poll_event(key);
            let expected = self.model.take_event(connection);
            let (event, expected) = match (event, expected) {
                (None, None) => return Ok(true),
                (Some(event), Some(expected)) => (event, expected),
                (event, expected) => {
                    ensure!(false, "event", "session {connection}: {event:?} but {expected:?}");
                    return Ok(true);
                }
            };
            self.trace.line(|| format!("session {connection} tells {expected:?}"));
            self.handle_event(session, event, expected)?;
        }
        Ok(false)
    }

    fn handle_event(&mut self, session: usize, event: Event, expected: Happened) -> Checked {
        match (event, expected) {
            (Event::ConnectRequested(request), Happened::Requested { namespace, socket }) => {
                self.trace.word(10 + u64::from(namespace));
                self.handle_request(session, &request, namespace, socket)
            }
            (Event::Received(received), Happened::Received { socket, tag, ack, attachments }) => {
                self.trace.word(100 + tag);
                let id = received.ack().map(AckId::get);
                ensure!(id == ack, "event", "it asks for {id:?} and not {ack:?}");
                self.handle_received(session, &received, socket, tag, attachments)
            }
            (Event::Disconnected(told), Happened::Disconnected { socket, reason, rooms }) => {
                self.trace.word(1);
                let record = self.record(session, told.socket)?;
                let told_rooms: BTreeSet<u8> =
                    told.rooms.iter().map(|room| number_of(room)).collect();
                ensure!(
                    told.reason.as_str() == reason && told_rooms == rooms,
                    "event",
                    "{told:?} and not {reason} {rooms:?}"
                );
                let record = &mut self.records[record];
                ensure!(record.socket == socket && !record.has_ended, "event", "{told:?} again");
                record.has_ended = true;
                Ok(())
            }
            (Event::Violation(_), Happened::Violation) => {
                self.trace.word(2);
                Ok(())
            }
            (Event::Closed(reason), Happened::Closed(expected)) => {
                self.trace.word(3);
                ensure!(reason.as_str() == expected, "event", "closed: {reason}, not {expected}");
                Ok(())
            }
            (event, expected) => {
                ensure!(false, "event", "{event:?} and not {expected:?}");
                Ok(())
            }
        }
    }

    fn record(&self, session: usize, key: SocketKey) -> Result<usize, Violation> {
        let shard = self.sessions[session].shard;
        let found = self.by_key.get(&(shard, key)).copied();
        found.ok_or_else(|| Violation::new("event", format!("{key:?} was never announced")))
    }

    fn handle_request(
        &mut self,
        session: usize,
        request: &ConnectRequest,
        namespace: u8,
        socket: Socket,
    ) -> Checked {
        ensure!(
            request.namespace == self.namespaces[usize::from(namespace)],
            "event",
            "a request for another namespace"
        );
        let shard = self.sessions[session].shard;
        ensure!(request.id.shard() == shard, "event", "the socket's id names another shard");
        let index = self.records.len();
        let before = self.by_key.insert((shard, request.socket), index);
        ensure!(before.is_none(), "event", "a key was used twice");
        self.records.push(Record {
            shard,
            key: request.socket,
            socket,
            id: request.id,
            namespace,
            has_ended: false,
            owes: Vec::new(),
        });
        match self.choices.weighted(&[12, 1, 3]) {
            0 => self.accept(index),
            1 => self.reject(index),
            _ => Ok(()),
        }
    }

    pub(super) fn accept(&mut self, record: usize) -> Checked {
        let Record { shard, key, socket, id, namespace, .. } = self.records[record];
        let message = Message::connect(NAMESPACES[usize::from(namespace)], id.as_str(), None);
        let accepted = self.servers[shard].accept_socket(key, &message).is_ok();
        let expected = self.model.accept(socket, message.websocket_bytes());
        self.trace.line(|| format!("socket {socket} is accepted: {accepted}"));
        ensure!(accepted == expected, "accept", "socket {socket}: {accepted} but {expected}");
        Ok(())
    }

    pub(super) fn reject(&mut self, record: usize) -> Checked {
        let Record { shard, key, socket, namespace, .. } = self.records[record];
        let name = NAMESPACES[usize::from(namespace)];
        let message = Message::connect_error(&mut self.encoder, name, "no", None::<&()>);
        let Ok(message) = message else { return Ok(()) };
        let rejected = self.servers[shard].reject_socket(key, &message).is_ok();
        let expected = self.model.reject(socket, message.websocket_bytes());
        self.trace.line(|| format!("socket {socket} is rejected: {rejected}"));
        ensure!(rejected == expected, "reject", "socket {socket}: {rejected} but {expected}");
        Ok(())
    }

    fn handle_received(
        &mut self,
        session: usize,
        received: &Received,
        socket: Socket,
        tag: u64,
        attachments: u8,
    ) -> Checked {
        let record = self.record(session, received.socket)?;
        ensure!(self.records[record].socket == socket, "event", "{received:?} on another socket");
        ensure!(!self.records[record].has_ended, "event", "{received:?} after the end");
        let read = wire::tag_of(received.packet.payload(), true).unwrap_or(u64::MAX);
        ensure!(read == tag, "event", "{received:?} and not {tag}");
        ensure!(
            received.attachments.len() == usize::from(attachments),
            "attachments",
            "{received:?} has not {attachments}"
        );
        let session = &mut self.sessions[session];
        if session.honest {
            ensure!(tag == session.next_tag, "order", "event {tag}, not {}", session.next_tag);
            session.next_tag += 1;
            for (data, number) in received.attachments.iter().zip(0..) {
                let expected = wire::attachment(tag, number);
                ensure!(data[..] == expected, "attachments", "{data:?} and not {expected:?}");
            }
        }
        if let Some(id) = received.ack() {
            self.records[record].owes.push(id.get());
            if self.choices.chance(128) {
                return self.acknowledge(record);
            }
        }
        Ok(())
    }

    /// The application takes the outcomes of acknowledgements; whether that was all.
    pub(super) fn take_outcomes(
        &mut self,
        session: usize,
        budget: usize,
    ) -> Result<bool, Violation> {
        let Session { shard, key, connection, .. } = self.sessions[session];
        for _ in 0..budget {
            let outcome = self.servers[shard].poll_ack(key);
            let expected = self.model.take_outcome(connection);
            let (outcome, expected) = match (outcome, expected) {
                (None, None) => return Ok(true),
                (Some(outcome), Some(expected)) => (outcome, expected),
                (outcome, expected) => {
                    ensure!(false, "acknowledgement", "{outcome:?} but {expected:?}");
                    return Ok(true);
                }
            };
            self.trace.line(|| format!("session {connection} tells {expected:?}"));
            self.trace.word(outcome.id.get());
            let result = match outcome.result {
                Ok(args) => Ok(args.get(0).and_then(|tag| tag.as_str().parse().ok())),
                Err(AckFailure::TimedOut) => Err(Missed::Deadline),
                Err(AckFailure::Disconnected) => Err(Missed::Disconnect),
            };
            let record = self.record(session, outcome.socket)?;
            let found = Outcome {
                id: outcome.id.get(),
                socket: self.records[record].socket,
                result: result.map(|tag| tag.unwrap_or(u64::MAX)),
            };
            ensure!(found == expected, "acknowledgement", "{found:?} and not {expected:?}");
        }
        Ok(false)
    }
}

/// The number of a room; rooms are called `r0`, `r1` and so on.
fn number_of(room: &str) -> u8 {
    room.strip_prefix('r').and_then(|number| number.parse().ok()).unwrap_or(u8::MAX)
}
