//! Clients that speak the protocols byte by byte, on their own, and check what they get.

mod http;
mod session;
mod socket;
mod websocket;

pub use http::{Http, Response};
pub use session::{Leave, Session, SessionState};
pub use socket::{Phase, SocketState, Wanted};
pub use websocket::{Frame, Sender, WebSocket};
