//! Socket.IO, server and client, on tokio.
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
//! does not concern tokio is documented in [`sansocket_driver`]. Both flavours of the runtime do.
//!
//! # TLS, Unix sockets, and other streams
//!
//! With the feature `tls`, `Server::listen_tls` listens for `https` and `wss`, on rustls. With the feature
//! `compression`, responses to polling can be compressed (`Builder::http_compression`),
//! with `brotli` in br too (`HttpCompression::brotli`),
//! with `deflate` what goes over WebSockets (`Builder::per_message_deflate`).
//! [`Server::serve_unix`] serves the clients of a Unix socket, and [`Server::serve_stream`] any
//! stream that tokio can read and write:
//!
//! ```
//! # use sansocket_tokio::Server;
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let io = Server::builder().build()?;
//! let (mut client, stream) = tokio::io::duplex(1024);
//! tokio::spawn(io.serve_stream(stream, None, false));
//!
//! client.write_all(b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\n\r\n").await?;
//! let mut answer = [0; 15];
//! client.read_exact(&mut answer).await?;
//! assert_eq!(&answer, b"HTTP/1.1 200 OK");
//! # Ok(())
//! # }
//! ```

pub mod client;
mod runtime;
mod server;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "tower")]
pub mod tower;

pub use bytes;
pub use client::Client;
pub use http;
pub use runtime::Tokio;
pub use sansocket_driver::*;
pub use server::{Builder, Server};
#[cfg(feature = "tls")]
pub use tokio_rustls::rustls;

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
