// What a browser does by itself with a server of another origin: JSONP, and compression that it negotiates.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer as createHttp } from "node:http";
import { connect, createServer as createTcp } from "node:net";
import { after, before, test } from "node:test";
import { startBrowser, startFixture } from "./harness.mjs";

const CLIENTS = {
  "/4.js": "node_modules/socket.io-client/dist/socket.io.js",
  "/2.js": "node_modules/socket.io-client-2/dist/socket.io.js",
};
const WAIT_MS = 15_000;
// What each way of writing a payload could spoil: quotes, line feeds and what looks like one, ends of lines of older scripts, separators.
const TEXT = "\"quoted\" \\n \\\\n \n\r\u2028\u2029 </script> &d=%41+ \u{1f600} é";

let browser;
let site;

before(async () => {
  browser = await startBrowser();
  site = await startSite();
});

after(async () => {
  await browser?.close();
  site?.close();
});

const listen = (server) => new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${server.address().port}`)));

// An origin of its own, with an empty page for each client.
async function startSite() {
  const server = createHttp(async (request, response) => {
    const file = CLIENTS[request.url];
    if (file) return response.writeHead(200, { "content-type": "text/javascript" }).end(await readFile(new URL(file, import.meta.url)));
    const client = request.url.slice(1);
    const script = client === "none" ? "" : `<script src="/${client}.js"></script>`;
    response.writeHead(200, { "content-type": "text/html" }).end(`<!doctype html><link rel="icon" href="data:,"><title>${client}</title>${script}`);
  });
  return { origin: await listen(server), close: () => server.close() };
}

// Between browser and server, to see what the wire carries.
async function startCounter(server) {
  const counter = { up: 0, down: 0 };
  const sockets = new Set();
  const tcp = createTcp((client) => {
    const upstream = connect(server.port, "127.0.0.1");
    for (const [from, to, direction] of [[client, upstream, "up"], [upstream, client, "down"]]) {
      sockets.add(from);
      from.on("data", (data) => {
        counter[direction] += data.length;
        to.write(data);
      });
      from.on("end", () => to.end());
      from.on("error", () => to.destroy());
      from.on("close", () => sockets.delete(from));
    }
  });
  counter.origin = await listen(tcp);
  counter.take = () => {
    const { up, down } = counter;
    Object.assign(counter, { up: 0, down: 0 });
    return { up, down };
  };
  counter.close = () => {
    tcp.close();
    sockets.forEach((socket) => socket.destroy());
  };
  return counter;
}

// A page of the site, the server behind a counter, and what the page asked that server for.
async function withServer(settings, client, body) {
  const server = await startFixture(settings);
  const counter = await startCounter(server);
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(WAIT_MS);
    const complaints = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    const asked = [];
    page.on("request", (request) => request.url().startsWith(counter.origin) && asked.push(request));
    await page.goto(`${site.origin}/${client}`);
    await body({ page, counter, asked });
    assert.deepEqual(complaints, []);
  } finally {
    await context.close();
    counter.close();
    await server.stop();
  }
}

// In the page: opens a socket, and waits until it is connected; what it is refused with otherwise.
const open = (page, url, options) =>
  page.evaluate(
    ([url, options]) =>
      new Promise((resolve) => {
        globalThis.socket = io(url, { reconnection: false, ...options });
        for (const name of ["connect", "connect_error", "error"]) socket.once(name, (error) => resolve(error ? String(error.description ?? error) : name));
      }),
    [url, options],
  );

const ask = (page, ...args) => page.evaluate((args) => new Promise((resolve) => socket.emit("echo-ack", ...args, (...back) => resolve(back))), args);

// Bytes there and back, which pages and tests cannot exchange as such.
const askBytes = (page, length) =>
  page.evaluate(
    (length) =>
      new Promise((resolve) => {
        const bytes = Uint8Array.from({ length }, (_, index) => index % 256);
        socket.emit("echo-ack", { bytes: bytes.buffer }, (back) => {
          const got = new Uint8Array(back.bytes);
          resolve(got.length === length && got.every((byte, index) => byte === bytes[index]));
        });
      }),
    length,
  );

const close = (page) => page.evaluate(() => socket.close());

test("JSONP by socket.io-client 2 reaches a server that lets no other origin read its answers", () =>
  withServer({ ALLOW_EIO3: "1" }, "2", async ({ page, counter, asked }) => {
    assert.notEqual(await open(page, counter.origin, { transports: ["polling"] }), "connect", "the browser keeps other answers from the page");
    asked.length = 0;
    assert.equal(await open(page, counter.origin, { transports: ["polling"], forceJSONP: true, forceNew: true }), "connect");
    assert.deepEqual(await ask(page, TEXT, { nested: [null, TEXT] }), [TEXT, { nested: [null, TEXT] }]);
    const large = "0123456789".repeat(5_000);
    assert.deepEqual(await ask(page, large), [large]);
    assert.ok(await askBytes(page, 1_000), "binary data come back");
    for (const request of asked) {
      assert.match(request.url(), /[?&]j=\d+/);
      assert.equal(request.resourceType(), request.method() === "GET" ? "script" : "document", request.url());
    }
    assert.ok(asked.some((request) => request.method() === "POST"));
    await close(page);
  }));

test("a page that writes script tags and forms itself speaks to the server by JSONP", () =>
  withServer({}, "none", async ({ page, counter }) => {
    const result = await page.evaluate(async (origin) => {
      const payloads = [];
      const waiting = [];
      globalThis.___eio = [(payload) => (waiting.length ? waiting.shift()(payload) : payloads.push(payload))];
      const next = () => (payloads.length ? payloads.shift() : new Promise((resolve) => waiting.push(resolve)));
      const get = (query) => {
        const script = Object.assign(document.createElement("script"), { src: `${origin}/socket.io/?EIO=4&transport=polling&j=0${query}` });
        document.body.append(script);
        return next();
      };
      const opened = await get("");
      const sid = JSON.parse(opened.slice(1)).sid;
      const post = (payload) =>
        new Promise((resolve) => {
          const frame = Object.assign(document.createElement("iframe"), { name: `frame${Math.random()}` });
          document.body.append(frame);
          const form = Object.assign(document.createElement("form"), { method: "post", target: frame.name, acceptCharset: "utf-8", action: `${origin}/socket.io/?EIO=4&transport=polling&j=0&sid=${sid}` });
          const field = Object.assign(document.createElement("textarea"), { name: "d", value: payload });
          form.append(field);
          document.body.append(form);
          frame.onload = resolve;
          form.submit();
        });
      await post("40");
      let got = "";
      while (!got.includes("40{")) got += await get(`&sid=${sid}`);
      await post('421["echo-ack","\u2028 \\"x\\""]');
      while (!got.includes("431")) got += `\x1e${await get(`&sid=${sid}`)}`;
      return [opened[0], got.split("\x1e").find((packet) => packet.startsWith("431"))];
    }, counter.origin);
    assert.deepEqual(result, ["0", '431["\u2028 \\"x\\""]']);
  }));

for (const takeover of [false, true]) {
  test(`a browser compresses what a WebSocket carries, ${takeover ? "with" : "without"} context takeover`, () =>
    withServer({ DEFLATE: "1000", ...(takeover && { CONTEXT_TAKEOVER: "1" }) }, "4", async ({ page, counter }) => {
      const session = await page.context().newCDPSession(page);
      await session.send("Network.enable");
      const answered = new Promise((resolve) => session.once("Network.webSocketHandshakeResponseReceived", ({ response }) => resolve(response)));
      assert.equal(await open(page, counter.origin, { transports: ["websocket"] }), "connect");
      const names = Object.fromEntries(Object.entries((await answered).headers).map(([name, value]) => [name.toLowerCase(), value]));
      const extensions = names["sec-websocket-extensions"] ?? "";
      assert.match(extensions, /^permessage-deflate/);
      assert.equal(/no_context_takeover/.test(extensions), !takeover, extensions);
      counter.take();
      const large = Array.from({ length: 5_000 }, (_, index) => `${TEXT} ${index % 100}`).join();
      for (let round = 0; round < 3; round += 1) {
        assert.deepEqual(await ask(page, `${round}${large}`), [`${round}${large}`]);
        const { up, down } = counter.take();
        assert.ok(up < large.length / 10 && down < large.length / 10, `${up} and ${down} bytes for ${large.length}`);
      }
      assert.ok(await askBytes(page, 100_000), "binary data come back");
      assert.deepEqual(await ask(page, TEXT), [TEXT], "what is too short to be compressed comes between");
      // Whether a message refers to the one before, which is the same, shows by its length.
      const noise = Array.from({ length: 2_000 }, (_, index) => ((index * 7_919) % 4_093).toString(36)).join("");
      await ask(page, noise);
      const first = counter.take();
      await ask(page, noise);
      const again = counter.take();
      assert.equal(again.up < first.up / 4 && again.down < first.down / 4, takeover, JSON.stringify({ first, again }));
      await close(page);
    }));
}

// Chromium offers br over http to its own machine, which is where it is here.
for (const [coding, settings] of [["gzip", {}], ["br", { BROTLI: "5" }]]) {
  test(`a browser reads answers to polling in ${coding}`, () =>
    withServer({ HTTP_COMPRESSION: "1000", CORS_ORIGIN: site.origin, ...settings }, "4", async ({ page, counter }) => {
      const codings = new Set();
      page.on("response", async (response) => {
        if (response.url().startsWith(counter.origin) && response.request().method() === "GET") codings.add(response.headers()["content-encoding"]);
      });
      assert.equal(await open(page, counter.origin, { transports: ["polling"] }), "connect");
      counter.take();
      const large = Array.from({ length: 5_000 }, (_, index) => `${TEXT} ${index % 100}`).join();
      assert.deepEqual(await ask(page, large), [large]);
      const { up, down } = counter.take();
      assert.ok(up > large.length && down < large.length / 10, `${up} and ${down} bytes for ${large.length}`);
      assert.ok(await askBytes(page, 10_000), "binary data come back");
      // Short answers stay as they are.
      assert.deepEqual([...codings].sort(), [coding, undefined]);
      await close(page);
    }));
}
