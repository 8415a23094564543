//! What differs from one episode to the next: sizes, limits, time-outs, and how often what happens.
//!
//! All of it is drawn at the start, so that one run looks at many worlds, each of which does some
//! things often and others never.

use std::time::Duration;

use sansocket_core::{Config, Limits};

use crate::choices::Choices;
use crate::model::{Micros, Rules};

use super::wire::NAMESPACES;

/// What a step can be. The dullest comes first: it is what is left when an input has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Wait,
    Exchange,
    Speak,
    Deliver,
    Serve,
    Command,
    Broadcast,
    Upgrade,
    Misbehave,
    Break,
    Jump,
    Stale,
    End,
}

pub(super) const STEPS: [Step; 13] = [
    Step::Wait,
    Step::Exchange,
    Step::Speak,
    Step::Deliver,
    Step::Serve,
    Step::Command,
    Step::Broadcast,
    Step::Upgrade,
    Step::Misbehave,
    Step::Break,
    Step::Jump,
    Step::Stale,
    Step::End,
];

/// What the caller of a run decides.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The number of shards, where it is not to be drawn. It makes runs comparable that differ in
    /// nothing else: whatever depends on how clients are spread over shards is left out.
    pub shards: Option<usize>,
    /// The shards are visited from the last to the first.
    pub reversed: bool,
    /// At most so many steps.
    pub steps_max: Option<usize>,
}

/// The settings of one episode.
#[derive(Clone, Debug)]
pub(super) struct Swarm {
    pub(super) shards: usize,
    pub(super) clients: usize,
    pub(super) steps: usize,
    pub(super) weights: [u32; STEPS.len()],
    pub(super) rules: Rules,
    /// Bytes that the network holds for a client that does not read.
    pub(super) pipe_bytes: usize,
    /// The most bytes that arrive at once.
    pub(super) chunk_bytes: usize,
    /// How many of 256 clients keep to the rules.
    pub(super) honest: u8,
    /// How many of 256 new clients begin on polling.
    pub(super) polling: u8,
    /// How many of 256 messages have attachments.
    pub(super) binary: u8,
    /// The longest padding of a message.
    pub(super) padding: usize,
    /// The clock that the server is shown goes back at times.
    pub(super) clock_goes_back: bool,
    /// The longest of the ordinary waits.
    pub(super) wait: Micros,
}

impl Swarm {
    pub(super) fn draw(choices: &mut Choices<'_>, options: &Options) -> Self {
        let drawn_shards = 1 + choices.index(3);
        let clients = 1 + choices.index(5);
        let steps = [2000, 200, 1000, 50][choices.index(4)];
        let rules = rules(choices);
        let mut weights = [4; STEPS.len()];
        for (weight, step) in weights.iter_mut().zip(STEPS) {
            *weight = weight_of(step) * [4, 1, 0, 16][choices.weighted(&[8, 4, 1, 3])];
        }
        let mut swarm = Self {
            shards: options.shards.unwrap_or(drawn_shards),
            clients,
            steps: steps.min(options.steps_max.unwrap_or(usize::MAX)),
            weights,
            pipe_bytes: *choices.pick(&[4096, 300, 1]),
            chunk_bytes: *choices.pick(&[1500, 64, 7]),
            honest: *choices.pick(&[255, 255, 200, 64]),
            polling: *choices.pick(&[128, 255, 0, 200]),
            binary: *choices.pick(&[64, 0, 200]),
            padding: *choices.pick(&[0, 20, 120]),
            clock_goes_back: choices.chance(40),
            wait: *choices.pick(&[20_000, 2_000, 200_000]),
            rules,
        };
        if options.shards.is_some() {
            swarm.rules.sessions_max = 1 << 20;
            swarm.clock_goes_back = false;
        }
        swarm
    }

    pub(super) fn config(&self, shard: usize) -> Config {
        let rules = &self.rules;
        let mut config = Config::default();
        config.ping_interval = Duration::from_micros(rules.ping_interval);
        config.ping_timeout = Duration::from_micros(rules.ping_timeout);
        config.upgrade_timeout = Duration::from_micros(rules.upgrade_timeout);
        config.connect_timeout = Duration::from_micros(rules.connect_timeout);
        config.polling_close_timeout = Duration::from_micros(rules.polling_close_timeout);
        config.allow_upgrades = rules.allow_upgrades;
        config.shard = shard as u8;
        let mut limits = Limits::default();
        limits.attachments_timeout = Duration::from_micros(rules.attachments_timeout);
        limits.max_payload = rules.max_payload;
        limits.namespaces = rules.namespaces_max;
        limits.rooms = rules.rooms_max;
        limits.pending_acks = rules.pending_acks_max;
        limits.outbox_bytes = rules.outbox_bytes_max;
        limits.inbox_events = rules.inbox_events_max;
        limits.inbox_bytes = rules.inbox_bytes_max;
        limits.sessions = rules.sessions_max;
        config.limits = limits;
        config
    }
}

fn weight_of(step: Step) -> u32 {
    match step {
        Step::Wait => 6,
        Step::Exchange => 20,
        Step::Speak => 20,
        Step::Deliver => 14,
        Step::Serve => 10,
        Step::Command => 14,
        Step::Broadcast => 6,
        Step::Upgrade => 3,
        Step::Misbehave => 2,
        Step::Break => 1,
        Step::Jump => 1,
        Step::Stale => 2,
        Step::End => 1,
    }
}

fn rules(choices: &mut Choices<'_>) -> Rules {
    Rules {
        ping_interval: *choices.pick(&[25_000_000, 1_000_000, 100_000]),
        ping_timeout: *choices.pick(&[20_000_000, 500_000, 60_000]),
        upgrade_timeout: *choices.pick(&[10_000_000, 100_000]),
        connect_timeout: *choices.pick(&[45_000_000, 45_000_000, 400_000]),
        polling_close_timeout: *choices.pick(&[30_000_000, 300_000]),
        attachments_timeout: *choices.pick(&[30_000_000, 100_000]),
        allow_upgrades: !choices.chance(10),
        max_payload: *choices.pick(&[1_000_000, 600]),
        namespaces_max: *choices.pick(&[64, 64, 2, 1]),
        rooms_max: *choices.pick(&[1024, 2]),
        pending_acks_max: *choices.pick(&[1024, 2]),
        outbox_bytes_max: *choices.pick(&[16 << 20, 16 << 20, 2_000, 300]),
        inbox_events_max: *choices.pick(&[1024, 1024, 4, 2]),
        inbox_bytes_max: *choices.pick(&[4 << 20, 4 << 20, 300]),
        sessions_max: *choices.pick(&[1 << 20, 1 << 20, 2]),
        namespaces: NAMESPACES.to_vec(),
    }
}
