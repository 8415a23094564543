//! Bytes to packets and back: pure functions and small incremental decoders, no state machine.

pub mod args;
pub mod base64;
pub mod engine;
pub mod json;
pub mod jsonp;
pub mod message;
pub mod parser;
pub mod payload;
pub mod socket;
pub mod websocket;
