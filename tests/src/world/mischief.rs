//! What no honest client does, and what befalls honest ones.

use super::client::{Mode, Space};
use super::driver::timestamp;
use super::wire::{self, Line};
use super::{Checked, World};

/// Packets that are wrong, or wrong now.
const GARBAGE: [&str; 40] = [
    "",
    "x",
    "9",
    "0",
    "1",
    "2",
    "2probe",
    "3probe",
    "5",
    "6",
    "4",
    "49",
    "40",
    "40/a,",
    "40/nope,",
    "40[]",
    "40{\"token\":1}",
    "40{\"token\":",
    "41",
    "41/a,",
    "41/nope,",
    "41{}",
    "42",
    "42{}",
    "42[]",
    "42[\"connect\"]",
    "42[\"m\",1",
    "42[\"m\",7]x",
    "4299999999999999999999[\"m\",7]",
    "42/nope,[\"m\",7]",
    "42/a,[\"m\",7]",
    "43[1]",
    "431[1]",
    "43/a,1[1]",
    "44{\"message\":\"x\"}",
    "45[\"m\",7]",
    "451-[\"m\",7,{\"_placeholder\":true,\"num\":1}]",
    "4511-[\"m\",7]",
    "451-[\"m\",7,{\"_placeholder\":true,\"num\":0}]",
    "bAQ==",
];

impl World<'_, '_> {
    /// A client that does not keep to the rules breaks one.
    pub(super) fn misbehave(&mut self, client: usize) -> Checked {
        let Some(session) = self.clients[client].session else { return Ok(()) };
        if self.clients[client].honest {
            return Ok(());
        }
        let links = self.sessions[session].links.len();
        match self.choices.index(9) {
            0 | 1 => {
                let text = *self.choices.pick(&GARBAGE);
                self.say(client, text.to_owned());
            }
            2 if links > 0 => {
                let link = self.choices.index(links);
                let text = *self.choices.pick(&GARBAGE);
                self.frame(session, link, 1, text.as_bytes());
            }
            3 if links > 0 => {
                // No frame, an unmasked one, one of a reserved opcode, half of one.
                let bytes: [&[u8]; 4] =
                    [b"GET /", b"\x81\x011", b"\x83\x80\0\0\0\0", b"\x81\x8f\0\0"];
                let bytes = *self.choices.pick(&bytes);
                let link = self.choices.index(links);
                self.sessions[session].links[link].up.extend(bytes);
            }
            4 => {
                // A GET beside another, or beside a WebSocket, whose answer nobody reads.
                self.get_arrives(session)?;
            }
            5 => {
                if self.sessions[session].post.is_some() {
                    self.post_arrives(session)?;
                } else if self.post_arrives(session)? {
                    let text = *self.choices.pick(&GARBAGE);
                    self.post_is_complete(session, text.as_bytes())?;
                }
            }
            6 => {
                // Another second transport.
                let link = links;
                if self.upgrade_arrives(session)? {
                    let text = *self.choices.pick(&["2probe", "5", "40", "2"]);
                    self.frame(session, link, 1, text.as_bytes());
                }
            }
            7 if links > 0 => {
                let length = self.swarm.rules.max_payload.min(700) + 1;
                let link = self.choices.index(links);
                self.frame(session, link, 1, "x".repeat(length).as_bytes());
            }
            _ => {
                // It forgets what it has joined, or believes to be on the WebSocket.
                if self.choices.chance(128) {
                    self.clients[client].spaces = [Space::Out; wire::NAMESPACES.len()];
                } else if links > 0 {
                    self.clients[client].mode = Mode::WebSocket { link: links - 1 };
                }
            }
        }
        Ok(())
    }

    /// Something breaks, or is broken off.
    pub(super) fn break_something(&mut self, client: usize) -> Checked {
        let Some(session) = self.clients[client].session else { return Ok(()) };
        let links = self.sessions[session].links.len();
        match self.choices.index(8) {
            0 => self.leave(client, false),
            1 => self.leave(client, true),
            2 => {
                // It says so, and goes when that has arrived.
                self.clients[client].queue.push_back(Line::Text("1".to_owned()));
                self.exchange(client)?;
                self.leave(client, false);
            }
            3 if links > 0 => {
                // A stream ends, behind what was written or in the middle of it.
                let link = self.choices.index(links);
                let clean = self.choices.chance(128);
                self.cut(client, session, link, clean);
            }
            4 if links > 0 => {
                let link = self.choices.index(links);
                self.frame(session, link, 8, b"\x03\xe8");
                self.cut(client, session, link, true);
            }
            5 => {
                self.get_is_aborted(session);
                self.leave(client, true);
            }
            6 => {
                self.post_is_aborted(session);
                self.leave(client, true);
            }
            _ => {
                let state = &mut self.clients[client];
                state.is_deaf = !state.is_deaf && !state.honest;
                state.is_mute = !state.is_mute && !state.honest;
            }
        }
        Ok(())
    }

    pub(super) fn cut(&mut self, client: usize, session: usize, link: usize, clean: bool) {
        let side = &mut self.sessions[session].links[link];
        if side.is_left {
            return;
        }
        side.leave(clean);
        self.trace.line(|| format!("a WebSocket of client {client} is cut, clean: {clean}"));
        let state = &mut self.clients[client];
        match state.mode {
            Mode::WebSocket { link: current } if current == link => self.leave(client, true),
            Mode::Probing { link: probing, .. } if probing == link => state.mode = Mode::Polling,
            Mode::Polling | Mode::Probing { .. } | Mode::WebSocket { .. } => {}
        }
    }

    /// Calls that a driver makes in vain. Nothing may come of them.
    pub(super) fn do_needless(&mut self) -> Checked {
        let Some(session) = self.pick_live() else { return Ok(()) };
        match self.choices.index(4) {
            0 => {
                self.sessions[session].is_named = true;
                self.serve(session, 8)
            }
            1 => self.answer_get(session),
            2 => {
                let now = self.now;
                for at in 0..self.servers.len() {
                    self.servers[at].handle_timeout(timestamp(now));
                    self.model.handle_timeout(at as u8, now);
                }
                Ok(())
            }
            _ => {
                // Any session there ever was.
                let session = self.choices.index(self.sessions.len());
                self.sessions[session].is_named = true;
                self.serve(session, 8)
            }
        }
    }

    /// A task of the driver ends, or the server is shut down.
    pub(super) fn end_much(&mut self) -> Checked {
        if self.choices.chance(200) {
            return Ok(());
        }
        if self.choices.chance(20) {
            return self.shut_down();
        }
        let Some(session) = self.pick_live() else { return Ok(()) };
        self.abandon(session);
        Ok(())
    }

    fn abandon(&mut self, session: usize) {
        let state = &mut self.sessions[session];
        for link in &mut state.links {
            link.leave(false);
            link.is_reported = true;
        }
        let (shard, key, connection) = (state.shard, state.key, state.connection);
        self.trace.line(|| format!("session {connection} is abandoned"));
        self.servers[shard].abandon(key);
        self.model.abandon(connection);
        let client = self.sessions[session].client;
        if self.clients[client].session == Some(session)
            && matches!(self.clients[client].mode, Mode::WebSocket { .. })
        {
            self.leave(client, true);
        }
    }

    pub(super) fn shut_down(&mut self) -> Checked {
        self.trace.line(|| "shutdown".to_owned());
        for shard in self.order.clone() {
            self.servers[shard].shut_down(timestamp(self.now));
            self.model.shut_down(shard as u8, self.now);
        }
        Ok(())
    }
}
