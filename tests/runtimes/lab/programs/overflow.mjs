// The stack overflows wherever the package may be just then: at each of the last depths of a recursion.

import assert from "node:assert/strict";
import {
  Budget,
  backoff,
  begin,
  CircuitBreaker,
  callSync,
  classify,
  Policy,
  rateOfCalls,
  restore,
  snapshot,
} from "redress";
import { enter } from "../node_modules/redress/dist/esm/wasm/core.js";

const ROUNDS = 300;
const DEPTHS = 600;
// Traces take most of the time.
Error.stackTraceLimit = 0;
const busy = Object.assign(new Error("busy"), { status: 503 });
const failing = () => {
  throw busy;
};

/** Does it at each of the last depths of a recursion. */
function overflowing(body) {
  let deepest = 0;
  const down = (depth, from) => {
    deepest = depth;
    if (depth >= from) {
      try {
        body();
      } catch (error) {
        if (!(error instanceof RangeError) && error !== busy && error.code !== "REDRESS_CIRCUIT_OPEN") throw error;
      }
    }
    down(depth + 1, from);
  };
  const overflow = (from) => {
    try {
      down(0, from);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  };
  for (let round = 0; round < ROUNDS; round += 1) {
    overflow(Infinity);
    overflow(deepest - DEPTHS);
  }
}

const strategy = backoff.constant(0);
const shared = { retriable: {}, maxAttempts: 3, sleeper() {} };
const budget = new Budget({ maxRetries: 4096, clock: () => 1 });
const breaker = new CircuitBreaker({ failureThreshold: 255, recoveryTimeoutMs: 0.001, recoveryJitterMs: 0.001 });
const window = new CircuitBreaker({ window: rateOfCalls({ size: 8, rate: 1, minCalls: 8 }), recoveryTimeoutMs: 0.001 });
const recursive = () => recursive() + 1;
const policies = [
  new Policy({ retry: { ...shared, strategy } }),
  new Policy({ retry: { ...shared, strategy: () => 0 }, circuitBreaker: breaker }),
  new Policy({ retry: { ...shared, strategy }, circuitBreaker: window }),
  new Policy({ retry: { ...shared, strategy: recursive } }),
  new Policy({ retry: { ...shared, strategy: backoff.fullJitter({ baseMs: 1, maxMs: 2 }), random: recursive } }),
];
const ratio = new Budget({ ratio: 0.5 });
const taken = snapshot(ratio);
const bodies = [
  () => callSync(policies[0], failing),
  () => callSync(policies[1], failing),
  () => callSync(policies[2], () => 1),
  () => budget.consume(),
  () => restore(ratio, taken),
  () => classify.http({ status: 503, name: "Error", stack: "" }),
];
for (const body of bodies) {
  overflowing(body);
}
// What the strategies below throw is reported.
console.error = () => {};
// User code that overflows by itself, with the core on the stack.
for (const policy of policies.slice(3)) {
  for (let n = 0; n < ROUNDS; n += 1) assert.throws(() => callSync(policy, failing));
}

restore(ratio, taken);
breaker.reset();
window.reset();
for (const policy of policies.slice(0, 3)) {
  assert.equal(
    callSync(policy, () => "value"),
    "value",
  );
  let attempts = 0;
  const third = () => {
    attempts += 1;
    if (attempts < 3) throw busy;
    return attempts;
  };
  assert.equal(callSync(policy, third), 3);
}
assert.equal(ratio.remaining(), 10);
assert.equal(classify.sqlstate({ message: "SQLSTATE 40001" }).class, "CONCURRENCY");
const call = begin(policies[0]);
call.start();
call.succeed(1);
assert.ok(enter().memory.buffer.byteLength < 256 * 65_536, `${enter().memory.buffer.byteLength} bytes`);
console.log("right");
