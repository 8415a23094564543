import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ask,
  call,
  connect,
  connectMany,
  namespaceOf,
  onEachTransport,
  startServer,
  take,
  WebSocketPeer,
  within,
} from "./support.mjs";

const server = await startServer();

onEachTransport("the server acknowledges with all arguments", async (t, transport) => {
  const socket = await connect(t, server, { transport });
  assert.deepEqual(await ask(socket, "echo-ack"), []);
  assert.deepEqual(await ask(socket, "echo-ack", null), [null]);
  assert.deepEqual(await ask(socket, "echo-ack", 1, "2", { 3: [4] }), [1, "2", { 3: [4] }]);
});

onEachTransport("emitWithAck resolves with the first argument", async (t, transport) => {
  const socket = await connect(t, server, { transport });
  assert.equal(await within(socket.emitWithAck("echo-ack", "first", "second"), "ack"), "first");
});

onEachTransport("acknowledgements find their callers", async (t, transport) => {
  const socket = await connect(t, server, { transport });
  const numbers = [...Array(300).keys()];
  const answers = await Promise.all(numbers.map((i) => call(socket, "echo-ack", i)));
  assert.deepEqual(answers, numbers);
});

test("namespaces on one connection count acknowledgements apart", async (t) => {
  const main = await connect(t, server);
  const custom = namespaceOf(t, main, "/custom");
  await take(custom, "connect");
  const answers = await Promise.all(
    [...Array(50).keys()].flatMap((i) => [
      call(main, "echo-ack", `main ${i}`),
      call(custom, "echo-ack", `custom ${i}`),
    ]),
  );
  assert.deepEqual(answers.slice(-2), ["main 49", "custom 49"]);
});

test("the client's timeout fires when there is no handler", async (t) => {
  const socket = await connect(t, server);
  await assert.rejects(socket.timeout(50).emitWithAck("nobody-answers"), /operation has timed out/);
  assert.equal(await call(socket, "echo-ack", "alive"), "alive");
});

onEachTransport(
  "the client's timeout does not fire when the answer comes",
  async (t, transport) => {
    const socket = await connect(t, server, { transport });
    assert.equal(await socket.timeout(5_000).emitWithAck("echo-ack", "in time"), "in time");
  },
);

onEachTransport("the client acknowledges with all arguments", async (t, transport) => {
  const socket = await connect(t, server, { transport });
  socket.on("question", (a, b, ack) => ack(b, a, { sum: a + b }));
  socket.emit("ask", 5_000, "question", 1, 2);
  assert.deepEqual(await take(socket, "answer"), [2, 1, { sum: 3 }]);
});

onEachTransport("the client acknowledges without arguments", async (t, transport) => {
  const socket = await connect(t, server, { transport });
  socket.on("question", (ack) => ack());
  socket.emit("ask", 5_000, "question");
  assert.deepEqual(await take(socket, "answer"), []);
});

onEachTransport(
  "the server's timeout fires when the client does not answer",
  async (t, transport) => {
    const socket = await connect(t, server, { transport });
    socket.emit("ask", 60, "question");
    assert.deepEqual(await take(socket, "answer-error"), []);
  },
);

test("an answer after the server's timeout is ignored", async (t) => {
  const socket = await connect(t, server);
  socket.emit("ask", 30, "question");
  const [answer] = await take(socket, "question");
  await take(socket, "answer-error");
  answer("late");
  socket.on("second", (ack) => ack("in time"));
  socket.emit("ask", 5_000, "second");
  assert.deepEqual(await take(socket, "answer"), ["in time"]);
});

test("the server waits for several answers at once, in any order", async (t) => {
  const socket = await connect(t, server);
  const count = 50;
  for (let i = 0; i < count; i++) socket.emit("ask", 5_000, "question", i);
  const questions = [];
  for (let i = 0; i < count; i++) questions.push(await take(socket, "question"));
  for (const [i, answer] of questions.reverse()) answer(i);
  const answers = [];
  for (let i = 0; i < count; i++) answers.push((await take(socket, "answer"))[0]);
  assert.deepEqual(
    answers.sort((a, b) => a - b),
    [...Array(count).keys()],
  );
});

test("a handler that waits for the same client does not hold up its other events", async (t) => {
  const socket = await connect(t, server);
  socket.emit("ask", 5_000, "question");
  const [answer] = await take(socket, "question");
  assert.equal(await call(socket, "echo-ack", "meanwhile"), "meanwhile");
  answer("done");
  assert.deepEqual(await take(socket, "answer"), ["done"]);
});

test("a duplicate or unknown acknowledgement is ignored", async (t) => {
  const peer = await WebSocketPeer.connect(t, server);
  peer.send('42["ask",5000,"question"]');
  const question = await peer.next((packet) => packet.includes("question"));
  const id = /^42(\d+)\[/.exec(question)[1];
  peer.send("43999999[]");
  peer.send(`43${id}["first"]`);
  peer.send(`43${id}["second"]`);
  assert.equal(await peer.next(), '42["answer","first"]');
  await peer.assertAlive();
});

test("acknowledgement ids are echoed exactly", async (t) => {
  const peer = await WebSocketPeer.connect(t, server);
  for (const id of ["0", "7", "65536", "4294967296", "9007199254740991"]) {
    peer.send(`42${id}["echo-ack",1]`);
    assert.equal(await peer.next(), `43${id}[1]`);
  }
});

test("a client on one connection cannot answer for another", async (t) => {
  const [asked, other] = await connectMany(t, server, 2);
  asked.emit("ask", 5_000, "question");
  const [answer] = await take(asked, "question");
  for (let id = 0; id < 20; id++) {
    other.io._packet({ type: 3, nsp: "/", id, data: ["forged"] });
  }
  assert.equal(await call(other, "echo-ack", 1), 1);
  answer("genuine");
  assert.deepEqual(await take(asked, "answer"), ["genuine"]);
});

test("retries repeat an event until it is acknowledged", async (t) => {
  const socket = await connect(t, server, { retries: 3, ackTimeout: 60 });
  await within(socket.emitWithAck("on-any"), "ack");
  await assert.rejects(socket.emitWithAck("never-answered"), /timed out/);
  for (let i = 0; i < 4; i++) {
    assert.deepEqual(await take(socket, "seen", (name) => name === "never-answered"), [
      "never-answered",
      [],
    ]);
  }
});
