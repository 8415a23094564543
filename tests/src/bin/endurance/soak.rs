//! Clients that come and go.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sansocket_tests::noise::Noise;

use crate::Options;
use crate::lives::{self, End};
use crate::server::Process;

/// How often the server comes to rest.
const CROWDS: u32 = 4;

/// What the clients have done.
#[derive(Default)]
struct Counts {
    ends: [AtomicU64; End::ALL.len()],
    failures: AtomicU64,
}

/// Whether the server is as it was before.
pub(crate) fn run(options: &Options) -> io::Result<bool> {
    let time = options.time.unwrap_or(Duration::from_secs(20 * 60));
    let mut server = Process::start()?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(sansocket_tests::client::visit(server.address))?;
    let start = server.figures()?;
    println!("at the start: {start}");
    let counts = Arc::new(Counts::default());
    // What an allocator keeps of a crowd settles after some; a leak goes on.
    println!("four crowds, and between them nobody");
    let mut rests = Vec::new();
    for round in 0..CROWDS {
        let time = time / CROWDS;
        let until = Instant::now() + time;
        let crowd: Vec<_> = (0..options.clients)
            .map(|number| {
                let noise = Noise(options.seed << 32 | u64::from(round) << 24 | number as u64);
                runtime.spawn(come_and_go(server.address, noise, until, counts.clone()))
            })
            .collect();
        let mut most = server.figures()?;
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            std::thread::sleep(left.min(Duration::from_secs(10)));
            let now = server.figures()?;
            if now.resident_bytes > most.resident_bytes {
                most = now;
            }
        }
        runtime.block_on(async {
            for client in crowd {
                if let Err(error) = client.await {
                    eprintln!("a client panicked: {error}");
                    counts.failures.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        let rest = server.figures_at_rest(&start)?;
        println!("at its most: {most}");
        println!("at rest:     {rest}");
        rests.push(rest);
    }
    let mut lives = 0;
    for (end, count) in End::ALL.iter().zip(&counts.ends) {
        let count = count.load(Ordering::Relaxed);
        lives += count;
        println!("{count:>9} {}", end.name());
    }
    let failures = counts.failures.load(Ordering::Relaxed);
    println!("{lives} clients, {failures} failures");
    let is_at_rest = rests.iter().all(|rest| rest.rest_like(&start));
    let has_grown = match rests[..] {
        [.., third, last] => last.resident_bytes > third.resident_bytes + third.resident_bytes / 10,
        _ => true,
    };
    println!("{}", if is_at_rest { "nothing is left" } else { "SOMETHING IS LEFT" });
    println!("{}", if has_grown { "MEMORY HAS GROWN" } else { "memory has not grown" });
    Ok(is_at_rest && !has_grown && failures == 0)
}

async fn come_and_go(
    address: std::net::SocketAddr,
    mut noise: Noise,
    until: Instant,
    counts: Arc<Counts>,
) {
    // Not all at once.
    lives::pause(&mut noise, 5_000).await;
    while Instant::now() < until {
        let end = End::ALL[noise.below(End::ALL.len() as u64) as usize];
        match lives::live(address, &mut noise, end).await {
            Ok(()) => {
                counts.ends[end as usize].fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                if counts.failures.fetch_add(1, Ordering::Relaxed) < 10 {
                    eprintln!("a client failed before its end, {}: {error}", end.name());
                }
                lives::pause(&mut noise, 1_000).await;
            }
        }
    }
}
