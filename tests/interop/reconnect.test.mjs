import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ask,
  call,
  client,
  connect,
  connected,
  namespaceOf,
  nextEvent,
  onEachTransport,
  startServer,
  take,
} from "./support.mjs";

/** Kills the server and waits until the client has noticed. */
async function kill(server, socket) {
  await server.stop("SIGKILL");
  return (await take(socket, "disconnect"))[0];
}

/** An attempt to connect that began before the new server did may still fail, even if late. */
const reconnected = (socket) => take(socket, "connect");

const restart = (server) => startServer({ PORT: String(server.port) });

onEachTransport("a client comes back after the server was killed", async (t, transport) => {
  const first = await startServer();
  const socket = await connect(t, first, { transport, reconnection: true });
  const { id } = socket;
  const reason = await kill(first, socket);
  // A WebSocket ends with a FIN or, if something was unread, with a reset.
  assert.match(reason, transport === "polling" ? /^transport error$/ : /^transport (close|error)$/);
  const second = await restart(first);
  await reconnected(socket);
  assert.notEqual(socket.id, id);
  assert.ok(!socket.recovered);
  assert.equal(await call(socket, "echo-ack", "alive"), "alive");
  await second.stop();
});

onEachTransport("what was emitted meanwhile arrives afterwards", async (t, transport) => {
  const first = await startServer();
  const socket = await connect(t, first, { transport, reconnection: true });
  await kill(first, socket);
  for (let i = 0; i < 100; i++) socket.emit("collect", i);
  socket.emit("echo", Buffer.of(1, 2, 3));
  const kept = call(socket, "collected");
  const second = await restart(first);
  assert.deepEqual(await kept, [...Array(100).keys()]);
  assert.deepEqual(await take(socket, "echo"), [Buffer.of(1, 2, 3)]);
  await second.stop();
});

test("every namespace of the connection comes back, with fresh auth", async (t) => {
  const first = await startServer();
  let attempt = 0;
  const auth = (done) => done({ attempt: ++attempt });
  const main = await connect(t, first, { reconnection: true, auth });
  const custom = namespaceOf(t, main, "/custom");
  await connected(custom);
  assert.deepEqual(await take(main, "auth"), [{ attempt: 1 }]);
  await kill(first, main);
  const second = await restart(first);
  await Promise.all([reconnected(main), reconnected(custom)]);
  assert.deepEqual(await take(main, "auth"), [{ attempt: 2 }]);
  assert.equal(main.io.engine.id, custom.io.engine.id);
  await second.stop();
});

test("rooms do not survive", async (t) => {
  const first = await startServer();
  const socket = await connect(t, first, { reconnection: true });
  await ask(socket, "join", "room");
  await kill(first, socket);
  const second = await restart(first);
  assert.deepEqual(await call(socket, "rooms"), [socket.id]);
  await second.stop();
});

test("a pending acknowledgement with a timeout fails at once", async (t) => {
  const first = await startServer();
  const socket = await connect(t, first);
  const pending = socket.timeout(5_000).emitWithAck("nobody-answers");
  await Promise.all([kill(first, socket), assert.rejects(pending, /disconnected/)]);
});

test("an unfinished answer does not reach the next connection", async (t) => {
  const first = await startServer();
  const socket = await connect(t, first, { reconnection: true });
  socket.emit("ask", 5_000, "question");
  const [staleAnswer] = await take(socket, "question");
  await kill(first, socket);
  const second = await restart(first);
  await reconnected(socket);
  staleAnswer("stale");
  assert.equal(await call(socket, "echo-ack", "alive"), "alive");
  await second.stop();
});

onEachTransport("a client waits for a server that starts later", async (t, transport) => {
  const first = await startServer();
  await first.stop();
  const socket = client(t, first, { transport, reconnection: true });
  socket.emit("collect", "early");
  await take(socket, "connect_error");
  const second = await restart(first);
  await reconnected(socket);
  assert.deepEqual(await call(socket, "collected"), ["early"]);
  await second.stop();
});

test("a client that was disconnected by the server stays away", async (t) => {
  const server = await startServer();
  const socket = await connect(t, server, { reconnection: true });
  const closed = nextEvent(socket.io, "close");
  socket.emit("disconnect-me", true);
  await take(socket, "disconnect");
  await closed;
  assert.equal(socket.active, false);
  await server.stop();
});

test("a client survives several restarts", async (t) => {
  let server = await startServer();
  const socket = await connect(t, server, { reconnection: true, transport: "upgrade" });
  const ids = new Set([socket.id]);
  for (let round = 0; round < 3; round++) {
    await kill(server, socket);
    server = await restart(server);
    await reconnected(socket);
    ids.add(socket.id);
    assert.equal(await call(socket, "echo-ack", round), round);
  }
  assert.equal(ids.size, 4);
  await server.stop();
});

test("many clients come back together", async (t) => {
  const first = await startServer();
  const sockets = Array.from({ length: 20 }, () => client(t, first, { reconnection: true }));
  await Promise.all(sockets.map(connected));
  await first.stop("SIGKILL");
  await Promise.all(sockets.map((socket) => take(socket, "disconnect")));
  const second = await restart(first);
  const answers = await Promise.all(sockets.map((socket, i) => call(socket, "echo-ack", i)));
  assert.deepEqual(answers, [...sockets.keys()]);
  await second.stop();
});
