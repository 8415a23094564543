// A web application under test: the process, and clients that are closed behind each test.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after } from "node:test";
import { io } from "socket.io-client";

export const WAIT_MS = 10_000;

/** Starts the program that the variable names, on a port of its own. */
export async function start(variable) {
  const command = process.env[variable];
  if (!command) throw new Error(`${variable} must name the program`);
  const child = spawn(command, ["0"], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit");
  after(() => child.kill("SIGKILL"));
  const [line] = await within(once(createInterface({ input: child.stdout }), "line"), "first line");
  const url = line.match(/http:\/\/\S+/)[0];
  return {
    url,
    stop: () => child.kill("SIGTERM"),
    ended: () => within(ended, "end of the process"),
  };
}

/** Settles like `promise`, or fails and says what was awaited. */
export function within(promise, what) {
  let timer;
  const expiry = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${what} within ${WAIT_MS} ms`)), WAIT_MS);
  });
  return Promise.race([promise, expiry]).finally(() => clearTimeout(timer));
}

/** A client that the test closes at its end. */
export function client(t, url, options) {
  const socket = io(url, { forceNew: true, reconnection: false, autoConnect: false, ...options });
  t.after(() => socket.close());
  return socket;
}

/** The arguments of the next `event`. */
export function next(emitter, event) {
  return within(new Promise((done) => emitter.once(event, (...args) => done(args))), event);
}

/** Resolves when the client has gone from polling to WebSocket. To be called before `connect`. */
export async function upgrade(socket) {
  await next(socket.io, "open");
  await next(socket.io.engine, "upgrade");
}
