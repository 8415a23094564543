//! One socket of a client: what it expects, and whether that is what comes.

use std::collections::BTreeMap;

use serde_json::Value;

/// Where a socket stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It has asked to join.
    Connecting,
    /// It is in its namespace.
    Connected,
    /// It has said that it leaves; what comes now was sent before that was known.
    Left,
    /// The server has disconnected or refused it.
    Ended,
}

/// What a client knows of its socket in one namespace.
#[derive(Debug)]
pub struct SocketState {
    /// Where it stands.
    pub phase: Phase,
    /// Its id, once it is connected.
    pub id: Option<String>,
    /// Numbered events that came.
    pub downs: u64,
    /// Numbered events that were sent.
    pub ups: u64,
    next_tick: Option<u64>,
    /// The newest number of each other socket in the rooms.
    rooms: BTreeMap<String, u64>,
    /// Whether packets of an earlier socket may still come.
    comes_back: bool,
    next_ack: u64,
    /// Acknowledgements that were asked for: what had been sent until then, and what came.
    acks: BTreeMap<u64, (u64, Option<Value>)>,
}

/// What a packet asks the client to do.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// An answer: the id, and the value.
    pub answer: Option<(u64, u64)>,
}

impl Default for SocketState {
    fn default() -> Self {
        Self {
            phase: Phase::Connecting,
            id: None,
            downs: 0,
            ups: 0,
            next_tick: None,
            rooms: BTreeMap::new(),
            comes_back: false,
            next_ack: 0,
            acks: BTreeMap::new(),
        }
    }
}

impl SocketState {
    /// A socket that has asked to join where another one of the same client has just left.
    pub fn after(another: Option<&Self>) -> Self {
        Self { comes_back: another.is_some(), ..Self::default() }
    }

    /// The id of a new acknowledgement.
    pub fn ask(&mut self) -> u64 {
        self.next_ack += 1;
        self.acks.insert(self.next_ack, (self.ups, None));
        self.next_ack
    }

    /// The answer, if it has come.
    pub fn take_answer(&mut self, id: u64) -> Option<Value> {
        self.acks.get(&id)?.1.as_ref()?;
        self.acks.remove(&id)?.1
    }

    /// Takes a packet: its type, its id, its arguments.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn receive(&mut self, kind: u8, id: Option<u64>, payload: &str) -> Result<Wanted, String> {
        let value = match payload {
            "" => Value::Null,
            text => serde_json::from_str(text).map_err(|error| format!("{error}: {text}"))?,
        };
        if kind == b'0' {
            return self.connected(&value).map(|()| Wanted::default());
        }
        let is_early = self.phase == Phase::Connecting && self.comes_back && kind != b'4';
        if self.phase == Phase::Left || is_early {
            return Ok(Wanted::default());
        }
        match (self.phase, kind) {
            (Phase::Connecting, b'4') | (Phase::Connected, b'1') => self.phase = Phase::Ended,
            (Phase::Connected, b'2') => return self.event(id, &value),
            (Phase::Connected, b'3') => self.answered(id, value)?,
            _ => {
                let phase = self.phase;
                return Err(format!("a packet {} {payload} while {phase:?}", char::from(kind)));
            }
        }
        Ok(Wanted::default())
    }

    fn connected(&mut self, value: &Value) -> Result<(), String> {
        match (self.phase, value["sid"].as_str()) {
            (Phase::Connecting, Some(id)) => {
                self.phase = Phase::Connected;
                self.id = Some(id.to_owned());
                Ok(())
            }
            (phase, sid) => Err(format!("connected as {sid:?} while {phase:?}")),
        }
    }

    fn event(&mut self, id: Option<u64>, value: &Value) -> Result<Wanted, String> {
        let name = value[0].as_str().unwrap_or_default();
        match (name, value[1].as_u64()) {
            ("down", Some(number)) => {
                if number != self.downs {
                    return Err(format!("down {number} came, and {} was due", self.downs));
                }
                self.downs += 1;
            }
            ("tick", Some(number)) => {
                if self.next_tick.is_some_and(|next| next != number) {
                    return Err(format!("tick {number} came, and {:?} was due", self.next_tick));
                }
                self.next_tick = Some(number + 1);
            }
            ("question", Some(number)) => {
                let id = id.ok_or("a question without an id")?;
                return Ok(Wanted { answer: Some((id, number)) });
            }
            ("room", None) => {
                let sender = value[1].as_str().ok_or("no sender")?.to_owned();
                let number = value[2].as_u64().ok_or("no number")?;
                let last = self.rooms.insert(sender, number);
                if last.is_some_and(|last| last >= number) {
                    return Err(format!("room {number} came after {last:?}"));
                }
            }
            _ => return Err(format!("an unknown event: {value}")),
        }
        Ok(Wanted::default())
    }

    fn answered(&mut self, id: Option<u64>, value: Value) -> Result<(), String> {
        let id = id.ok_or("an acknowledgement without an id")?;
        let Some((ups, answer @ None)) = self.acks.get_mut(&id) else {
            return Err(format!("acknowledgement {id} was not asked for"));
        };
        // The answer to "sync" says what the server has got and sent until then.
        if let Some([got, sent]) = value.as_array().map(Vec::as_slice)
            && (got.as_u64(), sent.as_u64()) != (Some(*ups), Some(self.downs))
        {
            let downs = self.downs;
            return Err(format!("{got} of {ups} came, and {downs} of {sent}"));
        }
        *answer = Some(value);
        Ok(())
    }
}
