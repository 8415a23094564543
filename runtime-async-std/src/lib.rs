//! Socket.IO, server and client, on async-std.
//!
//! ```no_run
//! use sansocket_async_std::{Ack, Server, Socket};
//!
//! fn main() -> std::io::Result<()> {
//!     let io = Server::builder().build()?;
//!     io.of("/")
//!         .on_connect(async |socket: Socket| socket.join("lobby"))
//!         .on("chat message", async |socket: Socket, text: String| {
//!             socket.server().emit("chat message", &text)
//!         })
//!         .on("get data", async |_: Socket, (): ()| Ack("Here's your data!"));
//!     async_std::task::block_on(io.listen("127.0.0.1:3000"))
//! }
//! ```
//!
//! Everything that an application needs is exported here, so it depends on this crate alone. What
//! does not concern async-std is documented in [`sansocket_driver`].
//!
//! async-std is no longer developed (RUSTSEC-2025-0052). This crate is kept for those who still run
//! it, and is tested as the others are; what is new had better begin on smol, whose parts async-std
//! is made of, or on tokio.
//!
//! # TLS, Unix sockets, and other streams
//!
//! With the feature `tls`, `Server::listen_tls` listens for `https` and `wss`, on rustls. With the feature
//! `compression`, responses to polling can be compressed (`Builder::http_compression`),
//! with `brotli` in br too (`HttpCompression::brotli`),
//! with `deflate` what goes over WebSockets (`Builder::per_message_deflate`).
//! [`Server::serve_unix`] serves the clients of a Unix socket, and [`Server::serve_stream`] any
//! stream of futures-io:
//!
//! ```
//! # use sansocket_async_std::Server;
//! use async_std::io::{ReadExt, WriteExt};
//! use async_std::os::unix::net::UnixStream;
//!
//! # fn main() -> std::io::Result<()> {
//! # async_std::task::block_on(async {
//! let io = Server::builder().build()?;
//! let (stream, mut client) = UnixStream::pair()?;
//! async_std::task::spawn(io.serve_stream(stream, None, false));
//!
//! client.write_all(b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\n\r\n").await?;
//! let mut answer = [0; 15];
//! client.read_exact(&mut answer).await?;
//! assert_eq!(&answer, b"HTTP/1.1 200 OK");
//! # Ok(())
//! # })
//! # }
//! ```

pub mod client;
mod runtime;
mod server;
mod stream;
#[cfg(feature = "tls")]
mod tls;

pub use bytes;
pub use client::Client;
#[cfg(feature = "tls")]
pub use futures_rustls::rustls;
pub use http;
pub use runtime::AsyncStd;
pub use sansocket_driver::*;
pub use server::{Builder, Server};
