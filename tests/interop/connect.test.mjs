import assert from "node:assert/strict";
import { test } from "node:test";
import {
  call,
  client,
  connect,
  connectMany,
  onEachTransport,
  serverReason,
  startServer,
  take,
  watcher,
} from "./support.mjs";

const server = await startServer();

onEachTransport("a client connects and stays on the expected transport", async (t, transport) => {
  const socket = await connect(t, server, { transport });
  const expected = transport === "polling" ? "polling" : "websocket";
  assert.equal(socket.io.engine.transport.name, expected);
  assert.equal(socket.connected, true);
  assert.ok(!socket.recovered);
});

onEachTransport("the socket id is not the session id", async (t, transport) => {
  const socket = await connect(t, server, { transport });
  assert.match(socket.id, /^[\w-]{20,}$/);
  assert.notEqual(socket.id, socket.io.engine.id);
});

test("ids are unique", async (t) => {
  const sockets = await connectMany(t, server, 8);
  const ids = sockets.flatMap((socket) => [socket.id, socket.io.engine.id]);
  assert.equal(new Set(ids).size, 16);
});

onEachTransport("auth reaches the server", async (t, transport) => {
  const auth = { token: "abc", nested: { list: [1, null, "ü"] } };
  const socket = await connect(t, server, { transport, auth });
  assert.deepEqual(await take(socket, "auth"), [auth]);
});

onEachTransport("auth may come from a function", async (t, transport) => {
  const auth = (done) => done({ computed: true });
  const socket = await connect(t, server, { transport, auth });
  assert.deepEqual(await take(socket, "auth"), [{ computed: true }]);
});

onEachTransport("without auth the server sees an empty object", async (t, transport) => {
  const socket = await connect(t, server, { transport });
  assert.deepEqual(await take(socket, "auth"), [{}]);
});

onEachTransport("query and headers reach the server", async (t, transport) => {
  const socket = await connect(t, server, {
    transport,
    query: { room: "a b&c=d", emoji: "😀" },
    extraHeaders: { "X-Interop": "seen" },
    auth: { a: 1 },
  });
  const { auth, query, header } = await call(socket, "handshake");
  assert.deepEqual(auth, { a: 1 });
  assert.equal(query.room, "a b&c=d");
  assert.equal(query.emoji, "😀");
  assert.equal(query.EIO, "4");
  assert.equal(query.transport, transport === "websocket" ? "websocket" : "polling");
  assert.equal(header, "seen");
});

test("the server keeps the first request of a session after an upgrade", async (t) => {
  const socket = await connect(t, server, { transport: "upgrade" });
  assert.equal((await call(socket, "handshake")).query.transport, "polling");
});

onEachTransport("a client can disconnect and connect again", async (t, transport) => {
  const socket = await connect(t, server, { transport });
  const first = socket.id;
  socket.disconnect();
  await take(socket, "disconnect");
  socket.connect();
  await take(socket, "connect");
  assert.notEqual(socket.id, first);
  assert.deepEqual(await call(socket, "echo-ack", 1), 1);
});

test("a wrong path fails", async (t) => {
  const socket = client(t, server, { path: "/elsewhere" });
  const [error] = await take(socket, "connect_error");
  assert.equal(error.message, "websocket error");
});

test("a handshake that the server forbids fails", async (t) => {
  const socket = client(t, server, { transport: "polling", query: { forbidden: "1" } });
  const [error] = await take(socket, "connect_error");
  assert.equal(error.message, "xhr poll error");
  assert.equal(error.description, 403);
});

test("a second transport is tried when the first is not offered", async (t) => {
  const pollingOnly = await startServer({ TRANSPORTS: "polling" });
  const socket = await connect(t, pollingOnly, {
    transports: ["websocket", "polling"],
    tryAllTransports: true,
  });
  assert.equal(socket.io.engine.transport.name, "polling");
  await pollingOnly.stop();
});

onEachTransport("many clients are served at once", async (t, transport) => {
  const sockets = await connectMany(t, server, 20, { transport });
  const answers = await Promise.all(sockets.map((socket, i) => call(socket, "echo-ack", i)));
  assert.deepEqual(answers, [...sockets.keys()]);
});

test("sessions and sockets are counted and released", async (t) => {
  const own = await startServer();
  const watching = await watcher(t, own);
  assert.deepEqual(await call(watching, "stats"), { sessions: 1, sockets: 1 });
  const sockets = await connectMany(t, own, 3);
  assert.deepEqual(await call(watching, "stats"), { sessions: 4, sockets: 4 });
  const ids = sockets.map((socket) => socket.id);
  sockets.forEach((socket) => socket.io.engine.close());
  await Promise.all(ids.map((id) => serverReason(watching, id)));
  assert.deepEqual(await call(watching, "stats"), { sessions: 1, sockets: 1 });
  await own.stop();
});
