//! The client against our own server, both on the runtime that the program is named after.

mod client {
    pub(crate) mod acks;
    pub(crate) mod connecting;
    pub(crate) mod deflate;
    pub(crate) mod dynamic;
    pub(crate) mod events;
    pub(crate) mod hostile;
    pub(crate) mod leak;
    pub(crate) mod middleware;
    pub(crate) mod namespaces;
    pub(crate) mod parser;
    pub(crate) mod race;
    pub(crate) mod reconnecting;
    pub(crate) mod recovery;
    pub(crate) mod tls;
    pub(crate) mod transports;
}
mod support;

/// The client under test.
type Client = sansocket_tokio::Client;
type Runtime = sansocket_tokio::Tokio;
type Tcp = sansocket_tokio::client::Tcp;
