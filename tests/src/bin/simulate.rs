//! The simulator: episodes of the world, one after the other, until enough steps are done or a
//! violation is found. `cargo xtask simulate` builds and runs it.
#![expect(clippy::print_stdout, reason = "a command-line tool speaks on standard output")]

use std::panic;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use sansocket_tests::choices::{Choices, split_mix};
use sansocket_tests::world::shrink::shrink;
use sansocket_tests::world::small;
use sansocket_tests::world::{Options, Report, Trace, Violation, run, run_bytes};

const HELP: &str = "\
Usage: simulate [--seed N] [--steps M] [--episode E] [--replay HEX] [--seconds S]
                [--shrink-seconds S]

  --seed N            what all episodes are drawn from; 1 if it is not given
  --steps M           ends after so many steps; 1000000 if it is not given
  --episode E         runs this episode of the seed alone, and prints its trace
  --replay HEX        runs the episode that these bytes are, and prints its trace
  --seconds S         ends after so much time
  --shrink-seconds S  how long to look for a shorter failure; 10 if it is not given
  --exhaustive N      runs every small world of N moves instead
";

/// Of how many episodes one is run again, to compare.
const COMPARED: u64 = 16;
/// The lines of a trace that are shown.
const LINES_MAX: usize = 60;
const PROGRESS: Duration = Duration::from_secs(5);

struct Arguments {
    seed: u64,
    steps: usize,
    episode: Option<u64>,
    replay: Option<Vec<u8>>,
    exhaustive: Option<u32>,
    time: Duration,
    shrink: Duration,
}

fn main() -> ExitCode {
    let arguments = match parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(problem) => {
            eprint!("simulate: {problem}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    // A panic of the server is a finding like any other, and is reported as one.
    panic::set_hook(Box::new(|_| {}));
    if let Some(bytes) = &arguments.replay {
        return show(bytes);
    }
    match arguments.exhaustive {
        Some(length) => exhaust(length),
        None => simulate(&arguments),
    }
}

fn exhaust(length: u32) -> ExitCode {
    let started = Instant::now();
    match small::run_all(length) {
        Ok(worlds) => {
            println!("{worlds} small worlds in {:.1} s", started.elapsed().as_secs_f64());
            ExitCode::SUCCESS
        }
        Err(violation) => {
            println!("VIOLATION {}: {}", violation.kind, violation.detail);
            ExitCode::FAILURE
        }
    }
}

fn parse(mut words: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut arguments = Arguments {
        seed: 1,
        steps: 1_000_000,
        episode: None,
        replay: None,
        exhaustive: None,
        time: Duration::MAX,
        shrink: Duration::from_secs(10),
    };
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        let number = |text: String| {
            text.replace('_', "").parse::<u64>().map_err(|_| format!("{text:?} is no number"))
        };
        match word.as_str() {
            "--seed" => arguments.seed = number(value()?)?,
            "--steps" => arguments.steps = number(value()?)? as usize,
            "--episode" => arguments.episode = Some(number(value()?)?),
            "--replay" => arguments.replay = Some(from_hex(&value()?)?),
            "--exhaustive" => arguments.exhaustive = Some(number(value()?)? as u32),
            "--seconds" => arguments.time = Duration::from_secs(number(value()?)?),
            "--shrink-seconds" => arguments.shrink = Duration::from_secs(number(value()?)?),
            _ => return Err(format!("{word:?} is unknown")),
        }
    }
    Ok(arguments)
}

fn simulate(arguments: &Arguments) -> ExitCode {
    let started = Instant::now();
    let mut told = started;
    let mut steps = 0;
    let mut hash = 0u64;
    let mut episode = arguments.episode.unwrap_or(0);
    while steps < arguments.steps && started.elapsed() < arguments.time {
        let mut choices = Choices::from_seed(episode_seed(arguments.seed, episode));
        let mut trace = Trace::new(false);
        let outcome = run(&mut choices, &Options::default(), &mut trace);
        let bytes = choices.into_bytes();
        let outcome = outcome.and_then(|report| {
            if episode.is_multiple_of(COMPARED) {
                compare(&bytes, &report)?;
            }
            Ok(report)
        });
        match outcome {
            Ok(report) => {
                steps += report.steps;
                hash = split_mix(&mut (hash ^ report.hash));
            }
            Err(violation) => {
                steps += trace.steps();
                let place = (arguments.seed, episode, trace.steps(), steps);
                report_violation(&violation, place, bytes, arguments.shrink, started);
                return ExitCode::FAILURE;
            }
        }
        if arguments.episode.is_some() {
            return show(&bytes);
        }
        episode += 1;
        if told.elapsed() >= PROGRESS {
            told = Instant::now();
            println!("{steps} steps, {episode} episodes, {} steps/s", rate(steps, started));
        }
    }
    println!(
        "seed {}: {steps} steps in {episode} episodes and {:.1} s, {} steps/s, no violation; \
         trace {hash:016x}",
        arguments.seed,
        started.elapsed().as_secs_f64(),
        rate(steps, started)
    );
    ExitCode::SUCCESS
}

fn rate(steps: usize, started: Instant) -> u64 {
    (steps as f64 / started.elapsed().as_secs_f64()) as u64
}

fn episode_seed(seed: u64, episode: u64) -> u64 {
    let mut state = seed.wrapping_mul(0x1_0000_0001).wrapping_add(episode);
    split_mix(&mut state)
}

/// The same bytes must give the same trace, and however many shards there are, in whichever order
/// they are visited, every client must be told the same.
fn compare(bytes: &[u8], report: &Report) -> Result<(), Violation> {
    let again = run_bytes(bytes, &Options::default())?;
    if again.hash != report.hash {
        return Err(Violation {
            kind: "determinism",
            detail: "the same bytes gave another trace".to_owned(),
        });
    }
    let one = run_bytes(bytes, &Options { shards: Some(1), ..Options::default() })?;
    let three = Options { shards: Some(3), reversed: true, ..Options::default() };
    let three = run_bytes(bytes, &three)?;
    if one.clients != three.clients {
        return Err(Violation {
            kind: "determinism",
            detail: "clients were told something else by another number of shards".to_owned(),
        });
    }
    Ok(())
}

fn report_violation(
    violation: &Violation,
    (seed, episode, step, steps): (u64, u64, usize, usize),
    bytes: Vec<u8>,
    time: Duration,
    started: Instant,
) {
    println!(
        "VIOLATION {}: {}\nseed {seed}, episode {episode}, step {step}\nsteps: {steps}\n\
         seconds: {:.1}",
        violation.kind,
        violation.detail,
        started.elapsed().as_secs_f64()
    );
    println!("repeat it: cargo xtask simulate --seed {seed} --episode {episode}");
    let length = bytes.len();
    let fails_alike = |bytes: &[u8]| {
        let outcome = run_bytes(bytes, &Options::default());
        outcome.is_err_and(|found| found.kind == violation.kind)
    };
    let shorter = shrink(bytes, fails_alike, time);
    println!("{length} bytes, shrunk to {}", shorter.len());
    show(&shorter);
    println!("repeat the shrunk one: cargo xtask simulate --replay {}", to_hex(&shorter));
}

/// Runs the episode that `bytes` are, and prints what happens in it.
fn show(bytes: &[u8]) -> ExitCode {
    let mut trace = Trace::new(true);
    let outcome = run(&mut Choices::new(bytes), &Options::default(), &mut trace);
    let lines = trace.into_lines();
    let skipped = lines.len().saturating_sub(LINES_MAX);
    if let Some(settings) = lines.first().filter(|_| skipped > 0) {
        println!("{settings}\n ... {} lines", skipped - 1);
    }
    for line in lines.iter().skip(skipped) {
        println!("{line}");
    }
    match outcome {
        Ok(report) => {
            println!("{} steps without a violation, trace {:016x}", report.steps, report.hash);
            ExitCode::SUCCESS
        }
        Err(violation) => {
            println!("VIOLATION {}: {}", violation.kind, violation.detail);
            ExitCode::FAILURE
        }
    }
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Result<Vec<u8>, String> {
    let digits = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16).ok()
    };
    digits.map(byte).collect::<Option<_>>().ok_or_else(|| "no hexadecimal digits".to_owned())
}
