//! RFC 6455, from the client's side.

use std::sync::Arc;

use super::Http;
use crate::deflate::{read_message, write_message};
use crate::simulation::application::World;
use crate::simulation::runtime::SimRuntime;
use crate::simulation::stream::ClientStream;

/// An open WebSocket.
pub struct WebSocket {
    /// The stream below.
    pub stream: Arc<ClientStream>,
    runtime: SimRuntime,
    world: World,
    received: Vec<u8>,
    compression: Option<Compression>,
}

/// That compression was agreed on.
struct Compression {
    /// Whether what comes may refer to what came before.
    keeps_context: bool,
    /// What came.
    context: Vec<u8>,
}

/// Far more than any message of the server has.
const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// What sends on a WebSocket, beside the one that reads.
#[derive(Clone)]
pub struct Sender {
    stream: Arc<ClientStream>,
    runtime: SimRuntime,
    /// Whether it may compress messages.
    compresses: bool,
}

/// What comes on a WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A text.
    Text(String),
    /// Its end was announced.
    Close,
    /// Nothing of interest.
    Control,
}

impl WebSocket {
    /// Asks for a WebSocket; `None` where there is none.
    pub async fn open(
        mut http: Http,
        runtime: &SimRuntime,
        world: &World,
        target: &str,
    ) -> Option<Self> {
        http.connect()?;
        let offer = if http.wants_compression() {
            "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
        } else {
            ""
        };
        let request = format!(
            "GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{offer}\r\n"
        );
        http.send(request.as_bytes()).await?;
        let response = http.response().await?;
        if response.status != 101 {
            return None;
        }
        // The example of RFC 6455, section 1.3.
        if response.header("sec-websocket-accept") != Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") {
            world.violation(format!("no WebSocket: {response:?}"));
        }
        let answer = response.header("sec-websocket-extensions");
        if answer.is_some() == offer.is_empty() {
            world.violation(format!("extensions: {offer:?} is answered by {answer:?}"));
        }
        let compression = answer.map(|answer| Compression {
            keeps_context: !answer.contains("server_no_context_takeover"),
            context: Vec::new(),
        });
        let (stream, received) = http.into_stream()?;
        Some(Self {
            compression,
            stream: Arc::new(stream),
            runtime: runtime.clone(),
            world: world.clone(),
            received,
        })
    }

    /// What sends on it.
    pub fn sender(&self) -> Sender {
        let compresses = self.compression.is_some();
        Sender { stream: self.stream.clone(), runtime: self.runtime.clone(), compresses }
    }

    /// The next frame; `None` at the end of the stream.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = self.take_frame()? {
                return Some(frame);
            }
            let data = self.stream.receive().await?;
            self.received.extend(data);
        }
    }

    /// Text frames alone; `None` at the end.
    pub async fn next_text(&mut self) -> Option<String> {
        loop {
            match self.next().await? {
                Frame::Text(text) => return Some(text),
                Frame::Close => return None,
                Frame::Control => {}
            }
        }
    }

    /// The outer option is `None` for what is no frame of a server.
    fn take_frame(&mut self) -> Option<Option<Frame>> {
        let [first, second, ..] = self.received[..] else { return Some(None) };
        let (header, length) = match second {
            126 => {
                let Some(bytes) = self.received.get(2..4) else { return Some(None) };
                (4, usize::from(bytes[0]) << 8 | usize::from(bytes[1]))
            }
            127 => {
                let Some(bytes) = self.received.get(2..10) else { return Some(None) };
                (10, bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)))
            }
            length => (2, usize::from(length)),
        };
        let is_compressed = first == 0xc1 && self.compression.is_some();
        if second > 127 || (first & 0x70 != 0 && !is_compressed) {
            self.world.violation(format!("a frame of {first:x} {second:x}"));
            return None;
        }
        if self.received.len() < header + length {
            return Some(None);
        }
        let mut payload: Vec<u8> = self.received.drain(..header + length).skip(header).collect();
        if is_compressed {
            payload = self.inflate(&payload)?;
        }
        self.runtime.note(|trace| trace.note_bytes(&payload));
        match first & !0x40 {
            0x81 => match String::from_utf8(payload) {
                Ok(text) => Some(Some(Frame::Text(text))),
                Err(_) => {
                    self.world.violation("a text that is none");
                    None
                }
            },
            0x88 => Some(Some(Frame::Close)),
            0x89 | 0x8a => Some(Some(Frame::Control)),
            _ => {
                self.world.violation(format!("a frame of {first:x}"));
                None
            }
        }
    }
}

impl WebSocket {
    fn inflate(&mut self, payload: &[u8]) -> Option<Vec<u8>> {
        let Compression { keeps_context, context } = self.compression.as_mut()?;
        let start = context.len();
        if let Err(fault) = read_message(payload, context, MESSAGE_BYTES_MAX) {
            self.world.violation(format!("a compressed message: {fault:?} in {payload:x?}"));
            return None;
        }
        Some(if *keeps_context { context[start..].to_vec() } else { std::mem::take(context) })
    }
}

impl Sender {
    /// Sends a text, in several fragments at times, with a ping between them at times.
    pub async fn send_text(&self, text: &str) -> bool {
        let is_compressed = self.compresses && self.runtime.choose(|choices| choices.chance(160));
        let compressed = if is_compressed { write_message(text.as_bytes()) } else { Vec::new() };
        let mut rest = if is_compressed { &compressed } else { text.as_bytes() };
        let mut opcode = if is_compressed { 0x41 } else { 1 };
        let mut bytes = Vec::new();
        while rest.len() > 1 && self.runtime.choose(|choices| choices.chance(40)) {
            let most = rest.len() as u64 - 1;
            let length = self.runtime.choose(|choices| choices.number(1..=most)) as usize;
            self.encode(opcode, &rest[..length], &mut bytes);
            rest = &rest[length..];
            opcode = 0;
            if self.runtime.choose(|choices| choices.chance(40)) {
                self.encode(0x89, b"between", &mut bytes);
            }
        }
        self.encode(0x80 | opcode, rest, &mut bytes);
        self.stream.send(&bytes).await
    }

    /// Sends a close frame.
    pub async fn close(&self) -> bool {
        let mut bytes = Vec::new();
        self.encode(0x88, &1_000u16.to_be_bytes(), &mut bytes);
        self.stream.send(&bytes).await
    }

    /// The stream below.
    pub fn stream(&self) -> &ClientStream {
        &self.stream
    }

    fn encode(&self, first: u8, payload: &[u8], bytes: &mut Vec<u8>) {
        bytes.push(first);
        match payload.len() {
            length @ 0..126 => bytes.push(0x80 | length as u8),
            length @ 126..0x1_0000 => {
                bytes.push(0x80 | 126);
                bytes.extend_from_slice(&(length as u16).to_be_bytes());
            }
            length => {
                bytes.push(0x80 | 127);
                bytes.extend_from_slice(&(length as u64).to_be_bytes());
            }
        }
        let mask = self.runtime.choose(|choices| [choices.byte(), 1, 2, 3]);
        bytes.extend_from_slice(&mask);
        bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    }
}
