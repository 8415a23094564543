//! Broadcasts to a room, from encoding the event to what each WebSocket sends.

use std::time::Duration;

use sansocket_bench::machine::{Client, Machine};
use sansocket_core::Target;

use crate::process;

/// What there is while a message goes to one room.
pub(crate) struct Broadcasts {
    /// The members of each room.
    pub(crate) members: usize,
    /// How many rooms there are. With more than one, they share [`CROWD`] clients.
    pub(crate) rooms: usize,
}

/// The clients of many rooms.
const CROWD: usize = 1_000;
/// For how long a broadcast is repeated.
const DURATION: Duration = Duration::from_millis(200);
const ROUNDS: usize = 5;
const TEXT: &str = "a text of sixty-four characters, neither short nor long, in ASCII";

impl Broadcasts {
    pub(crate) const ALL: &[Self] = &[
        Self { members: 10, rooms: 1 },
        Self { members: 100, rooms: 1 },
        Self { members: 1_000, rooms: 1 },
        Self { members: 10_000, rooms: 1 },
        Self { members: 100_000, rooms: 1 },
        Self { members: 10, rooms: 100 },
        Self { members: 10, rooms: 10_000 },
    ];

    pub(crate) fn name(&self) -> String {
        format!("members {}, rooms {}", self.members, self.rooms)
    }

    /// How many broadcasts suffice for an average of instructions.
    pub(crate) fn iterations(&self) -> usize {
        (10_000 / self.members).clamp(5, 500)
    }

    /// Sends to one room after the other.
    pub(crate) fn prepare(&self) -> impl FnMut() + use<> {
        let count = if self.rooms == 1 { self.members } else { CROWD };
        let (mut machine, clients) = Machine::with_clients(count);
        let rooms: Vec<(Target, Vec<Client>)> = (0..self.rooms)
            .map(|number| {
                let name = format!("room {number}");
                let first = number * self.members;
                let members: Vec<Client> =
                    (first..first + self.members).map(|index| clients[index % count]).collect();
                members.iter().for_each(|client| machine.join(*client, &name));
                (Target::room(&name), members)
            })
            .collect();
        let mut next = 0;
        move || {
            let (target, members) = &rooms[next % rooms.len()];
            next += 1;
            let message = machine.message(TEXT);
            let report = machine.broadcast(target, &message, members);
            assert_eq!(report.queued, members.len());
        }
    }

    /// The median of some rounds.
    pub(crate) fn nanoseconds_per_delivery(&self) -> f64 {
        let mut send = self.prepare();
        send();
        let mut rounds: Vec<f64> = (0..ROUNDS)
            .map(|_| {
                let start = process::cpu_time();
                let mut sent = 0_u32;
                loop {
                    // The clock is a file, so it is not asked for each.
                    for _ in 0..self.iterations() {
                        send();
                        sent += 1;
                    }
                    let taken = process::cpu_time().saturating_sub(start);
                    if taken > DURATION {
                        break taken.as_nanos() as f64 / f64::from(sent) / self.members as f64;
                    }
                }
            })
            .collect();
        rounds.sort_by(f64::total_cmp);
        rounds[ROUNDS / 2]
    }
}
