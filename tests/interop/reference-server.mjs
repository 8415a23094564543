// The fixture server of CONTRACT.md on the official implementation: it proves the suite itself.
import { createServer } from "node:http";
import { Server } from "socket.io";
import msgpack from "socket.io-msgpack-parser";

const env = process.env;
const number = (name, fallback) => (env[name] === undefined ? fallback : Number(env[name]));

const http = createServer((_request, response) => {
  response.writeHead(404).end();
});
const io = new Server(http, {
  serveClient: false,
  pingInterval: number("PING_INTERVAL", 25_000),
  pingTimeout: number("PING_TIMEOUT", 20_000),
  connectTimeout: number("CONNECT_TIMEOUT", 45_000),
  upgradeTimeout: number("UPGRADE_TIMEOUT", 10_000),
  maxHttpBufferSize: number("MAX_PAYLOAD", 1_000_000),
  ...(env.DEFLATE !== undefined && {
    perMessageDeflate: {
      threshold: number("DEFLATE"),
      ...(env.CONTEXT_TAKEOVER === undefined && {
        serverNoContextTakeover: true,
        clientNoContextTakeover: true,
      }),
    },
  }),
  ...(env.HTTP_COMPRESSION !== undefined && {
    httpCompression: { threshold: number("HTTP_COMPRESSION") },
  }),
  allowEIO3: env.ALLOW_EIO3 !== undefined,
  transports: (env.TRANSPORTS ?? "polling,websocket").split(","),
  ...(env.PARSER === "msgpack" && { parser: msgpack }),
  ...(env.CORS_ORIGIN && { cors: { origin: env.CORS_ORIGIN, credentials: true } }),
  ...(env.RECOVERY && {
    connectionStateRecovery: { maxDisconnectionDuration: number("RECOVERY"), skipMiddlewares: true },
  }),
  allowRequest: (request, decide) => {
    decide(null, !new URL(request.url, "http://localhost").searchParams.has("forbidden"));
  },
});

if (env.SESSION_IDS) {
  let next = 0;
  const digits = 20 - env.SESSION_IDS.length;
  io.engine.generateId = () => env.SESSION_IDS + String(next++).padStart(digits, "0");
}

const WATCHERS = "watchers";
const waiting = [];

io.of("/token").use((socket, next) => {
  next(socket.handshake.auth.token === "secret" ? undefined : new Error("bad token"));
});
io.of("/refused").use((_socket, next) => {
  next(Object.assign(new Error("not allowed"), { data: { code: 42 } }));
});
io.of("/late").use((socket, next) => {
  waiting.push(next);
  io.to(WATCHERS).emit("waiting", socket.nsp.name);
});
for (const name of ["/", "/custom", "/token", "/refused", "/late"]) {
  io.of(name).on("connection", onConnection);
}

io.of(/^\/dynamic-/);
io.of((name, auth, next) => next(null, name.startsWith("/asked-") && auth.token === "secret"));
io.on("new_namespace", (nsp) => nsp.on("connection", onConnection));

function onConnection(socket) {
  const nsp = socket.nsp;
  const kept = [];
  let roomsBefore = [];

  // Gives handlers something to call as acknowledgement, whether or not the client asked for one.
  const on = (event, handler) => {
    socket.on(event, (...args) => {
      const ack = typeof args.at(-1) === "function" ? args.pop() : () => {};
      handler(args, ack);
    });
  };

  on("echo", (args, ack) => {
    socket.emit("echo", ...args);
    ack();
  });
  on("echo-uncompressed", (args, ack) => {
    socket.compress(false).emit("echo", ...args);
    ack();
  });
  on("message", (args, ack) => {
    socket.emit("message-back", ...args);
    ack();
  });
  for (const name of ["echo-ack", "message-with-ack"]) on(name, (args, ack) => ack(...args));
  on("ask", ([ms, event, ...args], ack) => {
    socket.timeout(ms).emit(event, ...args, (error, ...answers) => {
      if (error) socket.emit("answer-error");
      else socket.emit("answer", ...answers);
    });
    ack();
  });
  on("join", ([room], ack) => {
    socket.join(room);
    ack();
  });
  on("leave", ([room], ack) => {
    socket.leave(room);
    ack();
  });
  on("rooms", (_args, ack) => ack([...socket.rooms].sort()));
  on("to-room", ([room, text], ack) => {
    socket.to(room).emit("room", text);
    ack();
  });
  on("to-rooms", ([rooms, excepted, text], ack) => {
    socket.to(rooms).except(excepted).emit("room", text);
    ack();
  });
  on("in-room", ([room, text], ack) => {
    nsp.in(room).emit("room", text);
    ack();
  });
  on("except", ([room, text], ack) => {
    nsp.except(room).emit("room", text);
    ack();
  });
  on("broadcast", (args, ack) => {
    socket.broadcast.emit("broadcast", ...args);
    ack();
  });
  on("emit-all", (args, ack) => {
    nsp.emit("all", ...args);
    ack();
  });
  on("emit-all-uncompressed", (args, ack) => {
    nsp.compress(false).emit("all", ...args);
    ack();
  });
  on("volatile", ([room, text], ack) => {
    nsp.to(room).volatile.emit("volatile", text);
    ack();
  });
  on("broadcast-ack", ([ms, event], ack) => {
    nsp.timeout(ms).emit(event, (error, responses) => {
      ack({ timedOut: error !== null, responses: responses.sort() });
    });
  });
  on("fetch-sockets", async ([room], ack) => {
    const sockets = await (room === "" ? nsp : nsp.in(room)).fetchSockets();
    ack(sockets.map(({ id }) => id).sort());
  });
  on("sockets-join", ([from, to], ack) => {
    nsp.in(from).socketsJoin(to);
    ack();
  });
  on("sockets-leave", ([from, which], ack) => {
    nsp.in(from).socketsLeave(which);
    ack();
  });
  on("disconnect-me", ([close]) => socket.disconnect(close));
  on("disconnect-room", ([room, close], ack) => {
    nsp.in(room).disconnectSockets(close);
    ack();
  });
  on("last-words", ([count, close]) => {
    for (let i = 0; i < count; i++) socket.emit("word", i);
    socket.disconnect(close);
  });
  on("burst", ([count], ack) => {
    for (let i = 0; i < count; i++) socket.emit("burst", i);
    ack();
  });
  on("collect", ([value], ack) => {
    kept.push(value);
    ack();
  });
  on("collected", (_args, ack) => ack(kept));
  let outgoing = [];
  on("watch-outgoing", (_args, ack) => {
    socket.onAnyOutgoing((name) => outgoing.push(name));
    ack();
  });
  on("outgoing", (_args, ack) => {
    ack(outgoing);
    outgoing = [];
  });
  on("on-any", (_args, ack) => {
    socket.onAny((name, ...args) => {
      socket.emit(
        "seen",
        name,
        args.filter((arg) => typeof arg !== "function"),
      );
    });
    ack();
  });
  on("handshake", (_args, ack) => {
    const { auth, query, headers } = socket.handshake;
    ack({ auth, query, header: headers["x-interop"] ?? null });
  });
  on("stats", (_args, ack) => {
    const sockets = [...io._nsps.values()].reduce((sum, each) => sum + each.sockets.size, 0);
    ack({ sessions: io.engine.clientsCount, sockets });
  });
  on("watch", (_args, ack) => {
    socket.join(WATCHERS);
    ack();
  });
  on("release", (_args, ack) => {
    const released = waiting.splice(0);
    for (const next of released) next();
    ack(released.length);
  });

  socket.on("disconnecting", () => {
    roomsBefore = [...socket.rooms].filter((room) => room !== socket.id).sort();
  });
  socket.on("disconnect", (reason) => {
    const report = { id: socket.id, namespace: nsp.name, reason, rooms: roomsBefore };
    io.to(WATCHERS).emit("disconnected", report);
  });
  socket.emit("auth", socket.handshake.auth);
}

http.listen(number("PORT", 0), "127.0.0.1", () => {
  console.log(`listening on 127.0.0.1:${http.address().port}`);
});
process.once("SIGTERM", () => io.close(() => process.exit(0)));
