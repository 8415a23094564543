import assert from "node:assert/strict";
import { test } from "node:test";
import {
  WebSocketPeer,
  call,
  connect,
  connected,
  onEachTransport,
  oursOnly,
  serverReason,
  startServer,
  take,
  watcher,
} from "./support.mjs";

const server = await startServer({ RECOVERY: "60000" });

/** Loses the connection of a client that will come back, and waits until the server knows. */
async function lose(t, socket) {
  const watching = await watcher(t, server);
  const { id } = socket;
  socket.io.reconnection(false);
  const lost = take(socket, "disconnect");
  socket.io.engine.close();
  await lost;
  await serverReason(watching, id);
}

function comeBack(socket) {
  const back = connected(socket);
  socket.io.reconnection(true);
  socket.connect();
  return back;
}

onEachTransport("a client gets its state back and what it missed", async (t, transport) => {
  const namespace = "/custom";
  const socket = await connect(t, server, { transport, namespace });
  const other = await connect(t, server, { namespace });
  const { id } = socket;
  await call(socket, "join", "room");
  await call(other, "to-room", "room", "before");
  await take(socket, "room");
  await lose(t, socket);
  const received = [];
  socket.onAny((...args) => received.push(args.slice(0, -1)));
  for (let i = 0; i < 20; i++) {
    await call(other, "emit-all", i, Buffer.of(i));
    await call(other, "to-room", "room", `room ${i}`);
    await call(other, "to-room", "other room", `other ${i}`);
  }
  await comeBack(socket);
  assert.equal(socket.recovered, true);
  assert.equal(socket.id, id);
  assert.deepEqual(await call(socket, "rooms"), [id, "room"].sort());
  const expected = [...Array(20).keys()].flatMap((i) => [
    ["all", i, Buffer.of(i)],
    ["room", `room ${i}`],
  ]);
  assert.deepEqual(received.filter(([name]) => name !== "auth"), expected);
  await call(other, "to-room", "room", "after");
  await take(socket, "room", (text) => text === "after");
});

onEachTransport("again and again, and nothing comes twice", async (t, transport) => {
  const namespace = `/dynamic-recovery-${transport}`;
  const socket = await connect(t, server, { transport, namespace });
  const other = await connect(t, server, { namespace });
  const received = [];
  socket.on("all", (number) => received.push(number));
  const { id } = socket;
  let next = 0;
  for (let loss = 0; loss < 5; loss++) {
    // The official client shows an event a moment after it came. One that is still on its way to the
    // handlers when the connection ends is shown after the next connect, and asked for again.
    const arrived = take(socket, "all", (number) => number === next);
    await call(other, "emit-all", next);
    await arrived;
    next++;
    await lose(t, socket);
    await call(other, "emit-all", next++);
    await comeBack(socket);
    assert.ok(socket.recovered && socket.id === id);
  }
  await call(socket, "emit-all", next++);
  await take(socket, "all", (number) => number === next - 1);
  assert.deepEqual(received, [...Array(next).keys()]);
});

test("state is kept for a while only", async (t) => {
  const own = await startServer({ RECOVERY: "1" });
  const socket = await connect(t, own);
  const { id } = socket;
  const watching = await watcher(t, own);
  socket.io.engine.close();
  await serverReason(watching, id);
  await connected(socket.connect());
  assert.notEqual(socket.recovered, true);
  assert.notEqual(socket.id, id);
  await own.stop();
});

test("a client that left on purpose starts anew", async (t) => {
  const socket = await connect(t, server);
  const { id } = socket;
  socket.disconnect();
  await connected(socket.connect());
  assert.notEqual(socket.recovered, true);
  assert.notEqual(socket.id, id);
});

test("a secret names one socket at a time", oursOnly("two would share an id"), async (t) => {
  const socket = await connect(t, server, { namespace: "/custom" });
  const { id, _pid: pid, _lastOffset: offset } = socket;
  await lose(t, socket);
  const first = await connect(t, server, { namespace: "/custom", auth: { pid, offset } });
  assert.equal(first.id, id);
  const ended = take(first, "disconnect");
  const second = await connect(t, server, { namespace: "/custom", auth: { pid, offset } });
  assert.equal(second.id, id);
  await ended;
});

test("the reason of the loss decides", async (t) => {
  const watching = await watcher(t, server);
  for (const [packet, reason, recovers] of [
    ["x", "parse error", false],
    ["4abc", "forced close", true],
    ["2", "transport error", true],
    ["41", "client namespace disconnect", false],
  ]) {
    const join = async (auth) => {
      const peer = await WebSocketPeer.open(t, server);
      await peer.next();
      peer.send(`40${JSON.stringify(auth)}`);
      const reply = await peer.next((received) => received.startsWith("40"));
      return { peer, ...JSON.parse(reply.slice(2)) };
    };
    const { peer, sid, pid } = await join({});
    // An event, with its offset behind it.
    const event = await peer.next((received) => received.startsWith("42"));
    const offset = JSON.parse(event.slice(2)).at(-1);
    peer.send(packet);
    assert.equal(await serverReason(watching, sid), reason);
    const back = await join({ pid, offset });
    assert.equal(back.sid === sid, recovers, reason);
  }
});
