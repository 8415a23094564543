//! A server without a network: clients speak to the machine directly, and handlers run when the
//! test says so.

mod acks;
mod admission;
mod broadcasts;
mod catch_alls;
mod handlers;
mod registry;
mod server_side;
mod sockets;

use std::collections::VecDeque;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::SystemTime;

use bytes::Bytes;
use sansocket_core::codec::engine::{decode_binary, decode_text};
use sansocket_core::{ConnectionKey, Event, Output, Timestamp, TransportKey};

use crate::Peer;
use crate::runtime::{Runtime, Sleep};
use crate::{Builder, Handshake, Io};

use super::{SocketShared, Work};

/// A clock that stands still until it is put forward. Nothing here sleeps or spawns.
#[derive(Default)]
struct Clock(AtomicU64);

impl Runtime for Clock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }

    fn sleep_until(&self, _: Timestamp) -> Pin<Box<dyn Sleep>> {
        Box::pin(std::future::pending())
    }

    fn spawn(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>) {
        drop(task);
    }
}

/// What the application saw, line by line.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    #[track_caller]
    fn expect(&self, lines: &[&str]) {
        assert_eq!(std::mem::take(&mut *self.0.lock().unwrap()), lines);
    }
}

fn server(builder: Builder) -> (Io, Arc<Clock>) {
    let clock = Arc::new(Clock::default());
    (builder.build_with(clock.clone()).unwrap(), clock)
}

/// A server with one shard.
fn io() -> Io {
    server(Io::builder().shards(1)).0
}

/// A client on a WebSocket, with the part of a session task that concerns the application.
struct Client {
    io: Io,
    shard: usize,
    connection: ConnectionKey,
    transport: TransportKey,
    handshake: Arc<Handshake>,
    /// In order: only the first one runs. One queue will do for all sockets of the connection.
    works: VecDeque<Queued>,
}

enum Queued {
    Event(Event),
    Work(Work),
    Received(Arc<SocketShared>, sansocket_core::Received),
    Disconnected(Arc<SocketShared>, sansocket_core::Disconnected),
}

impl Client {
    fn open(io: &Io, shard: usize) -> Self {
        let now = io.inner.now();
        let shard_state = io.inner.shards.get(shard).unwrap();
        let opened = shard_state.with(|state| state.core.open_websocket(now).unwrap());
        let request = http::Request::get("/socket.io/?EIO=4&token=x%20y").body(()).unwrap();
        let parts = request.into_parts().0;
        let handshake = Handshake::new(
            &parts,
            Peer::default(),
            http::Extensions::new(),
            SystemTime::UNIX_EPOCH,
        );
        let (opened, transport) = opened;
        let mut client = Self {
            io: io.clone(),
            shard,
            connection: opened.connection,
            transport,
            handshake: Arc::new(handshake),
            works: VecDeque::new(),
        };
        assert!(client.sent().first().unwrap().starts_with("0{"));
        client
    }

    /// Opens a connection and joins `/`; the id of the socket.
    fn join(io: &Io) -> Self {
        let mut client = Self::open(io, 0);
        client.send("40");
        let sent = client.sent();
        assert!(sent[0].starts_with("40{\"sid\""), "{sent:?}");
        client
    }

    /// Sends a packet, and lets the application do what it can.
    fn send(&mut self, packet: &str) {
        let limits = &self.io.inner.config.limits;
        let packet = decode_text(Bytes::copy_from_slice(packet.as_bytes()), limits);
        let now = self.io.inner.now();
        self.with(|state, connection, transport| {
            state.core.handle_packet(now, connection, transport, packet);
        });
        self.run();
    }

    fn send_binary(&mut self, data: &'static [u8]) {
        let packet = Ok(decode_binary(Bytes::from_static(data)));
        let now = self.io.inner.now();
        self.with(|state, connection, transport| {
            state.core.handle_packet(now, connection, transport, packet);
        });
        self.run();
    }

    fn close(&mut self) {
        self.with(|state, connection, transport| {
            state.core.handle_websocket_closed(connection, transport, true);
        });
        self.run();
    }

    /// What the server sent, binary messages as their length.
    fn sent(&mut self) -> Vec<String> {
        self.run();
        let mut sent = Vec::new();
        self.with(|state, connection, transport| {
            while let Some(output) = state.core.poll_output(connection, transport) {
                let Output::Message(message) = output else {
                    sent.push("close".to_owned());
                    break;
                };
                sent.extend(message.frames().iter().map(|frame| {
                    if frame.is_binary() {
                        return format!("{} bytes", frame.packet().len());
                    }
                    String::from_utf8(frame.packet().to_vec()).unwrap()
                }));
            }
        });
        sent
    }

    /// The socket in `/`.
    fn socket(&self) -> crate::Socket {
        let found = self.io.inner.shards.get(self.shard).unwrap().with(|state| {
            let mut sockets = state.sockets.values();
            sockets.find(|socket| socket.handshake_is(&self.handshake)).cloned()
        });
        crate::Socket::new(&found.unwrap())
    }

    fn with<R>(
        &self,
        act: impl FnOnce(&mut crate::shards::ShardState, ConnectionKey, TransportKey) -> R,
    ) -> R {
        let (connection, transport) = (self.connection, self.transport);
        let shard = self.io.inner.shards.get(self.shard).unwrap();
        shard.with(|state| act(state, connection, transport))
    }

    fn run(&mut self) {
        loop {
            self.take();
            let Some(first) = self.works.pop_front() else { return };
            let work = match first {
                Queued::Event(Event::ConnectRequested(request)) => {
                    let handshake = self.handshake.clone();
                    Some(super::connect(&self.io.inner, self.shard, handshake, request))
                }
                Queued::Event(Event::Violation(error)) => {
                    super::violation(&self.io.inner, error);
                    None
                }
                Queued::Event(_) => None,
                Queued::Received(socket, received) => super::receive(&socket, received),
                Queued::Disconnected(socket, event) => super::disconnect(&socket, event),
                Queued::Work(work) => Some(work),
            };
            let Some(mut work) = work else { continue };
            if poll(work.as_mut()).is_pending() {
                self.works.push_front(Queued::Work(work));
                return;
            }
        }
    }

    /// As the session task does: sockets are looked up when their events are taken.
    fn take(&mut self) {
        let mut outcomes = Vec::new();
        let mut queued = Vec::new();
        self.with(|state, connection, _| {
            outcomes.extend(std::iter::from_fn(|| state.core.poll_ack(connection)));
        });
        let busy = matches!(self.works.front(), Some(Queued::Work(_)));
        self.with(|state, connection, _| {
            while let Some(event) = (!busy).then(|| state.core.poll_event(connection)).flatten() {
                let pending = matches!(event, Event::ConnectRequested(_));
                // The enum may grow; then so must this.
                #[allow(clippy::wildcard_enum_match_arm)]
                queued.extend(match event {
                    Event::Received(received) => {
                        let socket = state.sockets.get(&received.socket).cloned();
                        socket.map(|socket| Queued::Received(socket, received))
                    }
                    Event::Disconnected(disconnected) => {
                        let socket = state.sockets.remove(&disconnected.socket);
                        socket.map(|socket| Queued::Disconnected(socket, disconnected))
                    }
                    event @ (Event::ConnectRequested(_)
                    | Event::Violation(_)
                    | Event::Closed(_)) => Some(Queued::Event(event)),
                    _ => None,
                });
                if pending {
                    break;
                }
            }
        });
        outcomes.into_iter().for_each(|outcome| self.io.inner.app.resolve(outcome));
        self.works.extend(queued);
    }
}

impl SocketShared {
    fn handshake_is(&self, handshake: &Arc<Handshake>) -> bool {
        Arc::ptr_eq(&self.handshake, handshake) && &*self.namespace.name == "/"
    }
}

fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[track_caller]
fn ready<F: Future>(future: F) -> F::Output {
    match poll(pin!(future)) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the future is not ready"),
    }
}

/// Puts the clock forward and lets the machine do what is due.
fn pass(io: &Io, clock: &Clock, millis: u64) {
    clock.0.fetch_add(millis, Ordering::Relaxed);
    for shard in io.inner.shards.iter() {
        shard.with(|state| state.core.handle_timeout(io.inner.now()));
    }
}
