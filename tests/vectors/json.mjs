// JSON of every kind: values to be written, and texts to be read.

export const STRINGS = [
  "",
  "a",
  "hello world",
  '"\\/\b\f\n\r\t',
  "\0\x01\x1f",
  "\x7f\u0080\u009f",
  "\u00e9",
  "\u20ac",
  "\ud83d\ude00",
  "\u2028\u2029",
  "\ufeff",
  "\ufffd\ufffe\uffff",
  "\x1e",
  '0123456"',
  "01234567\\",
  "0123456789abcde\n",
  '0123456789abcdef"0123456789abcdef',
  "\u00e9".repeat(9),
  "x".repeat(70),
];

export const KEYS = [
  "a",
  "",
  "key with space",
  "__proto__",
  "constructor",
  "toString",
  "length",
  "\u20ac",
  '"',
];

const NUMBERS = [
  0,
  -0,
  1,
  -1,
  255,
  1.5,
  -2.5e-7,
  1e21,
  123456789012,
  2 ** 53,
  2 ** 64,
  5e-324,
  1.7e308,
  0.1,
  1 / 3,
];

/** The arguments of an event, with attachments or without. */
export function anyArguments(random) {
  return random.times(3, () => anyData(random, 3));
}

/** Any value of JSON or binary data, `depth` deep at most. */
export function anyData(random, depth) {
  switch (random.below(depth > 0 ? 9 : 6)) {
    case 0:
      return random.of([null, true, false]);
    case 1:
    case 2:
      return random.once(2) ? random.of(NUMBERS) : anyNumber(random);
    case 3:
    case 4:
      return random.of(STRINGS);
    case 5:
      return random.once(2) ? Buffer.from(random.times(20, () => random.below(256))) : 0;
    case 6:
      return random.times(4, () => anyData(random, depth - 1));
    default:
      return object(random.times(4, () => [random.of(KEYS), anyData(random, depth - 1)]));
  }
}

/** With sorted keys, since attachments are numbered in the order in which they are met. */
function object(entries) {
  // Also `__proto__` becomes a key like any other in this way.
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A number with any bits, or one that looks at random as applications make them. */
function anyNumber(random) {
  const bytes = Buffer.from(Array.from({ length: 8 }, () => random.below(256)));
  const number = random.once(2) ? bytes.readDoubleBE() : bytes.readUInt32BE() / 2 ** 32;
  return Number.isFinite(number) ? number : 0;
}

const NUMBER_TEXTS = [
  ..."0,-0,1,-1,10,1.5,-1.5,0.0,1.0,1e5,1E5,1e+5,1e-5,1.5e3,0e0,1e400,-1e400,1e-400,5e-324".split(
    ",",
  ),
  ..."9007199254740993,12345678901234567890,-9223372036854775809,18446744073709551616".split(","),
  ..."123456789012345678901234567890,2.2250738585072011e-308,0.1,0.30000000000000004".split(","),
  ..."1.7976931348623157e308,1.7976931348623159e308,8.41e21,9.5e-26,7.2057594037927933e16".split(
    ",",
  ),
  ..."00,01,-01,-,+1,.5,1.,1.e5,1e,1e+,1e1.5,--1,0x10,1_0,1n,NaN,Infinity,-Infinity,1a".split(","),
];

const STRING_TEXTS = [
  '"',
  "'a'",
  '"a',
  'a"',
  '"\\',
  '"\\"',
  '"\\\\"',
  '"\\a"',
  '"\\x41"',
  '"\\u"',
  '"\\u12"',
  '"\\u12G4"',
  '"\\u+123"',
  '"\\U0041"',
  '"\\u0041\\u00e9\\u20AC"',
  '"\\u0000"',
  '"\\ud83d\\ude00"',
  '"\\ud83d"',
  '"\\ude00"',
  '"\\ude00\\ud83d"',
  '"\\ud83dx"',
  '"\\ud83d\\n"',
  '"\\ud83d\\ud83d\\ude00"',
  '"\\ud83d\\u0041"',
  '"\\"\\\\\\/\\b\\f\\n\\r\\t"',
  ..."\0\x01\t\n\r\x1e\x1f"
    .split("")
    .flatMap((control) => [`"${control}"`, `"0123456789${control}"`]),
  '"\x7f"',
  '"\u2028"',
  '"\ufeff"',
];

const OTHER_TEXTS = [
  "null",
  "true",
  "false",
  "nul",
  "nulll",
  "True",
  "undefined",
  "[]",
  "{}",
  "[",
  "]",
  "{",
  "}",
  "[}",
  "{]",
  "[,]",
  "[1,]",
  "[,1]",
  "[1,,2]",
  "[1 2]",
  "[1:2]",
  '{"a"}',
  '{"a":}',
  '{"a":1,}',
  '{,"a":1}',
  '{"a":1 "b":2}',
  '{"a",1}',
  '{"a"::1}',
  "{a:1}",
  "{1:1}",
  "{null:1}",
  '{"a":1,"a":2}',
  '{"b":1,"a":{"b":[],"a":{}}}',
  '{"__proto__":{"x":1},"constructor":2,"toString":3}',
  '{"\\u0061":1,"a":2}',
  '{"":0}',
  '{"2":"b","1":"a"}',
  "[[],{},[[]],[{}]]",
  '[1]["e"]',
  "[1]]",
  "{}}",
  "1 2",
  "/*c*/1",
  "1//c",
  " 1",
  "1 ",
  "\t\n\r 1\t\n\r ",
  " [ 1 , 2 ] ",
  ' { "a" : 1 , "b" : [ ] } ',
  "[1,\n2]",
  "\u00a01",
  "1\u00a0",
  "\ufeff1",
  "1\ufeff",
  "\u20281",
  "\x0b1",
  "\x0c1",
  "\x001",
  "1\0",
  "[1]\0",
  "",
  " ",
];

export const JSON_TEXTS = [
  ...NUMBER_TEXTS,
  ...STRING_TEXTS,
  ...STRINGS.map((string) => JSON.stringify(string)),
  ...OTHER_TEXTS,
];
