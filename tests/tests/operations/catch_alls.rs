//! Who is told of every event of a socket.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use sansocket_tests::client::{Polling, WebSocket};
use sansocket_tokio::{Ack, Args, Message, Server, Socket};

use crate::support::TestServer;

/// What was sent to one socket.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn add(&self, line: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_is_watched_is_one_of_many() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let seen = Seen::default();
    let watcher = seen.clone();
    server
        .io
        .on("watch", move |socket: Socket, (): ()| {
            let (received, sent) = (watcher.clone(), watcher.clone());
            socket
                .prepend_any(move |_: Socket, event: String, args: Args| {
                    received.add(format!("< {event} {}", args.len()));
                    async {}
                })
                .on_any_outgoing(move |_: &Socket, event: &str, message: &Message| {
                    sent.add(format!("> {event} {}", message.frames().len()));
                });
            async { Ack(()) }
        })
        .on("unwatch", async |socket: Socket, (): ()| {
            socket.off_any().off_any_outgoing();
            Ack(())
        })
        .on("say", async |socket: Socket, text: String| {
            socket.server().emit("said", &text)?;
            socket.emit("thanks", &())
        });
    let mut watched = WebSocket::join(server.address).await?;
    let mut polling = Polling::open(server.address).await?;
    polling.join().await?;
    watched.send_text(r#"421["watch"]"#).await?;
    watched.expect("431").await?;
    watched.send_text(r#"42["say","x"]"#).await?;
    watched.expect(r#"42["thanks"]"#).await?;
    assert_eq!(seen.take(), ["< say 1", "> said 1", "> thanks 1"]);
    polling.post(r#"42["say","y"]"#).await?;
    watched.expect(r#"42["said","y"]"#).await?;
    polling.expect(r#"42["thanks"]"#).await?;
    assert_eq!(seen.take(), ["> said 1"]);
    watched.send_text(r#"422["unwatch"]"#).await?;
    watched.expect("432").await?;
    assert_eq!(seen.take(), ["< unwatch 0"]);
    watched.send_text(r#"42["say","z"]"#).await?;
    watched.expect(r#"42["thanks"]"#).await?;
    assert_eq!(seen.take(), [""; 0]);
    watched.close().await?;
    polling.post("1").await?;
    server.finish().await;
    Ok(())
}
