// The stack overflows wherever the package may be just then.

import assert from "node:assert/strict";
import { Budget, CircuitBreaker, Policy, backoff, begin, classify, rateOfCalls, restore, snapshot } from "redress";
import { enter } from "../node_modules/redress/dist/esm/core.js";

const busy = Object.assign(new Error("busy"), { status: 503 });
const failing = () => {
  throw busy;
};

/** Calls itself until the stack is full, then `body` on the way back, at every depth that may be too deep. */
function deep(body, room = 40) {
  let tries = 0;
  let overflows = 0;
  const down = () => {
    try {
      down();
    } catch {
      // The stack is full.
    }
    if (tries >= room) return;
    tries += 1;
    try {
      body();
    } catch (error) {
      if (error instanceof RangeError) overflows += 1;
    }
  };
  down();
  return overflows;
}

const strategy = backoff.constant(0);
const budget = new Budget({ maxRetries: 4096 });
const breaker = new CircuitBreaker({ failureThreshold: 255, recoveryJitterMs: 1 });
const window = new CircuitBreaker({ window: rateOfCalls({ size: 8, rate: 1, minCalls: 8 }) });
const policies = [
  new Policy({ retry: { strategy, maxAttempts: 3, sleeper() {}, budget }, circuitBreaker: breaker }),
  new Policy({ retry: { strategy: () => 0, maxAttempts: 3, sleeper() {} }, circuitBreaker: window }),
  new Policy({ retry: { strategy: () => deep(() => budget.remaining(), 3) * 0, maxAttempts: 3, sleeper() {} } }),
  new Policy({ retry: { strategy: backoff.fullJitter({ baseMs: 1, maxMs: 2 }), maxAttempts: 3, sleeper() {} }, random: () => deep(() => 0, 2) * 0 }),
];
const taken = snapshot(budget);
let overflows = 0;
for (let round = 0; round < 60; round += 1) {
  for (const policy of policies) {
    overflows += deep(() => policy.callSync(() => 1), 12);
    overflows += deep(() => policy.callSync(failing), 12);
  }
  overflows += deep(() => restore(budget, taken), 12);
  overflows += deep(() => snapshot(breaker), 12);
  overflows += deep(() => classify.sqlstate({ message: "SQLSTATE 40001" }), 12);
  overflows += deep(() => classify.http({ status: 503, name: "Error", stack: "" }), 12);
  overflows += deep(() => budget.consume(), 12);
}
assert.ok(overflows > 500, `${overflows} overflows`);

restore(budget, taken);
breaker.reset();
window.reset();
for (const policy of policies) {
  assert.equal(policy.callSync(() => "value"), "value");
  let attempts = 0;
  const third = () => {
    attempts += 1;
    if (attempts < 3) throw busy;
    return attempts;
  };
  assert.equal(policy.callSync(third), 3);
}
assert.equal(budget.remaining(), 4094);
assert.equal(classify.sqlstate({ message: "SQLSTATE 40001" }).class, "CONCURRENCY");
const call = begin(policies[0]);
call.start();
call.succeed(1);
// A call that could not be begun to its end leaves its room behind; no more than that.
assert.ok(enter().memory.buffer.byteLength < 64 * 65_536, `${enter().memory.buffer.byteLength} bytes`);
console.log("right");
