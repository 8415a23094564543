//! What many small messages cost that inflate to large ones.

mod support;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sansocket_core::codec::websocket::deflate::Deflater;
use sansocket_core::codec::websocket::{FrameHeader, Opcode, encode_frame_into};
use sansocket_tests::client::{WebSocket, eventually};
use sansocket_tests::memory::resident_bytes;
use sansocket_tokio::{PerMessageDeflate, Server, Socket};
use tokio::sync::Semaphore;

use support::TestServer;

/// So many messages, and what each inflates to. Compressed, some hundred of them fit in one read.
const MESSAGES: usize = 100;
const TEXT_BYTES: usize = 900_000;

/// What the process may grow by: what the limits of the server let it hold, and then some.
const BYTES_MAX: usize = 40 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_is_inflated_in_portions_and_nothing_of_it_is_lost() -> io::Result<()> {
    let deflate = PerMessageDeflate::default();
    let server = TestServer::start(Server::builder().per_message_deflate(deflate)).await;
    let (gate, handled) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let (waiting, counter) = (gate.clone(), handled.clone());
    server.io.on("bomb", move |_: Socket, (number, text): (usize, String)| {
        let (gate, handled) = (waiting.clone(), counter.clone());
        async move {
            if let Ok(permit) = gate.acquire().await {
                permit.forget();
            }
            assert_eq!((handled.fetch_add(1, Ordering::Relaxed), text.len()), (number, TEXT_BYTES));
        }
    });
    let mut wire = Vec::new();
    let mut deflater = Deflater::new(9);
    for number in 0..MESSAGES {
        let packet = format!("42[\"bomb\",{number},\"{}\"]", "a".repeat(TEXT_BYTES));
        let payload = deflater.compress_alone(packet.as_bytes()).expect("it becomes shorter");
        let mask_key = Some([1, 2, 3, 4]);
        let header = FrameHeader { rsv1: true, mask_key, ..FrameHeader::new(Opcode::Text, 0) };
        encode_frame_into(&mut wire, header, payload);
    }
    drop(deflater);
    let mut client = WebSocket::join_compressed(server.address).await?;
    let before = resident_bytes();
    client.http.send(wire).await?;
    gate.add_permits(1);
    eventually("one was handled", || handled.load(Ordering::Relaxed) == 1).await;
    if let (Some(before), Some(now)) = (before, resident_bytes()) {
        let grown = now.saturating_sub(before);
        eprintln!("{grown} bytes are held");
        assert!(grown < BYTES_MAX, "{grown} bytes are held");
    }
    gate.add_permits(MESSAGES);
    eventually("all were handled", || handled.load(Ordering::Relaxed) == MESSAGES).await;
    drop(client);
    server.finish().await;
    Ok(())
}
