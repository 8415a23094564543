//! The threads of a connection: a reader, which answers the handshake first, and a writer.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use sansocket_core::codec::engine::{self, Inbound};
use sansocket_core::codec::websocket::{self, CloseCode, Decoder, Message, Role};
use sansocket_core::{Config, ConnectionKey, EngineError, Limits};

use crate::{Admission, Input, handshake};

/// Two threads for each connection are affordable for about so many.
const CONNECTIONS_MAX: usize = 1_000;
const READ_BYTES: usize = 16 << 10;
/// A client that takes nothing for so long is gone.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// For how long the client's end of the stream is awaited after ours.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// What one read brought.
#[derive(Default)]
pub(crate) struct Received {
    pub(crate) packets: Vec<Result<Inbound, EngineError>>,
    /// The answer to the last of its pings. Earlier ones need none (RFC 6455, 5.5.3).
    pub(crate) pong: Option<Bytes>,
    pub(crate) end: Option<End>,
}

/// How the client's side of the WebSocket ended.
pub(crate) struct End {
    pub(crate) clean: bool,
    /// What the close frame says about it.
    pub(crate) code: Option<CloseCode>,
}

/// Accepts connections, each of which gets its threads.
pub(crate) fn listen(listener: &TcpListener, config: &Arc<Config>, inputs: &Sender<Input>) {
    for stream in listener.incoming() {
        let Ok(stream) = stream else {
            // Too many open files, most likely. To try again at once would not help.
            thread::sleep(Duration::from_millis(100));
            continue;
        };
        if Arc::strong_count(config) <= CONNECTIONS_MAX {
            let (config, inputs) = (config.clone(), inputs.clone());
            // An error closes the stream, and so does a thread that cannot be had.
            drop(thread::Builder::new().spawn(move || serve(&stream, &config, &inputs)));
        }
    }
}

/// The first thread of a connection: answers the handshake, and then is the reader.
fn serve(mut stream: &TcpStream, config: &Config, inputs: &Sender<Input>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
    let (head, rest) = handshake::read_head(stream)?;
    stream.set_read_timeout(None)?;
    let response = match handshake::check(config, &head) {
        Ok(response) => response,
        Err(refusal) => return stream.write_all(refusal.as_bytes()),
    };
    let (admission, admitted) = mpsc::channel();
    drop(inputs.send(Input::Opened { response, admission }));
    let Admission { connection, permits, output } = match admitted.recv() {
        Ok(Ok(admission)) => admission,
        Ok(Err(refusal)) => return stream.write_all(handshake::refuse(refusal).as_bytes()),
        Err(_) => return Ok(()),
    };
    let (done, reader_done) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let write = move || write(stream, inputs, connection, &output, &reader_done);
        if thread::Builder::new().spawn_scoped(scope, write).is_err() {
            drop(stream.shutdown(Shutdown::Both));
        }
        read(rest.chain(stream), inputs, connection, &permits, &config.limits);
        drop(done);
    });
    Ok(())
}

fn read(
    mut stream: impl Read,
    inputs: &Sender<Input>,
    connection: ConnectionKey,
    permits: &Receiver<()>,
    limits: &Limits,
) {
    let mut decoder = Decoder::new(Role::Server, limits.into());
    let mut buffer = vec![0; READ_BYTES];
    while let Ok(()) = permits.recv() {
        // Step 1: read and decode, so that the main thread need not.
        let mut received = Received::default();
        match stream.read(&mut buffer) {
            Ok(0) => received.end = Some(End { clean: true, code: None }),
            Ok(count) => {
                received.decode(&mut decoder, buffer.get_mut(..count).unwrap_or_default(), limits);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => received.end = Some(End { clean: false, code: None }),
        }
        drop(inputs.send(Input::Received(connection, received)));
    }
    // What still comes counts no longer. Closing the stream before the client's end of it is there
    // could destroy what is under way to the client, so the writer waits for this.
    drop(io::copy(&mut stream, &mut io::sink()));
}

fn write(
    mut stream: &TcpStream,
    inputs: &Sender<Input>,
    connection: ConnectionKey,
    output: &Receiver<Vec<u8>>,
    reader_done: &Receiver<()>,
) {
    while let Ok(bytes) = output.recv() {
        if stream.write_all(&bytes).is_err() {
            // The reader notices, and tells the server, which closes the connection.
            drop(stream.shutdown(Shutdown::Both));
        }
        drop(inputs.send(Input::Written(connection)));
    }
    drop(stream.shutdown(Shutdown::Write));
    let _ = reader_done.recv_timeout(CLOSE_TIMEOUT);
    drop(stream.shutdown(Shutdown::Both));
}

impl Received {
    fn decode(&mut self, decoder: &mut Decoder, mut bytes: &mut [u8], limits: &Limits) {
        loop {
            match decoder.decode(&mut bytes) {
                Ok(None) => break,
                Ok(Some(Message::Text(text))) => {
                    self.packets.push(engine::decode_text(text, limits));
                }
                Ok(Some(Message::Binary(data))) => {
                    self.packets.push(Ok(engine::decode_binary(data)));
                }
                Ok(Some(Message::Ping(data))) => self.pong = Some(websocket::encode_pong(&data)),
                Ok(Some(Message::Pong(_))) => {}
                Ok(Some(Message::Close(frame))) => {
                    self.end = Some(End { clean: true, code: frame.map(|frame| frame.code) });
                }
                Err(error) => {
                    self.end = Some(End { clean: false, code: Some(error.close_code()) });
                    break;
                }
            }
        }
    }
}
