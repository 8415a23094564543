//! Engine.IO from the client's side: polling, WebSocket, and the way from one to the other.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use sansocket_driver::{Runtime, Timestamp};

use super::websocket::Sender;
use super::{Http, SocketState, WebSocket};
use crate::simulation::application::World;
use crate::simulation::network::Network;
use crate::simulation::runtime::{Side, SimRuntime};
use crate::simulation::shared::{Shared, unless};
use crate::simulation::stream::ClientStream;

/// The path of every request, with the parameters that all of them have.
const TARGET: &str = "/socket.io/?EIO=4&transport=";

/// Longer than the server takes for anything.
const PATIENCE: Duration = Duration::from_secs(200);

/// The rest after an answer that brought nothing.
const NOOP_PAUSE: Duration = Duration::from_millis(20);

/// How a client leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// As the protocol asks for.
    Politely,
    /// By closing its streams.
    Close,
    /// By a reset.
    Reset,
    /// Without a word.
    Vanish,
    /// It closes its half of each stream, and reads on.
    HalfClose,
}

/// One session. A handle.
#[derive(Clone)]
pub struct Session {
    runtime: SimRuntime,
    network: Network,
    world: World,
    /// What its tasks share.
    pub state: Shared<SessionState>,
}

/// What the tasks of one session share.
pub struct SessionState {
    sid: String,
    outbox: VecDeque<String>,
    carrier: Carrier,
    getting: bool,
    posting: bool,
    over: Option<Option<Leave>>,
    /// Whether it answers pings and questions.
    pub answers: bool,
    /// When pings came.
    pub pings: Vec<Timestamp>,
    /// Its sockets, by their namespaces.
    pub sockets: BTreeMap<&'static str, SocketState>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carrier {
    Polling,
    /// Polling rests until nothing of it is under way.
    Pausing,
    WebSocket,
}

impl Session {
    /// Opens a session; `None` where the network or the server will not have it. With
    /// `closes`, every request has a stream of its own.
    pub async fn open(
        runtime: &SimRuntime,
        network: &Network,
        world: &World,
        websocket: bool,
        closes: bool,
    ) -> Option<Self> {
        let state = SessionState {
            sid: String::new(),
            outbox: VecDeque::new(),
            carrier: if websocket { Carrier::WebSocket } else { Carrier::Polling },
            getting: false,
            posting: false,
            over: None,
            answers: true,
            pings: Vec::new(),
            sockets: BTreeMap::new(),
        };
        let (runtime, network, world) = (runtime.clone(), network.clone(), world.clone());
        let session = Self { runtime, network, world, state: Shared::new(state) };
        if websocket {
            let websocket = session.open_websocket(&format!("{TARGET}websocket"), true).await?;
            session.run_websocket(websocket);
        } else {
            let mut http = session.http(closes);
            let response = http.exchange("GET", &format!("{TARGET}polling"), "").await?;
            if response.status != 200 {
                return None;
            }
            let packets = session.begin(&response.body)?;
            packets.into_iter().for_each(|packet| session.receive(packet));
            session.run_polling(http, session.http(closes));
        }
        Some(session)
    }

    /// Asks to join a namespace.
    pub fn join(&self, namespace: &'static str, auth: &str) {
        self.state.update(|state| {
            let socket = SocketState::after(state.sockets.get(namespace));
            state.sockets.insert(namespace, socket);
        });
        self.send(format!("40{}{auth}", prefix(namespace)));
    }

    /// Sends an event, `args` being what stands behind its name.
    pub fn emit(&self, namespace: &'static str, event: &str, args: &str, ack: bool) -> Option<u64> {
        let id = match ack {
            true => {
                self.state.update(|state| state.sockets.get_mut(namespace).map(SocketState::ask))
            }
            false => None,
        };
        let number = id.map(|id| id.to_string()).unwrap_or_default();
        let comma = if args.is_empty() { "" } else { "," };
        self.send(format!("42{}{number}[\"{event}\"{comma}{args}]", prefix(namespace)));
        id
    }

    /// Leaves a namespace.
    pub fn part(&self, namespace: &'static str) {
        self.state.update(|state| {
            if let Some(socket) = state.sockets.get_mut(namespace) {
                socket.phase = super::Phase::Left;
            }
        });
        self.send(format!("41{}", prefix(namespace)));
    }

    /// Queues an Engine.IO packet.
    pub fn send(&self, packet: String) {
        self.state.update(|state| state.outbox.push_back(packet));
    }

    /// Whether it is over, for whatever reason.
    pub fn is_over(&self) -> bool {
        self.state.read(|state| state.over.is_some())
    }

    /// Waits for a change of a socket, at most until the session is over. The outer option is
    /// `None` if nothing comes.
    pub async fn wait<R>(
        &self,
        namespace: &'static str,
        mut find: impl FnMut(&mut SocketState) -> Option<R>,
    ) -> Option<Option<R>> {
        let found = self.state.wait(|state| {
            let found = state.sockets.get_mut(namespace).and_then(&mut find);
            if found.is_some() || state.over.is_none() { found.map(Some) } else { Some(None) }
        });
        unless(found, self.runtime.sleep(PATIENCE + self.runtime.lateness())).await
    }

    /// Goes on by WebSocket. With `breaks_off`, the client changes its mind at the last moment.
    pub async fn upgrade(&self, breaks_off: bool) -> bool {
        let polling = self.state.read(|s| s.carrier == Carrier::Polling && s.over.is_none());
        if !polling {
            return false;
        }
        let target = self.state.read(|state| format!("{TARGET}websocket&sid={}", state.sid));
        let opened = unless(self.open_websocket(&target, false), self.over()).await;
        let Some(Some(mut websocket)) = opened else { return false };
        let sender = websocket.sender();
        if !self.probe(&mut websocket).await {
            return false;
        }
        self.state.update(|state| state.carrier = Carrier::Pausing);
        let paused = self.state.wait(|state| (!state.getting && !state.posting).then_some(()));
        let paused = unless(paused, self.over()).await.is_some();
        let goes_on = paused && !breaks_off && sender.send_text("5").await;
        if !goes_on {
            self.state.update(|state| state.carrier = Carrier::Polling);
            return false;
        }
        self.state.update(|state| state.carrier = Carrier::WebSocket);
        self.run_websocket(websocket);
        true
    }

    /// Leaves.
    pub fn leave(&self, how: Leave) {
        self.state.update(|state| {
            state.over.get_or_insert(Some(how));
        });
    }

    async fn probe(&self, websocket: &mut WebSocket) -> bool {
        let sender = websocket.sender();
        let probed = async {
            sender.send_text("2probe").await
                && websocket.next_text().await.is_some_and(|text| text == "3probe")
        };
        let limit = self.runtime.sleep(PATIENCE);
        matches!(unless(unless(probed, self.over()), limit).await, Some(Some(true)))
    }

    fn http(&self, closes: bool) -> Http {
        let mut http = Http::new(&self.runtime, &self.network, &self.world);
        http.closes = closes;
        http
    }

    async fn open_websocket(&self, target: &str, begins: bool) -> Option<WebSocket> {
        let http = self.http(false);
        let mut websocket = WebSocket::open(http, &self.runtime, &self.world, target).await?;
        if begins {
            let open = websocket.next_text().await?;
            self.begin(&open)?;
        }
        Some(websocket)
    }

    /// Takes the open packet; the packets behind it.
    fn begin<'a>(&self, body: &'a str) -> Option<Vec<&'a str>> {
        let mut packets = body.split('\x1e');
        let open = packets.next()?.strip_prefix('0');
        let open = open.and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
        let Some(sid) = open.as_ref().and_then(|open| open["sid"].as_str()) else {
            self.world.violation(format!("no open packet: {body}"));
            return None;
        };
        self.state.update(|state| state.sid = sid.to_owned());
        Some(packets.collect())
    }

    fn run_polling(&self, get: Http, post: Http) {
        let session = self.clone();
        self.runtime.start(Side::World, "get", async move { session.get(get).await });
        let session = self.clone();
        self.runtime.start(Side::World, "post", async move { session.post(post).await });
    }

    fn run_websocket(&self, websocket: WebSocket) {
        let sender = websocket.sender();
        let session = self.clone();
        self.runtime.start(Side::World, "read", async move { session.read(websocket).await });
        let session = self.clone();
        self.runtime.start(Side::World, "write", async move { session.write(sender).await });
    }

    async fn get(self, mut http: Http) {
        let target = self.state.read(|state| format!("{TARGET}polling&sid={}", state.sid));
        loop {
            let goes_on = self.state.wait(|state| match state.carrier {
                _ if state.over.is_some() => Some(false),
                Carrier::Polling => {
                    state.getting = true;
                    Some(true)
                }
                Carrier::Pausing => None,
                Carrier::WebSocket => Some(false),
            });
            if !goes_on.await {
                break;
            }
            let response = unless(http.exchange("GET", &target, ""), self.over()).await;
            let body = match response {
                Some(Some(response)) if response.status == 200 => response.body,
                Some(Some(_) | None) => {
                    self.end();
                    break;
                }
                None => break,
            };
            body.split('\x1e').for_each(|packet| self.receive(packet));
            self.state.update(|state| state.getting = false);
            if body == "6" {
                // While a WebSocket is probing, the server answers every GET at once, and without
                // a pause no time would pass on a network without latency.
                unless(self.runtime.sleep(NOOP_PAUSE), self.over()).await;
            }
        }
        self.state.update(|state| state.getting = false);
        if let Some(stream) = http.stream() {
            self.finish(stream).await;
        }
    }

    async fn post(self, mut http: Http) {
        let target = self.state.read(|state| format!("{TARGET}polling&sid={}", state.sid));
        loop {
            let body = self.state.wait(|state| match state.carrier {
                _ if state.over.is_some() => Some(None),
                Carrier::Polling if state.outbox.is_empty() => None,
                Carrier::Polling => {
                    state.posting = true;
                    let packets: Vec<_> = state.outbox.drain(..).collect();
                    Some(Some(packets.join("\x1e")))
                }
                Carrier::Pausing => None,
                Carrier::WebSocket => Some(None),
            });
            let Some(body) = body.await else { break };
            let response = unless(http.exchange("POST", &target, &body), self.over()).await;
            self.state.update(|state| state.posting = false);
            match response {
                Some(Some(response)) if response.status == 200 => {
                    if response.body != "ok" {
                        self.world.violation(format!("a POST was answered: {response:?}"));
                    }
                }
                Some(Some(_) | None) => {
                    self.end();
                    break;
                }
                None => {
                    // Half of a response may have come.
                    http.close();
                    break;
                }
            }
        }
        let leave = self.state.read(|state| state.over.flatten());
        let on_polling = self.state.read(|state| state.carrier != Carrier::WebSocket);
        if leave == Some(Leave::Politely) && on_polling {
            let limit = self.runtime.sleep(PATIENCE);
            // The server may be gone by now.
            let _ = unless(http.exchange("POST", &target, "1"), limit).await;
        }
        if let Some(stream) = http.stream() {
            self.finish(stream).await;
        }
    }

    async fn read(self, mut websocket: WebSocket) {
        loop {
            match unless(websocket.next_text(), self.over()).await {
                Some(Some(packet)) => self.receive(&packet),
                Some(None) => {
                    self.end();
                    break;
                }
                None => break,
            }
        }
        match self.state.read(|state| state.over.flatten()) {
            Some(Leave::Politely) => {
                // Until the server's close frame and the end of its stream.
                let limit = self.runtime.sleep(PATIENCE);
                let _ = unless(async { while websocket.next().await.is_some() {} }, limit).await;
            }
            Some(_) => self.finish(&websocket.stream).await,
            None => {}
        }
    }

    async fn write(self, sender: Sender) {
        loop {
            let packet = self.state.wait(|state| match state.over {
                Some(_) => Some(None),
                None => state.outbox.pop_front().map(Some),
            });
            let Some(packet) = packet.await else { break };
            let sent = unless(sender.send_text(&packet), self.over()).await;
            if sent == Some(false) {
                // The reader sees the end behind what is still to be read.
                return;
            }
            if sent.is_none() {
                // A frame was cut short; there is no way to say goodbye.
                sender.stream().shut_down();
                return;
            }
        }
        let over = self.state.read(|state| state.over);
        if matches!(over, Some(Some(Leave::Politely) | None)) {
            let limit = self.runtime.sleep(PATIENCE);
            let _ = unless(sender.close(), limit).await;
        }
    }

    /// Does to a stream what the way of leaving asks for.
    async fn finish(&self, stream: &ClientStream) {
        match self.state.read(|state| state.over.flatten()) {
            None | Some(Leave::Politely | Leave::Close) => {}
            Some(Leave::Reset) => stream.reset(),
            Some(Leave::Vanish) => stream.vanish(),
            Some(Leave::HalfClose) => {
                stream.shut_down();
                let limit = self.runtime.sleep(PATIENCE);
                let _ = unless(async { while stream.receive().await.is_some() {} }, limit).await;
            }
        }
    }

    /// The server, or the network, has ended it.
    fn end(&self) {
        self.state.update(|state| {
            state.over.get_or_insert(None);
        });
    }

    async fn over(&self) {
        self.state.wait(|state| state.over.map(drop)).await;
    }

    fn receive(&self, packet: &str) {
        let now = self.runtime.now();
        let result = self.state.update(|state| match packet.split_at_checked(1) {
            _ if state.over.is_some() => Ok(()),
            Some(("2", "")) => {
                state.pings.push(now);
                if state.answers {
                    state.outbox.push_back("3".to_owned());
                }
                Ok(())
            }
            Some(("4", message)) => state.receive(message),
            Some(("1", "")) => {
                state.over = Some(None);
                Ok(())
            }
            Some(("6", "")) => Ok(()),
            _ => Err("no packet".to_owned()),
        });
        if let Err(problem) = result {
            self.world.violation(format!("a client got {packet:?}: {problem}"));
        }
    }
}

impl SessionState {
    fn receive(&mut self, message: &str) -> Result<(), String> {
        let (kind, rest) = message.split_at_checked(1).ok_or("an empty message")?;
        let (namespace, rest) = match rest.split_once(',') {
            Some((name, rest)) if name.starts_with('/') => (name, rest),
            Some(_) | None => ("/", rest),
        };
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (id, payload) = rest.split_at(digits);
        let id = id.parse().ok();
        let (namespace, socket) = self
            .sockets
            .iter_mut()
            .find(|(name, _)| **name == namespace)
            .ok_or("a namespace that was not asked for")?;
        let wanted = socket.receive(kind.as_bytes()[0], id, payload)?;
        if let Some((id, value)) = wanted.answer
            && self.answers
        {
            self.outbox.push_back(format!("43{}{id}[{value}]", prefix(namespace)));
        }
        Ok(())
    }
}

/// The namespace in a packet.
fn prefix(namespace: &str) -> String {
    if namespace == "/" { String::new() } else { format!("{namespace},") }
}
