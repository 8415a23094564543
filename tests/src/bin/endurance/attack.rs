//! What other clients notice of an attack, and what it leaves behind.

use std::io;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use sansocket_tests::client::{WebSocket, visit};
use sansocket_tests::noise::Noise;

use crate::Options;
use crate::attacks::ATTACKS;
use crate::server::Process;

/// How long an attack lasts.
const TIME: Duration = Duration::from_secs(5);
/// How many attackers there are of a kind at a time.
const ATTACKERS: usize = 16;
/// How many clients are measured, and how often each has something echoed.
const VICTIMS: usize = 8;
const INTERVAL: Duration = Duration::from_millis(4);

/// What the last attack has left is gone after this.
const PAUSE: Duration = Duration::from_millis(500);

const SERVERS_PROCESSOR: usize = 0;
/// Of the measured clients, and of the attackers, which have what those leave.
const CLIENTS_PROCESSOR: &str = "1";

/// How long an attempt may go on when the time is over.
const LIMIT: Duration = Duration::from_secs(2);

/// The times that echoes took since they were taken last.
#[derive(Clone, Default)]
struct Times(Arc<Mutex<Vec<Duration>>>);

impl Times {
    fn add(&self, time: Duration) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(time);
    }

    fn take(&self) -> Vec<Duration> {
        let mut times = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        times.sort_unstable();
        times
    }
}

fn quantile(sorted: &[Duration], part: f64) -> Duration {
    let index = (sorted.len() as f64 * part) as usize;
    sorted.get(index).or_else(|| sorted.last()).copied().unwrap_or_default()
}

/// Whether the server has served its other clients throughout, and is as it was before.
pub(crate) fn run(options: &Options) -> io::Result<bool> {
    let time = options.time.unwrap_or(TIME);
    // The server has a processor of its own. What is measured is the server, not the machine.
    let mut server = Process::start_on(SERVERS_PROCESSOR)?;
    let own = std::process::id().to_string();
    let pin = ["--cpu-list", "--pid", CLIENTS_PROCESSOR, &own];
    if !Command::new("taskset").args(pin).stdout(Stdio::null()).status()?.success() {
        return Err(io::Error::other("there is no second processor"));
    }
    let address = server.address;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(visit(address))?;
    let start = server.figures()?;
    println!("at the start: {start}");
    let (times, ends) = (Times::default(), Arc::new(AtomicBool::new(false)));
    let victims = thread::spawn({
        let (times, ends) = (times.clone(), ends.clone());
        move || measure(address, &times, &ends)
    });
    thread::sleep(time);
    times.take();
    println!("{:<28} {:>9} {:>9} {:>9} {:>9}", "", "echoes", "p50 us", "p99 us", "attacks");
    let line = |name: &str, times: &[Duration], attacks: usize| {
        let [p50, p99] = [0.5, 0.99].map(|part| quantile(times, part).as_micros());
        println!("{name:<28} {:>9} {p50:>9} {p99:>9} {attacks:>9}", times.len());
    };
    let (mut resting, mut all) = (Vec::new(), Vec::new());
    for (number, attack) in ATTACKS.iter().enumerate() {
        // They run when nobody else wants to.
        let attackers = Command::new("chrt")
            .args(["--idle", "0"])
            .arg(std::env::current_exe()?)
            .args(["attackers", &address.to_string(), &number.to_string()])
            .args(["--seconds", &time.as_secs().to_string()])
            .args(["--seed", &options.seed.to_string()])
            .stdout(Stdio::piped())
            .spawn()?;
        let said = attackers.wait_with_output()?.stdout;
        let count = String::from_utf8_lossy(&said).trim().parse().map_err(io::Error::other)?;
        let mut under_attack = times.take();
        line(attack.name, &under_attack, count);
        all.append(&mut under_attack);
        thread::sleep(PAUSE);
        times.take();
        thread::sleep(time);
        resting.append(&mut times.take());
    }
    all.sort_unstable();
    resting.sort_unstable();
    line("all attacks", &all, 0);
    line("at rest between them", &resting, 0);
    ends.store(true, Ordering::Relaxed);
    let served = victims.join().map_err(|_| io::Error::other("a measured client panicked"))?;
    let rest = server.figures_at_rest(&start)?;
    println!("at rest:     {rest}");
    let is_at_rest = rest.rest_like(&start);
    println!("{}", if is_at_rest { "nothing is left" } else { "SOMETHING IS LEFT" });
    match &served {
        Ok(()) => println!("all other clients were served"),
        Err(error) => println!("A CLIENT WAS NOT SERVED: {error}"),
    }
    let [rest, attacked] = [&resting, &all].map(|times| quantile(times, 0.99).as_secs_f64());
    println!("p99 under attack is {:.2} times that at rest", attacked / rest);
    Ok(is_at_rest && served.is_ok())
}

/// The attackers of one kind, in a process of their own. Says how often they have attacked.
pub(crate) fn attackers(address: &str, number: &str, options: &Options) -> io::Result<()> {
    let address: SocketAddr = address.parse().map_err(io::Error::other)?;
    let number: usize = number.parse().map_err(io::Error::other)?;
    let attack = ATTACKS.get(number).ok_or(io::ErrorKind::InvalidInput)?;
    let until = Instant::now() + options.time.unwrap_or(TIME);
    let count = Arc::new(AtomicUsize::new(0));
    let runtime = tokio::runtime::Runtime::new()?;
    let attackers: Vec<_> = (0..ATTACKERS)
        .map(|attacker| {
            let count = count.clone();
            let mut noise = Noise(options.seed << 32 | (number * ATTACKERS + attacker) as u64);
            runtime.spawn(async move {
                while Instant::now() < until || count.load(Ordering::Relaxed) < attack.at_least {
                    // It fails when the server has had enough, or ends when we have.
                    let limit = until.saturating_duration_since(Instant::now()) + LIMIT;
                    let attempt = attack.run(address, &mut noise, until);
                    let _ = tokio::time::timeout(limit, attempt).await;
                    count.fetch_add(attack.parts, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for attacker in attackers {
        runtime.block_on(attacker).map_err(io::Error::other)?;
    }
    println!("{}", count.load(Ordering::Relaxed));
    Ok(())
}

/// Clients that have something echoed again and again, on a thread of their own.
fn measure(address: SocketAddr, times: &Times, ends: &Arc<AtomicBool>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let clients: Vec<_> = (0..VICTIMS)
            .map(|_| {
                let (times, ends) = (times.clone(), ends.clone());
                tokio::spawn(async move {
                    let mut websocket = WebSocket::join(address).await?;
                    while !ends.load(Ordering::Relaxed) {
                        let start = Instant::now();
                        websocket.echo().await?;
                        times.add(start.elapsed());
                        tokio::time::sleep(INTERVAL).await;
                    }
                    websocket.close().await
                })
            })
            .collect();
        for client in clients {
            client.await.map_err(io::Error::other)??;
        }
        Ok(())
    })
}
