import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ask,
  assertNothing,
  call,
  connect,
  connectMany,
  nextEvent,
  onEachTransport,
  startServer,
  take,
} from "./support.mjs";

const server = await startServer();

const nested = (depth) => JSON.parse("[".repeat(depth) + "]".repeat(depth));

// Each list is echoed as the arguments of one event.
const SHAPES = {
  "strings": ["", "plain", " ", '"quoted" \\ / \b\f\n\r\t', "\u0000\u001f\u007f"],
  "unicode": ["äöü ß €", "日本語", "😀👩‍👩‍👧‍👦", "\u2028\u2029", "e\u0301", "\ufeff"],
  "lone surrogates": ["\ud800", "\udc00x", "x\ud83d", { "\udfff": "\udfff" }],
  "record separators": ["\x1e", "a\x1eb\x1e", { "\x1e": ["\x1e1"] }],
  "text that looks like a packet": ["42[]", "1", "41", "b64", "3probe", "451-[]", ",", "/admin,"],
  "numbers": [0, -1, 1.5, 1e21, -1e-7, 5e-324, 1.7976931348623157e308, 2 ** 53 - 1, 2 ** 63],
  "booleans and null": [true, false, null],
  "empty containers": [[], {}, [[]], [{}], { a: [] }],
  "nested containers": [{ a: { b: [1, { c: [null, "d", [true]] }] } }, [[1], [[2]], { x: [] }]],
  "depth 50": [nested(50)],
  "an array of 1000": [Array.from({ length: 1000 }, (_, i) => ({ i, text: `item ${i}` }))],
  "an object of 1000 keys": [
    Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`k${i}`, i])),
  ],
  "keys with a meaning in JavaScript": [
    JSON.parse('{"__proto__":{"polluted":true},"constructor":1,"toString":2,"length":3}'),
  ],
  "keys that are hard to write": [{ "": 1, " ": 2, '"': 3, "\\": 4, "1": 5, "-1": 6, "ключ": 7 }],
  "placeholder look-alikes": [{ _placeholder: false, num: 0 }, { _placeholder: 1 }, { num: 0 }],
  "100 kB of text": ["x".repeat(100_000)],
  "100 kB of three-byte characters": ["€".repeat(33_000)],
  "200 arguments": Array.from({ length: 200 }, (_, i) => i),
};

for (const [name, args] of Object.entries(SHAPES)) {
  onEachTransport(`echo of ${name}`, async (t, transport) => {
    const socket = await connect(t, server, { transport });
    socket.emit("echo", ...args);
    const echoed = await take(socket, "echo");
    assert.equal(JSON.stringify(echoed), JSON.stringify(args));
    assert.equal({}.polluted, undefined);
  });
}

onEachTransport("the events of the protocol's own suite", async (t, transport) => {
  const socket = await connect(t, server, { transport });
  socket.emit("message", 1, "2", { 3: [true] });
  assert.deepEqual(await take(socket, "message-back"), [1, "2", { 3: [true] }]);
  assert.deepEqual(await ask(socket, "message-with-ack", 1, [null]), [1, [null]]);
});

onEachTransport("an event may have no arguments", async (t, transport) => {
  const socket = await connect(t, server, { transport });
  socket.emit("echo");
  assert.deepEqual(await take(socket, "echo"), []);
});

test("what JSON cannot express arrives as null or not at all", async (t) => {
  const socket = await connect(t, server);
  const date = new Date(0);
  socket.emit("echo", undefined, NaN, Infinity, -0, date, { gone: undefined, kept: null });
  const expected = [null, null, null, 0, "1970-01-01T00:00:00.000Z", { kept: null }];
  assert.deepEqual(await take(socket, "echo"), expected);
});

const NAMES = ["0", "42", "-1", "", " ", "message", "error", "connection", "toString", "__proto__"];
for (const name of [...NAMES, "日本語 😀", 'quo"te\\', "with,comma", "/slash", "x".repeat(120)]) {
  const shown = name.length > 20 ? `${name.slice(0, 3)}... (${name.length} characters)` : name;
  test(`event name ${JSON.stringify(shown)}`, async (t) => {
    const socket = await connect(t, server);
    await ask(socket, "on-any");
    socket.emit(name, 1, "two");
    assert.deepEqual(await take(socket, "seen"), [name, [1, "two"]]);
  });
}

test("the catch-all sees events with and without a handler, in order", async (t) => {
  const socket = await connect(t, server);
  await ask(socket, "on-any");
  socket.emit("unknown");
  await ask(socket, "echo-ack", "a", { b: 1 });
  socket.emit("other", [1]);
  assert.deepEqual(await take(socket, "seen"), ["unknown", []]);
  assert.deepEqual(await take(socket, "seen"), ["echo-ack", ["a", { b: 1 }]]);
  assert.deepEqual(await take(socket, "seen"), ["other", [[1]]]);
});

test("events without a handler do no harm", async (t) => {
  const socket = await connect(t, server);
  for (let i = 0; i < 100; i++) socket.emit(`nobody-${i}`, i);
  assert.equal(await call(socket, "echo-ack", "alive"), "alive");
});

onEachTransport("send arrives as the event message", async (t, transport) => {
  const socket = await connect(t, server, { transport });
  await ask(socket, "on-any");
  socket.send("hello", 1);
  assert.deepEqual(await take(socket, "seen"), ["message", ["hello", 1]]);
});

onEachTransport("1000 events arrive at the server in order", async (t, transport) => {
  const socket = await connect(t, server, { transport });
  for (let i = 0; i < 1000; i++) socket.emit("collect", i);
  assert.deepEqual(await call(socket, "collected"), [...Array(1000).keys()]);
});

onEachTransport("1000 events arrive at the client in order", async (t, transport) => {
  const socket = await connect(t, server, { transport });
  const received = [];
  socket.on("burst", (i) => received.push(i));
  await ask(socket, "burst", 1000);
  assert.deepEqual(received, [...Array(1000).keys()]);
});

onEachTransport("events, large and small, keep their order", async (t, transport) => {
  const socket = await connect(t, server, { transport });
  const sizes = [1, 60_000, 2, 200_000, 0, 125, 126, 65_535, 65_536, 3, 100_000, 4];
  for (const size of sizes) socket.emit("echo", "s".repeat(size));
  for (const size of sizes) {
    const [text] = await take(socket, "echo");
    assert.equal(text.length, size);
  }
});

test("a client over polling stays below the payload limit that the server names", async (t) => {
  const small = await startServer({ MAX_PAYLOAD: "20000" });
  const socket = await connect(t, small, { transport: "polling" });
  const text = "x".repeat(4_500);
  for (let i = 0; i < 20; i++) socket.emit("collect", text);
  assert.equal((await call(socket, "collected")).length, 20);
  await small.stop();
});

// Not over polling: there nobody outside the server knows whether a poll is pending just now.
onEachTransport(
  "a volatile event reaches an idle client",
  async (t, transport) => {
    const [sender, receiver] = await connectMany(t, server, 2, { transport });
    // The answer shows that the server, too, has finished the upgrade.
    await ask(receiver, "echo-ack");
    await ask(sender, "volatile", receiver.id, "now");
    assert.deepEqual(await take(receiver, "volatile"), ["now"]);
  },
  ["websocket", "upgrade"],
);

test("a volatile event of the client arrives when its transport is idle", async (t) => {
  const socket = await connect(t, server);
  await ask(socket, "echo-ack");
  const engine = socket.io.engine;
  if (!engine.transport.writable) await nextEvent(engine, "drain");
  socket.volatile.emit("echo", "volatile");
  assert.deepEqual(await take(socket, "echo"), ["volatile"]);
});

test("a client that listens for nothing gets no events of others", async (t) => {
  const [talker, listener] = await connectMany(t, server, 2);
  for (let i = 0; i < 50; i++) talker.emit("echo", i);
  await ask(talker, "echo-ack");
  await assertNothing(listener, "echo");
});
