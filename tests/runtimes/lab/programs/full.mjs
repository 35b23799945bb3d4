// A memory of a few pages, filled.

import assert from "node:assert/strict";

const { Memory } = WebAssembly;
WebAssembly.Memory = class extends Memory {
  constructor({ initial }) {
    super({ initial, maximum: initial + 4 });
  }
};
const { Budget, CircuitBreaker, Policy, backoff, begin, rateOfCalls, restore, snapshot } = await import("redress");
const { release, reserve } = await import("../node_modules/redress/dist/esm/wasm/core.js");

const strategy = backoff.constant(0);
const failing = () => {
  throw Object.assign(new Error("busy"), { status: 503 });
};
const breaker = new CircuitBreaker({ failureThreshold: 1 });
const open = new CircuitBreaker({ failureThreshold: 1, recoveryTimeoutMs: 0.001 });
const budget = new Budget({ maxRetries: 5 });
const policy = new Policy({ retry: { strategy, maxAttempts: 2, budget }, circuitBreaker: breaker });
const plain = new Policy({ retry: { strategy, maxAttempts: 2 } });
for (const made of [breaker.state, budget.remaining()]) assert.notEqual(made, undefined);
const taken = snapshot(breaker);
await assert.rejects(plain.call(failing), /busy/);
assert.equal(await policy.call(() => 1), 1);
open.settle(open.admit().permit, "TRANSIENT");
const before = begin(policy);

const filled = [];
// Some of each size, as what was given back serves only what has its size; then all that is left.
for (const size of [65_000, 65_000, 4000, 2000, 900, 400, 200, 100, 40, 8, 4000, 2000, 900, 400, 200, 100, 40, 8]) {
  for (let n = 0; n < (filled.length < 100 ? 12 : Infinity) && !(size > 4000 && n > 0); n += 1) {
    try {
      filled.push(reserve(size));
    } catch (error) {
      assert.ok(error instanceof RangeError);
      break;
    }
  }
}
assert.ok(filled.length > 3);

const full = (error) => error instanceof RangeError && /out of memory/.test(error.message);
assert.throws(() => new CircuitBreaker().state, full);
const late = new Budget({ maxRetries: 4096 });
assert.throws(() => late.remaining(), full);
const window = new CircuitBreaker({ window: rateOfCalls({ size: 1024, rate: 0.5, minCalls: 2 }) });
assert.throws(() => window.state, full);
assert.throws(() => breaker.admit(), full);
assert.throws(() => open.admit(), full);
assert.throws(() => begin(policy), full);
await assert.rejects(
  policy.call(() => 1),
  full,
);
await assert.rejects(plain.call(failing), full);
await assert.rejects(new Policy({ retry: { strategy: backoff.sequence([1, 2, 3]) } }).call(failing), full);
assert.throws(() => snapshot(breaker), full);
assert.throws(() => restore(breaker, taken), full);
assert.throws(() => restore(breaker, { ...taken, data: "ff".repeat(1 << 20) }), TypeError);
// What has its room goes on.
assert.equal(breaker.state, "closed");
assert.equal(budget.remaining(), 5);
before.start();
assert.equal(before.fail(Object.assign(new Error("busy"), { status: 503 })).retry, true);
assert.equal(budget.remaining(), 4);

for (const slot of filled) release(slot);
// And what was refused is made now.
assert.equal(late.remaining(), 4096);
assert.equal(window.state, "closed");
restore(breaker, taken);
assert.equal(await policy.call(() => 2), 2);
await assert.rejects(plain.call(failing), /busy/);
assert.equal(open.admit().ok, true);
before.cancel();
console.log("right");
