// Where nothing tells what is collected, as in older workers.

import assert from "node:assert/strict";

delete globalThis.FinalizationRegistry;
const { Budget, CircuitBreaker, Policy, Retry, backoff, begin, rateOfCalls, restore, snapshot } = await import(
  "redress"
);
const { enter } = await import("../node_modules/redress/dist/esm/wasm/core.js");

const dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");
const never = () => new Promise(() => {});
const strategy = backoff.constant(0);
const retry = new Retry({ strategy, deadlineMs: null });

async function round(n) {
  const window = n % 2 === 0 ? undefined : rateOfCalls({ size: 1024, rate: 0.5, minCalls: 5 });
  const circuitBreaker = new CircuitBreaker({ window });
  const budget = new Budget({ maxRetries: 500 });
  const policy = new Policy({ retry, circuitBreaker });
  const own = new Policy({ retry: { strategy, maxAttempts: 2, budget } });
  for (let k = 0; k < 100; k += 1) {
    void policy.call(never);
    circuitBreaker.admit();
    begin(policy).start();
  }
  await assert.rejects(
    own.call(() => Promise.reject(new Error("x"))),
    /x/,
  );
  restore(budget, snapshot(budget));
  own.dispose();
  policy[dispose]();
  budget[dispose]();
  circuitBreaker.dispose();
  circuitBreaker.dispose();
  assert.throws(() => circuitBreaker.state, /disposed/);
}

const sizes = [];
for (let n = 0; n < 300; n += 1) {
  await round(n);
  sizes.push(enter().memory.buffer.byteLength);
}
assert.equal(sizes.at(-1), sizes[10], `${sizes}`);
console.log("right");
