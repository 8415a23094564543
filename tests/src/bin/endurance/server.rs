//! The server, in a process of its own, and what it tells about itself.

use std::fmt;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use sansocket_tests::memory::{peak_bytes, resident_bytes};
use sansocket_tokio::{Ack, JoinError, PerMessageDeflate, Server, Socket};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

/// A client that says nothing is given up after twice this.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(5);
/// The time for each of: the headers of a request, its body, to join a namespace, to upgrade.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the server holds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(crate) sessions: usize,
    pub(crate) connections: usize,
    pub(crate) sockets: usize,
    pub(crate) rooms: usize,
    pub(crate) pending_acks: usize,
    pub(crate) outbox_bytes: usize,
    pub(crate) timers: usize,
    pub(crate) tasks: usize,
    pub(crate) open_files: usize,
    pub(crate) resident_bytes: usize,
    /// The most that it has been.
    pub(crate) peak_bytes: usize,
    /// Since the start.
    pub(crate) heartbeats_missed: u64,
}

impl Figures {
    /// Whether clients have left nothing that was not there at the `start`.
    pub(crate) fn rest_like(&self, start: &Self) -> bool {
        let Self { sessions, connections, sockets, rooms, pending_acks, outbox_bytes, .. } = *self;
        [sessions, connections, sockets, rooms, pending_acks, outbox_bytes] == [0; 6]
            && self.tasks <= start.tasks
            && self.open_files <= start.open_files
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} sessions, {} connections, {} sockets, {} rooms, {} acknowledgements, {} bytes to \
             send, {} timers, {} tasks, {} open files, {:.1} MB resident, {:.1} MB at most, {} \
             heartbeats missed",
            self.sessions,
            self.connections,
            self.sockets,
            self.rooms,
            self.pending_acks,
            self.outbox_bytes,
            self.timers,
            self.tasks,
            self.open_files,
            self.resident_bytes as f64 / 1e6,
            self.peak_bytes as f64 / 1e6,
            self.heartbeats_missed,
        )
    }
}

/// Serves until standard input ends. Says its address, and its figures for each line that it reads.
pub(crate) fn run() -> io::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let io = Server::builder()
        .ping_interval(HEARTBEAT)
        .ping_timeout(HEARTBEAT)
        .connect_timeout(PATIENCE)
        .header_timeout(PATIENCE)
        .body_timeout(PATIENCE)
        .per_message_deflate(PerMessageDeflate::default())
        .build()?;
    io.on_connect(async |socket: Socket| {
        socket.join(["lobby"])?;
        Ok::<_, JoinError>(())
    })
    .on("echo", async |_: Socket, value: String| Ack(value))
    .on("enter", async |socket: Socket, room: String| {
        socket.join([room])?;
        Ok::<_, JoinError>(())
    })
    .on("say", async |socket: Socket, (room, text): (String, String)| {
        socket.to(room).emit("said", &text)
    })
    .on("binary", async |_: Socket, data: bytes::Bytes| Ack(data));
    let serving = runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        println!("{}", listener.local_addr()?);
        Ok::<_, io::Error>(tokio::spawn({
            let io = io.clone();
            async move { io.serve(listener).await }
        }))
    })?;
    for line in io::stdin().lines() {
        line?;
        let stats = io.stats();
        let figures = Figures {
            sessions: stats.sessions,
            connections: stats.connections,
            sockets: stats.sockets,
            rooms: stats.rooms,
            pending_acks: stats.pending_acks,
            outbox_bytes: stats.outbox_bytes,
            timers: stats.timers,
            tasks: runtime.metrics().num_alive_tasks(),
            open_files: std::fs::read_dir("/proc/self/fd")?.count(),
            resident_bytes: resident_bytes().unwrap_or_default(),
            peak_bytes: peak_bytes().unwrap_or_default(),
            heartbeats_missed: io.counters().heartbeats_missed(),
        };
        let mut output = io::stdout().lock();
        serde_json::to_writer(&mut output, &figures)?;
        writeln!(output)?;
    }
    serving.abort();
    Ok(())
}

/// The server's process, as its parent sees it. It ends when this is dropped.
pub(crate) struct Process {
    child: Child,
    /// Closing it ends the server.
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    pub(crate) address: SocketAddr,
}

impl Process {
    pub(crate) fn start() -> io::Result<Self> {
        Self::start_by(&mut Command::new(std::env::current_exe()?))
    }

    /// As [`start`](Self::start), on one processor.
    pub(crate) fn start_on(processor: usize) -> io::Result<Self> {
        let mut command = Command::new("taskset");
        command.args(["--cpu-list", &processor.to_string()]).arg(std::env::current_exe()?);
        Self::start_by(&mut command)
    }

    fn start_by(command: &mut Command) -> io::Result<Self> {
        let mut child =
            command.arg("server").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (questions, answers) = (child.stdin.take(), child.stdout.take());
        let mut answers = BufReader::new(answers.ok_or(io::ErrorKind::BrokenPipe)?);
        let mut line = String::new();
        answers.read_line(&mut line)?;
        let address = line.trim().parse().map_err(io::Error::other)?;
        Ok(Self { child, questions, answers, address })
    }

    /// What it holds now.
    pub(crate) fn figures(&mut self) -> io::Result<Figures> {
        let questions = self.questions.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        questions.write_all(b"\n")?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    }

    /// What it holds when nothing more comes and no client is left, or after a minute.
    pub(crate) fn figures_at_rest(&mut self, start: &Figures) -> io::Result<Figures> {
        let mut figures = self.figures()?;
        for _ in 0..60 {
            if figures.rest_like(start) {
                break;
            }
            std::thread::sleep(Duration::from_secs(1));
            figures = self.figures()?;
        }
        Ok(figures)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.questions = None;
        if let Err(error) = self.child.wait() {
            eprintln!("endurance: the server: {error}");
        }
    }
}
