//! What a client makes of what it is told, and whether it should have been told that.

use std::collections::VecDeque;

use crate::model::Note;

use super::client::{Mode, Space};
use super::network::Sent;
use super::trace::mix;
use super::wire::{self, Heard, Line};
use super::{Checked, World, ensure};

impl World<'_, '_> {
    /// The client reads from a WebSocket.
    pub(super) fn down(&mut self, client: usize, link: usize, bytes_max: usize) -> Checked {
        let Some(session) = self.clients[client].session else { return Ok(()) };
        let side = &mut self.sessions[session].links[link];
        let count = bytes_max.min(side.down.len());
        if side.is_left || count == 0 {
            return Ok(());
        }
        self.trace.word(count as u64);
        side.unread.extend(side.down.drain(..count));
        let mut sent = std::mem::take(&mut side.sent);
        let unread = std::mem::take(&mut side.unread);
        let mut at = 0;
        while let Some(frame) = wire::take_frame(&unread, &mut at) {
            let line = match frame {
                Ok((1, payload)) => String::from_utf8(payload).ok().map(Line::Text),
                Ok((2, payload)) => Some(Line::Binary(payload)),
                Ok((8, _)) => {
                    self.closed_by_server(client, session, link);
                    return Ok(());
                }
                Ok((opcode, _)) => {
                    ensure!(opcode == 10, "wire", "a frame of opcode {opcode}");
                    continue;
                }
                Err(error) => {
                    ensure!(false, "wire", "{error}");
                    continue;
                }
            };
            let Some(line) = line else {
                ensure!(false, "wire", "text that is no UTF-8");
                continue;
            };
            self.hear(client, line, &mut sent)?;
            if self.clients[client].session != Some(session) {
                return Ok(());
            }
        }
        let side = &mut self.sessions[session].links[link];
        side.unread = unread[at..].to_vec();
        side.sent = sent;
        Ok(())
    }

    /// The server has closed a WebSocket: the session's, or one that was to be.
    fn closed_by_server(&mut self, client: usize, session: usize, link: usize) {
        let state = &mut self.clients[client];
        match state.mode {
            Mode::WebSocket { link: current } if current == link => self.leave(client, false),
            Mode::Probing { link: probing, .. } if probing == link => {
                state.mode = Mode::Polling;
                self.sessions[session].links[link].leave(true);
            }
            Mode::Polling | Mode::Probing { .. } | Mode::WebSocket { .. } => {
                self.sessions[session].links[link].leave(true);
            }
        }
    }

    pub(super) fn hear_payload(
        &mut self,
        client: usize,
        body: &[u8],
        mut sent: VecDeque<Sent>,
    ) -> Checked {
        let Ok(text) = std::str::from_utf8(body) else {
            ensure!(false, "wire", "a payload that is no UTF-8");
            return Ok(());
        };
        let session = self.clients[client].session;
        for packet in text.split('\u{1e}') {
            let line = match packet.strip_prefix('b') {
                Some(data) => Line::Binary(wire::base64(data)),
                None => Line::Text(packet.to_owned()),
            };
            self.hear(client, line, &mut sent)?;
            if self.clients[client].session != session {
                return Ok(());
            }
        }
        ensure!(sent.is_empty(), "delivery", "a payload lacks {sent:?}");
        ensure!(
            self.clients[client].partial.is_none(),
            "attachments",
            "some are not in the payload"
        );
        Ok(())
    }

    /// One message. It must be the one that is due, and complete.
    fn hear(&mut self, client: usize, line: Line, sent: &mut VecDeque<Sent>) -> Checked {
        self.trace.line(|| format!("client {client} hears {line:?}"));
        let state = &mut self.clients[client];
        let text = match (line, state.partial) {
            (Line::Binary(data), Some((tag, number, count))) => {
                let expected = wire::attachment(tag, number);
                ensure!(data == expected, "attachments", "{data:?} and not {expected:?}");
                state.partial = (number + 1 < count).then_some((tag, number + 1, count));
                return Ok(());
            }
            (Line::Text(text), None) => text,
            (line, partial) => {
                ensure!(false, "attachments", "{line:?} where {partial:?} is under way");
                return Ok(());
            }
        };
        let Some(heard) = wire::heard(&text) else {
            ensure!(false, "wire", "no server of ours says {text:?}");
            return Ok(());
        };
        let Some((place, note)) = sent.pop_front() else {
            ensure!(false, "delivery", "{text:?} was never sent");
            return Ok(());
        };
        ensure!(self.is_meant(&heard, note), "delivery", "{text:?} and not {note:?}");
        let state = &mut self.clients[client];
        if let Some(place) = place {
            // Only who reads two transports at once may find them out of order.
            ensure!(
                place == state.next || !state.honest,
                "order",
                "message {place} instead of {}: {text:?}",
                state.next
            );
            state.next = place + 1;
        }
        state.hash = mix(state.hash, hash_of(note));
        self.react(client, note)
    }

    fn is_meant(&self, heard: &Heard, note: Note) -> bool {
        match (heard, note) {
            (Heard::Open, Note::Open)
            | (Heard::Close, Note::Close)
            | (Heard::Ping, Note::Ping)
            | (Heard::ProbePong, Note::ProbePong)
            | (Heard::Noop, Note::Noop)
            | (Heard::UnknownNamespace, Note::UnknownNamespace) => true,
            (Heard::Connected { namespace, id }, Note::Connected { namespace: of, socket }) => {
                let record = self.records.iter().rev().find(|record| record.socket == socket);
                *namespace == of && record.is_some_and(|record| record.id.as_str() == id)
            }
            (Heard::Refused { namespace }, Note::Refused { namespace: of })
            | (Heard::Disconnected { namespace }, Note::Disconnected { namespace: of }) => {
                *namespace == of
            }
            (
                &Heard::Event { namespace, tag, ack, attachments },
                Note::Event { namespace: of, tag: number, ack: id, attachments: count },
            ) => (namespace, tag, ack, attachments) == (of, number, id, count),
            (
                &Heard::Ack { namespace, id, tag, attachments },
                Note::Ack { namespace: of, id: answered, tag: number, attachments: count },
            ) => (namespace, id, tag, attachments) == (of, answered, number, count),
            (_, _) => false,
        }
    }

    fn react(&mut self, client: usize, note: Note) -> Checked {
        let state = &mut self.clients[client];
        match note {
            Note::Open | Note::Noop | Note::UnknownNamespace => {}
            Note::Close => self.leave(client, false),
            Note::Ping => {
                if !state.is_mute {
                    self.say(client, "3".to_owned());
                }
            }
            Note::ProbePong => {
                if let Mode::Probing { is_answered, .. } = &mut state.mode {
                    *is_answered = true;
                }
            }
            Note::Connected { namespace, .. } => {
                let space = &mut state.spaces[usize::from(namespace)];
                ensure!(
                    *space != Space::Out || !state.honest,
                    "delivery",
                    "it did not ask to join"
                );
                if *space == Space::Asked {
                    *space = Space::In;
                }
            }
            Note::Refused { namespace } | Note::Disconnected { namespace } => {
                state.asked.retain(|_, of| *of != namespace);
                state.owes.retain(|(of, _)| *of != namespace);
                state.spaces[usize::from(namespace)] = Space::Out;
            }
            Note::Event { namespace, ack, attachments, tag, .. } => {
                let space = state.spaces[usize::from(namespace)];
                ensure!(space != Space::Out || !state.honest, "delivery", "an event after the end");
                if space == Space::In {
                    state.owes.extend(ack.map(|id| (namespace, id)));
                }
                state.partial = (attachments > 0).then_some((tag, 0, attachments));
            }
            Note::Ack { namespace, id, tag, attachments } => {
                let space = state.spaces[usize::from(namespace)];
                let asked = state.asked.remove(&id) == Some(namespace);
                ensure!(
                    asked || space != Space::In || !state.honest,
                    "acknowledgement",
                    "{id} was not asked for, or is answered already"
                );
                state.partial = (attachments > 0).then_some((tag, 0, attachments));
            }
        }
        Ok(())
    }
}

fn hash_of(note: Note) -> u64 {
    match note {
        Note::Open => 1,
        Note::Close => 2,
        Note::Ping => 3,
        Note::ProbePong => 4,
        Note::Noop => 5,
        Note::UnknownNamespace => 6,
        Note::Connected { namespace, socket } => {
            0x10 | u64::from(namespace) | u64::from(socket) << 16
        }
        Note::Refused { namespace } => 0x20 | u64::from(namespace),
        Note::Disconnected { namespace } => 0x30 | u64::from(namespace),
        Note::Event { namespace, tag, .. } => 0x40 | u64::from(namespace) | tag << 16,
        Note::Ack { namespace, id, .. } => 0x50 | u64::from(namespace) | id << 16,
    }
}
