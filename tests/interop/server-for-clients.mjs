// The official server as the tests of our client want it: `tests/tests/node`.
//
// Environment: PORT, PING_INTERVAL, PING_TIMEOUT, TRANSPORTS; RECOVERY=1 lets connections be
// recovered; DROP_EVERY=n cuts the connection of every n-th message of `collect`; COOKIE=1 sets a
// cookie; DEFLATE is `perMessageDeflate` as JSON; PARSER=msgpack is the parser of MessagePack. Events
// with arguments are acknowledged, those of `/control` act on the sockets of `/`.
import { createServer } from "node:http";
import { Server } from "socket.io";
import msgpack from "socket.io-msgpack-parser";

const env = process.env;
const number = (name, fallback) => (env[name] === undefined ? fallback : Number(env[name]));

const http = createServer();
const io = new Server(http, {
  serveClient: false,
  pingInterval: number("PING_INTERVAL", 25_000),
  pingTimeout: number("PING_TIMEOUT", 20_000),
  transports: (env.TRANSPORTS ?? "polling,websocket").split(","),
  perMessageDeflate: JSON.parse(env.DEFLATE ?? "false"),
  cookie: env.COOKIE === "1",
  ...(env.PARSER === "msgpack" && { parser: msgpack }),
  ...(env.RECOVERY === "1" && { connectionStateRecovery: {} }),
});

const dropEvery = number("DROP_EVERY", 0);
const collected = [];
const cookies = [];
let drops = 0;

http.on("request", (request) => cookies.push(request.headers.cookie ?? ""));

// Cuts the TCP connection of a socket, as a network does. Polling survives the loss of one that no
// request waits on, so that is waited for.
function cut(socket) {
  const { transport, readyState } = socket.conn;
  if (readyState !== "open") return;
  if (transport.name === "polling" && !transport.req) {
    setImmediate(cut, socket);
    return;
  }
  drops += 1;
  if (transport.name === "websocket") transport.socket.terminate();
  else transport.req.destroy();
}

io.of("/token").use((socket, next) => {
  next(socket.handshake.auth.token === "secret" ? undefined : new Error("bad token"));
});
io.of("/refused").use((_socket, next) => {
  next(Object.assign(new Error("not allowed"), { data: { code: 42 } }));
});
for (const name of ["/", "/token", "/refused"]) io.of(name).on("connection", onConnection);

function onConnection(socket) {
  const { auth, query, headers } = socket.handshake;
  socket.on("echo", (...args) => socket.emit("echo", ...args));
  socket.on("echo-ack", (...args) => args.pop()(...args));
  socket.on("ask", async (event, args, ack) => {
    try {
      ack(await socket.timeout(5_000).emitWithAck(event, ...args));
    } catch {
      ack("no answer");
    }
  });
  socket.on("handshake", (ack) => ack({ auth, query, header: headers["x-test"] ?? null }));
  socket.on("leave", (close) => socket.disconnect(close));
  socket.on("burst", (count) => {
    for (let i = 0; i < count; i++) socket.emit("n", i);
  });
  socket.on("collect", (value, ack) => {
    collected.push(value);
    if (dropEvery && collected.length % dropEvery === 0) cut(socket);
    ack?.(value);
  });
  // Never answers.
  socket.on("ignore", () => {});
}

io.of("/control").on("connection", (socket) => {
  socket.on("cut", (ack) => {
    for (const each of io.of("/").sockets.values()) cut(each);
    ack();
  });
  socket.on("emit", (event, args, ack) => {
    io.emit(event, ...args);
    ack();
  });
  socket.on("sockets", (ack) => ack(io.of("/").sockets.size));
  socket.on("collected", (ack) => ack(collected, drops));
  socket.on("cookies", (ack) => ack(cookies));
  socket.on("websockets", (ack) => {
    const transports = [...io.of("/").sockets.values()].map((each) => each.conn.transport);
    const webSockets = transports.map((transport) => transport.socket);
    ack(
      webSockets.map(({ _extensions: extensions, _socket: { bytesRead, bytesWritten } }) => {
        const parameters = Object.entries(extensions["permessage-deflate"]?.params ?? {})
          .map(([name, value]) => (value === true ? name : `${name}=${value}`))
          .sort();
        const agreed = Object.keys(extensions).concat(parameters).join("; ");
        return { agreed, read: bytesRead, written: bytesWritten };
      }),
    );
  });
  socket.on("transport", (ack) => ack(socket.conn.transport.name));
});

http.listen(number("PORT", 0), "127.0.0.1", () => {
  console.log(`listening on 127.0.0.1:${http.address().port}`);
});
