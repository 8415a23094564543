//! What a Socket.IO server and a client do on every async runtime alike.

mod accept;
mod app;
mod backlog;
pub mod client;
mod crowd;
#[cfg(feature = "deflate")]
mod deflate;
#[cfg(not(feature = "deflate"))]
#[path = "deflate/absent.rs"]
mod deflate;
#[cfg(feature = "futures-io")]
mod futures_io;
mod handshake;
mod http;
mod inner;
mod key_map;
mod masking;
#[cfg(feature = "metrics")]
mod metrics;
mod runtime;
mod serve;
mod session;
mod settings;
mod shards;
mod signal;
mod timer;
mod websocket;

pub use app::{
    Ack, AckError, AckFuture, Broadcast, BroadcastAckError, BroadcastAckErrorKind,
    BroadcastAckFuture, Builder, ConnectError, ConnectionStateRecovery, Disconnect, EmitError,
    Emitter, Extensions, FromArgs, Handler, HandlerError, HandlerErrorKind, IntoReply, Io,
    JoinError, Namespace, NamespaceRequest, OnRuntime, ParentBroadcast, ParentNamespace, Reply,
    Rooms, Socket, TimedBroadcast, TimedEmitter, UndecodedAckFuture, VolatileEmitter,
};
#[cfg(feature = "futures-io")]
pub use futures_io::FuturesIo;
pub use handshake::Handshake;
#[cfg(feature = "compression")]
pub use http::HttpCompression;
pub use http::{ClientFiles, ConnectionError, Cookie, Cors, Interception, Peer, SameSite};
pub use runtime::{Runtime, Sleep};
#[cfg(feature = "msgpack")]
pub use sansocket_core::MessagePack;
#[cfg(feature = "deflate")]
pub use sansocket_core::codec::websocket::deflate::PerMessageDeflate;
pub use sansocket_core::{
    AckId, Args, ArgsError, BroadcastReport, Config, Counters, DisconnectReason, EncodeError,
    ExceededRate, Excess, Limits, Message, PacketError, PacketKind, PacketParts, Parser, Rate,
    RateLimit, Raw, Refusal, SharedParser, Sid, SocketId, Stats, Timestamp, Transport, Transports,
    Wire,
};
