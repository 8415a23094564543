//! Events between servers.

use std::io;

use sansocket_tests::client::{PATIENCE, WebSocket, in_time};
use sansocket_tokio::{Ack, Args, Namespace, Server, Socket};

use crate::support::TestServer;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_alone_is_answered_at_once_and_gets_nothing() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    server.io.on_server_side("hello", async |namespace: Namespace, (): ()| {
        namespace.emit("hello", &()).map(drop)
    });
    server.io.on("tell", async |socket: Socket, args: Args| {
        let io = socket.server();
        io.server_side_emit("hello", &args)?;
        let answers = io.server_side_emit_with_ack::<u32>("hello", &args, PATIENCE).await;
        Ok::<_, sansocket_tokio::EncodeError>(Ack(answers.map_err(|error| error.to_string())))
    });
    let mut client = WebSocket::join(server.address).await?;
    client.send_text(r#"421["tell",1]"#).await?;
    assert_eq!(client.next_text().await?, r#"431[{"Ok":[]}]"#);
    client.close().await?;
    server.finish().await;
    Ok(())
}

/// What a means of one's own between servers does.
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_from_another_server_is_handled() -> io::Result<()> {
    let first = TestServer::start(Server::builder()).await;
    let second = TestServer::start(Server::builder()).await;
    first.io.of("/chat").on_server_side("said", async |chat: Namespace, text: String| {
        let report = chat.to("room").emit("said", &text)?;
        Ok::<_, sansocket_tokio::EncodeError>(Ack(report.queued))
    });
    first.io.of("/chat").on_connect(async |socket: Socket| socket.join("room"));
    let chat = first.io.of("/chat");
    second.io.on("say", move |_: Socket, args: Args| {
        let received = chat.receive_server_side("said", args);
        async move { Ack(received.await.and_then(|answer| answer.decode::<usize>().ok())) }
    });
    let mut listener = WebSocket::connect(first.address).await?;
    listener.send_text("40/chat,").await?;
    listener.expect("40/chat,").await?;
    // It is in its room when its handler of connections has run, before its first event.
    first.io.of("/chat").on("here", async |_: Socket, (): ()| Ack(()));
    listener.send_text(r#"42/chat,7["here"]"#).await?;
    listener.expect("43/chat,7").await?;
    let mut speaker = WebSocket::join(second.address).await?;
    speaker.send_text(r#"421["say","hi"]"#).await?;
    assert_eq!(speaker.next_text().await?, "431[1]");
    let heard = in_time("the event", listener.expect("42")).await?;
    assert_eq!(heard, r#"42/chat,["said","hi"]"#);
    // Arguments that do not fit.
    speaker.send_text(r#"422["say",1]"#).await?;
    assert_eq!(speaker.next_text().await?, "432[null]");
    listener.close().await?;
    speaker.close().await?;
    first.finish().await;
    second.finish().await;
    Ok(())
}
