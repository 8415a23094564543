//! What happens to a namespace, one thing after the other, each handled before the next.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Context;

use sansocket_core::client::{self, DisconnectReason, Received};

use crate::app::{Call, Reply, Work, in_order};
use crate::backlog::{self, Backlog};

use super::error::ConnectError;
use super::events::{Event, Lifecycle, put};
use super::namespace::NamespaceShared;
use super::shared::{Place, Shared};
use super::socket::Socket;

/// The namespaces of one connection, none of which waits for another as long as the [`Backlog`] has
/// room.
#[derive(Default)]
pub(super) struct Lanes {
    lanes: Vec<Lane>,
    backlog: Backlog,
}

struct Lane {
    namespace: Arc<NamespaceShared>,
    running: Option<Work>,
    queue: VecDeque<Item>,
}

/// Something to handle.
pub(super) enum Item {
    Connected { recovered: bool },
    ConnectError(ConnectError),
    Disconnected(DisconnectReason),
    Received(Received),
    Lifecycle(Lifecycle),
}

impl Item {
    /// What it counts in the backlog.
    fn weight(&self) -> usize {
        match self {
            Self::Received(received) => backlog::weight(&received.packet, &received.attachments),
            Self::Connected { .. }
            | Self::ConnectError(_)
            | Self::Disconnected(_)
            | Self::Lifecycle(_) => backlog::LEAST,
        }
    }
}

/// What the event will count in the backlog once it is an [`Item`].
pub(super) fn weight(event: &client::Event) -> usize {
    let client::Event::Received(received) = event else { return backlog::LEAST };
    backlog::weight(&received.packet, &received.attachments)
}

impl Lanes {
    /// What waits, so that the caller knows how much more it may push.
    pub(super) fn backlog(&self) -> Backlog {
        self.backlog
    }

    /// Forgets the lane of a namespace, if nothing waits in it and nothing runs.
    pub(super) fn forget_idle(&mut self, place: Place) -> bool {
        let Some(index) = self.lanes.iter().position(|lane| lane.namespace.place == place) else {
            return true;
        };
        let is_idle = self.lanes[index].running.is_none() && self.lanes[index].queue.is_empty();
        if is_idle {
            self.lanes.swap_remove(index);
        }
        is_idle
    }

    pub(super) fn push(&mut self, namespace: &Arc<NamespaceShared>, item: Item) {
        self.backlog.add(item.weight());
        let is_its = |lane: &&mut Lane| lane.namespace.place == namespace.place;
        if let Some(lane) = self.lanes.iter_mut().find(is_its) {
            lane.queue.push_back(item);
            return;
        }
        let namespace = namespace.clone();
        self.lanes.push(Lane { namespace, running: None, queue: VecDeque::from([item]) });
    }

    /// Runs handlers until each is done or waits. `true` if any item was finished.
    pub(super) fn run(&mut self, cx: &mut Context<'_>, shared: &Arc<Shared>) -> bool {
        let mut finished = false;
        for lane in &mut self.lanes {
            loop {
                if let Some(running) = &mut lane.running {
                    if running.as_mut().poll(cx).is_pending() {
                        break;
                    }
                    lane.running = None;
                }
                let Some(item) = lane.queue.pop_front() else { break };
                self.backlog.remove(item.weight());
                finished = true;
                lane.running = handle(&Socket::new(shared, &lane.namespace), item);
            }
        }
        finished
    }
}

/// Calls the handlers; `None` if there is nothing to run.
fn handle(socket: &Socket, item: Item) -> Option<Work> {
    let namespace = socket.namespace_shared();
    let events = namespace.events();
    let mut works: Vec<Work> = Vec::new();
    let event = match item {
        Item::Connected { recovered } => {
            let handlers = namespace.connect.snapshot();
            works.extend(each(handlers.as_ref()).map(|handler| handler(socket.clone())));
            Event::Connected { recovered }
        }
        Item::ConnectError(error) => {
            let handlers = namespace.connect_error.snapshot();
            let call = |handler: &Arc<super::namespace::OnConnectError>| {
                handler(socket.clone(), error.clone())
            };
            works.extend(each(handlers.as_ref()).map(call));
            Event::ConnectError(error)
        }
        Item::Disconnected(reason) => {
            let handlers = namespace.listeners.disconnect.snapshot();
            works.extend(each(handlers.as_ref()).map(|handler| handler(socket.clone(), reason)));
            Event::Disconnected(reason)
        }
        Item::Received(received) => {
            let reply = receive(socket, &mut works, received, events.is_some());
            match reply {
                Some(event) => event,
                None => return in_order(works),
            }
        }
        Item::Lifecycle(lifecycle) => Event::Lifecycle(lifecycle),
    };
    if let Some(events) = events {
        works.insert(0, Box::pin(put(events, event)));
    }
    in_order(works)
}

fn each<T: ?Sized>(list: Option<&Arc<[Arc<T>]>>) -> impl Iterator<Item = &Arc<T>> {
    list.into_iter().flat_map(|list| list.iter())
}

/// The handlers of a server's event, and the event where somebody pulls.
fn receive(
    socket: &Socket,
    works: &mut Vec<Work>,
    received: Received,
    is_pulled: bool,
) -> Option<Event> {
    let Received { packet, attachments, mut ack, .. } = received;
    let listeners = &socket.namespace_shared().listeners;
    let handler = listeners.find(packet.event_name_bytes());
    let any = listeners.any.snapshot();
    if handler.is_none() && any.is_none() && !is_pulled {
        tracing::trace!(namespace = socket.namespace(), event = packet.event_name(), "no handler");
        return None;
    }
    let is_named = any.is_some() || is_pulled;
    let name = if is_named { packet.event_name().to_owned() } else { String::new() };
    let args = packet.into_args(attachments);
    works.extend(
        each(any.as_ref()).map(|handler| handler(socket.clone(), name.clone(), args.clone())),
    );
    let pulled = is_pulled.then(|| args.clone());
    if let Some((event, handler)) = handler {
        let reply = Reply::to_server(socket.clone(), ack.take());
        works.extend(handler.call(Call { event, socket: socket.clone(), args, reply }));
    }
    // Where there is a handler, the answer is up to it.
    let reply = Reply::to_server(socket.clone(), ack);
    Some(Event::Received { event: name, args: pulled?, reply })
}
