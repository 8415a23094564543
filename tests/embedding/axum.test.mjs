// The example `with-axum`: an application with routes, middleware and state of its own.
import assert from "node:assert/strict";
import { test } from "node:test";
import { client, next, start, upgrade } from "./application.mjs";

const WAYS = {
  polling: ["polling"],
  websocket: ["websocket"],
  upgrade: ["polling", "websocket"],
};

const application = await start("AXUM_COMMAND");

async function logIn(name) {
  const response = await fetch(`${application.url}/login`, { method: "POST", body: name });
  assert.equal(response.status, 204);
  return response.headers.get("set-cookie").split(";")[0];
}

async function connected(t, cookie, transports) {
  const socket = client(t, application.url, { transports, extraHeaders: { cookie } });
  const welcome = next(socket, "welcome");
  const upgraded = transports.length > 1 && upgrade(socket);
  socket.connect();
  const [name] = await welcome;
  await upgraded;
  return { socket, name };
}

for (const [way, transports] of Object.entries(WAYS)) {
  test(`what the application's middleware knows reaches the handlers [${way}]`, async (t) => {
    const { socket, name } = await connected(t, await logIn("ada"), transports);
    assert.equal(name, "ada");
    assert.equal(socket.io.engine.transport.name, transports.at(-1));
    const said = next(socket, "said");
    socket.emit("say", "good morning");
    assert.deepEqual(await said, ["ada", "good morning"]);
  });

  test(`who is not logged in is refused [${way}]`, async (t) => {
    const socket = client(t, application.url, { transports });
    const refused = next(socket, "connect_error");
    socket.connect();
    const [error] = await refused;
    assert.ok(error);
    if (way !== "websocket") assert.equal(error.context.status, 403);
  });

  test(`a route of the application speaks to every socket [${way}]`, async (t) => {
    const [one, two] = await Promise.all(
      ["grace", "joan"].map(async (name) => connected(t, await logIn(name), transports)),
    );
    const heard = [one, two].map(({ socket }) => next(socket, "announcement"));
    const cookie = await logIn("mary");
    const response = await fetch(`${application.url}/announce`, {
      method: "POST",
      headers: { cookie },
      body: "tea!",
    });
    assert.equal(response.status, 202);
    for (const args of await Promise.all(heard)) assert.deepEqual(args, ["mary", "tea!"]);
  });
}

test("requests that are not for Socket.IO reach the application as they are", async () => {
  const answer = async (path, options) => {
    const response = await fetch(application.url + path, options);
    return [response.status, await response.text()];
  };
  assert.deepEqual(await answer("/"), [200, "hello, stranger"]);
  const cookie = await logIn("ada");
  assert.deepEqual(await answer("/", { headers: { cookie } }), [200, "hello, ada"]);
  assert.deepEqual(await answer("/socket.iox/"), [404, ""]);
  assert.deepEqual(await answer("/announce", { method: "POST", body: "x" }), [401, ""]);
  assert.equal((await answer("/login"))[0], 405);
});

test("a request for Socket.IO never reaches the application", async () => {
  const answer = async (query) => {
    const response = await fetch(`${application.url}/socket.io/?transport=polling&${query}`);
    return [response.status, await response.json()];
  };
  const unsupported = { code: 5, message: "Unsupported protocol version" };
  assert.deepEqual(await answer("EIO=9"), [400, unsupported]);
  assert.deepEqual(await answer("EIO=4"), [403, { code: 4, message: "log in first" }]);
});

test("a shutdown tells every socket, ends the requests that wait and the process", async (t) => {
  const cookie = await logIn("ada");
  const sockets = await Promise.all(
    Object.values(WAYS).map(async (transports) => (await connected(t, cookie, transports)).socket),
  );
  const reasons = sockets.map((socket) => next(socket, "disconnect"));
  application.stop();
  const [polling, ...others] = (await Promise.all(reasons)).map(([reason]) => reason);
  for (const reason of others) assert.match(reason, /^(io server disconnect|transport close)$/);
  // Between two GETs it cannot be told: a server that goes away does not wait for the next, which is
  // of a session that is unknown then.
  assert.match(polling, /^(io server disconnect|transport close|transport error)$/);
  assert.deepEqual(await application.ended(), [0, null]);
});
