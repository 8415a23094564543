//! The example as a process, and a WebSocket client that is as simple as can be.

use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sansocket_core::codec::websocket::handshake::{check_response, encode_key};
use sansocket_core::codec::websocket::{
    self, Decoder, DecoderConfig, Message, Opcode, Role, close_payload,
};

/// Nothing here takes so long. It turns a server that hangs into a test that fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A running server, stopped when it is dropped.
pub(crate) struct Server {
    process: Child,
    port: u16,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// With these settings in its environment.
    pub(crate) fn start_with(settings: &[(&str, &str)]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_blocking"))
            .envs(settings.iter().copied())
            .env("PORT", "0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the example starts");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("it was piped");
        BufReader::new(stdout).read_line(&mut line).expect("it says where it listens");
        let port = line.trim().strip_prefix("listening on 127.0.0.1:").expect("the address");
        Self { process, port: port.parse().expect("a port") }
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn stream(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream
    }

    /// What it answers to these bytes, until it closes. A reset counts as closing: that is how a
    /// stream ends whose input nobody has read.
    pub(crate) fn answer_to(&self, bytes: &[u8]) -> String {
        let mut stream = self.stream();
        let mut answer = Vec::new();
        let mut buffer = [0; 1024];
        // Where it stops reading before the end, writing fails.
        drop(stream.write_all(bytes));
        drop(stream.shutdown(Shutdown::Write));
        loop {
            match stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => answer.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => break,
                Err(error) => panic!("the server does not close: {error}"),
            }
        }
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// A client with an open WebSocket, and the open packet still to receive.
    pub(crate) fn open(&self) -> Client {
        let mut stream = self.stream();
        let key = encode_key([1; 16]);
        stream.write_all(&upgrade_request(&key)).expect("the request is taken");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("a response");
            head.extend(byte);
        }
        let head = String::from_utf8(head).expect("text");
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        let headers = head.lines().filter_map(|line| line.split_once(':'));
        check_response(&key, 101, headers.map(|(name, value)| (name, value.as_bytes())))
            .expect("it accepts");
        let config = DecoderConfig { message_bytes_max: 1 << 20, message_fragments_max: 1 };
        Client { stream, decoder: Decoder::new(Role::Client, config), unread: Vec::new() }
    }

    /// A client in the namespace `/`.
    pub(crate) fn connect(&self) -> Client {
        let mut client = self.open();
        assert!(client.receive_text().starts_with("0{"));
        client.send("40");
        let mut answer = client.receive_text();
        while answer == "2" {
            client.send("3");
            answer = client.receive_text();
        }
        assert!(answer.starts_with(r#"40{"sid":""#), "{answer}");
        client
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// The request that opens a session on a WebSocket.
pub(crate) fn upgrade_request(key: &[u8]) -> Vec<u8> {
    let key = str::from_utf8(key).expect("base64");
    format!(
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\n\
         Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: {key}\r\n\r\n"
    )
    .into_bytes()
}

/// A masked frame.
pub(crate) fn frame(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    websocket::encode_masked_into(&mut frame, opcode, payload, [1, 2, 3, 4]);
    frame
}

pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    decoder: Decoder,
    unread: Vec<u8>,
}

impl Client {
    /// Sends an Engine.IO packet.
    pub(crate) fn send(&mut self, packet: &str) {
        self.write(&frame(Opcode::Text, packet.as_bytes()));
    }

    pub(crate) fn close(&mut self) {
        let payload = close_payload(Some(websocket::CloseCode::NORMAL), "");
        self.write(&frame(Opcode::Close, &payload));
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the server takes it");
    }

    /// The next message, or `None` if the server has ended the stream.
    pub(crate) fn receive(&mut self) -> Option<Message> {
        loop {
            let mut unread = self.unread.as_mut_slice();
            let message = self.decoder.decode(&mut unread).expect("the server keeps to RFC 6455");
            let rest = unread.len();
            self.unread.drain(..self.unread.len() - rest);
            if message.is_some() {
                return message;
            }
            let mut buffer = vec![0; 64 << 10];
            let count = self.stream.read(&mut buffer).expect("the server answers");
            if count == 0 {
                return None;
            }
            self.unread.extend_from_slice(&buffer[..count]);
        }
    }

    /// The next message, which is an Engine.IO text packet.
    pub(crate) fn receive_text(&mut self) -> String {
        match self.receive() {
            Some(Message::Text(text)) => String::from_utf8(text.into()).expect("text"),
            other => panic!("{other:?} instead of text"),
        }
    }
}
