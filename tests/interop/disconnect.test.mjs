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
  oursOnly,
  PollingPeer,
  SEPARATOR,
  serverReason,
  startServer,
  take,
  TRANSPORTS,
  watcher,
  WebSocketPeer,
} from "./support.mjs";

const server = await startServer();

/** The reasons that client and server give for the end of `socket`, which `action` brings about. */
async function reasonsAfter(t, socket, action) {
  const watching = await watcher(t, server);
  const { id } = socket;
  await action();
  const [atClient] = await take(socket, "disconnect");
  return { atClient, atServer: await serverReason(watching, id) };
}

onEachTransport("the client disconnects", async (t, transport) => {
  const socket = await connect(t, server, { transport });
  assert.deepEqual(await reasonsAfter(t, socket, () => socket.disconnect()), {
    atClient: "io client disconnect",
    // With the connection closing behind it, the packet of the namespace arrives first.
    atServer: "client namespace disconnect",
  });
  assert.equal(socket.id, undefined);
});

onEachTransport("the client closes the connection beneath", async (t, transport) => {
  const socket = await connect(t, server, { transport });
  assert.deepEqual(await reasonsAfter(t, socket, () => socket.io.engine.close()), {
    atClient: "forced close",
    atServer: "transport close",
  });
});

onEachTransport("the server disconnects the socket", async (t, transport) => {
  const socket = await connect(t, server, { transport });
  const reasons = await reasonsAfter(t, socket, () => socket.emit("disconnect-me", false));
  assert.deepEqual(reasons, {
    atClient: "io server disconnect",
    atServer: "server namespace disconnect",
  });
});

onEachTransport("the server closes the connection", async (t, transport) => {
  const socket = await connect(t, server, { transport });
  const reasons = await reasonsAfter(t, socket, () => socket.emit("disconnect-me", true));
  assert.deepEqual(reasons, {
    atClient: "io server disconnect",
    atServer: "server namespace disconnect",
  });
});

onEachTransport("closing a connection disconnects each of its namespaces", async (t, transport) => {
  const watching = await watcher(t, server);
  const main = await connect(t, server, { transport });
  const custom = namespaceOf(t, main, "/custom");
  await connected(custom);
  const ids = [main.id, custom.id];
  custom.emit("disconnect-me", true);
  for (const socket of [main, custom]) {
    assert.equal((await take(socket, "disconnect"))[0], "io server disconnect");
  }
  for (const id of ids) {
    assert.equal(await serverReason(watching, id), "server namespace disconnect");
  }
});

onEachTransport("what was emitted before a disconnect arrives", async (t, transport) => {
  for (const close of [false, true]) {
    const socket = await connect(t, server, { transport });
    const words = [];
    socket.on("word", (i) => words.push(i));
    socket.emit("last-words", 100, close);
    assert.equal((await take(socket, "disconnect"))[0], "io server disconnect");
    assert.deepEqual(words, [...Array(100).keys()]);
  }
});

test(
  "what the client emitted before it disconnected arrives",
  oursOnly("it drops events that arrive together with the disconnect"),
  async (t) => {
    for (const transport of Object.keys(TRANSPORTS)) {
      const watching = await watcher(t, server);
      const socket = await connect(t, server, { transport });
      for (let i = 0; i < 100; i++) socket.emit("to-room", watching.id, i);
      socket.disconnect();
      for (let i = 0; i < 100; i++) assert.deepEqual(await take(watching, "room"), [i]);
    }
  },
);

test("the session stays when the server disconnects only the namespace", async (t) => {
  const peer = await WebSocketPeer.connect(t, server);
  peer.send('42["disconnect-me",false]');
  assert.equal(await peer.next(), "41");
  peer.send("40");
  const reply = JSON.parse((await peer.next()).slice(2));
  assert.notEqual(reply.sid, peer.id);
  await peer.assertAlive();
});

test("the server closes a WebSocket behind the packet of the namespace", async (t) => {
  const peer = await WebSocketPeer.connect(t, server);
  peer.send('42["disconnect-me",true]');
  assert.equal(await peer.next(), "41");
  assert.ok([1000, 1005].includes(await peer.closed()));
});

test("the server closes polling behind the packet of the namespace", async (t) => {
  const peer = await PollingPeer.connect(server);
  await peer.post('42["disconnect-me",true]');
  const packets = [];
  while (!packets.includes("1")) {
    const response = await peer.get();
    assert.equal(response.status, 200, response.body);
    packets.push(...response.body.split(SEPARATOR));
  }
  assert.deepEqual(
    packets.filter((packet) => packet !== "6"),
    ["41", "1"],
  );
  await peer.assertGone();
});

test("a WebSocket that is cut", async (t) => {
  const watching = await watcher(t, server);
  const peer = await WebSocketPeer.connect(t, server);
  peer.socket.terminate();
  assert.equal(await serverReason(watching, peer.id), "transport close");
});

test("a WebSocket that is closed", async (t) => {
  const watching = await watcher(t, server);
  const peer = await WebSocketPeer.connect(t, server);
  peer.socket.close(1000, "bye");
  assert.equal(await serverReason(watching, peer.id), "transport close");
  assert.ok([1000, 1005].includes(await peer.closed()));
});

test("polling that is closed by its packet", async (t) => {
  const watching = await watcher(t, server);
  const peer = await PollingPeer.connect(server);
  const response = await peer.post("1");
  assert.deepEqual([response.status, response.body], [200, "ok"]);
  assert.equal(await serverReason(watching, peer.id), "transport close");
  await peer.assertGone();
});

test("the packet of the namespace leaves the connection open", async (t) => {
  const watching = await watcher(t, server);
  const peer = await WebSocketPeer.connect(t, server);
  peer.send("41");
  assert.equal(await serverReason(watching, peer.id), "client namespace disconnect");
  peer.send("40");
  assert.match(await peer.next(), /^40\{"sid":/);
});

test("a client that disconnects at once leaves nothing", async (t) => {
  const own = await startServer();
  const watching = await watcher(t, own);
  for (const transport of ["websocket", "polling"]) {
    const socket = await connect(t, own, { transport });
    const { id } = socket;
    socket.disconnect();
    await serverReason(watching, id);
    const abandoned = client(t, own, { transport });
    abandoned.disconnect();
  }
  const last = await connect(t, own);
  assert.equal((await call(last, "stats")).sockets, 2);
  await own.stop();
});

test("rooms are known until just before the end", async (t) => {
  const watching = await watcher(t, server);
  const socket = await connect(t, server);
  const { id } = socket;
  await ask(socket, "join", "b");
  await ask(socket, "join", "a");
  socket.disconnect();
  const [report] = await take(watching, "disconnected", (candidate) => candidate.id === id);
  assert.deepEqual(report, {
    id,
    namespace: "/",
    reason: "client namespace disconnect",
    rooms: ["a", "b"],
  });
});

test("a pending acknowledgement fails at the client when the server disconnects it", async (t) => {
  const socket = await connect(t, server);
  const pending = socket.timeout(5_000).emitWithAck("nobody-answers");
  socket.emit("disconnect-me", false);
  await assert.rejects(pending, /disconnected/);
});

test("a question to a client that leaves does no harm", async (t) => {
  const watching = await watcher(t, server);
  const socket = await connect(t, server);
  const { id } = socket;
  socket.emit("ask", 100, "question");
  await take(socket, "question");
  socket.disconnect();
  await serverReason(watching, id);
  assert.equal(await call(watching, "echo-ack", "alive"), "alive");
});

onEachTransport("a server that shuts down ends its connections", async (t, transport) => {
  const own = await startServer();
  const socket = await connect(t, own, { transport });
  const closed = nextEvent(socket.io.engine, "close");
  const { code } = await own.stop("SIGTERM");
  assert.equal(code, 0);
  const [atClient] = await take(socket, "disconnect");
  await closed;
  // Between two polls a client finds the server gone.
  const expected = ["transport close", "io server disconnect"];
  if (transport === "polling") expected.push("transport error");
  assert.ok(expected.includes(atClient), atClient);
});
