//! HTTP/1.1.

use std::time::Duration;

use crate::deflate::gunzip;
use crate::simulation::application::World;
use crate::simulation::network::Network;
use crate::simulation::runtime::SimRuntime;
use crate::simulation::shared::unless;
use crate::simulation::stream::ClientStream;

/// A request that has not been taken after this time never will be.
const SEND_TIMEOUT: Duration = Duration::from_secs(100);

/// A response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Response {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| &**value)
    }
}

/// A client's way to one server: a stream that is kept for the next request, where it can be.
pub struct Http {
    runtime: SimRuntime,
    network: Network,
    world: World,
    /// Whether every request has a stream of its own.
    pub closes: bool,
    stream: Option<ClientStream>,
    received: Vec<u8>,
}

impl Http {
    /// Nothing is connected yet.
    pub fn new(runtime: &SimRuntime, network: &Network, world: &World) -> Self {
        Self {
            runtime: runtime.clone(),
            network: network.clone(),
            world: world.clone(),
            closes: false,
            stream: None,
            received: Vec::new(),
        }
    }

    /// The stream, a new one where the last cannot be used again.
    pub fn connect(&mut self) -> Option<&ClientStream> {
        if self.stream.as_ref().is_none_or(ClientStream::is_over) {
            self.received.clear();
            self.stream = self.network.connect();
        }
        self.stream.as_ref()
    }

    /// The stream that there is.
    pub fn stream(&self) -> Option<&ClientStream> {
        self.stream.as_ref()
    }

    /// Closes the stream.
    pub fn close(&mut self) {
        self.stream = None;
        self.received.clear();
    }

    /// One request and its response; `None` if the network, or the server, has ended the stream.
    pub async fn exchange(&mut self, method: &str, target: &str, body: &str) -> Option<Response> {
        let request = self.encode(method, target, body);
        self.connect()?;
        self.send(&request).await?;
        let response = self.response().await?;
        let is_last = response.header("connection").is_some_and(|value| value == "close");
        if self.closes || is_last {
            self.close();
        }
        Some(response)
    }

    /// The bytes of a request, its body in chunks at times.
    pub fn encode(&self, method: &str, target: &str, body: &str) -> Vec<u8> {
        let connection = if self.closes { "Connection: close\r\n" } else { "" };
        let codings = if method == "GET" && self.wants_compression() {
            "Accept-Encoding: gzip\r\n"
        } else {
            ""
        };
        let head =
            format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n{connection}{codings}");
        let chunked = method == "POST" && self.runtime.choose(|choices| choices.chance(64));
        if !chunked {
            let length = match method {
                "POST" => format!("Content-Length: {}\r\n", body.len()),
                _ => String::new(),
            };
            return format!("{head}{length}\r\n{body}").into_bytes();
        }
        let mut request = format!("{head}Transfer-Encoding: chunked\r\n\r\n").into_bytes();
        let mut rest = body.as_bytes();
        while !rest.is_empty() {
            let length = rest.len() as u64;
            let length = self.runtime.choose(|choices| choices.number(1..=length)) as usize;
            request.extend_from_slice(format!("{length:x}\r\n").as_bytes());
            request.extend_from_slice(&rest[..length]);
            request.extend_from_slice(b"\r\n");
            rest = &rest[length..];
        }
        request.extend_from_slice(b"0\r\n\r\n");
        request
    }

    /// Whether it asks for compression this time.
    pub fn wants_compression(&self) -> bool {
        self.network.compresses && self.runtime.choose(|choices| choices.chance(160))
    }

    /// Sends bytes as they are.
    pub async fn send(&mut self, bytes: &[u8]) -> Option<()> {
        // A server that has answered already need not take the rest, nor we wait for ever.
        let limit = self.runtime.sleep(SEND_TIMEOUT);
        let sent = unless(self.stream.as_ref()?.send(bytes), limit).await;
        if sent.is_none() {
            self.close();
        }
        (sent == Some(true)).then_some(())
    }

    /// Reads one response.
    pub async fn response(&mut self) -> Option<Response> {
        let head_bytes = loop {
            if let Some(end) = self.received.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            self.receive().await?;
        };
        let head: Vec<u8> = self.received.drain(..head_bytes).collect();
        let Some((status, headers)) = parse_head(&head) else {
            let head = String::from_utf8_lossy(&head).into_owned();
            self.world.violation(format!("no response: {head:?}"));
            return None;
        };
        let mut response = Response { status, headers, body: String::new() };
        if status != 101 {
            let lengths =
                response.headers.iter().filter(|(name, _)| name == "content-length").count();
            let length = response.header("content-length").and_then(|length| length.parse().ok());
            let (Some(length), 1) = (length, lengths) else {
                self.world.violation(format!("a response of no length: {response:?}"));
                return None;
            };
            while self.received.len() < length {
                self.receive().await?;
            }
            let body: Vec<u8> = self.received.drain(..length).collect();
            let body = match response.header("content-encoding") {
                None => Some(body),
                Some("gzip") if self.network.compresses => gunzip(&body),
                Some(_) => None,
            };
            match String::from_utf8(body.unwrap_or_else(|| vec![0xff])) {
                Ok(body) => response.body = body,
                Err(_) => self.world.violation("a body that is no text"),
            }
        }
        self.runtime.note(|trace| {
            trace.note(u64::from(status));
            trace.note_bytes(response.body.as_bytes());
        });
        Some(response)
    }

    /// The stream, once it is a WebSocket's, with what came behind the response.
    pub fn into_stream(self) -> Option<(ClientStream, Vec<u8>)> {
        Some((self.stream?, self.received))
    }

    async fn receive(&mut self) -> Option<()> {
        let data = self.stream.as_ref()?.receive().await;
        let Some(data) = data else {
            self.stream = None;
            return None;
        };
        self.received.extend(data);
        Some(())
    }
}

fn parse_head(head: &[u8]) -> Option<(u16, Vec<(String, String)>)> {
    let head = str::from_utf8(head).ok()?.strip_suffix("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let status_line = lines.next()?.strip_prefix("HTTP/1.1 ")?;
    let status: u16 = status_line.get(..3)?.parse().ok()?;
    let mut headers = Vec::new();
    for line in lines {
        let (name, value) = line.split_once(": ")?;
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_token) {
            return None;
        }
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    (100..600).contains(&status).then_some((status, headers))
}
