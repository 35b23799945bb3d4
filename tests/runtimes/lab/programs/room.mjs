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

for (const maxRetries of [1, 100, 128, 129, 500, 1000, 2000, 4096]) {
  const taken = each(maxRetries);
  const most = Math.max(2048, 4.2 * 8 * maxRetries) + 256;
  assert.ok(taken <= most, `a budget of ${maxRetries} takes ${taken} bytes, more than ${most}`);
}
assert.ok(each(129) <= 2 * each(128) + 256);
console.log("right");
