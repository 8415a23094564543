// The example `with-hyper`: HTTP/1.1 and HTTP/2 on one port.
import assert from "node:assert/strict";
import { connect } from "node:http2";
import { test } from "node:test";
import { client, next, start, upgrade, within } from "./application.mjs";

const application = await start("HYPER_COMMAND");

for (const transports of [["polling"], ["websocket"], ["polling", "websocket"]]) {
  test(`a client over HTTP/1.1 [${transports}]`, async (t) => {
    const socket = client(t, application.url, { transports });
    const open = next(socket, "connect");
    const upgraded = transports.length > 1 && upgrade(socket);
    socket.connect();
    await open;
    await upgraded;
    const shouted = next(socket, "shouted");
    socket.emit("shout", "hello");
    assert.deepEqual(await shouted, ["HELLO"]);
    assert.equal(socket.io.engine.transport.name, transports.at(-1));
  });
}

test("polling over HTTP/2, many requests on one connection", async (t) => {
  const connection = connect(application.url);
  t.after(() => connection.destroy());
  const answer = (method, query, body) => {
    const stream = connection.request({
      ":method": method,
      ":path": `/socket.io/?EIO=4&transport=polling${query}`,
    });
    const response = new Promise((resolve, reject) => {
      let head;
      let text = "";
      stream.setEncoding("utf8");
      stream.on("response", (headers) => (head = headers));
      stream.on("data", (chunk) => (text += chunk));
      stream.on("end", () => resolve({ status: head[":status"], text, head }));
      stream.on("error", reject);
    });
    stream.end(body);
    return within(response, `${method} ${query}`);
  };
  const open = await answer("GET", "");
  assert.equal(open.status, 200);
  const { sid } = JSON.parse(open.text.slice(1));
  const session = `&sid=${sid}`;
  // The GET waits while the POSTs go past it on the same connection.
  const joined = answer("GET", session);
  assert.equal((await answer("POST", session, "40")).text, "ok");
  assert.match((await joined).text, /^40\{"sid":/);
  const shouted = answer("GET", session);
  assert.equal((await answer("POST", session, '42["shout","over two"]')).text, "ok");
  assert.equal((await shouted).text, '42["shouted","OVER TWO"]');
  // What closes a connection of HTTP/1.1 closes nothing here.
  const refused = await answer("GET", "&sid=nobody");
  assert.equal(refused.status, 400);
  assert.equal(refused.head.connection, undefined);
  assert.equal((await answer("POST", session, "41")).text, "ok");
});

test("other requests reach the application", async () => {
  const response = await fetch(`${application.url}/elsewhere`);
  assert.equal(await response.text(), "a page of the application");
});

test("a shutdown ends the requests that wait and the process", async (t) => {
  const socket = client(t, application.url, { transports: ["polling"] });
  const open = next(socket, "connect");
  socket.connect();
  await open;
  const closed = next(socket, "disconnect");
  application.stop();
  await closed;
  assert.deepEqual(await application.ended(), [0, null]);
});
