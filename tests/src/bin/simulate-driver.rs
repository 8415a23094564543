//! Many simulated runs of the driver, each by a seed.
//!
//! `simulate-driver [--seed FIRST] [--runs COUNT] [--twice] [--both]`

use std::io::Write;
use std::panic::catch_unwind;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use sansocket_tests::choices::bytes_of;
use sansocket_tests::simulation::{Scenario, simulate_both, simulate_driver};

fn main() -> ExitCode {
    let mut first = 1;
    let mut runs = 1_000;
    let mut twice = false;
    let mut both = false;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().and_then(|number| number.parse().ok());
        match argument.as_str() {
            "--seed" => first = number().unwrap_or(first),
            "--runs" => runs = number().unwrap_or(runs),
            "--twice" => twice = true,
            // Our client as well.
            "--both" => both = true,
            _ => {
                say("simulate-driver [--seed FIRST] [--runs COUNT] [--twice] [--both]\n");
                return ExitCode::from(2);
            }
        }
    }
    if both {
        return run_both(first, runs);
    }
    let started = Instant::now();
    let mut shown = started;
    let (mut polls, mut elapsed, mut sockets) = (0, Duration::ZERO, 0);
    for seed in first..first + runs {
        let bytes = bytes_of(seed);
        let Ok(outcome) = catch_unwind(|| simulate_driver(&bytes)) else {
            return fail(seed, bytes);
        };
        if twice && simulate_driver(&bytes) != outcome {
            say(&format!("seed {seed} runs differently each time\n"));
            return ExitCode::FAILURE;
        }
        polls += outcome.polls;
        elapsed += outcome.elapsed;
        sockets += outcome.sockets;
        if shown.elapsed() > Duration::from_secs(5) {
            shown = Instant::now();
            say(&format!("{} of {runs} runs\n", seed - first + 1));
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    let rate = runs as f64 / seconds;
    let hours = elapsed.as_secs_f64() / 3_600.0;
    say(&format!(
        "{runs} runs in {seconds:.1} s ({rate:.0} per second): {polls} polls, {sockets} sockets, \
         {hours:.0} simulated hours\n"
    ));
    ExitCode::SUCCESS
}

fn run_both(first: u64, runs: u64) -> ExitCode {
    let started = Instant::now();
    let (mut polls, mut connects, mut events, mut elapsed) = (0, 0, 0, Duration::ZERO);
    for seed in first..first + runs {
        let bytes = bytes_of(seed);
        let Ok(outcome) = catch_unwind(|| simulate_both(&bytes)) else {
            return fail(seed, bytes);
        };
        polls += outcome.polls;
        connects += outcome.connects;
        events += outcome.events;
        elapsed += outcome.elapsed;
    }
    let seconds = started.elapsed().as_secs_f64();
    let hours = elapsed.as_secs_f64() / 3_600.0;
    say(&format!(
        "{runs} runs in {seconds:.1} s: {polls} polls, {connects} connects, {events} events, \
         {hours:.0} simulated hours\n"
    ));
    ExitCode::SUCCESS
}

/// Says how to repeat a failure, after making it smaller.
fn fail(seed: u64, mut bytes: Vec<u8>) -> ExitCode {
    say(&format!("seed {seed} failed: simulate-driver --seed {seed} --runs 1\n"));
    if std::env::var_os("SHRINK").is_none() {
        return ExitCode::FAILURE;
    }
    // What the smaller ones say is not of interest.
    std::panic::set_hook(Box::new(|_| {}));
    let fails = |bytes: &[u8]| catch_unwind(|| simulate_driver(bytes)).is_err();
    let mut part = bytes.len() / 2;
    while part > 0 {
        let mut at = 0;
        while at < bytes.len() {
            let end = (at + part).min(bytes.len());
            let mut shorter = bytes.clone();
            shorter.drain(at..end);
            let mut duller = bytes.clone();
            duller[at..end].fill(0);
            if fails(&shorter) {
                bytes = shorter;
            } else if duller != bytes && fails(&duller) {
                bytes = duller;
                at = end;
            } else {
                at = end;
            }
        }
        part /= 2;
    }
    say(&format!("the smallest that fails:\n{bytes:?}\n{:?}\n", Scenario::draw(&bytes)));
    let _ = std::panic::take_hook();
    let _ = catch_unwind(|| simulate_driver(&bytes));
    ExitCode::FAILURE
}

fn say(text: &str) {
    // Nobody may be listening.
    let _ = std::io::stdout().write_all(text.as_bytes());
}
