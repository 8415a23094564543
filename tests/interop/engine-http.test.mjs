import assert from "node:assert/strict";
import { test } from "node:test";
import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";
import { Socket as EngineSocket } from "engine.io-client";
import {
  ask,
  assertEngineError,
  call,
  CERTIFICATE,
  connect,
  enginePath,
  nextEvent,
  oursOnly,
  PollingPeer,
  responseOf,
  send,
  SEPARATOR,
  serverReason,
  startRequest,
  startServer,
  take,
  watcher,
  WebSocketPeer,
} from "./support.mjs";

const MAX_PAYLOAD = 20_000;
const ORIGIN = "https://allowed.example";
const server = await startServer({ MAX_PAYLOAD: String(MAX_PAYLOAD) });
const withCors = await startServer({ CORS_ORIGIN: ORIGIN });
const withBrotli = await startServer({ HTTP_COMPRESSION: "1000", BROTLI: "5" });

const polling = (query) => enginePath({ transport: "polling", ...query });

// --- Handshake -----------------------------------------------------------------------------------

test("the handshake over polling", async () => {
  const response = await send(server, { path: polling() });
  assert.equal(response.status, 200);
  assert.match(response.headers["content-type"], /^text\/plain; ?charset=utf-8$/i);
  assert.equal(response.headers["cache-control"], "no-store");
  assert.equal(response.headers["set-cookie"], undefined);
  const { sid, ...rest } = JSON.parse(response.body.replace(/^0/, ""));
  assert.match(sid, /^[\w-]{20,}$/);
  assert.deepEqual(rest, {
    upgrades: ["websocket"],
    pingInterval: 25_000,
    pingTimeout: 20_000,
    maxPayload: MAX_PAYLOAD,
  });
});

test("engine.io-client understands the handshake", async (t) => {
  const options = { path: "/socket.io", transports: ["polling"], ...CERTIFICATE };
  const socket = new EngineSocket(server.url, options);
  t.after(() => socket.close());
  const [handshake] = await nextEvent(socket, "handshake");
  assert.equal(handshake.maxPayload, MAX_PAYLOAD);
  socket.write("0");
  assert.match((await nextEvent(socket, "message"))[0], /^0\{"sid":/);
});

test("an empty session id counts as none", async () => {
  const response = await send(server, { path: polling({ sid: "" }) });
  assert.equal(response.status, 200);
  assert.match(response.body, /^0\{/);
});

test("the last of several equal parameters counts", async () => {
  const response = await send(server, {
    path: "/socket.io/?EIO=3&transport=x&EIO=4&transport=polling",
  });
  assert.equal(response.status, 200);
});

test("parameters are percent-decoded", async () => {
  const response = await send(server, { path: "/socket.io/?E%49O=4&transport=%70olling" });
  assert.equal(response.status, 200);
});

test("requests outside the path are not ours", async () => {
  for (const path of [
    "/",
    "/elsewhere/?EIO=4&transport=polling",
    "/Socket.IO/?EIO=4&transport=polling",
  ]) {
    assert.equal((await send(server, { path })).status, 404, path);
  }
});

// --- The six errors ------------------------------------------------------------------------------

for (const transport of ["unknown", "", "webtransport", "__proto__", "constructor", "POLLING"]) {
  test(`error 0: transport ${JSON.stringify(transport)}`, async () => {
    assertEngineError(await send(server, { path: enginePath({ transport }) }), 0);
  });
}

test("error 0: no transport", async () => {
  assertEngineError(await send(server, { path: "/socket.io/?EIO=4" }), 0);
  assertEngineError(await send(server, { path: "/socket.io/" }), 0);
});

for (const sid of [
  "nobody",
  "__proto__",
  "a".repeat(2000),
  "%00",
  "ä",
  "AAAAAAAAAAAAAAAAAAAAAAAA",
]) {
  test(`error 1: session ${JSON.stringify(sid.slice(0, 24))}`, async () => {
    assertEngineError(await send(server, { path: polling({ sid }) }), 1);
    assertEngineError(
      await send(server, { method: "POST", path: polling({ sid }), body: "4x" }),
      1,
    );
  });
}

for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
  test(`error 2: a handshake with ${method}`, async () => {
    assertEngineError(await send(server, { method, path: polling() }), 2);
  });
}

test("error 3: the handshake of a WebSocket without an upgrade", async () => {
  assertEngineError(await send(server, { path: enginePath({ transport: "websocket" }) }), 3);
});

test("error 3: a poll for a session of a WebSocket", async (t) => {
  const peer = await WebSocketPeer.connect(t, server);
  assertEngineError(await send(server, { path: polling({ sid: peer.handshake.sid }) }), 3);
  await peer.assertAlive();
});

test("error 3: the transport of a request differs from that of its session", async () => {
  const peer = await PollingPeer.connect(server);
  const path = enginePath({ transport: "websocket", sid: peer.handshake.sid });
  assertEngineError(await send(server, { path }), 3);
  await peer.assertAlive();
});

test("error 4: forbidden by the application", async () => {
  assertEngineError(await send(server, { path: polling({ forbidden: "1" }) }), 4, 403);
});

for (const EIO of ["3", "2", "5", "", "four"]) {
  test(`error 5: protocol revision ${JSON.stringify(EIO)}`, async () => {
    assertEngineError(await send(server, { path: polling({ EIO }) }), 5);
  });
}

test("error 5: no protocol revision", async () => {
  assertEngineError(await send(server, { path: "/socket.io/?transport=polling" }), 5);
});

// --- Polls and posts -----------------------------------------------------------------------------

test("a post is answered ok", async () => {
  const peer = await PollingPeer.connect(server);
  const response = await peer.post('42["echo",1]');
  assert.equal(response.status, 200);
  assert.equal(response.body, "ok");
  assert.equal(response.headers["cache-control"], "no-store");
  assert.equal(await peer.next(), '42["echo",1]');
});

for (const revision of ["", "EIO=3&"]) {
  test(`a later request with ${revision || "no revision"} changes nothing`, async () => {
    const peer = await PollingPeer.connect(server);
    const path = `/socket.io/?${revision}transport=polling&sid=${peer.handshake.sid}`;
    const response = await send(server, { method: "POST", path, body: '42["unknown"]' });
    // It is refused, or handled in the revision of the session.
    if (response.status === 200) assert.equal(response.body, "ok");
    else assertEngineError(response, 3);
    await peer.assertAlive();
  });
}

test("a post carries several packets, also binary", async () => {
  const peer = await PollingPeer.connect(server);
  const packets = [
    '42["echo",1]',
    '451-["echo",{"_placeholder":true,"num":0}]',
    "bAQID",
    '42["echo",2]',
  ];
  await peer.post(packets.join(SEPARATOR));
  for (const packet of packets) assert.equal(await peer.next(), packet);
});

test("a poll carries everything that is buffered", async (t) => {
  const sender = await connect(t, server);
  const peer = await PollingPeer.connect(server);
  for (let i = 0; i < 5; i++) await ask(sender, "in-room", peer.id, i);
  const response = await peer.get();
  const expected = [0, 1, 2, 3, 4].map((i) => `42["room",${i}]`).join(SEPARATOR);
  assert.equal(response.body, expected);
});

test("a poll waits for the next packet", async (t) => {
  const sender = await connect(t, server);
  const peer = await PollingPeer.connect(server);
  const pending = peer.get();
  await ask(sender, "in-room", peer.id, "now");
  assert.equal((await pending).body, '42["room","now"]');
});

test("polls and posts may overlap each other", async () => {
  const peer = await PollingPeer.connect(server);
  for (let i = 0; i < 20; i++) {
    const [poll, post] = await Promise.all([peer.get(), peer.post(`42["echo",${i}]`)]);
    assert.deepEqual([poll.body, post.body], [`42["echo",${i}]`, "ok"]);
  }
});

test("a body in chunks, cut within a character", async () => {
  const peer = await PollingPeer.connect(server);
  const body = Buffer.from('42["echo","€😀"]');
  const request = startRequest(server, {
    method: "POST",
    path: peer.path,
    headers: { "content-type": "text/plain", "expect": "100-continue" },
  });
  const response = responseOf(request);
  request.flushHeaders();
  await nextEvent(request, "continue");
  for (const byte of body) request.write(Buffer.of(byte));
  request.end();
  assert.equal((await response).body, "ok");
  assert.equal(await peer.next(), body.toString());
});

test("a volatile event is dropped when nobody polls", async (t) => {
  const sender = await connect(t, server);
  const peer = await PollingPeer.connect(server);
  await ask(sender, "volatile", peer.id, "dropped");
  await ask(sender, "in-room", peer.id, "kept");
  assert.equal((await peer.get()).body, '42["room","kept"]');
});

test("a large answer may be compressed when the client allows it", async () => {
  const peer = await PollingPeer.connect(server);
  const event = JSON.stringify(["echo", "compressible ".repeat(500)]);
  await peer.post(`42${event}`);
  const response = await peer.get({ "accept-encoding": "gzip, deflate" });
  const decoders = { gzip: gunzipSync, deflate: inflateSync, undefined: (raw) => raw };
  const decoded = decoders[response.headers["content-encoding"]](response.raw);
  assert.equal(decoded.toString(), `42${event}`);
});

test("a large answer is plain when the client does not speak of compression", async () => {
  const peer = await PollingPeer.connect(server);
  await peer.post(`42${JSON.stringify(["echo", "x".repeat(5000)])}`);
  assert.equal((await peer.get()).headers["content-encoding"], undefined);
});

test("a large answer is in br when the server is told to", oursOnly("it has no br for polling"), async () => {
  const decoders = { br: brotliDecompressSync, gzip: gunzipSync, undefined: (raw) => raw };
  const large = "compressible € ".repeat(1_000);
  for (const [started, accepted, text, coding] of [
    [withBrotli, "gzip, deflate, br", large, "br"],
    [withBrotli, "gzip, deflate, br", "short", undefined],
    [withBrotli, "gzip, br;q=0", large, "gzip"],
    [withBrotli, "br;q=0", large, undefined],
    [server, "br", large, undefined],
  ]) {
    const peer = await PollingPeer.connect(started);
    const event = `42${JSON.stringify(["echo", text])}`;
    await peer.post(event);
    const response = await peer.get({ "accept-encoding": accepted });
    assert.equal(response.headers["content-encoding"], coding, accepted);
    assert.equal(decoders[coding](response.raw).toString(), event);
    assert.ok(coding === undefined || response.raw.length < text.length / 10, `${response.raw.length}`);
  }
});

// --- Limits --------------------------------------------------------------------------------------

const eventOfLength = (length) => `42["echo","${"x".repeat(length - '42["echo",""]'.length)}"]`;

test("a body of exactly the limit is accepted", async () => {
  const peer = await PollingPeer.connect(server);
  const body = eventOfLength(MAX_PAYLOAD);
  assert.equal((await peer.post(body)).body, "ok");
  assert.equal(await peer.next(), body);
});

test("a body over the limit is answered 413 and the session stays", async () => {
  const peer = await PollingPeer.connect(server);
  const response = await peer.post(eventOfLength(MAX_PAYLOAD + 1));
  assert.equal(response.status, 413);
  await peer.assertAlive();
});

test("the limit counts bytes, not characters", async () => {
  const peer = await PollingPeer.connect(server);
  const response = await peer.post(`42["echo","${"€".repeat(MAX_PAYLOAD / 2)}"]`);
  assert.equal(response.status, 413);
  await peer.assertAlive();
});

test("the limit holds for a body without a length", async () => {
  const peer = await PollingPeer.connect(server);
  const request = startRequest(server, { method: "POST", path: peer.path });
  const response = responseOf(request);
  request.write(eventOfLength(MAX_PAYLOAD));
  request.end(" ");
  assert.equal((await response).status, 413);
  await peer.assertAlive();
});

// --- Misuse --------------------------------------------------------------------------------------

test("a second poll ends the session", async (t) => {
  const watching = await watcher(t, server);
  const peer = await PollingPeer.connect(server);
  const answers = await Promise.all([peer.get(), peer.get()]);
  // Which of the two came first is not known, but one is refused and one released.
  answers.sort((a, b) => a.status - b.status);
  assert.deepEqual([answers[0].status, answers[0].body], [200, "1"]);
  assert.ok([400, 500].includes(answers[1].status));
  assert.equal(await serverReason(watching, peer.id), "transport error");
  await peer.assertGone();
});

/** A POST whose headers the server has seen while its body is not finished. */
async function unfinishedPost(peer) {
  const request = startRequest(server, {
    method: "POST",
    path: peer.path,
    headers: { "content-length": "100", "expect": "100-continue" },
  });
  request.on("error", () => {});
  request.flushHeaders();
  await nextEvent(request, "continue");
  request.write("42");
  return request;
}

test("a second post ends the session", async (t) => {
  const watching = await watcher(t, server);
  const peer = await PollingPeer.connect(server);
  const first = await unfinishedPost(peer);
  const response = await peer.post("4");
  assert.ok([400, 500].includes(response.status));
  assert.equal(await serverReason(watching, peer.id), "transport error");
  await peer.assertGone();
  first.destroy();
});

test("a post that is cut ends the session", async (t) => {
  const watching = await watcher(t, server);
  const peer = await PollingPeer.connect(server);
  (await unfinishedPost(peer)).destroy();
  assert.equal(await serverReason(watching, peer.id), "transport error");
  await peer.assertGone();
});

test("a poll that is cut ends the session", async (t) => {
  const watching = await watcher(t, server);
  const peer = await PollingPeer.connect(server);
  const request = startRequest(server, { path: peer.path });
  request.on("error", () => {});
  request.end();
  await nextEvent(request, "finish");
  // A request that comes together with the end of its connection may pass unseen.
  await ask(watching, "echo-ack");
  request.destroy();
  assert.equal(await serverReason(watching, peer.id), "transport error");
  await peer.assertGone();
});

test("a body declared as bytes ends the session", async (t) => {
  const watching = await watcher(t, server);
  const peer = await PollingPeer.connect(server);
  const response = await peer.post("4", { "content-type": "application/octet-stream" });
  assert.equal(response.status, 400);
  assert.equal(await serverReason(watching, peer.id), "transport error");
});

for (const method of ["PUT", "DELETE", "PATCH", "OPTIONS"]) {
  test(`${method} with a session is refused and the session stays`, async () => {
    const peer = await PollingPeer.connect(server);
    const response = await send(server, { method, path: peer.path });
    assert.ok(response.status >= 400, String(response.status));
    await peer.assertAlive();
  });
}

for (const [name, body] of Object.entries({
  "an empty body": "",
  "an unknown packet type": "9",
  "text that is no packet": "hello",
  "a trailing separator": `42["echo",1]${SEPARATOR}`,
  "two separators in a row": `42["echo",1]${SEPARATOR}${SEPARATOR}42["echo",2]`,
})) {
  test(`malformed payload: ${name}`, async (t) => {
    const watching = await watcher(t, server);
    const peer = await PollingPeer.connect(server);
    const response = await peer.post(body);
    assert.ok([200, 400].includes(response.status), String(response.status));
    assert.equal(await serverReason(watching, peer.id), "parse error");
    await peer.assertGone();
  });
}

test("packets after a close packet are dropped", async (t) => {
  const watching = await watcher(t, server);
  const peer = await PollingPeer.connect(server);
  const late = `42["to-room","${watching.id}","late"]`;
  await peer.post(["1", late].join(SEPARATOR));
  assert.equal(await serverReason(watching, peer.id), "transport close");
  await ask(watching, "in-room", watching.id, "end");
  assert.deepEqual(await take(watching, "room"), ["end"]);
});

test("a pending poll is released when the client closes", async (t) => {
  const watching = await watcher(t, server);
  const peer = await PollingPeer.connect(server);
  const pending = peer.get();
  await peer.post("1");
  assert.equal(await serverReason(watching, peer.id), "transport close");
  const response = await pending;
  // It is released, or came too late.
  if (response.status === 200) assert.match(response.body, /^[16]$/);
  else assertEngineError(response, 1);
});

test("a pending poll is released when the session fails", async (t) => {
  const watching = await watcher(t, server);
  const peer = await PollingPeer.connect(server);
  const pending = peer.get();
  await peer.post("9");
  assert.equal(await serverReason(watching, peer.id), "parse error");
  const response = await pending;
  if (response.status === 200) assert.equal(response.body, "1");
  else assertEngineError(response, 1);
});

test("sessions do not see each other", async () => {
  const [a, b] = await Promise.all([PollingPeer.connect(server), PollingPeer.connect(server)]);
  assert.notEqual(a.handshake.sid, b.handshake.sid);
  await a.post('42["echo","a"]');
  await b.post('42["echo","b"]');
  assert.equal(await a.next(), '42["echo","a"]');
  assert.equal(await b.next(), '42["echo","b"]');
});

// --- CORS ----------------------------------------------------------------------------------------

test("by default no origin is allowed", async () => {
  const response = await send(server, { path: polling(), headers: { origin: ORIGIN } });
  assert.equal(response.status, 200);
  assert.equal(response.headers["access-control-allow-origin"], undefined);
});

test("the allowed origin is named on answers and on errors", async () => {
  for (const path of [polling(), polling({ sid: "nobody" })]) {
    const { headers } = await send(withCors, { path, headers: { origin: ORIGIN } });
    assert.equal(headers["access-control-allow-origin"], ORIGIN);
    assert.equal(headers["access-control-allow-credentials"], "true");
    assert.match(headers.vary, /\borigin\b/i);
  }
});

test("a preflight request is answered", async () => {
  const { status, headers, body } = await send(withCors, {
    method: "OPTIONS",
    path: polling(),
    headers: {
      "origin": ORIGIN,
      "access-control-request-method": "POST",
      "access-control-request-headers": "x-custom",
    },
  });
  assert.ok([200, 204].includes(status));
  assert.equal(body, "");
  assert.equal(headers["access-control-allow-origin"], ORIGIN);
  assert.match(headers["access-control-allow-methods"], /\bPOST\b/);
  assert.match(headers["access-control-allow-headers"], /x-custom/i);
});

test("another origin is not named as allowed", async () => {
  const other = "https://other.example";
  const { headers } = await send(withCors, { path: polling(), headers: { origin: other } });
  assert.notEqual(headers["access-control-allow-origin"], other);
  assert.notEqual(headers["access-control-allow-origin"], "*");
});

// --- Afterwards ----------------------------------------------------------------------------------

test("the server has survived all of this", async (t) => {
  const socket = await connect(t, server, { transport: "upgrade" });
  assert.equal(await call(socket, "echo-ack", "alive"), "alive");
});
