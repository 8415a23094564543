//! A client's side of one Engine.IO session. It knows nothing of Socket.IO, nor of reconnections:
//! each attempt to connect is a session of its own.

mod codec;
mod handshake;
mod outbox;
mod polling;
mod session;
mod state;
mod websocket;

pub(super) use codec::Codec;
pub use polling::{Request, RequestKey};
pub(super) use session::{Cause, Engine, News};
pub use websocket::{WebSocketKey, WebSocketRequest};
