// How much memory budgets take, by their size.

import assert from "node:assert/strict";
import { Budget } from "redress";
import { enter } from "../node_modules/redress/dist/esm/wasm/core.js";

const COUNT = 256;
const bytes = () => enter().memory.buffer.byteLength;
const kept = [];

function each(maxRetries) {
  const before = bytes();
  for (let n = 0; n < COUNT; n += 1) {
    const budget = new Budget({ maxRetries });
    budget.remaining();
    kept.push(budget);
  }
  return (bytes() - before) / COUNT;
}

// A slot has a power of two of bytes, and its budget's own are few.
for (const maxRetries of [0, 1, 9, 100, 128, 129, 248, 249, 500, 1000, 1016, 1017, 2000, 2040, 2041, 4000, 4096]) {
  const taken = each(maxRetries);
  const most = 2 * (8 * maxRetries + 96) + 256;
  assert.ok(taken <= most, `a budget of ${maxRetries} takes ${taken} bytes, more than ${most}`);
}
console.log("right");
