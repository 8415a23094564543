// What the guide says that the official client says: docs/guide/troubleshooting.md.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import olderIo from "socket.io-client-2";
import {
  CERTIFICATE,
  client,
  connect,
  connected,
  nextEvent,
  oursOnly,
  startServer,
  take,
  TRANSPORTS,
  within,
} from "./support.mjs";

const server = await startServer({ MAX_PAYLOAD: "20000" });
const pollingOnly = await startServer({ TRANSPORTS: "polling" });
const webSocketOnly = await startServer({ TRANSPORTS: "websocket" });

const guide = readFileSync(new URL("../../docs/guide/troubleshooting.md", import.meta.url), "utf8");
const rows = guide.split("\n").filter((line) => line.startsWith("| "));

/** Some row begins with it. */
function says(text) {
  assert.ok(rows.some((row) => row.startsWith(`| ${text}`)), `the guide has no row for: ${text}`);
}

/** The error, and the body that came with it, which Node.js forgets soon after. */
function refusal(t, target, options) {
  const socket = client(t, target, options);
  const refused = new Promise((resolve) => {
    socket.on("connect_error", (error) => resolve([error, error.context?.responseText]));
  });
  return within(refused, "refusal");
}

for (const [name, target, options, status, body] of [
  ["another path", server, { path: "/elsewhere" }, 404],
  ["nobody is there", { url: "http://127.0.0.1:1" }, {}, 0],
  ["a transport is not enabled", webSocketOnly, {}, 400, "Transport unknown"],
  ["allow_request refuses", server, { query: { forbidden: "1" } }, 403, "Forbidden"],
]) {
  test(`polling: ${name}`, async (t) => {
    const [error, text] = await refusal(t, target, { ...options, transport: "polling" });
    assert.equal(error.message, "xhr poll error");
    assert.equal(error.description, status);
    if (body) assert.equal(JSON.parse(text).message, body);
    const named = body && body !== "Forbidden" ? `, in the body \`${body}\`` : "";
    says(`\`xhr poll error\` ${status}${named}`);
  });
}

for (const [name, target, options, status] of [
  ["another path", server, { path: "/elsewhere" }, 404],
  ["a transport is not enabled", pollingOnly, {}, 400],
  ["allow_request refuses", server, { query: { forbidden: "1" } }, 400],
]) {
  const differs = status === 404 ? oursOnly("it closes the stream without an answer") : {};
  test(`WebSocket: ${name}`, differs, async (t) => {
    const [error] = await refusal(t, target, { ...options, transport: "websocket" });
    assert.equal(error.message, "websocket error");
    assert.equal(error.description.message, `Unexpected server response: ${status}`);
  });
}

test("a client of version 2", async (t) => {
  const options = { forceNew: true, reconnection: false, ...TRANSPORTS.polling, ...CERTIFICATE };
  const socket = olderIo(server.url, options);
  t.after(() => socket.close());
  const [error] = await nextEvent(socket, "connect_error");
  assert.deepEqual([error.message, error.description], ["xhr poll error", 400]);
  says("`xhr poll error` 400, in the body `Unsupported protocol version`");
});

test("a session that the server does not have", async (t) => {
  const socket = await connect(t, server, { transport: "polling" });
  socket.io.engine.transport.query.sid = "AAAAAAAAAAAAAAAAAAAA";
  socket.emit("echo");
  const [reason, details] = await take(socket, "disconnect");
  assert.deepEqual([reason, details.description], ["transport error", 400]);
  says("`xhr post error` 400 or disconnected, `transport error` 400; in the body `Session ID unknown`");
});

test("a session that the server does not have, before the client is in", async (t) => {
  const socket = client(t, server, { transport: "polling" });
  socket.io.engine.once("open", () => {
    socket.io.engine.transport.query.sid = "AAAAAAAAAAAAAAAAAAAA";
  });
  const [error] = await take(socket, "connect_error");
  // The first of its two requests that is refused.
  assert.match(error.message, /^xhr (post|poll) error$/);
  assert.equal(error.description, 400);
});

test("namespaces and middlewares", async (t) => {
  const [error] = await refusal(t, server, { namespace: "/nope" });
  assert.equal(error.message, "Invalid namespace");
  says("`Invalid namespace`");
  const socket = client(t, server, { namespace: "/token", auth: { token: "wrong" } });
  assert.equal((await take(socket, "connect_error"))[0].message, "bad token");
  // It does not try again by itself.
  assert.equal(socket.active, false);
  socket.auth.token = "secret";
  socket.connect();
  await connected(socket);
  says("`connect_error` with your own message");
});

test("too much at once", async (t) => {
  const polling = await connect(t, server, { transport: "polling" });
  polling.emit("echo", "x".repeat(20_000));
  const [reason, details] = await take(polling, "disconnect");
  assert.deepEqual([reason, details.description], ["transport error", 413]);
  says("disconnected, `transport error` 413");
  const webSocket = await connect(t, server, { transport: "websocket" });
  webSocket.emit("echo", "x".repeat(20_000));
  const [closed, { context }] = await take(webSocket, "disconnect");
  assert.deepEqual([closed, context.code], ["transport close", 1009]);
  says("disconnected, `transport close`, and `details.context.code` is 1009");
});

test("the server ends", async (t) => {
  for (const [transport, expected] of [
    ["polling", "transport error"],
    ["websocket", "transport close"],
  ]) {
    const own = await startServer();
    const socket = await connect(t, own, { transport });
    await own.stop("SIGKILL");
    assert.equal((await take(socket, "disconnect"))[0], expected);
  }
  says("disconnected, `transport close` or `transport error` else");
});

test("an acknowledgement that does not come", async (t) => {
  const socket = await connect(t, server);
  const failed = socket.timeout(100).emitWithAck("nobody-answers");
  await assert.rejects(failed, { message: "operation has timed out" });
  says("`operation has timed out`, of an acknowledgement");
});
