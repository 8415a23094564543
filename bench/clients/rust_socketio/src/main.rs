//! As `client-load`, on rust_socketio.

#[path = "../../../src/usage.rs"]
mod usage;

use std::error::Error;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use rust_socketio::asynchronous::{Client, ClientBuilder};
use rust_socketio::{Payload, TransportType};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use usage::Usage;

const PATIENCE: Duration = Duration::from_secs(5);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [mode, url, count, seconds] = &arguments[..] else {
        return Err("rust-socketio-load idle|echo URL COUNT SECONDS".into());
    };
    let (count, duration): (usize, _) = (count.parse()?, Duration::from_secs(seconds.parse()?));
    match mode.as_str() {
        "idle" => idle(url, count, duration).await,
        // With several acknowledgements under way its task may panic, and nobody is answered.
        "echo" => tokio::time::timeout(duration + PATIENCE, echo(url, count, duration)).await?,
        _ => Err("there is no such mode".into()),
    }
}

/// Its `connect` returns before the namespace is connected.
async fn connect(url: &str) -> Result<Client, Box<dyn Error>> {
    let (sender, mut connected) = mpsc::unbounded_channel();
    let client = ClientBuilder::new(url)
        .transport_type(TransportType::Websocket)
        .on("open", move |_, _| {
            let _ = sender.send(());
            async {}.boxed()
        })
        .connect()
        .await?;
    connected.recv().await.ok_or("it does not connect")?;
    Ok(client)
}

async fn idle(url: &str, count: usize, duration: Duration) -> Result<(), Box<dyn Error>> {
    let mut clients = vec![connect(url).await?];
    let before = Usage::now()?;
    for _ in 0..count {
        clients.push(connect(url).await?);
    }
    let opened = Usage::now()?;
    tokio::time::sleep(duration).await;
    println!("{}", before.opened(&opened, &Usage::now()?, count));
    Ok(())
}

async fn ask(client: &Client) -> Result<(), Box<dyn Error + Send + Sync>> {
    let (sender, answered) = oneshot::channel();
    let sender = std::sync::Mutex::new(Some(sender));
    let answer = move |payload: Payload, _: Client| {
        let is_echo = match payload {
            // An acknowledgement is an array of its arguments.
            Payload::Text(values) => values.iter().any(|value| {
                value == "hello world" || value.get(0).is_some_and(|value| value == "hello world")
            }),
            _ => false,
        };
        if let Some(sender) = sender.lock().ok().and_then(|mut sender| sender.take()) {
            let _ = sender.send(is_echo);
        }
        async {}.boxed()
    };
    client.emit_with_ack("echo", "\"hello world\"", PATIENCE, answer).await?;
    if answered.await? { Ok(()) } else { Err("an echo is missing".into()) }
}

async fn echo(url: &str, window: usize, duration: Duration) -> Result<(), Box<dyn Error>> {
    let client = connect(url).await?;
    ask(&client).await.map_err(|error| error.to_string())?;
    let (before, started) = (Usage::now()?, Instant::now());
    let mut workers = JoinSet::new();
    for _ in 0..window {
        let client = client.clone();
        workers.spawn(async move {
            let mut operations = 0_u64;
            while started.elapsed() < duration {
                ask(&client).await?;
                operations += 1;
            }
            Ok::<_, Box<dyn Error + Send + Sync>>(operations)
        });
    }
    let mut operations = 0;
    while let Some(worker) = workers.join_next().await {
        operations += worker?.map_err(|error| error.to_string())?;
    }
    println!("{}", before.used(&Usage::now()?, operations));
    Ok(())
}
