// Breakers that come and go, with calls that never settle and permits that never come back.

import assert from "node:assert/strict";
import { Budget, backoff, begin, CircuitBreaker, Policy, Retry, snapshot } from "redress";
import { enter } from "../node_modules/redress/dist/esm/wasm/core.js";

const never = () => new Promise(() => {});
const retry = new Retry({ strategy: backoff.constant(0), deadlineMs: null });
const kept = new CircuitBreaker();
assert.equal(kept.admit().ok, true);

function round() {
  const circuitBreaker = new CircuitBreaker();
  const policy = new Policy({ retry, circuitBreaker });
  const own = new Policy({
    retry: { strategy: backoff.sequence([1, 2, 3]), deadlineMs: null, budget: new Budget({ maxRetries: 9 }) },
  });
  for (let n = 0; n < 100; n += 1) {
    void policy.call(never);
    void own.call(never);
    circuitBreaker.admit();
    const walked = begin(policy);
    if (n % 2 === 0) walked.start();
  }
  snapshot(circuitBreaker);
}

const sizes = [];
for (let rounds = 0; rounds < 300; rounds += 1) {
  round();
  globalThis.gc();
  // What is collected is told between turns.
  await new Promise((resolve) => setTimeout(resolve, 1));
  if (rounds % 10 === 0) sizes.push(enter().memory.buffer.byteLength);
}
assert.equal(kept.state, "closed");
// One piece of 32 bytes for each call that is not given back is 1.2 MB; a collection that comes late is less.
const [middle, end] = [sizes[10], sizes.at(-1)];
assert.ok(end <= middle + 8 * 65_536, `the memory grew from ${middle} to ${end} bytes: ${sizes}`);
console.log("right");
