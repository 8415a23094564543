//! What clients do that mean no good. Each attack is one connection or a few, and ends by itself.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use sansocket_core::codec::websocket::Opcode;
use sansocket_core::codec::websocket::deflate::Deflater;
use sansocket_tests::client::{Http, Polling, WebSocket, fragment, frame, upgrade_request};
use sansocket_tests::noise::Noise;
use tokio::time::sleep;

const POLLING: &str = "/socket.io/?EIO=4&transport=polling";
const WEBSOCKET: &str = "/socket.io/?EIO=4&transport=websocket";
/// What is sent at once by whoever floods.
const FLOOD: usize = 16 << 10;
/// How long the slow ones wait between two bytes.
const SLOW: Duration = Duration::from_millis(100);
/// The network takes no more when it has taken nothing for this long.
const STUCK: Duration = Duration::from_millis(200);

type Attempt<'a> = Pin<Box<dyn Future<Output = io::Result<()>> + Send + 'a>>;

/// A kind of attack.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    /// What one attempt counts as.
    pub(crate) parts: usize,
    /// It goes on until it counts so much, however long that takes.
    pub(crate) at_least: usize,
    attempt: for<'a> fn(SocketAddr, &'a mut Noise, Instant) -> Attempt<'a>,
}

impl Attack {
    pub(crate) fn run<'a>(
        &self,
        address: SocketAddr,
        noise: &'a mut Noise,
        until: Instant,
    ) -> Attempt<'a> {
        (self.attempt)(address, noise, until)
    }
}

macro_rules! attacks {
    ($($name:literal $function:ident $(* $parts:literal $(>= $at_least:literal)?)?;)*) => {
        pub(crate) const ATTACKS: &[Attack] = &[$(Attack {
            name: $name,
            parts: attacks!(@or 1 $($parts)?),
            at_least: attacks!(@or 0 $($($at_least)?)?),
            attempt: |address, noise, until| Box::pin($function(address, noise, until)),
        },)*];
    };
    (@or $default:literal) => { $default };
    (@or $default:literal $value:literal) => { $value };
}

attacks! {
    "slow headers" slow_headers;
    "slow bodies" slow_bodies;
    "responses that are not read" slow_reads;
    "connections that say nothing" half_open;
    "sessions without namespaces" sessions;
    "floods of events" events;
    "floods by polling" posts;
    "namespaces that do not exist" namespaces;
    "rooms" rooms;
    "acknowledgements" acks;
    "attachments that do not come" attachments;
    "large attachments" large_attachments;
    "WebSocket pings" pings;
    "fragments" fragments;
    "messages beyond the limit" too_large;
    "compression bombs" bombs;
    "deep JSON" deep;
    "invalid UTF-8" utf8;
    "noise as frames" random_frames * 100 >= 100_000;
    "noise as requests" random_requests * 10 >= 100_000;
}

async fn slow_headers(address: SocketAddr, _: &mut Noise, until: Instant) -> io::Result<()> {
    let mut http = Http::connect(address).await?;
    http.send(format!("GET {POLLING} HTTP/1.1\r\nHost: ")).await?;
    while Instant::now() < until {
        http.send("a").await?;
        sleep(SLOW).await;
    }
    Ok(())
}

async fn slow_bodies(address: SocketAddr, _: &mut Noise, until: Instant) -> io::Result<()> {
    let mut polling = Polling::open(address).await?;
    let target = polling.target("polling");
    let head = format!("POST {target} HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n42[");
    polling.post.send(head).await?;
    while Instant::now() < until {
        polling.post.send(" ").await?;
        sleep(SLOW).await;
    }
    Ok(())
}

/// Asks for far more than it reads.
async fn slow_reads(address: SocketAddr, _: &mut Noise, _: Instant) -> io::Result<()> {
    let mut websocket = WebSocket::join(address).await?;
    let event = format!(r#"420["echo","{}"]"#, "a".repeat(10_000));
    let events = frame(Opcode::Text, event.as_bytes()).repeat(8);
    websocket.http.send_until_stuck(&events, STUCK).await?;
    Ok(())
}

async fn half_open(address: SocketAddr, _: &mut Noise, until: Instant) -> io::Result<()> {
    let silent = Http::connect(address).await?;
    let mut polling = Polling::open(address).await?;
    polling.begin_poll().await?;
    let websocket = WebSocket::connect(address).await?;
    sleep(SLOW.min(until.saturating_duration_since(Instant::now()))).await;
    drop((silent, polling, websocket));
    Ok(())
}

async fn sessions(address: SocketAddr, _: &mut Noise, _: Instant) -> io::Result<()> {
    let mut http = Http::connect(address).await?;
    for _ in 0..100 {
        http.request("GET", POLLING, "").await?;
        http.response().await?;
    }
    Ok(())
}

/// Sends frames until the time is over or the server has had enough.
async fn flood(address: SocketAddr, frames: &[Vec<u8>], until: Instant) -> io::Result<()> {
    let mut websocket = WebSocket::join(address).await?;
    let length: usize = frames.iter().map(Vec::len).sum();
    let block = frames.concat().repeat((FLOOD / length).max(1));
    while Instant::now() < until {
        websocket.http.send_until_stuck(&block, STUCK).await?;
    }
    Ok(())
}

async fn events(address: SocketAddr, _: &mut Noise, until: Instant) -> io::Result<()> {
    flood(address, &[frame(Opcode::Text, br#"42["nobody","listens"]"#)], until).await
}

async fn posts(address: SocketAddr, _: &mut Noise, until: Instant) -> io::Result<()> {
    let mut polling = Polling::open(address).await?;
    polling.join().await?;
    let body = vec![r#"42["nobody","listens"]"#; 1_000].join("\x1e");
    while Instant::now() < until {
        if polling.post(&body).await? != 200 {
            return Ok(());
        }
    }
    Ok(())
}

async fn namespaces(address: SocketAddr, noise: &mut Noise, until: Instant) -> io::Result<()> {
    let frames: Vec<_> = (0..1_000)
        .map(|_| frame(Opcode::Text, format!("40/{},", noise.next_number()).as_bytes()))
        .collect();
    flood(address, &frames, until).await
}

async fn rooms(address: SocketAddr, noise: &mut Noise, until: Instant) -> io::Result<()> {
    let frames: Vec<_> = (0..1_000)
        .map(|_| format!(r#"42["enter","{}"]"#, noise.next_number()))
        .map(|event| frame(Opcode::Text, event.as_bytes()))
        .collect();
    flood(address, &frames, until).await
}

async fn acks(address: SocketAddr, noise: &mut Noise, until: Instant) -> io::Result<()> {
    let frames: Vec<_> = (0..1_000)
        .map(|_| format!("43{}[]", noise.below(1 << 53)))
        .map(|ack| frame(Opcode::Text, ack.as_bytes()))
        .collect();
    flood(address, &frames, until).await
}

async fn attachments(address: SocketAddr, _: &mut Noise, until: Instant) -> io::Result<()> {
    let mut websocket = WebSocket::join(address).await?;
    websocket.send_text(r#"4510-["echo"]"#).await?;
    websocket.send_frame(Opcode::Binary, &[0; 100_000]).await?;
    sleep(SLOW.min(until.saturating_duration_since(Instant::now()))).await;
    Ok(())
}

async fn large_attachments(address: SocketAddr, _: &mut Noise, until: Instant) -> io::Result<()> {
    let data = frame(Opcode::Binary, &[7; 90_000]);
    let header = frame(Opcode::Text, br#"4510-["nobody"]"#);
    let frames: Vec<_> = std::iter::once(header).chain(vec![data; 10]).collect();
    flood(address, &frames, until).await
}

async fn pings(address: SocketAddr, _: &mut Noise, until: Instant) -> io::Result<()> {
    flood(address, &[frame(Opcode::Ping, &[b'a'; 125])], until).await
}

async fn fragments(address: SocketAddr, _: &mut Noise, until: Instant) -> io::Result<()> {
    let first = fragment(Opcode::Text, false, b"4");
    let mut frames = vec![fragment(Opcode::Continuation, false, b""); 10_000];
    frames.insert(0, first);
    flood(address, &frames, until).await
}

async fn too_large(address: SocketAddr, _: &mut Noise, _: Instant) -> io::Result<()> {
    let mut websocket = WebSocket::join(address).await?;
    websocket.send_frame(Opcode::Text, &[b'4'; 1_000_001]).await?;
    websocket.close_code().await;
    let mut polling = Polling::open(address).await?;
    let target = polling.target("polling");
    let head = format!("POST {target} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000001\r\n\r\n");
    polling.post.send(head).await?;
    polling.post.response().await?;
    Ok(())
}

/// Less than 10 KB that become 8 MB.
async fn bombs(address: SocketAddr, _: &mut Noise, _: Instant) -> io::Result<()> {
    static BOMB: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let mut deflater = Deflater::new(9);
        let payload = deflater.compress_alone(&[b'4'; 8 << 20]).unwrap_or_default();
        let mut frame = frame(Opcode::Text, payload);
        // Compressed (RFC 7692, 6).
        frame[0] |= 0x40;
        frame
    });
    let mut websocket = WebSocket::join_compressed(address).await?;
    websocket.http.send(&*BOMB).await?;
    websocket.close_code().await;
    Ok(())
}

async fn deep(address: SocketAddr, _: &mut Noise, _: Instant) -> io::Result<()> {
    let mut websocket = WebSocket::join(address).await?;
    let event = format!(r#"42["echo",{}"#, "[".repeat(900_000));
    websocket.send_text(&event).await?;
    websocket.close_code().await;
    Ok(())
}

async fn utf8(address: SocketAddr, noise: &mut Noise, _: Instant) -> io::Result<()> {
    let mut websocket = WebSocket::join(address).await?;
    let mut text = br#"42["echo",""#.to_vec();
    text.extend(noise.bytes(10_000));
    websocket.send_frame(Opcode::Text, &text).await?;
    websocket.close_code().await;
    Ok(())
}

/// 100 frames, valid ones with content that is none among them. The server closes the connection at
/// the first that it does not take, so a few go on each.
async fn random_frames(address: SocketAddr, noise: &mut Noise, _: Instant) -> io::Result<()> {
    let mut left = 100;
    while left > 0 {
        let mut websocket = WebSocket::join(address).await?;
        let count = 1 + noise.below(left.min(20));
        left -= count;
        for _ in 0..count {
            let length = noise.below(100) as usize;
            let bytes = noise.bytes(length);
            let frame = match noise.below(4) {
                0 => bytes,
                1 => frame(Opcode::Binary, &bytes),
                2 => frame(Opcode::Text, &[b"42[\"echo\",", &*bytes].concat()),
                _ => frame(Opcode::Text, format!("4{}", noise.next_number()).as_bytes()),
            };
            if websocket.http.send(frame).await.is_err() {
                break;
            }
        }
    }
    Ok(())
}

/// 10 requests.
async fn random_requests(address: SocketAddr, noise: &mut Noise, _: Instant) -> io::Result<()> {
    for _ in 0..10 {
        let mut http = Http::connect(address).await?;
        let length = noise.below(500) as usize;
        let mut request = match noise.below(4) {
            0 => Vec::new(),
            1 => format!("POST {POLLING}&sid=").into_bytes(),
            2 => format!("GET {POLLING} HTTP/1.1\r\nHost: a\r\n").into_bytes(),
            _ => upgrade_request(WEBSOCKET).into_bytes(),
        };
        request.extend(noise.bytes(length));
        request.extend(b"\r\n\r\n");
        if http.send(request).await.is_ok() {
            http.shut_down_write().await?;
            http.read_to_end().await;
        }
    }
    Ok(())
}
