//! A small client on raw TCP streams, for tests of a whole server: it sends what it is told to,
//! well-formed or not, and reads what comes with a timeout that only a hanging server reaches.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use sansocket_core::codec::websocket::{
    self, Decoder, DecoderConfig, FrameHeader, Message, Opcode, Role,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// The longest wait for anything that must happen. Nothing in a correct server comes near it. Less
/// than the 45 s after which a session that is left over ends by itself.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// The path of every request, with the parameters that all of them have.
const TARGET: &str = "/socket.io/?EIO=4&transport=";

/// Waits for an event of which nobody tells us but a state that can be looked at.
///
/// # Panics
///
/// If it does not come within [`PATIENCE`]; `what` says what was waited for.
pub async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let wait = async {
        while !condition() {
            tokio::task::yield_now().await;
            sleep(Duration::from_millis(1)).await;
        }
    };
    assert!(timeout(PATIENCE, wait).await.is_ok(), "this did not happen: {what}");
}

/// The future's result.
///
/// # Panics
///
/// If there is none within [`PATIENCE`].
pub async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    let Ok(result) = timeout(PATIENCE, future).await else { panic!("this hangs: {what}") };
    result
}

/// An HTTP response.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The status line and the headers, in lower case.
    pub head: String,
    /// The body, as text.
    pub body: String,
}

/// A TCP connection on which HTTP is spoken, well or badly.
#[derive(Debug)]
pub struct Http {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Http {
    /// Connects.
    ///
    /// # Errors
    ///
    /// Those of the network.
    pub async fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, unread: Vec::new() })
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    ///
    /// Those of the network.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        in_time("a write", self.stream.write_all(bytes.as_ref())).await
    }

    /// Sends a request with a `Host` and a `Content-Length`.
    ///
    /// # Errors
    ///
    /// Those of the network.
    pub async fn request(&mut self, method: &str, target: &str, body: &str) -> io::Result<()> {
        let length = body.len();
        self.send(format!(
            "{method} {target} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{body}"
        ))
        .await
    }

    /// Reads one response; `None` if the server closes, or resets, the connection instead.
    ///
    /// # Errors
    ///
    /// If what comes is no response.
    pub async fn response(&mut self) -> io::Result<Option<Response>> {
        let head_bytes = loop {
            if let Some(end) = self.unread.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            if !self.read_more().await {
                return Ok(None);
            }
        };
        let head: Vec<u8> = self.unread.drain(..head_bytes).collect();
        let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
        let invalid = || io::Error::other(format!("no response: {head}"));
        let status = head.get(9..12).and_then(|digits| digits.parse().ok()).ok_or_else(invalid)?;
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
        let length = length.map_or(Ok(0), str::parse).map_err(|_| invalid())?;
        while self.unread.len() < length {
            if !self.read_more().await {
                return Ok(None);
            }
        }
        let body: Vec<u8> = self.unread.drain(..length).collect();
        Ok(Some(Response { status, head, body: String::from_utf8_lossy(&body).into_owned() }))
    }

    /// Reads until the server has closed the connection; how many bytes came.
    pub async fn read_to_end(&mut self) -> usize {
        while self.read_more().await {}
        self.unread.len()
    }

    /// What has been read and was no response.
    pub fn unread(&self) -> &[u8] {
        &self.unread
    }

    /// Sends nothing more, but goes on reading.
    ///
    /// # Errors
    ///
    /// Those of the network.
    pub async fn shut_down_write(&mut self) -> io::Result<()> {
        self.stream.shutdown().await
    }

    /// Ends the connection by a reset.
    pub fn reset(self) {
        // Where it fails, the peer has reset the connection before.
        let _ = self.stream.set_zero_linger();
    }

    /// Gives back the memory of the read buffer, if it is empty.
    pub fn shrink(&mut self) {
        self.unread.shrink_to_fit();
    }

    /// Waits until the network takes no more bytes of this kind, sending as many as it takes; how
    /// many those were. For servers that stop reading.
    ///
    /// # Errors
    ///
    /// If the server closes the connection.
    pub async fn send_until_stuck(&mut self, bytes: &[u8], quiet: Duration) -> io::Result<usize> {
        let mut sent = 0;
        loop {
            match timeout(quiet, self.stream.write(&bytes[sent % bytes.len()..])).await {
                Ok(Ok(written)) => sent += written,
                Ok(Err(error)) => return Err(error),
                Err(_) => return Ok(sent),
            }
        }
    }

    /// `false` at the end of the stream.
    async fn read_more(&mut self) -> bool {
        let read = in_time("a read", self.stream.read_buf(&mut self.unread)).await;
        read.is_ok_and(|bytes| bytes > 0)
    }
}

/// A session on polling.
#[derive(Debug)]
pub struct Polling {
    /// Where its GETs go.
    pub get: Http,
    /// Where its POSTs go.
    pub post: Http,
    /// The session's id.
    pub sid: String,
    address: SocketAddr,
}

impl Polling {
    /// Opens a session.
    ///
    /// # Errors
    ///
    /// If the server does not let us.
    pub async fn open(address: SocketAddr) -> io::Result<Self> {
        let (mut get, post) = (Http::connect(address).await?, Http::connect(address).await?);
        get.request("GET", &format!("{TARGET}polling"), "").await?;
        let response = get.response().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let sid = response.body.split('"').nth(3).filter(|_| response.status == 200);
        let sid = sid.ok_or_else(|| io::Error::other(response.body.clone()))?.to_owned();
        Ok(Self { get, post, sid, address })
    }

    /// The target of this session's requests, on a transport.
    pub fn target(&self, transport: &str) -> String {
        format!("{TARGET}{transport}&sid={}", self.sid)
    }

    /// Sends a GET, without waiting for its response.
    ///
    /// # Errors
    ///
    /// Those of the network.
    pub async fn begin_poll(&mut self) -> io::Result<()> {
        let target = self.target("polling");
        self.get.request("GET", &target, "").await
    }

    /// The packets of one GET.
    ///
    /// # Errors
    ///
    /// If it is not answered with packets.
    pub async fn poll(&mut self) -> io::Result<String> {
        self.begin_poll().await?;
        let response = self.get.response().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        if response.status == 200 {
            Ok(response.body)
        } else {
            Err(io::Error::other(response.head))
        }
    }

    /// Posts packets; the status of the response.
    ///
    /// # Errors
    ///
    /// If there is no response.
    pub async fn post(&mut self, packets: &str) -> io::Result<u16> {
        let target = self.target("polling");
        self.post.request("POST", &target, packets).await?;
        Ok(self.post.response().await?.ok_or(io::ErrorKind::UnexpectedEof)?.status)
    }

    /// Joins the namespace `/`.
    ///
    /// # Errors
    ///
    /// If the server does not let us.
    pub async fn join(&mut self) -> io::Result<()> {
        self.post("40").await?;
        self.expect("40{").await.map(drop)
    }

    /// Polls for a packet that begins with `prefix`, answering pings.
    ///
    /// # Errors
    ///
    /// If the session ends before.
    pub async fn expect(&mut self, prefix: &str) -> io::Result<String> {
        loop {
            for packet in self.poll().await?.split('\x1e') {
                if packet.starts_with(prefix) {
                    return Ok(packet.to_owned());
                }
                if packet == "2" {
                    self.post("3").await?;
                }
            }
        }
    }

    /// Sends something to be echoed, and waits for it.
    ///
    /// # Errors
    ///
    /// If the session ends before.
    pub async fn echo(&mut self) -> io::Result<()> {
        self.post(r#"420["echo","polling"]"#).await?;
        self.expect(r#"430["polling"]"#).await.map(drop)
    }

    /// Moves the session to a WebSocket, as the official client does it.
    ///
    /// # Errors
    ///
    /// If the server does not let us.
    pub async fn upgrade(mut self) -> io::Result<WebSocket> {
        let mut websocket = WebSocket::connect_to(self.address, &self.target("websocket")).await?;
        websocket.send_text("2probe").await?;
        websocket.expect("3probe").await?;
        // The release of a GET that waits is part of it.
        self.poll().await?;
        websocket.send_text("5").await?;
        Ok(websocket)
    }
}

/// A WebSocket, in the role of the client.
#[derive(Debug)]
pub struct WebSocket {
    /// The stream, for whoever wants to send what is no frame.
    pub http: Http,
    decoder: Decoder,
    messages: VecDeque<Message>,
}

impl WebSocket {
    /// Opens a session on a WebSocket.
    ///
    /// # Errors
    ///
    /// If the server does not let us.
    pub async fn connect(address: SocketAddr) -> io::Result<Self> {
        let mut websocket = Self::connect_to(address, &format!("{TARGET}websocket")).await?;
        websocket.expect("0{").await?;
        Ok(websocket)
    }

    /// Opens a session on a WebSocket, and joins the namespace `/`.
    ///
    /// # Errors
    ///
    /// If the server does not let us.
    pub async fn join(address: SocketAddr) -> io::Result<Self> {
        let mut websocket = Self::connect(address).await?;
        websocket.send_text("40").await?;
        websocket.expect("40{").await?;
        Ok(websocket)
    }

    async fn connect_to(address: SocketAddr, target: &str) -> io::Result<Self> {
        Self::connect_with(address, target, &[]).await
    }

    /// Asks for a WebSocket, and sends `garbage` in the same segment as the request.
    ///
    /// # Errors
    ///
    /// If the server does not let us.
    pub async fn connect_with(
        address: SocketAddr,
        target: &str,
        garbage: &[u8],
    ) -> io::Result<Self> {
        Self::open(address, [upgrade_request(target).as_bytes(), garbage].concat()).await
    }

    /// As [`join`](Self::join), with compression offered. What is compressed is not understood.
    ///
    /// # Errors
    ///
    /// If the server does not let us.
    pub async fn join_compressed(address: SocketAddr) -> io::Result<Self> {
        let request = upgrade_request("/socket.io/?EIO=4&transport=websocket");
        let offer = "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
        let mut websocket =
            Self::open(address, request.replace("\r\n\r\n", offer).into_bytes()).await?;
        websocket.expect("0{").await?;
        websocket.send_text("40").await?;
        websocket.expect("40{").await?;
        Ok(websocket)
    }

    async fn open(address: SocketAddr, request: Vec<u8>) -> io::Result<Self> {
        let mut http = Http::connect(address).await?;
        http.send(request).await?;
        let response = http.response().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        if response.status != 101 {
            return Err(io::Error::other(response.head));
        }
        let config = DecoderConfig { message_bytes_max: 64 << 20, message_fragments_max: 1 };
        let decoder = Decoder::new(Role::Client, config);
        Ok(Self { http, decoder, messages: VecDeque::new() })
    }

    /// Sends a frame that is a whole message.
    ///
    /// # Errors
    ///
    /// Those of the network.
    pub async fn send_frame(&mut self, opcode: Opcode, payload: &[u8]) -> io::Result<()> {
        self.http.send(frame(opcode, payload)).await
    }

    /// Sends a text message.
    ///
    /// # Errors
    ///
    /// Those of the network.
    pub async fn send_text(&mut self, text: &str) -> io::Result<()> {
        self.send_frame(Opcode::Text, text.as_bytes()).await
    }

    /// The next message; `None` at the end of the stream.
    ///
    /// # Errors
    ///
    /// If the server breaks the WebSocket protocol.
    pub async fn next(&mut self) -> io::Result<Option<Message>> {
        loop {
            if let Some(message) = self.messages.pop_front() {
                return Ok(Some(message));
            }
            if self.http.unread.is_empty() && !self.http.read_more().await {
                return Ok(None);
            }
            let mut input = &mut self.http.unread[..];
            while let Some(message) = self.decoder.decode(&mut input).map_err(io::Error::other)? {
                self.messages.push_back(message);
            }
            self.http.unread.clear();
        }
    }

    /// The next text, other than Engine.IO's ping, which is answered.
    ///
    /// # Errors
    ///
    /// If the WebSocket ends before.
    pub async fn next_text(&mut self) -> io::Result<String> {
        loop {
            match self.next().await? {
                Some(Message::Text(text)) if &text[..] == b"2" => self.send_text("3").await?,
                Some(Message::Text(text)) => return Ok(String::from_utf8_lossy(&text).into_owned()),
                Some(Message::Binary(_) | Message::Ping(_) | Message::Pong(_)) => {}
                Some(Message::Close(_)) | None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
    }

    /// Reads up to a text that begins with `prefix`.
    ///
    /// # Errors
    ///
    /// If the WebSocket ends before.
    pub async fn expect(&mut self, prefix: &str) -> io::Result<String> {
        loop {
            let text = self.next_text().await?;
            if text.starts_with(prefix) {
                return Ok(text);
            }
        }
    }

    /// Sends something to be echoed, and waits for it.
    ///
    /// # Errors
    ///
    /// If the WebSocket ends before.
    pub async fn echo(&mut self) -> io::Result<()> {
        self.send_text(r#"420["echo","websocket"]"#).await?;
        self.expect(r#"430["websocket"]"#).await.map(drop)
    }

    /// Reads up to the server's close frame: its code, or 1005 if it has none (RFC 6455, 7.1.5);
    /// 1006 if the stream ends without one.
    pub async fn close_code(&mut self) -> u16 {
        loop {
            match self.next().await {
                Ok(Some(Message::Close(frame))) => return frame.map_or(1005, |f| f.code.get()),
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => return 1006,
            }
        }
    }

    /// Closes with a close frame, and waits for the server to do so.
    ///
    /// # Errors
    ///
    /// Those of the network.
    pub async fn close(mut self) -> io::Result<()> {
        self.send_frame(Opcode::Close, &1000_u16.to_be_bytes()).await?;
        self.close_code().await;
        Ok(())
    }
}

/// Does what a fresh official client does: opens a session on polling, joins `/`, has something
/// echoed, upgrades, has something echoed again, and leaves.
///
/// # Errors
///
/// If the server does not serve it.
pub async fn visit(address: SocketAddr) -> io::Result<()> {
    let mut polling = Polling::open(address).await?;
    polling.join().await?;
    polling.echo().await?;
    let mut websocket = polling.upgrade().await?;
    websocket.echo().await?;
    websocket.close().await
}

/// A request for a WebSocket.
pub fn upgrade_request(target: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
}

/// A masked frame that is a whole message.
pub fn frame(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    websocket::encode_masked_into(&mut frame, opcode, payload, [0x5a, 0x17, 0xc3, 0x88]);
    frame
}

/// A masked frame that is the part of a message.
pub fn fragment(opcode: Opcode, fin: bool, payload: &[u8]) -> Vec<u8> {
    let mask_key = [0x5a, 0x17, 0xc3, 0x88];
    let header = FrameHeader::new(opcode, payload.len() as u64);
    let mut frame = FrameHeader { fin, mask_key: Some(mask_key), ..header }.encode().to_vec();
    let start = frame.len();
    frame.extend_from_slice(payload);
    websocket::apply_mask(&mut frame[start..], mask_key, 0);
    frame
}
