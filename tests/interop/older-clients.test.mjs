// The official client of Socket.IO 4 over Engine.IO 3: socket.io-client 2.
import assert from "node:assert/strict";
import { test } from "node:test";
import io from "socket.io-client-2";
import {
  CERTIFICATE,
  TRANSPORTS,
  call,
  client,
  connect,
  enginePath,
  nextEvent,
  onEachTransport,
  send,
  startServer,
  take,
  within,
} from "./support.mjs";

const server = await startServer({ ALLOW_EIO3: "1" });

/** A client on a connection of its own; what it gets is kept until somebody takes it. */
function older(t, target, { namespace = "/", transport = "websocket", ...options } = {}) {
  const socket = io(target.url + namespace, {
    forceNew: true,
    reconnection: false,
    timeout: 8_000,
    ...TRANSPORTS[transport],
    ...CERTIFICATE,
    ...options,
  });
  t.after(() => socket.close());
  const events = [];
  const waiting = [];
  const push = (name, args) => {
    const index = waiting.findIndex((waiter) => waiter.name === name);
    if (index < 0) events.push({ name, args });
    else waiting.splice(index, 1)[0].resolve(args);
  };
  const onevent = socket.onevent;
  socket.onevent = function (packet) {
    push(packet.data[0], packet.data.slice(1));
    onevent.call(this, packet);
  };
  for (const name of ["connect", "error", "disconnect"]) {
    socket.on(name, (...args) => push(name, args));
  }
  socket.take = (name) => {
    const index = events.findIndex((event) => event.name === name);
    if (index >= 0) return Promise.resolve(events.splice(index, 1)[0].args);
    return within(new Promise((resolve) => waiting.push({ name, resolve })), `"${name}"`);
  };
  socket.ask = (event, ...args) =>
    within(new Promise((resolve) => socket.emit(event, ...args, resolve)), `answer to "${event}"`);
  return socket;
}

async function joined(t, target, options = {}) {
  const socket = older(t, target, options);
  await socket.take("connect");
  if (options.transport === "upgrade" && socket.io.engine.transport.name !== "websocket") {
    await nextEvent(socket.io.engine, "upgrade");
  }
  return socket;
}

test("they are refused unless they are allowed", async (t) => {
  const strict = await startServer();
  const socket = older(t, strict, { transport: "polling" });
  await nextEvent(socket, "connect_error");
  const response = await send(strict, { path: enginePath({ EIO: "3", transport: "polling" }) });
  assert.equal(response.status, 400);
  assert.deepEqual(JSON.parse(response.body), {
    code: 5,
    message: "Unsupported protocol version",
  });
});

onEachTransport("an older client connects and has the session's id", async (t, transport) => {
  const socket = await joined(t, server, { transport });
  assert.equal(socket.io.engine.transport.name, transport === "polling" ? "polling" : "websocket");
  assert.equal(socket.id, socket.io.engine.id);
  assert.deepEqual(await socket.ask("rooms"), [socket.id]);
  assert.deepEqual(await socket.take("auth"), [{}]);
});

onEachTransport("events and acknowledgements go both ways", async (t, transport) => {
  const socket = await joined(t, server, { transport });
  const args = [1, "€ 😀 \u2028 \\n", null, { a: [true, { b: "ü" }] }, []];
  socket.emit("echo", ...args);
  assert.deepEqual(await socket.take("echo"), args);
  assert.deepEqual(await socket.ask("echo-ack", args), args);
  socket.on("question", (number, answer) => answer(number + 1, "two"));
  socket.emit("ask", 5_000, "question", 41);
  assert.deepEqual(await socket.take("answer"), [42, "two"]);
});

onEachTransport("binary data goes both ways", async (t, transport) => {
  const socket = await joined(t, server, { transport });
  const data = Buffer.from([0, 1, 2, 0xfe, 0xff]);
  socket.emit("echo", "a", { deep: [data] }, data);
  const [text, { deep }, last] = await socket.take("echo");
  assert.equal(text, "a");
  assert.deepEqual([Buffer.from(deep[0]), Buffer.from(last)], [data, data]);
  const answer = await socket.ask("echo-ack", Buffer.alloc(0));
  assert.equal(Buffer.from(answer).length, 0);
  const large = Buffer.alloc(300_000, 7);
  assert.deepEqual(Buffer.from(await socket.ask("echo-ack", large)), large);
});

test("base64 is sent to a client that wants it", async (t) => {
  for (const transport of Object.keys(TRANSPORTS)) {
    const socket = await joined(t, server, { transport, forceBase64: true });
    const data = Buffer.from([1, 2, 3]);
    assert.deepEqual(Buffer.from(await socket.ask("echo-ack", data)), data);
  }
});

onEachTransport("namespaces are joined, left, and unknown", async (t, transport) => {
  const custom = await joined(t, server, { namespace: "/custom", transport });
  assert.equal(custom.id, `/custom#${custom.io.engine.id}`);
  assert.equal(await custom.ask("echo-ack", "there"), "there");
  const unknown = older(t, server, { namespace: "/unknown", transport });
  assert.deepEqual(await unknown.take("error"), [{ message: "Invalid namespace" }]);
});

test("several namespaces share a connection", async (t) => {
  const main = await joined(t, server);
  const custom = main.io.socket("/custom");
  await nextEvent(custom, "connect");
  const answered = new Promise((resolve) => custom.emit("echo-ack", 1, resolve));
  assert.equal(await within(answered, "an answer"), 1);
  custom.close();
  assert.equal(await main.ask("echo-ack", 2), 2);
});

onEachTransport("the query of a namespace is its auth", async (t, transport) => {
  const query = { token: "secret", x: "ä & b" };
  const socket = await joined(t, server, { namespace: "/token", transport, query });
  assert.deepEqual(await socket.take("auth"), [query]);
});

test("the query of the connection is that of the handshake", async (t) => {
  const socket = await joined(t, server, { query: { a: "b" } });
  const { auth, query } = await socket.ask("handshake");
  assert.deepEqual(auth, {});
  assert.equal(query.a, "b");
  assert.equal(query.EIO, "3");
});

onEachTransport("a middleware's error is a value", async (t, transport) => {
  const token = older(t, server, { namespace: "/token", transport, query: { token: "no" } });
  assert.deepEqual(await token.take("error"), ["bad token"]);
  const refused = older(t, server, { namespace: "/refused", transport });
  assert.deepEqual(await refused.take("error"), [{ code: 42 }]);
});

test("a dynamic namespace is made for an older client", async (t) => {
  const socket = await joined(t, server, { namespace: "/dynamic-older" });
  assert.equal(await socket.ask("echo-ack", 1), 1);
  const asked = { namespace: "/asked-older", query: { token: "secret" } };
  assert.equal(await (await joined(t, server, asked)).ask("echo-ack", 2), 2);
});

onEachTransport("the server disconnects an older client", async (t, transport) => {
  const socket = await joined(t, server, { transport });
  socket.emit("disconnect-me", false);
  assert.deepEqual(await socket.take("disconnect"), ["io server disconnect"]);
});

test("the client's heartbeat keeps the connection", async (t) => {
  const quick = await startServer({ ALLOW_EIO3: "1", PING_INTERVAL: "300", PING_TIMEOUT: "300" });
  await Promise.all(
    Object.keys(TRANSPORTS).map(async (transport) => {
      const socket = await joined(t, quick, { transport });
      for (let i = 0; i < 4; i++) await nextEvent(socket.io, "pong");
      assert.equal(await socket.ask("echo-ack", transport), transport);
    }),
  );
});

test("older and newer clients meet in rooms", async (t) => {
  const [oldOne, newOne] = [await joined(t, server), await connect(t, server)];
  const polling = await joined(t, server, { transport: "polling" });
  for (const socket of [oldOne, polling]) await socket.ask("join", "mixed");
  await call(newOne, "join", "mixed");
  oldOne.emit("in-room", "mixed", "hello");
  assert.deepEqual(await oldOne.take("room"), ["hello"]);
  assert.deepEqual(await polling.take("room"), ["hello"]);
  assert.deepEqual(await take(newOne, "room"), ["hello"]);
  const data = Buffer.from([1, 2, 3]);
  newOne.emit("broadcast", { data });
  for (const socket of [oldOne, polling]) {
    const [{ data: received }] = await socket.take("broadcast");
    assert.deepEqual(Buffer.from(received), data);
  }
  // Each can be reached by the id that it has for itself.
  newOne.emit("to-room", oldOne.id, "to you");
  assert.deepEqual(await oldOne.take("room"), ["to you"]);
});

test("a newer client is served as before", async (t) => {
  const socket = client(t, server, { transport: "upgrade" });
  await take(socket, "connect");
  assert.notEqual(socket.id, socket.io.engine.id);
});

test("scripts poll with JSONP in both revisions", async () => {
  for (const [EIO, packet, connected] of [
    ["4", "40", /^___eio\[3\]\("40\{/],
    ["3", "", /^___eio\[3\]\("2:40/],
  ]) {
    const path = enginePath({ EIO, transport: "polling", j: "3" });
    const open = await send(server, { path });
    const [, string] = /^___eio\[3\]\((".*")\);$/.exec(open.body);
    const payload = JSON.parse(string);
    const { sid } = JSON.parse(payload.slice(payload.indexOf("{")));
    if (packet !== "") {
      const posted = await send(server, {
        method: "POST",
        path: `${path}&sid=${sid}`,
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams({ d: packet }).toString(),
      });
      assert.deepEqual([posted.status, posted.body], [200, "ok"]);
    }
    const answer = await send(server, { path: `${path}&sid=${sid}` });
    assert.match(answer.body, connected);
  }
});
