//! The threads of a client's WebSocket: one opens it and then is the reader, the other writes.

use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use sansocket_core::client::{Config, WebSocketKey, WebSocketRequest};
use sansocket_core::codec::websocket::handshake::{check_response, encode_key};
use sansocket_core::codec::websocket::{
    Decoder, DecoderConfig, Message, Opcode, Role, encode_masked_into,
};

use crate::Input;

const READ_BYTES: usize = 16 << 10;
/// A longer answer to the opening handshake is none.
const HEAD_BYTES_MAX: u64 = 16 << 10;
/// The time that each read of that answer may take; the manager's connect timeout limits them all.
const HEAD_TIMEOUT: Duration = Duration::from_secs(20);
/// A server that takes nothing for so long is gone.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// For how long the server's end of the stream is awaited after ours.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
const FRAGMENTS_MAX: usize = 1_024;

/// What the main thread knows of an open WebSocket. Dropping it ends the threads.
pub(crate) struct Link {
    /// Whether the reader waits for a permit.
    pub(crate) reader_waits: bool,
    pub(crate) permits: Sender<()>,
    /// Whether the writer is busy.
    pub(crate) is_writing: bool,
    pub(crate) output: Sender<Vec<u8>>,
    /// To be sent before anything else: the answer to a WebSocket ping.
    pub(crate) urgent: Vec<u8>,
}

/// What one read brought.
#[derive(Default)]
pub(crate) struct Received {
    pub(crate) messages: Vec<Message>,
    pub(crate) end: Option<End>,
}

/// How the server's side of the WebSocket ended.
pub(crate) struct End {
    pub(crate) is_clean: bool,
}

/// Opens a WebSocket.
pub(crate) fn spawn(
    address: &str,
    request: WebSocketRequest,
    config: &Config,
    inputs: &Sender<Input>,
) -> io::Result<()> {
    let (address, inputs) = (address.to_owned(), inputs.clone());
    let limits = DecoderConfig {
        message_bytes_max: config.limits.message_bytes,
        message_fragments_max: FRAGMENTS_MAX,
    };
    let serve = move || match open(&address, &request.target) {
        Ok((stream, rest)) => serve(&stream, rest, request.key, limits, &inputs),
        Err(error) => drop(inputs.send(Input::Failed(request.key, error))),
    };
    thread::Builder::new().spawn(serve).map(drop)
}

/// A frame as a client sends it. What cannot be masked unpredictably is not sent: the connection
/// then fails on the server's side.
pub(crate) fn masked(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let (mut frame, mut mask) = (Vec::new(), [0; 4]);
    if getrandom::fill(&mut mask).is_ok() {
        encode_masked_into(&mut frame, opcode, payload, mask);
    }
    frame
}

/// The opening handshake (RFC 6455, 4.1). Gives the stream, and what was read of what follows.
fn open(address: &str, target: &str) -> io::Result<(TcpStream, Cursor<Vec<u8>>)> {
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce).map_err(io::Error::other)?;
    let key = encode_key(nonce);
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(HEAD_TIMEOUT))?;
    stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
    let request = format!(
        "GET {target} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\n\r\n",
        String::from_utf8_lossy(&key)
    );
    stream.write_all(request.as_bytes())?;
    let mut reader = BufReader::new(&stream);
    let head = read_head(&mut reader)?;
    let rest = reader.buffer().to_vec();
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap_or(0);
    let headers = lines.filter_map(|line| line.split_once(':'));
    check_response(&key, status, headers.map(|(name, value)| (name, value.as_bytes())))
        .map_err(io::Error::other)?;
    stream.set_read_timeout(None)?;
    Ok((stream, Cursor::new(rest)))
}

fn read_head(reader: impl BufRead) -> io::Result<String> {
    let mut reader = reader.take(HEAD_BYTES_MAX);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(head)
}

fn serve(
    stream: &TcpStream,
    rest: Cursor<Vec<u8>>,
    key: WebSocketKey,
    limits: DecoderConfig,
    inputs: &Sender<Input>,
) {
    let (permits, permitted) = mpsc::channel();
    let (output, to_write) = mpsc::channel();
    let link = Link { reader_waits: true, permits, is_writing: false, output, urgent: Vec::new() };
    drop(inputs.send(Input::Opened(key, link)));
    let (done, reader_done) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let write = move || write(stream, key, inputs, &to_write, &reader_done);
        if thread::Builder::new().spawn_scoped(scope, write).is_err() {
            drop(stream.shutdown(Shutdown::Both));
        }
        read(rest.chain(stream), key, limits, inputs, &permitted);
        drop(done);
    });
}

fn read(
    mut stream: impl Read,
    key: WebSocketKey,
    limits: DecoderConfig,
    inputs: &Sender<Input>,
    permits: &Receiver<()>,
) {
    let mut decoder = Decoder::new(Role::Client, limits);
    let mut buffer = vec![0; READ_BYTES];
    while let Ok(()) = permits.recv() {
        let mut received = Received::default();
        match stream.read(&mut buffer) {
            Ok(0) => received.end = Some(End { is_clean: true }),
            Ok(count) => received.decode(&mut decoder, buffer.get_mut(..count).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => received.end = Some(End { is_clean: false }),
        }
        drop(inputs.send(Input::Received(key, received)));
    }
    // What still comes counts no longer.
    drop(io::copy(&mut stream, &mut io::sink()));
}

fn write(
    mut stream: &TcpStream,
    key: WebSocketKey,
    inputs: &Sender<Input>,
    output: &Receiver<Vec<u8>>,
    reader_done: &Receiver<()>,
) {
    while let Ok(bytes) = output.recv() {
        if stream.write_all(&bytes).is_err() {
            // The reader notices, and tells the client.
            drop(stream.shutdown(Shutdown::Both));
        }
        drop(inputs.send(Input::Written(key)));
    }
    drop(stream.shutdown(Shutdown::Write));
    let _ = reader_done.recv_timeout(CLOSE_TIMEOUT);
    drop(stream.shutdown(Shutdown::Both));
}

impl Received {
    fn decode(&mut self, decoder: &mut Decoder, mut bytes: &mut [u8]) {
        while self.end.is_none() {
            match decoder.decode(&mut bytes) {
                Ok(None) => break,
                Ok(Some(Message::Close(_))) => self.end = Some(End { is_clean: true }),
                Ok(Some(message)) => self.messages.push(message),
                Err(_) => self.end = Some(End { is_clean: false }),
            }
        }
    }
}
