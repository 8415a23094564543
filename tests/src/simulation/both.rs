//! Both ends are ours: the driver's client against the driver's server, on a network that delays,
//! cuts and loses.
//!
//! What the client promises is checked at both ends: events arrive in the order in which they were
//! emitted and never twice, across any number of connections; what was emitted at least once and
//! acknowledged has arrived; every acknowledgement comes to something; connects and disconnects take
//! turns; and at the end nothing is left of either side, nor did anybody miss a wake-up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::rt::{Read, Write};
use sansocket_driver::client::{Client, Connecting, DisconnectReason, Endpoint, Socket, Stream};
use sansocket_driver::{
    Ack, AckError, Builder, Io, MessagePack, PerMessageDeflate, Runtime, SharedParser,
    Socket as ServerSocket, Stats, Transport,
};

use super::network::{Network, Plan, Weather};
use super::runtime::{Habits, Side, SimRuntime, Step, Violation};
use super::scenario::{draw_habits, draw_weather};
use super::shared::Shared;
use super::stream::{ClientIo, ClientStream};
use crate::choices::Choices;

/// One run.
#[derive(Debug)]
pub struct BothEnds {
    /// The scheduler and the clock.
    pub habits: Habits,
    /// The network.
    pub weather: Weather,
    /// One stream's fate.
    pub plan: Option<Plan>,
    /// The server's ping interval and ping timeout.
    pub heartbeat: (Duration, Duration),
    /// That of the server and of all clients.
    pub parser: Option<SharedParser>,
    /// What each client does.
    pub clients: Vec<ClientPlan>,
    /// Whether WebSockets are compressed, and what both ends send refers to what they have sent
    /// before: whatever is lost, repeated or out of order then shows.
    pub compresses: bool,
    /// All further decisions.
    pub noise: Choices<'static>,
}

/// What a client does.
#[derive(Clone, Debug)]
pub struct ClientPlan {
    /// What it connects by.
    pub transports: Vec<Transport>,
    /// One after the other.
    pub acts: Vec<Act>,
    /// Whether it is dropped at the end, rather than closed.
    pub is_dropped: bool,
}

/// What a client may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Emits so many events.
    Emit(u8),
    /// Emits one that may be dropped.
    Volatile,
    /// Emits so many that are repeated until they are acknowledged.
    AtLeastOnce(u8),
    /// Emits one that is acknowledged.
    Ask,
    /// Has the server emit so many events.
    Burst(u8),
    /// Has the server ask something.
    BeAsked,
    /// Waits.
    Sleep(u64),
    /// Disconnects the namespace, and connects it again.
    Reconnect,
    /// Has the server disconnect it, and connects again when it has.
    BeDisconnected,
    /// Joins another namespace on the same connection, and leaves it at the end.
    JoinOther,
}

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BothOutcome {
    /// How often tasks were polled.
    pub polls: u64,
    /// How long it took, by its own clock.
    pub elapsed: Duration,
    /// How often a namespace was connected.
    pub connects: usize,
    /// Events that arrived, at either end.
    pub events: usize,
    /// What should not have happened.
    pub violations: Vec<String>,
}

/// Steps of one run, far more than any needs.
const STEPS_MAX: u64 = 3_000_000;

/// In this time everything of a client that has gone is gone from the server.
const REST: Duration = Duration::from_secs(600);

/// What both ends have seen.
#[derive(Clone, Default)]
struct Ledger(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    /// The last number of each kind of event on each socket, which only grows. What was under way on
    /// a connection that its client has given up may come behind what came on the next.
    last: BTreeMap<(String, &'static str), u64>,
    /// What the server has received of each client.
    up: BTreeSet<(usize, u64)>,
    /// What it has received at least once.
    sure: BTreeSet<(usize, u64)>,
    /// Numbers of events to emit to each client.
    down: BTreeMap<usize, u64>,
    connected: BTreeMap<usize, bool>,
    connects: usize,
    events: usize,
    violations: Vec<String>,
}

impl Ledger {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn violation(&self, problem: String) {
        self.seen().violations.push(problem);
    }

    /// An event came, behind those that were emitted before it.
    fn in_order(&self, socket: &str, kind: &'static str, number: u64) {
        let mut seen = self.seen();
        seen.events += 1;
        let last = seen.last.insert((socket.to_owned(), kind), number);
        if last.is_some_and(|last| last >= number) {
            seen.violations.push(format!("{socket}: {kind} {number} after {last:?}"));
        }
    }

    fn connected(&self, client: usize, connected: bool) {
        let mut seen = self.seen();
        seen.connects += usize::from(connected);
        let was = seen.connected.insert(client, connected).unwrap_or_default();
        if was == connected {
            seen.violations.push(format!("client {client}: connected {connected} twice"));
        }
    }
}

impl BothEnds {
    /// The run that `bytes` describe.
    pub fn draw(bytes: &[u8]) -> Self {
        let mut choices = Choices::new(bytes);
        let habits = draw_habits(&mut choices);
        let mut weather = draw_weather(&mut choices);
        // A GET is answered at once while a WebSocket is probed, for up to the upgrade time-out where that
        // is lost. On a network of no latency, these would be millions.
        weather.latency_least = Duration::from_micros(500);
        let heartbeat = *choices.pick(&[(25_000, 20_000), (1_000, 1_000), (5_000, 5_000)]);
        let heartbeat = (Duration::from_millis(heartbeat.0), Duration::from_millis(heartbeat.1));
        let clients = (0..choices.number(1..=3)).map(|_| ClientPlan::draw(&mut choices)).collect();
        let seed = bytes.iter().fold(7, |seed: u64, byte| seed.wrapping_mul(31) ^ u64::from(*byte));
        // Not drawn, so that what was found before stays what it is.
        let compresses = seed & 1 == 1;
        let noise = Choices::from_seed(seed);
        let parser = seed.is_multiple_of(3).then(|| SharedParser::from(MessagePack));
        Self { habits, weather, plan: None, heartbeat, parser, clients, compresses, noise }
    }

    /// Runs it to its end.
    pub fn run(self) -> BothOutcome {
        let Self { habits, weather, plan, heartbeat, parser, clients, compresses, noise } = self;
        let runtime = SimRuntime::new(habits, noise);
        let begin = runtime.now();
        let ledger = Ledger::default();
        let deflate = compresses.then(|| {
            let deflate = PerMessageDeflate::default().threshold(0);
            deflate.server_context_takeover(true).client_context_takeover(true)
        });
        let io = server(&runtime, &ledger, heartbeat, deflate, parser.clone());
        let network = Network::new(&runtime, weather, &io, plan);
        let playing = Shared::new(clients.len());
        for (number, plan) in clients.into_iter().enumerate() {
            let player = Player {
                number,
                runtime: runtime.clone(),
                network: network.clone(),
                ledger: ledger.clone(),
                deflate,
                parser: parser.clone(),
            };
            let playing = playing.clone();
            runtime.start(Side::World, "player", async move {
                player.play(plan).await;
                playing.update(|playing| *playing -= 1);
            });
        }
        let course = Course { runtime: runtime.clone(), network: network.clone() };
        let (judge, closed) = (ledger.clone(), Shared::new(false));
        let done = closed.clone();
        runtime.start(Side::World, "course", async move {
            playing.wait(|playing| (*playing == 0).then_some(())).await;
            course.end(io, &judge).await;
            done.update(|done| *done = true);
        });
        if let Err(Violation(problem)) = steps(&runtime) {
            ledger.violation(problem);
        }
        let tasks = [runtime.tasks(Side::Server), runtime.tasks(Side::World)];
        if !closed.read(|closed| *closed) || tasks.iter().any(|tasks| !tasks.is_empty()) {
            ledger.violation(format!("tasks are left: {tasks:?}"));
        }
        if runtime.sleeps() > 0 || network.held() > 0 {
            let (sleeps, held) = (runtime.sleeps(), network.held());
            ledger.violation(format!("{sleeps} sleeps and {held} streams are left"));
        }
        let elapsed = runtime.now().saturating_duration_since(begin);
        let polls = runtime.polls();
        network.stop_listening();
        runtime.end();
        let mut seen = ledger.seen();
        let violations = std::mem::take(&mut seen.violations);
        BothOutcome { polls, elapsed, connects: seen.connects, events: seen.events, violations }
    }
}

/// One run of both drivers, decided by `bytes`.
///
/// # Panics
///
/// If something did not hold.
pub fn simulate_both(bytes: &[u8]) -> BothOutcome {
    let outcome = BothEnds::draw(bytes).run();
    assert!(outcome.violations.is_empty(), "{:#?}", outcome.violations);
    outcome
}

impl ClientPlan {
    fn draw(choices: &mut Choices<'_>) -> Self {
        let both = vec![Transport::Polling, Transport::WebSocket];
        let transports =
            [both, vec![Transport::WebSocket], vec![Transport::Polling]][choices.index(3)].clone();
        let acts = (0..choices.number(1..=12)).map(|_| Act::draw(choices)).collect();
        Self { transports, acts, is_dropped: choices.chance(100) }
    }
}

impl Act {
    fn draw(choices: &mut Choices<'_>) -> Self {
        match choices.weighted(&[4, 1, 4, 4, 3, 3, 4, 1, 1, 1]) {
            0 => Self::Emit(choices.byte() % 20),
            1 => Self::Volatile,
            2 => Self::AtLeastOnce(choices.byte() % 8),
            3 => Self::Ask,
            4 => Self::Burst(choices.byte() % 20),
            5 => Self::BeAsked,
            6 => Self::Sleep(*choices.pick(&[0, 1, 50, 1_000, 30_000])),
            7 => Self::Reconnect,
            8 => Self::BeDisconnected,
            _ => Self::JoinOther,
        }
    }
}

fn server(
    runtime: &SimRuntime,
    ledger: &Ledger,
    (interval, timeout): (Duration, Duration),
    deflate: Option<PerMessageDeflate>,
    parser: Option<SharedParser>,
) -> Io {
    let mut builder = Builder::<Io>::default().ping_interval(interval).ping_timeout(timeout);
    builder = builder.shards(1).seed([7; 32]);
    if let Some(deflate) = deflate {
        builder = builder.per_message_deflate(deflate);
    }
    if let Some(parser) = parser {
        builder = builder.parser(parser);
    }
    let Ok(io) = builder.build_with(Arc::new(runtime.clone())) else {
        panic!("a seed is all that could be missing");
    };
    let (up, sure, down, asked) = (ledger.clone(), ledger.clone(), ledger.clone(), ledger.clone());
    io.on("up", move |socket: ServerSocket, (client, number): (usize, u64)| {
        up.in_order(socket.id().as_str(), "up", number);
        if !up.seen().up.insert((client, number)) {
            up.violation(format!("client {client}: {number} came twice"));
        }
        async {}
    })
    .on("sure", move |socket: ServerSocket, (client, number): (usize, u64)| {
        // On one connection it is repeated only where no acknowledgement came in time.
        let key = (socket.id().as_str().to_owned(), "sure");
        let last = sure.seen().last.insert(key, number);
        if last.is_some_and(|last| last > number) {
            sure.violation(format!("client {client}: sure {number} after {last:?}"));
        }
        let mut seen = sure.seen();
        seen.events += 1;
        seen.sure.insert((client, number));
        async move { Ack(number) }
    })
    .on("echo", async |_: ServerSocket, number: u64| Ack(number))
    .on("burst", move |socket: ServerSocket, (client, count): (usize, u8)| {
        for _ in 0..count {
            let mut seen = down.seen();
            let number = seen.down.entry(client).or_default();
            *number += 1;
            let number = *number;
            drop(seen);
            // It may have left by now.
            let _ = socket.emit("down", &number);
        }
        async {}
    })
    .on("ask me", move |socket: ServerSocket, client: usize| {
        let asked = asked.clone();
        async move {
            let timeout = Duration::from_secs(10);
            let answer = socket.emit_with_ack::<usize>("question", &client, timeout).await;
            if answer.as_ref().is_ok_and(|answer| *answer != client) {
                asked.violation(format!("client {client} answered {answer:?}"));
            }
        }
    })
    .on("leave", async |socket: ServerSocket, (): ()| socket.disconnect());
    io.of("/other").on("echo", async |_: ServerSocket, number: u64| Ack(number));
    io
}

struct Player {
    number: usize,
    runtime: SimRuntime,
    network: Network,
    ledger: Ledger,
    deflate: Option<PerMessageDeflate>,
    parser: Option<SharedParser>,
}

/// It has no runtime of its own.
struct Simulated;

impl Player {
    async fn play(self, plan: ClientPlan) {
        let Ok(client) = self.client(plan.transports).start() else {
            return self.ledger.violation("the settings are fine".to_owned());
        };
        let mut pending = Vec::new();
        let mut others = Vec::new();
        let mut next = [1, 1, 1];
        let [up, sure, echo] = &mut next;
        for act in plan.acts {
            let take = |counter: &mut u64| {
                *counter += 1;
                *counter - 1
            };
            match act {
                Act::Emit(count) => {
                    for _ in 0..count {
                        self.sent(client.emit("up", &(self.number, take(up))));
                    }
                }
                // Dropped, or in its place among the others.
                Act::Volatile => {
                    let _ = client.volatile().emit("up", &(self.number, take(up)));
                }
                Act::AtLeastOnce(count) => {
                    for _ in 0..count {
                        let number = take(sure);
                        let ack = client.emit_at_least_once::<u64>("sure", &(self.number, number));
                        pending.push((Some(number), number, ack));
                    }
                }
                Act::Ask => {
                    let number = take(echo);
                    let timeout = Duration::from_secs(20);
                    pending.push((None, number, client.emit_with_ack("echo", &number, timeout)));
                }
                Act::Burst(count) => self.sent(client.emit("burst", &(self.number, count))),
                Act::BeAsked => self.sent(client.emit("ask me", &self.number)),
                Act::Sleep(millis) => self.runtime.sleep(Duration::from_millis(millis)).await,
                Act::Reconnect => {
                    client.disconnect();
                    client.connect();
                }
                Act::BeDisconnected => self.sent(client.emit("leave", &())),
                Act::JoinOther => {
                    if let Ok(other) = client.of("/other").start() {
                        let number = take(echo);
                        let timeout = Duration::from_secs(20);
                        pending.push((None, number, other.emit_with_ack("echo", &number, timeout)));
                        others.push(other);
                    }
                }
            }
        }
        drop(others);
        self.runtime.sleep(Duration::from_secs(60)).await;
        match plan.is_dropped {
            true => drop(client),
            false => client.close().await,
        }
        // Nobody waits for ever, whatever became of it.
        for (sure, number, ack) in pending {
            let ack = ack.await;
            if ack.as_ref().is_ok_and(|answer| *answer != number) {
                self.ledger.violation(format!("{number} was answered by {ack:?}"));
            }
            if let (Some(sure), Ok(_)) = (sure, &ack)
                && !self.ledger.seen().sure.contains(&(self.number, sure))
            {
                self.ledger.violation(format!("{sure} was acknowledged and not received"));
            }
            if matches!(ack, Err(AckError::Decode(_))) {
                self.ledger.violation(format!("{number}: {ack:?}"));
            }
        }
    }

    fn client(
        &self,
        transports: Vec<Transport>,
    ) -> sansocket_driver::client::Builder<sansocket_driver::client::NewConnection<Simulated>> {
        let number = self.number;
        let network = self.network.clone();
        let connector = move |_: &Endpoint| dial(network.connect());
        let (down, connects, ends, errors) =
            (self.ledger.clone(), self.ledger.clone(), self.ledger.clone(), self.ledger.clone());
        let runtime = Arc::new(self.runtime.clone());
        let mut builder = Client::<Simulated>::builder_on(runtime, connector, "http://server");
        if let Some(deflate) = self.deflate {
            builder = builder.per_message_deflate(deflate);
        }
        if let Some(parser) = &self.parser {
            builder = builder.parser(parser.clone());
        }
        builder
            .seed([self.number as u8; 32])
            .transports(transports)
            .on("down", move |_: Socket, event: u64| {
                down.in_order(&format!("client {number}"), "down", event);
                async {}
            })
            .on("question", async |_: Socket, question: usize| Ack(question))
            .on_connect(move |_: Socket| {
                connects.connected(number, true);
                async {}
            })
            .on_disconnect(move |socket: Socket, reason: DisconnectReason| {
                ends.connected(number, false);
                if reason == DisconnectReason::IoServerDisconnect {
                    socket.connect();
                }
                async {}
            })
            .on_error(move |error| errors.violation(error.to_string()))
    }

    /// There is room for all that a run emits.
    fn sent(&self, sent: Result<(), sansocket_driver::EmitError>) {
        if let Err(error) = sent {
            self.ledger.violation(format!("client {}: {error}", self.number));
        }
    }
}

fn dial(stream: Option<ClientStream>) -> Connecting {
    let stream: std::io::Result<Box<dyn Stream>> = match stream {
        Some(stream) => Ok(boxed(ClientIo::new(stream))),
        None => Err(std::io::ErrorKind::ConnectionRefused.into()),
    };
    Box::pin(async { stream })
}

fn boxed<S: Read + Write + Unpin + Send + 'static>(stream: S) -> Box<dyn Stream> {
    Box::new(stream)
}

struct Course {
    runtime: SimRuntime,
    network: Network,
}

impl Course {
    /// Nothing stays of clients that have gone.
    async fn end(self, io: Io, ledger: &Ledger) {
        let begin = self.runtime.now();
        while io.stats() != Stats::default() || self.network.held() > 0 {
            if self.runtime.now().saturating_duration_since(begin) > REST {
                let held = self.network.held();
                ledger.violation(format!("{:?} and {held} streams are left", io.stats()));
                break;
            }
            self.runtime.sleep(Duration::from_secs(1)).await;
        }
        io.close(Duration::from_secs(20)).await;
        self.network.stop_listening();
    }
}

fn steps(runtime: &SimRuntime) -> Result<(), Violation> {
    for _ in 0..STEPS_MAX {
        if runtime.step()? == Step::Rested {
            return Ok(());
        }
    }
    let now = runtime.now();
    Err(Violation(format!("the run does not end, at {now}: {:?}", runtime.tasks(Side::Server))))
}
