// Breakers and policies on node:test's mock timers, which leave `performance.now` alone.

import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { backoff, CircuitBreaker, Policy } from "redress";

const busy = () => Promise.reject(Object.assign(new Error("busy"), { status: 503 }));
const breaker = (clock) =>
  new CircuitBreaker({ failureThreshold: 1, recoveryTimeoutMs: 30_000, ...(clock && { clock }) });

async function afterRecovery(clock) {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  try {
    const circuitBreaker = breaker(clock);
    const policy = new Policy({ circuitBreaker, ...(clock && { clock }) });
    await policy.execute(busy);
    mock.timers.tick(30_000);
    return await policy.execute(() => "a probe");
  } finally {
    mock.timers.reset();
  }
}

test("node:test's mock timers leave a breaker open that reads performance.now", async () => {
  assert.equal((await afterRecovery(undefined)).ok, false);
});

test("with a clock that looks Date.now up a breaker recovers on node:test's mock timers", async () => {
  assert.equal((await afterRecovery(() => Date.now())).value, "a probe");
});

test("Date.now itself, read before the mock, is the real one", async () => {
  assert.equal((await afterRecovery(Date.now)).ok, false);
});

test("delays and deadlines follow node:test's mock timers by that clock", async () => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  try {
    const retry = { strategy: backoff.constant(10_000), maxAttempts: 9, deadlineMs: 25_000 };
    const running = new Policy({ retry, clock: () => Date.now() }).execute(busy);
    for (let n = 0; n < 3; n += 1) {
      await new Promise(setImmediate);
      mock.timers.tick(10_000);
    }
    const { stopReason, attempts, elapsedMs } = await running;
    assert.deepEqual([stopReason, attempts, elapsedMs], ["DEADLINE_EXCEEDED", 3, 20_000]);
  } finally {
    mock.timers.reset();
  }
});
