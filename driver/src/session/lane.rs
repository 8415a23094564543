//! A socket's handlers, one after the other.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use sansocket_core::{
    ConnectRequest, Disconnected, NamespaceRequest, NamespaceRequestKey, Received, SocketKey,
};
use smallvec::SmallVec;

use crate::app::{self, SocketShared, Work};
use crate::backlog::{self, Backlog};
use crate::handshake::Handshake;
use crate::inner::Inner;

use super::pace::Allowed;

/// The sockets of one session. Each handles its events in order, and none waits for another, as
/// long as the [`Backlog`] has room.
#[derive(Default)]
pub(super) struct Lanes {
    lanes: SmallVec<[Lane; 1]>,
    backlog: Backlog,
}

/// Whose lane it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LaneKey {
    Socket(SocketKey),
    /// One that may become a socket.
    Request(NamespaceRequestKey),
}

struct Lane {
    key: LaneKey,
    /// The socket, once it has received an event.
    socket: Option<Arc<SocketShared>>,
    running: Option<Running>,
    queue: VecDeque<Item>,
}

enum Running {
    /// Whether a namespace is to be, and its making.
    Finding(Work),
    /// Middleware, acceptance, and the handlers of the connection.
    Connecting(Work),
    Handling(Work),
    /// The last one.
    Disconnecting(Work),
}

/// What a look at the lanes has brought.
#[derive(Clone, Copy, Default)]
pub(super) struct Progress {
    /// A handler is done.
    pub(super) has_finished: bool,
    /// There is more to do at once.
    pub(super) is_cut_off: bool,
}

/// What was taken out of its lanes, to be dropped.
#[derive(Default)]
pub(super) struct Cancelled {
    lanes: Vec<Lane>,
}

impl Cancelled {
    /// Admissions that have not begun leave nothing else that could take care of their namespaces.
    pub(super) fn clean_up(self, inner: &Inner) {
        for item in self.lanes.into_iter().flat_map(|lane| lane.queue) {
            if let Item::Connect(_, request) = item {
                app::clean_up(inner, request.namespace);
            }
        }
    }
}

/// Something to handle.
pub(super) enum Item {
    Find(Arc<Handshake>, Box<NamespaceRequest>),
    Connect(Arc<Handshake>, Box<ConnectRequest>),
    Receive(Received),
    Disconnect(Arc<SocketShared>, Disconnected),
}

impl Item {
    fn key(&self) -> LaneKey {
        match self {
            Self::Find(_, request) => LaneKey::Request(request.key),
            Self::Connect(_, request) => LaneKey::Socket(request.socket),
            Self::Receive(received) => LaneKey::Socket(received.socket),
            Self::Disconnect(_, disconnected) => LaneKey::Socket(disconnected.socket),
        }
    }

    /// What it counts in the backlog.
    fn weight(&self) -> usize {
        match self {
            Self::Find(_, request) => backlog::weight(&request.packet, &[]),
            Self::Connect(_, request) => backlog::weight(&request.packet, &[]),
            Self::Receive(received) => backlog::weight(&received.packet, &received.attachments),
            Self::Disconnect(..) => backlog::LEAST,
        }
    }
}

impl Lanes {
    pub(super) fn is_empty(&self) -> bool {
        self.lanes.is_empty()
    }

    pub(super) fn has_room(&self) -> bool {
        self.backlog.has_room()
    }

    /// Whether nothing waits and nothing runs.
    pub(super) fn is_idle(&self) -> bool {
        self.lanes.iter().all(|lane| lane.running.is_none() && lane.queue.is_empty())
    }

    pub(super) fn push(&mut self, item: Item) {
        self.backlog.add(item.weight());
        self.lane(item.key()).queue.push_back(item);
    }

    /// Adds an event that a socket received. It is looked up the first time; one that is not there
    /// has been told of its end.
    pub(super) fn push_received(
        &mut self,
        received: Received,
        socket: impl FnOnce() -> Option<Arc<SocketShared>>,
    ) {
        let key = LaneKey::Socket(received.socket);
        if !self.lanes.iter().any(|lane| lane.key == key && lane.socket.is_some()) {
            let Some(socket) = socket() else { return };
            self.lane(key).socket = Some(socket);
        }
        self.push(Item::Receive(received));
    }

    /// The lane of that key, which may be new.
    fn lane(&mut self, key: LaneKey) -> &mut Lane {
        let index = match self.lanes.iter().position(|lane| lane.key == key) {
            Some(index) => index,
            None => {
                // For most there is never more than one item at a time.
                let queue = VecDeque::with_capacity(1);
                self.lanes.push(Lane { key, socket: None, running: None, queue });
                self.lanes.len() - 1
            }
        };
        &mut self.lanes[index]
    }

    /// Takes out what can no longer lead to anything: admissions that the application has not
    /// decided. It is for the caller to drop, where that is safe.
    pub(super) fn cancel_connecting(&mut self) -> Cancelled {
        let (kept, cancelled): (Vec<_>, Vec<_>) =
            mem::take(&mut self.lanes).into_iter().partition(Lane::goes_on);
        cancelled.iter().flat_map(|lane| &lane.queue).for_each(|item| {
            self.backlog.remove(item.weight());
        });
        self.lanes = kept.into();
        Cancelled { lanes: cancelled }
    }

    /// What is left to be told of sockets that were disconnected; everything else is dropped.
    pub(super) fn take_disconnected(&mut self) -> Vec<(Arc<SocketShared>, Disconnected)> {
        let items = mem::take(&mut self.lanes).into_iter().flat_map(|lane| lane.queue);
        items
            .filter_map(|item| match item {
                Item::Disconnect(socket, disconnected) => Some((socket, disconnected)),
                Item::Find(..) | Item::Connect(..) | Item::Receive(_) => None,
            })
            .collect()
    }

    /// Runs handlers until each is done or waits, or the time for it is over.
    pub(super) fn run(
        &mut self,
        cx: &mut Context<'_>,
        inner: &Arc<Inner>,
        shard: usize,
        allowed: Allowed,
    ) -> Progress {
        let mut progress = Progress::default();
        let backlog = &mut self.backlog;
        self.lanes.retain(|lane| {
            loop {
                if let Some(running) = &mut lane.running {
                    if running.poll(cx).is_pending() {
                        return true;
                    }
                    progress.has_finished = true;
                    match lane.running.take() {
                        Some(Running::Finding(_) | Running::Disconnecting(_)) => return false,
                        Some(Running::Connecting(_)) if lane.queue.is_empty() => {
                            if !is_connected(inner, shard, lane.key) {
                                return false;
                            }
                        }
                        Some(Running::Connecting(_) | Running::Handling(_)) | None => {}
                    }
                }
                if !lane.queue.is_empty() && allowed.is_over(inner) {
                    progress.is_cut_off = true;
                    return true;
                }
                let Some(item) = lane.queue.pop_front() else { return true };
                backlog.remove(item.weight());
                match item {
                    Item::Find(handshake, request) => {
                        let work = app::find_namespace(inner, shard, handshake, request);
                        lane.running = Some(Running::Finding(work));
                    }
                    Item::Connect(handshake, request) => {
                        let work = app::connect(inner, shard, handshake, request);
                        lane.running = Some(Running::Connecting(work));
                    }
                    Item::Receive(received) => {
                        let work =
                            lane.socket.as_ref().and_then(|socket| app::receive(socket, received));
                        lane.running = work.map(Running::Handling);
                        progress.has_finished |= lane.running.is_none();
                    }
                    Item::Disconnect(socket, disconnected) => {
                        match app::disconnect(&socket, disconnected) {
                            Some(work) => lane.running = Some(Running::Disconnecting(work)),
                            None => return false,
                        }
                    }
                }
            }
        });
        progress
    }
}

impl Lane {
    /// Whether the lane has something to do after its connection has ended.
    fn goes_on(&self) -> bool {
        if self.queue.iter().any(|item| matches!(item, Item::Disconnect(..))) {
            return true;
        }
        match (&self.running, self.queue.front()) {
            (Some(Running::Finding(_) | Running::Connecting(_)), _)
            | (None, Some(Item::Find(..) | Item::Connect(..)) | None) => false,
            (Some(Running::Handling(_) | Running::Disconnecting(_)), _)
            | (None, Some(Item::Receive(_) | Item::Disconnect(..))) => true,
        }
    }
}

impl Running {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Finding(work)
            | Self::Connecting(work)
            | Self::Handling(work)
            | Self::Disconnecting(work) => work.as_mut().poll(cx),
        }
    }
}

/// A refused socket has no events to come, and its lane must not stay.
fn is_connected(inner: &Inner, shard: usize, key: LaneKey) -> bool {
    let LaneKey::Socket(key) = key else { return false };
    let Some(shard) = inner.shards.get(shard) else { return false };
    shard.with(|state| state.sockets.contains_key(&key))
}
