// Packets in MessagePack, as socket.io-msgpack-parser reads and writes them.

import parser from "socket.io-msgpack-parser";
import { anyPacket } from "./socket.mjs";
import { toText } from "./text.mjs";

const { CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR } = parser.PacketType;

export function msgpackVectors(random) {
  const packets = Array.from({ length: 250 }, () => inOrder(anyPacket(random)));
  const messages = new Set([...packets, ...OTHER_PACKETS].map(encode));
  for (const value of VALUES) {
    messages.add(around(`92a165${value}`)).add(around(`91${value}`, "03"));
    messages.add(around(value, "00")).add(around(value, "04"));
  }
  for (const id of VALUES) messages.add(`84a47479706502a46461746191a165a36e7370a12fa26964${id}`);
  for (const key of VALUES) messages.add(around(`92a16581${key}01`));
  for (const message of HEADERS) messages.add(message);
  const seeds = [...messages].filter((message) => message.length < 400);
  for (let index = 0; index < 700; index++) {
    messages.add(mutated(random.of(seeds), random));
  }
  const affordable = [...messages].filter((message) => {
    return !announcesBuffer(message) && !message.includes(BINARY_PROTO);
  });
  return [...affordable.map(decodeVector), ...packets.map(encodeVector)];
}

/** `{type, data, nsp: "/"}`, whose data are that; all in hexadecimal digits. */
const around = (data, type = "02") => `83a474797065${type}a464617461${data}a36e7370a12f`;

/** Whether notepack may make an ArrayBuffer of the size that is announced, and fill it byte by byte. */
const announcesBuffer = (message) =>
  Buffer.from(message, "hex").some((byte, at, all) => byte === 0xc9 && (all[at + 1] || all[at + 2]));

/** A prototype that makes an object look like a Buffer, of which nothing can be written. */
const BINARY_PROTO = "a95f5f70726f746f5f5fc4";

/** The packet with its fields in the order in which the reference's client and server set them. */
const inOrder = ({ type, data, id, nsp }) => ({
  type,
  ...(data !== undefined && { data }),
  ...(id !== undefined && { id }),
  nsp,
});

const encode = (packet) => new parser.Encoder().encode(packet)[0].toString("hex");

function encodeVector(packet) {
  return `{"encode":${toText(packet)},"message":"${encode(packet)}"}`;
}

/** What becomes of a message. */
function decodeVector(message) {
  const decoder = new parser.Decoder();
  let packet;
  decoder.on("decoded", (decoded) => (packet = decoded));
  try {
    decoder.add(Buffer.from(message, "hex"));
  } catch {
    return `{"decode":"${message}","error":true}`;
  }
  const { type, nsp, id, data } = packet;
  const parts = [type, nsp, id ?? null];
  return `{"decode":"${message}","packet":${toText(data === undefined ? parts : [...parts, data])}}`;
}

/** A message with one byte of it removed, added, or changed. */
function mutated(message, random) {
  const bytes = [...Buffer.from(message, "hex")];
  const at = random.below(bytes.length + 1);
  // The tags of what is not an integer are between these.
  const byte = random.once(3) ? random.below(256) : 0x80 + random.below(0x60);
  switch (random.below(4)) {
    case 0:
      bytes.splice(at, 1);
      break;
    case 1:
      bytes.splice(at, 0, byte);
      break;
    case 2:
      bytes.splice(at, 1, byte);
      break;
    case 3:
      bytes.splice(at, 1, (bytes[at] ?? 0) ^ (1 << random.below(8)));
      break;
  }
  return Buffer.from(bytes).toString("hex");
}

/** What the client and the server of the reference send beside what `anyPacket` makes. */
const OTHER_PACKETS = [
  { type: CONNECT, data: undefined, nsp: "/" },
  { type: CONNECT, data: { sid: "id", pid: undefined }, nsp: "/" },
  { type: EVENT, data: ["e", undefined], options: { compress: true }, nsp: "/" },
  { type: EVENT, data: ["e", { a: undefined, b: [undefined] }], nsp: "/", id: undefined },
  { type: EVENT, data: ["e", new Date(0), new Date(1_700_000_000_123)], nsp: "/" },
  { type: EVENT, data: ["e", new Date(-1), new Date(8.64e15), new Date(-8.64e15)], nsp: "/" },
  { type: EVENT, data: ["e", new Uint8Array([1, 2]), new ArrayBuffer(300)], nsp: "/" },
  { type: EVENT, data: ["e", NaN, Infinity, -Infinity, -0], nsp: "/" },
  { type: EVENT, data: ["e", { _placeholder: true, num: 0 }], nsp: "/" },
  { type: EVENT, data: ["e", { _placeholder: true, num: 0 }, Buffer.of(1)], nsp: "/" },
  { type: EVENT, data: ["e", ...Array.from({ length: 11 }, (_, i) => Buffer.of(i))], nsp: "/" },
  { type: EVENT, data: ["e", "x".repeat(300), Array(300).fill(0)], nsp: "/" },
  { type: EVENT, data: [], nsp: "/" },
  { type: EVENT, data: [null], nsp: "/" },
  { type: EVENT, data: [7, 8], nsp: "/" },
  { type: EVENT, data: ["connect"], nsp: "/" },
  { type: EVENT, data: ["disconnecting", 1], nsp: "/" },
  { type: EVENT, data: ["e"], nsp: "chat" },
  { type: EVENT, data: ["e"], nsp: "/a,b" },
  { type: EVENT, data: ["e"], nsp: "" },
  { type: EVENT, data: ["e"], nsp: "/", id: -1 },
  { type: EVENT, data: ["e"], nsp: "/", id: 2 ** 53 },
  { type: EVENT, data: ["e"], nsp: "/", id: 2 ** 53 - 1 },
  { type: EVENT, data: ["e"], nsp: "/", id: 1.5 },
  { type: EVENT, data: ["e"], nsp: "/", id: null },
  { type: EVENT, data: ["e"], nsp: "/", id: "1" },
  { type: EVENT, data: "e", nsp: "/" },
  { type: EVENT, data: { 0: "e" }, nsp: "/" },
  { type: EVENT, nsp: "/" },
  { type: ACK, data: null, nsp: "/", id: 1 },
  { type: CONNECT, data: null, nsp: "/" },
  { type: CONNECT, data: [], nsp: "/" },
  { type: CONNECT, data: "a", nsp: "/" },
  { type: CONNECT, data: { a: Buffer.of(1) }, nsp: "/" },
  { type: CONNECT, data: new Date(0), nsp: "/" },
  { type: DISCONNECT, data: undefined, nsp: "/" },
  { type: DISCONNECT, data: {}, nsp: "/" },
  { type: CONNECT_ERROR, data: "no", nsp: "/" },
  { type: CONNECT_ERROR, data: { message: "no", data: [1] }, nsp: "/" },
  { type: CONNECT_ERROR, data: ["no"], nsp: "/" },
  { type: CONNECT_ERROR, nsp: "/" },
  { type: 5, data: ["e"], nsp: "/" },
  { type: -1, data: ["e"], nsp: "/" },
  { type: 2.5, data: ["e"], nsp: "/" },
  { type: "2", data: ["e"], nsp: "/" },
  { data: ["e"], nsp: "/" },
  { type: EVENT, data: ["e"] },
  { type: EVENT, data: ["e"], nsp: 1 },
  { type: EVENT, data: ["e"], nsp: "/", attachments: undefined, more: [{ deep: Buffer.of(1) }] },
  [EVENT, ["e"], "/"],
  null,
  "text",
  {},
];

/** Each tag with something behind it, whole or cut off. */
const VALUES = [
  "00", "7f", "80", "8100", "81a16101", "8f", "90", "91c0", "9f", "a0", "a161", "bf", "c0", "c1",
  "c2", "c3", "c400", "c40105", "c402", "c5000109", "c5", "c600000000", "c6000000", "c6ffffffff",
  "c70000", "c7010009", "c7010509", "c7", "c800000000", "c80001ff09", "c900000001007f",
  "ca3fc00000", "ca7fc00000", "ca", "cb3ff8000000000000", "cb4000000000000000", "cb7ff0000000000000",
  "cb8000000000000000", "cb43f0000000000000", "cb", "ccff", "cc", "cdffff", "ceffffffff",
  "cf001fffffffffffff", "cf0020000000000001", "cfffffffffffffffff", "cf00", "d080", "d1ff7f",
  "d2ffff7fff", "d3ffffffff7fffffff", "d3ffdfffffffffffff", "d38000000000000000", "d3", "d40000",
  "d400", "d40107", "d4ff07", "d5000102", "d60001020304", "d6ff01020304", "d7000000018bcfe5687b",
  "d700ffffffffffffffff", "d7007fffffffffffffff", "d7058bcfe5687b010203", "d7", "d8000102030405060708090a0b0c0d0e0f10",
  "d900", "d903616263", "d9", "da000161", "db0000000161", "dbffffffff", "dc0000", "dc0001c0", "dc",
  "dd00000000", "ddffffffff", "de0000", "de0001a16100", "df00000000", "dfffffffff", "e0", "ff",
  "a1ff", "a3e282ac", "a2c328", "82a16101a16102", "81a95f5f70726f746f5f5f80", "9199c0", "a2000a",
];

/** Fields that lack, come twice, or have other keys; and what stands around a packet. */
const HEADERS = [
  "",
  "80",
  "82a47479706500a36e7370a12f",
  "82a36e7370a12fa47479706501",
  "83a47479706500a36e7370a12fa36e7370a22f61",
  "84a47479706502a47479706503a36e7370a12fa46461746190",
  "84a47479706503a36e7370a12fa46461746190a464617461d40000",
  "8200a1ffa36e7370a12f",
  "83a47479706500a36e7370a12f0001",
  "82a47479706500a36e7370a12fc0",
  "83a47479706500a36e7370a12f",
  "de0002a47479706500a36e7370a12f",
  "df00000002a47479706500a36e7370a12f",
  "82d9047479706500d9036e7370d9012f",
  "82a474797065cb0000000000000000a36e7370a12f",
];
