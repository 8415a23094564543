//! What the application does of its own accord, to sockets that are there and to others.

use sansocket_core::{AckId, BroadcastReport, Delivery, EmitError, Message, SocketId, Target};

use crate::model::{Emit, Micros, Note, Report, Room, Whom};

use super::application::{Record, Waiting};
use super::driver::timestamp;
use super::wire::{self, NAMESPACES};
use super::{Checked, World, ensure};

const ROOMS: u8 = 4;

impl World<'_, '_> {
    /// A command to one socket.
    pub(super) fn command(&mut self) -> Checked {
        let Some(record) = self.pick_record() else { return Ok(()) };
        match self.choices.weighted(&[12, 4, 4, 5, 3, 2, 1, 1, 1]) {
            0 => self.emit(record, false),
            1 => self.emit(record, true),
            2 => self.acknowledge(record),
            3 => self.join_or_leave(record, true),
            4 => self.join_or_leave(record, false),
            5 => self.accept(record),
            6 => self.reject(record),
            7 => self.disconnect(record),
            _ => self.close(record),
        }
    }

    /// One of the latest sockets, or any, also one that has gone.
    fn pick_record(&mut self) -> Option<usize> {
        let count = self.records.len();
        if count == 0 {
            return None;
        }
        let reach = if self.choices.chance(16) { count } else { count.min(6) };
        Some(count - 1 - self.choices.index(reach))
    }

    fn next_message(&mut self, namespace: u8, ack: Option<u64>) -> Option<(Message, Note)> {
        self.tag += 1;
        let tag = self.tag;
        let attachments = self.attachments();
        let padding = self.choices.number(0..=self.swarm.padding as u64) as usize;
        let note = Note::Event { namespace, tag, ack, attachments };
        let name = NAMESPACES[usize::from(namespace)];
        let id = ack.and_then(AckId::new);
        let encoder = &mut self.encoder;
        let data = |number| bytes::Bytes::from(wire::attachment(tag, number));
        let message = match attachments {
            0 if padding == 0 => Message::event(encoder, name, "m", &tag, id),
            0 => Message::event(encoder, name, "m", &(tag, "é".repeat(padding / 2)), id),
            1 => Message::event(encoder, name, "m", &(tag, data(0)), id),
            2 => Message::event(encoder, name, "m", &(tag, data(0), data(1)), id),
            _ => Message::event(encoder, name, "m", &(tag, data(0), data(1), data(2)), id),
        };
        Some((message.ok()?, note))
    }

    pub(super) fn emit(&mut self, record: usize, asks: bool) -> Checked {
        let Record { shard, key, socket, namespace, .. } = self.records[record];
        let volatile = self.choices.chance(40);
        let ack = if asks { Some((self.tag + 1, self.deadline())) } else { None };
        let Some((message, note)) = self.next_message(namespace, ack.map(|(id, _)| id)) else {
            return Ok(());
        };
        let delivery = if volatile { Delivery::Volatile } else { Delivery::Reliable };
        let bytes = message.websocket_bytes();
        let result = match (self.servers[shard].socket(key), ack) {
            (None, _) => Err(EmitError::NotConnected),
            (Some(mut socket), None) => socket.emit(message, delivery),
            (Some(mut socket), Some((id, at))) => {
                let Some(id) = AckId::new(id) else { return Ok(()) };
                socket.emit_with_ack(message, delivery, id, timestamp(at))
            }
        };
        let expected = self.model.emit(socket, note, bytes, volatile, ack);
        self.trace.line(|| format!("emit to socket {socket}: {note:?}, {result:?}"));
        self.check_emit(result, expected)
    }

    fn check_emit(&mut self, result: Result<(), EmitError>, expected: Emit) -> Checked {
        let result = match result {
            Ok(()) => Some(Emit::Queued),
            Err(EmitError::NotConnected) => Some(Emit::NotConnected),
            Err(EmitError::Full) => Some(Emit::Full),
            Err(EmitError::Dropped) => Some(Emit::Dropped),
            Err(EmitError::TooManyAcks) => Some(Emit::TooManyAcks),
            Err(_) => None,
        };
        self.trace.word(expected as u64);
        ensure!(result == Some(expected), "emit", "{result:?} and not {expected:?}");
        Ok(())
    }

    /// When an acknowledgement is due: mostly later, at times too late.
    fn deadline(&mut self) -> Micros {
        let reach = *self.choices.pick(&[5_000_000, 100_000, 1_000]);
        let at = self.now + self.choices.number(0..=reach);
        if self.choices.chance(10) { at.saturating_sub(reach) } else { at }
    }

    /// The application answers an event.
    pub(super) fn acknowledge(&mut self, record: usize) -> Checked {
        let Record { shard, key, socket, namespace, .. } = self.records[record];
        let Some(id) = self.records[record].owes.pop() else { return Ok(()) };
        self.tag += 1;
        let tag = self.tag;
        let attachments = self.attachments().min(1);
        let note = Note::Ack { namespace, id, tag, attachments };
        let name = NAMESPACES[usize::from(namespace)];
        let Some(answered) = AckId::new(id) else { return Ok(()) };
        let data = bytes::Bytes::from(wire::attachment(tag, 0));
        let message = match attachments {
            0 => Message::ack(&mut self.encoder, name, answered, &tag),
            _ => Message::ack(&mut self.encoder, name, answered, &(tag, data)),
        };
        let Ok(message) = message else { return Ok(()) };
        let bytes = message.websocket_bytes();
        let result = match self.servers[shard].socket(key) {
            Some(mut socket) => socket.acknowledge(message),
            None => Err(EmitError::NotConnected),
        };
        let expected = self.model.emit(socket, note, bytes, false, None);
        self.trace.line(|| format!("socket {socket} is answered {note:?}: {result:?}"));
        self.check_emit(result, expected)
    }

    fn join_or_leave(&mut self, record: usize, joins: bool) -> Checked {
        let Record { shard, key, socket, .. } = self.records[record];
        let (room, name) = match self.choices.index(usize::from(ROOMS) + 1) {
            4 => (Room::Of(socket), self.records[record].id.as_str().to_owned()),
            number => (Room::Named(number as u8), format!("r{number}")),
        };
        let view = self.servers[shard].socket(key);
        let changed = match (view, joins) {
            (None, _) => false,
            (Some(mut view), true) => view.join(&name),
            (Some(mut view), false) => view.leave(&name),
        };
        let expected =
            if joins { self.model.join(socket, room) } else { self.model.leave(socket, room) };
        self.trace.line(|| format!("socket {socket}, {name}, joins: {joins}, changed: {changed}"));
        self.trace.word(u64::from(changed));
        ensure!(changed == expected, "room", "socket {socket}, {room:?}: {changed} but {expected}");
        Ok(())
    }

    fn disconnect(&mut self, record: usize) -> Checked {
        let Record { shard, key, socket, namespace, .. } = self.records[record];
        self.trace.line(|| format!("socket {socket} is disconnected"));
        if let Some(view) = self.servers[shard].socket(key) {
            view.disconnect(&Message::disconnect(NAMESPACES[usize::from(namespace)]));
        }
        self.model.disconnect(socket);
        Ok(())
    }

    pub(super) fn close(&mut self, record: usize) -> Checked {
        let Record { shard, key, socket, .. } = self.records[record];
        self.trace.line(|| format!("the connection of socket {socket} is closed"));
        if let Some(view) = self.servers[shard].socket(key) {
            view.close_connection(timestamp(self.now));
        }
        self.model.close(self.now, socket);
        Ok(())
    }

    /// A broadcast to rooms: all at once, or its recipients now and its delivery later.
    pub(super) fn broadcast(&mut self) -> Checked {
        if !self.waiting.is_empty() && self.choices.chance(128) {
            let waiting = self.waiting.swap_remove(0);
            return self.deliver_broadcast(waiting);
        }
        let namespace = self.choices.weighted(&[6, 2, 1]) as u8;
        let (target, whom) = self.target();
        let asks = self.choices.chance(60);
        let ack = if asks { Some((self.tag + 1, self.deadline())) } else { None };
        let volatile = ack.is_none() && self.choices.chance(40);
        let Some((message, note)) = self.next_message(namespace, ack.map(|(id, _)| id)) else {
            return Ok(());
        };
        let key = self.namespaces[usize::from(namespace)];
        let mut recipients = Vec::new();
        for shard in self.order.clone() {
            let expected = self.model.recipients(shard as u8, namespace, &whom);
            let chosen = self.servers[shard].recipients(key, &target);
            recipients.push((shard, chosen, expected));
        }
        self.trace.line(|| format!("broadcast of {note:?} to {whom:?}"));
        let waiting = Waiting { recipients, message, note, volatile, ack };
        if self.choices.chance(60) {
            self.waiting.push(waiting);
            return Ok(());
        }
        self.deliver_broadcast(waiting)
    }

    pub(super) fn deliver_broadcast(&mut self, waiting: Waiting) -> Checked {
        let Waiting { recipients, message, note, volatile, ack } = waiting;
        let delivery = if volatile { Delivery::Volatile } else { Delivery::Reliable };
        let bytes = message.websocket_bytes();
        let portion = *self.choices.pick(&[usize::MAX, 1, 3]);
        for (shard, mut chosen, expected) in recipients {
            let server = &mut self.servers[shard];
            while !chosen.is_done() {
                match ack.and_then(|(id, at)| Some((AckId::new(id)?, timestamp(at)))) {
                    None => server.deliver(&mut chosen, &message, delivery, portion),
                    Some((id, at)) => {
                        server.deliver_with_ack(&mut chosen, &message, id, at, portion);
                    }
                }
            }
            let report = plain(chosen.report());
            let expected = self.model.deliver(&expected, note, bytes, volatile, ack);
            self.trace.line(|| format!("delivery of {note:?} in shard {shard}: {report:?}"));
            ensure!(report == expected, "broadcast", "{report:?} and not {expected:?}");
        }
        Ok(())
    }

    fn target(&mut self) -> (Target, Whom) {
        let mut target = Target::everybody();
        let mut whom = Whom::default();
        for _ in 0..self.choices.index(3) {
            let (room, name) = self.room();
            whom.rooms.push(room);
            target = target.to(&name);
        }
        for _ in 0..self.choices.weighted(&[6, 2, 1]) {
            let (room, name) = self.room();
            whom.except.push(room);
            target = target.except(&name);
        }
        if self.choices.chance(40)
            && let Some(record) = self.pick_record()
        {
            let Record { socket, id, .. } = self.records[record];
            whom.except_socket = Some(socket);
            target.except_socket = Some(id);
        }
        (target, whom)
    }

    fn room(&mut self) -> (Room, String) {
        let number = self.choices.index(usize::from(ROOMS) + 1) as u8;
        if number == ROOMS
            && let Some(record) = self.pick_record()
        {
            let Record { socket, id, .. } = self.records[record];
            return (Room::Of(socket), SocketId::as_str(&id).to_owned());
        }
        (Room::Named(number), format!("r{number}"))
    }
}

fn plain(report: BroadcastReport) -> Report {
    let BroadcastReport { queued, dropped, overflowed, owing, .. } = report;
    Report { queued, dropped, overflowed, owing }
}
