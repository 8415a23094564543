use serde::Deserialize;

use super::{Client, Log, io, pass, server};
use crate::{ConnectError, Disconnect, DisconnectReason, EmitError, Io, JoinError, Socket};

#[derive(Deserialize)]
struct Auth {
    token: String,
}

#[test]
fn middlewares_run_in_order_and_see_the_client() {
    let (io, log) = (io(), Log::default());
    let seen = log.clone();
    io.use_(move |socket: Socket| {
        let log = seen.clone();
        async move {
            let auth: Auth = socket.auth().map_err(|_| "no token")?;
            log.add(format!("first {} {:?}", auth.token, socket.handshake().query("token")));
            socket.insert(auth.token);
            Ok::<_, &str>(())
        }
    });
    let seen = log.clone();
    io.use_(move |socket: Socket| {
        let log = seen.clone();
        async move {
            log.add(format!("second {}", socket.get::<String>().unwrap()));
            Ok::<_, ConnectError>(())
        }
    });
    let seen = log.clone();
    io.on_connect(move |socket: Socket| {
        let log = seen.clone();
        async move { log.add(format!("connected {}", socket.connected())) }
    });
    let mut client = Client::open(&io, 0);
    client.send(r#"40{"token":"T"}"#);
    log.expect(&[r#"first T Some("x y")"#, "second T", "connected true"]);
    assert!(client.sent()[0].starts_with("40{"));
}

#[test]
fn a_refusal_ends_the_chain_and_the_client_may_ask_again() {
    let (io, log) = (io(), Log::default());
    io.use_(async |socket: Socket| match socket.auth::<Auth>() {
        Ok(_) => Ok(()),
        Err(_) => Err(ConnectError::new("not \"you\"").with_data(serde_json::json!({"code": 7}))),
    });
    let seen = log.clone();
    io.use_(move |_: Socket| {
        seen.add("second");
        async { Err::<(), _>("never") }
    });
    let mut client = Client::open(&io, 0);
    client.send("40");
    assert_eq!(client.sent(), [r#"44{"message":"not \"you\"","data":{"code":7}}"#]);
    log.expect(&[]);
    client.send(r#"40{"token":""}"#);
    assert_eq!(client.sent(), [r#"44{"message":"never"}"#]);
    log.expect(&["second"]);
    assert_eq!(io.stats().sockets, 0);
}

#[test]
fn before_acceptance_nothing_can_be_sent_or_joined() {
    let (io, log) = (io(), Log::default());
    let seen = log.clone();
    io.use_(move |socket: Socket| {
        assert_eq!(socket.emit("early", &1), Err(EmitError::NotConnected));
        assert_eq!(socket.join("room"), Err(JoinError::NotConnected));
        assert!(!socket.connected());
        assert!(socket.rooms().is_empty());
        socket.leave("room");
        socket.disconnect();
        seen.add("checked");
        async { Ok::<_, &str>(()) }
    });
    let mut client = Client::open(&io, 0);
    client.send("40");
    log.expect(&["checked"]);
    let sent = client.sent();
    assert_eq!(sent.len(), 1);
    assert!(sent[0].starts_with("40{"));
}

#[test]
fn a_client_that_leaves_meanwhile_is_not_accepted() {
    let ((io, clock), log) = (server(Io::builder().shards(1)), Log::default());
    io.use_(async |_: Socket| std::future::pending::<Result<(), &str>>().await);
    let seen = log.clone();
    io.on_disconnect(move |_: Socket, _: DisconnectReason| {
        seen.add("disconnected");
        async {}
    });
    let mut client = Client::open(&io, 0);
    client.send("40");
    client.close();
    client.works.clear();
    client.run();
    log.expect(&[]);
    // Timers of what is gone stay until they are due.
    pass(&io, &clock, 60_000);
    assert_eq!(io.stats(), crate::Stats::default());
}

#[test]
fn events_wait_for_the_connect_handlers() {
    let (io, log) = (io(), Log::default());
    let (gate, open) = futures_channel::oneshot::channel::<()>();
    let open = std::sync::Mutex::new(Some(open));
    let seen = log.clone();
    io.on_connect(move |_: Socket| {
        let (open, log) = (open.lock().unwrap().take().unwrap(), seen.clone());
        async move {
            open.await.unwrap();
            log.add("connected");
        }
    });
    let seen = log.clone();
    io.on("e", move |_: Socket| {
        seen.add("event");
        async {}
    });
    let mut client = Client::open(&io, 0);
    client.send("40");
    assert!(client.sent()[0].starts_with("40{"));
    client.send(r#"42["e"]"#);
    log.expect(&[]);
    gate.send(()).unwrap();
    client.run();
    log.expect(&["connected", "event"]);
}

#[test]
fn disconnection_tells_reason_and_rooms() {
    let (io, log) = (io(), Log::default());
    io.on_connect(async |socket: Socket| Ok::<_, JoinError>(socket.join(["a", "b"])?));
    let seen = log.clone();
    io.on_disconnect(move |socket: Socket, disconnect: Disconnect| {
        assert!(!socket.connected());
        assert!(socket.rooms().is_empty());
        assert_eq!(socket.emit("late", &()), Err(EmitError::NotConnected));
        seen.add(format!("{} {:?}", disconnect.reason, disconnect.rooms));
        async {}
    });
    let mut client = Client::join(&io);
    let own = log.clone();
    client.socket().on_disconnect(move |_: Socket, reason: DisconnectReason| {
        own.add(format!("own: {reason}"));
        async {}
    });
    client.send("41");
    log.expect(&["own: client namespace disconnect", r#"client namespace disconnect ["a", "b"]"#]);
    let mut client = Client::join(&io);
    client.close();
    log.expect(&[r#"transport close ["a", "b"]"#]);
    let mut client = Client::join(&io);
    client.socket().disconnect();
    assert_eq!(client.sent(), ["41"]);
    log.expect(&[r#"server namespace disconnect ["a", "b"]"#]);
    client.send("40");
    client.socket().disconnect_connection();
    let sent = client.sent();
    assert_eq!(sent[1..], ["41", "close"]);
    log.expect(&[r#"server namespace disconnect ["a", "b"]"#]);
}

#[test]
fn namespaces_exist_in_every_shard() {
    let (io, _) = server(Io::builder().shards(3).path("ws"));
    assert_eq!(io.path(), "/ws/");
    assert_eq!(io.of("chat").name(), "/chat");
    assert_eq!(io.of("").name(), "/");
    for shard in 0..3 {
        let mut client = Client::open(&io, shard);
        client.send("40/chat,");
        client.send("40/other,");
        let sent = client.sent();
        assert!(sent[0].starts_with("40/chat,{"), "{sent:?}");
        assert_eq!(sent[1], r#"44/other,{"message":"Invalid namespace"}"#);
    }
    assert_eq!(io.of("/chat").sockets().len(), 3);
    assert!(io.sockets().is_empty());
    assert_eq!(io.stats().sockets, 3);
}
