//! A Socket.IO server on tokio.
//!
//! ```no_run
//! use sansocket_tokio::{Ack, Server, Socket};
//!
//! #[tokio::main]
//! async fn main() -> std::io::Result<()> {
//!     let io = Server::builder().build()?;
//!     io.of("/")
//!         .on_connect(async |socket: Socket| socket.join("lobby"))
//!         .on("chat message", async |socket: Socket, text: String| {
//!             socket.server().emit("chat message", &text)
//!         })
//!         .on("get data", async |_: Socket, (): ()| Ack("Here's your data!"));
//!     io.listen("127.0.0.1:3000").await
//! }
//! ```
//!
//! Everything that an application needs is exported here, so it depends on this crate alone. What
//! does not concern tokio is documented in [`sansocket_driver`].

mod runtime;
mod server;
#[cfg(feature = "tower")]
pub mod tower;

pub use bytes;
pub use http;
pub use runtime::Tokio;
pub use sansocket_driver::*;
pub use server::{Builder, Server};

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
