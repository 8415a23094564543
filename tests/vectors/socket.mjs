// Socket.IO packets, as socket.io-parser reads and writes them.

import { Decoder, Encoder, isPacketValid } from "socket.io-parser";
import { anyArguments, anyData, JSON_TEXTS, KEYS, STRINGS } from "./json.mjs";
import { mutated, received } from "./random.mjs";
import { hasLoneSurrogate, toText } from "./text.mjs";

const [CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR] = [0, 1, 2, 3, 4];

export function socketVectors(random) {
  const packets = Array.from({ length: 600 }, () => anyPacket(random));
  const texts = new Set([...headers(), ...payloads(), ...placeholders(), ...LARGE]);
  const written = packets.map(encode).filter((frames) => frames !== undefined);
  for (const [text] of written) {
    texts.add(text).add(random.once(3) ? text.slice(0, -1) : mutated(text, random));
  }
  const seeds = [...texts].filter((text) => text.length < 200);
  for (let index = 0; index < 1200; index++) {
    texts.add(mutated(random.of(seeds), random));
  }
  return [...[...texts].map(received).map(decodeVector), ...packets.map(encodeVector)];
}

/** What becomes of `text` and as many attachments as it asks for. */
function decodeVector(text) {
  const decoder = new Decoder();
  const attachments = [];
  let packet;
  decoder.on("decoded", (decoded) => (packet = decoded));
  let outcome;
  try {
    decoder.add(text);
    while (packet === undefined) {
      const attachment = Buffer.from([attachments.length]);
      attachments.push(attachment);
      decoder.add(attachment);
    }
    const { type, nsp, id, data } = packet;
    const count = attachments.length;
    const parts = [type, nsp, id ?? null, count];
    outcome = `"packet":${toText(data === undefined ? parts : [...parts, data], attachments)}`;
    if (hasLoneSurrogate(data)) {
      outcome += ',"surrogate":true';
    }
  } catch (error) {
    outcome = `"error":${toText(error.message)}`;
  }
  return `{"decode":${toText(text)},${outcome}}`;
}

/** What `packet` is written as: its text and its attachments. */
function encode(packet) {
  // The encoder puts placeholders into the packet.
  return isPacketValid(packet) ? new Encoder().encode({ ...packet }) : undefined;
}

function encodeVector(packet) {
  const frames = encode(packet) ?? null;
  return `{"encode":${toText(packet)},"frames":${toText(frames)}}`;
}

export function anyPacket(random) {
  const type = random.of([
    CONNECT,
    DISCONNECT,
    EVENT,
    EVENT,
    EVENT,
    EVENT,
    ACK,
    ACK,
    CONNECT_ERROR,
  ]);
  const packet = { type, nsp: random.of(NAMESPACES) };
  switch (type) {
    case CONNECT:
      return random.once(3) ? packet : { ...packet, data: { token: anyData(random, 3) } };
    case DISCONNECT:
      return packet;
    case CONNECT_ERROR:
      return { ...packet, data: { message: random.of(STRINGS), data: anyData(random, 3) } };
    case EVENT: {
      const data = [random.of(EVENT_NAMES), ...anyArguments(random)];
      return random.once(2) ? { ...packet, data } : { ...packet, data, id: random.of(IDS) };
    }
    case ACK:
      return { ...packet, id: random.of(IDS), data: anyArguments(random) };
  }
}

/** Everything that can stand in front of the payload. */
function* headers() {
  const payloadOf = { 0: '{"a":1}', 1: "", 3: "[1]", 4: '"no"', "61-": "[1]" };
  for (const type of TYPES) {
    const payload = payloadOf[type] ?? '["a",1]';
    for (const namespace of NAMESPACE_TEXTS) {
      yield `${type}${namespace}${payload}`;
      yield `${type}${namespace}12${payload}`;
      yield `${type}${namespace}`;
    }
    for (const id of ID_TEXTS) {
      yield `${type}${id}${payload}`;
    }
  }
  for (const id of ID_TEXTS) {
    yield `2/a,${id}["a",1]`;
    yield `2${id}`;
  }
  for (const count of COUNT_TEXTS) {
    yield `2${count}["a",1]`;
    yield `5${count}["a",1]`;
    yield `5${count}/a,1["a",1]`;
    yield `6${count}[1]`;
  }
  for (const type of NO_TYPES) {
    yield type;
    yield `${type}["a",1]`;
    yield `${type}/a,12{}`;
  }
}

/** Every payload behind every type. */
function* payloads() {
  for (const text of JSON_TEXTS) {
    for (const type of ["0", "1", "2", "3", "4"]) {
      yield `${type}${text}`;
    }
    yield `2["e",${text}]`;
    yield `4{"k":[${text},${text}]}`;
    yield `61-[${text},{"_placeholder":true,"num":0}]`;
  }
  for (const name of [...EVENT_NAMES, ...RESERVED_NAMES, ...STRINGS, ...KEYS]) {
    yield `2${JSON.stringify([name])}`;
    yield `51-/a,${JSON.stringify([name, { _placeholder: true, num: 0 }])}`;
  }
  for (const name of NUMERIC_NAMES) {
    yield `2[${name}]`;
    yield `2[${name},"x"]`;
  }
  for (const name of [
    "con\\u006eect",
    "\\u0064isconnect",
    "connect\\u0000",
    "\\u0063onnect_error",
  ]) {
    yield `2["${name}"]`;
  }
}

/** Placeholders, well-formed and not, in every place. */
function* placeholders() {
  for (const placeholder of PLACEHOLDERS) {
    yield `2["e",${placeholder}]`;
    for (const place of PLACES) {
      for (const head of ["51-", "62-7"]) {
        const text = place.replaceAll("@", placeholder);
        yield head + (head.startsWith("6") ? text.replace('"e",', "") : text);
      }
    }
  }
}

const TYPES = ["0", "1", "2", "3", "4", "51-", "61-"];

const NO_TYPES = [
  "7",
  "8",
  "9",
  "-",
  "a",
  "+2",
  "02",
  " ",
  " 2",
  "\t",
  "\0",
  "\ufeff",
  "\u2028",
  "\u0662",
  "",
];

const NAMESPACES = ["/", "/", "/a", "/admin", "/a/b", "/a?b=c", "/1", "/\u20ac", "/[", '/"', "/ x"];

const NAMESPACE_TEXTS = [
  "",
  "/",
  "/,",
  "//,",
  "/a",
  "/a,",
  "/a,,",
  "/a,/b,",
  "/a b,",
  "/a\0,",
  "/1,",
  "/a-1,",
  "/a?token=1&x=/y,",
  "/\u00e9\ud83d\ude00,",
  "/\ufeff,",
  '/["x"],',
  "/__proto__,",
  "/constructor,",
  ",",
  "a,",
  " /a,",
  "\\/a,",
];

const IDS = [0, 1, 2, 9, 10, 123456, 2 ** 32, Number.MAX_SAFE_INTEGER];

const ID_TEXTS = [
  "0",
  "1",
  "00",
  "007",
  "4294967295",
  "4294967296",
  "9007199254740991",
  "9007199254740992",
  "9007199254740993",
  "18446744073709551616",
  "1".repeat(320),
  "0".repeat(40),
  "-1",
  "+1",
  "1.5",
  "1e3",
  "0x10",
  "1_000",
  " ",
  " 1",
  "1 ",
  "1 2",
  "\t",
  "\n7",
  "\u00a0",
  "\ufeff",
  "\u2028",
  "\u0661",
  "\0",
  "a",
  "1a",
  "null",
  "Infinity",
];

const COUNT_TEXTS = [
  "",
  "-",
  "--",
  "0-",
  "00-",
  "01-",
  "1",
  "2-",
  "10-",
  "11-",
  "010-",
  "99999999999-",
  "18446744073709551617-",
  "-1-",
  "+1-",
  "1.0-",
  "1.5-",
  "1e0-",
  "1e1-",
  "0x1-",
  " 1-",
  "1 -",
  " -",
  "\n1-",
  "a-",
  "1a-",
  "NaN-",
  "Infinity-",
  "\u0661-",
  "1\u2013",
  "1--",
  "1-1-",
  `${"0".repeat(40)}1-`,
];

const EVENT_NAMES = [
  "e",
  "chat message",
  "",
  "message",
  "\u00e9v\u00e9nement",
  "\ud83d\ude00",
  "__proto__",
];

const RESERVED_NAMES = [
  "connect",
  "connect_error",
  "disconnect",
  "disconnecting",
  "newListener",
  "removeListener",
  "connection",
  "Connect",
  "connect ",
  "error",
  "ping",
];

const NUMERIC_NAMES = [
  "0",
  "-0",
  "1",
  "-1",
  "1.0",
  "1e2",
  "1E2",
  "0.10",
  "1e400",
  "01",
  "1.",
  "12345678901234567890",
];

const PLACEHOLDERS = [
  '{"_placeholder":true,"num":0}',
  '{"_placeholder":true,"num":1}',
  '{"num":0,"_placeholder":true}',
  '{ "_placeholder" : true , "num" : 0 }',
  '{"_placeholder":true,"num":2}',
  '{"_placeholder":true,"num":10}',
  '{"_placeholder":true,"num":-1}',
  '{"_placeholder":true,"num":-0}',
  '{"_placeholder":true,"num":0.5}',
  '{"_placeholder":true,"num":1.0}',
  '{"_placeholder":true,"num":10e-1}',
  '{"_placeholder":true,"num":1e400}',
  '{"_placeholder":true,"num":4294967296}',
  '{"_placeholder":true,"num":1e-400}',
  '{"_placeholder":true,"num":"0"}',
  '{"_placeholder":true,"num":"length"}',
  '{"_placeholder":true,"num":null}',
  '{"_placeholder":true,"num":true}',
  '{"_placeholder":true,"num":[0]}',
  '{"_placeholder":true,"num":{}}',
  '{"_placeholder":true}',
  '{"_placeholder":false,"num":0}',
  '{"_placeholder":1,"num":0}',
  '{"_placeholder":"true","num":0}',
  '{"_placeholder":null,"num":0}',
  '{"_placeholder":[true],"num":0}',
  '{"_placeholder":{"_placeholder":true,"num":0},"num":0}',
  '{"placeholder":true,"num":0}',
  '{"_Placeholder":true,"num":0}',
  '{"_placeholder":true,"num":0,"more":1}',
  '{"_placeholder":true,"num":0,"more":{"_placeholder":true,"num":1}}',
  '{"_placeholder":true,"num":0,"more":{"_placeholder":true,"num":9}}',
  '{"_placeholder":true,"num":{"_placeholder":true,"num":0}}',
  '{"_placeholder":true,"_placeholder":false,"num":0}',
  '{"_placeholder":false,"_placeholder":true,"num":0}',
  '{"_placeholder":true,"num":9,"num":0}',
  '{"_placeholder":true,"num":0,"num":9}',
  '{"_placeholder":true,"num":0,"num":"0"}',
  '{"\\u005fplaceholder":true,"num":0}',
  '{"_placeholder":true,"n\\u0075m":0}',
  '{"_placeholder":true,"num\\u0000":0}',
  '{"__proto__":{"_placeholder":true,"num":0}}',
  '{"__proto__":{"_placeholder":true},"num":0}',
  '{"_placeholder":true,"__proto__":{"num":0}}',
  '{"_placeholder":tru,"num":0}',
  '{"_placeholder":truex,"num":0}',
  '{"_placeholder":true,"num":01}',
  '["_placeholder",true,"num",0]',
  '"_placeholder"',
];

const PLACES = [
  '["e",@]',
  '["e",@,@]',
  '["e",[[@]],{"k":@}]',
  '["e",{"__proto__":@}]',
  '["e",{"k":{"l":[1,@,2]}},"x",@]',
  '["e",{"_placeholder":@,"num":0}]',
  "[@]",
];

/** Depths and lengths, to both sides of our limits. */
const LARGE = [10, 127, 128, 129, 200].flatMap((depth) => {
  const arrays = "[".repeat(depth - 1) + "]".repeat(depth - 1);
  const objects = '{"a":'.repeat(depth - 1) + "1" + "}".repeat(depth - 1);
  const placeholder = '{"_placeholder":true,"num":0}';
  const around = (inner) => "[".repeat(depth - 2) + inner + "]".repeat(depth - 2);
  return [
    `2["e",${arrays}]`,
    `2["e",${objects}]`,
    `3[${arrays}]`,
    `0{"a":${objects}}`,
    `4{"a":${arrays}}`,
    ...(depth > 100 && depth < 129 ? [] : [`51-["e",${around(placeholder)}]`]),
    `2["e",${arrays}`,
  ];
});
LARGE.push(
  ...[511, 512, 513].flatMap((length) => [
    `2/${"n".repeat(length - 1)},["e"]`,
    `2["${"e".repeat(length)}"]`,
  ]),
);
