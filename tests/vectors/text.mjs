// How outcomes are written: JSON, with an object of one key where JSON has no form.
//
//   {"$bytes": "00ff"}        binary data
//   {"$attachment": 0}        the attachment of that number
//   {"$number": "Infinity"}   a number: Infinity, -Infinity, NaN, -0
//   {"$undefined": true}
//   {"$date": "1970-..."}     a date; null for an invalid one
//   {"$json": "[[]]"}         JSON that nests deeper than parsers like

const DEPTH_MAX = 100;

/** The JSON of `value`. Strings that are not Unicode have U+FFFD where they are not. */
export function toText(value, attachments = [], depth = 0) {
  if (value === undefined) {
    return '{"$undefined":true}';
  }
  if (value === null || typeof value === "boolean") {
    return String(value);
  }
  if (typeof value === "number") {
    const isPlain = Number.isFinite(value) && !Object.is(value, -0);
    return isPlain ? String(value) : `{"$number":"${Object.is(value, -0) ? "-0" : value}"}`;
  }
  if (typeof value === "string") {
    return stringToText(value);
  }
  if (Buffer.isBuffer(value)) {
    const number = attachments.indexOf(value);
    return number < 0 ? `{"$bytes":"${value.toString("hex")}"}` : `{"$attachment":${number}}`;
  }
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
    return `{"$bytes":"${Buffer.from(value.buffer ?? value).toString("hex")}"}`;
  }
  if (value instanceof Date) {
    return `{"$date":${JSON.stringify(value)}}`;
  }
  if (depth === DEPTH_MAX) {
    return `{"$json":${stringToText(JSON.stringify(value))}}`;
  }
  const inner = (element) => toText(element, attachments, depth + 1);
  if (Array.isArray(value)) {
    return `[${value.map(inner).join()}]`;
  }
  const entries = Object.entries(value).map(
    ([key, element]) => `${stringToText(key)}:${inner(element)}`,
  );
  return `{${entries.join()}}`;
}

/** Whether `value` has a string or a key with a surrogate that has no partner. */
export function hasLoneSurrogate(value) {
  if (typeof value === "string") {
    return !value.isWellFormed();
  }
  if (value === null || typeof value !== "object" || Buffer.isBuffer(value)) {
    return false;
  }
  return Object.entries(value).some((entry) => entry.some(hasLoneSurrogate));
}

/** All but visible ASCII is escaped, so that the files are easy to read and to compare. */
function stringToText(string) {
  return JSON.stringify(string.toWellFormed()).replace(
    /[^ -~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
