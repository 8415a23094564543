//! What one client does.

use std::time::Duration;

use super::application::{NAMESPACES, World};
use super::client::{Leave, Phase, Session};
use super::network::Network;
use super::runtime::SimRuntime;
use crate::choices::Choices;

/// A client's part.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// When it comes.
    pub start: Duration,
    /// Whether it begins by WebSocket.
    pub websocket: bool,
    /// Whether each of its requests has a stream of its own.
    pub closes: bool,
    /// Which of [`NAMESPACES`] it joins.
    pub namespace: usize,
    /// What it gives to join.
    pub auth: &'static str,
    /// What it does then.
    pub actions: Vec<Action>,
    /// How it leaves.
    pub leave: Option<Leave>,
    /// How often it does all of this.
    pub rounds: u64,
}

/// Something that a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Waits until everything is there that was sent before, on either side.
    Sync,
    /// Sends as many numbered events.
    Up(u64),
    /// Asks for a numbered event.
    Echo,
    /// The same, after some time.
    Wait(u64),
    /// Sends and gets as many bytes.
    Large(usize),
    /// Is asked.
    Ask,
    /// Is asked by a task beside the handler.
    AskLater,
    /// Everybody is asked.
    AskAll,
    /// Joins a room, and leaves it.
    Join,
    /// See [`Join`](Self::Join).
    LeaveRoom,
    /// Sends to the room.
    Room,
    /// Something is sent to everybody.
    Tick,
    /// Rests for as many milliseconds.
    Sleep(u64),
    /// From polling to WebSocket, or not quite.
    Upgrade {
        /// Whether it stops at the last moment.
        breaks_off: bool,
    },
    /// Leaves the namespace and comes back.
    Rejoin,
    /// Answers nothing from now on.
    FallSilent,
    /// The handler panics after as many milliseconds.
    Panic(u64),
    /// The server ends the socket, or the whole connection.
    End {
        /// Whether it is the connection.
        whole: bool,
    },
    /// The server ends everybody.
    EndAll,
    /// The handler does not return.
    Never,
}

impl Action {
    /// Whether sessions may end by it.
    pub fn is_fatal(self) -> bool {
        match self {
            Self::FallSilent | Self::Panic(_) | Self::End { .. } | Self::EndAll | Self::Never => {
                true
            }
            Self::Sync
            | Self::Up(_)
            | Self::Echo
            | Self::Wait(_)
            | Self::Large(_)
            | Self::Ask
            | Self::AskLater
            | Self::AskAll
            | Self::Join
            | Self::LeaveRoom
            | Self::Room
            | Self::Tick
            | Self::Sleep(_)
            | Self::Upgrade { .. }
            | Self::Rejoin => false,
        }
    }

    fn draw(choices: &mut Choices<'_>, fatal: bool) -> Self {
        let fatal = u32::from(fatal);
        let weights =
            [6, 6, 4, 3, 2, 3, 2, 2, 2, 1, 3, 3, 3, 5, 2, fatal, fatal, fatal, fatal, fatal];
        match choices.weighted(&weights) {
            0 => Self::Sync,
            1 => Self::Up(choices.number(1..=20)),
            2 => Self::Echo,
            3 => Self::Wait(choices.number(0..=3_000)),
            4 => Self::Large(choices.number(0..=6_000) as usize),
            5 => Self::Ask,
            6 => Self::AskLater,
            7 => Self::AskAll,
            8 => Self::Join,
            9 => Self::LeaveRoom,
            10 => Self::Room,
            11 => Self::Tick,
            12 => Self::Sleep(choices.number(0..=60_000)),
            13 => Self::Upgrade { breaks_off: choices.chance(50) },
            14 => Self::Rejoin,
            15 => Self::FallSilent,
            16 => Self::Panic(choices.number(0..=50)),
            17 => Self::End { whole: choices.chance(128) },
            18 => Self::EndAll,
            _ => Self::Never,
        }
    }
}

impl Script {
    /// Draws one. `fatal` allows what may end sessions.
    pub fn draw(choices: &mut Choices<'_>, fatal: bool) -> Self {
        let start = Duration::from_millis(choices.number(0..=500));
        let websocket = choices.chance(100);
        let closes = choices.chance(60);
        let namespace = usize::from(choices.chance(60));
        let auth = match namespace {
            0 => "",
            _ => *choices.pick(&[
                "{}",
                r#"{"wait_ms":20}"#,
                r#"{"wait_ms":1500}"#,
                r#"{"wait_ms":50000}"#,
                r#"{"refuse":true}"#,
            ]),
        };
        let count = choices.index(12);
        let actions = (0..count).map(|_| Action::draw(choices, fatal)).collect();
        let leave = *choices.pick(&[
            Leave::Politely,
            Leave::Close,
            Leave::Reset,
            Leave::HalfClose,
            Leave::Vanish,
        ]);
        let rounds = choices.number(1..=3);
        Self { start, websocket, closes, namespace, auth, actions, leave: Some(leave), rounds }
    }

    /// Whether a session may end before its client leaves.
    pub fn is_fatal(&self) -> bool {
        self.actions.iter().any(|action| action.is_fatal())
            || self.auth.contains("50000")
            || self.auth.contains("refuse")
    }
}

/// A client at work.
pub struct Player {
    /// Where it runs.
    pub runtime: SimRuntime,
    /// Where it connects.
    pub network: Network,
    /// Where it complains.
    pub world: World,
    /// Whether nothing may end its session but itself.
    pub is_calm: bool,
}

impl Player {
    /// Plays a part.
    pub async fn play(self, script: Script) {
        self.runtime.sleep(script.start).await;
        for _ in 0..script.rounds {
            let opened = Session::open(
                &self.runtime,
                &self.network,
                &self.world,
                script.websocket,
                script.closes,
            );
            let Some(session) = opened.await else {
                if self.is_calm {
                    self.world.violation("a session was refused");
                }
                return;
            };
            let lived = self.visit(&session, &script).await;
            if self.is_calm && !lived {
                self.world.violation("a session ended without a reason");
            }
            session.leave(script.leave.unwrap_or(Leave::Politely));
        }
    }

    /// `false` if the session ended before its time.
    async fn visit(&self, session: &Session, script: &Script) -> bool {
        let namespace = NAMESPACES[script.namespace % NAMESPACES.len()];
        if !self.join(session, namespace, script.auth).await {
            return false;
        }
        let mut room = 0;
        let mut stuck = false;
        for action in &script.actions {
            if session.is_over() {
                return false;
            }
            stuck |= *action == Action::Never;
            if !self.act(session, script, namespace, *action, &mut room, stuck).await {
                return false;
            }
        }
        !session.is_over()
    }

    async fn join(&self, session: &Session, namespace: &'static str, auth: &str) -> bool {
        session.join(namespace, auth);
        let joined = session.wait(namespace, |socket| match socket.phase {
            Phase::Connecting => None,
            Phase::Connected => Some(true),
            Phase::Left | Phase::Ended => Some(false),
        });
        match joined.await {
            Some(joined) => joined == Some(true),
            None => {
                self.world.violation("a client waits for a namespace for ever");
                false
            }
        }
    }

    async fn act(
        &self,
        session: &Session,
        script: &Script,
        namespace: &'static str,
        action: Action,
        room: &mut u64,
        stuck: bool,
    ) -> bool {
        let emit = |event: &str, args: &str| {
            session.emit(namespace, event, args, false);
        };
        match action {
            Action::Sync => return self.ask(session, namespace, "sync", "", stuck).await.is_some(),
            Action::Up(count) => {
                for _ in 0..count {
                    let number = session.state.update(|state| {
                        let socket = state.sockets.get_mut(namespace)?;
                        socket.ups += 1;
                        Some(socket.ups - 1)
                    });
                    emit("up", &number.unwrap_or_default().to_string());
                }
            }
            Action::Echo => emit("echo", ""),
            Action::Wait(millis) => emit("wait", &millis.to_string()),
            Action::Large(length) => {
                let args = format!("\"{}\",{length}", "x".repeat(length));
                let answer = self.ask(session, namespace, "large", &args, stuck).await;
                let Some(answer) = answer else { return false };
                if answer[0].as_str().map(str::len) != Some(length) {
                    self.world.violation("a large answer was damaged");
                }
            }
            Action::Ask => emit("ask", &room.to_string()),
            Action::AskLater => emit("ask later", &room.to_string()),
            Action::AskAll => emit("ask all", &room.to_string()),
            Action::Join => emit("join", "\"room\""),
            Action::LeaveRoom => emit("leave", "\"room\""),
            Action::Room => {
                *room += 1;
                emit("room", &format!("\"room\",{room}"));
            }
            Action::Tick => emit("tick", ""),
            Action::Sleep(millis) => {
                self.runtime.sleep(Duration::from_millis(millis)).await;
            }
            Action::Upgrade { breaks_off } => {
                session.upgrade(breaks_off).await;
            }
            Action::Rejoin => {
                session.part(namespace);
                return self.join(session, namespace, script.auth).await;
            }
            Action::FallSilent => session.state.update(|state| state.answers = false),
            Action::Panic(millis) => emit("panic", &millis.to_string()),
            Action::End { whole } => emit("end", &whole.to_string()),
            Action::EndAll => emit("end all", ""),
            Action::Never => emit("never", ""),
        }
        true
    }

    /// An answer, or `None` if the session ends before it.
    async fn ask(
        &self,
        session: &Session,
        namespace: &'static str,
        event: &str,
        args: &str,
        stuck: bool,
    ) -> Option<serde_json::Value> {
        let id = session.emit(namespace, event, args, true)?;
        let answer = session.wait(namespace, |socket| match socket.phase {
            Phase::Connected => socket.take_answer(id).map(Some),
            Phase::Connecting | Phase::Left | Phase::Ended => Some(None),
        });
        match answer.await {
            Some(answer) => answer.flatten(),
            None => {
                if !stuck {
                    self.world.violation(format!("{event} was not answered"));
                }
                None
            }
        }
    }
}
