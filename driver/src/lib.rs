//! What a Socket.IO server does on every async runtime alike.

mod app;
mod handshake;
mod http;
mod inner;
mod runtime;
mod serve;
mod session;
mod settings;
mod shards;
mod signal;
mod timer;
mod websocket;

pub use handshake::Handshake;
pub use runtime::{Runtime, Sleep};
