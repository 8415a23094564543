import assert from "node:assert/strict";
import { test } from "node:test";
import { call, connect, namespaceOf, onEachTransport, startServer, take } from "./support.mjs";

const server = await startServer();

onEachTransport("a namespace is made for a client that asks", async (t, transport) => {
  const namespace = `/dynamic-${transport}`;
  const first = await connect(t, server, { transport, namespace, auth: { who: "first" } });
  const second = await connect(t, server, { transport, namespace });
  assert.deepEqual(await take(first, "auth"), [{ who: "first" }]);
  assert.equal(await call(first, "echo-ack", 1), 1);
  first.emit("emit-all", "hello");
  assert.deepEqual(await take(second, "all"), ["hello"]);
  assert.deepEqual(await take(first, "all"), ["hello"]);
});

onEachTransport("a function decides, asynchronously, by auth", async (t, transport) => {
  const main = await connect(t, server, { transport });
  const namespace = `/asked-${transport}`;
  const refused = namespaceOf(t, main, namespace, { auth: { token: "wrong" } });
  const [error] = await take(refused, "connect_error");
  assert.equal(error.message, "Invalid namespace");
  const admitted = await connect(t, server, { transport, namespace, auth: { token: "secret" } });
  assert.equal(await call(admitted, "echo-ack", 2), 2);
  // The namespace exists now, so the function is not asked again.
  const other = await connect(t, server, { transport, namespace, auth: { token: "wrong" } });
  assert.equal(await call(other, "echo-ack", 3), 3);
});

test("what no rule takes does not exist", async (t) => {
  const main = await connect(t, server);
  for (const name of ["/dynamic", "/Dynamic-1", "/x/dynamic-1"]) {
    const [error] = await take(namespaceOf(t, main, name), "connect_error");
    assert.equal(error.message, "Invalid namespace");
  }
});
