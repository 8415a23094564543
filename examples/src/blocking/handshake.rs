//! As much HTTP as a WebSocket's opening handshake needs (RFC 6455, 4.2).

use std::io::{self, Cursor, ErrorKind, Read};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use sansocket_core::codec::websocket::handshake::{check_request, has_token};
use sansocket_core::http::{Method, Request, Route, route};
use sansocket_core::{Config, Refusal, Transport};

/// Longer requests are not read to their end. Browsers send less than 4 KiB, cookies included.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// The time for all of it, however many reads it takes.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
const END: &[u8] = b"\r\n\r\n";

/// Reads the head of a request. Gives it, and what was read of whatever follows it.
pub(crate) fn read_head(mut stream: &TcpStream) -> io::Result<(Vec<u8>, Cursor<Vec<u8>>)> {
    let deadline = Instant::now() + HEAD_TIMEOUT;
    let mut head = Vec::new();
    let mut buffer = [0; 2048];
    while head.len() < HEAD_BYTES_MAX {
        // When no time is left, this is an error, which ends the attempt.
        stream.set_read_timeout(Some(deadline.saturating_duration_since(Instant::now())))?;
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        // What was searched once is not searched again, but for the beginning of an end.
        let searched = head.len().saturating_sub(END.len() - 1);
        head.extend(buffer.iter().take(count));
        let unsearched = head.get(searched..).unwrap_or_default();
        if let Some(end) = unsearched.windows(END.len()).position(|window| window == END) {
            let rest = head.split_off(searched + end + END.len());
            return Ok((head, Cursor::new(rest)));
        }
    }
    Err(ErrorKind::InvalidData.into())
}

/// The response to a request: `Ok` if it opens a WebSocket for a new session.
pub(crate) fn check(config: &Config, head: &[u8]) -> Result<String, String> {
    let Some(Head { method, target, headers }) = Head::parse(head) else {
        return Err(response("400 Bad Request", ""));
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if path != "/socket.io/" {
        return Err(response("404 Not Found", ""));
    }
    let values = |name| {
        let is_it = move |header: &&(&str, &[u8])| header.0.eq_ignore_ascii_case(name);
        headers.iter().filter(is_it).map(|(_, value)| *value)
    };
    let request = Request {
        method: match method {
            "GET" => Method::Get,
            "POST" => Method::Post,
            _ => Method::Other,
        },
        query,
        origin: values("origin").next(),
        upgrade: values("upgrade").any(|value| has_token(value, "websocket")),
    };
    match route(config, &request).map_err(refuse)? {
        Route::Handshake { transport: Transport::WebSocket, .. } => {}
        // These need a session that is on polling, and there is none.
        Route::Handshake { transport: Transport::Polling, .. }
        | Route::Poll(_)
        | Route::Post(_)
        | Route::Upgrade(_)
        | Route::Refuse { .. } => return Err(refuse(Refusal::UnknownSession)),
    }
    let accept = check_request(method, headers.iter().copied())
        .map_err(|_| refuse(Refusal::NoWebSocketHandshake))?;
    let accept = String::from_utf8_lossy(&accept);
    Ok(format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    ))
}

/// The response that says why there is no session.
pub(crate) fn refuse(refusal: Refusal) -> String {
    response("400 Bad Request", &refusal.body(None))
}

fn response(status: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
}

struct Head<'a> {
    method: &'a str,
    target: &'a str,
    headers: Vec<(&'a str, &'a [u8])>,
}

impl<'a> Head<'a> {
    fn parse(head: &'a [u8]) -> Option<Self> {
        let mut lines = str::from_utf8(head).ok()?.trim_end().lines();
        let (method, rest) = lines.next()?.split_once(' ')?;
        let target = rest.strip_suffix(" HTTP/1.1")?;
        let header = |line: &'a str| {
            let (name, value) = line.split_once(':')?;
            Some((name, value.trim().as_bytes()))
        };
        Some(Self { method, target, headers: lines.map(header).collect::<Option<_>>()? })
    }
}
