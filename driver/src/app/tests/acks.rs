use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use super::{Client, io, pass, poll, ready, server};
use crate::{Ack, AckError, BroadcastAckErrorKind, EmitError, Io, Limits, Socket};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn an_acknowledgement_is_decoded() {
    let io = io();
    let mut client = Client::join(&io);
    let first = client.socket().emit_with_ack::<(i32, String)>("q", &(1, 2), SECOND);
    let second = client.socket().timeout(SECOND).emit_with_ack::<i32>("q", &());
    let third = client.socket().emit_with_ack::<i32>("q", &[1][..], SECOND);
    assert_eq!(client.sent(), [r#"420["q",1,2]"#, r#"421["q"]"#, r#"422["q",[1]]"#]);
    client.send(r#"431[5,"x"]"#);
    client.send(r#"430[7,"y"]"#);
    client.send(r#"432["no number"]"#);
    client.send(r#"432[1]"#);
    assert_eq!(ready(first).unwrap(), (7, "y".to_owned()));
    assert_eq!(ready(second).unwrap(), 5);
    assert!(matches!(ready(third), Err(AckError::Decode(_))));
    assert_eq!(io.inner.app.acks.len(), 0);
}

#[test]
fn time_and_disconnection_end_the_wait() {
    let (io, clock) = server(Io::builder().shards(1));
    let mut client = Client::join(&io);
    let mut waits = pin!(client.socket().emit_with_ack::<()>("q", &(), SECOND));
    pass(&io, &clock, 999);
    client.run();
    assert!(poll(waits.as_mut()).is_pending());
    pass(&io, &clock, 1);
    client.run();
    assert!(matches!(poll(waits.as_mut()), Poll::Ready(Err(AckError::TimedOut))));
    let gone = client.socket().emit_with_ack::<()>("q", &(), SECOND);
    let socket = client.socket();
    client.close();
    assert!(matches!(ready(gone), Err(AckError::Disconnected)));
    let late = socket.emit_with_ack::<()>("q", &(), SECOND);
    assert!(matches!(ready(late), Err(AckError::Emit(EmitError::NotConnected))));
    assert_eq!(io.inner.app.acks.len(), 0);
}

#[test]
fn nothing_is_left_of_a_wait_that_is_given_up() {
    let io = io();
    let mut client = Client::join(&io);
    drop(client.socket().emit_with_ack::<()>("q", &(), SECOND));
    drop(io.timeout(SECOND).emit_with_ack::<()>("q", &()));
    assert_eq!(io.inner.app.acks.len(), 0);
    client.send("430[]");
    client.send("431[]");
    let reserved = client.socket().emit_with_ack::<()>("disconnect", &(), SECOND);
    assert!(matches!(ready(reserved), Err(AckError::Emit(EmitError::Encode(_)))));
    assert_eq!(io.inner.app.acks.len(), 0);
}

#[test]
fn the_limit_of_pending_acknowledgements_holds() {
    let mut limits = Limits::default();
    limits.pending_acks = 1;
    let (io, _) = server(Io::builder().shards(1).limits(limits));
    let mut client = Client::join(&io);
    let socket = client.socket();
    let first = socket.emit_with_ack::<()>("q", &(), SECOND);
    let second = socket.emit_with_ack::<()>("q", &(), SECOND);
    assert!(matches!(ready(second), Err(AckError::Emit(EmitError::TooManyAcks))));
    client.send("430[]");
    ready(first).unwrap();
}

#[test]
fn a_handler_may_wait_for_its_own_client() {
    let io = io();
    io.on("ask me", async |socket: Socket| {
        let answer = socket.emit_with_ack::<String>("question", &(), SECOND).await?;
        Ok::<_, AckError>(Ack(answer + "!"))
    });
    let mut client = Client::join(&io);
    client.send(r#"425["ask me"]"#);
    assert_eq!(client.sent(), [r#"420["question"]"#]);
    client.send(r#"430["yes"]"#);
    assert_eq!(client.sent(), [r#"435["yes!"]"#]);
}

#[test]
fn a_broadcast_collects_its_answers() {
    let (io, _) = server(Io::builder().shards(2));
    let mut clients: Vec<Client> = (0..4).map(|index| Client::open(&io, index % 2)).collect();
    for client in &mut clients {
        client.send("40");
        client.sent();
    }
    clients[0].socket().join("out").unwrap();
    let mut answers = pin!(io.timeout(SECOND).except("out").emit_with_ack::<i32>("q", &"x"));
    assert!(clients[0].sent().is_empty());
    for (index, client) in clients.iter_mut().enumerate().skip(1) {
        assert_eq!(client.sent(), [r#"420["q","x"]"#]);
        assert!(poll(answers.as_mut()).is_pending());
        client.send(&format!("430[{index},\"ignored\"]"));
    }
    assert!(matches!(poll(answers.as_mut()), Poll::Ready(Ok(found)) if found == [1, 2, 3]));
}

#[test]
fn a_broadcast_to_nobody_is_answered_at_once() {
    let io = io();
    let _client = Client::join(&io);
    let nobody = io.to("nowhere").timeout(SECOND).emit_with_ack::<i32>("q", &());
    assert_eq!(ready(nobody).unwrap(), [0; 0]);
    let no_rooms = io.timeout(SECOND).to(Vec::<String>::new()).emit_with_ack::<i32>("q", &());
    assert_eq!(ready(no_rooms).unwrap(), [0; 0]);
    let reserved = io.timeout(SECOND).emit_with_ack::<i32>("connect", &());
    let error = ready(reserved).unwrap_err();
    assert!(matches!(error.kind, BroadcastAckErrorKind::Encode(_)));
    assert_eq!(io.inner.app.acks.len(), 0);
}

#[test]
fn a_broadcast_does_not_wait_for_those_who_left() {
    let (io, clock) = server(Io::builder().shards(1));
    let mut clients: Vec<Client> = (0..3).map(|_| Client::join(&io)).collect();
    let mut answers = pin!(io.timeout(SECOND).emit_with_ack::<i32>("q", &()));
    clients[0].send("430[1]");
    clients[1].close();
    assert!(poll(answers.as_mut()).is_pending());
    clients[2].send("430[3]");
    let Poll::Ready(Err(error)) = poll(answers.as_mut()) else { panic!("no error") };
    assert_eq!((error.responses, error.missing), (vec![1, 3], 1));
    assert!(matches!(error.kind, BroadcastAckErrorKind::Disconnected));

    let answers = io.timeout(SECOND).emit_with_ack::<i32>("q", &());
    clients[0].send("431[1]");
    pass(&io, &clock, 1_000);
    clients[2].run();
    let error = ready(answers).unwrap_err();
    assert_eq!((error.responses, error.missing), (vec![1], 1));
    assert!(matches!(error.kind, BroadcastAckErrorKind::TimedOut));

    let answers = io.timeout(SECOND).emit_with_ack::<i32>("q", &());
    clients[0].send(r#"432["x"]"#);
    clients[2].send("432[2]");
    let error = ready(answers).unwrap_err();
    assert_eq!((error.responses, error.missing), (vec![2], 1));
    assert!(matches!(error.kind, BroadcastAckErrorKind::Decode(_)));
    assert_eq!(io.inner.app.acks.len(), 0);
}

/// Emits while it is serialized.
struct Nested(Arc<Mutex<Option<Socket>>>);

impl serde::Serialize for Nested {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(socket) = self.0.lock().unwrap().take() {
            socket.emit("inner", &"first").unwrap();
        }
        serializer.serialize_str("second")
    }
}

#[test]
fn encoding_may_be_nested() {
    let io = io();
    let mut client = Client::join(&io);
    let nested = Nested(Arc::new(Mutex::new(Some(client.socket()))));
    client.socket().emit("outer", &nested).unwrap();
    assert_eq!(client.sent(), [r#"42["inner","first"]"#, r#"42["outer","second"]"#]);
}
