//! One WebSocket's bytes.

pub(crate) struct WebSocket;
