//! HTTP: requests to the machine, its answers to responses.

mod body;
mod client_files;
#[cfg(feature = "compression")]
mod compression;
mod cors;
mod polling;
mod response;
mod service;
mod strict;
mod upgrade;

pub use client_files::ClientFiles;
#[cfg(feature = "compression")]
pub use compression::HttpCompression;
pub use cors::Cors;
pub use service::Peer;
pub(crate) use service::{serve, serve_embedded};
