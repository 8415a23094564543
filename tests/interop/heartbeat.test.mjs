import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Socket as EngineSocket } from "engine.io-client";
import {
  assertEngineError,
  call,
  CERTIFICATE,
  connect,
  connected,
  nextEvent,
  onEachTransport,
  PollingPeer,
  serverReason,
  startServer,
  take,
  TRANSPORTS,
  watcher,
  WebSocketPeer,
  within,
} from "./support.mjs";

const server = await startServer({ PING_INTERVAL: "250", PING_TIMEOUT: "2500" });
const strict = await startServer({ CONNECT_TIMEOUT: "1000" });

// These tests mostly wait, so they do it together.
describe("heartbeat", { concurrency: true }, () => {
  onEachTransport("clients stay connected over several heartbeats", async (t, transport) => {
    const socket = await connect(t, server, { transport });
    let beats = 0;
    const fourth = new Promise((resolve, reject) => {
      socket.io.engine.on("ping", () => ++beats === 4 && resolve());
      socket.once("disconnect", (reason) => reject(new Error(reason)));
    });
    await within(fourth, "fourth ping");
    assert.equal(await call(socket, "echo-ack", "alive"), "alive");
  });

  test("the handshake names the intervals", async (t) => {
    const peer = await WebSocketPeer.connect(t, server);
    assert.equal(peer.handshake.pingInterval, 250);
    assert.equal(peer.handshake.pingTimeout, 2500);
  });

  test("a WebSocket that never answers times out", async (t) => {
    const watching = await watcher(t, server);
    const peer = await WebSocketPeer.connect(t, server);
    assert.equal(await peer.next(), "2");
    assert.equal(await serverReason(watching, peer.id), "ping timeout");
    await peer.closed();
  });

  test("polling that never answers times out", async (t) => {
    const watching = await watcher(t, server);
    const peer = await PollingPeer.connect(server);
    assert.equal(await peer.next(), "2");
    assert.equal(await serverReason(watching, peer.id), "ping timeout");
    assertEngineError(await peer.get(), 1);
  });

  test("polling that vanishes without a poll times out", async (t) => {
    const watching = await watcher(t, server);
    const peer = await PollingPeer.connect(server);
    assert.equal(await serverReason(watching, peer.id), "ping timeout");
  });

  test("messages do not replace the answer to a ping", async (t) => {
    const watching = await watcher(t, server);
    const peer = await WebSocketPeer.connect(t, server);
    // Every message of the server is answered by another, but no ping by a pong.
    peer.socket.on("message", () => peer.send('42["echo"]'));
    assert.equal(await peer.next(), "2");
    assert.equal(await serverReason(watching, peer.id), "ping timeout");
  });

  test("raw peers that answer stay connected", async (t) => {
    const websocket = await WebSocketPeer.connect(t, server);
    const polling = await PollingPeer.connect(server);
    for (let beat = 0; beat < 3; beat++) {
      await Promise.all([
        websocket.next((packet) => packet === "2").then(() => websocket.send("3")),
        polling.next((packet) => packet === "2").then(() => polling.post("3")),
      ]);
    }
    await websocket.assertAlive();
    await polling.assertAlive();
  });

  test("an unsolicited pong does no harm", async (t) => {
    const peer = await WebSocketPeer.connect(t, server);
    for (let i = 0; i < 10; i++) peer.send("3");
    await peer.assertAlive();
  });

  test("a ping of the client is an error", async (t) => {
    const watching = await watcher(t, server);
    const peer = await WebSocketPeer.connect(t, server);
    peer.send("2");
    assert.equal(await serverReason(watching, peer.id), "transport error");
    await peer.closed();
  });

  test("a WebSocket ping frame is answered", async (t) => {
    const peer = await WebSocketPeer.connect(t, server);
    const pong = nextEvent(peer.socket, "pong");
    peer.socket.ping("payload");
    assert.equal((await pong)[0].toString(), "payload");
  });

  onEachTransport("a client notices that its server stands still", async (t, transport) => {
    const frozen = await startServer({ PING_INTERVAL: "250", PING_TIMEOUT: "2500" });
    const socket = await connect(t, frozen, { transport, reconnection: true });
    const { id } = socket;
    frozen.signal("SIGSTOP");
    assert.equal((await take(socket, "disconnect"))[0], "ping timeout");
    frozen.signal("SIGCONT");
    await connected(socket);
    assert.notEqual(socket.id, id);
    assert.equal(await call(socket, "echo-ack", "alive"), "alive");
    await frozen.stop();
  });
});

// --- Connections without a namespace -------------------------------------------------------------

function engine(t, transport) {
  const options = { path: "/socket.io", ...TRANSPORTS[transport], ...CERTIFICATE };
  const socket = new EngineSocket(strict.url, options);
  t.after(() => socket.close());
  return socket;
}

describe("connect timeout", { concurrency: true }, () => {
  onEachTransport("a connection that never joins is closed", async (t, transport) => {
    const socket = engine(t, transport);
    const closed = nextEvent(socket, "close");
    await nextEvent(socket, "open");
    assert.equal((await closed)[0], "transport close");
  });

  test("a connection whose namespace was refused is closed", async (t) => {
    const peer = engine(t, "websocket");
    const closed = nextEvent(peer, "close");
    peer.on("open", () => peer.write("0/refused,"));
    assert.match((await nextEvent(peer, "message"))[0], /^4\/refused,/);
    assert.equal((await closed)[0], "transport close");
  });

  test("a connection that has joined in time is not closed", async (t) => {
    const joined = await connect(t, strict);
    const left = await WebSocketPeer.connect(t, strict);
    left.send("41");
    // A connection opened later reaches the limit: so would have the earlier ones.
    const idle = engine(t, "websocket");
    await nextEvent(idle, "close");
    assert.equal(await call(joined, "echo-ack", "alive"), "alive");
    left.send("40");
    await left.next((packet) => packet.startsWith("40"));
    await left.assertAlive();
  });
});
