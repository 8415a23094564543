//! The tests of the client on smol: `support` goes by the name of this program.
#![allow(
    clippy::duplicate_mod,
    reason = "each of these is a test program, which brings the modules that it needs"
)]

mod client {
    pub(crate) mod acks;
    pub(crate) mod connecting;
    pub(crate) mod deflate;
    pub(crate) mod dynamic;
    pub(crate) mod events;
    pub(crate) mod hostile;
    pub(crate) mod middleware;
    pub(crate) mod namespaces;
    pub(crate) mod parser;
    pub(crate) mod reconnecting;
    pub(crate) mod recovery;
    pub(crate) mod tls;
    pub(crate) mod transports;
}
mod support;

type Client = sansocket_smol::Client;
type Runtime = sansocket_smol::Smol;
type Tcp = sansocket_smol::client::Tcp;
