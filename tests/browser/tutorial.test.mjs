// The events of the tutorials, by the official client that the server itself delivers.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { pages, startBrowser, startServer } from "./harness.mjs";

let server;
let browser;

before(async () => {
  server = await startServer();
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

for (const transports of [["websocket"], ["polling"], ["polling", "websocket"]]) {
  test(`an official client uses the tutorial's events over ${transports.join(" then ")}`, async () => {
    const { open, finish } = pages(browser, server);
    const page = await open();
    const unique = transports.join("+");
    const seen = await page.evaluate(async ([transports, unique]) => {
      const connect = async () => {
        const socket = io({ forceNew: true, transports });
        await new Promise((resolve, reject) => {
          socket.once("connect", resolve);
          socket.once("connect_error", reject);
        });
        return socket;
      };
      const next = (socket, event) => new Promise((resolve) => socket.once(event, (...values) => resolve(values)));
      const [one, two, three] = await Promise.all([connect(), connect(), connect()]);

      const chat = Promise.all([one, two, three].map((socket) => next(socket, "chat message")));
      one.emit("chat message", "hello");

      const strangers = [];
      three.on("room message", (text) => strangers.push(text));
      const first = next(one, "room message");
      one.emit("join room", unique);
      await first;
      const both = Promise.all([next(one, "room message"), next(two, "room message")]);
      two.emit("join room", unique);
      const joined = { texts: await both, expected: `${two.id} joined ${unique}` };
      const data = await three.timeout(5_000).emitWithAck("get data");
      const dataWithArgument = await three.timeout(5_000).emitWithAck("get data", { any: "thing" });
      const updated = await one.timeout(5_000).emitWithAck("update user", { name: unique, age: 36 });

      const result = { chat: await chat, joined, strangers, data, dataWithArgument, updated: updated ?? null };
      // A probe that is cut off would leave a warning.
      const upgraded = ({ io: { engine } }) =>
        engine.transport.name === transports.at(-1) || new Promise((resolve) => engine.once("upgrade", resolve));
      await Promise.all([one, two, three].map(upgraded));
      for (const socket of [one, two, three]) socket.disconnect();
      return result;
    }, [transports, unique]);
    assert.deepEqual(seen.chat, [["hello"], ["hello"], ["hello"]]);
    assert.deepEqual(seen.joined.texts, [[seen.joined.expected], [seen.joined.expected]]);
    assert.deepEqual(seen.strangers, []);
    assert.deepEqual(seen.data, { message: "Here's your data!" });
    assert.deepEqual(seen.dataWithArgument, { message: "Here's your data!" });
    assert.equal(seen.updated, null);
    const line = await server.line(new RegExp(`update user .*"${unique.replace("+", "\\+")}"`));
    assert.deepEqual(JSON.parse(line.slice(line.indexOf("{"))), { name: unique, age: 36 });
    await finish();
  });
}
