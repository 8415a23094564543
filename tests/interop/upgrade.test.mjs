import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ask,
  assertEngineError,
  assertNothing,
  call,
  client,
  connect,
  connected,
  enginePath,
  namespaceOf,
  nextEvent,
  oursOnly,
  PollingPeer,
  send,
  SEPARATOR,
  serverReason,
  startServer,
  take,
  upgraded,
  watcher,
  WebSocketPeer,
} from "./support.mjs";

const server = await startServer();
const COUNT = 1000;
const numbers = [...Array(COUNT).keys()];

async function received(socket, event, count) {
  const values = [];
  for (let i = 0; i < count; i++) values.push((await take(socket, event))[0]);
  return values;
}

/** Emits numbers in small portions until the transport was upgraded, and at least COUNT. */
async function emitWhileUpgrading(socket, event) {
  let sent = 0;
  await connected(socket);
  const engine = socket.io.engine;
  while (sent < COUNT || engine.transport.name !== "websocket") {
    for (let i = 0; i < 10; i++) socket.emit(event, sent++);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return sent;
}

test("1000 events emitted right after creation arrive in order", async (t) => {
  const socket = client(t, server, { transport: "upgrade" });
  for (const i of numbers) socket.emit("collect", i);
  await connected(socket);
  await upgraded(socket);
  assert.deepEqual(await call(socket, "collected"), numbers);
});

test("1000 events asked for right after creation arrive in order", async (t) => {
  const socket = client(t, server, { transport: "upgrade" });
  socket.emit("burst", COUNT);
  await connected(socket);
  assert.deepEqual(await received(socket, "burst", COUNT), numbers);
  await upgraded(socket);
  await assertNothing(socket, "burst");
});

test("events sent while the upgrade happens are neither lost nor doubled", async (t) => {
  const socket = client(t, server, { transport: "upgrade" });
  const sent = await emitWhileUpgrading(socket, "collect");
  assert.deepEqual(await call(socket, "collected"), [...Array(sent).keys()]);
});

test("events in both directions while the upgrade happens", async (t) => {
  const socket = client(t, server, { transport: "upgrade" });
  const sent = await emitWhileUpgrading(socket, "echo");
  assert.deepEqual(await received(socket, "echo", sent), [...Array(sent).keys()]);
  await assertNothing(socket, "echo");
});

test("attachments while the upgrade happens", async (t) => {
  const socket = client(t, server, { transport: "upgrade" });
  for (let i = 0; i < 200; i++) socket.emit("echo", i, Buffer.alloc(i, i), Buffer.of(i));
  await connected(socket);
  for (let i = 0; i < 200; i++) {
    assert.deepEqual(await take(socket, "echo"), [i, Buffer.alloc(i, i), Buffer.of(i)]);
  }
  await upgraded(socket);
});

test("acknowledgements both ways while the upgrade happens", async (t) => {
  const socket = client(t, server, { transport: "upgrade" });
  socket.on("question", (i, ack) => ack(i));
  const answers = Promise.all(numbers.slice(0, 200).map((i) => call(socket, "echo-ack", i)));
  for (let i = 0; i < 200; i++) socket.emit("ask", 5_000, "question", i);
  assert.deepEqual(await answers, numbers.slice(0, 200));
  const replies = await received(socket, "answer", 200);
  assert.deepEqual(
    replies.sort((a, b) => a - b),
    numbers.slice(0, 200),
  );
  await upgraded(socket);
});

test("broadcasts of others while twenty clients upgrade", async (t) => {
  const sender = await connect(t, server);
  const sockets = Array.from({ length: 20 }, () => client(t, server, { transport: "upgrade" }));
  await Promise.all(sockets.map(connected));
  for (let i = 0; i < 100; i++) sender.emit("broadcast", i);
  await ask(sender, "echo-ack");
  await Promise.all(sockets.map(upgraded));
  for (const socket of sockets) {
    assert.deepEqual(await received(socket, "broadcast", 100), numbers.slice(0, 100));
    await assertNothing(socket, "broadcast");
  }
});

test("namespaces and rooms survive the upgrade", async (t) => {
  const socket = client(t, server, { transport: "upgrade" });
  const custom = namespaceOf(t, socket, "/custom");
  await ask(socket, "join", "room");
  await connected(socket);
  await connected(custom);
  const ids = [socket.id, custom.id];
  await upgraded(socket);
  assert.deepEqual([socket.id, custom.id], ids);
  assert.deepEqual(await call(socket, "rooms"), ["room", socket.id].sort());
  assert.equal(await call(custom, "echo-ack", "custom"), "custom");
});

test("a client that does not want to upgrade stays on polling", async (t) => {
  const socket = await connect(t, server, { transports: ["polling", "websocket"], upgrade: false });
  assert.equal(await call(socket, "echo-ack", 1), 1);
  assert.equal(socket.io.engine.transport.name, "polling");
});

test("a disconnect in the middle of the upgrade is clean", async (t) => {
  const watching = await watcher(t, server);
  const socket = client(t, server, { transport: "upgrade" });
  const upgrading = nextEvent(socket.io.engine, "upgrading");
  await connected(socket);
  await upgrading;
  const { id } = socket;
  socket.disconnect();
  assert.match(await serverReason(watching, id), /^(client namespace disconnect|transport close)$/);
});

// --- The same seen from the wire -----------------------------------------------------------------

async function probe(t, peer) {
  const websocket = await WebSocketPeer.open(t, peer.server, { sid: peer.handshake.sid });
  websocket.send("2probe");
  assert.equal(await websocket.next(), "3probe");
  return websocket;
}

async function completeUpgrade(t, peer) {
  const pending = peer.get();
  const websocket = await probe(t, peer);
  const response = await pending;
  assert.deepEqual([response.status, response.body], [200, "6"]);
  websocket.send("5");
  return websocket;
}

test("a pending poll is released with a noop after the probe", async (t) => {
  const peer = await PollingPeer.connect(server);
  const websocket = await completeUpgrade(t, peer);
  await websocket.assertAlive();
});

test("a poll that comes after the probe is released too", async (t) => {
  const peer = await PollingPeer.connect(server);
  const websocket = await probe(t, peer);
  assert.equal((await peer.get()).body, "6");
  websocket.send("5");
  await websocket.assertAlive();
});

test("packets wait for the upgrade when nobody polls", async (t) => {
  const sender = await connect(t, server);
  const peer = await PollingPeer.connect(server);
  const websocket = await probe(t, peer);
  assert.equal((await peer.get()).body, "6");
  await ask(sender, "in-room", peer.id, "buffered");
  websocket.send("5");
  assert.equal(await websocket.next(), '42["room","buffered"]');
});

test("polling goes on while the probe waits", async (t) => {
  const peer = await PollingPeer.connect(server);
  const websocket = await probe(t, peer);
  await peer.assertAlive();
  await peer.assertAlive();
  websocket.send("5");
  await websocket.assertAlive();
});

test("after the upgrade the session is no longer reachable by polling", async (t) => {
  const peer = await PollingPeer.connect(server);
  const websocket = await completeUpgrade(t, peer);
  await websocket.assertAlive();
  assertEngineError(await peer.get(), 3);
  assertEngineError(await peer.post("4"), 3);
  await websocket.assertAlive();
});

test("a poll left pending at the upgrade is answered", async (t) => {
  const peer = await PollingPeer.connect(server);
  const websocket = await probe(t, peer);
  assert.equal((await peer.get()).body, "6");
  const pending = peer.get();
  websocket.send("5");
  await websocket.assertAlive();
  const response = await pending;
  // A noop of the probe may answer it, or the close of the old transport, or it comes too late.
  if (response.status === 200) assert.match(response.body, /^[16]$/);
  else assertEngineError(response, 3);
});

for (const [name, packet] of Object.entries({
  "a wrong probe": "2wrong",
  "a message": '42["echo","x"]',
  "binary": Buffer.of(1, 2, 3),
  "an unknown packet": "9",
  "a pong": "3",
})) {
  test(`a probe that begins with ${name} fails and leaves polling alone`, async (t) => {
    const peer = await PollingPeer.connect(server);
    const websocket = await WebSocketPeer.open(t, server, { sid: peer.handshake.sid });
    websocket.send(packet);
    await websocket.closed();
    await peer.assertAlive();
    const second = await completeUpgrade(t, peer);
    await second.assertAlive();
  });
}

test("a message between probe and upgrade fails the probe", async (t) => {
  const peer = await PollingPeer.connect(server);
  const websocket = await probe(t, peer);
  websocket.send('42["echo","too early"]');
  await websocket.closed();
  await peer.assertAlive();
});

test("a probe that is closed or cut leaves polling alone", async (t) => {
  const peer = await PollingPeer.connect(server);
  (await probe(t, peer)).socket.close();
  await peer.assertAlive();
  (await WebSocketPeer.open(t, server, { sid: peer.handshake.sid })).socket.terminate();
  await peer.assertAlive();
});

test("a silent probe is given up", async (t) => {
  const impatient = await startServer({ UPGRADE_TIMEOUT: "150" });
  const peer = await PollingPeer.connect(impatient);
  const silent = await WebSocketPeer.open(t, impatient, { sid: peer.handshake.sid });
  await silent.closed();
  const unfinished = await probe(t, peer);
  await unfinished.closed();
  await peer.assertAlive();
  await impatient.stop();
});

test("a second probe at the same time is refused, the first goes on", async (t) => {
  const peer = await PollingPeer.connect(server);
  const first = await probe(t, peer);
  const second = new WebSocketPeer(t, server, { sid: peer.handshake.sid });
  await second.closed();
  assert.equal((await peer.get()).body, "6");
  first.send("5");
  await first.assertAlive();
});

test("a WebSocket for an upgraded session is refused, the session goes on", async (t) => {
  const peer = await PollingPeer.connect(server);
  const websocket = await completeUpgrade(t, peer);
  await websocket.assertAlive();
  const second = new WebSocketPeer(t, server, { sid: peer.handshake.sid });
  await second.closed();
  await websocket.assertAlive();
});

test("the protocol revision of the session does not follow the upgrade request", async (t) => {
  const peer = await PollingPeer.connect(server);
  const websocket = new WebSocketPeer(t, server, { sid: peer.handshake.sid, EIO: "3" });
  websocket.socket.once("open", () => websocket.send("2probe"));
  // Either the request is refused or the session goes on in its own revision.
  const outcome = await Promise.any([websocket.next(), websocket.closed()]);
  assert.ok(["3probe", 0, 1005].includes(outcome), String(outcome));
  websocket.socket.terminate();
  await peer.assertAlive();
});

test("the session ends with the upgraded WebSocket", async (t) => {
  const watching = await watcher(t, server);
  const peer = await PollingPeer.connect(server);
  const websocket = await completeUpgrade(t, peer);
  await websocket.assertAlive();
  websocket.socket.terminate();
  assert.equal(await serverReason(watching, peer.id), "transport close");
  await peer.assertGone();
});

test("a session that ends while a probe waits closes the probe", async (t) => {
  const watching = await watcher(t, server);
  const peer = await PollingPeer.connect(server);
  const websocket = await probe(t, peer);
  await peer.post("1");
  assert.equal(await serverReason(watching, peer.id), "transport close");
  await websocket.closed();
});

test("a server without WebSocket does not offer it and refuses it", async (t) => {
  const pollingOnly = await startServer({ TRANSPORTS: "polling" });
  const peer = await PollingPeer.connect(pollingOnly);
  assert.deepEqual(peer.handshake.upgrades, []);
  const websocket = new WebSocketPeer(t, pollingOnly, { sid: peer.handshake.sid });
  await websocket.closed();
  await peer.assertAlive();
  await pollingOnly.stop();
});

test("a server without polling refuses it", async (t) => {
  const websocketOnly = await startServer({ TRANSPORTS: "websocket" });
  assertEngineError(await send(websocketOnly, { path: enginePath({ transport: "polling" }) }), 0);
  await connect(t, websocketOnly);
  await websocketOnly.stop();
});

test("several packets in the first payloads keep their order over the upgrade", async (t) => {
  const peer = await PollingPeer.connect(server);
  await peer.post(['42["collect",1]', '42["collect",2]'].join(SEPARATOR));
  const websocket = await completeUpgrade(t, peer);
  websocket.send('42["collect",3]');
  websocket.send('420["collected"]');
  assert.equal(await websocket.next(), "430[[1,2,3]]");
});

test("the heartbeat goes on after an upgrade", oursOnly("it forgets the timeout"), async (t) => {
  const beating = await startServer({ PING_INTERVAL: "300", PING_TIMEOUT: "600" });
  const watching = await watcher(t, beating);
  const peer = await PollingPeer.connect(beating);
  await peer.next((packet) => packet === "2");
  // The ping stays unanswered over the upgrade, and so do all later ones.
  const websocket = await completeUpgrade(t, peer);
  assert.equal(await serverReason(watching, peer.id), "ping timeout");
  await websocket.closed();
  await beating.stop();
});
