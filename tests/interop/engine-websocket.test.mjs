import assert from "node:assert/strict";
import { test } from "node:test";
import { Socket as EngineSocket } from "engine.io-client";
import {
  ask,
  call,
  CERTIFICATE,
  connect,
  connectStream,
  enginePath,
  nextEvent,
  oursOnly,
  PollingPeer,
  serverReason,
  startServer,
  take,
  watcher,
  WebSocketPeer,
} from "./support.mjs";

const MAX_PAYLOAD = 20_000;
const server = await startServer({ MAX_PAYLOAD: String(MAX_PAYLOAD) });

test("the handshake over WebSocket", async (t) => {
  const peer = await WebSocketPeer.open(t, server);
  const open = await peer.next();
  const { sid, ...rest } = JSON.parse(open.replace(/^0/, ""));
  assert.match(sid, /^[\w-]{20,}$/);
  assert.deepEqual(rest, {
    upgrades: [],
    pingInterval: 25_000,
    pingTimeout: 20_000,
    maxPayload: MAX_PAYLOAD,
  });
});

test("engine.io-client exchanges messages", async (t) => {
  const options = { path: "/socket.io", transports: ["websocket"], ...CERTIFICATE };
  const socket = new EngineSocket(server.url, options);
  t.after(() => socket.close());
  await nextEvent(socket, "open");
  socket.write("0");
  assert.match((await nextEvent(socket, "message"))[0], /^0\{"sid":/);
});

test("nothing but the open packet comes before the client joins", async (t) => {
  const peer = await WebSocketPeer.open(t, server);
  assert.match(await peer.next(), /^0/);
  peer.send("40");
  assert.match(await peer.next(), /^40/);
});

test("a message in fragments", async (t) => {
  const peer = await WebSocketPeer.connect(t, server);
  peer.send('42["ec', { fin: false });
  peer.send('ho","fragme', { fin: false });
  peer.socket.ping();
  peer.send('nts"]', { fin: true });
  assert.equal(await peer.next(), '42["echo","fragments"]');
});

test("binary arrives as binary frames without a type", async (t) => {
  const peer = await WebSocketPeer.connect(t, server);
  peer.send('452-["echo",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]');
  peer.send(Buffer.of(1, 2));
  peer.send(Buffer.of());
  assert.equal(
    await peer.next(),
    '452-["echo",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]',
  );
  assert.deepEqual(await peer.next(), Buffer.of());
  assert.deepEqual(await peer.next(), Buffer.of(1, 2));
});

test("binary is accepted as base64 text too", async (t) => {
  const peer = await WebSocketPeer.connect(t, server);
  peer.send('451-["echo",{"_placeholder":true,"num":0}]');
  peer.send("bAQI=");
  await peer.next();
  assert.deepEqual(await peer.next(), Buffer.of(1, 2));
});

test("a client that asks for base64 gets binary as text", async (t) => {
  const peer = await WebSocketPeer.connect(t, server, { b64: "1" });
  peer.send('451-["echo",{"_placeholder":true,"num":0}]');
  peer.send(Buffer.of(1, 2));
  await peer.next();
  assert.equal(await peer.next(), "bAQI=");
});

test("a client that offers compression is served", async (t) => {
  const peer = await WebSocketPeer.connect(t, server, {}, { perMessageDeflate: true });
  peer.send(`42${JSON.stringify(["echo", "compressible ".repeat(500)])}`);
  assert.equal(JSON.parse((await peer.next()).slice(2))[1], "compressible ".repeat(500));
});

test("an attachment may be used several times and not at all", async (t) => {
  const peer = await WebSocketPeer.connect(t, server);
  const placeholder = '{"_placeholder":true,"num":1}';
  peer.send(`452-["echo",${placeholder},${placeholder}]`);
  peer.send(Buffer.of(1));
  peer.send(Buffer.of(2));
  await peer.next();
  assert.deepEqual(await peer.next(), Buffer.of(2));
  assert.deepEqual(await peer.next(), Buffer.of(2));
  await peer.assertAlive();
});

// --- Limits --------------------------------------------------------------------------------------

const eventOfLength = (length) => `42["echo","${"x".repeat(length - '42["echo",""]'.length)}"]`;

test("a message of exactly the limit is accepted", async (t) => {
  const peer = await WebSocketPeer.connect(t, server);
  peer.send(eventOfLength(MAX_PAYLOAD));
  assert.equal(await peer.next(), eventOfLength(MAX_PAYLOAD));
});

for (const [name, transmit] of Object.entries({
  "in one frame": (peer) => peer.send(eventOfLength(MAX_PAYLOAD + 1)),
  "in fragments": (peer) => {
    peer.send("x".repeat(MAX_PAYLOAD / 2), { fin: false });
    peer.send("x".repeat(MAX_PAYLOAD / 2), { fin: false });
    peer.send("x", { fin: true });
  },
  "in binary": (peer) => peer.send(Buffer.alloc(MAX_PAYLOAD + 1)),
})) {
  test(`a message over the limit ${name} closes with 1009`, async (t) => {
    const watching = await watcher(t, server);
    const peer = await WebSocketPeer.connect(t, server);
    transmit(peer);
    assert.equal(await peer.closed(), 1009);
    assert.equal(await serverReason(watching, peer.id), "transport error");
  });
}

test("an official client that sends too much is closed", async (t) => {
  const socket = await connect(t, server);
  socket.emit("echo", "x".repeat(MAX_PAYLOAD));
  const [reason, details] = await take(socket, "disconnect");
  assert.equal(reason, "transport close");
  assert.equal(details.context.code, 1009);
});

// --- Faults of the WebSocket protocol ------------------------------------------------------------

test("invalid UTF-8 closes with 1007", async (t) => {
  const watching = await watcher(t, server);
  const peer = await WebSocketPeer.connect(t, server);
  peer.send(Buffer.from([0x34, 0x32, 0xff, 0xfe]), { binary: false });
  assert.equal(await peer.closed(), 1007);
  assert.equal(await serverReason(watching, peer.id), "transport error");
});

for (const [name, frame] of Object.entries({
  "an unmasked frame": [0x81, 0x01, 0x32],
  "a reserved bit": [0xf1, 0x81, 0, 0, 0, 0, 0x32],
  "an unknown opcode": [0x83, 0x81, 0, 0, 0, 0, 0x32],
  "a fragmented ping": [0x09, 0x80, 0, 0, 0, 0],
  "a continuation of nothing": [0x80, 0x81, 0, 0, 0, 0, 0x32],
})) {
  test(`${name} closes with 1002`, async (t) => {
    const watching = await watcher(t, server);
    const peer = await WebSocketPeer.connect(t, server);
    peer.socket._socket.write(Buffer.from(frame));
    assert.equal(await peer.closed(), 1002);
    assert.equal(await serverReason(watching, peer.id), "transport error");
  });
}

// --- Refused handshakes --------------------------------------------------------------------------

for (const [name, query, message] of [
  ["an unknown session", { sid: "nobody" }, "Session ID unknown"],
  ["a session named __proto__", { sid: "__proto__" }, "Session ID unknown"],
  ["an unknown transport", { transport: "unknown" }, "Transport unknown"],
  ["a transport named __proto__", { transport: "__proto__" }, "Transport unknown"],
  ["a handshake that is forbidden", { forbidden: "1" }, "Forbidden"],
]) {
  test(`an upgrade request for ${name} is refused`, async (t) => {
    const { status, body } = await new WebSocketPeer(t, server, query).refused();
    assert.ok(status === 400 || (status === 403 && message === "Forbidden"), String(status));
    assert.ok(body.includes(message), body);
  });
}

test("another protocol revision is refused", async (t) => {
  // The reference refuses it only after it has switched protocols.
  await new WebSocketPeer(t, server, { EIO: "3" }).closed();
});

test("an upgrade request for polling is refused", async (t) => {
  const peer = new WebSocketPeer(t, server, { transport: "polling" });
  assert.ok([0, 1000, 1005, 1006].includes(await peer.closed()));
});

for (const headers of [
  { "Sec-WebSocket-Version": "12", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==" },
  { "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "short" },
  { "Sec-WebSocket-Version": "13" },
]) {
  test(`bad handshake headers are refused: ${JSON.stringify(headers)}`, async (t) => {
    const lines = Object.entries({
      Host: `127.0.0.1:${server.port}`,
      Connection: "Upgrade",
      Upgrade: "websocket",
      ...headers,
    }).map(([key, value]) => `${key}: ${value}\r\n`);
    const path = enginePath({ transport: "websocket" });
    const answer = await rawAnswer(t, `GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
    assert.match(answer, /^HTTP\/1\.1 4\d\d /);
  });
}

const losesEarlyFrames = oursOnly("it loses what arrives before the session exists");
test("frames sent together with the upgrade request are handled", losesEarlyFrames, async (t) => {
  const path = enginePath({ transport: "websocket" });
  const request = Buffer.from(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nConnection: Upgrade\r\n` +
      "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
  );
  const join = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x34, 0x30]);
  const answer = await rawAnswer(t, Buffer.concat([request, join]), /40\{"sid"/);
  assert.match(answer, /^HTTP\/1\.1 101 /);
});

test("garbage together with the upgrade request does no harm", async (t) => {
  for (const sid of [undefined, (await PollingPeer.connect(server)).handshake.sid]) {
    const path = enginePath({ transport: "websocket", ...(sid && { sid }) });
    await rawAnswer(
      t,
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nConnection: Upgrade\r\n` +
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n\xff\xff\xff\xff\xff garbage",
    );
  }
  await connect(t, server);
});

/** Everything a raw TCP connection receives until `pattern` appears or the server closes. */
async function rawAnswer(t, request, pattern) {
  const socket = connectStream(server);
  t.after(() => socket.destroy());
  let answer = "";
  socket.on("error", () => socket.emit("finished"));
  socket.on("end", () => socket.emit("finished"));
  socket.on("data", (chunk) => {
    answer += chunk.toString("latin1");
    if (pattern?.test(answer)) socket.emit("finished");
  });
  const finished = nextEvent(socket, "finished", "end of the raw answer");
  socket.write(request, "latin1");
  await finished;
  return answer;
}

// --- Engine.IO packets ---------------------------------------------------------------------------

for (const [packet, reason] of [
  ["2", "transport error"],
  ["9", "parse error"],
  ["x", "parse error"],
  ["", "parse error"],
]) {
  test(`packet ${JSON.stringify(packet)} ends the session: ${reason}`, async (t) => {
    const watching = await watcher(t, server);
    const peer = await WebSocketPeer.connect(t, server);
    peer.send(packet);
    assert.equal(await serverReason(watching, peer.id), reason);
    await peer.closed();
  });
}

for (const packet of ["0", "5", "6", "3"]) {
  test(`packet ${JSON.stringify(packet)} is ignored`, async (t) => {
    const peer = await WebSocketPeer.connect(t, server);
    peer.send(packet);
    await peer.assertAlive();
  });
}

test("the close packet is ignored on a WebSocket or ends the session", async (t) => {
  const watching = await watcher(t, server);
  const peer = await WebSocketPeer.connect(t, server);
  peer.send("1");
  peer.socket.close();
  assert.equal(await serverReason(watching, peer.id), "transport close");
});

test("a burst to a client that reads slowly arrives in full", async (t) => {
  const peer = await WebSocketPeer.connect(t, server);
  peer.socket.pause();
  peer.send('42["burst",2000]');
  const other = await connect(t, server);
  for (let i = 0; i < 20; i++) await ask(other, "in-room", peer.id, "x".repeat(10_000));
  peer.socket.resume();
  const first = await peer.next((packet) => packet.startsWith('42["burst"'));
  assert.equal(first, '42["burst",0]');
  for (let i = 1; i < 2000; i++) {
    assert.equal(await peer.next((packet) => packet.startsWith('42["burst"')), `42["burst",${i}]`);
  }
});

test("the server has survived all of this", async (t) => {
  const socket = await connect(t, server, { transport: "upgrade" });
  assert.equal(await call(socket, "echo-ack", "alive"), "alive");
});
