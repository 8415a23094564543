//! Socket.IO and Engine.IO as a state machine without IO.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod codec;
mod config;
mod engine;
mod entropy;
mod error;
pub mod http;
mod id;
mod key;
mod limits;
mod reason;
mod rooms;
mod server;
mod time;

pub use codec::args::{Args, Raw};
pub use codec::message::{Encoder, Frame, Message};
pub use config::{Config, Transport, Transports};
pub use engine::{PollKey, PollResponse, PostKey, TransportKey};
pub use error::{ArgsError, EncodeError, EngineError, Gone, PacketError};
pub use http::Refusal;
pub use id::{SHARDS_MAX, Sid, SocketId};
pub use key::{AckId, ConnectionKey, NamespaceKey, SocketKey};
pub use limits::Limits;
pub use reason::DisconnectReason;
pub use rooms::Target;
pub use server::{
    AckFailure, AckOutcome, BroadcastReport, ConnectRequest, Delivery, Disconnected, EmitError,
    Event, Opened, Output, Received, Recipients, Server, Socket, Stats, Wants,
};
pub use time::Timestamp;
