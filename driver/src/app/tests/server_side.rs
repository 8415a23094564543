use std::future::pending;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;

use super::{Client, Log, io, poll, ready, server};
use crate::{Ack, Args, EncodeError, Io, Namespace, Reply};

const TIMEOUT: Duration = Duration::from_secs(5);

/// What another server would send.
fn args<T: serde::Serialize>(value: &T) -> Args {
    super::super::server_side::encode(value).unwrap()
}

#[test]
fn a_server_that_is_alone_tells_nobody_and_is_answered_by_nobody() {
    let (io, log) = (io(), Log::default());
    let seen = log.clone();
    io.on_server_side("e", move |_: Namespace| {
        seen.add("called");
        async {}
    });
    io.server_side_emit("e", &(1, "two")).unwrap();
    let answers = io.of("/a").server_side_emit_with_ack::<u32>("e", &(), TIMEOUT);
    assert_eq!(ready(answers).unwrap(), [0; 0]);
    log.expect(&[]);
    assert_eq!(io.inner.app.acks.len(), 0);
}

#[test]
fn what_would_be_refused_in_a_cluster_is_refused() {
    let io = io();
    for name in ["connect", "connection", "new_namespace"] {
        assert_eq!(io.server_side_emit(name, &()), Err(EncodeError::ReservedName), "{name}");
        let error = ready(io.server_side_emit_with_ack::<()>(name, &(), TIMEOUT)).unwrap_err();
        assert_eq!(error.kind.to_string(), EncodeError::ReservedName.to_string());
    }
    // Reserved between server and client only.
    for name in ["disconnect", "disconnecting", "connect_error", "error"] {
        io.server_side_emit(name, &()).unwrap();
    }
    let odd = std::collections::BTreeMap::from([([1u8], 1)]);
    assert!(io.server_side_emit("e", &odd).is_err());
    let mut deep = serde_json::json!(1);
    for _ in 0..200 {
        deep = serde_json::json!([deep]);
    }
    assert!(io.server_side_emit("e", &(deep,)).is_err());
}

#[test]
fn an_event_of_another_server_is_handled_and_acknowledged() {
    let io = io();
    let namespace = io
        .of("/a")
        .on_server_side("sum", async |_: Namespace, (a, b): (u32, u32)| Ack((a + b, "more")));
    namespace
        .on_server_side("bytes", async |_: Namespace, data: Vec<Bytes>| Ack(data))
        .on_server_side("name", async |namespace: Namespace| Ack(namespace.name().to_owned()))
        .on_server_side("unit", async |_: Namespace, (): ()| {})
        .on_server_side("reply", async |_: Namespace, n: u32, reply: Reply| reply.send(&(n + 1)));
    let sum = ready(namespace.receive_server_side("sum", args(&(1, 2)))).unwrap();
    assert_eq!(sum.decode::<(u32, String)>().unwrap(), (3, "more".to_owned()));
    // More than a client may send.
    let data = vec![Bytes::from_static(b"abc"); 20];
    let same = ready(namespace.receive_server_side("bytes", args(&(&data,)))).unwrap();
    assert_eq!(same.decode::<(Vec<Bytes>,)>().unwrap().0, data);
    let name = ready(namespace.receive_server_side("name", args(&()))).unwrap();
    assert_eq!(name.decode::<String>().unwrap(), "/a");
    assert!(ready(namespace.receive_server_side("unit", args(&1))).unwrap().is_empty());
    let reply = ready(namespace.receive_server_side("reply", args(&1))).unwrap();
    assert_eq!(reply.decode::<u32>().unwrap(), 2);
    assert!(ready(io.of("/").receive_server_side("sum", args(&(1, 2)))).is_none());
}

#[test]
fn an_event_of_another_server_may_fail() {
    let log = Log::default();
    let seen = log.clone();
    let (io, _) = server(Io::builder().shards(1).on_error(move |error| {
        assert_eq!(error.socket, None);
        seen.add(format!("{} {}", error.namespace, error.event));
    }));
    io.on_server_side("typed", async |_: Namespace, n: u32| Ack(n))
        .on_server_side("fails", async |_: Namespace| Err::<(), _>("no"))
        .on_server_side("forgets", async |_: Namespace, (): (), _: Reply| {})
        .on_server_side("hangs", async |_: Namespace| pending::<()>().await);
    let root = io.of("/");
    assert!(ready(root.receive_server_side("typed", args(&"text"))).is_none());
    assert!(ready(root.receive_server_side("fails", args(&()))).is_none());
    log.expect(&["/ typed", "/ fails"]);
    assert!(ready(root.receive_server_side("forgets", args(&()))).is_none());
    assert!(poll(pin!(root.receive_server_side("hangs", args(&())))).is_pending());
    assert!(ready(root.receive_server_side("typed", args(&1))).is_some());
    assert!(io.off_server_side("typed"));
    assert!(!io.off_server_side("typed"));
    assert!(ready(root.receive_server_side("typed", args(&1))).is_none());
}

/// Clients cannot reach handlers of events between servers, nor the other way round.
#[test]
fn events_of_clients_are_others() {
    let (io, log) = (io(), Log::default());
    let seen = log.clone();
    io.on_server_side("e", move |_: Namespace| {
        seen.add("server");
        async {}
    });
    let mut client = Client::join(&io);
    client.send(r#"421["e"]"#);
    assert!(client.sent().is_empty());
    io.on("f", async |_: crate::Socket| {});
    assert!(ready(io.of("/").receive_server_side("f", args(&()))).is_none());
    log.expect(&[]);
}
