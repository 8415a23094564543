//! Socket.IO, server and client, on smol.
//!
//! ```no_run
//! use sansocket_smol::{Ack, Server, Socket};
//!
//! fn main() -> std::io::Result<()> {
//!     let io = Server::builder().build()?;
//!     io.of("/")
//!         .on_connect(async |socket: Socket| socket.join("lobby"))
//!         .on("chat message", async |socket: Socket, text: String| {
//!             socket.server().emit("chat message", &text)
//!         })
//!         .on("get data", async |_: Socket, (): ()| Ack("Here's your data!"));
//!     smol::block_on(io.listen("127.0.0.1:3000"))
//! }
//! ```
//!
//! Everything that an application needs is exported here, so it depends on this crate alone. What
//! does not concern smol is documented in [`sansocket_driver`].
//! Tasks run on smol's global executor, so one thread, which is the default, suffices. To run
//! everything on the application's own threads, see [`Smol::with_executor`].
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
//! # use sansocket_smol::Server;
//! use smol::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # fn main() -> std::io::Result<()> {
//! # smol::block_on(async {
//! let io = Server::builder().build()?;
//! let (stream, client) = std::os::unix::net::UnixStream::pair()?;
//! smol::spawn(io.serve_stream(smol::Async::new(stream)?, None, false)).detach();
//!
//! let mut client = smol::Async::new(client)?;
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
pub use runtime::Smol;
pub use sansocket_driver::*;
pub use server::{Builder, Server};
