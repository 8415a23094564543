//! HTTP: requests to the machine, its answers to responses.

mod body;
mod client_files;
mod cors;
mod polling;
mod response;
mod service;
mod strict;
mod upgrade;

pub use client_files::ClientFiles;
pub use cors::Cors;
pub use service::Peer;
pub(crate) use service::{serve, serve_embedded};
