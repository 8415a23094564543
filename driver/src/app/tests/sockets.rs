use std::sync::Arc;

use super::{Client, io, pass, server};
use crate::{EmitError, Io, JoinError, Limits, Socket};

#[test]
fn data_is_kept_by_type() {
    let io = io();
    let client = Client::join(&io);
    let socket = client.socket();
    assert_eq!(socket.get::<u8>(), None);
    assert_eq!(socket.insert(1u8), None);
    assert_eq!(socket.insert("text"), None);
    assert_eq!(client.socket().insert(2u8).as_deref(), Some(&1));
    assert_eq!(socket.get::<u8>(), Some(2));
    let shared = socket.extensions().get_shared::<u8>().unwrap();
    assert_eq!(socket.remove::<u8>(), Some(shared));
    assert_eq!(socket.get::<u8>(), None);
    assert_eq!(socket.get::<&str>(), Some("text"));
}

#[test]
fn state_is_kept_by_type() {
    struct Database(u32);
    let (io, _) = server(Io::builder().shards(1).state(Database(1)).state("text").state("other"));
    let client = Client::join(&io);
    assert_eq!(io.state::<Database>().unwrap().0, 1);
    assert_eq!(client.socket().state::<&str>(), Some(&"other"));
    assert!(io.state::<u8>().is_none());
}

#[test]
fn rooms_have_a_limit() {
    let mut limits = Limits::default();
    limits.rooms = 2;
    let (io, _) = server(Io::builder().shards(1).limits(limits));
    let client = Client::join(&io);
    let socket = client.socket();
    assert_eq!(socket.rooms().len(), 1);
    socket.join(["a", "a"]).unwrap();
    socket.join("a").unwrap();
    socket.join(socket.id()).unwrap();
    assert_eq!(socket.join(["b", "c"]), Err(JoinError::TooManyRooms));
    assert_eq!(socket.rooms().len(), 3);
    socket.leave(["a", "nowhere"]);
    socket.leave(socket.id());
    assert_eq!(socket.rooms().iter().map(|room| &**room).collect::<Vec<_>>(), ["b"]);
}

#[test]
fn a_volatile_event_is_dropped_behind_others() {
    let io = io();
    let mut client = Client::join(&io);
    let socket = client.socket();
    socket.volatile().emit("a", &()).unwrap();
    assert_eq!(socket.volatile().emit("b", &()), Err(EmitError::Dropped));
    socket.emit("c", &()).unwrap();
    assert_eq!(client.sent(), [r#"42["a"]"#, r#"42["c"]"#]);
}

#[test]
fn nothing_of_a_socket_stays_after_its_end() {
    let (io, clock) = server(Io::builder().shards(1));
    let mut client = Client::join(&io);
    let socket = client.socket();
    let held = socket.clone();
    // A handler that holds its own socket would keep it for ever if it were not forgotten.
    socket.on("e", move |_: Socket| {
        let _ = held.id();
        async {}
    });
    let weak = Arc::downgrade(socket.shared());
    drop(socket);
    client.close();
    assert!(weak.upgrade().is_none());
    // Timers of what is gone stay until they are due.
    pass(&io, &clock, 60_000);
    assert_eq!(io.stats(), crate::Stats::default());
}
