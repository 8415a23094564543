//! The events that every namespace handles.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sansocket_driver::{Ack, Args, BroadcastAckErrorKind, EmitError, Namespace, Raw, Socket};
use serde_json::{Value, json};

use super::arguments::Arguments;
use super::{WATCHERS, fixture, sorted};

/// What a client had collected, at its socket.
#[derive(Default)]
pub(super) struct Kept(Mutex<Vec<Raw>>);

/// The events that a socket was sent.
#[derive(Default)]
struct Outgoing(Mutex<Vec<String>>);

impl Outgoing {
    fn names(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn register(namespace: &Namespace) {
    echoes(namespace);
    rooms(namespace);
    broadcasts(namespace);
    ends(namespace);
    inquiries(namespace);
}

fn echoes(namespace: &Namespace) {
    namespace
        .on("echo", async |socket: Socket, args: Args| {
            socket.emit("echo", &Arguments::from(&args, 0))
        })
        .on("echo-uncompressed", async |socket: Socket, args: Args| {
            socket.compress(false).emit("echo", &Arguments::from(&args, 0))
        })
        .on("message", async |socket: Socket, args: Args| {
            socket.emit("message-back", &Arguments::from(&args, 0))
        })
        .on("message-with-ack", async |_: Socket, args: Args| Ack(Arguments::from(&args, 0)))
        .on("echo-ack", async |_: Socket, args: Args| Ack(Arguments::from(&args, 0)))
        .on("ask", ask)
        .on("burst", async |socket: Socket, count: u64| {
            (0..count).try_for_each(|number| socket.emit("burst", &number))
        })
        .on("collect", async |socket: Socket, value: Raw| {
            if let Some(kept) = socket.extensions().get_shared::<Kept>() {
                kept.0.lock().unwrap_or_else(PoisonError::into_inner).push(value);
            }
        })
        .on("collected", async |socket: Socket| {
            let kept = socket.extensions().get_shared::<Kept>().unwrap_or_default();
            let values = kept.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
            Ack((values,))
        });
}

/// Asks the client back. The answer is awaited beside the handler, which would hold up the
/// client's later events.
async fn ask(socket: Socket, args: Args) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let (timeout_ms, event): (u64, String) = args.clone().decode()?;
    let timeout = Duration::from_millis(timeout_ms);
    let arguments = Arguments::from(&args, 2);
    let answer = socket.emit_with_ack::<Arguments>(&event, &arguments, timeout);
    let runtime = fixture(&socket)?.runtime.clone();
    runtime.spawn(Box::pin(async move {
        let told = match answer.await {
            Ok(arguments) => socket.emit("answer", &arguments),
            Err(_) => socket.emit("answer-error", &()),
        };
        // The client may have left meanwhile.
        let _ = told;
    }));
    Ok(())
}

fn rooms(namespace: &Namespace) {
    namespace
        .on("join", async |socket: Socket, room: String| socket.join(room))
        .on("leave", async |socket: Socket, room: String| socket.leave(room))
        .on("rooms", async |socket: Socket| {
            Ack((sorted(socket.rooms().iter().map(ToString::to_string)),))
        })
        .on("fetch-sockets", async |socket: Socket, room: String| {
            let namespace = socket.namespace();
            let members = match room.as_str() {
                "" => namespace.fetch_sockets(),
                room => namespace.in_(room).fetch_sockets(),
            };
            Ack((sorted(members.iter().map(|member| member.id().as_str().to_owned())),))
        })
        .on("sockets-join", async |socket: Socket, (from, to): (String, String)| {
            socket.namespace().in_(from).sockets_join(to);
        })
        .on("sockets-leave", async |socket: Socket, (from, which): (String, String)| {
            socket.namespace().in_(from).sockets_leave(which);
        });
}

fn broadcasts(namespace: &Namespace) {
    namespace
        .on("to-room", async |socket: Socket, (room, text): (String, Raw)| {
            socket.to(room).emit("room", &text).map(drop)
        })
        .on("to-rooms", async |socket: Socket, arguments: (Vec<String>, Vec<String>, Raw)| {
            let (rooms, excepted, text) = arguments;
            socket.to(rooms).except(excepted).emit("room", &text).map(drop)
        })
        .on("in-room", async |socket: Socket, (room, text): (String, Raw)| {
            socket.namespace().in_(room).emit("room", &text).map(drop)
        })
        .on("except", async |socket: Socket, (room, text): (String, Raw)| {
            socket.namespace().except(room).emit("room", &text).map(drop)
        })
        .on("broadcast", async |socket: Socket, args: Args| {
            socket.broadcast().emit("broadcast", &Arguments::from(&args, 0)).map(drop)
        })
        .on("emit-all", async |socket: Socket, args: Args| {
            socket.namespace().emit("all", &Arguments::from(&args, 0)).map(drop)
        })
        .on("emit-all-uncompressed", async |socket: Socket, args: Args| {
            let everybody = socket.namespace().compress(false);
            everybody.emit("all", &Arguments::from(&args, 0)).map(drop)
        })
        .on("volatile", async |socket: Socket, (room, text): (String, Raw)| {
            socket.namespace().to(room).volatile().emit("volatile", &text).map(drop)
        })
        .on("broadcast-ack", broadcast_ack);
}

async fn broadcast_ack(socket: Socket, (timeout_ms, event): (u64, String)) -> Ack<Value> {
    let everybody = socket.namespace().timeout(Duration::from_millis(timeout_ms));
    let (timed_out, mut responses) = match everybody.emit_with_ack::<Value>(&event, &()).await {
        Ok(responses) => (false, responses),
        Err(error) => (matches!(error.kind, BroadcastAckErrorKind::TimedOut), error.responses),
    };
    responses.sort_by_key(|response| {
        response.as_str().map_or_else(|| response.to_string(), str::to_owned)
    });
    Ack(json!({ "timedOut": timed_out, "responses": responses }))
}

fn ends(namespace: &Namespace) {
    namespace
        .on("disconnect-me", async |socket: Socket, close: Option<bool>| {
            disconnect(&socket, close);
        })
        .on("disconnect-room", async |socket: Socket, arguments: (String, Option<bool>)| {
            let (room, close) = arguments;
            socket.namespace().in_(room).disconnect_sockets(close.unwrap_or_default());
        })
        .on("last-words", async |socket: Socket, (count, close): (u64, Option<bool>)| {
            (0..count).try_for_each(|number| socket.emit("word", &number))?;
            disconnect(&socket, close);
            Ok::<_, EmitError>(())
        });
}

fn disconnect(socket: &Socket, close: Option<bool>) {
    match close {
        Some(true) => socket.disconnect_connection(),
        Some(false) | None => socket.disconnect(),
    }
}

fn inquiries(namespace: &Namespace) {
    namespace
        .on("on-any", async |socket: Socket| {
            socket.on_any(async |socket: Socket, name: String, args: Args| {
                socket.emit("seen", &(name, args.iter().collect::<Vec<_>>()))
            });
        })
        .on("watch-outgoing", async |socket: Socket| {
            socket.insert(Outgoing::default());
            socket.on_any_outgoing(|socket, event, _| {
                if let Some(outgoing) = socket.extensions().get_shared::<Outgoing>() {
                    outgoing.names().push(event.to_owned());
                }
            });
        })
        .on("outgoing", async |socket: Socket| {
            let outgoing = socket.extensions().get_shared::<Outgoing>();
            Ack((outgoing.map(|outgoing| std::mem::take(&mut *outgoing.names())),))
        })
        .on("handshake", async |socket: Socket| Ok::<_, String>(Ack(handshake(&socket)?)))
        .on("stats", async |socket: Socket| {
            let stats = socket.server().stats();
            Ack(json!({ "sessions": stats.sessions, "sockets": stats.sockets }))
        })
        .on("watch", async |socket: Socket| socket.join(WATCHERS))
        .on("release", async |socket: Socket| {
            let waiting = std::mem::take(&mut *fixture(&socket)?.waiting());
            let count = waiting.len();
            // Those who have vanished need no release.
            waiting.into_iter().for_each(|release| release.send(()).unwrap_or_default());
            Ok::<_, String>(Ack(count))
        });
}

fn handshake(socket: &Socket) -> Result<Value, String> {
    let handshake = socket.handshake();
    let auth: Value = socket.auth().map_err(|error| error.to_string())?;
    let query = handshake.url().split_once('?').map_or("", |(_, query)| query);
    // Of repeated parameters the last counts.
    let query: BTreeMap<_, _> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let header = handshake.header("x-interop").map(String::from_utf8_lossy);
    Ok(json!({ "auth": auth, "query": query, "header": header }))
}
