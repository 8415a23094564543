//! Clients that keep to no protocol. Nothing is expected of the server but that it survives them,
//! answers in HTTP where it answers, and keeps nothing of them.

use std::time::Duration;

use super::application::World;
use super::network::Network;
use super::runtime::SimRuntime;
use super::shared::unless;
use super::stream::ClientStream;
use crate::choices::Choices;

/// What one of them does: it sends these, one after the other, and leaves.
#[derive(Clone, Debug)]
pub struct Hostility {
    /// What it does, one after the other.
    pub pieces: Vec<Piece>,
    /// Whether it reads between that.
    pub reads: bool,
    /// Whether it leaves by a reset.
    pub resets: bool,
}

/// One thing that it does.
#[derive(Clone, Debug)]
pub enum Piece {
    /// Bytes as they are; `SID` is replaced by an id that the server has given.
    Send(Vec<u8>),
    /// On a new stream from now on; the old one stays open.
    Reconnect,
    /// It rests for as many milliseconds.
    Sleep(u64),
}

const PIECES: [&str; 18] = [
    "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /socket.io/?EIO=4&transport=polling&sid=SID HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /socket.io/?EIO=4&transport=polling&sid=SID HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n40",
    "POST /socket.io/?EIO=4&transport=polling&sid=SID HTTP/1.1\r\nHost: a\r\nContent-Length: 90\r\n\r\n42[",
    "POST /socket.io/?EIO=4&transport=polling&sid=SID HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n",
    "POST /socket.io/?EIO=4&transport=polling&sid=SID HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    "2\r\n40\r\n0\r\n\r\n",
    "zz\r\n",
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    "GET /socket.io/?EIO=4&transport=websocket&sid=SID HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    "\u{1}\u{2}\u{3}",
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /socket.io/?EIO=3&transport=polling HTTP/1.1\r\nHo",
    "OPTIONS /socket.io/ HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n",
    "POST /socket.io/?EIO=4&transport=polling&sid=SID HTTP/1.1\r\nHost: a\r\nContent-Length: 28\r\n\r\n40\u{1e}42[\"up\",7]\u{1e}42[\"echo\"]\u{1e}3",
    "GET /socket.io/?EIO=4&transport=polling&sid=SID HTTP/1.1\r\nHost: a\r\n\r\nGET /socket.io/?EIO=4&transport=polling&sid=SID HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /socket.io/?EIO=4&transport=polling&sid=SID HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n1",
    "\r\n\r\n",
];

/// WebSocket frames, good and bad, masked by zeros.
const FRAMES: [&[u8]; 9] = [
    b"\x81\x82\0\0\0\x0040",
    b"\x81\x86\0\0\0\x002probe",
    b"\x81\x81\0\0\0\x005",
    b"\x01\x82\0\0\0\x0042",
    b"\x80\x88\0\0\0\0[\"echo\"]",
    b"\x89\x80\0\0\0\0",
    b"\x88\x80\0\0\0\0",
    b"\x81\x01a",
    b"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff",
];

impl Hostility {
    /// Draws one.
    pub fn draw(choices: &mut Choices<'_>) -> Self {
        let count = choices.number(1..=10);
        let pieces = (0..count).map(|_| Piece::draw(choices)).collect();
        Self { pieces, reads: !choices.chance(80), resets: choices.chance(80) }
    }
}

impl Piece {
    fn draw(choices: &mut Choices<'_>) -> Self {
        match choices.weighted(&[8, 4, 3, 2, 1]) {
            0 => Self::Send(choices.pick(&PIECES).as_bytes().to_vec()),
            1 => Self::Send(choices.pick(&FRAMES).to_vec()),
            2 => Self::Reconnect,
            3 => Self::Sleep(choices.number(0..=40_000)),
            _ => {
                let mut bytes = choices.pick(&PIECES).as_bytes().to_vec();
                let at = choices.index(bytes.len());
                bytes[at] = choices.byte();
                bytes.truncate(choices.index(bytes.len()) + 1);
                Self::Send(bytes)
            }
        }
    }
}

/// Plays a part.
pub async fn play(runtime: SimRuntime, network: Network, world: World, hostility: Hostility) {
    let Hostility { pieces, reads, resets } = hostility;
    let mut streams: Vec<ClientStream> = network.connect().into_iter().collect();
    let mut sid = "unknown".to_owned();
    for piece in pieces {
        match piece {
            Piece::Reconnect => streams.extend(network.connect()),
            Piece::Sleep(millis) => runtime.sleep(Duration::from_millis(millis)).await,
            Piece::Send(bytes) => {
                let Some(stream) = streams.last() else { return };
                let bytes = match str::from_utf8(&bytes) {
                    Ok(text) => text.replace("SID", &sid).into_bytes(),
                    Err(_) => bytes,
                };
                let limit = runtime.sleep(Duration::from_secs(3));
                // The server may have stopped reading.
                let _ = unless(stream.send(&bytes), limit).await;
                if !reads {
                    continue;
                }
                let limit = runtime.sleep(Duration::from_millis(100));
                if let Some(Some(data)) = unless(stream.receive(), limit).await {
                    let text = String::from_utf8_lossy(&data);
                    if text.contains("EIO") {
                        world.violation("a request came back");
                    }
                    if let Some((_, rest)) = text.split_once("\"sid\":\"") {
                        sid = rest.chars().take_while(|c| *c != '"').collect();
                    }
                }
            }
        }
    }
    if resets {
        streams.iter().for_each(ClientStream::reset);
    }
}
