// A seeded source of choices, so that every run generates the same vectors.

/** Mulberry32. */
export function choices(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  /** An integer from 0 to `end`, which is excluded. */
  const below = (end) => Math.floor((next() / 2 ** 32) * end);
  return {
    below,
    /** True once in `count` times. */
    once: (count) => below(count) === 0,
    of: (list) => list[below(list.length)],
    times: (max, make) => Array.from({ length: below(max + 1) }, make),
  };
}

/** The text that arrives if `text` is sent as UTF-8. */
export const received = (text) => Buffer.from(text).toString();

/** `text` with one byte of it removed, added, or changed, as UTF-8 that has been repaired. */
export function mutated(text, random) {
  const bytes = [...Buffer.from(text)];
  const at = random.below(bytes.length + 1);
  const byte = random.once(4) ? random.below(256) : random.of(INTERESTING);
  switch (random.below(5)) {
    case 0:
      return Buffer.from(bytes.slice(0, at)).toString();
    case 1:
      bytes.splice(at, 1);
      break;
    case 2:
      bytes.splice(at, 0, byte);
      break;
    case 3:
      bytes.splice(at, 1, byte);
      break;
    case 4:
      // A bit, which turns a character into one of its neighbours.
      bytes.splice(at, 1, (bytes[at] ?? 0) ^ (1 << random.below(8)));
      break;
  }
  return Buffer.from(bytes).toString();
}

const INTERESTING = Buffer.from('0123456789-+.eE,:/"\\[]{}_ \t\n\r\0\x1e\x7fbtfnu');
