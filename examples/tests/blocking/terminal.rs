//! The example `blocking-client`, run as a process.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;

use sansocket_core::codec::websocket::handshake::accept_key;
use sansocket_core::codec::websocket::{
    Decoder, DecoderConfig, Message, Opcode, Role, encode_into,
};

use crate::client::{PATIENCE, Server};

/// A person's terminal.
struct Terminal {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Terminal {
    fn start(address: &str) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_blocking-client"))
            .arg(address)
            .env("RECONNECTION_DELAY_MS", "10")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the example starts");
        let input = process.stdin.take();
        let output = BufReader::new(process.stdout.take().expect("it was piped"));
        Self { process, input, output }
    }

    fn type_line(&mut self, line: &str) {
        let input = self.input.as_mut().expect("it is open");
        writeln!(input, "{line}").expect("it reads");
    }

    fn read_line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("it goes on");
        line.trim_end().to_owned()
    }

    /// Nothing more is typed. How the program ends.
    fn finish(&mut self) -> ExitStatus {
        drop(self.input.take());
        self.process.wait().expect("it was started")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[test]
fn two_terminals_chat() {
    let server = Server::start();
    let (mut alice, mut bob) =
        (Terminal::start(&server.address()), Terminal::start(&server.address()));
    // Whoever hears itself is connected.
    bob.type_line("hello");
    assert_eq!(bob.read_line(), r#"["chat message","hello"]"#);
    alice.type_line("hi, \"bob\"");
    assert_eq!(bob.read_line(), r#"["chat message","hi, \"bob\""]"#);
    assert!(alice.finish().success());
    bob.type_line("still here");
    assert_eq!(bob.read_line(), r#"["chat message","still here"]"#);
    assert!(bob.finish().success());
}

/// What is typed meanwhile waits, and is sent once and in order.
#[test]
fn a_server_that_drops_connections_is_asked_again() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound").to_string();
    let mut terminal = Terminal::start(&address);
    terminal.type_line("one");
    terminal.type_line("two");
    drop(terminal.input.take());
    for _ in 0..3 {
        drop(listener.accept().expect("it asks again"));
    }
    let (played, result) = mpsc::channel();
    thread::spawn(move || {
        let (stream, _) = listener.accept().expect("it asks again");
        drop(played.send(play_server(stream)));
    });
    let heard = result.recv_timeout(PATIENCE).expect("the conversation ends");
    assert_eq!(heard, ["40", r#"42["chat message","one"]"#, r#"42["chat message","two"]"#, "41"]);
    assert!(terminal.finish().success());
}

/// Accepts a client, and hears what it says until it closes.
fn play_server(mut stream: TcpStream) -> Vec<String> {
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let mut head = String::new();
    let mut reader = BufReader::new(&stream);
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(reader.read_line(&mut head).expect("a request"), 0, "{head}");
    }
    assert!(head.starts_with("GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"), "{head}");
    let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
    let accept = accept_key(key.expect("a key").as_bytes());
    let accept = str::from_utf8(&accept).expect("base64");
    let mut bytes = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    )
    .into_bytes();
    let handshake =
        r#"0{"sid":"s","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000}"#;
    encode_into(&mut bytes, Opcode::Text, handshake.as_bytes());
    // By the time that it reads this, it has asked for it.
    encode_into(&mut bytes, Opcode::Text, br#"40{"sid":"id"}"#);
    stream.write_all(&bytes).expect("it is there");
    hear(&mut stream)
}

fn hear(stream: &mut TcpStream) -> Vec<String> {
    let config = DecoderConfig { message_bytes_max: 1 << 20, message_fragments_max: 1 };
    let mut decoder = Decoder::new(Role::Server, config);
    let (mut heard, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let count = stream.read(&mut buffer).expect("it says something");
        assert_ne!(count, 0, "{heard:?}");
        let mut bytes = &mut buffer[..count];
        while let Some(message) = decoder.decode(&mut bytes).expect("RFC 6455") {
            match message {
                Message::Text(text) => {
                    heard.push(String::from_utf8(text.into()).expect("text"));
                }
                Message::Close(_) => return heard,
                Message::Binary(_) | Message::Ping(_) | Message::Pong(_) => {
                    panic!("{message:?} instead of text")
                }
            }
        }
    }
}
