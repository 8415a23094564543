import assert from "node:assert/strict";
import { test } from "node:test";
import {
  call,
  connect,
  oursOnly,
  PollingPeer,
  SEPARATOR,
  serverReason,
  startServer,
  take,
  watcher,
  WebSocketPeer,
} from "./support.mjs";

const server = await startServer();

/** What a peer sends after it has joined `/`; each list ends the connection. */
const FATAL = {
  "a message without data": ["4"],
  "packet type 7": ["47"],
  "packet type 9": ['49["echo"]'],
  "a packet type that is no digit": ["4abc"],
  "CONNECT with an array": ["40/custom,[]"],
  "CONNECT with null": ["40/custom,null"],
  "CONNECT with a string": ['40/custom,"x"'],
  "CONNECT with broken JSON": ["40/custom,{"],
  "CONNECT for a namespace already joined": ["40"],
  "DISCONNECT with a payload": ["41{}"],
  "CONNECT_ERROR": ['44{"message":"x"}'],
  "CONNECT_ERROR with an array": ["44[1]"],
  "an event for a namespace not joined": ['42/custom,["echo"]'],
  "an acknowledgement for a namespace not joined": ["43/custom,1[]"],
  "DISCONNECT for a namespace not joined": ["41/custom,"],
  "an event whose namespace has no comma behind it": ["40/custom,", '42/custom["echo"]'],
  "an event for an unknown namespace": ['42/nowhere,["echo"]'],
  "an empty event": ["42[]"],
  "an event that is an object": ["42{}"],
  "an event that is a string": ['42"echo"'],
  "an event that ends early": ["42["],
  "an event named true": ["42[true]"],
  "an event named null": ["42[null]"],
  "an event named by an object": ['42[{"toString":"foo"}]'],
  "an event named by an array": ['42[["echo"]]'],
  "truncated JSON": ['42["echo",{"a":1]'],
  "text after the JSON": ['42["echo"]x'],
  "JSON that only JavaScript would take": ["42['echo']"],
  "a number that JSON does not know": ['42["echo",NaN]'],
  "a raw control character in a string": ['42["echo","\n"]'],
  "a negative acknowledgement id": ['42-1["echo"]'],
  "an acknowledgement id that is no number": ['42abc["echo"]'],
  "an acknowledgement id in exponential form": ['421e3["echo"]'],
  "an acknowledgement that is an object": ["430{}"],
  "an attachment count without its dash": ['451["echo"]'],
  "an attachment count that is no number": ['45a-["echo"]'],
  "a negative attachment count": ['45-1["echo"]'],
  "a fractional attachment count": ['451.5-["echo"]'],
  "an attachment count without end": ["451"],
  "eleven attachments": ['4511-["echo"]', ...Array(11).fill(Buffer.of(0))],
  "a huge attachment count": ['45999999999-["echo"]'],
  "text where an attachment was due": ['451-["echo",{"_placeholder":true,"num":0}]', '42["echo"]'],
  "text of another namespace where an attachment was due": [
    "40/custom,",
    '451-["echo",{"_placeholder":true,"num":0}]',
    '42/custom,["echo"]',
  ],
  "a DISCONNECT where an attachment was due": ['451-["echo",{"_placeholder":true,"num":0}]', "41"],
  "an attachment that nobody announced": [Buffer.of(1)],
  "one attachment too many": [
    '451-["echo",{"_placeholder":true,"num":0}]',
    Buffer.of(1),
    Buffer.of(2),
  ],
  "a placeholder out of range": ['451-["echo",{"_placeholder":true,"num":1}]', Buffer.of(1)],
  "a negative placeholder": ['451-["echo",{"_placeholder":true,"num":-1}]', Buffer.of(1)],
  "a placeholder that names a method": [
    '451-["echo",{"_placeholder":true,"num":"splice"}]',
    Buffer.of(1),
  ],
  "a placeholder without number": ['451-["echo",{"_placeholder":true}]', Buffer.of(1)],
  "attachments for a namespace not joined": [
    '451-/custom,["echo",{"_placeholder":true,"num":0}]',
    Buffer.of(1),
  ],
};
for (const name of [
  "connect",
  "connect_error",
  "disconnect",
  "disconnecting",
  "newListener",
  "removeListener",
]) {
  FATAL[`the reserved event ${name}`] = [`42["${name}"]`];
}
FATAL["a reserved event with an attachment"] = [
  '451-["disconnect",{"_placeholder":true,"num":0}]',
  Buffer.of(1),
];

/** Fatal in our server, for the reason given accepted by the reference. */
const FATAL_TO_US = {
  "an event without payload": [["42"], "it accepts an event without a name"],
  "an event with only an id": [["421"], "it accepts an event without a name"],
  "an event with an attachment and without payload": [
    ["451-", Buffer.of(1)],
    "it accepts an event without a name",
  ],
  "an acknowledgement without payload": [["4377"], "it accepts one without an array"],
  "an id beyond the safe integers": [['429007199254740993["echo-ack"]'], "it rounds the id"],
  "an id that only JavaScript would take": [['42 ["echo"]'], "it takes a space for zero"],
  "a fractional placeholder": [
    ['452-["echo",{"_placeholder":true,"num":0.5}]', Buffer.of(1), Buffer.of(2)],
    "it looks up a property of that name",
  ],
};

async function assertFatal(t, packets) {
  const watching = await watcher(t, server);
  const peer = await WebSocketPeer.connect(t, server);
  for (const packet of packets) peer.send(packet);
  assert.equal(await serverReason(watching, peer.id), "forced close");
  await peer.closed();
}

for (const [name, packets] of Object.entries(FATAL)) {
  test(`closes: ${name}`, (t) => assertFatal(t, packets));
}
for (const [name, [packets, reason]] of Object.entries(FATAL_TO_US)) {
  test(`closes: ${name}`, oursOnly(reason), (t) => assertFatal(t, packets));
}

test("closes: an event before any CONNECT", async (t) => {
  const peer = await WebSocketPeer.open(t, server);
  await peer.next();
  peer.send('42["echo"]');
  await peer.closed();
});

test("closes: two CONNECT at once", oursOnly("it makes two sockets"), async (t) => {
  const watching = await watcher(t, server);
  const peer = await WebSocketPeer.open(t, server);
  await peer.next();
  peer.send("40/late,");
  await take(watching, "waiting");
  peer.send("40/late,");
  await peer.closed();
  await call(watching, "release");
});

/** What looks odd and is harmless: the connection goes on. */
const HARMLESS = {
  "CONNECT with an id": ["40/custom,5"],
  "an acknowledgement that nobody waits for": ["4377[]"],
  "an event named by a number": ['42[1,"a"]'],
  "an event named by the empty text": ['42["",1]'],
  "an event named error": ['42["error",{"message":"x"}]'],
  "an event named connection": ['42["connection"]'],
  "an event named __proto__": ['42["__proto__",1]'],
  "white space in the JSON": ['42[ "unknown" , 1 ]'],
  "duplicate keys": ['42["unknown",{"a":1,"a":2}]'],
  "a placeholder in an event without attachments": ['42["unknown",{"_placeholder":true,"num":5}]'],
  "exactly ten attachments": ['4510-["unknown"]', ...Array(10).fill(Buffer.of(0))],
  "a CONNECT for a long unknown namespace": [`40/${"x".repeat(200)},`],
};

for (const [name, packets] of Object.entries(HARMLESS)) {
  test(`accepts: ${name}`, async (t) => {
    const peer = await WebSocketPeer.connect(t, server);
    for (const packet of packets) peer.send(packet);
    await peer.assertAlive();
  });
}

test("accepts: no attachments at all", oursOnly("it waits for one for ever"), async (t) => {
  const peer = await WebSocketPeer.connect(t, server);
  peer.send('450-["echo","plain"]');
  assert.match(await peer.next(), /\["echo","plain"\]$/);
  await peer.assertAlive();
});

/** Hostile sizes: whatever becomes of the connection, the server goes on for others, and soon. */
const HOSTILE = {
  "JSON nested 100000 deep": `42["unknown",${"[".repeat(100_000)}${"]".repeat(100_000)}]`,
  "unbalanced JSON": `42["unknown",${'{"a":'.repeat(100_000)}`,
  "900 kB of digits": `42${"2".repeat(900_000)}`,
  "900 kB of digits as an attachment count": `45${"2".repeat(900_000)}`,
  "a namespace of 900 kB": `40/${"x".repeat(900_000)}`,
  "an event name of 900 kB": `42["${"x".repeat(900_000)}"]`,
  "an array of 400000 numbers": `42["unknown",[${"1,".repeat(400_000)}1]]`,
  "900 kB of escapes": `42["unknown","${"\\u0000".repeat(150_000)}"]`,
};

for (const [name, packet] of Object.entries(HOSTILE)) {
  test(`survives: ${name}`, async (t) => {
    const peer = await WebSocketPeer.connect(t, server);
    peer.send(packet);
    peer.socket.close();
    await peer.closed();
    const socket = await connect(t, server);
    assert.equal(await call(socket, "echo-ack", "alive"), "alive");
  });
}

test("survives: 2000 packets in one payload", async () => {
  const peer = await PollingPeer.connect(server);
  await peer.post(Array(2000).fill('42["unknown"]').join(SEPARATOR));
});

const dropsEarlier = oursOnly("it drops events that arrive together with the fault");
test("packets before a malformed one are handled", dropsEarlier, async (t) => {
  const watching = await watcher(t, server);
  const peer = await PollingPeer.connect(server);
  const before = `42["to-room","${watching.id}","before"]`;
  await peer.post([before, "9"].join(SEPARATOR));
  assert.equal(await serverReason(watching, peer.id), "parse error");
  assert.deepEqual(await take(watching, "room"), ["before"]);
});

test("a malformed packet over polling closes the session", async (t) => {
  const watching = await watcher(t, server);
  const peer = await PollingPeer.connect(server);
  const response = await peer.post("42[]");
  assert.ok([200, 400].includes(response.status));
  // The session drains with the next polls, or is gone already.
  let poll = await peer.get();
  while (poll.status === 200 && !poll.body.split(SEPARATOR).includes("1")) poll = await peer.get();
  assert.match(await serverReason(watching, peer.id), /^forced( server)? close$/);
  await peer.assertGone();
});

test("a fault of one connection does not touch another", async (t) => {
  const socket = await connect(t, server);
  const peer = await WebSocketPeer.connect(t, server);
  peer.send("4abc");
  await peer.closed();
  assert.equal(await call(socket, "echo-ack", "alive"), "alive");
});
