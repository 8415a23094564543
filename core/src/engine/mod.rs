//! One Engine.IO session. It knows nothing of other sessions, nor of Socket.IO.

mod outbox;
mod polling;
mod session;
mod state;
mod upgrade;

pub use outbox::Remains;
pub use polling::{PollKey, PollResponse, PostKey, PostPackets};
pub(crate) use session::{Push, Session, Verdict, Volatile};
pub(crate) use state::PacketClass;
pub use upgrade::TransportKey;
pub(crate) use upgrade::WebSocketOutput;
