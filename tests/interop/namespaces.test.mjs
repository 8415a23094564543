import assert from "node:assert/strict";
import { test } from "node:test";
import { Manager } from "socket.io-client";
import {
  ask,
  assertNothing,
  call,
  CERTIFICATE,
  client,
  connect,
  connected,
  held,
  namespaceOf,
  onEachTransport,
  record,
  serverReason,
  startServer,
  take,
  TRANSPORTS,
  watcher,
  WebSocketPeer,
} from "./support.mjs";

const server = await startServer();

onEachTransport("namespaces share one connection", async (t, transport) => {
  const own = await startServer();
  const manager = new Manager(own.url, { ...TRANSPORTS[transport], ...CERTIFICATE });
  const [main, custom] = ["/", "/custom"].map((name) => record(manager.socket(name)));
  t.after(() => manager._close());
  await Promise.all([connected(main), connected(custom)]);
  assert.equal(main.io.engine.id, custom.io.engine.id);
  assert.notEqual(main.id, custom.id);
  assert.deepEqual(await call(main, "stats"), { sessions: 1, sockets: 2 });
  await own.stop();
});

test("forceNew opens a connection of its own", async (t) => {
  const own = await startServer();
  const main = await connect(t, own);
  const custom = await connect(t, own, { namespace: "/custom" });
  assert.notEqual(main.io.engine.id, custom.io.engine.id);
  assert.deepEqual(await call(main, "stats"), { sessions: 2, sockets: 2 });
  await own.stop();
});

onEachTransport("each namespace gets its own auth", async (t, transport) => {
  const main = await connect(t, server, { transport, auth: { who: "main" } });
  const custom = namespaceOf(t, main, "/custom", { auth: { who: "custom" } });
  assert.deepEqual(await take(main, "auth"), [{ who: "main" }]);
  assert.deepEqual(await take(custom, "auth"), [{ who: "custom" }]);
});

test("a namespace can be used without the main one", async (t) => {
  const own = await startServer();
  const custom = await connect(t, own, { namespace: "/custom" });
  assert.deepEqual(await call(custom, "stats"), { sessions: 1, sockets: 1 });
  assert.equal(await call(custom, "echo-ack", 1), 1);
  await own.stop();
});

test("events stay in their namespace", async (t) => {
  const main = await connect(t, server);
  const custom = namespaceOf(t, main, "/custom");
  await connected(custom);
  main.emit("echo", "main");
  custom.emit("echo", "custom");
  assert.deepEqual(await take(main, "echo"), ["main"]);
  assert.deepEqual(await take(custom, "echo"), ["custom"]);
  await assertNothing(main, "echo");
  await assertNothing(custom, "echo");
});

test("leaving one namespace keeps the other and the connection", async (t) => {
  const watching = await watcher(t, server);
  const main = await connect(t, server);
  const custom = namespaceOf(t, main, "/custom");
  await connected(custom);
  const { id } = custom;
  const session = main.io.engine.id;
  custom.disconnect();
  assert.equal(await serverReason(watching, id), "client namespace disconnect");
  assert.equal(await call(main, "echo-ack", "alive"), "alive");
  custom.connect();
  await connected(custom);
  assert.notEqual(custom.id, id);
  assert.equal(main.io.engine.id, session);
});

test("the server disconnects one namespace and keeps the other", async (t) => {
  const main = await connect(t, server);
  const custom = namespaceOf(t, main, "/custom");
  await connected(custom);
  custom.emit("disconnect-me", false);
  assert.equal((await take(custom, "disconnect"))[0], "io server disconnect");
  assert.equal(await call(main, "echo-ack", "alive"), "alive");
});

onEachTransport("an unknown namespace is refused", async (t, transport) => {
  const socket = client(t, server, { namespace: "/nowhere", transport });
  const [error] = await take(socket, "connect_error");
  assert.equal(error.message, "Invalid namespace");
  assert.equal(error.data, undefined);
  assert.equal(socket.connected, false);
});

for (const name of [
  "/Custom",
  "/custom/",
  "/custom/sub",
  "/cust",
  "/__proto__",
  "/日本語",
  "/%2e",
]) {
  test(`namespace names are compared exactly: ${name}`, async (t) => {
    const main = await connect(t, server);
    const socket = namespaceOf(t, main, name);
    assert.equal((await take(socket, "connect_error"))[0].message, "Invalid namespace");
    assert.equal(await call(main, "echo-ack", "alive"), "alive");
  });
}

onEachTransport("a refusal carries message and data", async (t, transport) => {
  const socket = client(t, server, { namespace: "/refused", transport });
  const [error] = await take(socket, "connect_error");
  assert.equal(error.message, "not allowed");
  assert.deepEqual(error.data, { code: 42 });
});

test("a refused namespace does not disturb the others of its connection", async (t) => {
  const main = await connect(t, server);
  const refused = namespaceOf(t, main, "/refused");
  await take(refused, "connect_error");
  assert.equal(await call(main, "echo-ack", "alive"), "alive");
  const custom = namespaceOf(t, main, "/custom");
  await connected(custom);
});

onEachTransport(
  "a client may try again with other auth on the same connection",
  async (t, transport) => {
    const main = await connect(t, server, { transport });
    const session = main.io.engine.id;
    const socket = namespaceOf(t, main, "/token", { auth: { token: "wrong" } });
    const [error] = await take(socket, "connect_error");
    assert.equal(error.message, "bad token");
    assert.equal(error.data, undefined);
    socket.auth = { token: "secret" };
    socket.connect();
    await connected(socket);
    assert.equal(socket.io.engine.id, session);
    assert.deepEqual(await take(socket, "auth"), [{ token: "secret" }]);
  },
);

test("a refused socket is never reported as disconnected", async (t) => {
  const watching = await watcher(t, server);
  const main = await connect(t, server);
  const { id } = main;
  const refused = namespaceOf(t, main, "/refused");
  await take(refused, "connect_error");
  main.io.engine.close();
  await serverReason(watching, id);
  await ask(watching, "echo-ack");
  const refusals = held(watching, "disconnected").filter(
    ([{ namespace }]) => namespace === "/refused",
  );
  assert.deepEqual(refusals, []);
});

test("a middleware may take its time", async (t) => {
  const watching = await watcher(t, server);
  const main = await connect(t, server);
  const late = namespaceOf(t, main, "/late");
  assert.deepEqual(await take(watching, "waiting"), ["/late"]);
  assert.equal(await call(main, "echo-ack", "meanwhile"), "meanwhile");
  assert.equal(late.connected, false);
  assert.equal(await call(watching, "release"), 1);
  await connected(late);
  assert.equal(await call(late, "echo-ack", 1), 1);
});

test("events emitted while the middleware waits arrive afterwards", async (t) => {
  const watching = await watcher(t, server);
  const late = client(t, server, { namespace: "/late" });
  late.emit("collect", 1);
  const kept = call(late, "collected");
  await take(watching, "waiting");
  await ask(watching, "release");
  assert.deepEqual(await kept, [1]);
});

test("a client that vanishes while the middleware waits leaves nothing", async (t) => {
  const own = await startServer();
  const watching = await watcher(t, own);
  const main = await connect(t, own);
  const { id } = main;
  namespaceOf(t, main, "/late");
  await take(watching, "waiting");
  main.io.engine.close();
  await serverReason(watching, id);
  await ask(watching, "release");
  assert.deepEqual(await call(watching, "stats"), { sessions: 1, sockets: 1 });
  await own.stop();
});

test("namespaces on the wire", async (t) => {
  const peer = await WebSocketPeer.open(t, server);
  await peer.next();
  peer.send('40/custom,{"token":1}');
  assert.match(await peer.next(), /^40\/custom,\{"sid":"[\w-]{20,}"\}$/);
  assert.equal(await peer.next(), '42/custom,["auth",{"token":1}]');
  peer.send('42/custom,7["echo-ack","x"]');
  assert.equal(await peer.next(), '43/custom,7["x"]');
  peer.send("40/nowhere,");
  assert.equal(await peer.next(), '44/nowhere,{"message":"Invalid namespace"}');
  peer.send("40/refused");
  assert.equal(await peer.next(), '44/refused,{"message":"not allowed","data":{"code":42}}');
  peer.send("40/token,{}");
  assert.equal(await peer.next(), '44/token,{"message":"bad token"}');
  peer.send("41/custom,");
  // The reference handles the next CONNECT before the DISCONNECT when both come at once.
  peer.send("40/nowhere,");
  await peer.next((packet) => packet.startsWith("44/nowhere"));
  peer.send("40/custom,");
  assert.match(await peer.next(), /^40\/custom,\{"sid":"[\w-]{20,}"\}$/);
});

test("an explicit main namespace is understood", async (t) => {
  const peer = await WebSocketPeer.open(t, server);
  await peer.next();
  peer.send("40/,");
  assert.match(await peer.next(), /^40\{"sid":/);
  await peer.next((packet) => packet === '42["auth",{}]');
  peer.send('42/,["echo",1]');
  assert.equal(await peer.next(), '42["echo",1]');
});
