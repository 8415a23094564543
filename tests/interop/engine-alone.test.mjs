// Engine.IO with nothing above it: the official clients of both revisions, whose messages come back.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import * as engine from "engine.io-client";
import { CERTIFICATE, TRANSPORTS, nextEvent, startServer, within } from "./support.mjs";

const server = await startServer({ ENGINE: "1", ALLOW_EIO3: "1" });
// The one that socket.io-client 2 brings along.
const older = createRequire(createRequire(import.meta.url).resolve("socket.io-client-2"))("engine.io-client");
const CLIENTS = { "engine.io-client 6": engine.Socket, "engine.io-client 3": older.Socket };

const MESSAGES = [
  "hello",
  '0{"looks":"like Socket.IO"}',
  Buffer.of(0, 1, 254, 255),
  "grüße, \u20ac, \u{1f980}, \u2028\n",
  Buffer.from("4text"),
  "twice",
  "twice",
  "x".repeat(10_000),
  Buffer.alloc(10_000, 7),
];

/** Sends what `MESSAGES` are, and waits until as many have come back. */
async function echoed(socket) {
  const received = [];
  const all = new Promise((resolve) => {
    const keep = (data) => {
      received.push(data);
      if (received.length < MESSAGES.length) return;
      socket.off("message", keep);
      resolve();
    };
    socket.on("message", keep);
  });
  for (const message of MESSAGES) socket.send(message);
  await within(all, `echo of ${MESSAGES.length} messages`);
  return received;
}

for (const [name, Socket] of Object.entries(CLIENTS)) {
  for (const transport of Object.keys(TRANSPORTS)) {
    test(`messages come back as they were and in order, to ${name} [${transport}]`, async (t) => {
      const options = { path: "/engine.io", ...TRANSPORTS[transport], ...CERTIFICATE };
      const socket = new Socket(server.url, options);
      t.after(() => socket.close());
      await nextEvent(socket, transport === "upgrade" ? "upgrade" : "open");
      assert.deepEqual(await echoed(socket), MESSAGES);
      assert.deepEqual(await echoed(socket), MESSAGES);
    });
  }
}
