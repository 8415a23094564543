//! What the load generator has found: medians over its rounds, as they are kept.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::failure::Failure;
use crate::json::Json;

#[cfg(test)]
pub(super) mod tests;

/// Where results are kept: of all servers on one thread, and of ours on several.
pub(super) const SERVERS: &str = "bench/results.jsonl";
pub(super) const THREADS: &str = "bench/threads.jsonl";

/// The results of one run.
#[derive(Debug, PartialEq)]
pub(super) struct Results {
    /// When, as `2026-11-23`.
    pub(super) date: String,
    /// How many processors the machine has.
    pub(super) processors: u64,
    /// Seconds of one measurement.
    pub(super) seconds: f64,
    /// By case and server.
    pub(super) cells: BTreeMap<(String, String), Cell>,
}

/// One server in one case. What was not measured is not a number.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) rounds: usize,
    values: [f64; FIELDS.len()],
}

/// What a cell has: its name in our file, and where the load generator's lines have it.
const FIELDS: [(&str, &str, &str); 6] = [
    ("cpu_us", "window.cpu_us_per_unit", "cpu_us_per_heartbeat"),
    // Largest less smallest, by the median.
    ("cpu_spread", "", ""),
    ("per_second", "window.units_per_s", ""),
    ("latency_p50_us", "window.latency_us.p50", ""),
    ("latency_p99_us", "window.latency_us.p99", ""),
    ("bytes_per_connection", "rss_bytes_per_conn", ""),
];

impl Cell {
    pub(super) fn get(&self, field: &str) -> Option<f64> {
        let index = FIELDS.iter().position(|(name, ..)| *name == field)?;
        self.values.get(index).copied().filter(|value| value.is_finite())
    }
}

impl PartialEq for Cell {
    fn eq(&self, other: &Self) -> bool {
        let values = |cell: &Self| cell.values.map(f64::to_bits);
        self.rounds == other.rounds && values(self) == values(other)
    }
}

impl Results {
    /// From the load generator's lines. A run with a failure is none.
    pub(super) fn from_runs(text: &str, date: String) -> Result<Self, Failure> {
        let mut runs: BTreeMap<(String, String), Vec<Json>> = BTreeMap::new();
        let mut seconds = Vec::new();
        for line in text.lines() {
            let run = Json::parse(line).ok_or_else(|| Failure::new(format!("no JSON: {line}")))?;
            let (Some(case), Some(label)) = (run.text("case"), run.text("label")) else {
                return Err(Failure::new(format!("no result: {line}")));
            };
            if run.get("ok") != Some(&Json::Bool(true)) {
                return Err(Failure::new(format!("{label} failed in {case}")));
            }
            seconds.extend(run.number("window.seconds"));
            runs.entry((case.to_owned(), label.to_owned())).or_default().push(run);
        }
        let processors = std::thread::available_parallelism().map_or(1, usize::from) as u64;
        let seconds = median(seconds).unwrap_or_default();
        let cells = runs.into_iter().map(|(key, runs)| (key, summarize(&runs))).collect();
        Ok(Self { date, processors, seconds: (seconds * 10.0).round() / 10.0, cells })
    }

    /// From our own file.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let head = Json::parse(lines.next()?)?;
        let mut cells = BTreeMap::new();
        for line in lines {
            let line = Json::parse(line)?;
            let key = (line.text("case")?.to_owned(), line.text("server")?.to_owned());
            let values = FIELDS.map(|(name, ..)| line.number(name).unwrap_or(f64::NAN));
            cells.insert(key, Cell { rounds: line.number("rounds")? as usize, values });
        }
        Some(Self {
            date: head.text("date")?.to_owned(),
            processors: head.number("processors")? as u64,
            seconds: head.number("seconds")?,
            cells,
        })
    }

    pub(super) fn get(&self, case: &str, server: &str, field: &str) -> Option<f64> {
        self.cells.get(&(case.to_owned(), server.to_owned()))?.get(field)
    }

    pub(super) fn has_server(&self, server: &str) -> bool {
        self.cells.keys().any(|(_, label)| label == server)
    }

    /// The rounds of most cells.
    pub(super) fn rounds(&self) -> usize {
        self.cells.values().map(|cell| cell.rounds).max().unwrap_or_default()
    }
}

fn summarize(runs: &[Json]) -> Cell {
    let cpu = |run: &Json| {
        run.number("window.cpu_us_per_unit").or_else(|| run.number("cpu_us_per_heartbeat"))
    };
    let values = FIELDS.map(|(name, path, other_path)| {
        if name == "cpu_spread" {
            return spread(runs.iter().filter_map(cpu).collect());
        }
        let value = |run: &Json| run.number(path).or_else(|| run.number(other_path));
        median(runs.iter().filter_map(value).collect()).unwrap_or(f64::NAN)
    });
    // As they are kept, so that what is rendered does not depend on where it was read from.
    Cell { rounds: runs.len(), values: values.map(rounded) }
}

/// Three digits behind the point, and none of a large number.
fn rounded(value: f64) -> f64 {
    if value >= 1_000.0 { value.round() } else { (value * 1_000.0).round() / 1_000.0 }
}

fn spread(values: Vec<f64>) -> f64 {
    let (low, high) = values.iter().fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
    median(values).map_or(f64::NAN, |median| (high - low) / median)
}

/// The middle one, or the mean of the two in the middle.
pub(super) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = values.len() / 2;
    let lower = values.len().checked_sub(1)? / 2;
    Some((values.get(lower)? + values.get(upper)?) / 2.0)
}

/// Lines of JSON: one about the run, then one for each cell.
impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { date, processors, seconds, cells } = self;
        writeln!(f, r#"{{"date":"{date}","processors":{processors},"seconds":{seconds}}}"#)?;
        for ((case, server), cell) in cells {
            write!(f, r#"{{"case":"{case}","server":"{server}","rounds":{}"#, cell.rounds)?;
            for (name, ..) in FIELDS {
                if let Some(value) = cell.get(name) {
                    write!(f, r#","{name}":{value}"#)?;
                }
            }
            writeln!(f, "}}")?;
        }
        Ok(())
    }
}

/// The day in UTC, as `2026-11-23`.
pub(super) fn date(time: SystemTime) -> String {
    let mut days = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() / 86_400);
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 1;
    for length in lengths {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}", days + 1)
}
