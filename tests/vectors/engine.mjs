// Engine.IO packets and payloads, as engine.io-parser reads and writes them.

import { decodePacket, decodePayload, encodePacket, encodePayload } from "engine.io-parser";
import { mutated, received } from "./random.mjs";
import { toText } from "./text.mjs";

const SEPARATOR = "\x1e";
const TYPES = ["open", "close", "ping", "pong", "message", "upgrade", "noop"];

export function packetVectors(random) {
  const texts = new Set(["", ...PACKETS]);
  // Not beyond one byte: what longer characters are in base64 is up to the version of Node.js.
  for (let code = 0; code < 0x100; code++) {
    const character = String.fromCharCode(code);
    texts.add(character).add(`${character}x`).add(`b${character}`).add(`bAQ${character}ID`);
  }
  for (let index = 0; index < 900; index++) {
    texts.add(base64Packet(random));
  }
  for (let index = 0; index < 400; index++) {
    texts.add(mutated(random.of(PACKETS), random));
  }
  const decoded = [...texts].map((text) => {
    const packet = simple(decodePacket(text));
    return `{"decode":${toText(text)},"packet":${toText(packet)}}`;
  });
  const encoded = Array.from({ length: 250 }, () => {
    const packet = anyPacket(random);
    return `{"encode":${toText(simple(packet))},"text":${toText(asText(packet))}}`;
  });
  return [...decoded, ...encoded];
}

export function payloadVectors(random) {
  const bodies = new Map();
  const add = (body) => bodies.set(body.toString("hex"), body);
  for (const text of PAYLOADS) {
    add(Buffer.from(text));
  }
  for (let index = 0; index < 170; index++) {
    const packets = random.times(6, () => anyPacket(random));
    const text = packets.map(asText).join(SEPARATOR);
    add(Buffer.from(text));
    add(Buffer.from(mutated(text, random)));
    add(mutatedBytes(Buffer.from(text), random));
  }
  for (let index = 0; index < 300; index++) {
    // Anything at all behind a type, in the bytes of which UTF-8 is made.
    const bytes = random.times(8, () => random.of(UTF8_BYTES));
    add(Buffer.concat([Buffer.from("4"), Buffer.from(bytes)]));
  }
  const decoded = [...bodies.values()].map((body) => {
    const packets = decodePayload(body.toString()).map(simple);
    return `{"decode":"${body.toString("hex")}","packets":${toText(packets)}}`;
  });
  const encoded = Array.from({ length: 250 }, () => {
    const packets = [anyPacket(random), ...random.times(5, () => anyPacket(random))];
    let body;
    encodePayload(packets, (text) => (body = text));
    return `{"encode":${toText(packets.map(simple))},"text":${toText(body)}}`;
  });
  return [...decoded, ...encoded];
}

function simple({ type, data }) {
  return type === "error" ? "error" : data === undefined ? [type] : [type, data];
}

/** As a client sends it that has no binary data. */
function asText(packet) {
  let text;
  encodePacket(packet, false, (encoded) => (text = encoded));
  return text;
}

function anyPacket(random) {
  if (random.once(3)) {
    return { type: "message", data: Buffer.from(random.times(40, () => random.below(256))) };
  }
  const type = random.once(2) ? "message" : random.of(TYPES);
  // Empty data cannot be told from none.
  const data = random.of(DATA);
  return data === "" ? { type } : { type, data };
}

/** Base64 as encoders write it, and as nobody should. */
function base64Packet(random) {
  const bytes = Buffer.from(random.times(12, () => random.below(256)));
  let text = bytes.toString(random.of(["base64", "base64url"]));
  for (let count = random.below(4); count > 0; count--) {
    const at = random.below(text.length + 1);
    const kept = random.of([0, 0, 1]);
    text = text.slice(0, at) + random.of(BASE64_NOISE) + text.slice(at + kept);
  }
  return `b${text}`;
}

function mutatedBytes(bytes, random) {
  if (bytes.length > 0) {
    bytes[random.below(bytes.length)] = random.of(UTF8_BYTES);
  }
  return bytes;
}

const BASE64_NOISE = [..."=-_+/ \n\r\t!*,.\0\x7f", "==", "=A", "\xe9", "A", "z", "9", "", ""];

/** Both sides of every border of well-formed UTF-8. */
const UTF8_BYTES = [
  0x00, 0x1e, 0x22, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0,
  0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf7, 0xf8, 0xfb, 0xfc, 0xfe, 0xff,
];

const DATA = [
  "",
  "probe",
  "probe ",
  "Probe",
  "2",
  '2["hello"]',
  '0{"sid":"AAAA"}',
  '{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000}',
  "bAQID",
  "\u20ac \ud83d\ude00 \u2028\ufeff\0",
];

const PACKETS = [
  ...TYPES.flatMap((_, type) => [`${type}`, ...DATA.map((data) => `${type}${data}`)]),
  "b",
  "bAQIDBA==",
  "b-_-_",
  "B",
  "7",
  "9x",
  "00",
  " 4",
  "\ufeff4",
  "message",
  "constructor",
  "__proto__",
  "-1",
  "\u0664",
  "4\ud83d\ude00",
].map(received);

const PAYLOADS = [
  "",
  SEPARATOR,
  SEPARATOR + SEPARATOR,
  "4",
  `4${SEPARATOR}`,
  `${SEPARATOR}4`,
  `4${SEPARATOR}${SEPARATOR}4`,
  `4${SEPARATOR}4`,
  `6${SEPARATOR}7${SEPARATOR}6`,
  `b${SEPARATOR}b`,
  `bAQ${SEPARATOR}ID`,
  `\ufeff4${SEPARATOR}4`,
  `4\ufeff${SEPARATOR}\ufeff4`,
  "4\x1d4\x1f4",
  "1:4",
  "2:4a1:2",
  // The record separator as JSON writes it is none.
  '42["\\u001e"]',
  Array(300).fill("6").join(SEPARATOR),
];
