// The official MessagePack parser at both ends of the official client, and raw peers that show what is
// on the wire.
import assert from "node:assert/strict";
import { test } from "node:test";
import msgpack from "socket.io-msgpack-parser";
import {
  PollingPeer,
  WebSocketPeer,
  ask,
  call,
  client,
  connect,
  connectMany,
  connected,
  held,
  namespaceOf,
  oursOnly,
  onEachTransport,
  serverReason,
  startServer,
  take,
  watcher,
  within,
} from "./support.mjs";
import { decode, encode } from "./msgpack.mjs";

const server = await startServer({ PARSER: "msgpack", ALLOW_EIO3: "1" });
const parser = { parser: msgpack };
const { CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR } = msgpack.PacketType;

const join = (t, options) => connect(t, server, { ...parser, ...options });
const bytes = (...values) => Buffer.from(values);
const pattern = (length) => Buffer.from(Array.from({ length }, (_, i) => (i * 31) & 0xff));
const nested = (depth, inner) => (depth === 0 ? inner : [nested(depth - 1, inner)]);

const SHAPES = {
  nothing: [],
  "every kind of value": [null, true, false, "", "text", [], {}, [[null]], { a: { b: [1, { c: null }] } }],
  integers: [0, 1, 127, 128, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER],
  "negative integers": [-1, -32, -33, -128, -129, -32_768, -32_769, -(2 ** 31), -(2 ** 31) - 1, Number.MIN_SAFE_INTEGER],
  // Not beyond 2^64: notepack writes integers of that size as others.
  floats: [0.5, -1.25, 0.1, 1 / 3, 5e-324, 1.5e-300, 123_456.789],
  "text of all lengths": [31, 32, 255, 256, 65_535, 65_536].map((length) => "x".repeat(length)),
  "text of all kinds": ["\0\x01\x1f\"\\/\b\n", "grüße", "€", "\u{1f980}", "\u2028"],
  "arrays of all lengths": [15, 16, 65_535, 65_536].map((length) => Array(length).fill(1)),
  "objects of all lengths": [15, 16, 300].map((length) =>
    Object.fromEntries(Array.from({ length }, (_, i) => [`key ${i}`, i])),
  ),
  "depth": [nested(100, "deep")],
  "binary data at any depth": [bytes(0, 255), { a: [bytes(1), { b: bytes() }] }, "x", [[bytes(2)]]],
  "binary data of all lengths": [255, 256, 65_535, 65_536].map(pattern),
  "ten pieces of binary data": Array.from({ length: 10 }, (_, i) => bytes(i)),
  "what looks like a placeholder": [{ _placeholder: true, num: 0 }, [{ _placeholder: true }]],
};

for (const [name, args] of Object.entries(SHAPES)) {
  onEachTransport(`echo and acknowledgement of ${name}`, async (t, transport) => {
    const socket = await join(t, { transport });
    socket.emit("echo", ...args);
    assert.deepEqual(await take(socket, "echo"), args);
    assert.deepEqual(await ask(socket, "echo-ack", ...args), args);
  });
}

test("typed arrays and array buffers are binary data", async (t) => {
  const socket = await join(t);
  const sent = [new Uint8Array([1, 2, 3]), new Uint8Array([4]).buffer, new ArrayBuffer(300)];
  const received = await ask(socket, "echo-ack", ...sent);
  assert.deepEqual(received.map((data) => Buffer.from(data)), sent.map((data) => Buffer.from(data)));
});

test("undefined is left out, and a date is a text", oursOnly("both stay what they are"), async (t) => {
  const socket = await join(t);
  const date = new Date(1_700_000_000_123);
  const sent = [undefined, { a: undefined, b: 1 }, date, new Date(NaN), NaN, Infinity];
  const expected = [null, { b: 1 }, date.toJSON(), null, null, null];
  // What JSON makes of them, but for the invalid date: notepack writes that as 1970.
  expected[3] = new Date(0).toJSON();
  assert.deepEqual(await ask(socket, "echo-ack", ...sent), expected);
});

test("integers of 64 bits are not rounded on the way", oursOnly("JavaScript has doubles"), async (t) => {
  const peer = await RawPeer.connect(t);
  const most = Buffer.from("cfffffffffffffffff", "hex");
  const least = Buffer.from("d38000000000000001", "hex");
  const packet = encode({ type: EVENT, data: ["echo", "most", "least"], nsp: "/" });
  const replaced = Buffer.from(
    packet.toString("latin1").replace("\xa4most", most.toString("latin1")).replace("\xa5least", least.toString("latin1")),
    "latin1",
  );
  peer.send(replaced);
  const answer = await peer.next();
  assert.ok(answer.includes(most) && answer.includes(least), answer.toString("hex"));
});

onEachTransport("the server asks, and gets an answer with binary data", async (t, transport) => {
  const socket = await join(t, { transport });
  socket.on("question", (value, answer) => answer(value, { data: bytes(9) }));
  await ask(socket, "ask", 5_000, "question", bytes(7, 8));
  assert.deepEqual(await take(socket, "answer"), [bytes(7, 8), { data: bytes(9) }]);
  const silent = await join(t, { transport });
  await ask(silent, "ask", 50, "question");
  assert.deepEqual(await take(silent, "answer-error"), []);
});

onEachTransport("namespaces and auth", async (t, transport) => {
  const auth = { token: "secret", list: [1, null, { a: "b" }] };
  const socket = await join(t, { transport, namespace: "/token", auth });
  assert.deepEqual(await take(socket, "auth"), [auth]);
  const other = namespaceOf(t, socket, "/custom");
  await connected(other);
  assert.deepEqual(await take(other, "auth"), [{}]);
  assert.deepEqual(await ask(other, "echo-ack", bytes(1)), [bytes(1)]);
  other.disconnect();
  assert.deepEqual(await ask(socket, "echo-ack", bytes(2)), [bytes(2)]);
  const made = namespaceOf(t, socket, "/dynamic-parsers");
  await connected(made);
  assert.deepEqual(await ask(made, "echo-ack", 1), [1]);
});

onEachTransport("refusals, with their data", async (t, transport) => {
  const refusal = async (namespace, options) => {
    const socket = client(t, server, { ...parser, transport, namespace, ...options });
    const [error] = await take(socket, "connect_error");
    return [error.message, error.data];
  };
  assert.deepEqual(await refusal("/refused"), ["not allowed", { code: 42 }]);
  assert.deepEqual(await refusal("/token", { auth: { token: "wrong" } }), ["bad token", undefined]);
  assert.deepEqual(await refusal("/nope"), ["Invalid namespace", undefined]);
});

onEachTransport("rooms and broadcasts", async (t, transport) => {
  const namespace = `/dynamic-broadcasts-${transport}`;
  const [one, two, three] = await connectMany(t, server, 3, { ...parser, transport, namespace });
  await call(one, "join", "room");
  await call(two, "join", "room");
  await call(three, "to-room", "room", { data: bytes(1), list: [1.5] });
  for (const socket of [one, two]) {
    assert.deepEqual(await take(socket, "room"), [{ data: bytes(1), list: [1.5] }]);
  }
  await call(one, "emit-all", "all", bytes(3));
  for (const socket of [one, two, three]) {
    assert.deepEqual(await take(socket, "all"), ["all", bytes(3)]);
    socket.on("question", (answer) => answer(socket.id));
  }
  assert.deepEqual(held(three, "room"), []);
  const { timedOut, responses } = await call(one, "broadcast-ack", 5_000, "question");
  assert.deepEqual([timedOut, responses], [false, [one, two, three].map(({ id }) => id).sort()]);
});

test("either side leaves", async (t) => {
  const watching = await watcher(t, server, parser);
  const socket = await join(t);
  const { id } = socket;
  socket.disconnect();
  assert.equal(await serverReason(watching, id), "client namespace disconnect");
  for (const close of [false, true]) {
    const other = await join(t);
    other.emit("disconnect-me", close);
    const [reason] = await take(other, "disconnect");
    assert.equal(reason, "io server disconnect");
  }
});

test("nothing is lost or changes its place during the upgrade", async (t) => {
  const upgrading = client(t, server, { ...parser, transport: "upgrade" });
  const count = 500;
  const received = [];
  const done = new Promise((resolve) => {
    upgrading.on("echo", (number, data) => {
      assert.deepEqual(data, bytes(number & 0xff));
      if (received.push(number) === count) resolve();
    });
  });
  for (let i = 0; i < count; i++) upgrading.emit("echo", i, bytes(i & 0xff));
  await within(done, "all echoes");
  assert.deepEqual(received, [...Array(count).keys()]);
});

onEachTransport("a client gets its state back and what it missed", async (t, transport) => {
  const own = await startServer({ PARSER: "msgpack", RECOVERY: "60000" });
  const namespace = "/custom";
  const socket = await connect(t, own, { ...parser, transport, namespace });
  const other = await connect(t, own, { ...parser, namespace });
  const watching = await watcher(t, own, parser);
  const { id } = socket;
  await call(other, "emit-all", "first");
  await take(socket, "all");
  socket.io.reconnection(false);
  const lost = take(socket, "disconnect");
  socket.io.engine.close();
  await lost;
  await serverReason(watching, id);
  for (let i = 0; i < 5; i++) await call(other, "emit-all", i, bytes(i));
  const back = connected(socket);
  socket.connect();
  await back;
  assert.deepEqual([socket.recovered, socket.id], [true, id]);
  for (let i = 0; i < 5; i++) {
    const [number, data] = await take(socket, "all");
    assert.deepEqual([number, data], [i, bytes(i)]);
  }
  await own.stop();
});

// --- On the wire ---------------------------------------------------------------------------------

/** A WebSocket that speaks MessagePack. */
class RawPeer extends WebSocketPeer {
  static async connect(t, query) {
    const peer = await WebSocketPeer.open(t, server, query);
    const open = await peer.next();
    assert.equal(open[0], "0");
    peer.send(encode({ type: CONNECT, nsp: "/" }));
    const confirmation = decode(await peer.next());
    assert.deepEqual([confirmation.type, confirmation.nsp], [CONNECT, "/"]);
    assert.equal(typeof confirmation.data.sid, "string");
    assert.deepEqual(decode(await peer.next()).data, ["auth", {}]);
    return peer;
  }
}

test("a packet is one binary message", async (t) => {
  const peer = await RawPeer.connect(t);
  peer.send(encode({ type: EVENT, data: ["echo", bytes(1), [bytes(2)]], nsp: "/" }));
  assert.deepEqual(decode(await peer.next()), {
    type: EVENT,
    data: ["echo", bytes(1), [bytes(2)]],
    nsp: "/",
  });
  peer.send(encode({ type: EVENT, data: ["echo-ack", bytes(3)], nsp: "/", id: 0, options: { compress: true } }));
  assert.deepEqual(decode(await peer.next()), { type: ACK, data: [bytes(3)], nsp: "/", id: 0 });
  peer.send(encode({ type: CONNECT, nsp: "/nope", data: undefined }));
  assert.deepEqual(decode(await peer.next()), {
    type: CONNECT_ERROR,
    data: { message: "Invalid namespace" },
    nsp: "/nope",
  });
  peer.send(encode({ type: EVENT, data: ["disconnect-me", false], nsp: "/" }));
  assert.deepEqual(decode(await peer.next()), { type: DISCONNECT, nsp: "/" });
});

test("on polling it is base64", async () => {
  const peer = await PollingPeer.open(server);
  await peer.post(`b${encode({ type: CONNECT, nsp: "/" }).toString("base64")}`);
  const isPacket = (packet) => packet.startsWith("b");
  const next = async () => decode(Buffer.from((await peer.next(isPacket)).slice(1), "base64"));
  assert.equal((await next()).type, CONNECT);
  assert.deepEqual((await next()).data, ["auth", {}]);
  const packet = encode({ type: EVENT, data: ["echo", bytes(1)], nsp: "/" });
  await peer.post(`b${packet.toString("base64")}`);
  assert.deepEqual((await next()).data, ["echo", bytes(1)]);
});

test("clients of Engine.IO 3 may speak it too", async (t) => {
  const peer = await WebSocketPeer.open(t, server, { EIO: "3" });
  const packet = async () => {
    const data = await peer.next((message) => Buffer.isBuffer(message));
    assert.equal(data[0], 4);
    return decode(data.subarray(1));
  };
  const send = (what) => peer.send(Buffer.concat([bytes(4), encode(what)]));
  // It is in `/` without asking.
  assert.deepEqual(await packet(), { type: CONNECT, nsp: "/" });
  assert.equal((await packet()).data[0], "auth");
  send({ type: CONNECT, nsp: "/token?token=secret" });
  assert.deepEqual(await packet(), { type: CONNECT, nsp: "/token" });
  assert.deepEqual(await packet(), { type: EVENT, data: ["auth", { token: "secret" }], nsp: "/token" });
  send({ type: EVENT, data: ["echo", bytes(1)], nsp: "/token" });
  assert.deepEqual((await packet()).data, ["echo", bytes(1)]);
});

const MALFORMED = {
  "no MessagePack": bytes(0xc1),
  nothing: bytes(),
  "no packet": encode([1, 2, 3]),
  "an unknown type": encode({ type: 7, nsp: "/" }),
  "a type that is none": encode({ type: "2", data: ["a"], nsp: "/" }),
  "no namespace": encode({ type: EVENT, data: ["a"] }),
  "a namespace that is no text": encode({ type: EVENT, data: ["a"], nsp: 1 }),
  "an event without a list": encode({ type: EVENT, data: { 0: "a" }, nsp: "/" }),
  "an id that is no number": encode({ type: EVENT, data: ["a"], nsp: "/", id: "1" }),
  "an id that is nothing": encode({ type: EVENT, data: ["a"], nsp: "/", id: null }),
  "auth that is no object": encode({ type: CONNECT, data: "a", nsp: "/custom" }),
  "a disconnect with data": encode({ type: DISCONNECT, data: {}, nsp: "/" }),
  "something behind it": Buffer.concat([encode({ type: EVENT, data: ["a"], nsp: "/" }), bytes(0)]),
  "something missing": encode({ type: EVENT, data: ["abc"], nsp: "/" }).subarray(0, -1),
  "the default form": '2["echo"]',
};

for (const [name, packet] of Object.entries(MALFORMED)) {
  test(`${name} closes the connection`, async (t) => {
    const watching = await watcher(t, server, parser);
    const peer = await RawPeer.connect(t);
    peer.send(encode({ type: EVENT, data: ["rooms"], nsp: "/", id: 1 }));
    const { data } = decode(await peer.next());
    const id = data[0][0];
    peer.send(typeof packet === "string" ? `4${packet}` : packet);
    await peer.closed();
    assert.equal(await serverReason(watching, id), "forced close");
  });
}

test("a literal placeholder beside binary data closes it", oursOnly("it is data"), async (t) => {
  const peer = await RawPeer.connect(t);
  peer.send(encode({ type: EVENT, data: ["echo", { _placeholder: true, num: 0 }, bytes(1)], nsp: "/" }));
  await peer.closed();
});

test("a client of the default form is not understood", async (t) => {
  const peer = await WebSocketPeer.open(t, server);
  await peer.next();
  peer.send("40");
  await peer.closed();
});
