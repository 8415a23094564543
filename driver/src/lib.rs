//! What a Socket.IO server does on every async runtime alike.

mod app;
mod handshake;
mod inner;
mod runtime;
mod shards;
mod websocket;

pub use handshake::Handshake;
pub use runtime::{Runtime, Sleep};
