//! How costs grow: what `bench-scaling` measures, as it is kept.

use std::fmt::Write as _;
use std::process::Command;
use std::time::SystemTime;

use crate::failure::Failure;
use crate::instructions;
use crate::json::Json;
use crate::process;
use crate::workspace::{Profile, Workspace};

use super::{results, write};

pub(super) const FILE: &str = "bench/scaling.jsonl";

const PROGRAM: [&str; 6] = [
    "--release",
    "--package",
    "sansocket-bench",
    "--no-default-features",
    "--bin",
    "bench-scaling",
];

/// A delivery of a broadcast to one room.
#[derive(Debug, PartialEq)]
pub(super) struct Delivery {
    pub(super) members: f64,
    pub(super) rooms: f64,
    pub(super) cpu_nanoseconds: f64,
    pub(super) instructions: f64,
}

/// All that was measured.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Scaling {
    pub(super) date: String,
    pub(super) deliveries: Vec<Delivery>,
    /// What a connection holds, and the bytes that it takes.
    pub(super) memory: Vec<(String, f64)>,
}

impl Scaling {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let date = Json::parse(lines.next()?)?.text("date")?.to_owned();
        let mut scaling = Self { date, ..Self::default() };
        for line in lines {
            let line = Json::parse(line)?;
            match line.text("holds") {
                Some(holds) => scaling.memory.push((holds.to_owned(), line.number("bytes")?)),
                None => scaling.deliveries.push(Delivery {
                    members: line.number("members")?,
                    rooms: line.number("rooms")?,
                    cpu_nanoseconds: line.number("cpu_ns")?,
                    instructions: line.number("instructions")?,
                }),
            }
        }
        Some(scaling)
    }
}

/// Measures all of it, which takes some minutes, and keeps it in the repository.
pub(super) fn measure(workspace: &Workspace) -> Result<(), Failure> {
    let mut build = workspace.cargo(&["build"]);
    process::run(build.args(PROGRAM))?;
    let program = workspace.binary(Profile::Release, "bench-scaling");
    let ask = |arguments: &[&str]| process::capture(Command::new(&program).args(arguments));
    let mut kept = format!("{{\"date\":\"{}\"}}\n", results::date(SystemTime::now()));
    for line in ask(&["--list"])?.lines() {
        let broken = || Failure::new(format!("bench-scaling lists {line:?}"));
        let mut words = line.splitn(4, ' ');
        let mut number = || words.next().and_then(|word| word.parse::<u64>().ok());
        let (Some(iterations), Some(members), Some(rooms)) = (number(), number(), number()) else {
            return Err(broken());
        };
        let name = words.next().ok_or_else(broken)?;
        let cpu_ns: f64 = ask(&["--time", name])?.trim().parse().map_err(|_| broken())?;
        let cost = instructions::measure_one(workspace, name, iterations, &program)?;
        let instructions = cost.instructions as f64 / members as f64;
        println!("{name}: {cpu_ns} ns, {instructions:.1} instructions a delivery");
        let _ = writeln!(
            kept,
            r#"{{"members":{members},"rooms":{rooms},"cpu_ns":{cpu_ns},"instructions":{instructions:.1}}}"#
        );
    }
    for line in ask(&["--memory"])?.lines() {
        println!("{line}");
        if let Some((bytes, name)) = line.split_once(' ') {
            let _ = writeln!(kept, r#"{{"holds":"{name}","bytes":{bytes}}}"#);
        }
    }
    write(workspace, FILE, &kept)
}
