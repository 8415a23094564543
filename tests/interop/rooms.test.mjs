import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ask,
  assertNothing,
  call,
  connect,
  connectMany,
  namespaceOf,
  onEachTransport,
  serverReason,
  startServer,
  take,
  watcher,
} from "./support.mjs";

const server = await startServer();

/** Room names are shared by the whole server, so each test takes its own. */
let roomsUsed = 0;
const newRoom = () => `room ${++roomsUsed}`;

async function assertOnly(receivers, others, name, args) {
  for (const socket of receivers) assert.deepEqual(await take(socket, name), args);
  for (const socket of [...receivers, ...others]) await assertNothing(socket, name);
}

onEachTransport("a room reaches its members and nobody else", async (t, transport) => {
  const room = newRoom();
  const [a, b, c] = await connectMany(t, server, 3, { transport });
  await ask(a, "join", room);
  await ask(b, "join", room);
  await ask(c, "in-room", room, "text");
  await assertOnly([a, b], [c], "room", ["text"]);
});

onEachTransport("socket.to leaves the sender out", async (t, transport) => {
  const room = newRoom();
  const [a, b] = await connectMany(t, server, 2, { transport });
  await ask(a, "join", room);
  await ask(b, "join", room);
  await ask(a, "to-room", room, "text");
  await assertOnly([b], [a], "room", ["text"]);
});

onEachTransport("in includes the sender", async (t, transport) => {
  const room = newRoom();
  const [a, b] = await connectMany(t, server, 2, { transport });
  await ask(a, "join", room);
  await ask(a, "in-room", room, "text");
  await assertOnly([a], [b], "room", ["text"]);
});

test("a socket is in the room of its id", async (t) => {
  const [a, b] = await connectMany(t, server, 2);
  assert.deepEqual(await call(a, "rooms"), [a.id]);
  await ask(b, "in-room", a.id, "private");
  await assertOnly([a], [b], "room", ["private"]);
});

test("sending to the room of one's own id reaches nobody", async (t) => {
  const socket = await connect(t, server);
  await ask(socket, "to-room", socket.id, "text");
  await assertNothing(socket, "room");
});

test("a member of several rooms receives once", async (t) => {
  const rooms = [newRoom(), newRoom(), newRoom()];
  const [a, b, c] = await connectMany(t, server, 3);
  for (const room of rooms) await ask(a, "join", room);
  await ask(b, "join", rooms[1]);
  await ask(c, "to-rooms", rooms, [], "once");
  await assertOnly([a, b], [c], "room", ["once"]);
});

test("excepted rooms are left out of a room", async (t) => {
  const [room, excepted] = [newRoom(), newRoom()];
  const [a, b, c] = await connectMany(t, server, 3);
  await ask(a, "join", room);
  await ask(b, "join", room);
  await ask(b, "join", excepted);
  await ask(c, "to-rooms", [room], [excepted], "text");
  await assertOnly([a], [b, c], "room", ["text"]);
});

test("an id can be excepted", async (t) => {
  const room = newRoom();
  const [a, b, c] = await connectMany(t, server, 3);
  for (const socket of [a, b, c]) await ask(socket, "join", room);
  await ask(c, "to-rooms", [room], [a.id], "text");
  await assertOnly([b], [a, c], "room", ["text"]);
});

onEachTransport("except reaches everybody else", async (t, transport) => {
  const excepted = newRoom();
  const [a, b, c] = await connectMany(t, server, 3, { transport });
  await ask(b, "join", excepted);
  await ask(a, "except", excepted, "text");
  await assertOnly([a, c], [b], "room", ["text"]);
});

test("rooms without members are harmless", async (t) => {
  const socket = await connect(t, server);
  await ask(socket, "in-room", "nobody is here", "text");
  await ask(socket, "leave", "nobody is here");
  await ask(socket, "to-rooms", [], ["nobody is here"], "text");
  await assertNothing(socket, "room");
});

test("leaving ends membership", async (t) => {
  const room = newRoom();
  const [a, b] = await connectMany(t, server, 2);
  await ask(a, "join", room);
  assert.deepEqual(await call(a, "rooms"), [room, a.id].sort());
  await ask(a, "leave", room);
  await ask(b, "in-room", room, "text");
  await assertNothing(a, "room");
  assert.deepEqual(await call(a, "rooms"), [a.id]);
});

test("a broadcast to all reaches whoever has left every room", async (t) => {
  const [one, two] = await connectMany(t, server, 2, { namespace: "/dynamic-roomless" });
  await call(one, "leave", one.id);
  assert.deepEqual(await call(one, "rooms"), []);
  await call(two, "emit-all", "here");
  assert.deepEqual(await take(one, "all"), ["here"]);
  assert.deepEqual(await take(two, "all"), ["here"]);
});

test("joining twice and leaving once", async (t) => {
  const room = newRoom();
  const socket = await connect(t, server);
  await ask(socket, "join", room);
  await ask(socket, "join", room);
  await ask(socket, "in-room", room, "once");
  await assertOnly([socket], [], "room", ["once"]);
  await ask(socket, "leave", room);
  assert.deepEqual(await call(socket, "rooms"), [socket.id]);
});

test("room names are opaque", async (t) => {
  const names = ["", " ", "__proto__", "constructor", "日本語 😀", "a,b", "/", "x".repeat(200)];
  const socket = await connect(t, server);
  for (const name of names) await ask(socket, "join", name);
  assert.deepEqual(await call(socket, "rooms"), [...names, socket.id].sort());
  for (const name of names) {
    await ask(socket, "in-room", name, name);
    await assertOnly([socket], [], "room", [name]);
  }
});

onEachTransport("broadcast leaves the sender out", async (t, transport) => {
  const [a, b, c] = await connectMany(t, server, 3, { transport });
  await ask(a, "broadcast", "text", 1);
  await assertOnly([b, c], [a], "broadcast", ["text", 1]);
});

test("a broadcast reaches every transport", async (t) => {
  const polling = await connect(t, server, { transport: "polling" });
  const websocket = await connect(t, server, { transport: "websocket" });
  const upgraded = await connect(t, server, { transport: "upgrade" });
  await ask(polling, "emit-all", "text");
  await assertOnly([polling, websocket, upgraded], [], "all", ["text"]);
});

test("broadcasts of one sender keep their order at every receiver", async (t) => {
  const sockets = await connectMany(t, server, 5, { transport: "upgrade" });
  for (let i = 0; i < 200; i++) sockets[0].emit("emit-all", i);
  await ask(sockets[0], "echo-ack");
  for (const socket of sockets) {
    for (let i = 0; i < 200; i++) assert.deepEqual(await take(socket, "all"), [i]);
  }
});

test("rooms and broadcasts stay in their namespace", async (t) => {
  const room = newRoom();
  const main = await connect(t, server);
  const custom = await connect(t, server, { namespace: "/custom" });
  await ask(main, "join", room);
  await ask(custom, "join", room);
  await ask(main, "in-room", room, "main");
  await ask(main, "emit-all", "main");
  await assertOnly([main], [custom], "room", ["main"]);
  await assertOnly([main], [custom], "all", ["main"]);
});

test("a closed connection leaves its rooms", async (t) => {
  const room = newRoom();
  const watching = await watcher(t, server);
  const socket = await connect(t, server);
  const { id } = socket;
  await ask(socket, "join", room);
  socket.io.engine.close();
  const [report] = await take(watching, "disconnected", (candidate) => candidate.id === id);
  assert.deepEqual(report.rooms, [room]);
  assert.deepEqual(await call(watching, "fetch-sockets", room), []);
  await ask(watching, "in-room", room, "text");
  await assertNothing(watching, "room");
});

test("sockets of a room and of a namespace are found", async (t) => {
  const room = newRoom();
  const sockets = await connectMany(t, server, 3, { namespace: "/custom" });
  const members = sockets.slice(0, 2);
  for (const socket of members) await ask(socket, "join", room);
  const ids = (list) => list.map((socket) => socket.id).sort();
  assert.deepEqual(await call(sockets[2], "fetch-sockets", room), ids(members));
  assert.deepEqual(await call(sockets[2], "fetch-sockets", sockets[0].id), [sockets[0].id]);
  const everybody = await call(sockets[2], "fetch-sockets", "");
  for (const id of ids(sockets)) assert.ok(everybody.includes(id));
});

test("the members of a room join and leave another", async (t) => {
  const [from, to] = [newRoom(), newRoom()];
  const [a, b, c] = await connectMany(t, server, 3);
  await ask(a, "join", from);
  await ask(b, "join", from);
  await ask(c, "sockets-join", from, to);
  await ask(c, "in-room", to, "joined");
  await assertOnly([a, b], [c], "room", ["joined"]);
  await ask(c, "sockets-leave", from, to);
  await ask(c, "in-room", to, "left");
  for (const socket of [a, b, c]) await assertNothing(socket, "room");
});

test("the members of a room are disconnected", async (t) => {
  const room = newRoom();
  const watching = await watcher(t, server);
  const [a, b, c] = await connectMany(t, server, 3);
  const ids = [a.id, b.id];
  await ask(a, "join", room);
  await ask(b, "join", room);
  await ask(c, "disconnect-room", room, false);
  for (const socket of [a, b]) {
    assert.equal((await take(socket, "disconnect"))[0], "io server disconnect");
  }
  for (const id of ids) {
    assert.equal(await serverReason(watching, id), "server namespace disconnect");
  }
  assert.equal(await call(c, "echo-ack", "alive"), "alive");
});

// --- Acknowledged broadcasts; each has a server of its own, since they count everybody in the name

onEachTransport("a broadcast collects everybody's acknowledgement", async (t, transport) => {
  const own = await startServer();
  const sockets = await connectMany(t, own, 4, { transport });
  sockets.forEach((socket, i) => socket.on("question", (ack) => ack(`answer ${i}`)));
  assert.deepEqual(await call(sockets[0], "broadcast-ack", 5_000, "question"), {
    timedOut: false,
    responses: ["answer 0", "answer 1", "answer 2", "answer 3"],
  });
  await own.stop();
});

test("an acknowledged broadcast ends with what came in time", async (t) => {
  const own = await startServer();
  const sockets = await connectMany(t, own, 3);
  for (const i of [0, 2]) sockets[i].on("question", (ack) => ack(`answer ${i}`));
  const result = await call(sockets[0], "broadcast-ack", 400, "question");
  assert.deepEqual(result, { timedOut: true, responses: ["answer 0", "answer 2"] });
  // The late answer is ignored and the server goes on.
  const ack = (await take(sockets[1], "question")).at(-1);
  ack("late");
  assert.equal(await call(sockets[1], "echo-ack", "alive"), "alive");
  await own.stop();
});

test("acknowledged broadcasts at the same time do not mix", async (t) => {
  const own = await startServer();
  const sockets = await connectMany(t, own, 3);
  for (const name of ["one", "two"]) {
    sockets.forEach((socket, i) => socket.on(name, (ack) => ack(`${name} ${i}`)));
  }
  const [one, two] = await Promise.all([
    call(sockets[0], "broadcast-ack", 5_000, "one"),
    call(sockets[1], "broadcast-ack", 5_000, "two"),
  ]);
  assert.deepEqual(one.responses, ["one 0", "one 1", "one 2"]);
  assert.deepEqual(two.responses, ["two 0", "two 1", "two 2"]);
  await own.stop();
});

test("an acknowledged broadcast stays in its namespace", async (t) => {
  const own = await startServer();
  const main = await connect(t, own);
  const custom = namespaceOf(t, main, "/custom");
  await take(custom, "connect");
  main.on("question", (ack) => ack("main"));
  custom.on("question", (ack) => ack("custom"));
  const result = await call(custom, "broadcast-ack", 5_000, "question");
  assert.deepEqual(result, { timedOut: false, responses: ["custom"] });
  await own.stop();
});
