//! What a client's session does with a packet: every case, in one table.
//!
//! A session has a *current* transport, polling or WebSocket, and at times a *probing* one: a
//! WebSocket that is to take over from polling. It is
//!
//! - *opening* until the handshake has come,
//! - *leaving* where it is to be closed and has no handshake yet: a session that polls can only be
//!   closed by its id, and would otherwise stay in the server until its heartbeat fails,
//! - *open*,
//! - *closing* while the last messages and the goodbye are sent,
//! - *closed*.
//!
//! ```text
//!                 current transport                              probing transport
//! packet          opening      leaving      open       closing   waiting     otherwise
//! ---------------------------------------------------------------------------------------
//! 0 open          handshake    handshake    fail       fail      abort       abort
//! 1 close         close        close        close      close     abort       abort
//! 2 ping          fail         fail         pong       ignore    abort       abort
//! 3 pong          fail         fail         ignore     ignore    abort       abort
//! 3probe          fail         fail         ignore     ignore    pause       abort
//! 4 message       fail         fail         deliver    ignore    abort       abort
//! 5 upgrade       fail         fail         ignore     ignore    abort       abort
//! 6 noop          fail         fail         ignore     ignore    abort       abort
//! malformed       fail         fail         fail       fail      abort       abort
//! ```
//!
//! A closed session ignores everything, as does any session what comes on a transport that was
//! given up.
//!
//! *Fail* ends the session with `transport error`. *Abort* closes the probing WebSocket only: the
//! session stays on polling. The reference leaves that WebSocket open. *Pause* lets the requests
//! that are under way end, and begins no other; see `websocket.rs`.

#[cfg(test)]
mod tests;

use crate::codec::engine::Inbound;

/// Where a session stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lifecycle {
    Opening,
    Leaving,
    Open,
    Closing,
    Closed,
}

/// Which of a session's transports a packet came on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    /// The one that carries messages.
    Current,
    /// One that is to take over.
    Probe {
        /// Whether it was asked whether it works, and the answer is to come.
        waiting: bool,
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
    Pong,
    ProbePong,
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
            Inbound::Ping { .. } => Self::Ping,
            Inbound::Pong { probe: false } => Self::Pong,
            Inbound::Pong { probe: true } => Self::ProbePong,
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
    Handshake,
    Deliver,
    AnswerPing,
    Close,
    Fail,
    Pause,
    AbortProbe,
}

/// The table above.
pub(crate) fn react(state: Lifecycle, channel: Channel, class: PacketClass) -> Reaction {
    match (state, channel) {
        (Lifecycle::Closed, _) | (_, Channel::Stale) => Reaction::Ignore,
        (_, Channel::Probe { waiting: true }) if class == PacketClass::ProbePong => Reaction::Pause,
        (_, Channel::Probe { .. }) => Reaction::AbortProbe,
        (Lifecycle::Opening | Lifecycle::Leaving, Channel::Current) => match class {
            PacketClass::Open => Reaction::Handshake,
            PacketClass::Close => Reaction::Close,
            PacketClass::Ping
            | PacketClass::Pong
            | PacketClass::ProbePong
            | PacketClass::Message
            | PacketClass::Upgrade
            | PacketClass::Noop
            | PacketClass::Malformed => Reaction::Fail,
        },
        (Lifecycle::Open | Lifecycle::Closing, Channel::Current) => match class {
            PacketClass::Open | PacketClass::Malformed => Reaction::Fail,
            PacketClass::Close => Reaction::Close,
            PacketClass::Ping if state == Lifecycle::Open => Reaction::AnswerPing,
            PacketClass::Message if state == Lifecycle::Open => Reaction::Deliver,
            PacketClass::Ping
            | PacketClass::Message
            | PacketClass::Pong
            | PacketClass::ProbePong
            | PacketClass::Upgrade
            | PacketClass::Noop => Reaction::Ignore,
        },
    }
}
