//! The client on async-std against the official server.
#![allow(
    clippy::duplicate_mod,
    reason = "each of these is a test program, which brings the modules that it needs"
)]

mod node {
    pub(crate) mod admission;
    pub(crate) mod deflate;
    pub(crate) mod losses;
    pub(crate) mod messages;
    pub(crate) mod parser;
    pub(crate) mod server;
    pub(crate) mod transports;
}

type Client = sansocket_async_std::Client;
