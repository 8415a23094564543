import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ask,
  call,
  connect,
  connectMany,
  namespaceOf,
  onEachTransport,
  startServer,
  take,
} from "./support.mjs";

const server = await startServer();

const bytes = (...values) => Buffer.from(values);
const pattern = (length) =>
  Buffer.from(Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 0xff));
const same = bytes(1, 2, 3);

// What is echoed. The Node.js client presents every kind of binary as a Buffer.
const SHAPES = {
  "a Buffer": [bytes(0, 1, 254, 255)],
  "a Uint8Array": [new Uint8Array([1, 2, 3])],
  "an ArrayBuffer": [new Uint8Array([4, 5]).buffer],
  "a view into a larger ArrayBuffer": [new Uint8Array(pattern(64)).subarray(8, 12)],
  "an empty Buffer": [bytes()],
  "an empty Buffer between others": [bytes(1), bytes(), bytes(2)],
  "one byte": [bytes(0x1e)],
  "a Buffer in an object": [{ a: { b: bytes(1) } }],
  "a Buffer in an array": [[0, [bytes(7)], "x"]],
  "binary and text mixed": ["a", bytes(1), { b: [bytes(2)] }, null, 3],
  "the same Buffer twice": [same, { again: same }],
  "ten attachments": Array.from({ length: 10 }, (_, i) => bytes(i)),
  "text that looks like a placeholder": [{ _placeholder: "no", num: 0 }, bytes(9), "451-"],
  "64 KiB": [pattern(65_536)],
  "lengths around the base64 padding": [1, 2, 3, 4, 5, 6].map(pattern),
};

/** The value with every ArrayBuffer and typed array at its top level as a Buffer. */
const asBuffer = (value) =>
  value instanceof ArrayBuffer || value instanceof Uint8Array ? Buffer.from(value) : value;

for (const [name, args] of Object.entries(SHAPES)) {
  onEachTransport(`echo of ${name}`, async (t, transport) => {
    const socket = await connect(t, server, { transport });
    socket.emit("echo", ...args);
    assert.deepEqual(await take(socket, "echo"), args.map(asBuffer));
  });
}

onEachTransport("an attachment near the payload limit", async (t, transport) => {
  // Over polling it travels as base64, a third longer.
  const sent = pattern(transport === "polling" ? 700_000 : 900_000);
  const socket = await connect(t, server, { transport });
  socket.emit("echo", sent);
  const [received] = await take(socket, "echo");
  assert.ok(sent.equals(received));
});

onEachTransport("binary in an acknowledgement", async (t, transport) => {
  const socket = await connect(t, server, { transport });
  const answers = await ask(socket, "echo-ack", bytes(1), { deep: [bytes(2), "x"] });
  assert.deepEqual(answers, [bytes(1), { deep: [bytes(2), "x"] }]);
});

onEachTransport("binary in an acknowledgement to the server", async (t, transport) => {
  const socket = await connect(t, server, { transport });
  socket.on("question", (payload, ack) => ack(Buffer.concat([payload, bytes(255)]), "done"));
  socket.emit("ask", 5_000, "question", bytes(1, 2));
  assert.deepEqual(await take(socket, "answer"), [bytes(1, 2, 255), "done"]);
});

onEachTransport("text and binary events keep their order", async (t, transport) => {
  const socket = await connect(t, server, { transport });
  const sent = Array.from({ length: 200 }, (_, i) => (i % 3 === 0 ? bytes(i) : `text ${i}`));
  for (const value of sent) socket.emit("echo", value);
  for (const value of sent) assert.deepEqual(await take(socket, "echo"), [value]);
});

test("binary events of two namespaces share a connection", async (t) => {
  const main = await connect(t, server);
  const custom = namespaceOf(t, main, "/custom");
  await take(custom, "connect");
  for (let i = 0; i < 50; i++) {
    main.emit("echo", "main", bytes(i), bytes(i));
    custom.emit("echo", "custom", bytes(i));
  }
  for (let i = 0; i < 50; i++) {
    assert.deepEqual(await take(main, "echo"), ["main", bytes(i), bytes(i)]);
    assert.deepEqual(await take(custom, "echo"), ["custom", bytes(i)]);
  }
});

onEachTransport("a broadcast with attachments reaches everybody", async (t, transport) => {
  const sockets = await connectMany(t, server, 3, { transport });
  await ask(sockets[0], "emit-all", { file: pattern(1000) }, bytes(1));
  for (const socket of sockets) {
    assert.deepEqual(await take(socket, "all"), [{ file: pattern(1000) }, bytes(1)]);
  }
});

test("a broadcast with attachments reaches clients on every transport", async (t) => {
  const polling = await connect(t, server, { transport: "polling" });
  const websocket = await connect(t, server, { transport: "websocket" });
  const upgraded = await connect(t, server, { transport: "upgrade" });
  await ask(websocket, "emit-all", bytes(5, 6));
  for (const socket of [polling, websocket, upgraded]) {
    assert.deepEqual(await take(socket, "all"), [bytes(5, 6)]);
  }
});

onEachTransport("a client that asks for base64", async (t, transport) => {
  const socket = await connect(t, server, { transport, forceBase64: true });
  const [answer] = await ask(socket, "echo-ack", pattern(1000));
  assert.ok(pattern(1000).equals(answer));
});

test("the server counts binary arguments as arguments", async (t) => {
  const socket = await connect(t, server);
  await ask(socket, "on-any");
  socket.emit("upload", "name", bytes(1), bytes(2));
  assert.deepEqual(await take(socket, "seen"), ["upload", ["name", bytes(1), bytes(2)]]);
});

test("kept attachments stay intact while others arrive", async (t) => {
  const socket = await connect(t, server);
  for (let i = 0; i < 10; i++) socket.emit("collect", Buffer.alloc(2_000, i));
  for (let i = 0; i < 20; i++) socket.emit("echo", Buffer.alloc(2_000, 0xee));
  const kept = await call(socket, "collected");
  assert.deepEqual(
    kept,
    Array.from({ length: 10 }, (_, i) => Buffer.alloc(2_000, i)),
  );
});
