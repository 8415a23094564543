//! What README.md and docs/performance.md show of the results, and the plots.

use std::fmt::Write as _;

use crate::failure::Failure;
use crate::workspace::Workspace;

use super::results::{self, Results, median};
use super::scaling::{self, Scaling};
use super::{codec, markers, plot, write};

#[cfg(test)]
mod tests;

const README: &str = "README.md";
const PERFORMANCE: &str = "docs/performance.md";

/// The cases of the load generator, and what they are called here.
pub(super) const CASES: [(&str, &str); 15] = [
    ("echo-1", "acknowledged echo, 1 in flight"),
    ("echo-16", "acknowledged echo, 16 in flight"),
    ("event-echo-16", "echo by event, 16 in flight"),
    ("echo-json-1k", "echo of 1 KiB of JSON"),
    ("broadcast-1", "delivery of a broadcast to 500, 1 in flight"),
    ("broadcast-8", "the same, 8 in flight"),
    ("broadcast-json-1k", "the same with 1 KiB of JSON"),
    ("rooms", "delivery in 50 rooms"),
    ("connect", "a client's whole life, WebSocket"),
    ("connect-polling", "a client's whole life, polling and upgrade"),
    ("polling-1", "round trip by polling, 1 message a POST"),
    ("polling-16", "the same, 16 messages a POST"),
    ("binary-1k", "1 KiB of binary"),
    ("binary-64k", "64 KiB of binary"),
    ("idle", "a heartbeat"),
];

/// The servers, and what they are called here.
const SERVERS: [(&str, &str); 10] = [
    ("ours", "sansocket"),
    ("ours-raw", "sansocket, raw"),
    ("ours-smol", "sansocket, smol"),
    ("ours-async-std", "sansocket, async-std"),
    ("socketioxide", "socketioxide 0.18"),
    ("bun-engine", "bun-engine"),
    ("bun", "Bun"),
    ("node", "Node.js"),
    ("python", "python-socketio"),
    ("raw-tokio", "raw-tokio"),
];

/// What does nothing but send fixed strings.
const FLOOR: &str = "raw-tokio";
/// What the README compares with.
const RIVAL: &str = "socketioxide";

/// Writes everything anew.
pub(super) fn all(workspace: &Workspace) -> Result<(), Failure> {
    documents(workspace)?.iter().try_for_each(|(path, text)| write(workspace, path, text))
}

/// Fails if a document shows something else than what is kept.
pub(super) fn check(workspace: &Workspace) -> Result<(), Failure> {
    let stale = |(path, text): &(&str, String)| {
        let current = workspace.read(path).is_ok_and(|committed| committed == *text);
        (!current).then(|| format!("{path} is not what `cargo xtask bench --render` writes"))
    };
    let findings: Vec<String> = documents(workspace)?.iter().filter_map(stale).collect();
    Failure::from_findings(&findings)
}

/// The documents and plots as they should be. What was never measured is left as it is.
fn documents(workspace: &Workspace) -> Result<Vec<(&'static str, String)>, Failure> {
    let mut readme = workspace.read(README)?;
    let mut performance = workspace.read(PERFORMANCE)?;
    let mut documents = Vec::new();
    let [codec, machine] = codec::tables(workspace)?;
    performance = markers::replace(&performance, "codec", &codec)?;
    performance = markers::replace(&performance, "machine", &machine)?;
    if let Some(results) = read(workspace, results::SERVERS, Results::parse)? {
        readme = markers::replace(&readme, "figures", &figures(&results))?;
        performance = markers::replace(&performance, "ratios", &ratios(&results))?;
        performance = markers::replace(&performance, "runtimes", &runtimes(&results))?;
        documents.push(("docs/performance-ratios.svg", plot::ratios(&bars(&results))));
    }
    if let Some(results) = read(workspace, results::THREADS, Results::parse)? {
        performance = markers::replace(&performance, "threads", &threads(&results))?;
    }
    if let Some(scaling) = read(workspace, scaling::FILE, Scaling::parse)? {
        performance = markers::replace(&performance, "scaling", &deliveries(&scaling))?;
        performance = markers::replace(&performance, "memory", &memory(&scaling))?;
        documents.push(("docs/performance-scaling.svg", plot::scaling(&scaling.deliveries)));
    }
    documents.extend([(README, readme), (PERFORMANCE, performance)]);
    Ok(documents)
}

/// The kept results in `path`; `None` if there are none yet.
fn read<T>(
    workspace: &Workspace,
    path: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Failure> {
    if !workspace.root().join(path).exists() {
        return Ok(None);
    }
    let results = parse(&workspace.read(path)?);
    results.map(Some).ok_or_else(|| Failure::new(format!("{path} cannot be read")))
}

/// A number of digits that its size deserves.
fn micros(value: Option<f64>) -> String {
    match value {
        None => "–".to_owned(),
        Some(value) if value >= 100.0 => format!("{value:.0}"),
        Some(value) if value >= 10.0 => format!("{value:.1}"),
        Some(value) => format!("{value:.2}"),
    }
}

fn ratio(value: Option<f64>, base: Option<f64>) -> String {
    micros(value.zip(base).map(|(value, base)| value / base))
}

/// A whole number with its thousands set apart.
pub(super) fn spaced(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// The servers of the results, in our order.
fn servers(results: &Results) -> Vec<(&'static str, &'static str)> {
    SERVERS.into_iter().filter(|(label, _)| results.has_server(label)).collect()
}

/// The first row and the line below it.
fn head(first: &str, columns: impl IntoIterator<Item = &'static str>) -> String {
    let columns: Vec<&str> = columns.into_iter().collect();
    let numbers = " ---: |".repeat(columns.len());
    format!("| {first} | {} |\n| --- |{numbers}\n", columns.join(" | "))
}

/// One row for each case that has a cell in one of the columns.
fn rows(results: &Results, table: &mut String, row: impl Fn(&str) -> Vec<String>) {
    for (case, name) in CASES {
        if results.cells.keys().any(|(known, _)| known == case) {
            let _ = writeln!(table, "| {name} | {} |", row(case).join(" | "));
        }
    }
}

/// How the figures came about.
fn provenance(results: &Results) -> String {
    let Results { date, processors, seconds, .. } = results;
    let rounds = results.rounds();
    let spreads = results.cells.values().filter_map(|cell| cell.get("cpu_spread")).collect();
    let spread = median(spreads).unwrap_or_default() * 100.0;
    format!(
        "{date}, {processors} processors; medians of {rounds} interleaved rounds of {seconds} s, between \
         which\na figure varied by {spread:.0} %."
    )
}

/// README's table.
fn figures(results: &Results) -> String {
    let shown = ["ours", "ours-raw", RIVAL, FLOOR];
    let columns: Vec<_> =
        servers(results).into_iter().filter(|(label, _)| shown.contains(label)).collect();
    let names = columns.iter().map(|(_, name)| *name);
    let more = ["sansocket / raw-tokio", "sansocket / socketioxide"];
    let mut table = head("operation, µs", names.chain(more));
    let cpu = |case: &str, label: &str| results.get(case, label, "cpu_us");
    rows(results, &mut table, |case| {
        let mut row: Vec<String> =
            columns.iter().map(|(label, _)| micros(cpu(case, label))).collect();
        row.extend([FLOOR, RIVAL].map(|base| ratio(cpu(case, "ours"), cpu(case, base))));
        row
    });
    let bytes: Vec<String> = columns
        .iter()
        .filter_map(|(label, name)| {
            Some((name, results.get("idle", label, "bytes_per_connection")?))
        })
        .map(|(name, bytes)| format!("{name} {}", spaced(bytes.round() as u64)))
        .collect();
    let _ = write!(table, "\n{}", provenance(results));
    if !bytes.is_empty() {
        let _ = write!(
            table,
            " Bytes of resident memory for each of\n10 000 idle WebSocket connections: {}.",
            bytes.join(", ")
        );
    }
    table
}

/// Everybody's distance from the floor.
fn ratios(results: &Results) -> String {
    let columns: Vec<_> =
        servers(results).into_iter().filter(|(label, _)| *label != FLOOR).collect();
    let mut table = head("operation", columns.iter().map(|(_, name)| *name));
    let cpu = |case: &str, label: &str| results.get(case, label, "cpu_us");
    rows(results, &mut table, |case| {
        columns.iter().map(|(label, _)| ratio(cpu(case, label), cpu(case, FLOOR))).collect()
    });
    let plot = "![Processor time as a multiple of the floor](performance-ratios.svg)";
    let _ = write!(table, "\n{}\n\n{plot}", provenance(results));
    table
}

/// Ours on each runtime.
fn runtimes(results: &Results) -> String {
    let columns = [("ours", "tokio"), ("ours-smol", "smol"), ("ours-async-std", "async-std")];
    let mut table = head("operation, µs", columns.map(|(_, name)| name));
    rows(results, &mut table, |case| {
        columns.iter().map(|(label, _)| micros(results.get(case, label, "cpu_us"))).collect()
    });
    let _ = write!(table, "\n{}", provenance(results));
    table
}

/// Ours with several threads and shards, whose labels say how many.
fn threads(results: &Results) -> String {
    let columns =
        ["threads", "shards", "operations/s", "median latency, µs", "99th percentile, µs"];
    let mut table = head("operation", columns);
    for (case, name) in CASES {
        for ((_, label), cell) in results.cells.iter().filter(|((known, _), _)| known == case) {
            let mut numbers = label.rsplitn(3, '-');
            let (shards, threads) = (numbers.next(), numbers.next());
            let count = |field| {
                cell.get(field).map_or_else(|| "–".to_owned(), |v| spaced(v.round() as u64))
            };
            let _ = writeln!(
                table,
                "| {name} | {} | {} | {} | {} | {} |",
                threads.unwrap_or_default(),
                shards.unwrap_or_default(),
                count("per_second"),
                count("latency_p50_us"),
                count("latency_p99_us")
            );
        }
    }
    let _ = write!(table, "\n{}", provenance(results));
    table
}

/// For each case, each server's ratio to the floor, for the plot.
fn bars(results: &Results) -> Vec<plot::Group> {
    let shown = ["ours", RIVAL, "bun-engine", "node"];
    let shown: Vec<_> =
        servers(results).into_iter().filter(|(label, _)| shown.contains(label)).collect();
    let group = |(case, name): (&str, &'static str)| {
        let floor = results.get(case, FLOOR, "cpu_us")?;
        let bars: Vec<_> = shown
            .iter()
            .filter_map(|(label, name)| Some((*name, results.get(case, label, "cpu_us")? / floor)))
            .collect();
        (!bars.is_empty()).then_some(plot::Group { name, bars })
    };
    CASES.into_iter().filter_map(group).collect()
}

fn deliveries(scaling: &Scaling) -> String {
    let columns = ["members of the room", "processor time, ns", "instructions"];
    let mut table = head("rooms", columns);
    for delivery in &scaling.deliveries {
        let [rooms, members] =
            [delivery.rooms, delivery.members].map(|number| spaced(number as u64));
        let _ = writeln!(
            table,
            "| {rooms} | {members} | {:.0} | {:.0} |",
            delivery.cpu_nanoseconds, delivery.instructions
        );
    }
    let plot = "![What a delivery costs by the members of the room](performance-scaling.svg)";
    let _ = write!(table, "\nMeasured {}.\n\n{plot}", scaling.date);
    table
}

fn memory(scaling: &Scaling) -> String {
    let mut table = head("what a connection holds", ["bytes"]);
    for (holds, bytes) in &scaling.memory {
        let _ = writeln!(table, "| {holds} | {} |", spaced(*bytes as u64));
    }
    table
}
