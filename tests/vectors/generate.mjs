// Writes the vectors beside this file: what the official parsers make of a large set of packets,
// valid, nearly valid and hostile. `tests/tests/vectors.rs` holds our codecs against them.
//
//   npm ci && node generate.mjs            writes the files
//   node --test                            checks that they are what this script writes

import { writeFileSync } from "node:fs";
import { packetVectors, payloadVectors } from "./engine.mjs";
import { msgpackVectors } from "./msgpack.mjs";
import { choices } from "./random.mjs";
import { socketVectors } from "./socket.mjs";

/** The files, by name. */
export function generate() {
  const file = (vectors) => `${vectors.join("\n")}\n`;
  return {
    "engine-packets.jsonl": file(packetVectors(choices(1))),
    "engine-payloads.jsonl": file(payloadVectors(choices(2))),
    "socket-packets.jsonl": file(socketVectors(choices(3))),
    "msgpack-packets.jsonl": file(msgpackVectors(choices(4))),
  };
}

if (process.argv[1] === import.meta.filename) {
  for (const [name, text] of Object.entries(generate())) {
    writeFileSync(new URL(name, import.meta.url), text);
  }
}
