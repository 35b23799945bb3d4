// What `redress/testing` gives to the tests of others.

import { backoff, Policy, RetryConfig, RetryPolicy } from "redress";
import {
  DeterministicStrategy,
  FakeCircuitBreaker,
  FakePolicy,
  instantRetries,
  MockClock,
  noRetries,
  RecordingPolicy,
  scriptedRandom,
} from "redress/testing";
import { assert, describe, rejection, test, thrown } from "./harness.js";
import { failure, script } from "./stage.js";

describe("testing");

test("a deterministic strategy gives its delays and repeats the last", async () => {
  const clock = new MockClock();
  const policy = new RetryPolicy({ strategy: new DeterministicStrategy([5, 7]), ...clock.options() });
  await policy.execute(script(failure(503)), {});
  assert.deepEqual(clock.sleeps, [5, 7, 7, 7, 7]);
});

test("scripted randomness decides a jittered delay", async () => {
  const clock = new MockClock();
  const policy = new RetryPolicy({
    strategy: backoff.equalJitter({ baseMs: 100, maxMs: 1_000 }),
    maxAttempts: 2,
    random: scriptedRandom([0.5]),
    ...clock.options(),
  });
  await policy.execute(script(failure(503)));
  assert.deepEqual(clock.sleeps, [150]);
});

test("instant and no-retry policies change only that", async () => {
  const config = new RetryConfig({ strategy: backoff.constant(60_000), maxAttempts: 3 });
  const quick = script(failure(503));
  await new RetryPolicy(instantRetries(config)).execute(quick);
  assert.equal(quick.calls, 3);
  const once = script(failure(503));
  await new RetryPolicy(noRetries(config)).execute(once);
  assert.equal(once.calls, 1);
});

test("a fake policy answers as it is told, without calling", async () => {
  const operation = script(1);
  assert.equal(await new FakePolicy({ result: 7 }).call(operation), 7);
  const error = new Error("preset");
  assert.strictEqual(await rejection(new FakePolicy({ error }).call(operation)), error);
  assert.equal((await new FakePolicy({ error }).execute(operation)).ok, false);
  assert.equal(operation.calls, 0);
});

test("a recording policy remembers its calls", async () => {
  const policy = new RecordingPolicy();
  await policy.call(async () => 1, { operation: "a" });
  policy.callSync(() => 2, { operation: "b" });
  assert.deepEqual(
    policy.calls.map(({ options }) => options.operation),
    ["a", "b"],
  );
});

test("a fake breaker follows its script", async () => {
  const breaker = new FakeCircuitBreaker(["allow", "reject"]);
  const policy = new Policy({ circuitBreaker: breaker });
  assert.equal((await policy.execute(script(1))).ok, true);
  assert.equal((await policy.execute(script(1))).error.name, "CircuitOpenError");
  assert.isNotEmpty(String(thrown(() => new FakeCircuitBreaker(["maybe"]))));
});
