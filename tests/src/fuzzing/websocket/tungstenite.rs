//! Our WebSocket decoder and tungstenite's are given the same bytes, and must say the same.
//!
//! Known differences, all of them deliberate and kept out of, or allowed for in, what is compared:
//!
//! - We refuse a length that is not in its shortest form (RFC 6455, 5.2, says MUST); tungstenite
//!   takes it. A run in which we report one ends there. In a control frame, which has no place for
//!   a longer form, it is a frame that is too long.
//! - We limit the fragments of a message; tungstenite does not. The limit is set out of reach.
//! - Close codes: we refuse those that RFC 6455 and the registry leave unassigned (1016 to 2999) and
//!   1004; tungstenite passes some of them on. A run in which we report one ends there.
//! - Close code 1014 was registered after RFC 6455. We take it, as the ws package does; tungstenite
//!   reports a violation in its place, as a close frame of its own.
//! - Invalid UTF-8 in a text that comes in fragments or parts is reported by us with the first bytes
//!   that leave no doubt, by tungstenite at the end of a fragment. Both come to an error before they
//!   come to another message; which error is compared only by whether there is one.
//! - After a close frame we ignore what follows; so does tungstenite, as an end of the stream.

use std::io::{self, Cursor, Read, Write};

use sansocket_core::codec::websocket::{self, Decoder, DecoderConfig, Error, Role};
use tungstenite::protocol::{self, WebSocketConfig, WebSocketContext};

const MESSAGE_BYTES_MAX: usize = 300;
const BAD_GATEWAY: u16 = 1014;

/// Gives both the same bytes, each in pieces of its own.
///
/// # Panics
///
/// If they do not say the same, known differences aside.
pub fn compare(role: Role, bytes: &[u8], our_sizes: &[usize], their_sizes: &[usize]) {
    let (ours, error) = ours(role, bytes, our_sizes);
    let mut theirs = theirs(role, bytes, their_sizes);
    if let Some(Seen::Close(Some((BAD_GATEWAY, _)))) = ours.last()
        && let Some(Seen::Close(last)) = theirs.last()
        && last.as_ref().is_some_and(|(_, reason)| reason == "Protocol violation")
    {
        theirs.pop();
        theirs.extend(ours.last().cloned());
    }
    match error {
        // They may go on where we do not.
        Some(Error::LengthNotMinimal | Error::ControlTooLong | Error::CloseCode { .. }) => {
            let common = ours.len() - 1;
            assert_eq!(theirs.get(..common), Some(&ours[..common]), "{error:?}");
        }
        // We may know it before the frame is complete, and they must wait for what never comes.
        Some(_) if theirs.len() < ours.len() => {
            assert_eq!(theirs, ours[..ours.len() - 1], "{error:?}");
        }
        Some(_) | None => assert_eq!(theirs, ours, "{error:?}"),
    }
}

/// What a decoder made of its input.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    Text(Vec<u8>),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<(u16, String)>),
    Error,
}

/// Gives its input in pieces, and takes what is written.
struct Pieces {
    input: Cursor<Vec<u8>>,
    sizes: Vec<usize>,
    next: usize,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes.get(self.next).copied().unwrap_or(usize::MAX).min(buffer.len());
        self.next += 1;
        match self.input.read(&mut buffer[..size]) {
            Ok(0) => Err(io::ErrorKind::WouldBlock.into()),
            result => result,
        }
    }
}

impl Write for Pieces {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn theirs(role: Role, bytes: &[u8], sizes: &[usize]) -> Vec<Seen> {
    let config = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    let role = match role {
        Role::Server => protocol::Role::Server,
        Role::Client => protocol::Role::Client,
    };
    let mut context = WebSocketContext::new(role, Some(config));
    let mut stream = Pieces { input: Cursor::new(bytes.to_vec()), sizes: sizes.to_vec(), next: 0 };
    let mut seen = Vec::new();
    loop {
        seen.push(match context.read(&mut stream) {
            Ok(tungstenite::Message::Text(text)) => Seen::Text(text.as_bytes().to_vec()),
            Ok(tungstenite::Message::Binary(data)) => Seen::Binary(data.to_vec()),
            Ok(tungstenite::Message::Ping(data)) => Seen::Ping(data.to_vec()),
            Ok(tungstenite::Message::Pong(data)) => Seen::Pong(data.to_vec()),
            Ok(tungstenite::Message::Close(close)) => {
                let close = close.map(|close| (close.code.into(), close.reason.to_string()));
                seen.push(Seen::Close(close));
                return seen;
            }
            Ok(tungstenite::Message::Frame(_)) => continue,
            Err(tungstenite::Error::Io(_)) => return seen,
            Err(_) => {
                seen.push(Seen::Error);
                return seen;
            }
        });
    }
}

/// Also, whether it ended with an error that tungstenite does not know.
fn ours(role: Role, bytes: &[u8], sizes: &[usize]) -> (Vec<Seen>, Option<Error>) {
    let config =
        DecoderConfig { message_bytes_max: MESSAGE_BYTES_MAX, message_fragments_max: usize::MAX };
    let mut decoder = Decoder::new(role, config);
    let (mut bytes, mut seen) = (bytes.to_vec(), Vec::new());
    let mut rest = &mut bytes[..];
    let mut sizes = sizes.iter().copied();
    while !rest.is_empty() {
        let size = sizes.next().unwrap_or(usize::MAX).min(rest.len());
        let (mut piece, behind) = rest.split_at_mut(size);
        rest = behind;
        loop {
            seen.push(match decoder.decode(&mut piece) {
                Ok(None) => break,
                Ok(Some(websocket::Message::Text(text))) => Seen::Text(text.to_vec()),
                Ok(Some(websocket::Message::Binary(data))) => Seen::Binary(data.to_vec()),
                Ok(Some(websocket::Message::Ping(data))) => Seen::Ping(data.to_vec()),
                Ok(Some(websocket::Message::Pong(data))) => Seen::Pong(data.to_vec()),
                Ok(Some(websocket::Message::Close(close))) => {
                    let close = close.map(|close| (close.code.get(), close.reason));
                    seen.push(Seen::Close(close));
                    return (seen, None);
                }
                Err(error) => {
                    seen.push(Seen::Error);
                    return (seen, Some(error));
                }
            });
        }
    }
    (seen, None)
}
