use std::fmt;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::super::error::beginning_of_id;
use super::{Client, Log, io, server};
use crate::{Ack, Args, EmitError, HandlerErrorKind, Io, Message, Raw, Reply, Socket};

#[derive(Deserialize, Serialize)]
struct Point {
    x: i32,
    y: i32,
}

#[derive(Debug)]
struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broken")
    }
}

impl std::error::Error for Broken {}

async fn named(_: Socket, point: Point) -> Result<Ack<Point>, Broken> {
    if point.x < 0 { Err(Broken) } else { Ok(Ack(Point { x: point.y, y: point.x })) }
}

#[test]
fn handlers_take_all_forms() {
    let io = io();
    io.on("bare", async |_: Socket| {})
        .on("unit", async |_: Socket, (): ()| Ack("Here's your data!"))
        .on("text", async |_: Socket, text: String| Ack(text))
        .on("two", async |_: Socket, (a, b): (i32, Option<i32>)| Ack((a, b)))
        .on("bytes", async |_: Socket, data: Bytes| Ack(data))
        .on("raw", async |_: Socket, raw: Raw| Ack(raw))
        .on("args", async |_: Socket, args: Args| Ack(args.len()))
        .on("reply", async |_: Socket, n: i32, reply: Reply| {
            assert!(reply.is_wanted());
            reply.send(&(n, n)).unwrap();
        })
        .on("args reply", async |_: Socket, _: Args, reply: Reply| reply.send(&()))
        .on("named", named);
    let mut client = Client::join(&io);
    for (packet, answer) in [
        (r#"421["bare"]"#, "431[]"),
        (r#"422["unit",1,2]"#, r#"432["Here's your data!"]"#),
        (r#"423["text","é"]"#, r#"433["é"]"#),
        (r#"424["two",1]"#, "434[1,null]"),
        (r#"425["two",1,2,3]"#, "435[1,2]"),
        (r#"426["raw",{"a" : [1]}]"#, r#"436[{"a" : [1]}]"#),
        (r#"427["args",1,[2]]"#, "437[2]"),
        (r#"428["reply",5]"#, "438[5,5]"),
        (r#"429["args reply"]"#, "439[]"),
        (r#"4210["named",{"x":1,"y":2}]"#, r#"4310[{"x":2,"y":1}]"#),
    ] {
        client.send(packet);
        assert_eq!(client.sent(), [answer], "{packet}");
    }
    client.send(r#"451-11["bytes",{"_placeholder":true,"num":0}]"#);
    client.send_binary(b"abc");
    assert_eq!(client.sent(), [r#"461-11[{"_placeholder":true,"num":0}]"#, "3 bytes"]);
    // Nobody asked.
    client.send(r#"42["text","x"]"#);
    client.send(r#"42["unknown"]"#);
    client.send(r#"4212["unknown"]"#);
    assert!(client.sent().is_empty());
}

#[test]
fn failures_reach_the_hook_and_are_not_acknowledged() {
    let log = Log::default();
    let seen = log.clone();
    let (io, _) = server(Io::builder().shards(1).on_error(move |error| {
        let kind = match &error.kind {
            HandlerErrorKind::Decode(_) => "decode".to_owned(),
            HandlerErrorKind::Failed(error) | HandlerErrorKind::Refused(error) => error.to_string(),
            HandlerErrorKind::Reply(error) => format!("reply: {error:?}"),
            HandlerErrorKind::Auth(error) => format!("auth: {error}"),
        };
        seen.add(format!("{} {} {kind}", error.namespace, error.event));
    }));
    io.on("named", named)
        .on("text", async |_: Socket, _: i32| Err::<(), _>("just text"))
        .on("unfit", async |_: Socket| Ack(std::collections::BTreeMap::from([([1u8], 1)])))
        .on_connect(async |_: Socket| Err::<(), _>("at connect"));
    let mut client = Client::join(&io);
    client.send(r#"421["named",{"x":-1,"y":0}]"#);
    client.send(r#"422["named","no point"]"#);
    client.send(r#"423["named"]"#);
    client.send(r#"42["text",1]"#);
    client.send(r#"424["unfit"]"#);
    assert!(client.sent().is_empty());
    let lines = std::mem::take(&mut *log.0.lock().unwrap());
    assert_eq!(
        lines[..5],
        [
            "/ connect at connect",
            "/ named broken",
            "/ named decode",
            "/ named decode",
            "/ text just text",
        ]
    );
    assert!(lines[5].starts_with("/ unfit reply: Encode"), "{lines:?}");
    assert_eq!(lines.len(), 6);
}

#[test]
fn handlers_of_a_socket_come_first_and_acknowledge() {
    let (io, log) = (io(), Log::default());
    let seen = log.clone();
    io.on("e", move |_: Socket, n: i32| {
        let log = seen.clone();
        async move {
            log.add(format!("namespace {n}"));
            Ack("namespace")
        }
    });
    let seen = log.clone();
    io.on_any(move |_: Socket, event: String, args: Args| {
        seen.add(format!("any {event} {}", args.len()));
        async {}
    });
    let mut client = Client::join(&io);
    client.send(r#"421["e",1]"#);
    log.expect(&["any e 1", "namespace 1"]);
    assert_eq!(client.sent(), [r#"431["namespace"]"#]);
    let seen = log.clone();
    let socket = client.socket();
    socket.once("e", move |_: Socket, n: i32| {
        let log = seen.clone();
        async move {
            log.add(format!("socket {n}"));
            Ack("socket")
        }
    });
    client.send(r#"422["e",2]"#);
    log.expect(&["any e 1", "socket 2", "namespace 2"]);
    assert_eq!(client.sent(), [r#"432["socket"]"#]);
    client.send(r#"423["e",3]"#);
    log.expect(&["any e 1", "namespace 3"]);
    assert_eq!(client.sent(), [r#"433["namespace"]"#]);
    let seen = log.clone();
    socket.on("e", async |_: Socket| {}).on_any(move |_: Socket, event: String, _: Args| {
        seen.add(format!("own any {event}"));
        async {}
    });
    assert!(socket.off("e"));
    assert!(!socket.off("e"));
    assert!(io.off("e"));
    client.send(r#"424["e",3]"#);
    log.expect(&["any e 1", "own any e"]);
    assert!(client.sent().is_empty());
}

#[test]
fn handlers_may_be_registered_and_replaced_by_handlers() {
    let io = io();
    io.on("e", async |socket: Socket| {
        socket.server().on("e", async |_: Socket| Ack(2));
        Ack(1)
    });
    let mut client = Client::join(&io);
    client.send(r#"421["e"]"#);
    client.send(r#"422["e"]"#);
    assert_eq!(client.sent(), ["431[1]", "432[2]"]);
}

#[test]
fn a_handler_holds_back_the_next_event_of_its_socket() {
    let io = io();
    let (gate, open) = futures_channel::oneshot::channel::<()>();
    let open = Mutex::new(Some(open));
    io.on("slow", move |_: Socket| {
        let open = open.lock().unwrap().take();
        async move {
            open.unwrap().await.unwrap();
            Ack(1)
        }
    });
    io.on("fast", async |_: Socket| Ack(2));
    let mut client = Client::join(&io);
    client.send(r#"421["slow"]"#);
    client.send(r#"422["fast"]"#);
    assert!(client.sent().is_empty());
    gate.send(()).unwrap();
    assert_eq!(client.sent(), ["431[1]", "432[2]"]);
}

#[test]
fn a_reply_may_come_from_elsewhere_and_not_after_the_end() {
    let io = io();
    let kept: Arc<Mutex<Vec<Reply>>> = Arc::default();
    let keep = kept.clone();
    io.on("later", move |_: Socket, (): (), reply: Reply| {
        keep.lock().unwrap().push(reply);
        async {}
    });
    let mut client = Client::join(&io);
    client.send(r#"421["later"]"#);
    client.send(r#"42["later"]"#);
    client.send(r#"422["later"]"#);
    assert!(client.sent().is_empty());
    let mut replies = kept.lock().unwrap().drain(..).collect::<Vec<_>>().into_iter();
    replies.next().unwrap().send("now").unwrap();
    assert_eq!(client.sent(), [r#"431["now"]"#]);
    let unwanted = replies.next().unwrap();
    assert!(!unwanted.is_wanted());
    unwanted.send("x").unwrap();
    client.send("41");
    assert_eq!(replies.next().unwrap().send("x"), Err(EmitError::NotConnected));
    assert!(client.sent().is_empty());
}

#[test]
fn outgoing_events_are_seen_once_for_each_recipient() {
    let (io, log) = (io(), Log::default());
    let mut a = Client::join(&io);
    let mut b = Client::join(&io);
    let seen = log.clone();
    io.on_any_outgoing(move |socket: &Socket, event: &str, message: &Message| {
        let known = socket.get::<&str>().unwrap_or("?");
        seen.add(format!("{known} {event} {}", message.frames().len()));
    });
    a.socket().insert("a");
    b.socket().insert("b");
    a.socket().emit("one", &Bytes::from_static(b"x")).unwrap();
    a.socket().broadcast().emit("two", &()).unwrap();
    log.expect(&["a one 2", "b two 1"]);
    drop(a.socket().emit_with_ack::<()>("three", &(), std::time::Duration::ZERO));
    log.expect(&["a three 1"]);
    assert_eq!(a.sent().len(), 3);
    assert_eq!(b.sent().len(), 1);
}

/// In `/`, a client of Socket.IO 4 has its session's secret for an id.
#[test]
fn ids_are_logged_in_part() {
    let id = "AbCdEfGhIjKlMnOpQrSt";
    assert_eq!(beginning_of_id(id), "AbCdEfGh");
    assert_eq!(beginning_of_id(""), "");
}
