//! What our client costs: `client-load idle|echo URL COUNT SECONDS`, for `cargo xtask bench
//! --clients`.
//!
//! `idle` opens so many connections and lets them be, `echo` keeps so many events under way that are
//! acknowledged. Both say in a line of JSON what the process used meanwhile.

use std::error::Error;
use std::io::Write as _;
use std::time::{Duration, Instant};

use sansocket_bench::usage::Usage;
use sansocket_tokio::{Client, Transport};
use tokio::task::JoinSet;

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [mode, url, count, seconds] = &arguments[..] else {
        return Err("client-load idle|echo URL COUNT SECONDS".into());
    };
    let (count, duration): (usize, _) = (count.parse()?, Duration::from_secs(seconds.parse()?));
    match mode.as_str() {
        "idle" => idle(url, count, duration).await,
        "echo" => echo(url, count, duration).await,
        _ => Err("there is no such mode".into()),
    }
}

async fn connect(url: &str) -> Result<Client, Box<dyn Error>> {
    Ok(Client::builder(url).transports([Transport::WebSocket]).connect().await?)
}

async fn idle(url: &str, count: usize, duration: Duration) -> Result<(), Box<dyn Error>> {
    // What only the first one needs is not counted.
    let mut clients = vec![connect(url).await?];
    let before = Usage::now()?;
    for _ in 0..count {
        clients.push(connect(url).await?);
    }
    let opened = Usage::now()?;
    tokio::time::sleep(duration).await;
    let after = Usage::now()?;
    let alive = clients.iter().filter(|client| client.connected()).count();
    if alive != count + 1 {
        return Err(format!("{alive} of {count} are left").into());
    }
    say(&before.opened(&opened, &after, count))
}

async fn echo(url: &str, window: usize, duration: Duration) -> Result<(), Box<dyn Error>> {
    let client = connect(url).await?;
    let _: String = client.emit_with_ack("echo", "warm", PATIENCE).await?;
    let (before, started) = (Usage::now()?, Instant::now());
    let mut workers = JoinSet::new();
    for _ in 0..window {
        let client = client.clone();
        workers.spawn(async move {
            let mut operations = 0_u64;
            while started.elapsed() < duration {
                let echo = client.emit_with_ack::<String>("echo", "hello world", PATIENCE).await;
                if echo.as_deref().ok() != Some("hello world") {
                    return None;
                }
                operations += 1;
            }
            Some(operations)
        });
    }
    let mut operations = 0;
    while let Some(worker) = workers.join_next().await {
        operations += worker?.ok_or("an echo is missing")?;
    }
    say(&before.used(&Usage::now()?, operations))
}

fn say(line: &str) -> Result<(), Box<dyn Error>> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
