//! A socket's handlers, one after the other.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};

use sansocket_core::{ConnectRequest, Disconnected, Received, SocketKey};
use smallvec::SmallVec;

use crate::app::{self, SocketShared, Work};
use crate::handshake::Handshake;
use crate::inner::Inner;

/// Events taken from the machine and not yet handled. The rest waits in the machine's inbox, which
/// has the limits.
const QUEUED_MAX: usize = 64;

/// The sockets of one session. Each handles its events in order, and none waits for another, as
/// long as no more than [`QUEUED_MAX`] events wait.
#[derive(Default)]
pub(super) struct Lanes {
    lanes: SmallVec<[Lane; 1]>,
    queued: usize,
}

struct Lane {
    key: SocketKey,
    running: Option<Running>,
    queue: VecDeque<Item>,
}

enum Running {
    /// Middleware, acceptance, and the handlers of the connection.
    Connecting(Work),
    Handling(Work),
    /// The last one.
    Disconnecting(Work),
}

/// Something to handle.
pub(super) enum Item {
    Connect(Arc<Handshake>, ConnectRequest),
    Receive(Arc<SocketShared>, Received),
    Disconnect(Arc<SocketShared>, Disconnected),
}

impl Item {
    fn key(&self) -> SocketKey {
        match self {
            Self::Connect(_, request) => request.socket,
            Self::Receive(_, received) => received.socket,
            Self::Disconnect(_, disconnected) => disconnected.socket,
        }
    }
}

impl Lanes {
    pub(super) fn is_empty(&self) -> bool {
        self.lanes.is_empty()
    }

    pub(super) fn has_room(&self) -> bool {
        self.queued < QUEUED_MAX
    }

    /// Whether nothing waits and nothing runs.
    pub(super) fn is_idle(&self) -> bool {
        self.lanes.iter().all(|lane| lane.running.is_none() && lane.queue.is_empty())
    }

    pub(super) fn push(&mut self, item: Item) {
        let key = item.key();
        self.queued += 1;
        match self.lanes.iter_mut().find(|lane| lane.key == key) {
            Some(lane) => lane.queue.push_back(item),
            None => {
                let queue = VecDeque::from([item]);
                self.lanes.push(Lane { key, running: None, queue });
            }
        }
    }

    /// Drops what can no longer lead to anything: admissions that the application has not decided.
    pub(super) fn cancel_connecting(&mut self) {
        for lane in &mut self.lanes {
            let accepted = lane.queue.iter().any(|item| matches!(item, Item::Disconnect(..)));
            let connecting = matches!(lane.running, Some(Running::Connecting(_)))
                || matches!(lane.queue.front(), Some(Item::Connect(..)));
            if connecting && !accepted {
                self.queued -= lane.queue.len();
                lane.queue.clear();
                lane.running = None;
            }
        }
        self.lanes.retain(|lane| lane.running.is_some() || !lane.queue.is_empty());
    }

    /// Runs handlers until each is done or waits. `true` if any was finished.
    pub(super) fn run(&mut self, cx: &mut Context<'_>, inner: &Arc<Inner>, shard: usize) -> bool {
        let mut finished = false;
        let queued = &mut self.queued;
        self.lanes.retain(|lane| {
            loop {
                if let Some(running) = &mut lane.running {
                    if running.poll(cx).is_pending() {
                        return true;
                    }
                    finished = true;
                    match lane.running.take() {
                        Some(Running::Disconnecting(_)) => return false,
                        Some(Running::Connecting(_)) if lane.queue.is_empty() => {
                            if !is_connected(inner, shard, lane.key) {
                                return false;
                            }
                        }
                        Some(Running::Connecting(_) | Running::Handling(_)) | None => {}
                    }
                }
                let Some(item) = lane.queue.pop_front() else { return true };
                *queued -= 1;
                match item {
                    Item::Connect(handshake, request) => {
                        let work = app::connect(inner, shard, handshake, request);
                        lane.running = Some(Running::Connecting(work));
                    }
                    Item::Receive(socket, received) => {
                        lane.running = app::receive(&socket, received).map(Running::Handling);
                        finished |= lane.running.is_none();
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
        finished
    }
}

impl Running {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Connecting(work) | Self::Handling(work) | Self::Disconnecting(work) => {
                work.as_mut().poll(cx)
            }
        }
    }
}

/// A refused socket has no events to come, and its lane must not stay.
fn is_connected(inner: &Inner, shard: usize, key: SocketKey) -> bool {
    let Some(shard) = inner.shards.get(shard) else { return false };
    shard.with(|state| state.sockets.contains_key(&key))
}
