//! The task of one session: it reads and writes its WebSockets and runs its handlers.
//!
//! A session on polling has one too, for its handlers; its requests are served by tasks of their
//! own, see `http`. One turn of the task is:
//!
//! 1. Read what the WebSockets bring, and decode it. No lock is held.
//! 2. Lock the shard: hand the packets to the machine; take acknowledgements and events from it,
//!    and the output too if no handler is to run.
//! 3. Run handlers, each socket's in order. No lock is held.
//! 4. Lock the shard, unless step 2 has done it: take the output, and leave a waker.
//! 5. Write the output. No lock is held.
//!
//! Turns follow one another while there is something to do, up to a bound, so that a busy
//! connection does not starve the others, see [`Pace`].

mod lane;
mod link;
mod pace;
mod taken;

use std::future::Future;
use std::iter;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use sansocket_core::codec::engine::Inbound;
use sansocket_core::codec::websocket::Message;
use sansocket_core::{
    Config, ConnectionKey, Disconnected, Event, Opened, Output, RateExceeded, Timestamp, Transport,
    TransportKey,
};
use smallvec::SmallVec;
use tracing::Span;

use crate::app;
use crate::inner::Inner;
use crate::shards::ShardState;
use crate::websocket::{BUSY_READ_BYTES, Buffers, End, Packet, READ_BYTES, WebSocket};

use lane::{Item, Lanes, Progress};
use link::Link;
use pace::{Allowed, Pace};
use taken::{Parked, Taken};

/// Reads of one WebSocket in one turn.
const READS_MAX: usize = 4;

/// Packets that the machine is given in one hold of its lock.
const PACKETS_PER_HOLD: usize = 256;

/// Bytes of output that one turn takes from the machine. What stays there counts towards the limit
/// of the outbox, so messages for a slow client should not leave it early.
const OUTPUT_BYTES: usize = 128 << 10;

/// One session, served until it is closed and its handlers are done.
pub(crate) struct Session {
    inner: Arc<Inner>,
    shard: usize,
    key: ConnectionKey,
    /// None on polling, one on a WebSocket, more for moments during an upgrade.
    links: SmallVec<[Link; 1]>,
    lanes: Lanes,
    pace: Pace,
    /// Whether the machine takes more packets.
    wants_input: bool,
    /// The session is over; the report of it may still be waiting behind events.
    over: bool,
    /// The machine has reported the connection's end.
    closed: bool,
    /// In which the task runs, if somebody looks at it.
    span: Option<Box<Span>>,
}

impl Session {
    /// The task of a session on polling.
    pub(crate) fn polling(inner: Arc<Inner>, shard: usize, opened: &Opened) -> Self {
        Self::new(inner, shard, opened, Transport::Polling)
    }

    fn new(inner: Arc<Inner>, shard: usize, opened: &Opened, transport: Transport) -> Self {
        inner.sessions.started();
        let Opened { connection: key, sid } = *opened;
        // All of the id would be its client's secret.
        let sid = app::beginning_of_id(sid.as_str());
        let span = tracing::debug_span!("session", sid, transport = transport.as_str());
        span.in_scope(|| tracing::debug!("session opened"));
        Self {
            inner,
            shard,
            key,
            links: SmallVec::new(),
            lanes: Lanes::default(),
            pace: Pace::default(),
            wants_input: true,
            over: false,
            closed: false,
            span: (!span.is_disabled()).then(|| Box::new(span)),
        }
    }

    /// The task of a session that began on a WebSocket.
    pub(crate) fn websocket(
        inner: Arc<Inner>,
        shard: usize,
        opened: &Opened,
        transport: TransportKey,
        websocket: WebSocket,
    ) -> Self {
        let mut session = Self::new(inner, shard, opened, Transport::WebSocket);
        session.links.push(Link::new(transport, websocket));
        session
    }

    /// As many turns as have something to do, up to a bound.
    fn run(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let inner = self.inner.clone();
        let Some(shard) = inner.shards.get(self.shard) else { return Poll::Ready(()) };
        let allowed = self.pace.begin(cx, &inner, &shard.crowd);
        let mut buffers = Buffers::take();
        let mut turns = 0;
        let result = loop {
            let again = self.turn(cx, &inner, &mut buffers, allowed);
            if self.inner.aborted.is_set() {
                break Poll::Ready(());
            }
            if self.closed && self.links.is_empty() && self.lanes.is_empty() {
                break Poll::Ready(());
            }
            turns += 1;
            if !again {
                self.pace.rest(allowed, &shard.crowd, buffers.work);
                break Poll::Pending;
            }
            if Pace::is_spent(allowed, &inner, turns, buffers.work) {
                self.pace.go_on(allowed, cx, &shard.crowd, buffers.work);
                break Poll::Pending;
            }
        };
        buffers.put_back();
        result
    }

    /// One turn; whether another one has something to do.
    fn turn(
        &mut self,
        cx: &mut Context<'_>,
        inner: &Arc<Inner>,
        buffers: &mut Buffers,
        allowed: Allowed,
    ) -> bool {
        let wanted_input = self.wants_input;
        let mut ends = SmallVec::<[(TransportKey, End); 1]>::new();
        let (unread, rest_unread) = self.read(cx, buffers, &mut ends, allowed);
        let taken = self.exchange(cx, inner, buffers, &ends);
        let mut parked = taken.parked;
        let has_joined = taken.has_joined;
        self.report(buffers.outcomes.drain(..), taken);
        let was_full = !self.lanes.has_room();
        let progress = match allowed {
            Allowed::Output => Progress::default(),
            Allowed::Share | Allowed::Until(_) => self.lanes.run(cx, inner, self.shard, allowed),
        };
        if parked.is_none() {
            parked = Some(self.take_output(cx, inner, buffers));
        }
        let mut more_output = parked == Some(Parked::OutputLeft);
        if let Some(link) = self.links.first_mut() {
            more_output |= !link.websocket.is_flushed();
            link.write(cx, buffers);
            more_output &= link.websocket.is_flushed();
        }
        if self.links.len() > 1 {
            more_output |= self.serve_other_links(cx, inner, buffers);
        }
        if self.over {
            self.links.iter_mut().for_each(|link| link.drain(cx, &self.inner));
        }
        let failed = self.links.iter().any(Link::has_failed);
        self.links.iter_mut().for_each(|link| link.poll_closing(cx));
        self.links.retain(|link| !link.is_over());
        let more_events = parked == Some(Parked::EventsLeft)
            || (progress.has_finished && was_full)
            || progress.is_cut_off;
        let more_input = rest_unread || (self.wants_input && (unread || !wanted_input));
        more_events || more_input || more_output || has_joined || failed
    }

    /// Step 1. Whether there may be more to read: packets, or only the rest before a peer's end.
    fn read(
        &mut self,
        cx: &mut Context<'_>,
        buffers: &mut Buffers,
        ends: &mut SmallVec<[(TransportKey, End); 1]>,
        allowed: Allowed,
    ) -> (bool, bool) {
        let (reads_max, bytes_max) = match allowed {
            Allowed::Share => (READS_MAX, READ_BYTES),
            Allowed::Until(_) => (1, BUSY_READ_BYTES),
            Allowed::Output => (0, 0),
        };
        let (mut unread, mut rest_unread) = (false, false);
        for link in &mut self.links {
            if link.has_failed() || link.has_stalled(cx) {
                ends.push((link.transport, End::Failed));
                link.end(&self.inner, End::Failed);
                continue;
            }
            if reads_max == 0 || (!self.wants_input && link.is_open()) {
                continue;
            }
            let mut reads = 0;
            let is_left = loop {
                if reads == reads_max || buffers.work.is_a_share() {
                    break true;
                }
                reads += 1;
                let Poll::Ready(result) = link.websocket.poll_read(cx, buffers, bytes_max) else {
                    break false;
                };
                let open = link.is_open();
                let revision = link.websocket.form.revision();
                let Config { parser, limits, .. } = &self.inner.config;
                for message in buffers.messages.drain(..) {
                    if !open {
                        continue;
                    }
                    let packet = match message {
                        Message::Text(text) => {
                            revision.decode_text_by(parser.as_ref(), text, limits)
                        }
                        Message::Binary(data) => {
                            revision.decode_binary_by(parser.as_ref(), data, limits)
                        }
                        Message::Ping(_) | Message::Pong(_) | Message::Close(_) => continue,
                    };
                    buffers.packets.push((link.transport, packet));
                }
                if let Err(end) = result {
                    if open {
                        ends.push((link.transport, end));
                    }
                    link.end(&self.inner, end);
                    if end == End::Violation {
                        // Nothing more is looked at, but the peer's end is to be noticed.
                        continue;
                    }
                    break false;
                }
            };
            match link.is_open() {
                true => unread |= is_left,
                false => rest_unread |= is_left,
            }
        }
        (unread, rest_unread)
    }

    /// Step 2.
    fn exchange(
        &mut self,
        cx: &Context<'_>,
        inner: &Inner,
        buffers: &mut Buffers,
        ends: &[(TransportKey, End)],
    ) -> Taken {
        let Some(shard) = inner.shards.get(self.shard) else { return Taken::default() };
        let needs_time = inner.config.has_rates() || buffers.packets.iter().any(needs_time);
        let now = if needs_time { inner.now() } else { Timestamp::ZERO };
        while buffers.packets.len() > PACKETS_PER_HOLD {
            let portion = buffers.packets.drain(..PACKETS_PER_HOLD);
            shard.with(|state| state.core.handle_packets(now, self.key, portion));
        }
        shard.with(|state| {
            // While the task runs, nobody needs to wake it: not even its own handlers' emits.
            state.core.set_attended(self.key, true);
            if !buffers.packets.is_empty() {
                state.core.handle_packets(now, self.key, buffers.packets.drain(..));
            }
            for (transport, end) in ends {
                let clean = *end == End::Clean;
                state.core.handle_websocket_closed(self.key, *transport, clean);
            }
            self.take(cx, buffers, state)
        })
    }

    /// Takes what the machine has for this session.
    fn take(&mut self, cx: &Context<'_>, buffers: &mut Buffers, state: &mut ShardState) -> Taken {
        let mut taken = Taken::default();
        let news = state.core.news(self.key);
        self.wants_input = news.wants_input;
        if news.acks {
            buffers.outcomes.extend(iter::from_fn(|| state.core.poll_ack(self.key)));
        }
        if news.events {
            while self.lanes.has_room() {
                let Some(event) = state.core.poll_event(self.key) else { break };
                self.sort(event, state, &mut taken);
                buffers.work.add_step();
            }
            self.wants_input = state.core.wants_input(self.key);
        }
        if let Some(slot) = state.slots.get_mut(&self.key) {
            if self.wants_input {
                taken.post = slot.post.take();
            }
            for (transport, websocket) in mem::take(&mut slot.websockets) {
                self.links.push(Link::new(transport, websocket));
                taken.has_joined = true;
            }
        }
        if self.lanes.is_idle() {
            taken.parked = Some(self.park(cx, buffers, state));
        }
        taken
    }

    fn sort(&mut self, event: Event, state: &mut ShardState, taken: &mut Taken) {
        match event {
            Event::ConnectRequested(request) => {
                if let Some(slot) = state.slots.get(&self.key) {
                    self.lanes.push(Item::Connect(slot.handshake.clone(), request));
                }
            }
            Event::NamespaceRequested(request) => {
                if let Some(slot) = state.slots.get(&self.key) {
                    self.lanes.push(Item::Find(slot.handshake.clone(), request));
                }
            }
            Event::Received(received) => {
                let key = received.socket;
                self.lanes.push_received(received, || state.sockets.get(&key).cloned());
            }
            Event::Disconnected(disconnected) => {
                if let Some(socket) = state.sockets.remove(&disconnected.socket) {
                    if app::can_be_recovered(&socket) {
                        let Disconnected { reason, rooms, .. } = &disconnected;
                        let ended = (socket.clone(), *reason, rooms.clone());
                        taken.endings().sockets.push(ended);
                    }
                    self.lanes.push(Item::Disconnect(socket, disconnected));
                }
            }
            Event::RateExceeded(RateExceeded { socket, rate }) => {
                if let Some(socket) = state.sockets.get(&socket) {
                    taken.endings().exceeded.push((socket.clone(), rate));
                }
            }
            Event::Violation(error) => taken.endings().violations.push(error),
            Event::Closed(reason) => {
                self.closed = true;
                taken.endings().cancelled = self.lanes.cancel_connecting();
                taken.endings().closed = Some(reason);
            }
            _ => {}
        }
    }

    /// Leaves a waker, and takes the first WebSocket's output. Whatever the machine gets after this
    /// wakes the task again.
    fn park(&mut self, cx: &Context<'_>, buffers: &mut Buffers, state: &mut ShardState) -> Parked {
        let mut websockets_left = false;
        state.core.set_attended(self.key, false);
        if let Some(slot) = state.slots.get_mut(&self.key) {
            match &mut slot.session {
                // Most often it is the same, which costs no count.
                Some(waker) => waker.clone_from(cx.waker()),
                None => slot.session = Some(cx.waker().clone()),
            }
            websockets_left = !slot.websockets.is_empty();
        }
        let left = match self.links.first_mut() {
            Some(link) => collect_output(&self.inner, self.key, link, buffers, state),
            None => false,
        };
        let news = state.core.news(self.key);
        self.over = news.is_over;
        // The client may send again, which was told while this task was at work.
        let has_resumed = news.wants_input && !self.wants_input;
        if websockets_left || has_resumed || news.acks || (news.events && self.lanes.has_room()) {
            Parked::EventsLeft
        } else if left {
            Parked::OutputLeft
        } else {
            Parked::Idle
        }
    }

    /// Step 4.
    fn take_output(&mut self, cx: &Context<'_>, inner: &Inner, buffers: &mut Buffers) -> Parked {
        let Some(shard) = inner.shards.get(self.shard) else { return Parked::Idle };
        shard.with(|state| self.park(cx, buffers, state))
    }

    /// Output of further WebSockets, of which there are some only during an upgrade. Whether there
    /// is more.
    fn serve_other_links(
        &mut self,
        cx: &mut Context<'_>,
        inner: &Inner,
        buffers: &mut Buffers,
    ) -> bool {
        let Some(shard) = inner.shards.get(self.shard) else { return false };
        let mut more = false;
        for link in self.links.iter_mut().skip(1) {
            let blocked = !link.websocket.is_flushed();
            let left = shard.with(|state| collect_output(inner, self.key, link, buffers, state));
            link.write(cx, buffers);
            more |= (left || blocked) && link.websocket.is_flushed();
        }
        more
    }
}

fn needs_time((_, packet): &Packet) -> bool {
    packet.as_ref().map_or(true, Inbound::needs_time)
}

/// Moves a WebSocket's output to `buffers.frames`, as much as is sensible now. Whether some is left.
fn collect_output(
    inner: &Inner,
    key: ConnectionKey,
    link: &mut Link,
    buffers: &mut Buffers,
    state: &mut ShardState,
) -> bool {
    if !link.is_open() || !link.websocket.is_flushed() {
        return false;
    }
    let mut bytes = 0;
    while bytes < OUTPUT_BYTES {
        match state.core.poll_output(key, link.transport) {
            Some(Output::Message(message)) => {
                if link.websocket.takes_frames() {
                    message.into_websocket(|frame| {
                        bytes += frame.len();
                        buffers.frames.push(frame);
                    });
                } else {
                    bytes += message.websocket_bytes();
                    buffers.to_encode.push(message);
                }
            }
            Some(Output::Close) => {
                state.core.handle_websocket_closed(key, link.transport, true);
                link.close(inner, &mut buffers.frames);
                return false;
            }
            None => return false,
        }
    }
    true
}

impl Future for Session {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(span) = self.span.take() else { return self.run(cx) };
        let result = span.in_scope(|| self.run(cx));
        self.span = Some(span);
        result
    }
}

/// A task that ends early, because the runtime stops or a handler panics, takes its session along.
/// Those who wait for acknowledgements are told; so is the application, by a task of its own.
impl Drop for Session {
    fn drop(&mut self) {
        let span = self.span.take();
        let _entered = span.as_ref().map(|span| span.enter());
        let inner = self.inner.clone();
        let Some(shard) = inner.shards.get(self.shard) else { return };
        self.pace.end(&shard.crowd);
        let (mut taken, mut outcomes) = (Taken::default(), Vec::new());
        let slot = shard.with(|state| {
            state.core.abandon(self.key);
            outcomes.extend(iter::from_fn(|| state.core.poll_ack(self.key)));
            while let Some(event) = state.core.poll_event(self.key) {
                self.sort(event, state, &mut taken);
            }
            state.slots.remove(&self.key)
        });
        if let Some(slot) = slot {
            [slot.poll, slot.post].into_iter().flatten().for_each(Waker::wake);
        }
        self.report(outcomes.into_iter(), taken);
        for (socket, disconnected) in self.lanes.take_disconnected() {
            if let Some(work) = app::disconnect(&socket, disconnected) {
                inner.runtime.spawn(work);
            }
        }
        inner.session_ended();
    }
}
