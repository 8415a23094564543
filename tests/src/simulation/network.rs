//! Where clients connect.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sansocket_driver::Io;

use super::runtime::{Side, SimRuntime};
use super::stream::{ClientStream, Fate, Faults, Stream};

/// What may happen to the streams of one run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    /// How streams deliver. Each has as much of it as chance gives it.
    pub faults: Faults,
    /// How long bytes are under way at most on a stream that chance makes the fastest.
    pub latency_least: Duration,
    /// How many of 256 directions end early.
    pub fates_of_256: u8,
    /// After how many bytes at most.
    pub fate_bytes_max: u64,
}

/// What is to become of a direction of a stream, by the stream's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The stream: 0 is the first that is opened.
    pub stream: u64,
    /// Whether it concerns what the client sends.
    pub to_server: bool,
    /// After how many bytes.
    pub bytes: usize,
    /// What then happens.
    pub fate: Fate,
}

/// The network between the clients and one server. A handle.
#[derive(Clone)]
pub struct Network {
    runtime: SimRuntime,
    weather: Weather,
    /// Whether clients may ask for compression.
    pub compresses: bool,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    /// None once the server does not listen any more.
    io: Option<Io>,
    streams: BTreeMap<u64, Arc<Stream>>,
    next: u64,
    plan: Option<Plan>,
}

impl Network {
    /// A network in front of a server.
    pub fn new(runtime: &SimRuntime, weather: Weather, io: &Io, plan: Option<Plan>) -> Self {
        let inner = Inner { io: Some(io.clone()), streams: BTreeMap::new(), next: 0, plan };
        let inner = Arc::new(Mutex::new(inner));
        Self { runtime: runtime.clone(), weather, compresses: false, inner }
    }

    /// A new stream to the server; `None` where it does not listen.
    pub fn connect(&self) -> Option<ClientStream> {
        let mut inner = self.lock();
        let io = inner.io.clone()?;
        let number = inner.next;
        inner.next += 1;
        let (mut to_server, mut to_client) = (self.draw_fate(), self.draw_fate());
        // A server's own end is no fault of the network.
        to_client = to_client.filter(|(_, fate)| *fate != Fate::Eof);
        if let Some(plan) = inner.plan.filter(|plan| plan.stream == number) {
            let direction = if plan.to_server { &mut to_server } else { &mut to_client };
            *direction = Some((plan.bytes, plan.fate));
        }
        let (client, server, stream) =
            Stream::open(&self.runtime, number, self.draw_faults(), to_server, to_client);
        inner.streams.insert(number, stream);
        drop(inner);
        let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        let serving = io.serve_connection(server, Some(peer), false);
        self.runtime.start(Side::Server, "connection", serving);
        Some(client)
    }

    /// From now on the server listens no more.
    pub fn stop_listening(&self) {
        let io = self.lock().io.take();
        drop(io);
    }

    /// Fails every stream.
    pub fn reset_all(&self) {
        self.streams().iter().for_each(|stream| stream.reset());
    }

    /// Cuts every line.
    pub fn silence_all(&self) {
        self.streams().iter().for_each(Stream::silence);
    }

    /// Streams of which the server holds its end.
    pub fn held(&self) -> usize {
        self.streams().iter().filter(|stream| stream.is_held()).count()
    }

    /// How many bytes each stream has carried, to the server and to the client.
    pub fn written(&self) -> Vec<(usize, usize)> {
        self.streams().iter().map(|stream| stream.written()).collect()
    }

    fn streams(&self) -> Vec<Arc<Stream>> {
        self.lock().streams.values().cloned().collect()
    }

    fn draw_fate(&self) -> Option<(usize, Fate)> {
        let Weather { fates_of_256, fate_bytes_max, .. } = self.weather;
        if fates_of_256 == 0 {
            return None;
        }
        self.runtime.choose(|choices| {
            choices.chance(fates_of_256).then(|| {
                let fate = *choices.pick(&[Fate::Reset, Fate::Silence, Fate::Eof]);
                (choices.number(0..=fate_bytes_max) as usize, fate)
            })
        })
    }

    fn draw_faults(&self) -> Faults {
        let most = self.weather.faults;
        let mut faults = most;
        if !most.latency_max.is_zero() {
            let micros = most.latency_max.as_micros() as u64;
            let latency = self.runtime.choose(|choices| choices.number(0..=micros));
            faults.latency_max = Duration::from_micros(latency);
        }
        faults.latency_max = faults.latency_max.max(self.weather.latency_least);
        faults
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
