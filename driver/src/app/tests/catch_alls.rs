use std::time::Duration;

use super::{Client, Log, io, server};
use crate::{Args, EmitError, Io, Limits, Message, Socket};

/// A listener that notes what it is called with, and its own name.
fn noting(log: &Log, name: &'static str) -> impl Fn(&Socket, &str, &Message) + Send + Sync + use<> {
    let log = log.clone();
    move |socket, event, _| {
        log.add(format!("{name} {} {event}", socket.get::<&str>().unwrap_or("?")));
    }
}

fn noting_any(
    log: &Log,
    name: &'static str,
) -> impl Fn(Socket, String, Args) -> std::future::Ready<()> + Send + Sync + use<> {
    let log = log.clone();
    move |_, event, _| {
        log.add(format!("{name} {event}"));
        std::future::ready(())
    }
}

/// Two clients, called `a` and `b`.
fn two(io: &Io) -> [Client; 2] {
    [("a", Client::join(io)), ("b", Client::join(io))].map(|(name, client)| {
        client.socket().insert(name);
        client
    })
}

#[test]
fn those_that_were_prepended_come_first() {
    let (io, log) = (io(), Log::default());
    let mut client = Client::join(&io);
    let socket = client.socket();
    socket
        .on_any(noting_any(&log, "second"))
        .prepend_any(noting_any(&log, "first"))
        .on_any(noting_any(&log, "third"))
        .on_any_outgoing(noting(&log, "2"))
        .prepend_any_outgoing(noting(&log, "1"))
        .on_any_outgoing(noting(&log, "3"));
    io.on_any(noting_any(&log, "namespace")).on_any_outgoing(noting(&log, "0"));
    client.send(r#"42["e"]"#);
    log.expect(&["namespace e", "first e", "second e", "third e"]);
    socket.emit("f", &()).unwrap();
    log.expect(&["0 ? f", "1 ? f", "2 ? f", "3 ? f"]);
    socket.off_any();
    client.send(r#"42["e"]"#);
    log.expect(&["namespace e"]);
    socket.off_any_outgoing();
    socket.emit("f", &()).unwrap();
    log.expect(&["0 ? f"]);
    socket.on_any(noting_any(&log, "again")).on_any_outgoing(noting(&log, "again"));
    client.send(r#"42["e"]"#);
    socket.emit("f", &()).unwrap();
    log.expect(&["namespace e", "again e", "0 ? f", "again ? f"]);
}

#[test]
fn a_socket_sees_what_is_sent_to_it_by_whoever() {
    let (io, log) = (io(), Log::default());
    let [mut a, b] = two(&io);
    let (socket, other) = (a.socket(), b.socket());
    socket.join("room").unwrap();
    socket.on_any_outgoing(noting(&log, "x"));
    socket.emit("own", &()).unwrap();
    io.emit("all", &()).unwrap();
    io.to("room").emit("room", &()).unwrap();
    other.broadcast().emit("others", &()).unwrap();
    drop(socket.emit_with_ack::<()>("ask", &(), Duration::from_secs(1)));
    drop(io.timeout(Duration::from_secs(1)).emit_with_ack::<()>("ask all", &()));
    log.expect(&["x a own", "x a all", "x a room", "x a others", "x a ask", "x a ask all"]);
    // What others get, and what nobody gets.
    other.emit("b", &()).unwrap();
    socket.broadcast().emit("b", &()).unwrap();
    io.except("room").emit("b", &()).unwrap();
    io.to(Vec::<String>::new()).emit("nobody", &()).unwrap();
    assert!(io.emit("connect", &()).is_err());
    log.expect(&[]);
    // No event.
    io.on("e", async |_: Socket| {});
    a.send(r#"421["e"]"#);
    log.expect(&[]);
    assert_eq!(a.sent().len(), 7);
}

#[test]
fn what_was_not_sent_is_not_seen() {
    let mut limits = Limits::default();
    limits.outbox_bytes = 1_000;
    let (io, _) = server(Io::builder().shards(1).limits(limits));
    let log = Log::default();
    let [mut a, mut b] = two(&io);
    io.on_any_outgoing(noting(&log, "x"));
    a.socket().volatile().emit("one", &()).unwrap();
    assert_eq!(a.socket().volatile().emit("two", &()), Err(EmitError::Dropped));
    log.expect(&["x a one"]);
    // The first is not ready, the second is.
    assert_eq!(io.volatile().emit("three", &()).unwrap().queued, 1);
    log.expect(&["x b three"]);
    a.sent();
    b.sent();
    let text = "x".repeat(600);
    a.socket().emit("four", &text).unwrap();
    assert_eq!(a.socket().emit("five", &text), Err(EmitError::Full));
    assert_eq!(io.emit("six", &text).unwrap().overflowed, 1);
    log.expect(&["x a four", "x b six"]);
    let gone = a.socket();
    a.close();
    assert_eq!(gone.emit("seven", &()), Err(EmitError::NotConnected));
    log.expect(&[]);
}

#[test]
fn recipients_of_every_shard_are_seen() {
    let (io, _) = server(Io::builder().shards(3));
    let log = Log::default();
    let mut clients = [0, 1, 2].map(|shard| Client::open(&io, shard));
    for (client, name) in clients.iter_mut().zip(["a", "b", "c"]) {
        client.send("40");
        client.sent();
        client.socket().insert(name);
    }
    clients[1].socket().on_any_outgoing(noting(&log, "own"));
    io.on_any_outgoing(noting(&log, "all"));
    clients[0].socket().broadcast().emit("e", &()).unwrap();
    log.expect(&["all b e", "own b e", "all c e"]);
}

/// A namespace whose sockets look at nothing pays for nothing.
#[test]
fn nobody_is_looked_up_once_nobody_looks() {
    let io = io();
    let [mut a, b] = two(&io);
    let root = io.inner.app.root();
    let is_observed = || root.is_outgoing_observed();
    assert!(!is_observed());
    let (first, second) = (a.socket(), b.socket());
    first.on_any_outgoing(|_: &Socket, _: &str, _: &Message| {});
    second.on_any_outgoing(|_: &Socket, _: &str, _: &Message| {});
    second.prepend_any_outgoing(|_: &Socket, _: &str, _: &Message| {});
    assert!(is_observed());
    second.off_any_outgoing();
    assert!(is_observed());
    // With the socket go its listeners, whoever still has a handle of it.
    a.close();
    assert!(!is_observed());
    second.off_any_outgoing();
    assert!(!is_observed());
    drop(first);
}

#[test]
fn a_listener_may_emit_and_remove_listeners() {
    let (io, log) = (io(), Log::default());
    let mut client = Client::join(&io);
    let noting = noting(&log, "x");
    client.socket().on_any_outgoing(move |socket: &Socket, event: &str, message: &Message| {
        noting(socket, event, message);
        if event == "one" {
            socket.emit("two", &()).unwrap();
        } else {
            socket.off_any_outgoing();
        }
    });
    io.emit("one", &()).unwrap();
    io.emit("three", &()).unwrap();
    log.expect(&["x ? one", "x ? two"]);
    assert_eq!(client.sent(), [r#"42["one"]"#, r#"42["two"]"#, r#"42["three"]"#]);
}
