//! A server on the public API that checks what it is told, and keeps a ledger of what it does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sansocket_driver::{
    Ack, AckError, ConnectError, DisconnectReason, EmitError, Io, Namespace, Runtime, Socket,
    SocketId,
};
use serde::Deserialize;

use super::runtime::{SimRuntime, expected_panic};

/// Namespaces that clients join. The second has a middleware that takes its time.
pub const NAMESPACES: [&str; 2] = ["/", "/guarded"];

/// How long clients have for an answer.
pub const ACK_TIMEOUT: Duration = Duration::from_secs(5);

/// What the application and the scenario share.
#[derive(Clone)]
pub struct World {
    runtime: SimRuntime,
    ledger: Arc<Mutex<Ledger>>,
}

/// What has happened at the server.
#[derive(Debug, Default)]
pub struct Ledger {
    /// By the sockets' ids.
    pub sockets: BTreeMap<SocketId, Record>,
    /// What should not have happened.
    pub violations: Vec<String>,
    /// Events that went to everybody.
    ticks: u64,
    /// Acknowledgements that somebody waits for in a task of its own.
    pub asking: usize,
}

/// One socket, as the application saw it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Record {
    /// How often it was connected.
    pub connects: u32,
    /// How often it was disconnected.
    pub disconnects: u32,
    /// Numbered events that came.
    pub ups: u64,
    /// Numbered events that were sent.
    pub downs: u64,
    /// Whether a handler runs.
    busy: bool,
}

/// What a client gives as `auth`.
#[derive(Deserialize)]
struct Auth {
    #[serde(default)]
    refuse: bool,
    #[serde(default)]
    wait_ms: u64,
}

impl World {
    /// Nothing has happened yet.
    pub fn new(runtime: &SimRuntime) -> Self {
        Self { runtime: runtime.clone(), ledger: Arc::default() }
    }

    /// The books.
    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something should not have happened.
    pub fn violation(&self, what: impl Into<String>) {
        self.ledger().violations.push(what.into());
    }

    fn record<R>(&self, socket: &Socket, change: impl FnOnce(&mut Record) -> R) -> R {
        change(self.ledger().sockets.entry(socket.id()).or_default())
    }

    /// Sends the next of a socket's numbers.
    fn down(&self, socket: &Socket) {
        let number = self.record(socket, |record| record.downs);
        match socket.emit("down", &number) {
            Ok(()) => self.record(socket, |record| record.downs += 1),
            Err(EmitError::NotConnected | EmitError::Full) => {}
            Err(error) => self.violation(format!("emit: {error}")),
        }
    }
}

/// One handler at a time runs for a socket, and none after its end.
struct Running {
    world: World,
    socket: Socket,
}

impl Running {
    fn start(socket: &Socket, what: &str) -> Option<Self> {
        let world = socket.state::<World>()?.clone();
        let (busy, record) = world.record(socket, |record| {
            let busy = std::mem::replace(&mut record.busy, true);
            (busy, *record)
        });
        if busy {
            world.violation(format!("{what} runs beside another handler"));
        }
        if record.disconnects > 0 {
            world.violation(format!("{what} after the disconnection"));
        }
        Some(Self { world, socket: socket.clone() })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.world.record(&self.socket, |record| record.busy = false);
    }
}

/// Registers everything.
pub fn register(io: &Io) {
    for name in NAMESPACES {
        let namespace = io.of(name);
        if name != "/" {
            namespace.use_(guard);
        }
        namespace.on_connect(connected).on_disconnect(disconnected);
        events(&namespace);
    }
}

async fn guard(socket: Socket) -> Result<(), ConnectError> {
    let Some(world) = socket.state::<World>().cloned() else { return Err("no world".into()) };
    let auth: Auth = socket.auth().map_err(|_| "no auth")?;
    world.runtime.sleep(Duration::from_millis(auth.wait_ms)).await;
    if auth.refuse { Err("refused".into()) } else { Ok(()) }
}

async fn connected(socket: Socket) {
    let Some(running) = Running::start(&socket, "connected") else { return };
    let world = &running.world;
    if world.record(&socket, |record| {
        record.connects += 1;
        record.connects
    }) > 1
    {
        world.violation("a socket connected twice");
    }
    world.down(&socket);
    // The client may have left already.
    let _ = socket.join("all");
    world.down(&socket);
}

async fn disconnected(socket: Socket, _: DisconnectReason) {
    let Some(running) = Running::start(&socket, "disconnected") else { return };
    let world = &running.world;
    let record = world.record(&socket, |record| {
        record.disconnects += 1;
        *record
    });
    if record.connects != 1 {
        world.violation(format!("disconnected after {} connections", record.connects));
    }
    if socket.connected() || !socket.rooms().is_empty() {
        world.violation("a disconnected socket is connected");
    }
    if socket.emit("late", &()).is_ok() {
        world.violation("an event was sent after the disconnection");
    }
    world.runtime.sleep(Duration::from_millis(1)).await;
}

fn events(namespace: &Namespace) {
    namespace
        .on("up", async |socket: Socket, number: u64| {
            let Some(running) = Running::start(&socket, "up") else { return Ack(number) };
            let expected = running.world.record(&socket, |record| {
                record.ups += 1;
                record.ups - 1
            });
            if number != expected {
                running.world.violation(format!("up {number} came, and {expected} was expected"));
            }
            Ack(number)
        })
        .on("echo", async |socket: Socket| {
            let Some(running) = Running::start(&socket, "echo") else { return };
            running.world.down(&socket);
        })
        .on("wait", async |socket: Socket, millis: u64| {
            let Some(running) = Running::start(&socket, "wait") else { return };
            running.world.runtime.sleep(Duration::from_millis(millis)).await;
            running.world.down(&socket);
        })
        .on("large", async |socket: Socket, (text, length): (String, usize)| {
            let _running = Running::start(&socket, "large");
            if text.len() != length || text.bytes().any(|byte| byte != b'x') {
                socket.state::<World>().into_iter().for_each(|world| world.violation("damage"));
            }
            Ack("y".repeat(length))
        })
        .on("sync", async |socket: Socket| {
            let Some(running) = Running::start(&socket, "sync") else { return Ack((0, 0)) };
            let record = running.world.record(&socket, |record| *record);
            Ack((record.ups, record.downs))
        });
    asking(namespace);
    rooms(namespace);
    ends(namespace);
}

fn asking(namespace: &Namespace) {
    namespace
        .on("ask", async |socket: Socket, number: u64| {
            let Some(running) = Running::start(&socket, "ask") else { return };
            let answer = socket.emit_with_ack::<u64>("question", &number, ACK_TIMEOUT).await;
            check_answer(&running.world, number, answer);
            running.world.down(&socket);
        })
        .on("ask later", async |socket: Socket, number: u64| {
            let Some(running) = Running::start(&socket, "ask later") else { return };
            let world = running.world.clone();
            let answer = socket.emit_with_ack::<u64>("question", &number, ACK_TIMEOUT);
            world.ledger().asking += 1;
            let runtime = world.runtime.clone();
            runtime.spawn(Box::pin(async move {
                check_answer(&world, number, answer.await);
                world.ledger().asking -= 1;
            }));
        })
        .on("ask all", async |socket: Socket, number: u64| {
            let Some(running) = Running::start(&socket, "ask all") else { return };
            let everybody = socket.namespace().timeout(ACK_TIMEOUT);
            let answers = match everybody.emit_with_ack::<u64>("question", &number).await {
                Ok(answers) => answers,
                Err(error) => error.responses,
            };
            if answers.iter().any(|answer| *answer != number) {
                running.world.violation("a wrong answer to all");
            }
            running.world.down(&socket);
        });
}

fn check_answer(world: &World, number: u64, answer: Result<u64, AckError>) {
    match answer {
        Ok(answer) if answer == number => {}
        Ok(answer) => world.violation(format!("{number} was answered by {answer}")),
        Err(AckError::TimedOut | AckError::Disconnected | AckError::Emit(_)) => {}
        Err(error) => world.violation(format!("an answer failed: {error}")),
    }
}

fn rooms(namespace: &Namespace) {
    namespace
        .on("join", async |socket: Socket, room: String| {
            let _running = Running::start(&socket, "join");
            let _ = socket.join(room);
        })
        .on("leave", async |socket: Socket, room: String| {
            let _running = Running::start(&socket, "leave");
            socket.leave(room);
        })
        .on("room", async |socket: Socket, (room, number): (String, u64)| {
            let _running = Running::start(&socket, "room");
            socket.to(room).emit("room", &(socket.id().as_str(), number)).map(drop)
        })
        .on("tick", async |socket: Socket| {
            let Some(running) = Running::start(&socket, "tick") else { return };
            let mut ledger = running.world.ledger();
            let number = ledger.ticks;
            ledger.ticks += 1;
            drop(ledger);
            if socket.server().emit("tick", &number).is_err() {
                running.world.violation("a number could not be encoded");
            }
        });
}

fn ends(namespace: &Namespace) {
    namespace
        .on("panic", async |socket: Socket, millis: u64| {
            let Some(running) = Running::start(&socket, "panic") else { return };
            if millis > 0 {
                running.world.runtime.sleep(Duration::from_millis(millis)).await;
            }
            expected_panic();
        })
        .on("end", async |socket: Socket, whole: bool| {
            let _running = Running::start(&socket, "end");
            if whole { socket.disconnect_connection() } else { socket.disconnect() }
        })
        .on("end all", async |socket: Socket| {
            let _running = Running::start(&socket, "end all");
            socket.namespace().disconnect_sockets(true);
        })
        .on("never", async |socket: Socket| {
            let _running = Running::start(&socket, "never");
            std::future::pending::<()>().await;
        });
}
