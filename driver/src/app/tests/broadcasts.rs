use super::{Client, io, server};
use crate::{EmitError, Io, Limits};

/// Three clients: the first in room `a`, the second in `a` and `b`, the third in `b`.
fn three(io: &Io) -> [Client; 3] {
    let clients = [Client::join(io), Client::join(io), Client::join(io)];
    clients[0].socket().join("a").unwrap();
    clients[1].socket().join(["a", "b"]).unwrap();
    clients[2].socket().join(String::from("b")).unwrap();
    clients
}

#[track_caller]
fn expect(clients: &mut [Client; 3], counts: [usize; 3]) {
    assert_eq!(clients.each_mut().map(|client| client.sent().len()), counts);
}

#[test]
fn a_broadcast_reaches_each_once() {
    let io = io();
    let mut clients = three(&io);
    assert_eq!(io.emit("e", &1).unwrap().queued, 3);
    expect(&mut clients, [1, 1, 1]);
    io.to("a").emit("e", &1).unwrap();
    expect(&mut clients, [1, 1, 0]);
    io.to("a").to("b").emit("e", &1).unwrap();
    expect(&mut clients, [1, 1, 1]);
    io.in_(["a", "b"].as_slice()).except("b").emit("e", &1).unwrap();
    expect(&mut clients, [1, 0, 0]);
    io.except(vec!["a"]).local().emit("e", &1).unwrap();
    expect(&mut clients, [0, 0, 1]);
    io.volatile().to("b").emit("e", &1).unwrap();
    expect(&mut clients, [0, 1, 1]);
    let sender = clients[1].socket();
    sender.to("a").emit("e", &1).unwrap();
    expect(&mut clients, [1, 0, 0]);
    sender.broadcast().emit("e", &1).unwrap();
    expect(&mut clients, [1, 0, 1]);
    sender.except("b").emit("e", &1).unwrap();
    expect(&mut clients, [1, 0, 0]);
    io.to(clients[2].socket().id()).emit("e", &1).unwrap();
    expect(&mut clients, [0, 0, 1]);
    sender.to(sender.id()).emit("e", &1).unwrap();
    expect(&mut clients, [0, 0, 0]);
}

#[test]
fn an_empty_list_of_rooms_is_nobody() {
    let io = io();
    let mut clients = three(&io);
    let nobody = io.to(Vec::<String>::new());
    assert_eq!(nobody.emit("e", &1).unwrap(), crate::BroadcastReport::default());
    assert!(nobody.fetch_sockets().is_empty());
    nobody.sockets_join("c");
    nobody.disconnect_sockets(true);
    expect(&mut clients, [0, 0, 0]);
    assert!(io.to("c").fetch_sockets().is_empty());
}

#[test]
fn all_members_can_be_moved_and_disconnected() {
    let io = io();
    let mut clients = three(&io);
    io.in_("a").sockets_join(["c", "d"]);
    assert_eq!(io.in_("c").fetch_sockets().len(), 2);
    io.in_("b").sockets_leave("c");
    assert_eq!(io.in_("c").fetch_sockets(), [clients[0].socket()]);
    let mut rooms = clients[0].socket().rooms();
    rooms.sort_by_key(|room| room.len());
    assert_eq!(rooms[..3].iter().map(|room| &**room).collect::<Vec<_>>(), ["a", "c", "d"]);
    assert_eq!(*rooms[3], *clients[0].socket().id().as_str());
    io.in_("b").disconnect_sockets(false);
    assert_eq!(clients[2].sent(), ["41"]);
    io.disconnect_sockets(true);
    assert_eq!(clients[0].sent(), ["41", "close"]);
    assert!(io.sockets().is_empty());
}

#[test]
fn broadcasts_and_searches_span_shards() {
    let (io, _) = server(Io::builder().shards(2));
    let mut clients = [Client::open(&io, 0), Client::open(&io, 1)];
    for client in &mut clients {
        client.send("40");
        client.sent();
    }
    assert_eq!(clients[0].socket().broadcast().emit("e", &()).unwrap().queued, 1);
    assert_eq!(clients[1].sent(), [r#"42["e"]"#]);
    let id = clients[1].socket().id();
    assert_eq!(io.find_socket(&id), Some(clients[1].socket()));
    clients[1].close();
    assert_eq!(io.find_socket(&id), None);
}

#[test]
fn a_full_outbox_fails_an_emit_and_closes_on_a_broadcast() {
    let mut limits = Limits::default();
    limits.outbox_bytes = 1_000;
    let (io, _) = server(Io::builder().shards(1).limits(limits));
    let mut client = Client::join(&io);
    let socket = client.socket();
    let text = "x".repeat(600);
    socket.emit("e", &text).unwrap();
    assert_eq!(socket.emit("e", &text), Err(EmitError::Full));
    assert!(socket.connected());
    assert_eq!(io.emit("e", &text).unwrap().overflowed, 1);
    assert!(!socket.connected());
    client.run();
    assert!(io.sockets().is_empty());
}

#[test]
fn a_value_that_cannot_be_encoded_is_sent_to_nobody() {
    let io = io();
    let mut clients = three(&io);
    let odd = std::collections::BTreeMap::from([([1u8], 1)]);
    assert!(io.emit("e", &odd).is_err());
    assert!(io.emit("connect", &()).is_err());
    assert!(matches!(clients[0].socket().emit("e", &odd), Err(EmitError::Encode(_))));
    expect(&mut clients, [0, 0, 0]);
}
