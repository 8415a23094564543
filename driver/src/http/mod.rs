//! HTTP: requests to the machine, its answers to responses.

mod body;
mod client_files;
#[cfg(feature = "compression")]
mod compression;
mod cookie;
mod cors;
mod hooks;
mod polling;
mod response;
mod service;
mod strict;
mod upgrade;

pub use client_files::ClientFiles;
#[cfg(feature = "compression")]
pub use compression::HttpCompression;
pub(crate) use cookie::PreparedCookie;
pub use cookie::{Cookie, SameSite};
pub use cors::Cors;
pub(crate) use hooks::Hooks;
pub use hooks::{ConnectionError, Interception};
pub use service::Peer;
pub(crate) use service::{serve, serve_embedded};
