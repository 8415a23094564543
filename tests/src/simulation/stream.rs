//! Streams in memory, which deliver bytes as late and in as many pieces as chance will have it.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use hyper::rt::{Read, ReadBufCursor, Write};
use sansocket_driver::{Runtime, Timestamp};

use super::runtime::SimRuntime;

mod client_io;

pub use client_io::ClientIo;

/// How a stream delivers what it does deliver.
#[derive(Clone, Copy, Debug)]
pub struct Faults {
    /// How many of 256 reads and writes of the server are cut short.
    pub cuts_of_256: u8,
    /// How many of 256 reads, writes, flushes and shutdowns are to be tried again.
    pub delays_of_256: u8,
    /// How long bytes are under way at most.
    pub latency_max: Duration,
    /// Bytes that a direction holds.
    pub capacity: usize,
}

impl Default for Faults {
    fn default() -> Self {
        Self { cuts_of_256: 0, delays_of_256: 0, latency_max: Duration::ZERO, capacity: 64 << 10 }
    }
}

/// What becomes of a direction after some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The stream is reset, in both directions.
    Reset,
    /// Nothing more arrives, and nobody is told, until TCP gives up.
    Silence,
    /// Nothing more is sent, as after a shutdown.
    Eof,
}

/// When TCP gives up a peer of which nothing is heard.
const GIVE_UP: Duration = Duration::from_secs(90);

/// Both directions.
pub struct Stream {
    runtime: SimRuntime,
    number: u64,
    faults: Faults,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    to_server: Pipe,
    to_client: Pipe,
    is_reset: bool,
    server_is_gone: bool,
    client_is_gone: bool,
}

/// One direction.
#[derive(Default)]
struct Pipe {
    chunks: VecDeque<(Timestamp, VecDeque<u8>)>,
    /// Bytes in the chunks.
    held: usize,
    /// Bytes that were ever written.
    written: usize,
    closed: bool,
    is_silent: bool,
    fate: Option<(usize, Fate)>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// The server's end.
pub struct ServerStream(Arc<Stream>);

/// The client's end. It is closed when it is dropped.
pub struct ClientStream(Arc<Stream>);

impl Stream {
    /// A stream, and what is to become of what the client and the server send on it.
    pub fn open(
        runtime: &SimRuntime,
        number: u64,
        faults: Faults,
        to_server: Option<(usize, Fate)>,
        to_client: Option<(usize, Fate)>,
    ) -> (ClientStream, ServerStream, Arc<Self>) {
        let mut state = State::default();
        state.to_server.fate = to_server;
        state.to_client.fate = to_client;
        let stream =
            Arc::new(Self { runtime: runtime.clone(), number, faults, state: Mutex::new(state) });
        for to_server in [true, false] {
            stream.meet_fate(&mut stream.lock(), to_server);
        }
        (ClientStream(stream.clone()), ServerStream(stream.clone()), stream)
    }

    /// Whether the server still holds its end.
    pub fn is_held(&self) -> bool {
        !self.lock().server_is_gone
    }

    /// How many bytes the client, and the server, have written.
    pub fn written(&self) -> (usize, usize) {
        let state = self.lock();
        (state.to_server.written, state.to_client.written)
    }

    /// Both ends fail from now on.
    pub fn reset(&self) {
        let mut state = self.lock();
        state.is_reset = true;
        state.to_server.clear();
        let wakers = state.take_wakers();
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Nothing arrives any more, on either side.
    pub fn silence(self: &Arc<Self>) {
        let mut state = self.lock();
        state.to_server.is_silent = true;
        state.to_client.is_silent = true;
        drop(state);
        self.give_up_later();
    }

    fn give_up_later(self: &Arc<Self>) {
        let stream = Arc::downgrade(self);
        self.runtime.at(self.runtime.now() + GIVE_UP, move || {
            stream.upgrade().into_iter().for_each(|stream| stream.reset());
        });
    }

    /// How many bytes may be written, or none if the writer is to wait.
    fn room(&self, pipe: &mut Pipe, cx: &Context<'_>) -> Option<usize> {
        let room = self.faults.capacity.saturating_sub(pipe.held);
        if room == 0 {
            pipe.writer = Some(cx.waker().clone());
            return None;
        }
        Some(room)
    }

    /// Puts bytes on their way.
    fn send(self: &Arc<Self>, state: &mut State, to_server: bool, mut data: &[u8]) {
        let runtime = &self.runtime;
        let pipe = state.pipe(to_server);
        let length = data.len();
        if let Some((limit, _)) = pipe.fate {
            data = &data[..data.len().min(limit - pipe.written.min(limit))];
        }
        pipe.written += length;
        if pipe.is_silent {
            // The sender's network keeps them.
            pipe.held += length;
            return;
        }
        if !data.is_empty() && !pipe.closed {
            let mut at = runtime.now();
            let latency = self.faults.latency_max.as_micros() as u64;
            if latency > 0 {
                at = at + Duration::from_micros(runtime.choose(|c| c.number(0..=latency)));
            }
            at = at.max(pipe.chunks.back().map_or(at, |(last, _)| *last));
            pipe.held += data.len();
            pipe.chunks.push_back((at, data.iter().copied().collect()));
            if at > runtime.now() {
                let stream = Arc::downgrade(self);
                runtime.at(at, move || {
                    let Some(stream) = stream.upgrade() else { return };
                    let waker = stream.lock().pipe(to_server).reader.take();
                    waker.into_iter().for_each(Waker::wake);
                });
            }
        }
        self.meet_fate(state, to_server);
    }

    fn meet_fate(self: &Arc<Self>, state: &mut State, to_server: bool) {
        let pipe = state.pipe(to_server);
        let Some((limit, fate)) = pipe.fate else { return };
        if pipe.written < limit {
            return;
        }
        pipe.fate = None;
        match fate {
            Fate::Eof => pipe.closed = true,
            Fate::Silence => {
                pipe.is_silent = true;
                self.give_up_later();
            }
            Fate::Reset => {
                // What is sent from now on is lost.
                pipe.is_silent = true;
                // Behind what is under way, or before it.
                let latency = self.faults.latency_max.as_micros() as u64;
                let micros = self.runtime.choose(|choices| choices.number(0..=latency));
                let stream = Arc::downgrade(self);
                let at = self.runtime.now() + Duration::from_micros(micros);
                self.runtime.at(at, move || {
                    stream.upgrade().into_iter().for_each(|stream| stream.reset());
                });
            }
        }
    }

    /// What has arrived, at most `limit` bytes; nothing at the end.
    fn receive(
        &self,
        to_server: bool,
        limit: usize,
        cx: &Context<'_>,
    ) -> Poll<io::Result<Vec<u8>>> {
        let now = self.runtime.now();
        let mut state = self.lock();
        let is_reset = state.is_reset;
        let pipe = state.pipe(to_server);
        let mut data = Vec::new();
        while let Some((at, chunk)) = pipe.chunks.front_mut() {
            if *at > now || data.len() == limit {
                break;
            }
            let count = chunk.len().min(limit - data.len());
            data.extend(chunk.drain(..count));
            if chunk.is_empty() {
                pipe.chunks.pop_front();
            }
        }
        if data.is_empty() {
            if is_reset {
                return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
            }
            if pipe.closed && pipe.chunks.is_empty() && !pipe.is_silent {
                return Poll::Ready(Ok(data));
            }
            pipe.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        pipe.held -= data.len();
        let writer = pipe.writer.take();
        drop(state);
        writer.into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(data))
    }

    /// No more bytes in a direction.
    fn close(&self, state: &mut State, to_server: bool) -> Option<Waker> {
        let pipe = state.pipe(to_server);
        pipe.closed = true;
        pipe.reader.take()
    }

    /// Whether a call of the server is to be repeated.
    fn is_delayed(&self, cx: &Context<'_>) -> bool {
        let delays = self.faults.delays_of_256;
        let delayed = delays > 0 && self.runtime.choose(|choices| choices.chance(delays));
        if delayed {
            cx.waker().wake_by_ref();
        }
        delayed
    }

    /// Perhaps fewer than `length`.
    fn cut(&self, length: usize) -> usize {
        let cuts = self.faults.cuts_of_256;
        if cuts == 0 || length <= 1 {
            return length;
        }
        self.runtime.choose(|choices| {
            if choices.chance(cuts) { choices.number(1..=length as u64) as usize } else { length }
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn pipe(&mut self, to_server: bool) -> &mut Pipe {
        if to_server { &mut self.to_server } else { &mut self.to_client }
    }

    fn take_wakers(&mut self) -> Vec<Waker> {
        let pipes = [&mut self.to_server, &mut self.to_client];
        pipes
            .into_iter()
            .flat_map(|pipe| [pipe.reader.take(), pipe.writer.take()])
            .flatten()
            .collect()
    }
}

impl Pipe {
    fn clear(&mut self) {
        self.chunks.clear();
        self.held = 0;
    }
}

impl Read for ServerStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let stream = &self.0;
        if stream.is_delayed(cx) {
            return Poll::Pending;
        }
        let limit = stream.cut(buffer.remaining());
        stream.receive(true, limit, cx).map_ok(|data| {
            if !data.is_empty() {
                stream.runtime.progressed("the server read");
            }
            stream.runtime.note(|trace| trace.note_bytes(&data));
            buffer.put_slice(&data);
        })
    }
}

impl Write for ServerStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let stream = &self.0;
        if stream.is_delayed(cx) {
            return Poll::Pending;
        }
        let mut state = stream.lock();
        if state.is_reset || state.to_client.closed {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if state.client_is_gone {
            // The peer's network answers with a reset, which is noticed later.
            drop(state);
            let weak = Arc::downgrade(stream);
            let at = stream.runtime.now() + stream.faults.latency_max;
            stream.runtime.at(at, move || {
                weak.upgrade().into_iter().for_each(|stream| stream.reset());
            });
            return Poll::Ready(Ok(data.len()));
        }
        let Some(room) = stream.room(&mut state.to_client, cx) else { return Poll::Pending };
        let length = stream.cut(data.len().min(room));
        stream.send(&mut state, false, &data[..length]);
        let reader = state.to_client.reader.take();
        drop(state);
        reader.into_iter().for_each(Waker::wake);
        stream.runtime.progressed("the server wrote");
        stream.runtime.note(|trace| {
            trace.note(stream.number);
            trace.note(length as u64);
        });
        Poll::Ready(Ok(length))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        chunks: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let data: Vec<u8> = chunks.iter().flat_map(|chunk| chunk.iter().copied()).collect();
        self.poll_write(cx, &data)
    }

    /// One of two is, so that both ways are taken.
    fn is_write_vectored(&self) -> bool {
        self.0.number.is_multiple_of(2)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.0.is_delayed(cx) { Poll::Pending } else { Poll::Ready(Ok(())) }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.0.is_delayed(cx) {
            return Poll::Pending;
        }
        let mut state = self.0.lock();
        let reader = self.0.close(&mut state, false);
        drop(state);
        reader.into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(()))
    }
}

/// A socket that is closed with bytes unread is reset.
impl Drop for ServerStream {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.server_is_gone = true;
        if state.to_server.held > 0 && !state.to_server.is_silent {
            state.is_reset = true;
        }
        state.to_server.clear();
        let mut wakers = state.take_wakers();
        wakers.extend(self.0.close(&mut state, false));
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl ClientStream {
    /// Sends everything. `false` if the stream has failed.
    pub async fn send(&self, data: &[u8]) -> bool {
        let stream = &self.0;
        let mut sent = 0;
        poll_fn(|cx| {
            while sent < data.len() {
                let mut state = stream.lock();
                if state.is_reset || state.server_is_gone || state.to_server.closed {
                    return Poll::Ready(false);
                }
                let Some(room) = stream.room(&mut state.to_server, cx) else {
                    return Poll::Pending;
                };
                let length = (data.len() - sent).min(room);
                stream.send(&mut state, true, &data[sent..sent + length]);
                sent += length;
                let reader = state.to_server.reader.take();
                drop(state);
                reader.into_iter().for_each(Waker::wake);
            }
            Poll::Ready(true)
        })
        .await
    }

    /// What has come next; `None` at the end, and after a failure.
    pub async fn receive(&self) -> Option<Vec<u8>> {
        let received = poll_fn(|cx| self.0.receive(false, 4_096, cx)).await;
        let data = received.ok().filter(|data| !data.is_empty())?;
        self.0.runtime.progressed("a client read");
        Some(data)
    }

    /// Whether the server can be sent nothing any more.
    pub fn is_over(&self) -> bool {
        let state = self.0.lock();
        state.is_reset || state.server_is_gone || state.to_client.closed
    }

    /// Whether the network has failed, so that the peer cannot be blamed.
    pub fn has_failed(&self) -> bool {
        let state = self.0.lock();
        state.is_reset
            || state.to_server.is_silent
            || state.to_client.is_silent
            || state.to_server.closed
    }

    /// Sends nothing more, but goes on reading.
    pub fn shut_down(&self) {
        let mut state = self.0.lock();
        let reader = self.0.close(&mut state, true);
        drop(state);
        reader.into_iter().for_each(Waker::wake);
    }

    /// Fails both ways.
    pub fn reset(&self) {
        self.0.reset();
    }

    /// Vanishes without a word.
    pub fn vanish(&self) {
        self.0.silence();
    }
}

impl Drop for ClientStream {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        if state.client_is_gone || state.to_server.is_silent {
            return;
        }
        state.client_is_gone = true;
        state.to_client.clear();
        let wakers = [self.0.close(&mut state, true), state.to_client.writer.take()];
        drop(state);
        wakers.into_iter().flatten().for_each(Waker::wake);
    }
}
