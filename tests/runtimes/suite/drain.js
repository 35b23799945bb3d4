// A graceful shutdown: nothing waits for a retry any more.

import { AbortRetryError, Budget, backoff, CircuitBreaker, Keyed, KeyedPolicy, Policy, RetryPolicy } from "redress";
import { assert, describe, rejection, settle, test } from "./harness.js";
import { failure, script } from "./stage.js";

const strategy = backoff.constant(3_600_000);

describe("drain");

test("ends all delays as ABORTED, and those to come, and resolves once no call is under way", async () => {
  const policy = new RetryPolicy({ strategy, deadlineMs: null });
  const waiting = Array.from({ length: 20 }, () => policy.execute(script(failure(503))));
  let fails;
  const running = policy.execute(() => new Promise((_, reject) => (fails = reject)));
  let succeeds;
  const other = policy.call(() => new Promise((resolve) => (succeeds = resolve)));
  await settle();
  let isDrained = false;
  const drained = policy.drain().then(() => (isDrained = true));
  for (const outcome of await Promise.all(waiting)) {
    assert.deepEqual([outcome.stopReason, outcome.attempts], ["ABORTED", 1]);
    assert.instanceOf(outcome.error, AbortRetryError);
    assert.equal(outcome.error.cause.status, 503);
  }
  await settle();
  assert.isFalse(isDrained);
  fails(failure(503));
  assert.equal((await running).stopReason, "ABORTED");
  succeeds("in flight");
  assert.equal(await other, "in flight");
  await drained;
  assert.isTrue(isDrained);
});

test("leaves a new call its first attempt, and a policy without calls at once", async () => {
  const policy = new RetryPolicy({ strategy: backoff.constant(0), deadlineMs: null });
  await policy.drain();
  assert.equal(await policy.call(() => 1), 1);
  const outcome = await policy.execute(script(failure(503), 1));
  assert.deepEqual([outcome.stopReason, outcome.attempts], ["ABORTED", 1]);
  await policy.drain();
});

test("ends a sleeper's delay, and frees the place of a probe", async () => {
  let now = 0;
  const circuitBreaker = new CircuitBreaker({ recoveryTimeoutMs: 1, clock: () => now });
  circuitBreaker.trip();
  now = 1;
  const policy = new Policy({
    retry: { strategy, deadlineMs: null, sleeper: () => new Promise(() => {}) },
    circuitBreaker,
  });
  const pending = policy.execute(script(failure(503)));
  await settle();
  assert.equal(circuitBreaker.state, "half_open");
  await policy.drain();
  assert.equal((await pending).stopReason, "ABORTED");
  assert.isTrue(circuitBreaker.admit().ok);
});

test("drains every key", async () => {
  const policy = new KeyedPolicy({
    retry: { strategy, deadlineMs: null, budget: new Keyed(Budget, { capacity: 9, maxRetries: 9 }) },
  });
  const pending = ["a", "b", "a"].map((key) => policy.at(key).execute(script(failure(503))));
  await settle();
  await policy.drain();
  for (const outcome of await Promise.all(pending)) assert.equal(outcome.stopReason, "ABORTED");
  assert.equal((await rejection(policy.at("c").call(script(failure(503))))).name, "AbortRetryError");
});
