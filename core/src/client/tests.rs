//! The client as a driver and its server see it, on virtual time.

mod acks;
mod attachments;
mod auth;
mod buffers;
mod closing;
mod connecting;
mod heartbeat;
mod limits;
mod namespaces;
mod parser;
mod polling;
mod properties;
mod reconnecting;
mod recovery;
mod retries;
mod upgrade;
mod wire;
mod world;

use wire::Wire;
