//! What one client does between its beginning and its end.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sansocket_core::codec::websocket::Opcode;
use sansocket_tests::client::{Polling, WebSocket, upgrade_request};
use sansocket_tests::noise::Noise;
use tokio::time::sleep;

use crate::server::HEARTBEAT;

/// How a client ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Farewell,
    Closed,
    Reset,
    Silent,
    Malformed,
    MidUpgrade,
    MidPacket,
}

impl End {
    pub(crate) const ALL: [Self; 7] = [
        Self::Farewell,
        Self::Closed,
        Self::Reset,
        Self::Silent,
        Self::Malformed,
        Self::MidUpgrade,
        Self::MidPacket,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Farewell => "said farewell",
            Self::Closed => "closed their connections without a word",
            Self::Reset => "reset them",
            Self::Silent => "said nothing any more until they were given up",
            Self::Malformed => "sent what is no packet",
            Self::MidUpgrade => "went in the middle of an upgrade",
            Self::MidPacket => "went in the middle of a packet",
        }
    }
}

/// Up to so many milliseconds.
pub(crate) async fn pause(noise: &mut Noise, milliseconds: u64) {
    sleep(Duration::from_millis(noise.below(milliseconds))).await;
}

/// One client's life, on polling, on a WebSocket, or on one after the other.
pub(crate) async fn live(address: SocketAddr, noise: &mut Noise, end: End) -> io::Result<()> {
    let kind = if end == End::MidUpgrade { 0 } else { noise.below(3) };
    if kind == 1 {
        let websocket = WebSocket::join(address).await?;
        return on_websocket(websocket, noise, end).await;
    }
    let mut polling = Polling::open(address).await?;
    polling.join().await?;
    if kind == 2 {
        polling.echo().await?;
        return on_websocket(polling.upgrade().await?, noise, end).await;
    }
    polling.post(&enter(noise)).await?;
    let (mut longest, mut last) = (Duration::ZERO, Instant::now());
    for _ in 0..2 + noise.below(6) {
        pause(noise, 2_000).await;
        if noise.below(4) == 0 {
            polling.post(&say(noise)).await?;
        }
        let echo = polling.echo().await;
        longest = longest.max(last.elapsed());
        last = Instant::now();
        // Whoever was slow to answer a ping has been given up rightly.
        echo.map_err(|error| {
            io::Error::other(format!("{error}; it has not polled for {longest:?} at the longest"))
        })?;
    }
    end_polling(polling, address, end).await
}

async fn end_polling(mut polling: Polling, address: SocketAddr, end: End) -> io::Result<()> {
    let target = polling.target("polling");
    match end {
        End::Farewell => drop(polling.post("41\x1e1").await?),
        End::Closed => polling.begin_poll().await?,
        End::Reset => {
            polling.begin_poll().await?;
            polling.get.reset();
            polling.post.reset();
        }
        End::Silent => {
            sleep(2 * HEARTBEAT + HEARTBEAT / 2).await;
        }
        End::Malformed => drop(polling.post("42[").await?),
        End::MidUpgrade => {
            let mut http = sansocket_tests::client::Http::connect(address).await?;
            http.send(upgrade_request(&polling.target("websocket"))).await?;
            http.response().await?;
            http.send(sansocket_tests::client::frame(Opcode::Text, b"2probe")).await?;
        }
        End::MidPacket => {
            let head = format!("POST {target} HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n42");
            polling.post.send(head).await?;
        }
    }
    Ok(())
}

async fn on_websocket(mut websocket: WebSocket, noise: &mut Noise, end: End) -> io::Result<()> {
    websocket.send_text(&enter(noise)).await?;
    for _ in 0..2 + noise.below(6) {
        pause(noise, 2_000).await;
        match noise.below(4) {
            0 => websocket.send_text(&say(noise)).await?,
            1 => {
                websocket.send_text(r#"451-7["binary",{"_placeholder":true,"num":0}]"#).await?;
                let data = noise.bytes(100);
                websocket.send_frame(Opcode::Binary, &data).await?;
                websocket.expect("461-7").await?;
            }
            _ => {}
        }
        websocket.echo().await?;
    }
    match end {
        End::Farewell => websocket.close().await?,
        End::Closed | End::MidUpgrade => drop(websocket),
        End::Reset => websocket.http.reset(),
        End::Silent => sleep(2 * HEARTBEAT + HEARTBEAT / 2).await,
        End::Malformed => {
            websocket.send_text("42[").await?;
            websocket.close_code().await;
        }
        End::MidPacket => websocket.http.send([0x81, 0xfe, 0x01]).await?,
    }
    Ok(())
}

fn enter(noise: &mut Noise) -> String {
    format!(r#"42["enter","room {}"]"#, noise.below(500))
}

fn say(noise: &mut Noise) -> String {
    format!(r#"42["say","room {}","hello"]"#, noise.below(500))
}
