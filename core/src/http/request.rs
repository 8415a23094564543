//! The requests of Engine.IO (protocol 4, "HTTP long-polling" and "WebSocket"; protocol 3,
//! "Transports").

use alloc::borrow::Cow;

use memchr::{memchr, memchr2};

use crate::{Config, Dialect, Refusal, Revision, Sid, Transport};

/// The methods that mean something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Opens a session or waits for packets.
    Get,
    /// Brings packets.
    Post,
    /// Any other.
    Other,
}

/// What matters of a request whose path is the server's.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Its method.
    pub method: Method,
    /// The query string without the `?`; empty if there is none.
    pub query: &'a str,
    /// The `Origin` header.
    pub origin: Option<&'a [u8]>,
    /// Whether it asks for a WebSocket (`Upgrade: websocket`).
    pub upgrade: bool,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// A new session.
    Handshake {
        /// The transport that it begins on.
        transport: Transport,
        /// How the client wants to be spoken to.
        dialect: Dialect,
    },
    /// Packets of a session.
    Poll(Sid),
    /// Packets for a session.
    Post(Sid),
    /// A WebSocket for a session that is on polling.
    Upgrade(Sid),
    /// Nothing that a session could serve: refused, but only if there is a session of that id.
    Refuse {
        /// The session.
        sid: Sid,
        /// The answer if there is one.
        refusal: Refusal,
    },
}

/// Finds out what a request asks for, checking what can be checked without knowing the sessions.
/// Whether a session of that id exists, and is on that transport, is the
/// [`Server`](crate::Server)'s to say.
///
/// # Errors
///
/// A [`Refusal`] where the request cannot be served in any state of the server.
pub fn route(config: &Config, request: &Request<'_>) -> Result<Route, Refusal> {
    let query = Query::parse(request.query);
    let transport = query
        .transport
        .as_deref()
        .and_then(Transport::from_name)
        .filter(|transport| config.transports.contains(*transport))
        .ok_or(Refusal::UnknownTransport)?;
    if !request.origin.is_none_or(|origin| origin.iter().all(|byte| is_header_byte(*byte))) {
        return Err(Refusal::InvalidOrigin);
    }
    if let Some(sid) = query.sid.as_deref().filter(|sid| !sid.is_empty()) {
        let sid = Sid::parse(sid).ok_or(Refusal::UnknownSession)?;
        return match (request.upgrade, transport, request.method) {
            (true, Transport::WebSocket, Method::Get) => Ok(Route::Upgrade(sid)),
            (true, _, _) | (false, Transport::WebSocket, _) => {
                Ok(Route::Refuse { sid, refusal: Refusal::TransportMismatch })
            }
            (false, Transport::Polling, Method::Get) => Ok(Route::Poll(sid)),
            (false, Transport::Polling, Method::Post) => Ok(Route::Post(sid)),
            (false, Transport::Polling, Method::Other) => {
                Ok(Route::Refuse { sid, refusal: Refusal::UnexpectedMethod })
            }
        };
    }
    if request.method != Method::Get {
        return Err(Refusal::BadHandshakeMethod);
    }
    match (transport, request.upgrade) {
        (Transport::WebSocket, false) => return Err(Refusal::NoWebSocketHandshake),
        (Transport::Polling, true) => return Err(Refusal::TransportMismatch),
        (Transport::WebSocket, true) | (Transport::Polling, false) => {}
    }
    let revision = match query.revision.as_deref() {
        Some("4") => Revision::V4,
        // Clients of that revision were not always made to say so.
        Some("3") | None if config.allow_eio3 => Revision::V3,
        Some(_) | None => return Err(Refusal::UnsupportedProtocol),
    };
    let jsonp = match (transport, query.jsonp.as_deref()) {
        (Transport::Polling, Some(index)) => Some(callback_index(index)?),
        (Transport::Polling, None) | (Transport::WebSocket, _) => None,
    };
    let base64 = query.base64.is_some_and(|value| !value.is_empty());
    Ok(Route::Handshake { transport, dialect: Dialect::new(revision, base64, jsonp) })
}

/// The parameter `j` becomes part of a script, so it is a number or nothing.
fn callback_index(text: &str) -> Result<u32, Refusal> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number).ok_or(Refusal::InvalidCallback)
}

/// Whether a client wants the binary packets of its WebSocket as base64 text, because what lies
/// between cannot carry binary: `b64` with any value. On polling, the session's [`Dialect`] tells.
pub fn wants_base64(query: &str) -> bool {
    form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| name == "b64")
        .last()
        .is_some_and(|(_, value)| !value.is_empty())
}

/// The parameters that the protocol defines. Of repeated ones the last counts.
#[derive(Default)]
struct Query<'a> {
    revision: Option<Cow<'a, str>>,
    transport: Option<Cow<'a, str>>,
    sid: Option<Cow<'a, str>>,
    base64: Option<Cow<'a, str>>,
    jsonp: Option<Cow<'a, str>>,
}

impl<'a> Query<'a> {
    fn parse(query: &'a str) -> Self {
        let mut found = Self::default();
        // No client encodes these names and values, and every request of a polling session has
        // them, so text that needs no decoding is not given to the decoder.
        if memchr2(b'%', b'+', query.as_bytes()).is_some() {
            for (name, value) in form_urlencoded::parse(query.as_bytes()) {
                found.set(&name, value);
            }
            return found;
        }
        let mut rest = query;
        loop {
            let end = memchr(b'&', rest.as_bytes()).unwrap_or(rest.len());
            let (pair, behind) = rest.split_at(end);
            // A name alone has an empty value, as the decoder has it.
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            found.set(name, Cow::Borrowed(value));
            match behind.get(1..) {
                Some(next) => rest = next,
                None => return found,
            }
        }
    }

    fn set(&mut self, name: &str, value: Cow<'a, str>) {
        match name {
            "EIO" => self.revision = Some(value),
            "transport" => self.transport = Some(value),
            "sid" => self.sid = Some(value),
            "b64" => self.base64 = Some(value),
            "j" => self.jsonp = Some(value),
            _ => {}
        }
    }
}

fn is_header_byte(byte: u8) -> bool {
    matches!(byte, b'\t' | 0x20..=0x7e | 0x80..=0xff)
}
