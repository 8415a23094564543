//! The driver between the network and the server: what a real one does, and at times late.

use bytes::Bytes;
use sansocket_core::codec::websocket::{DecoderConfig, Message};
use sansocket_core::codec::{engine, payload};
use sansocket_core::http::{Method, Request, Route, route};
use sansocket_core::{Output, Refusal, Timestamp};

use crate::model::{Note, Refused, Said, Taken, frame_bytes};

use super::network::{Answer, Link, Sent, Session};
use super::{Checked, Violation, World, ensure, wire};

pub(super) fn timestamp(micros: u64) -> Timestamp {
    Timestamp::from_micros(micros)
}

fn same_refusal(ours: Refused, theirs: Refusal) -> bool {
    match ours {
        Refused::Unknown => theirs == Refusal::UnknownSession,
        Refused::Mismatch => theirs == Refusal::TransportMismatch,
        Refused::Overlap => theirs == Refusal::Overlap,
        Refused::Unavailable => theirs == Refusal::Unavailable,
    }
}

impl World<'_, '_> {
    /// The time that the server is shown.
    fn shown(&mut self) -> u64 {
        if self.swarm.clock_goes_back && self.choices.chance(16) {
            return self.now.saturating_sub(self.choices.number(0..=500_000));
        }
        self.now
    }

    /// Opens a session; whether the server has taken it.
    pub(super) fn open(&mut self, client: usize, polling: bool) -> Result<bool, Violation> {
        let transport = if polling { "polling" } else { "websocket" };
        let query = format!("EIO=4&transport={transport}");
        let request =
            Request { method: Method::Get, query: &query, origin: None, upgrade: !polling };
        let shard = self.sessions.len() % self.servers.len();
        let found = route(self.servers[shard].config(), &request);
        ensure!(matches!(found, Ok(Route::Handshake { .. })), "route", "{query}: {found:?}");
        let now = self.shown();
        let rules = &self.swarm.rules;
        let upgrades = if polling && rules.allow_upgrades { "\"websocket\"" } else { "" };
        let open_bytes = format!(
            r#"0{{"sid":"12345678901234567890","upgrades":[{upgrades}],"pingInterval":{},"pingTimeout":{},"maxPayload":{}}}"#,
            rules.ping_interval / 1000,
            rules.ping_timeout / 1000,
            rules.max_payload
        )
        .len();
        let websocket = (!polling).then_some(self.websockets);
        let expected = self.model.open(shard as u8, now, websocket, frame_bytes(open_bytes));
        let server = &mut self.servers[shard];
        let opened = if polling {
            server.open_polling(timestamp(now)).map(|opened| (opened, None))
        } else {
            let opened = server.open_websocket(timestamp(now));
            opened.map(|(opened, transport)| (opened, Some(transport)))
        };
        let (connection, (opened, transport)) = match (expected, opened) {
            (Ok(connection), Ok(opened)) => (connection, opened),
            (Err(ours), Err(theirs)) if same_refusal(ours, theirs) => return Ok(false),
            (ours, theirs) => {
                ensure!(false, "open", "{ours:?} but {theirs:?}");
                return Ok(false);
            }
        };
        ensure!(opened.sid.shard() == shard, "open", "the sid names another shard");
        let mut session = Session {
            client,
            shard,
            key: opened.connection,
            sid: opened.sid,
            connection,
            links: Vec::new(),
            get: None,
            post: None,
            is_named: false,
            is_get_named: false,
            sent: 0,
            next_tag: 0,
            honest: self.clients[client].honest,
        };
        if let Some(transport) = transport {
            session.links.push(self.link(transport));
        }
        self.trace.line(|| format!("client {client} opens session {connection} by {transport:?}"));
        self.live.push(self.sessions.len());
        self.sessions.push(session);
        Ok(true)
    }

    fn link(&mut self, transport: sansocket_core::TransportKey) -> Link {
        let websocket = self.websockets;
        self.websockets += 1;
        let limits = &self.servers[0].config().limits;
        Link::new(websocket, transport, DecoderConfig::from(limits))
    }

    /// A request of a session: whether the server finds it.
    fn find(&self, session: usize, method: Method, upgrade: bool) -> Result<bool, Violation> {
        let Session { shard, key, connection, sid, .. } = self.sessions[session];
        let transport = if upgrade { "websocket" } else { "polling" };
        let query = format!("EIO=4&transport={transport}&sid={}", sid.as_str());
        let request = Request { method, query: &query, origin: None, upgrade };
        let server = &self.servers[shard];
        let found = route(server.config(), &request).and_then(|route| server.find(&route));
        match (found, self.model.find(connection, !upgrade)) {
            (Ok(found), Ok(())) => {
                ensure!(found == key, "route", "{query} leads to another session");
                Ok(true)
            }
            (Err(theirs), Err(ours)) if same_refusal(ours, theirs) => Ok(false),
            (theirs, ours) => {
                ensure!(false, "route", "{query}: {theirs:?} but {ours:?}");
                Ok(false)
            }
        }
    }

    /// A GET arrives.
    pub(super) fn get_arrives(&mut self, session: usize) -> Checked {
        self.trace.word(20);
        let mut refused = !self.find(session, Method::Get, false)?;
        if !refused {
            let Session { shard, key, connection, .. } = self.sessions[session];
            let begun = self.servers[shard].begin_poll(key);
            let expected = self.model.begin_get(connection);
            self.trace.line(|| format!("GET of session {connection}: {begun:?}"));
            match (begun, expected) {
                (Ok(poll), Ok(())) => self.sessions[session].get = Some(poll),
                (Err(theirs), Err(ours)) if same_refusal(ours, theirs) => refused = true,
                (theirs, ours) => ensure!(false, "get", "{theirs:?} but {ours:?}"),
            }
        }
        if refused {
            let Session { shard, connection, sid, .. } = self.sessions[session];
            let late = self.servers[shard].take_late_poll_response(&sid);
            let expected = self.model.take_late_get(connection);
            ensure!(late.is_some() == expected, "late get", "{late:?} but {expected}");
            let answer = late.map_or(Answer::Refused, |answer| {
                Answer::Payload(answer.into_body().to_vec(), [(None, Note::Noop)].into())
            });
            self.answer_to_client(session, answer);
            return Ok(());
        }
        self.answer_get(session)
    }

    /// Asks the server for the answer to the GET.
    pub(super) fn answer_get(&mut self, session: usize) -> Checked {
        self.sessions[session].is_get_named = false;
        let Session { shard, key, connection, get: Some(poll), .. } = self.sessions[session] else {
            return Ok(());
        };
        let answer = self.servers[shard].take_poll_response(key, poll);
        let expected = self.model.take_answer(connection);
        let (answer, notes) = match (answer, expected) {
            (Some(answer), Some(notes)) => (answer, notes),
            (None, None) => return Ok(()),
            (theirs, ours) => {
                ensure!(false, "get", "session {connection}: {theirs:?} but {ours:?}");
                return Ok(());
            }
        };
        self.trace.line(|| format!("session {connection} answers its GET by {notes:?}"));
        let sent = notes.iter().map(|note| self.number(session, *note)).collect();
        let body = answer.into_body();
        self.trace.bytes(&body);
        self.sessions[session].get = None;
        self.answer_to_client(session, Answer::Payload(body.to_vec(), sent));
        Ok(())
    }

    /// Its place among the messages of its session.
    fn number(&mut self, session: usize, note: Note) -> Sent {
        match note {
            Note::ProbePong | Note::Noop | Note::Close => (None, note),
            Note::Open
            | Note::Ping
            | Note::Connected { .. }
            | Note::Refused { .. }
            | Note::UnknownNamespace
            | Note::Disconnected { .. }
            | Note::Event { .. }
            | Note::Ack { .. } => {
                let session = &mut self.sessions[session];
                session.sent += 1;
                (Some(session.sent - 1), note)
            }
        }
    }

    /// A client learns what became of its GET, if it still waits for that.
    fn answer_to_client(&mut self, session: usize, answer: Answer) {
        let client = &mut self.clients[self.sessions[session].client];
        if client.session == Some(session)
            && let Some(get) = &mut client.get
        {
            get.answer = Some(answer);
        }
    }

    /// A POST arrives; whether its body may be read.
    pub(super) fn post_arrives(&mut self, session: usize) -> Result<bool, Violation> {
        self.trace.word(21);
        if !self.find(session, Method::Post, false)? {
            return Ok(false);
        }
        let Session { shard, key, connection, .. } = self.sessions[session];
        let begun = self.servers[shard].begin_post(key);
        let expected = self.model.begin_post(connection);
        self.trace.line(|| format!("POST of session {connection}: {begun:?}"));
        match (begun, expected) {
            (Ok(post), Ok(())) => {
                self.sessions[session].post = Some(post);
                Ok(true)
            }
            (Err(theirs), Err(ours)) if same_refusal(ours, theirs) => Ok(false),
            (theirs, ours) => {
                ensure!(false, "post", "{theirs:?} but {ours:?}");
                Ok(false)
            }
        }
    }

    /// The body of a POST is complete. `None` while the application does not keep up; then whether
    /// it was taken.
    pub(super) fn post_is_complete(
        &mut self,
        session: usize,
        body: &[u8],
    ) -> Result<Option<bool>, Violation> {
        let Session { shard, key, connection, post: Some(post), .. } = self.sessions[session]
        else {
            return Ok(Some(false));
        };
        if body.len() > self.swarm.rules.max_payload {
            self.sessions[session].post = None;
            self.servers[shard].handle_post_rejected(key, post);
            self.model.end_post(connection, false);
            self.trace.line(|| format!("POST of session {connection} is too large"));
            return Ok(Some(false));
        }
        if !self.servers[shard].wants_input(key) {
            return Ok(None);
        }
        self.sessions[session].post = None;
        self.trace.word(body.len() as u64);
        let now = self.shown();
        let text = std::str::from_utf8(body).unwrap_or_default();
        let said: Vec<Said> = text.split('\u{1e}').map(wire::said).collect();
        self.trace.line(|| format!("POST of session {connection}: {text:?}"));
        let limits = self.servers[shard].config().limits.clone();
        let mut packets = payload::decode(Bytes::copy_from_slice(body), &limits);
        let server = &mut self.servers[shard];
        // In two parts, where there is more than one packet.
        let first = packets.by_ref().take(said.len() / 2);
        let begun = server.handle_post_part(timestamp(now), key, post, first).is_ok();
        let ended = begun && server.handle_post(timestamp(now), key, post, packets).is_ok();
        // What an earlier part of it has ended was taken nevertheless.
        let taken = begun && (ended || said.len() > 1);
        // Nothing behind a malformed packet counts.
        let end =
            said.iter().position(|said| *said == Said::Malformed).map_or(said.len(), |at| at + 1);
        let expected = self.model.handle_post(now, connection, said[..end].iter().copied());
        ensure!(taken == expected, "post", "taken: {taken}, but {expected}");
        Ok(Some(taken))
    }

    /// The POST is broken off.
    pub(super) fn post_is_aborted(&mut self, session: usize) {
        let Session { shard, key, connection, post: Some(post), .. } = self.sessions[session]
        else {
            return;
        };
        self.sessions[session].post = None;
        self.servers[shard].handle_post_aborted(key, post);
        self.model.end_post(connection, true);
        self.trace.line(|| format!("POST of session {connection} is aborted"));
    }

    /// The GET is broken off.
    pub(super) fn get_is_aborted(&mut self, session: usize) {
        let Session { shard, key, connection, get: Some(poll), .. } = self.sessions[session] else {
            return;
        };
        self.sessions[session].get = None;
        self.servers[shard].handle_poll_aborted(key, poll);
        self.model.abort_get(connection);
        self.trace.line(|| format!("GET of session {connection} is aborted"));
    }

    /// A second transport is opened; whether the session takes it.
    pub(super) fn upgrade_arrives(&mut self, session: usize) -> Result<bool, Violation> {
        if !self.find(session, Method::Get, true)? {
            return Ok(false);
        }
        let Session { shard, key, connection, .. } = self.sessions[session];
        let now = self.shown();
        let transport = self.servers[shard].begin_upgrade(timestamp(now), key);
        let expected = self.model.begin_upgrade(now, connection, self.websockets);
        self.trace.line(|| format!("session {connection} is to be upgraded: {transport:?}"));
        ensure!(transport.is_some() == expected, "upgrade", "{transport:?} but {expected}");
        let Some(transport) = transport else { return Ok(false) };
        let link = self.link(transport);
        self.sessions[session].links.push(link);
        Ok(true)
    }

    /// Bytes of a WebSocket arrive at the server, unless it does not read now.
    pub(super) fn up(&mut self, session: usize, link: usize, bytes_max: usize) -> Checked {
        let Session { shard, key, connection, .. } = self.sessions[session];
        let wants_input = self.servers[shard].wants_input(key);
        let side = &mut self.sessions[session].links[link];
        if side.is_reported || !wants_input {
            return Ok(());
        }
        let count = bytes_max.min(side.up.len());
        if count > 0 {
            self.trace.word(count as u64);
        }
        let mut read: Vec<u8> = side.up.drain(..count).collect();
        let (transport, websocket) = (side.transport, side.websocket);
        let mut input = &mut read[..];
        let end = loop {
            let side = &mut self.sessions[session].links[link];
            match side.decoder.decode(&mut input) {
                Ok(None) => break side.up_end.filter(|_| side.up.is_empty()),
                Ok(Some(Message::Close(_))) => break Some(true),
                Ok(Some(Message::Ping(_) | Message::Pong(_))) => {}
                Ok(Some(Message::Text(text))) => {
                    let said = wire::said(std::str::from_utf8(&text).unwrap_or_default());
                    self.trace.line(|| format!("session {connection} on {websocket}: {text:?}"));
                    let now = self.shown();
                    let server = &mut self.servers[shard];
                    let packet = engine::decode_text(text, &server.config().limits);
                    server.handle_packet(timestamp(now), key, transport, packet);
                    self.model.handle_packet(now, connection, websocket, said);
                }
                Ok(Some(Message::Binary(data))) => {
                    let said = Said::Binary { bytes: data.len() };
                    self.trace.line(|| format!("session {connection} on {websocket}: {said:?}"));
                    let now = self.shown();
                    let packet = Ok(engine::decode_binary(data));
                    self.servers[shard].handle_packet(timestamp(now), key, transport, packet);
                    self.model.handle_packet(now, connection, websocket, said);
                }
                Err(_) => break Some(false),
            }
        };
        if let Some(clean) = end {
            self.trace.word(u64::from(clean));
            self.report_closed(session, link, clean);
        }
        Ok(())
    }

    /// Tells the server that a WebSocket is closed.
    pub(super) fn report_closed(&mut self, session: usize, link: usize, clean: bool) {
        let Session { shard, key, connection, .. } = self.sessions[session];
        let link = &mut self.sessions[session].links[link];
        if std::mem::replace(&mut link.is_reported, true) {
            return;
        }
        let (transport, websocket) = (link.transport, link.websocket);
        link.up.clear();
        self.trace.line(|| format!("session {connection}: {websocket} is closed, clean: {clean}"));
        self.servers[shard].handle_websocket_closed(key, transport, clean);
        self.model.websocket_closed(connection, websocket, clean);
    }

    /// The session task has a turn: events and acknowledgements for the application, output for
    /// the network, at most `budget` of each.
    pub(super) fn serve(&mut self, session: usize, budget: usize) -> Checked {
        self.answer_get(session)?;
        if !self.sessions[session].is_named {
            return Ok(());
        }
        let mut is_done = self.take_outcomes(session, budget)?;
        is_done &= self.take_events(session, budget)?;
        for link in 0..self.sessions[session].links.len() {
            is_done &= self.take_output(session, link, budget)?;
        }
        self.sessions[session].is_named = !is_done;
        Ok(())
    }

    /// Moves output to the network; whether that was all.
    fn take_output(
        &mut self,
        session: usize,
        link: usize,
        budget: usize,
    ) -> Result<bool, Violation> {
        let Session { shard, key, connection, .. } = self.sessions[session];
        for _ in 0..budget {
            let side = &self.sessions[session].links[link];
            if side.is_reported {
                return Ok(true);
            }
            if side.down.len() >= self.swarm.pipe_bytes {
                return Ok(false);
            }
            let (transport, websocket) = (side.transport, side.websocket);
            let output = self.servers[shard].poll_output(key, transport);
            let expected = self.model.take_output(connection, websocket);
            if let Some(taken) = expected {
                self.trace.line(|| format!("session {connection} sends on {websocket}: {taken:?}"));
            }
            match (output, expected) {
                (None, None) => return Ok(true),
                (Some(Output::Message(message)), Some(Taken::Note(note))) => {
                    let sent = self.number(session, note);
                    let side = &mut self.sessions[session].links[link];
                    let trace = &mut *self.trace;
                    message.into_websocket(|frame| {
                        trace.bytes(&frame);
                        if !side.is_left {
                            side.down.extend(frame.iter().copied());
                        }
                    });
                    if !side.is_left {
                        side.sent.push_back(sent);
                    }
                }
                (Some(Output::Close), Some(Taken::Close)) => {
                    let side = &mut self.sessions[session].links[link];
                    if !side.is_left {
                        side.down.extend([0x88, 0]);
                    }
                    self.report_closed(session, link, true);
                    return Ok(true);
                }
                (output, expected) => {
                    ensure!(
                        false,
                        "output",
                        "session {connection} on {websocket}: {output:?} but {expected:?}"
                    );
                }
            }
        }
        Ok(false)
    }

    /// The server names whoever has news.
    pub(super) fn collect_named(&mut self) {
        for shard in 0..self.servers.len() {
            while let Some(key) = self.servers[shard].poll_dirty() {
                let mut live = self.live.iter().copied();
                let named = live.find(|index| {
                    let session = &self.sessions[*index];
                    session.shard == shard && session.key == key
                });
                if let Some(session) = named {
                    self.sessions[session].is_named = true;
                    self.sessions[session].is_get_named = true;
                }
            }
        }
    }
}
