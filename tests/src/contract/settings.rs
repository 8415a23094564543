//! The environment's part of the settings.

use std::env;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sansocket_driver::{
    Builder, ConnectionStateRecovery, Cors, Excess, HttpCompression, MessagePack,
    PerMessageDeflate, Rate, RateLimit, Sid, Transport, Transports,
};

use super::engine;

/// Where to listen.
///
/// # Errors
///
/// If `PORT` is no port.
pub fn address() -> io::Result<SocketAddr> {
    let port = u16::try_from(number("PORT", 0)?).map_err(|_| invalid("PORT"))?;
    Ok((Ipv4Addr::LOCALHOST, port).into())
}

pub(super) fn is_engine_alone() -> bool {
    env::var_os("ENGINE").is_some()
}

pub(super) fn apply<S>(builder: Builder<S>) -> io::Result<Builder<S>> {
    let max_payload = number("MAX_PAYLOAD", 1_000_000)?;
    let max_payload = usize::try_from(max_payload).map_err(|_| invalid("MAX_PAYLOAD"))?;
    let mut builder = builder
        .ping_interval(milliseconds("PING_INTERVAL", 25_000)?)
        .ping_timeout(milliseconds("PING_TIMEOUT", 20_000)?)
        .connect_timeout(milliseconds("CONNECT_TIMEOUT", 45_000)?)
        .upgrade_timeout(milliseconds("UPGRADE_TIMEOUT", 10_000)?)
        .transports(transports()?)
        .allow_request(async |request| {
            let query = request.uri.query().unwrap_or_default();
            let mut parameters = form_urlencoded::parse(query.as_bytes());
            let is_forbidden = parameters.any(|(name, _)| name == "forbidden");
            if is_forbidden { Err("Forbidden") } else { Ok(()) }
        });
    if let Ok(origin) = env::var("CORS_ORIGIN") {
        builder = builder.cors(Cors::origin(origin).credentials(true));
    }
    builder = builder.allow_eio3(env::var_os("ALLOW_EIO3").is_some());
    builder = match env::var("PARSER").as_deref() {
        Ok("msgpack") => builder.parser(MessagePack),
        Ok(_) => return Err(invalid("PARSER")),
        Err(_) => builder,
    };
    if is_engine_alone() {
        builder = engine::apply(builder, max_payload);
    }
    builder = builder.max_payload(max_payload);
    if env::var_os("RECOVERY").is_some() {
        let duration = milliseconds("RECOVERY", 0)?;
        let recovery = ConnectionStateRecovery::default().max_disconnection_duration(duration);
        builder = builder.connection_state_recovery(recovery);
    }
    if let Ok(prefix) = env::var("SESSION_IDS") {
        builder = session_ids(builder, prefix);
    }
    if let Ok(excess) = env::var("RATE") {
        builder = builder.connection_rate(rate_limit(&excess)?);
    }
    if env::var_os("DEFLATE").is_some() {
        let threshold = number("DEFLATE", 0)?;
        let takeover = env::var_os("CONTEXT_TAKEOVER").is_some();
        let deflate = PerMessageDeflate::default()
            .threshold(usize::try_from(threshold).map_err(|_| invalid("DEFLATE"))?)
            .server_context_takeover(takeover)
            .client_context_takeover(takeover);
        builder = builder.per_message_deflate(deflate);
    }
    if env::var_os("HTTP_COMPRESSION").is_some() {
        let threshold = number("HTTP_COMPRESSION", 0)?;
        let threshold = usize::try_from(threshold).map_err(|_| invalid("HTTP_COMPRESSION"))?;
        let mut compression = HttpCompression::default().threshold(threshold);
        if env::var_os("BROTLI").is_some() {
            let quality = u32::try_from(number("BROTLI", 0)?).map_err(|_| invalid("BROTLI"))?;
            compression = compression.brotli(quality);
        }
        builder = builder.http_compression(compression);
    }
    Ok(builder)
}

/// Numbered, so that no two are the same. Nobody but the suite connects.
fn session_ids<S>(builder: Builder<S>, prefix: String) -> Builder<S> {
    let next = AtomicU64::new(0);
    let digits = 20_usize.saturating_sub(prefix.len());
    builder.generate_id(move |_| {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let id = Sid::parse(&format!("{prefix}{number:0digits$}"));
        async move { id.ok_or("SESSION_IDS has no meaning") }
    })
}

fn rate_limit(excess: &str) -> io::Result<RateLimit> {
    let excess = match excess {
        "drop" => Excess::Drop,
        "delay" => Excess::Delay,
        "disconnect" => Excess::Disconnect,
        _ => return Err(invalid("RATE")),
    };
    let whole = |name| u32::try_from(number(name, 1)?).map_err(|_| invalid(name));
    let rate = Rate::per_second(whole("RATE_EVENTS")?).burst(whole("RATE_BURST")?);
    Ok(RateLimit::new().events(rate).excess(excess))
}

fn transports() -> io::Result<Transports> {
    let Ok(names) = env::var("TRANSPORTS") else { return Ok(Transports::default()) };
    let mut transports = Transports { polling: false, websocket: false };
    for name in names.split(',') {
        match Transport::from_name(name).ok_or_else(|| invalid("TRANSPORTS"))? {
            Transport::Polling => transports.polling = true,
            Transport::WebSocket => transports.websocket = true,
        }
    }
    Ok(transports)
}

fn milliseconds(name: &str, fallback: u64) -> io::Result<Duration> {
    number(name, fallback).map(Duration::from_millis)
}

fn number(name: &str, fallback: u64) -> io::Result<u64> {
    match env::var(name) {
        Ok(text) => text.parse().map_err(|_| invalid(name)),
        Err(_) => Ok(fallback),
    }
}

fn invalid(name: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("{name} has no meaning"))
}
