// Packets of socket.io-msgpack-parser, one by one.

import assert from "node:assert/strict";
import msgpack from "socket.io-msgpack-parser";

export const encode = (packet) => new msgpack.Encoder().encode(packet)[0];

export function decode(data) {
  assert.ok(Buffer.isBuffer(data), `a packet is binary, not ${data}`);
  let packet;
  const decoder = new msgpack.Decoder();
  decoder.on("decoded", (decoded) => (packet = decoded));
  decoder.add(data);
  return packet;
}
