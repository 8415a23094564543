//! Bytes to packets and back: pure functions and small incremental decoders, no state machine.

pub mod websocket;
