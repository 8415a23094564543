//! A whole Socket.IO world in one thread: shards, clients, the network between them, and the
//! application, on virtual time and from one source of decisions.
//!
//! The server is given the bytes that clients write, cut wherever the network likes, through the
//! codecs and calls that a driver uses. The reference model ([`crate::model`]) is given the same,
//! as parsed by the simulation's own few lines, and after every step both must agree: on what there
//! is, on each event and each answer, and on every message that reaches a client.
//!
//! A [`run`] is one episode. Its settings are drawn first, then its steps; in the end everything
//! comes to rest, everybody leaves, and nothing may be left.

mod application;
mod client;
mod commands;
mod driver;
mod finish;
mod hearing;
mod invariants;
mod mischief;
mod network;
pub mod shrink;
pub mod small;
mod swarm;
mod time;
mod trace;
mod wire;

use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};

use sansocket_core::{Encoder, NamespaceKey, Server, SocketKey};

use crate::choices::Choices;
use crate::model::{Micros, Model};

use application::{Record, Waiting};
use client::Client;
use network::Session;
use swarm::{STEPS, Step, Swarm};

pub use swarm::Options;
pub use trace::Trace;

/// Something that must not happen.
#[derive(Clone, Debug)]
pub struct Violation {
    /// What was broken, in a word.
    pub kind: &'static str,
    /// How.
    pub detail: String,
}

impl Violation {
    fn new(kind: &'static str, detail: String) -> Self {
        Self { kind, detail }
    }
}

/// What is broken unless a condition holds.
macro_rules! ensure {
    ($condition:expr, $kind:literal, $($detail:tt)+) => {
        if !$condition {
            return Err($crate::world::Violation::new($kind, format!($($detail)+)));
        }
    };
}
use ensure;

type Checked = Result<(), Violation>;

/// What a run without a violation tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// How many steps it had.
    pub steps: usize,
    /// A number that differs where any output, event or result did.
    pub hash: u64,
    /// A number for each client that differs where what it was told did. It does not depend on how
    /// clients are spread over shards.
    pub clients: Vec<u64>,
}

/// One episode.
///
/// # Errors
///
/// The first violation; a panic of the server is one.
pub fn run(
    choices: &mut Choices<'_>,
    options: &Options,
    trace: &mut Trace,
) -> Result<Report, Violation> {
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
        let mut world = World::new(choices, options, trace);
        world.run()?;
        let clients = world.clients.iter().map(|client| client.hash).collect();
        Ok(Report { steps: world.trace.steps(), hash: world.trace.hash(), clients })
    }));
    outcome.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(Violation::new("panic", text.unwrap_or_default()))
    })
}

/// One episode out of bytes: for fuzzers and property tests.
///
/// # Errors
///
/// As for [`run`].
pub fn run_bytes(bytes: &[u8], options: &Options) -> Result<Report, Violation> {
    run(&mut Choices::new(bytes), options, &mut Trace::new(false))
}

struct World<'w, 'c> {
    choices: &'w mut Choices<'c>,
    trace: &'w mut Trace,
    swarm: Swarm,
    now: Micros,
    /// The order in which shards are visited.
    order: Vec<usize>,
    servers: Vec<Server>,
    model: Model,
    encoder: Encoder,
    namespaces: Vec<NamespaceKey>,
    clients: Vec<Client>,
    /// Every session there ever was.
    sessions: Vec<Session>,
    /// Those of which something is left.
    live: Vec<usize>,
    /// Every socket that the application has heard of.
    records: Vec<Record>,
    by_key: BTreeMap<(usize, SocketKey), usize>,
    /// Broadcasts whose recipients are chosen, and that are still to be delivered.
    waiting: Vec<Waiting>,
    websockets: u32,
    /// The last number that the application gave a message.
    tag: u64,
}

impl<'w, 'c> World<'w, 'c> {
    fn new(choices: &'w mut Choices<'c>, options: &Options, trace: &'w mut Trace) -> Self {
        let swarm = Swarm::draw(choices, options);
        let mut order: Vec<usize> = (0..swarm.shards).collect();
        if options.reversed {
            order.reverse();
        }
        let mut namespaces = Vec::new();
        let servers = (0..swarm.shards).map(|shard| {
            let mut server = Server::new(swarm.config(shard), [shard as u8 + 1; 32]);
            namespaces =
                wire::NAMESPACES.iter().map(|name| server.create_namespace(name)).collect();
            server
        });
        let servers: Vec<Server> = servers.collect();
        trace.line(|| format!("{swarm:?}"));
        Self {
            model: Model::new(swarm.rules.clone()),
            clients: (0..swarm.clients).map(|_| Client::default()).collect(),
            now: 1_000_000,
            choices,
            trace,
            order,
            servers,
            namespaces,
            encoder: Encoder::new(),
            sessions: Vec::new(),
            live: Vec::new(),
            records: Vec::new(),
            by_key: BTreeMap::new(),
            waiting: Vec::new(),
            websockets: 0,
            tag: 0,
            swarm,
        }
    }

    fn run(&mut self) -> Checked {
        while self.trace.steps() < self.swarm.steps && !self.choices.is_exhausted() {
            self.trace.step();
            let step = STEPS[self.choices.weighted(&self.swarm.weights)];
            self.step(step)?;
            self.check()?;
        }
        self.finish()
    }

    fn step(&mut self, step: Step) -> Checked {
        let client = self.choices.index(self.clients.len());
        match step {
            Step::Wait => {
                let micros = self.choices.number(0..=self.swarm.wait);
                self.wait(micros, false)
            }
            Step::Exchange => self.exchange(client).map(|_| ()),
            Step::Speak => self.speak(client),
            Step::Deliver => self.deliver(client),
            Step::Serve => {
                let budget = 1 + self.choices.index(8);
                match self.pick_live() {
                    Some(session) => self.serve(session, budget),
                    None => Ok(()),
                }
            }
            Step::Command => self.command(),
            Step::Broadcast => self.broadcast(),
            Step::Upgrade => self.begin_upgrade(client),
            Step::Misbehave => self.misbehave(client),
            Step::Break => self.break_something(client),
            Step::Jump => {
                let reach = [
                    self.swarm.wait * 20,
                    self.swarm.rules.ping_timeout,
                    self.swarm.rules.ping_interval,
                    self.swarm.rules.ping_interval + self.swarm.rules.ping_timeout,
                ];
                let reach = *self.choices.pick(&reach);
                let micros = self.choices.number(0..=reach);
                let late = self.choices.chance(80);
                self.wait(micros, late)
            }
            Step::Stale => self.do_needless(),
            Step::End => self.end_much(),
        }
    }

    /// A session of which something is left, whether or not a client knows of it.
    fn pick_live(&mut self) -> Option<usize> {
        if self.live.is_empty() {
            return None;
        }
        Some(*self.choices.pick(&self.live))
    }
}
