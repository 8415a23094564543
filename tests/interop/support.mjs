// What the test files share: the server process, sockets that remember what they received, and raw
// HTTP and WebSocket peers for what the official clients hide. Nothing here sleeps: every wait is
// for an event and fails after WAIT_MS with a message that says what did not happen.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as http from "node:http";
import * as https from "node:https";
import { connect as connectTcp } from "node:net";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { fileURLToPath } from "node:url";
import { io } from "socket.io-client";
import { WebSocket } from "ws";

export const WAIT_MS = 8_000;
export const SEPARATOR = "\x1e";
export const TRANSPORTS = {
  polling: { transports: ["polling"] },
  websocket: { transports: ["websocket"] },
  upgrade: { transports: ["polling", "websocket"] },
};

const COMMAND = process.env.SERVER_COMMAND;
// The server reads the same variable. Nobody vouches for its certificate.
const TLS = process.env.TLS !== undefined;
export const CERTIFICATE = TLS ? { rejectUnauthorized: false } : {};
/** Options of a test whose expectation the reference itself does not meet. */
export const oursOnly = (reason) => ({
  skip: COMMAND ? false : `the reference differs: ${reason}`,
});

/** Registers the test once for each transport. */
export function onEachTransport(name, body, transports = Object.keys(TRANSPORTS)) {
  for (const transport of transports) {
    test(`${name} [${transport}]`, (t) => body(t, transport));
  }
}

// --- Waiting -------------------------------------------------------------------------------------

/** Settles like `promise`, or fails after `ms` saying what was awaited. */
export function within(promise, what, ms = WAIT_MS) {
  let timer;
  const expiry = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${what} within ${ms} ms`)), ms);
  });
  return Promise.race([promise, expiry]).finally(() => clearTimeout(timer));
}

/** The arguments of the next `event` of an emitter. */
export function nextEvent(emitter, event, what = event) {
  return within(new Promise((resolve) => emitter.once(event, (...args) => resolve(args))), what);
}

/**
 * Keeps what arrived until somebody takes it, so that no test can register too late.
 */
class Inbox {
  #records = [];
  #waiters = [];

  push(name, args) {
    const index = this.#waiters.findIndex((w) => w.name === name && w.accepts(...args));
    if (index < 0) this.#records.push({ name, args });
    else this.#waiters.splice(index, 1)[0].resolve(args);
  }

  async take(name, accepts = () => true) {
    const index = this.#records.findIndex((r) => r.name === name && accepts(...r.args));
    if (index >= 0) return this.#records.splice(index, 1)[0].args;
    let waiter;
    const arrival = new Promise((resolve) => {
      waiter = { name, accepts, resolve };
      this.#waiters.push(waiter);
    });
    try {
      return await within(arrival, `"${name}"`);
    } catch (error) {
      this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
      const held = this.#records.map((record) => record.name).slice(0, 20);
      throw new Error(`${error.message}; received instead: [${held}]`);
    }
  }

  held(name) {
    return this.#records.filter((record) => record.name === name).map((record) => record.args);
  }
}

// --- The server process --------------------------------------------------------------------------

const running = new Set();
const killAll = () => running.forEach((child) => child.kill("SIGKILL"));
process.on("exit", killAll);
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    killAll();
    process.exit(1);
  });
}

/**
 * Starts the server under test; `environment` holds the variables of CONTRACT.md. It is killed at
 * the latest after the file.
 */
export async function startServer(environment = {}) {
  const file = environment.ENGINE ? "reference-engine.mjs" : "reference-server.mjs";
  const reference = fileURLToPath(new URL(file, import.meta.url));
  const [command, args] = COMMAND ? [COMMAND, []] : [process.execPath, [reference]];
  const child = spawn(command, args, {
    env: { ...process.env, PORT: "0", ...environment },
    stdio: ["ignore", "pipe", "inherit"],
  });
  running.add(child);
  const exited = new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      running.delete(child);
      resolve({ code, signal });
    });
  });
  const listening = new Promise((resolve) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const match = /^listening on 127\.0\.0\.1:(\d+)$/.exec(line);
      if (match) resolve(Number(match[1]));
    });
  });
  const early = exited.then(({ code, signal }) => {
    throw new Error(`the server ended before it listened (status ${code}, signal ${signal})`);
  });
  const port = await within(Promise.race([listening, early]), "line `listening on` of the server");
  early.catch(() => {});
  const signal = (name) => child.kill(name);
  const stop = async (name = "SIGKILL") => {
    if (!running.has(child)) return exited;
    signal(name);
    return within(exited, `end of the server after ${name}`);
  };
  after(() => stop());
  return { port, url: `${TLS ? "https" : "http"}://127.0.0.1:${port}`, signal, stop };
}

// --- Official clients ----------------------------------------------------------------------------

const inboxes = new WeakMap();

/** Records everything a Socket.IO client socket receives. */
export function record(socket) {
  const inbox = new Inbox();
  inboxes.set(socket, inbox);
  socket.onAny((name, ...args) => inbox.push(name, args));
  for (const name of ["connect", "connect_error", "disconnect"]) {
    socket.on(name, (...args) => inbox.push(name, args));
  }
  return socket;
}

/** Creates a client on its own connection without waiting; it is disconnected after the test. */
export function client(t, server, { namespace = "/", transport = "websocket", ...options } = {}) {
  const socket = io(server.url + namespace, {
    forceNew: true,
    reconnection: false,
    reconnectionDelay: 20,
    reconnectionDelayMax: 200,
    randomizationFactor: 0,
    ...TRANSPORTS[transport],
    ...CERTIFICATE,
    ...options,
  });
  t.after(() => socket.disconnect());
  return record(socket);
}

/** Creates a client, waits for its connection and, on the transport "upgrade", for the upgrade. */
export async function connect(t, server, options = {}) {
  const socket = client(t, server, options);
  await connected(socket);
  if (options.transport === "upgrade") await upgraded(socket);
  return socket;
}

/** Several sockets in the same namespace, each on a connection of its own. */
export function connectMany(t, server, count, options) {
  return Promise.all(Array.from({ length: count }, () => connect(t, server, options)));
}

/** Another namespace on the same connection. */
export function namespaceOf(t, socket, namespace, options) {
  const other = record(socket.io.socket(namespace, options));
  if (!other.active) other.connect();
  t.after(() => other.disconnect());
  return other;
}

export async function connected(socket) {
  let refuse;
  const refused = new Promise((_resolve, reject) => {
    refuse = (error) => reject(new Error(`connect_error: ${error.message}`, { cause: error }));
    socket.once("connect_error", refuse);
  });
  await Promise.race([take(socket, "connect"), refused]).finally(() => {
    socket.off("connect_error", refuse);
  });
}

export async function upgraded(socket) {
  const engine = socket.io.engine;
  if (engine.transport.name !== "websocket") await nextEvent(engine, "upgrade");
  assert.equal(engine.transport.name, "websocket");
}

/** The arguments of the earliest record of that name not yet taken; waits if there is none. */
export const take = (socket, name, accepts) => inboxes.get(socket).take(name, accepts);

/** The arguments of all records of that name not yet taken. */
export const held = (socket, name) => inboxes.get(socket).held(name);

/** Emits and returns all arguments of the acknowledgement. */
export function ask(socket, event, ...args) {
  return within(
    new Promise((resolve) => socket.emit(event, ...args, (...answers) => resolve(answers))),
    `acknowledgement of "${event}"`,
  );
}

/** As `ask`, for the events that acknowledge with one value. */
export const call = async (socket, event, ...args) => (await ask(socket, event, ...args))[0];

/**
 * Shows that nothing of that name is on its way: what the server had sent before comes before an
 * acknowledgement.
 */
export async function assertNothing(socket, name) {
  await ask(socket, "echo-ack");
  assert.deepEqual(held(socket, name), [], `unexpected "${name}"`);
}

/** A socket that gets the reports of the server. */
export async function watcher(t, server, options) {
  const socket = await connect(t, server, options);
  await ask(socket, "watch");
  return socket;
}

/** The reason that the server gave for the end of a socket. */
export async function serverReason(watching, id) {
  const [report] = await take(watching, "disconnected", (candidate) => candidate.id === id);
  return report.reason;
}

// --- Raw HTTP ------------------------------------------------------------------------------------

const { Agent, request: httpRequest } = TLS ? https : http;
const agent = new Agent({ keepAlive: true, ...CERTIFICATE });
after(() => agent.destroy());

export const enginePath = (query) => `/socket.io/?${new URLSearchParams({ EIO: "4", ...query })}`;

/** Starts a request without ending it. */
export function startRequest(server, { method = "GET", path, headers = {} }) {
  return httpRequest({ host: "127.0.0.1", port: server.port, agent, method, path, headers });
}

export function responseOf(request) {
  const response = new Promise((resolve, reject) => {
    request.once("error", reject);
    request.once("response", (message) => {
      const chunks = [];
      message.on("data", (chunk) => chunks.push(chunk));
      message.once("error", reject);
      message.once("end", () => {
        const raw = Buffer.concat(chunks);
        resolve({
          status: message.statusCode,
          headers: message.headers,
          raw,
          body: raw.toString(),
        });
      });
    });
  });
  return within(response, `response to ${request.method} ${request.path}`);
}

export function send(server, { body, ...options }) {
  const request = startRequest(server, options);
  const response = responseOf(request);
  request.end(body);
  return response;
}

export function assertEngineError(response, code, status = 400) {
  const messages = [
    "Transport unknown",
    "Session ID unknown",
    "Bad handshake method",
    "Bad request",
    "Forbidden",
    "Unsupported protocol version",
  ];
  assert.equal(response.status, status);
  assert.match(response.headers["content-type"], /^application\/json/);
  assert.deepEqual(JSON.parse(response.body), { code, message: messages[code] });
}

/** A polling session driven request by request. */
export class PollingPeer {
  #packets = [];

  static async open(server, query = {}) {
    const peer = new PollingPeer();
    peer.server = server;
    const response = await send(server, { path: enginePath({ transport: "polling", ...query }) });
    assert.equal(response.status, 200, response.body);
    assert.equal(response.body[0], "0");
    peer.handshake = JSON.parse(response.body.slice(1));
    peer.path = enginePath({ transport: "polling", sid: peer.handshake.sid, ...query });
    return peer;
  }

  /** A session that has joined `/`; `id` is its socket id. */
  static async connect(server, query) {
    const peer = await PollingPeer.open(server, query);
    await peer.post("40");
    const reply = await peer.next((packet) => packet.startsWith("40"));
    peer.id = JSON.parse(reply.slice(2)).sid;
    await peer.next((packet) => packet === '42["auth",{}]');
    return peer;
  }

  get(headers) {
    return send(this.server, { path: this.path, headers });
  }

  post(body, headers = { "content-type": "text/plain;charset=UTF-8" }) {
    return send(this.server, { method: "POST", path: this.path, headers, body });
  }

  /** Polls until a packet is accepted; the packets before it are dropped, those after it kept. */
  async next(accepts = (packet) => packet !== "6") {
    for (;;) {
      const index = this.#packets.findIndex(accepts);
      if (index >= 0) return this.#packets.splice(0, index + 1)[index];
      const response = await this.get();
      assert.equal(response.status, 200, response.body);
      this.#packets = response.body.split(SEPARATOR);
    }
  }

  /** The session works: an event comes back. */
  async assertAlive() {
    const response = await this.post('42["echo","alive"]');
    assert.deepEqual([response.status, response.body], [200, "ok"]);
    await this.next((packet) => packet === '42["echo","alive"]');
  }

  /** A GET says less: the one that a close has overtaken is answered. */
  async assertGone() {
    assertEngineError(await this.post("3"), 1);
  }
}

/** A stream to the server, on which anything may be said. */
export function connectStream(server) {
  const address = { host: "127.0.0.1", port: server.port };
  return TLS ? connectTls({ ...address, ...CERTIFICATE }) : connectTcp(address);
}

// --- Raw WebSocket -------------------------------------------------------------------------------

/** A WebSocket driven message by message; text arrives as string, binary as Buffer. */
export class WebSocketPeer {
  #inbox = new Inbox();

  constructor(t, server, query = {}, options = {}) {
    const path = enginePath({ transport: "websocket", ...query });
    const url = `${TLS ? "wss" : "ws"}://127.0.0.1:${server.port}${path}`;
    this.socket = new WebSocket(url, { perMessageDeflate: false, ...CERTIFICATE, ...options });
    this.socket.on("message", (data, isBinary) => {
      this.#inbox.push("message", [isBinary ? data : data.toString()]);
    });
    this.socket.on("upgrade", (response) => {
      this.extensions = response.headers["sec-websocket-extensions"] ?? "";
    });
    this.socket.on("error", (error) => this.#inbox.push("error", [error]));
    this.socket.on("close", (code) => this.#inbox.push("close", [code]));
    this.socket.on("unexpected-response", (request, response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => {
        const body = Buffer.concat(chunks).toString();
        request.destroy();
        this.#inbox.push("refused", [{ status: response.statusCode, body }]);
        this.#inbox.push("close", [0]);
      });
    });
    t.after(() => this.socket.terminate());
  }

  static async open(t, server, query, options) {
    const peer = new WebSocketPeer(t, server, query, options);
    await nextEvent(peer.socket, "open", "WebSocket handshake");
    return peer;
  }

  /** A session that has joined `/`; `id` is its socket id. */
  static async connect(t, server, query, options) {
    const peer = await WebSocketPeer.open(t, server, query, options);
    const open = await peer.next();
    assert.equal(open[0], "0");
    peer.handshake = JSON.parse(open.slice(1));
    peer.send("40");
    peer.id = JSON.parse((await peer.next((packet) => packet.startsWith?.("40"))).slice(2)).sid;
    await peer.next((packet) => packet === '42["auth",{}]');
    return peer;
  }

  send(...args) {
    this.socket.send(...args);
  }

  async next(accepts) {
    return (await this.#inbox.take("message", accepts))[0];
  }

  /**
   * The close code: 1005 if the server sent none, 1006 without close frame, 0 if the handshake was
   * refused.
   */
  async closed() {
    return (await this.#inbox.take("close"))[0];
  }

  async refused() {
    return (await this.#inbox.take("refused"))[0];
  }

  async assertAlive() {
    this.send('42["echo","alive"]');
    await this.next((packet) => packet === '42["echo","alive"]');
  }
}
