import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { generate } from "./generate.mjs";

for (const [name, text] of Object.entries(generate())) {
  test(`${name} is what generate.mjs writes`, () => {
    // Not `equal`, whose report on a difference would be the whole file.
    assert.ok(readFileSync(new URL(name, import.meta.url), "utf8") === text);
  });
}
