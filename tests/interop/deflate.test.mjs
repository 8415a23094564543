// Compression on WebSockets (RFC 7692), by the official clients and by `ws` alone. What is compressed
// shows in the bytes that the client's stream has read.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ask,
  client,
  connect,
  connected,
  oursOnly,
  startServer,
  take,
  upgraded,
  WebSocketPeer,
} from "./support.mjs";

const THRESHOLD = 1024;
const server = await startServer({ DEFLATE: String(THRESHOLD) });
const withContext = await startServer({ DEFLATE: "0", CONTEXT_TAKEOVER: "1" });
const eio3 = await startServer({ DEFLATE: String(THRESHOLD), ALLOW_EIO3: "1" });
const plain = await startServer();

const NO_CONTEXT = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

const ticks = (count) =>
  Array.from({ length: count }, (_, i) => ({ symbol: `S${i % 9}`, price: i * 0.25, at: 1e12 + i }));
const pattern = (length) =>
  Buffer.from(Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 0x3f));
const noise = (length) => {
  let state = 1;
  return Buffer.from(
    Array.from({ length }, () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 24),
  );
};

const webSocketOf = (socket) => socket.io.engine.transport.ws;
const extensionsOf = (socket) => webSocketOf(socket).extensions;

/** Bytes that a WebSocket reads, headers and TLS included, until `action` is done. */
async function bytesRead(webSocket, action) {
  const before = webSocket._socket.bytesRead;
  await action();
  return webSocket._socket.bytesRead - before;
}

for (const transport of ["websocket", "upgrade"]) {
  test(`the official client and large JSON both ways [${transport}]`, async (t) => {
    const socket = await connect(t, server, { transport });
    assert.match(extensionsOf(socket), /^permessage-deflate/);
    const sent = ticks(5_000);
    const size = JSON.stringify(sent).length;
    const webSocket = webSocketOf(socket);
    const read = await bytesRead(webSocket, async () => {
      assert.deepEqual(await ask(socket, "echo-ack", sent), [sent]);
    });
    assert.ok(read < size / 3, `${read} of ${size}`);
  });
}

test("binary data and acknowledgements", async (t) => {
  const socket = await connect(t, server);
  const sent = { small: Buffer.from([1, 2]), large: pattern(100_000), noise: noise(50_000) };
  const read = await bytesRead(webSocketOf(socket), async () => {
    assert.deepEqual(await ask(socket, "echo-ack", sent, "text"), [sent, "text"]);
  });
  // The noise stays as it is.
  assert.ok(read > 50_000 && read < 80_000, `${read}`);
});

test("what is answered to the offers of a client", async (t) => {
  for (const [offered, expected] of [
    [true, NO_CONTEXT],
    [{ serverNoContextTakeover: true, clientNoContextTakeover: true }, NO_CONTEXT],
    [{ serverMaxWindowBits: 15 }, `${NO_CONTEXT}; server_max_window_bits=15`],
    [false, ""],
  ]) {
    const peer = await WebSocketPeer.connect(t, server, {}, { perMessageDeflate: offered });
    const parameters = (extension) => extension.split("; ").sort();
    assert.deepEqual(parameters(peer.extensions), parameters(expected));
    await peer.assertAlive();
  }
});

test(
  "a window that the server does not have is not agreed on",
  oursOnly("zlib has windows of any size"),
  async (t) => {
    for (const [offered, expected] of [
      [{ serverMaxWindowBits: 10 }, ""],
      [{ clientMaxWindowBits: 10 }, NO_CONTEXT],
    ]) {
      const peer = await WebSocketPeer.connect(t, server, {}, { perMessageDeflate: offered });
      assert.equal(peer.extensions, expected);
      await peer.assertAlive();
    }
  },
);

test("a server that is not told to does not compress", async (t) => {
  const peer = await WebSocketPeer.connect(t, plain, {}, { perMessageDeflate: true });
  assert.equal(peer.extensions, "");
  await peer.assertAlive();
});

test("context is kept where both want it", async (t) => {
  const options = { perMessageDeflate: { threshold: 0 } };
  const peer = await WebSocketPeer.connect(t, withContext, {}, options);
  assert.equal(peer.extensions, "permessage-deflate");
  const packet = `42["echo",${JSON.stringify(ticks(30))}]`;
  const sizes = [];
  for (let i = 0; i < 50; i++) {
    const size = await bytesRead(peer.socket, async () => {
      peer.send(packet);
      await peer.next((received) => received === packet);
    });
    sizes.push(size);
  }
  assert.ok(Math.max(...sizes.slice(1)) < sizes[0] / 2 && sizes.at(-1) < sizes[0] / 4, `${sizes}`);
  // Noise is not compressed, and is not referred to later.
  peer.send(`451-["echo",{"_placeholder":true,"num":0}]`);
  peer.send(noise(5_000));
  await peer.next((received) => Buffer.isBuffer(received) && noise(5_000).equals(received));
  peer.send(packet);
  await peer.next((received) => received === packet);
});

test("only one end may keep its context", async (t) => {
  for (const options of [{ serverNoContextTakeover: true }, { clientNoContextTakeover: true }]) {
    const perMessageDeflate = { threshold: 0, ...options };
    const peer = await WebSocketPeer.connect(t, withContext, {}, { perMessageDeflate });
    const end = options.serverNoContextTakeover ? "server" : "client";
    assert.equal(peer.extensions, `permessage-deflate; ${end}_no_context_takeover`);
    const packet = `42["echo",${JSON.stringify(ticks(30))}]`;
    for (let i = 0; i < 10; i++) {
      peer.send(packet);
      await peer.next((received) => received === packet);
    }
  }
});

test("empty messages, and messages in fragments", async (t) => {
  const options = { perMessageDeflate: { threshold: 0 } };
  for (const each of [server, withContext]) {
    const peer = await WebSocketPeer.connect(t, each, {}, options);
    for (const data of [Buffer.alloc(0), pattern(3_000)]) {
      peer.send(`451-["echo",{"_placeholder":true,"num":0}]`);
      peer.send(data);
      await peer.next((received) => Buffer.isBuffer(received) && data.equals(received));
    }
    const text = JSON.stringify(ticks(100));
    for (const [piece, fin] of [
      [`42["echo",`, false],
      ["", false],
      [text.slice(0, 1_000), false],
      [`${text.slice(1_000)}]`, true],
    ]) {
      peer.send(piece, { fin });
    }
    await peer.next((received) => received === `42["echo",${text}]`);
  }
});

test("messages below the threshold, and those that do not become shorter, are not", async (t) => {
  const peer = await WebSocketPeer.connect(t, server, {}, { perMessageDeflate: true });
  const around = '42["echo",""]'.length;
  const echo = async (length) => {
    const packet = `42["echo","${"a".repeat(length - around)}"]`;
    return bytesRead(peer.socket, async () => {
      peer.send(packet);
      await peer.next((received) => received === packet);
    });
  };
  assert.ok((await echo(THRESHOLD - 1)) >= THRESHOLD);
  assert.ok((await echo(THRESHOLD)) < THRESHOLD / 2);
});

test(
  "compress(false), to one and to all",
  oursOnly("the flag does not reach WebSockets"),
  async (t) => {
    const socket = await connect(t, server);
    const sent = "a".repeat(10_000);
    const webSocket = webSocketOf(socket);
    for (const [event, answer, isCompressed] of [
      ["echo", "echo", true],
      ["echo-uncompressed", "echo", false],
      ["emit-all", "all", true],
      ["emit-all-uncompressed", "all", false],
    ]) {
      const read = await bytesRead(webSocket, async () => {
        socket.emit(event, sent);
        assert.deepEqual(await take(socket, answer), [sent]);
      });
      assert.equal(read < sent.length / 2, isCompressed, `${event}: ${read}`);
    }
  },
);

test("a broadcast to clients with and without the extension, and on polling", async (t) => {
  for (const each of [server, withContext]) {
    const sockets = await Promise.all([
      connect(t, each, { perMessageDeflate: true }),
      connect(t, each, { perMessageDeflate: false }),
      connect(t, each, { perMessageDeflate: { serverNoContextTakeover: true } }),
      connect(t, each, { transport: "polling" }),
      connect(t, each, { transport: "upgrade" }),
      connect(t, each, { forceBase64: true }),
    ]);
    assert.match(extensionsOf(sockets[0]), /^permessage-deflate/);
    assert.equal(extensionsOf(sockets[1]), "");
    const text = ticks(300);
    const sent = [text, { file: pattern(20_000) }, noise(2_000), "small"];
    const size = JSON.stringify(text).length + 20_000 + 2_000;
    for (let round = 0; round < 3; round++) {
      const receive = (socket) => async () => {
        assert.deepEqual(await take(socket, "all"), sent);
        // Between the broadcasts, something of its own, which may refer to what came before.
        assert.deepEqual(await ask(socket, "echo-ack", text), [text]);
      };
      const reads = sockets.map((socket) => {
        const webSocket = webSocketOf(socket);
        return webSocket ? bytesRead(webSocket, receive(socket)) : receive(socket)();
      });
      sockets[round].emit("emit-all", ...sent);
      const [compressed, uncompressed] = await Promise.all(reads);
      assert.ok(compressed < size / 2, `${compressed} of ${size}`);
      assert.ok(uncompressed > size, `${uncompressed} of ${size}`);
    }
  }
});

test("clients of Engine.IO 3, with binary data as it is and as base64", async (t) => {
  const packet = `42["echo",${JSON.stringify(ticks(100))}]`;
  const data = pattern(5_000);
  for (const query of [{ EIO: "3" }, { EIO: "3", b64: "1" }]) {
    const options = { perMessageDeflate: true };
    const peer = await WebSocketPeer.open(t, eio3, query, options);
    assert.match(peer.extensions, /^permessage-deflate/);
    await peer.next((received) => received.startsWith?.("40"));
    peer.send(packet);
    await peer.next((received) => received === packet);
    const read = await bytesRead(peer.socket, async () => {
      peer.send(`451-["echo",{"_placeholder":true,"num":0}]`);
      peer.send(Buffer.concat([Buffer.from([4]), data]));
      await peer.next((received) =>
        query.b64
          ? received === `b4${data.toString("base64")}`
          : Buffer.isBuffer(received) && received[0] === 4 && data.equals(received.subarray(1)),
      );
    });
    assert.ok(read < data.length / 2, `${read}`);
  }
});

test("a decompression bomb ends at the limit, and alone", async (t) => {
  for (const each of [server, withContext]) {
    const other = await connect(t, each);
    const peer = await WebSocketPeer.connect(t, each, {}, { perMessageDeflate: { threshold: 0 } });
    peer.send(Buffer.alloc(100_000_000));
    assert.equal(await peer.closed(), 1009);
    assert.deepEqual(await ask(other, "echo-ack", 1), [1]);
  }
});

test("a message of the largest size is no bomb", async (t) => {
  const socket = await connect(t, server);
  // The packet's type is not counted in binary.
  for (const data of [Buffer.alloc(1_000_000 - 100), noise(990_000)]) {
    const [answer] = await ask(socket, "echo-ack", data);
    assert.ok(data.equals(answer));
  }
});

test("compressed data that is none, and bits without an agreement", async (t) => {
  const frame = (first, payload) => {
    const header = Buffer.from([first, 0x80 | payload.length, 0, 0, 0, 0]);
    return Buffer.concat([header, Buffer.from(payload)]);
  };
  const hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
  for (const [each, deflate, bytes, code] of [
    [server, true, frame(0xc1, [0x07, 0x00]), 1007],
    // It refers to what was before the message.
    [server, true, frame(0xc1, [0xf2, 0x00, 0x11, 0x00, 0x00]), 1007],
    // Text that is no UTF-8.
    [server, true, frame(0xc1, [0xfa, 0x0f, 0x00]), 1007],
    [server, true, frame(0xc9, []), 1002],
    [server, true, frame(0xa1, hello), 1002],
    [server, false, frame(0xc1, hello), 1002],
    [plain, true, frame(0xc1, hello), 1002],
  ]) {
    const peer = await WebSocketPeer.connect(t, each, {}, { perMessageDeflate: deflate });
    peer.socket._socket.write(bytes);
    assert.equal(await peer.closed(), code, bytes.toString("hex"));
  }
});

test("a client that asks for the extension while it upgrades", async (t) => {
  const socket = client(t, server, { transport: "upgrade" });
  await connected(socket);
  const sent = ticks(500);
  // Some of these are answered on polling, and some on the WebSocket.
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => ask(socket, "echo-ack", sent)),
  );
  for (const answer of answers) assert.deepEqual(answer, [sent]);
  await upgraded(socket);
  assert.deepEqual(await ask(socket, "echo-ack", sent), [sent]);
});
