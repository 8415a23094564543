//! The tables of instructions: the codec beside another and a floor, and the machine.

use std::fmt::Write as _;

use crate::failure::Failure;
use crate::instructions::{self, Figures};
use crate::workspace::Workspace;

use super::render::spaced;

/// What others take: a committed file, since what measures them is no part of this repository.
const PEERS: &str = "bench/codec-peers.txt";
/// How the operations of the machine begin.
const MACHINE: &str = "machine: ";

/// The two tables.
pub(super) fn tables(workspace: &Workspace) -> Result<[String; 2], Failure> {
    let figures = Figures::parse(&workspace.read(instructions::FILE)?)?;
    let peers = workspace.read(PEERS)?;
    Ok([codec(&figures, &peers)?, machine(&figures)])
}

fn codec(figures: &Figures, peers: &str) -> Result<String, Failure> {
    let mut table = "\
| operation | sansocket | socketioxide 0.18 | floor | sansocket / socketioxide | allocations |
| --- | ---: | ---: | ---: | ---: | ---: |
"
    .to_owned();
    for line in peers.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.trim_start().splitn(2, ' ');
        let peer = words.next().unwrap_or_default();
        let rest = words.next().unwrap_or_default().trim_start();
        let (floor, name) = rest.split_once("  ").unwrap_or_default();
        let Some(ours) = figures.costs.get(name) else {
            return Err(Failure::new(format!("{PEERS}: {name:?} is not measured")));
        };
        let number = |text: &str| text.parse::<u64>().map_or_else(|_| "–".to_owned(), spaced);
        let ratio = peer.parse::<f64>().map_or_else(
            |_| "–".to_owned(),
            |peer| {
                let ratio = ours.instructions as f64 / peer;
                format!("{ratio:.2}")
            },
        );
        let _ = writeln!(
            table,
            "| {name} | {} | {} | {} | {ratio} | {:.0} |",
            spaced(ours.instructions),
            number(peer),
            number(floor),
            ours.allocations
        );
    }
    Ok(table)
}

fn machine(figures: &Figures) -> String {
    let mut table =
        "| operation | instructions | allocations |\n| --- | ---: | ---: |\n".to_owned();
    for (name, cost) in &figures.costs {
        if let Some(name) = name.strip_prefix(MACHINE) {
            let instructions = spaced(cost.instructions);
            let _ = writeln!(table, "| {name} | {instructions} | {:.1} |", cost.allocations);
        }
    }
    table
}
