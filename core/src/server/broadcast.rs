//! One message for many.

use alloc::vec::Vec;

use crate::codec::message::Message;
use crate::engine::{Push, Volatile};
use crate::rooms::{Member, Target};
use crate::{
    AckId, ConnectionKey, DisconnectReason, NamespaceKey, Revision, Sid, SocketId, SocketKey,
    Timestamp,
};

use super::{Server, Standing};

/// Whether a message may be dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// It is sent, or the emit fails.
    #[default]
    Reliable,
    /// It is dropped where the transport is not ready at this moment. An older value is not worth
    /// sending late.
    Volatile,
}

/// Those whom a broadcast is to reach, as they were when it began.
///
/// Choosing them and delivering to them are two steps, so that a driver can let go of its lock
/// between portions of a large broadcast. Whoever disconnects in between is passed over.
#[derive(Debug, Default)]
pub struct Recipients {
    members: Vec<Member>,
    next: usize,
    report: BroadcastReport,
}

/// What became of a broadcast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BroadcastReport {
    /// Sockets that the message is queued for.
    pub queued: usize,
    /// Sockets whose transport was not ready for a volatile message.
    pub dropped: usize,
    /// Sockets whose outbox was full. Their connections were closed: a client that misses a
    /// reliable message is worse off than one that has to connect again.
    pub overflowed: usize,
    /// Sockets whose connections owe [`Limits::pending_acks`](crate::Limits) acknowledgements
    /// already, where the message asks for one. It is not queued for them.
    pub owing: usize,
}

impl BroadcastReport {
    /// Adds what another shard reports.
    pub fn add(&mut self, other: Self) {
        self.queued += other.queued;
        self.dropped += other.dropped;
        self.overflowed += other.overflowed;
        self.owing += other.owing;
    }
}

impl Recipients {
    /// Whether somebody is left to deliver to.
    pub fn is_done(&self) -> bool {
        self.next >= self.members.len()
    }

    /// What became of it so far.
    pub fn report(&self) -> BroadcastReport {
        self.report
    }

    /// Whose turn it is. Who delivers one by one sees in the [report](Self::report) what became of
    /// each.
    pub fn next_socket(&self) -> Option<SocketKey> {
        self.members.get(self.next).map(|member| member.socket)
    }
}

impl Server {
    /// The connected sockets of a namespace that `target` means, each once.
    pub fn recipients(&mut self, namespace: NamespaceKey, target: &Target) -> Recipients {
        let mut members = Vec::new();
        self.collect(namespace, target, &mut members);
        Recipients { members, ..Recipients::default() }
    }

    /// The keys of those sockets.
    pub fn matching(&mut self, namespace: NamespaceKey, target: &Target) -> Vec<SocketKey> {
        self.recipients(namespace, target).members.iter().map(|member| member.socket).collect()
    }

    /// Queues a message for the next `members_max` recipients.
    pub fn deliver(
        &mut self,
        recipients: &mut Recipients,
        message: &Message,
        delivery: Delivery,
        members_max: usize,
    ) {
        self.deliver_with(recipients, message, delivery, members_max, None);
    }

    /// As [`deliver`](Self::deliver), for a message that asks for acknowledgements: every
    /// recipient that it is queued for owes one, by `deadline`.
    pub fn deliver_with_ack(
        &mut self,
        recipients: &mut Recipients,
        message: &Message,
        ack: AckId,
        deadline: Timestamp,
        members_max: usize,
    ) {
        let ack = Some((ack, deadline));
        self.deliver_with(recipients, message, Delivery::Reliable, members_max, ack);
    }

    fn deliver_with(
        &mut self,
        recipients: &mut Recipients,
        message: &Message,
        delivery: Delivery,
        members_max: usize,
        ack: Option<(AckId, Timestamp)>,
    ) {
        let volatile = match delivery {
            Delivery::Reliable => Volatile::No,
            Delivery::Volatile => Volatile::Yes,
        };
        let limit = self.config.limits.outbox_bytes;
        let acks_max = self.config.limits.pending_acks;
        let end = recipients.next.saturating_add(members_max).min(recipients.members.len());
        let portion = recipients.next..end;
        recipients.next = end;
        let before = recipients.report;
        let mut overflowed: Vec<ConnectionKey> = Vec::new();
        for member in &recipients.members[portion] {
            // Whoever has disconnected since the recipients were chosen has another generation.
            if !self.sockets.contains_key(member.socket) {
                continue;
            }
            let Some(connection) = self.connections.get_mut(member.connection) else { continue };
            if ack.is_some() && connection.acks.len() >= acks_max {
                recipients.report.owing += 1;
                continue;
            }
            match connection.session.push(message.clone(), volatile, limit) {
                Push::Queued => {
                    recipients.report.queued += 1;
                    if connection.mark_dirty() {
                        self.dirty.push(member.connection);
                    }
                    if let Some((id, deadline)) = ack {
                        connection.acks.insert(id, member.socket, deadline);
                        self.arm(member.connection);
                    }
                }
                Push::Dropped => recipients.report.dropped += 1,
                Push::Full => {
                    recipients.report.overflowed += 1;
                    overflowed.push(member.connection);
                }
                Push::Closed => {}
            }
        }
        self.counters.events_sent += (recipients.report.queued - before.queued) as u64;
        self.counters.events_dropped += (recipients.report.dropped - before.dropped) as u64;
        for key in overflowed {
            if let Some(connection) = self.connections.get_mut(key) {
                connection.session.close_now(DisconnectReason::OutboxOverflow);
            }
            self.settle(key);
        }
    }

    fn collect(&mut self, namespace: NamespaceKey, target: &Target, members: &mut Vec<Member>) {
        let excluded = target.except_socket.and_then(|id| self.find_socket(&id));
        match (&target.rooms[..], &target.except[..]) {
            ([], _) => {
                if let Some(namespace) = self.namespaces.get(namespace) {
                    members.extend_from_slice(&namespace.members);
                }
            }
            ([room], _) => self.collect_room(namespace, room, members),
            (rooms, _) => {
                let visit = self.next_visit();
                for room in rooms {
                    let mut found = Vec::new();
                    self.collect_room(namespace, room, &mut found);
                    members.extend(found.into_iter().filter(|member| self.mark(member, visit)));
                }
            }
        }
        if !target.except.is_empty() {
            let visit = self.next_visit();
            for room in &target.except {
                let mut found = Vec::new();
                self.collect_room(namespace, room, &mut found);
                for member in &found {
                    self.mark(member, visit);
                }
            }
            members.retain(|member| {
                self.sockets.get(member.socket).is_some_and(|socket| socket.visit != visit)
            });
        }
        if let Some(excluded) = excluded {
            members.retain(|member| member.socket != excluded);
        }
    }

    /// The members of one room, the owner of the id that the room is named after among them.
    fn collect_room(&self, namespace: NamespaceKey, room: &str, members: &mut Vec<Member>) {
        members.extend_from_slice(self.rooms.members(namespace, room));
        let owner = match SocketId::parse(room) {
            Some(id) => self.find_socket(&id),
            None => self.find_by_own_id(room),
        };
        let Some(owner) = owner else { return };
        let Some(socket) = self.sockets.get(owner) else { return };
        let Standing::Connected { in_own_room: true, .. } = socket.standing else { return };
        if socket.namespace == namespace {
            members.push(Member { socket: owner, connection: socket.connection });
        }
    }

    /// The socket whose client calls itself so: `/namespace#sid`, in Socket.IO 4.
    fn find_by_own_id(&self, id: &str) -> Option<SocketKey> {
        // Most rooms have other names.
        if !id.starts_with('/') {
            return None;
        }
        let (namespace, sid) = id.rsplit_once('#')?;
        let connection = self.connections.get(*self.sids.get(&Sid::parse(sid)?)?)?;
        if connection.session.revision() != Revision::V3 {
            return None;
        }
        let mut sockets = connection.sockets.iter().copied();
        sockets.find(|key| {
            let state = self.sockets.get(*key);
            state.and_then(|state| self.namespace_name(state.namespace)) == Some(namespace)
        })
    }

    fn next_visit(&mut self) -> u64 {
        self.visit += 1;
        self.visit
    }

    /// `false` if the socket bears this mark already.
    fn mark(&mut self, member: &Member, visit: u64) -> bool {
        self.sockets
            .get_mut(member.socket)
            .is_some_and(|socket| core::mem::replace(&mut socket.visit, visit) != visit)
    }
}
