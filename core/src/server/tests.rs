//! The server as a driver and its clients see it, on virtual time.

mod acks;
mod attachments;
mod attended;
mod closing;
mod commands;
mod counters;
mod dynamic;
mod eio3;
mod heartbeat;
mod limits;
mod namespaces;
mod packets;
mod pair;
mod parser;
mod polling;
mod properties;
mod rates;
mod recovery;
mod rooms;
mod session_ids;
mod upgrade;

use pair::{Pair, Peer};
