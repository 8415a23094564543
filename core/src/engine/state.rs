//! What a session does with a packet: every case, in one table.
//!
//! A session has a *current* transport, polling or WebSocket, and at times a *probing* one: a
//! WebSocket that wants to take over from polling. A packet comes in on one of them, or on a
//! transport that was given up meanwhile, and the session is open, closing or closed:
//!
//! ```text
//!                 current transport                 probing transport
//! packet          polling          WebSocket        before "2probe"   after it
//! ----------------------------------------------------------------------------------
//! 0 open          ignore           ignore           abort probe       abort probe
//! 1 close         close (client)   close (client)   abort probe       abort probe
//! 2 ping          close / answer   close / answer   abort probe       abort probe
//! 2probe          close / answer   close / answer   answer 3probe     answer 3probe
//! 3 pong          heartb. / close  heartb. / close  abort probe       abort probe
//! 4 message       deliver          deliver          abort probe       abort probe
//! 5 upgrade       ignore           ignore           abort probe       take over
//! 6 noop          ignore           ignore           abort probe       abort probe
//! malformed       close (parse)    close (parse)    abort probe       abort probe
//! ```
//!
//! A closing or closed session ignores everything on its current transport. A closing session
//! still answers a probe and lets it take over, because that is a way to deliver what it has
//! queued. Packets of a transport that was given up are ignored in every state.
//!
//! *Abort probe* closes the probing WebSocket only: the session stays on polling, and the client
//! may try again.
//!
//! Where there are two reactions, the first is that of Engine.IO 4, the second that of Engine.IO 3.
//! In the one the server sends pings and the client answers with pongs, in the other it is the other
//! way round; what comes in the wrong direction closes the session (error).

use crate::codec::engine::Inbound;
use crate::{DisconnectReason, Revision};

/// Where a session stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lifecycle {
    /// Packets flow both ways.
    Open,
    /// A polling session that waits for a request, to tell the client that it is over.
    Closing,
    /// Over. What is queued for a WebSocket is still handed out.
    Closed,
}

/// Which of a session's transports a packet came on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    /// The one that carries messages.
    Current,
    /// One that may take over; whether it has sent `2probe`.
    Probe {
        /// Whether `2probe` was received.
        probed: bool,
    },
    /// One that was given up.
    Stale,
}

/// The kinds of packets that the table tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PacketClass {
    Open,
    Close,
    Ping,
    ProbePing,
    Pong,
    Message,
    Upgrade,
    Noop,
    Malformed,
}

impl PacketClass {
    pub(crate) fn of(packet: &Inbound) -> Self {
        match packet {
            Inbound::Open => Self::Open,
            Inbound::Close => Self::Close,
            Inbound::Ping { probe: false } => Self::Ping,
            Inbound::Ping { probe: true } => Self::ProbePing,
            Inbound::Pong { .. } => Self::Pong,
            Inbound::Message(_) | Inbound::Complete(_) | Inbound::Binary(_) => Self::Message,
            Inbound::Upgrade => Self::Upgrade,
            Inbound::Noop => Self::Noop,
        }
    }
}

/// What the session does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reaction {
    Ignore,
    Deliver,
    /// The client is there.
    Heartbeat,
    /// The client is there, and wants to know whether we are.
    AnswerPing,
    Close(DisconnectReason),
    AnswerProbe,
    TakeOver,
    AbortProbe,
}

/// The table above.
pub(crate) fn react(
    revision: Revision,
    state: Lifecycle,
    channel: Channel,
    class: PacketClass,
) -> Reaction {
    match (state, channel) {
        (_, Channel::Stale)
        | (Lifecycle::Closing | Lifecycle::Closed, Channel::Current)
        | (Lifecycle::Closed, Channel::Probe { .. }) => Reaction::Ignore,
        (Lifecycle::Open, Channel::Current) => match class {
            PacketClass::Open | PacketClass::Upgrade | PacketClass::Noop => Reaction::Ignore,
            PacketClass::Close => Reaction::Close(DisconnectReason::TransportClose),
            PacketClass::Ping | PacketClass::ProbePing => match revision {
                Revision::V4 => Reaction::Close(DisconnectReason::TransportError),
                Revision::V3 => Reaction::AnswerPing,
            },
            PacketClass::Pong => match revision {
                Revision::V4 => Reaction::Heartbeat,
                Revision::V3 => Reaction::Close(DisconnectReason::TransportError),
            },
            PacketClass::Message => Reaction::Deliver,
            PacketClass::Malformed => Reaction::Close(DisconnectReason::ParseError),
        },
        (Lifecycle::Open | Lifecycle::Closing, Channel::Probe { probed }) => match class {
            PacketClass::ProbePing => Reaction::AnswerProbe,
            PacketClass::Upgrade if probed => Reaction::TakeOver,
            PacketClass::Upgrade
            | PacketClass::Open
            | PacketClass::Close
            | PacketClass::Ping
            | PacketClass::Pong
            | PacketClass::Message
            | PacketClass::Noop
            | PacketClass::Malformed => Reaction::AbortProbe,
        },
    }
}

#[cfg(test)]
mod tests;
