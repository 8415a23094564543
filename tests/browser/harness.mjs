// Starts the chat server under test and a headless Chromium, and opens pages that note every console error and every request.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const START_MS = 30_000;
const STOP_MS = 10_000;

// The server named by CHAT_COMMAND, such as `target/release/chat --port {port}`. Port 0 lets the system choose.
export function startServer(port = 0) {
  const command = process.env.CHAT_COMMAND;
  assert.ok(command, "CHAT_COMMAND must name the server, for example: CHAT_COMMAND='../../target/debug/chat --port {port}'");
  return startProgram(command.replaceAll("{port}", String(port)));
}

// The fixture server of tests/interop/CONTRACT.md, named by SERVER_COMMAND, with these settings.
export function startFixture(settings) {
  const command = process.env.SERVER_COMMAND;
  assert.ok(command, "SERVER_COMMAND must name the fixture server, for example: SERVER_COMMAND=../../target/debug/interop-server");
  return startProgram(command, settings);
}

async function startProgram(command, settings = {}) {
  const [program, ...args] = command.split(" ").filter(Boolean);
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, ...settings } });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const lines = [];
  const waiting = new Set();

  const line = (pattern, timeoutMs) =>
    new Promise((resolve, reject) => {
      const watch = {
        see(text) {
          if (!pattern.test(text)) return false;
          clearTimeout(watch.timer);
          waiting.delete(watch);
          resolve(text);
          return true;
        },
        fail(why) {
          clearTimeout(watch.timer);
          waiting.delete(watch);
          reject(new Error(`${why} while waiting for ${pattern} on stdout of: ${command}`));
        },
      };
      watch.timer = setTimeout(() => watch.fail("the time was over"), timeoutMs);
      waiting.add(watch);
      lines.some((text) => watch.see(text));
    });

  createInterface({ input: child.stdout }).on("line", (text) => {
    lines.push(text);
    for (const watch of [...waiting]) watch.see(text);
  });
  const ended = (why) => [...waiting].forEach((watch) => watch.fail(why));
  child.once("error", (error) => ended(String(error)));
  child.once("exit", (code, signal) => ended(`the server ended (${code ?? signal})`));

  const stop = async (signal) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    await exited;
    clearTimeout(timer);
  };

  try {
    const ready = await line(/127\.0\.0\.1:\d+/, START_MS);
    const origin = `http://${ready.match(/127\.0\.0\.1:\d+/)[0]}`;
    return { origin, port: Number(new URL(origin).port), line: (pattern) => line(pattern, STOP_MS), kill: () => stop("SIGKILL"), stop: () => stop("SIGTERM") };
  } catch (error) {
    await stop("SIGKILL");
    throw error;
  }
}

export function startBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-dev-shm-usage",
      "--disable-gpu",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

// Pages of one test. `finish` closes them and checks that none of them complained or asked another host for anything.
export function pages(browser, server, defaults = {}) {
  const contexts = [];
  const foreign = [];
  const complaints = [];
  const host = new URL(server.origin).host;

  const watchHost = (url) => {
    const { protocol, host: asked } = new URL(url);
    if (protocol !== "data:" && protocol !== "blob:" && asked !== host) foreign.push(url);
  };

  // Each page has a context of its own: another browser, as far as the server and the storage are concerned.
  const open = async (path = "/", options = {}) => {
    const context = await browser.newContext({ viewport: { width: 1000, height: 720 }, locale: "en-GB", ...defaults, ...options });
    contexts.push(context);
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    page.on("request", (request) => watchHost(request.url()));
    page.on("websocket", (socket) => watchHost(socket.url().replace(/^ws/, "http")));
    page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.goto(server.origin + path);
    return page;
  };

  const enter = async (nick, room = "lobby", options = {}) => {
    const page = await open(`/?nick=${encodeURIComponent(nick)}&room=${encodeURIComponent(room)}`, options);
    await page.getByRole("button", { name: "Enter", exact: true }).click();
    // On a phone the list is there, but not in sight.
    await online(page, nick).waitFor({ state: "attached" });
    return page;
  };

  const finish = async (allowed = []) => {
    for (const context of contexts) await context.close();
    assert.deepEqual(foreign, [], "requests to another host");
    assert.deepEqual(complaints.filter((text) => !allowed.some((pattern) => pattern.test(text))), [], "console errors");
  };

  return { open, enter, finish };
}

// ---- What a reader sees on the page ----

export const log = (page, room = "lobby") => page.getByRole("log", { name: `Messages in ${room}`, exact: true });
export const message = (page, text, room) => log(page, room).locator(".message").filter({ hasText: text });
export const delivered = (page, text, room) => message(page, text, room).and(page.locator("[data-state=delivered]"));
export const online = (page, nick) => page.locator("#people li").filter({ has: page.getByText(nick, { exact: true }) });
export const roomButton = (page, room) => page.locator("#rooms .room").filter({ hasText: room });
export const texts = (page, room) => log(page, room).locator(".message p.bubble").allTextContents();

export async function say(page, text) {
  await page.getByLabel("Message", { exact: true }).fill(text);
  await page.keyboard.press("Enter");
}

export async function join(page, room) {
  await page.getByLabel("Join a room", { exact: true }).fill(room);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: room, exact: true }).waitFor();
}

export async function attach(page, file) {
  await page.locator("#file").setInputFiles(file);
  await page.getByRole("group", { name: "File to send" }).waitFor();
}

// A picture drawn by the browser: hills before an evening sky.
export async function drawPicture(page, width = 640, height = 400) {
  const numbers = await page.evaluate(async ([width, height]) => {
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    const context = canvas.getContext("2d");
    const fade = (stops, from, to) => {
      const gradient = context.createLinearGradient(0, from, 0, to);
      stops.forEach((colour, index) => gradient.addColorStop(index / (stops.length - 1), colour));
      return gradient;
    };
    context.fillStyle = fade(["#2f4a6d", "#7d86a6", "#e9b89a", "#f6dcae"], 0, height * 0.8);
    context.fillRect(0, 0, width, height);
    context.fillStyle = "#fff3cf";
    context.beginPath();
    context.arc(width * 0.68, height * 0.5, height * 0.085, 0, 7);
    context.fill();
    [["#8c8aa3", "#b59ba0"], ["#56697f", "#7c8391"], ["#33505a", "#4a666b"], ["#1c3438", "#27464a"]].forEach((colours, layer) => {
      const base = height * (0.56 + layer * 0.11);
      context.fillStyle = fade(colours, base - 40, base + 120);
      context.beginPath();
      context.moveTo(0, height);
      for (let x = 0; x <= width; x += 4) {
        const t = (x / width) * Math.PI;
        context.lineTo(x, base - height * (0.075 * Math.sin(t * 2.3 + layer * 2.1) + 0.035 * Math.sin(t * 5.7 + layer * 1.3)));
      }
      context.lineTo(width, height);
      context.fill();
    });
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
    return Array.from(new Uint8Array(await blob.arrayBuffer()));
  }, [width, height]);
  return Buffer.from(numbers);
}
