//! The client against the official server, on Node.js. `cargo xtask test --only client` installs what
//! it needs.

mod node {
    pub(crate) mod admission;
    pub(crate) mod deflate;
    pub(crate) mod losses;
    pub(crate) mod messages;
    pub(crate) mod parser;
    pub(crate) mod server;
    pub(crate) mod transports;
}

/// The client under test.
type Client = sansocket_tokio::Client;
