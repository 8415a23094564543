//! A client of the protocol: what it says, and when it sends that on which transport.

use std::collections::{BTreeMap, VecDeque};

use super::network::{Answer, Get, Post};
use super::wire::{self, Line, NAMESPACES, UNKNOWN};
use super::{Checked, Violation, World};

/// A client, and the session that it has.
#[derive(Default)]
pub(super) struct Client {
    pub(super) session: Option<usize>,
    pub(super) mode: Mode,
    /// Whether it keeps to the rules. A client that does not may still behave well for long.
    pub(super) honest: bool,
    /// It does not answer pings.
    pub(super) is_mute: bool,
    /// It does not read.
    pub(super) is_deaf: bool,
    pub(super) queue: VecDeque<Line>,
    pub(super) get: Option<Get>,
    pub(super) post: Option<Post>,
    pub(super) spaces: [Space; NAMESPACES.len()],
    /// The number of its next event.
    pub(super) tag: u64,
    /// Events of its own that are to be acknowledged.
    pub(super) asked: BTreeMap<u64, u8>,
    pub(super) next_ack: u64,
    /// Events that it was asked to acknowledge.
    pub(super) owes: Vec<(u8, u64)>,
    /// A message whose attachments are still to come: its tag, the next one, how many.
    pub(super) partial: Option<(u64, u8, u8)>,
    /// The place of the next message that it is sent.
    pub(super) next: u64,
    /// A number that differs where what it was told does.
    pub(super) hash: u64,
}

/// The transport that it uses, WebSockets by their place in the session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mode {
    #[default]
    Polling,
    /// It has asked on a second transport whether that works.
    Probing {
        link: usize,
        is_answered: bool,
    },
    WebSocket {
        link: usize,
    },
}

/// What it knows of a namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Space {
    #[default]
    Out,
    Asked,
    In,
    /// It has left, and something may still be under way.
    Left,
}

impl World<'_, '_> {
    /// The client says something.
    pub(super) fn speak(&mut self, client: usize) -> Checked {
        if self.clients[client].session.is_none() {
            return self.enter(client);
        }
        let space = self.choices.weighted(&[6, 2, 1]);
        match self.clients[client].spaces[space] {
            Space::Out | Space::Left => {
                self.clients[client].spaces[space] = Space::Asked;
                self.say(client, wire::of_namespace("40", NAMESPACES[space]));
            }
            Space::Asked => {}
            Space::In => match self.choices.weighted(&[8, 4, 6, 1, 1]) {
                0 => self.emit_to_server(client, space, false),
                1 => self.emit_to_server(client, space, true),
                2 => self.answer_server(client),
                3 => {
                    self.clients[client].spaces[space] = Space::Left;
                    self.clients[client].asked.retain(|_, of| usize::from(*of) != space);
                    self.clients[client].owes.retain(|(of, _)| usize::from(*of) != space);
                    self.say(client, wire::of_namespace("41", NAMESPACES[space]));
                }
                _ => self.say(client, wire::of_namespace("40", UNKNOWN)),
            },
        }
        if self.choices.chance(200) { self.flush(client) } else { Ok(()) }
    }

    fn enter(&mut self, client: usize) -> Checked {
        let honest = self.choices.chance(self.swarm.honest);
        let is_mute = !honest && self.choices.chance(64);
        let is_deaf = !honest && self.choices.chance(64);
        let hash = self.clients[client].hash;
        self.clients[client] = Client { honest, is_mute, is_deaf, hash, ..Client::default() };
        let polling = self.choices.chance(self.swarm.polling);
        let session = self.sessions.len();
        if !self.open(client, polling)? {
            return Ok(());
        }
        let state = &mut self.clients[client];
        state.session = Some(session);
        if polling {
            state.get = Some(Get { has_arrived: true, answer: None });
            return self.get_arrives(session);
        }
        state.mode = Mode::WebSocket { link: 0 };
        Ok(())
    }

    pub(super) fn say(&mut self, client: usize, text: String) {
        self.trace.line(|| format!("client {client} says {text:?}"));
        self.clients[client].queue.push_back(Line::Text(text));
    }

    pub(super) fn emit_to_server(&mut self, client: usize, space: usize, asks: bool) {
        let attachments = self.attachments();
        let padding = self.choices.number(0..=self.swarm.padding as u64) as usize;
        let state = &mut self.clients[client];
        let tag = state.tag;
        state.tag += 1;
        let id = asks.then_some(state.next_ack);
        if asks {
            state.asked.insert(state.next_ack, space as u8);
            state.next_ack += 1;
        }
        let text = wire::packet(false, space as u8, id, tag, attachments, padding);
        self.say(client, text);
        self.attach(client, tag, attachments);
    }

    fn answer_server(&mut self, client: usize) {
        if self.clients[client].owes.is_empty() {
            return;
        }
        let at = self.choices.index(self.clients[client].owes.len());
        let (space, id) = self.clients[client].owes.swap_remove(at);
        let attachments = self.attachments();
        let text = wire::packet(true, space, Some(id), id, attachments, 0);
        self.say(client, text);
        self.attach(client, id, attachments);
    }

    fn attach(&mut self, client: usize, tag: u64, attachments: u8) {
        let lines = (0..attachments).map(|number| Line::Binary(wire::attachment(tag, number)));
        self.clients[client].queue.extend(lines);
    }

    pub(super) fn attachments(&mut self) -> u8 {
        if self.choices.chance(self.swarm.binary) { 1 + self.choices.index(3) as u8 } else { 0 }
    }

    /// The client sends what it can on the transport that it has.
    pub(super) fn flush(&mut self, client: usize) -> Checked {
        let state = &self.clients[client];
        let Some(session) = state.session else { return Ok(()) };
        match state.mode {
            Mode::WebSocket { link } => self.write(client, session, link),
            Mode::Polling | Mode::Probing { is_answered: false, .. } => {
                let state = &mut self.clients[client];
                if state.get.is_none() {
                    state.get = Some(Get::default());
                    self.trace.word(22);
                }
                self.begin_post(client);
            }
            Mode::Probing { link, is_answered: true } => {
                if state.get.is_none() && state.post.is_none() {
                    self.frame(session, link, 1, b"5");
                    self.clients[client].mode = Mode::WebSocket { link };
                    self.write(client, session, link);
                }
            }
        }
        Ok(())
    }

    fn begin_post(&mut self, client: usize) {
        let state = &mut self.clients[client];
        if state.post.is_some() || state.queue.is_empty() {
            return;
        }
        let mut body = String::new();
        while let Some(line) = state.queue.front() {
            let mut packet = String::new();
            match line {
                Line::Text(text) => packet.push_str(text),
                Line::Binary(data) => {
                    packet.push('b');
                    wire::push_base64(&mut packet, data);
                }
            }
            if !body.is_empty() {
                if body.len() + 1 + packet.len() > self.swarm.rules.max_payload {
                    break;
                }
                body.push('\u{1e}');
            }
            body.push_str(&packet);
            state.queue.pop_front();
        }
        let body = body.into_bytes();
        self.trace.word(23);
        state.post = Some(Post { body, arrived: 0, has_begun: false, answer: None });
    }

    fn write(&mut self, client: usize, session: usize, link: usize) {
        while let Some(line) = self.clients[client].queue.pop_front() {
            match line {
                Line::Text(text) => self.frame(session, link, 1, text.as_bytes()),
                Line::Binary(data) => self.frame(session, link, 2, &data),
            }
        }
    }

    /// Writes a WebSocket message, in one frame or in fragments with a ping between them.
    pub(super) fn frame(&mut self, session: usize, link: usize, opcode: u8, payload: &[u8]) {
        let link = &mut self.sessions[session].links[link];
        let mut bytes = Vec::with_capacity(payload.len() + 16);
        let key = self.choices.byte();
        let mask = u32::from_be_bytes([key, !key, key / 3, key.rotate_left(3)]);
        if key >= 240 && payload.len() > 1 {
            let (first, second) = payload.split_at(payload.len() / 2);
            wire::push_frame(&mut bytes, opcode, false, first, mask);
            wire::push_frame(&mut bytes, 9, true, b"?", mask);
            wire::push_frame(&mut bytes, 0, true, second, mask);
        } else {
            wire::push_frame(&mut bytes, opcode, true, payload, mask);
        }
        if !link.is_left && link.up_end.is_none() {
            link.up.extend(bytes);
        }
    }

    /// Something arrives: a few bytes on a WebSocket, in either direction, or part of a request.
    pub(super) fn deliver(&mut self, client: usize) -> Checked {
        let Some(session) = self.clients[client].session else { return Ok(()) };
        let count = 1 + self.choices.index(self.swarm.chunk_bytes);
        let links = self.sessions[session].links.len();
        match self.choices.index(4) {
            0 => self.get_goes_on(client),
            1 => self.post_goes_on(client, count),
            2 if links > 0 => {
                let link = self.choices.index(links);
                self.up(session, link, count)
            }
            3 if links > 0 => {
                let link = self.choices.index(links);
                self.down(client, link, count)
            }
            _ => Ok(()),
        }
    }

    /// The GET arrives, or its answer.
    pub(super) fn get_goes_on(&mut self, client: usize) -> Checked {
        let Some(session) = self.clients[client].session else { return Ok(()) };
        let Some(get) = &mut self.clients[client].get else { return Ok(()) };
        if !std::mem::replace(&mut get.has_arrived, true) {
            return self.get_arrives(session);
        }
        match get.answer.take() {
            None => {
                if self.sessions[session].is_get_named {
                    return self.answer_get(session);
                }
                Ok(())
            }
            Some(Answer::Refused) => {
                self.leave(client, false);
                Ok(())
            }
            Some(Answer::Payload(body, sent)) => {
                self.trace.word(body.len() as u64);
                self.clients[client].get = None;
                self.hear_payload(client, &body, sent)
            }
        }
    }

    /// More of the POST arrives, or its answer.
    pub(super) fn post_goes_on(&mut self, client: usize, bytes: usize) -> Checked {
        let Some(session) = self.clients[client].session else { return Ok(()) };
        let Some(mut post) = self.clients[client].post.take() else { return Ok(()) };
        if !post.has_begun {
            post.has_begun = true;
            if !self.post_arrives(session)? {
                post.answer = Some(false);
            }
        } else if let Some(is_taken) = post.answer {
            self.trace.word(24);
            if !is_taken {
                self.leave(client, false);
            }
            return Ok(());
        } else {
            post.arrived = post.arrived.saturating_add(bytes).min(post.body.len());
            if post.arrived == post.body.len() {
                post.answer = self.post_is_complete(session, &post.body)?;
            }
        }
        self.clients[client].post = Some(post);
        Ok(())
    }

    /// The client and the server talk until neither has more to say, or for a few rounds.
    pub(super) fn exchange(&mut self, client: usize) -> Result<bool, Violation> {
        let mut progress = false;
        for _ in 0..3 {
            let Some(session) = self.clients[client].session else { break };
            let before = self.trace.hash();
            self.flush(client)?;
            self.get_goes_on(client)?;
            self.post_goes_on(client, usize::MAX)?;
            self.post_goes_on(client, usize::MAX)?;
            for link in 0..self.sessions[session].links.len() {
                self.up(session, link, usize::MAX)?;
            }
            self.collect_named();
            self.serve(session, 64)?;
            self.collect_named();
            self.get_goes_on(client)?;
            self.post_goes_on(client, usize::MAX)?;
            if !self.clients[client].is_deaf {
                for link in 0..self.sessions[session].links.len() {
                    self.down(client, link, usize::MAX)?;
                }
            }
            if self.trace.hash() == before {
                break;
            }
            progress = true;
        }
        Ok(progress)
    }

    /// The client opens a second transport.
    pub(super) fn begin_upgrade(&mut self, client: usize) -> Checked {
        let Some(session) = self.clients[client].session else { return Ok(()) };
        let allowed = self.swarm.rules.allow_upgrades || !self.clients[client].honest;
        if self.clients[client].mode != Mode::Polling || !allowed {
            return Ok(());
        }
        let link = self.sessions[session].links.len();
        if self.upgrade_arrives(session)? {
            self.clients[client].mode = Mode::Probing { link, is_answered: false };
            self.frame(session, link, 1, b"2probe");
        }
        Ok(())
    }

    /// The client gives its session up: it says so by closing everything, or is just gone.
    pub(super) fn leave(&mut self, client: usize, silently: bool) {
        let Some(session) = self.clients[client].session.take() else { return };
        self.trace.line(|| format!("client {client} leaves, silently: {silently}"));
        let state = &mut self.clients[client];
        state.get = None;
        state.post = None;
        state.queue.clear();
        if silently {
            for link in &mut self.sessions[session].links {
                link.is_left = true;
                link.down.clear();
                link.sent.clear();
            }
            return;
        }
        for link in 0..self.sessions[session].links.len() {
            self.sessions[session].links[link].leave(false);
            self.report_closed(session, link, false);
        }
        self.get_is_aborted(session);
        self.post_is_aborted(session);
    }
}
