//! Who does what in one run, and what must hold of it.

use std::sync::Arc;
use std::time::Duration;

use sansocket_driver::{
    Excess, HttpCompression, Io, PerMessageDeflate, Rate, RateLimit, Runtime, Stats, Timestamp,
};

use super::application::{World, register};
use super::hostile::{self, Hostility};
use super::network::{Network, Plan, Weather};
use super::runtime::{Habits, Side, SimRuntime, Step, Violation};
use super::script::{Player, Script};
use super::shared::{Shared, unless};
use super::stream::Faults;
use crate::choices::Choices;

/// In this time everything of a client that has left must be gone: the longest of the server's
/// time-outs one after the other, and the network's own.
const REST: Duration = Duration::from_secs(400);

/// Steps of one run, far more than any needs.
const STEPS_MAX: u64 = 2_000_000;

/// One run.
#[derive(Debug)]
pub struct Scenario {
    /// The scheduler and the clock.
    pub habits: Habits,
    /// The network.
    pub weather: Weather,
    /// One stream's fate, for runs that try them all.
    pub plan: Option<Plan>,
    /// The server's parts.
    pub shards: usize,
    /// Its ping interval and ping timeout.
    pub heartbeat: (Duration, Duration),
    /// Clients that keep to the protocols.
    pub scripts: Vec<Script>,
    /// Clients that do not.
    pub hostile: Vec<Hostility>,
    /// When the server is closed, if it is not after the last client has left.
    pub close_at: Option<Duration>,
    /// How long it may take to close.
    pub close_deadline: Duration,
    /// How many events of a connection are read in a second, and at once, if that is limited.
    pub rate: Option<(u32, u32)>,
    /// Whether responses and WebSockets are compressed for those who ask for it, and if so, whether
    /// what comes on a WebSocket refers to what came before.
    pub compression: Option<bool>,
    /// What happens before a certain poll.
    pub interruption: Option<(u64, Interruption)>,
    /// All further decisions.
    pub noise: Choices<'static>,
}

/// Something that happens in the middle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interruption {
    /// The server is closed.
    Close,
    /// Every stream is reset.
    Reset,
    /// Nothing arrives any more.
    Silence,
}

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The same for the same decisions.
    pub hash: u64,
    /// How often tasks were polled.
    pub polls: u64,
    /// What each stream carried, to the server and to the client.
    pub written: Vec<(usize, usize)>,
    /// How long it took, by its own clock.
    pub elapsed: Duration,
    /// How many sockets there were.
    pub sockets: usize,
    /// What should not have happened.
    pub violations: Vec<String>,
}

/// One run of the driver, decided by `bytes`.
///
/// # Panics
///
/// If something did not hold.
pub fn simulate_driver(bytes: &[u8]) -> Outcome {
    let outcome = Scenario::draw(bytes).run();
    assert!(outcome.violations.is_empty(), "{:#?}", outcome.violations);
    outcome
}

impl Default for Scenario {
    /// A server without clients, on a network without faults.
    fn default() -> Self {
        Self {
            habits: Habits::default(),
            weather: Weather::default(),
            plan: None,
            shards: 1,
            heartbeat: (Duration::from_secs(25), Duration::from_secs(20)),
            scripts: Vec::new(),
            hostile: Vec::new(),
            close_at: None,
            close_deadline: Duration::from_secs(20),
            rate: None,
            compression: None,
            interruption: None,
            noise: Choices::from_vec(Vec::new()),
        }
    }
}

impl Scenario {
    /// The run that `bytes` describe. Each run has some kinds of faults and not others, so that the
    /// frequent ones do not hide what the rare ones do.
    pub fn draw(bytes: &[u8]) -> Self {
        let mut choices = Choices::new(bytes);
        let habits = draw_habits(&mut choices);
        let weather = draw_weather(&mut choices);
        let fatal = choices.chance(128);
        let shards = choices.number(1..=3) as usize;
        let heartbeat = *choices.pick(&[(25_000, 20_000), (300, 200), (5_000, 5_000)]);
        let heartbeat = (Duration::from_millis(heartbeat.0), Duration::from_millis(heartbeat.1));
        let scripts =
            (0..choices.number(1..=4)).map(|_| Script::draw(&mut choices, fatal)).collect();
        let hostile = match choices.chance(64) {
            true => (0..choices.number(1..=3)).map(|_| Hostility::draw(&mut choices)).collect(),
            false => Vec::new(),
        };
        let close_at =
            choices.chance(64).then(|| Duration::from_millis(choices.number(0..=30_000)));
        let close_deadline = *choices.pick(&[20_000, 0, 100, 5_000, 200_000]);
        // Either the rest of the bytes decides, or a generator that does not run dry.
        let is_long = choices.chance(128);
        let rate = choices.chance(64).then(|| *choices.pick(&[(100, 5), (1_000, 1), (20, 20)]));
        let compression = choices.chance(64).then(|| choices.chance(128));
        let used = choices.into_bytes().len();
        let rest = bytes.get(used..).unwrap_or_default().to_vec();
        let noise = if is_long { Choices::from_seed(seed(&rest)) } else { Choices::from_vec(rest) };
        Self {
            habits,
            weather,
            plan: None,
            shards,
            heartbeat,
            scripts,
            hostile,
            close_at,
            close_deadline: Duration::from_millis(close_deadline),
            rate,
            compression,
            interruption: None,
            noise,
        }
    }

    /// Whether nothing but its client may end a session.
    fn is_calm(&self) -> bool {
        let short = self.heartbeat.1 < Duration::from_secs(10);
        let Faults { latency_max, capacity, .. } = self.weather.faults;
        // Slow enough a network ends sessions by itself.
        let slow = match capacity {
            0..4_096 => latency_max > Duration::from_micros(50),
            _ => latency_max > Duration::from_millis(20),
        };
        self.weather.fates_of_256 == 0
            && !slow
            && self.plan.is_none()
            && self.habits.jumps_of_256 == 0
            && self.close_at.is_none()
            && self.interruption.is_none()
            && !short
            && !self.scripts.iter().any(Script::is_fatal)
    }

    /// Runs it.
    pub fn run(self) -> Outcome {
        let is_calm = self.is_calm();
        let Self { habits, weather, plan, scripts, hostile, interruption, .. } = self;
        let runtime = SimRuntime::new(habits, self.noise);
        let begin = runtime.now();
        let world = World::new(&runtime);
        let (ping_interval, ping_timeout) = self.heartbeat;
        let builder = Io::builder()
            .seed([7; 32])
            .shards(self.shards)
            .state(world.clone())
            .ping_interval(ping_interval)
            .ping_timeout(ping_timeout)
            // A client cannot know that its idle connection is about to be closed.
            .header_timeout(Duration::from_secs(if is_calm { 100_000 } else { 30 }))
            .on_error(|_| {});
        let builder = match self.rate {
            Some((per_second, burst)) => {
                let rate = Rate::per_second(per_second).burst(burst);
                builder.connection_rate(RateLimit::new().events(rate).excess(Excess::Delay))
            }
            None => builder,
        };
        let builder = match self.compression {
            Some(context) => builder
                .http_compression(HttpCompression::default().threshold(0).level(1))
                .per_message_deflate(
                    PerMessageDeflate::default().threshold(0).server_context_takeover(context),
                ),
            None => builder,
        };
        let Ok(io) = builder.build_with(Arc::new(runtime.clone())) else { unreachable!() };
        register(&io);
        let mut network = Network::new(&runtime, weather, &io, plan);
        network.compresses = self.compression.is_some();
        let playing = Shared::new(scripts.len() + hostile.len());
        let never = scripts.iter().any(|s| s.actions.contains(&super::script::Action::Never));
        for script in scripts {
            let (runtime, network, world) = (runtime.clone(), network.clone(), world.clone());
            let player = Player { runtime, network, world, is_calm };
            start(&runtime_of(&player), &playing, player.play(script));
        }
        for hostility in hostile {
            let client = hostile::play(runtime.clone(), network.clone(), world.clone(), hostility);
            start(&runtime, &playing, client);
        }
        let course = Course {
            runtime: runtime.clone(),
            network: network.clone(),
            world: world.clone(),
            playing,
            close_at: self.close_at,
            close_deadline: self.close_deadline,
            rests: !never,
            interrupted: Shared::new(false),
        };
        let interrupted = course.interrupted.clone();
        let jump_max = if habits.jumps_of_256 > 0 { habits.jump_max } else { Duration::ZERO };
        let closed = Shared::new(None);
        let report = closed.clone();
        runtime.start(Side::World, "course", async move {
            course.take(io).await;
            let now = course.runtime.now();
            report.update(|closed| *closed = Some(now));
        });
        let result = steps(&runtime, &network, interruption, &interrupted, &closed, jump_max);
        if let Err(Violation(problem)) = result {
            world.violation(problem);
        }
        let ended = closed.read(Option::is_some);
        check_rest(&runtime, &network, &world, ended);
        let mut ledger = world.ledger();
        let violations = std::mem::take(&mut ledger.violations);
        let sockets = ledger.sockets.len();
        drop(ledger);
        let outcome = Outcome {
            hash: runtime.hash(),
            polls: runtime.polls(),
            written: network.written(),
            elapsed: runtime.now().saturating_duration_since(begin),
            sockets,
            violations,
        };
        network.stop_listening();
        runtime.end();
        outcome
    }
}

fn runtime_of(player: &Player) -> SimRuntime {
    player.runtime.clone()
}

fn start(
    runtime: &SimRuntime,
    playing: &Shared<usize>,
    client: impl Future<Output = ()> + Send + 'static,
) {
    let playing = playing.clone();
    runtime.start(Side::World, "client", async move {
        client.await;
        playing.update(|playing| *playing -= 1);
    });
}

/// Runs until nothing is left to do.
fn steps(
    runtime: &SimRuntime,
    network: &Network,
    interruption: Option<(u64, Interruption)>,
    interrupted: &Shared<bool>,
    closed: &Shared<Option<Timestamp>>,
    jump_max: Duration,
) -> Result<(), Violation> {
    let mut interruption = interruption;
    let mut lag = Duration::ZERO;
    // A clock that jumps makes everything late.
    let lag_max = LAG_MAX + 2 * jump_max;
    for _ in 0..STEPS_MAX {
        if let Some((_, what)) = interruption.filter(|(poll, _)| runtime.polls() >= *poll) {
            interruption = None;
            match what {
                Interruption::Close => interrupted.update(|interrupted| *interrupted = true),
                Interruption::Reset => network.reset_all(),
                Interruption::Silence => network.silence_all(),
            }
        }
        match runtime.step()? {
            Step::Polled => {}
            Step::Waited => {
                if let Some(at) = closed.read(|closed| *closed)
                    && !runtime.tasks(Side::Server).is_empty()
                {
                    lag = runtime.now().saturating_duration_since(at);
                }
            }
            Step::Rested if lag > lag_max => {
                return Err(Violation(format!("tasks were left for {lag:?} after the close")));
            }
            Step::Rested => return Ok(()),
        }
    }
    let tasks = [runtime.tasks(Side::Server), runtime.tasks(Side::World)];
    Err(Violation(format!("the run does not end: {} {tasks:?}", runtime.now())))
}

/// How long tasks of the application may go on after the server's end: an acknowledgement that was
/// waited for, and a handler of a disconnection.
const LAG_MAX: Duration = Duration::from_secs(11);

/// The course of a run.
struct Course {
    runtime: SimRuntime,
    network: Network,
    world: World,
    playing: Shared<usize>,
    close_at: Option<Duration>,
    close_deadline: Duration,
    /// Whether sessions end by themselves.
    rests: bool,
    interrupted: Shared<bool>,
}

impl Course {
    async fn take(&self, io: Io) {
        let all_left = self.playing.wait(|playing| (*playing == 0).then_some(()));
        let interrupted = self.interrupted.wait(|interrupted| interrupted.then_some(()));
        let left = unless(all_left, interrupted);
        let left = match self.close_at {
            Some(at) => unless(left, self.runtime.sleep(at)).await.flatten(),
            None => left.await,
        };
        if left.is_some() && self.rests {
            self.rest(&io).await;
        }
        let begin = self.runtime.now();
        io.close(self.close_deadline).await;
        let took = self.runtime.now().saturating_duration_since(begin);
        if took > self.close_deadline + Duration::from_secs(61) {
            self.world.violation(format!("closing took {took:?}"));
        }
        self.network.stop_listening();
        drop(io);
    }

    /// Nothing stays of clients that have left.
    async fn rest(&self, io: &Io) {
        let begin = self.runtime.now();
        loop {
            let is_at_rest = io.stats() == Stats::default() && self.network.held() == 0;
            if is_at_rest {
                return;
            }
            if self.runtime.now().saturating_duration_since(begin) > REST {
                let held = self.network.held();
                self.world.violation(format!("{:?} and {held} streams are left", io.stats()));
                return;
            }
            self.runtime.sleep(Duration::from_secs(1)).await;
        }
    }
}

/// What must hold when nothing is left to do.
fn check_rest(runtime: &SimRuntime, network: &Network, world: &World, closed: bool) {
    let server = runtime.tasks(Side::Server);
    let clients = runtime.tasks(Side::World);
    let mut ledger = world.ledger();
    let mut violations = Vec::new();
    if !closed {
        violations.push("the run came to a halt before the server was closed".to_owned());
    }
    if !server.is_empty() || !clients.is_empty() {
        violations.push(format!("tasks are left: {server:?} and {clients:?}"));
    }
    if runtime.sleeps() > 0 || network.held() > 0 || ledger.asking > 0 {
        let (sleeps, held) = (runtime.sleeps(), network.held());
        violations.push(format!("{sleeps} sleeps, {held} streams, {} questions", ledger.asking));
    }
    for (id, record) in &ledger.sockets {
        if (record.connects, record.disconnects) != (1, 1) {
            violations.push(format!("socket {id:?}: {record:?}"));
        }
    }
    ledger.violations.extend(violations);
}

pub(super) fn draw_habits(choices: &mut Choices<'_>) -> Habits {
    Habits {
        shuffles: choices.chance(200),
        fresh_wakers: choices.chance(100),
        spurious_of_256: if choices.chance(80) { choices.byte() / 4 } else { 0 },
        jumps_of_256: if choices.chance(50) { choices.byte() } else { 0 },
        jump_max: Duration::from_millis(*choices.pick(&[10, 300, 5_000, 60_000])),
        probes: choices.chance(100),
    }
}

pub(super) fn draw_weather(choices: &mut Choices<'_>) -> Weather {
    let cuts_of_256 = if choices.chance(128) { choices.byte() } else { 0 };
    let delays_of_256 = if choices.chance(80) { choices.byte() / 2 } else { 0 };
    let mut latency_max = Duration::from_micros(*choices.pick(&[0, 50, 20_000, 2_000_000]));
    let capacity = *choices.pick(&[64 << 10, 20, 500, 4_096]);
    if capacity < 4_096 {
        // Both together would take hours for a large message.
        latency_max = latency_max.min(Duration::from_millis(20));
    }
    let faults = Faults { cuts_of_256, delays_of_256, latency_max, capacity };
    let fates_of_256 = if choices.chance(100) { choices.byte() / 3 } else { 0 };
    let fate_bytes_max = *choices.pick(&[600, 40, 5_000]);
    Weather { faults, fates_of_256, fate_bytes_max, ..Weather::default() }
}

fn seed(bytes: &[u8]) -> u64 {
    bytes.iter().fold(bytes.len() as u64, |seed, byte| {
        (seed ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    })
}
