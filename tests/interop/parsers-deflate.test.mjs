// A parser and compression together, on WebSockets (RFC 7692) and on polling: the official parser of
// MessagePack at both ends of the official client, and raw peers.
import assert from "node:assert/strict";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import msgpack from "socket.io-msgpack-parser";
import {
  PollingPeer,
  WebSocketPeer,
  ask,
  call,
  client,
  connect,
  connected,
  onEachTransport,
  serverReason,
  startServer,
  take,
  upgraded,
  watcher,
} from "./support.mjs";
import { decode, encode } from "./msgpack.mjs";

const THRESHOLD = 1024;
const both = { PARSER: "msgpack", DEFLATE: String(THRESHOLD), HTTP_COMPRESSION: String(THRESHOLD) };
const server = await startServer({ ...both, ALLOW_EIO3: "1" });
const withContext = await startServer({ ...both, DEFLATE: "0", CONTEXT_TAKEOVER: "1" });
const servers = [server, withContext];
const parser = { parser: msgpack };
const { CONNECT, EVENT, ACK } = msgpack.PacketType;

const ticks = (count) =>
  Array.from({ length: count }, (_, i) => ({ symbol: `S${i % 9}`, price: i * 0.25, at: 1e9 + i }));
const pattern = (length) => Buffer.from(Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 0x3f));
const noise = (length) => {
  let state = 1;
  return Buffer.from(
    Array.from({ length }, () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 24),
  );
};

const webSocketOf = (socket) => socket.io.engine.transport.ws;

/** Bytes that a WebSocket reads, headers and TLS included, until `action` is done. */
async function bytesRead(webSocket, action) {
  const before = webSocket._socket.bytesRead;
  await action();
  return webSocket._socket.bytesRead - before;
}

for (const transport of ["websocket", "upgrade"]) {
  test(`events and acknowledgements with binary data, both ways [${transport}]`, async (t) => {
    for (const each of servers) {
      const socket = await connect(t, each, { ...parser, transport });
      const webSocket = webSocketOf(socket);
      assert.match(webSocket.extensions, /^permessage-deflate/);
      const sent = [ticks(500), { file: pattern(50_000) }, Buffer.alloc(0), "small", null];
      const size = encode({ type: EVENT, nsp: "/", data: sent }).length;
      socket.on("question", (...args) => args.pop()(...args));
      for (const [action, answer] of [
        [() => socket.emit("echo", ...sent), "echo"],
        [() => socket.emit("ask", 5_000, "question", ...sent), "answer"],
      ]) {
        const read = await bytesRead(webSocket, async () => {
          action();
          assert.deepEqual(await take(socket, answer), sent);
        });
        // A question comes twice.
        assert.ok(read < size / 2, `${answer}: ${read} of ${size}`);
      }
      assert.deepEqual(await ask(socket, "echo-ack", ...sent), sent);
      // What does not become shorter, and what is below the threshold.
      for (const args of [[noise(50_000)], ["a"], []]) {
        assert.deepEqual(await ask(socket, "echo-ack", ...args), args);
      }
    }
  });
}

test("rooms of clients with and without the extension, and on polling", async (t) => {
  for (const each of servers) {
    const sockets = await Promise.all(
      [
        { perMessageDeflate: true },
        { perMessageDeflate: false },
        { perMessageDeflate: { serverNoContextTakeover: true } },
        { perMessageDeflate: { threshold: 0, clientNoContextTakeover: true } },
        { transport: "polling" },
        { transport: "upgrade" },
        { forceBase64: true },
      ].map((options) => connect(t, each, { ...parser, ...options })),
    );
    assert.match(webSocketOf(sockets[0]).extensions, /^permessage-deflate/);
    assert.equal(webSocketOf(sockets[1]).extensions, "");
    for (const socket of sockets) await call(socket, "join", "room");
    const text = ticks(300);
    const sent = { text, files: [pattern(20_000), noise(2_000), Buffer.alloc(0)] };
    const size = encode({ type: EVENT, nsp: "/", data: ["room", sent] }).length;
    for (let round = 0; round < 4; round++) {
      const receive = (socket) => async () => {
        assert.deepEqual(await take(socket, "room"), [sent]);
        // Between the broadcasts, something of its own, which may refer to what came before.
        assert.deepEqual(await ask(socket, "echo-ack", text), [text]);
      };
      const reads = sockets.map((socket) => {
        const webSocket = webSocketOf(socket);
        return webSocket ? bytesRead(webSocket, receive(socket)) : receive(socket)();
      });
      sockets[round].emit("in-room", "room", sent);
      const [compressed, uncompressed] = await Promise.all(reads);
      assert.ok(compressed < size / 2, `${compressed} of ${size}`);
      assert.ok(uncompressed > size, `${uncompressed} of ${size}`);
    }
    const answers = sockets.map(({ id }) => "a".repeat(3_000) + id);
    sockets.forEach((socket, i) => socket.on("question", (answer) => answer(answers[i])));
    const { timedOut, responses } = await call(sockets[0], "broadcast-ack", 5_000, "question");
    assert.deepEqual([timedOut, responses], [false, answers.sort()]);
    sockets.forEach((socket) => socket.disconnect());
  }
});

test("nothing is lost or changes its place during the upgrade", async (t) => {
  for (const each of servers) {
    const socket = client(t, each, { ...parser, transport: "upgrade" });
    const text = ticks(50);
    for (let i = 0; i < 200; i++) socket.emit("echo", i, text, Buffer.of(i));
    await connected(socket);
    for (let i = 0; i < 200; i++) {
      assert.deepEqual(await take(socket, "echo"), [i, text, Buffer.of(i)]);
    }
    await upgraded(socket);
  }
});

onEachTransport("a client gets back what it missed", async (t, transport) => {
  const own = await startServer({ ...both, RECOVERY: "60000" });
  const socket = await connect(t, own, { ...parser, transport });
  const other = await connect(t, own, parser);
  const watching = await watcher(t, own, parser);
  const { id } = socket;
  const lost = take(socket, "disconnect");
  socket.io.engine.close();
  await lost;
  await serverReason(watching, id);
  for (let i = 0; i < 5; i++) await call(other, "emit-all", i, ticks(100), pattern(5_000));
  const back = connected(socket);
  socket.connect();
  await back;
  assert.deepEqual([socket.recovered, socket.id], [true, id]);
  for (let i = 0; i < 5; i++) {
    // Behind it is the offset.
    const [number, text, data] = await take(socket, "all");
    assert.deepEqual([number, text, data], [i, ticks(100), pattern(5_000)]);
  }
  await own.stop();
});

// --- On the wire ---------------------------------------------------------------------------------

const offer = { perMessageDeflate: { threshold: 0 } };

/** A WebSocket that speaks MessagePack and compresses it. */
async function rawPeer(t, each) {
  const peer = await WebSocketPeer.open(t, each, {}, offer);
  assert.match(peer.extensions, /^permessage-deflate/);
  await peer.next();
  peer.send(encode({ type: CONNECT, nsp: "/" }));
  assert.equal(decode(await peer.next()).type, CONNECT);
  assert.equal(decode(await peer.next()).data[0], "auth");
  return peer;
}

test("a compressed message is one packet, in fragments too", async (t) => {
  for (const each of servers) {
    const peer = await rawPeer(t, each);
    for (const length of [0, 10, THRESHOLD, 70_000]) {
      const args = [pattern(length), { n: length }];
      const packet = encode({ type: EVENT, nsp: "/", id: length, data: ["echo-ack", ...args] });
      peer.send(packet);
      assert.deepEqual(decode(await peer.next()), { type: ACK, nsp: "/", id: length, data: args });
      for (let i = 0; i < packet.length; i += 20_000) {
        peer.send(packet.subarray(i, i + 20_000), { fin: i + 20_000 >= packet.length });
      }
      assert.deepEqual(decode(await peer.next()).data, args);
    }
  }
});

test("a compressed message that is no packet closes the connection, and a bomb too", async (t) => {
  for (const each of servers) {
    const other = await connect(t, each, parser);
    for (const [data, code] of [
      [Buffer.alloc(5_000, 0xc1), 1005],
      [encode([1, 2, 3]), 1005],
      [encode({ type: EVENT, nsp: "/", data: ["a", "b".repeat(5_000)] }).subarray(0, -1), 1005],
      ["4" + '2["echo"]'.repeat(500), 1005],
      [encode({ type: EVENT, nsp: "/", data: ["a", Buffer.alloc(50_000_000)] }), 1009],
    ]) {
      const peer = await rawPeer(t, each);
      peer.send(data);
      assert.equal(await peer.closed(), code);
      assert.deepEqual(await ask(other, "echo-ack", 1), [1]);
    }
  }
});

test("clients of Engine.IO 3 have a type in front of it", async (t) => {
  const peer = await WebSocketPeer.open(t, server, { EIO: "3" }, offer);
  assert.match(peer.extensions, /^permessage-deflate/);
  const next = async () => {
    const data = await peer.next((message) => Buffer.isBuffer(message));
    assert.equal(data[0], 4);
    return decode(data.subarray(1));
  };
  assert.equal((await next()).type, CONNECT);
  assert.equal((await next()).data[0], "auth");
  const data = ["echo", ticks(200), pattern(5_000)];
  const packet = encode({ type: EVENT, nsp: "/", data });
  peer.send(Buffer.concat([Buffer.of(4), packet]));
  const read = await bytesRead(peer.socket, async () => {
    assert.deepEqual((await next()).data, data);
  });
  assert.ok(read < packet.length / 2, `${read} of ${packet.length}`);
});

test("on polling it is base64, compressed", async () => {
  const peer = await PollingPeer.open(server);
  const post = (packet) => peer.post(`b${encode(packet).toString("base64")}`);
  await post({ type: CONNECT, nsp: "/" });
  const isPacket = (packet) => packet.startsWith("b");
  const plain = async () => decode(Buffer.from((await peer.next(isPacket)).slice(1), "base64"));
  assert.equal((await plain()).type, CONNECT);
  assert.equal((await plain()).data[0], "auth");
  for (const [file, isCompressed] of [
    [pattern(20_000), true],
    [Buffer.alloc(100), false],
  ]) {
    const data = ["echo", file, { more: [file] }];
    await post({ type: EVENT, nsp: "/", data });
    const response = await peer.get({ "accept-encoding": "gzip" });
    assert.equal(response.headers["content-encoding"], isCompressed ? "gzip" : undefined);
    const body = (isCompressed ? gunzipSync(response.raw) : response.raw).toString();
    assert.equal(body[0], "b");
    assert.ok(!isCompressed || response.raw.length < body.length / 2);
    assert.deepEqual(decode(Buffer.from(body.slice(1), "base64")).data, data);
    // Nobody has to take it compressed.
    await post({ type: EVENT, nsp: "/", data });
    assert.deepEqual((await plain()).data, data);
  }
});
