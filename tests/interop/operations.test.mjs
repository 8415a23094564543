import assert from "node:assert/strict";
import { test } from "node:test";
import {
  call,
  client,
  connect,
  connectMany,
  connected,
  onEachTransport,
  oursOnly,
  startServer,
  take,
  upgraded,
} from "./support.mjs";

const plain = await startServer();
const named = await startServer({ SESSION_IDS: "node7-" });

onEachTransport("sessions have the ids that the application makes", async (t, transport) => {
  const sockets = await connectMany(t, named, 5, { transport });
  if (transport === "upgrade") await Promise.all(sockets.map(upgraded));
  const ids = sockets.map((socket) => socket.io.engine.id);
  for (const id of ids) assert.match(id, /^node7-[\w-]{14}$/);
  assert.equal(new Set(ids).size, ids.length);
  for (const [index, socket] of sockets.entries()) {
    assert.ok(!socket.id.startsWith("node7-"));
    assert.deepEqual(await call(socket, "echo-ack", index), index);
  }
});

onEachTransport("outgoing catch-alls see what is sent to their socket", async (t, transport) => {
  const [watched, other] = await connectMany(t, plain, 2, { transport });
  await call(watched, "join", "room");
  await call(watched, "watch-outgoing");
  await call(watched, "echo", 1);
  await call(other, "to-room", "room", "text");
  await call(other, "to-room", "elsewhere", "text");
  await call(other, "broadcast", 1);
  await call(other, "echo", 2);
  assert.deepEqual(await call(watched, "outgoing"), ["echo", "room", "broadcast"]);
  for (const name of ["echo", "room", "broadcast"]) await take(watched, name);
});

test(
  "a client that sends too much is slowed down and loses nothing",
  oursOnly("it has no rate limits"),
  async (t) => {
    const server = await startServer({ RATE: "delay", RATE_EVENTS: "200", RATE_BURST: "20" });
    for (const transport of ["polling", "websocket", "upgrade"]) {
      const socket = await connect(t, server, { transport });
      const begin = process.hrtime.bigint();
      // The last ones are sent when the first have been read, whatever one read brings.
      for (let round = 0; round < 3; round++) {
        const answers = Array.from({ length: 40 }, (_, i) => call(socket, "echo-ack", i));
        assert.deepEqual(
          await Promise.all(answers),
          Array.from({ length: 40 }, (_, i) => i),
        );
      }
      const milliseconds = Number((process.hrtime.bigint() - begin) / 1_000_000n);
      assert.ok(milliseconds >= (1_000 * (80 - 20)) / 200, `${milliseconds} ms`);
      socket.disconnect();
    }
  },
);

test(
  "a client that sends too much is disconnected and stays away",
  oursOnly("it has no rate limits"),
  async (t) => {
    const server = await startServer({ RATE: "disconnect", RATE_EVENTS: "1", RATE_BURST: "10" });
    for (const transport of ["polling", "websocket"]) {
      const socket = client(t, server, { transport });
      await connected(socket);
      for (let i = 0; i < 200; i++) socket.emit("collect", i);
      const [reason] = await take(socket, "disconnect");
      assert.equal(reason, "io server disconnect");
      assert.equal(socket.active, false);
    }
  },
);
