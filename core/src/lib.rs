//! Socket.IO and Engine.IO as a state machine without IO.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod codec;
mod error;
mod key;
mod limits;
mod time;

pub use error::{ArgsError, EncodeError, EngineError, Gone, PacketError};
pub use key::{AckId, ConnectionKey, NamespaceKey, SocketKey};
pub use limits::Limits;
pub use time::Timestamp;
