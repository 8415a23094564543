//! What clients cost, beside other clients, against the same server of ours.

use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::json::Json;
use crate::workspace::{Profile, Workspace};
use crate::{prerequisites, process};

const PORT: u16 = 3_917;
const URL: &str = "http://127.0.0.1:3917";

/// Rounds, of which the median counts.
const ROUNDS: usize = 5;

/// What is measured: the mode, its count and its seconds; and the heartbeats of an idle connection
/// meanwhile, which are one a second.
const CASES: [(&str, [&str; 3]); 3] = [
    ("1 in flight", ["echo", "1", "3"]),
    ("16 in flight", ["echo", "16", "3"]),
    ("idle", ["idle", "1000", "10"]),
];

const HEARTBEATS: f64 = 10.0;

/// The server, until it is dropped.
struct Server(Child);

impl Server {
    fn start(workspace: &Workspace) -> Result<Self, Failure> {
        let mut command = Command::new(workspace.binary(Profile::Release, "bench-server"));
        command.env("PORT", PORT.to_string()).env("PING_INTERVAL", "1000").stdout(Stdio::null());
        let server = Self(command.spawn().map_err(|error| Failure::new(format!("{error}")))?);
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", PORT)).is_err() {
            if started.elapsed() > Duration::from_secs(10) {
                return Err(Failure::new("the server does not listen"));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Prints a table.
pub(super) fn measure(workspace: &Workspace) -> Result<(), Failure> {
    let build = ["build", "--release", "--package", "sansocket-bench"];
    process::run(&mut workspace.cargo(&build))?;
    let manifest = "bench/clients/rust_socketio/Cargo.toml";
    let target = workspace.target().join("clients");
    let mut cargo = workspace.cargo(&["build", "--release", "--manifest-path", manifest]);
    process::run(cargo.arg("--target-dir").arg(&target))?;
    let folder = workspace.folder("bench/clients")?;
    prerequisites::npm_packages(&folder)?;
    let ours = || Command::new(workspace.binary(Profile::Release, "client-load"));
    let rust_socketio = || Command::new(target.join("release/rust-socketio-load"));
    let official = || {
        let mut node = Command::new("node");
        node.arg(folder.join("official.mjs"));
        node
    };
    let clients: [(&str, &dyn Fn() -> Command); 3] = [
        ("sansocket-tokio", &ours),
        ("rust_socketio", &rust_socketio),
        ("socket.io-client", &official),
    ];
    let server = Server::start(workspace)?;
    println!(
        "| client | CPU of an echo, 1 in flight | 16 in flight | of a heartbeat | an idle connection |"
    );
    println!("| --- | --- | --- | --- | --- |");
    let mut figures = vec![[const { Vec::new() }; 4]; clients.len()];
    for _ in 0..ROUNDS {
        for (index, (_, command)) in clients.iter().enumerate() {
            for (case, (_, arguments)) in CASES.iter().enumerate() {
                let [mode, count, seconds] = arguments;
                let mut command = command();
                command.args([mode, URL, count, seconds]).stderr(Stdio::null());
                // One that fails has no figure.
                let Ok(line) = process::capture(&mut command) else { continue };
                let figure = |name| Json::parse(line.trim())?.number(name);
                let Some(cpu) = figure("cpu_us") else { continue };
                if let Some(operations) = figure("operations") {
                    figures[index][case].push(cpu / operations);
                }
                if let (Some(connections), Some(bytes)) = (figure("connections"), figure("bytes")) {
                    figures[index][case].push(cpu / connections / HEARTBEATS);
                    figures[index][case + 1].push(bytes / connections);
                }
            }
        }
    }
    drop(server);
    for ((name, _), figures) in clients.iter().zip(&mut figures) {
        let [one, many, heartbeat, memory] = figures;
        let micros = |figures: &mut Vec<f64>| match median(figures) {
            Some(median) => format!("{median:.1} µs"),
            None => "fails".to_owned(),
        };
        let (one, many, heartbeat) = (micros(one), micros(many), micros(heartbeat));
        let memory =
            median(memory).map_or_else(|| "fails".to_owned(), |bytes| format!("{bytes:.0} bytes"));
        println!("| {name} | {one} | {many} | {heartbeat} | {memory} |");
    }
    Ok(())
}

fn median(figures: &mut [f64]) -> Option<f64> {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied()
}
