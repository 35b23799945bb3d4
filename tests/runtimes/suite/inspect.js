// What a program sees of a policy, a breaker, a budget and an error: in consoles, in JSON, in user interfaces.

import {
  AttemptTimeoutError,
  Budget,
  backoff,
  CircuitBreaker,
  callSync,
  classify,
  Keyed,
  outcomeOf,
  Policy,
  RetryPolicy,
  rateOfCalls,
  rateOverTime,
} from "redress";
import { assert, describe, rejection, test, thrown } from "./harness.js";
import { failure, script, stage } from "./stage.js";

const strategy = backoff.constant(0);
const json = (value) => JSON.parse(JSON.stringify(value));

/** Settles a call of a breaker as one that ended so. */
function settled(breaker, result) {
  return breaker.settle(breaker.admit().permit, result);
}

describe("inspection");

test("a breaker's JSON has its state, what it counts, and when the next probe is", () => {
  let now = 1_000;
  const breaker = new CircuitBreaker({
    failureThreshold: 2,
    windowMs: 100,
    recoveryTimeoutMs: 50,
    clock: () => now,
  });
  assert.deepEqual(json(breaker), { state: "closed", failures: 0 });
  settled(breaker, "TRANSIENT");
  assert.deepEqual(json(breaker), { state: "closed", failures: 1 });
  now += 100;
  assert.deepEqual(json(breaker), { state: "closed", failures: 0 });
  settled(breaker, "TRANSIENT");
  settled(breaker, "TRANSIENT");
  assert.deepEqual(json(breaker), { state: "open", failures: 0, nextProbeMs: 50 });
  now += 50;
  assert.deepEqual(json(breaker), { state: "open", failures: 0, nextProbeMs: 0 });
  breaker.admit();
  assert.deepEqual(json(breaker), { state: "half_open", failures: 0, nextProbeMs: 50 });
  breaker.isolate();
  assert.deepEqual(json(breaker), { state: "open", failures: 0, nextProbeMs: null });
  breaker.dispose();
  assert.deepEqual(json(breaker), { state: "disposed" });
});

test("a breaker that counts a share has the calls in its window, too", () => {
  let now = 1_000;
  const clock = () => now;
  for (const window of [
    rateOfCalls({ size: 10, rate: 1, minCalls: 10 }),
    rateOverTime({ ms: 100, rate: 1, minCalls: 10 }),
  ]) {
    const breaker = new CircuitBreaker({ window, clock });
    settled(breaker, "TRANSIENT");
    settled(breaker, "success");
    assert.deepEqual(json(breaker), { state: "closed", failures: 1, calls: 2 });
    now += 200;
  }
});

test("JSON of a policy has its options, and the state of its breaker and its budget", () => {
  const policy = new Policy({
    retry: { strategy: backoff.equalJitter(), maxAttempts: 3, budget: new Budget({ maxRetries: 7 }) },
    circuitBreaker: new CircuitBreaker(),
  });
  assert.deepEqual(json(policy), {
    strategy: "equalJitter",
    maxAttempts: 3,
    budget: { remaining: 7 },
    circuitBreaker: { state: "closed", failures: 0 },
  });
  const budget = new Budget({ maxRetries: 7 });
  budget.dispose();
  assert.deepEqual(json(budget), {});
});

test("a console shows the same, under the name of the class", () => {
  const show = Symbol.for("nodejs.util.inspect.custom");
  const shown = new Budget({ maxRetries: 7 })[show]();
  assert.deepEqual({ ...shown }, { remaining: 7 });
  assert.equal(shown.constructor, Budget);
  assert.equal(new CircuitBreaker()[show]().state, "closed");
  assert.equal(new RetryPolicy({ strategy })[show]().strategy.kind, "constant");
});

test("subscribe gets each new state, whoever changed it, until it is ended", async () => {
  const { breaker, execute, time } = stage({ retry: { strategy, maxAttempts: 1 }, breaker: { failureThreshold: 1 } });
  const states = [];
  const end = breaker.subscribe((state) => states.push(state));
  const twice = breaker.subscribe(() => {
    throw new Error("a listener that fails changes nothing");
  });
  const kept = console.error;
  console.error = () => {};
  try {
    await execute(script(failure(503)));
    time.advance(30_000);
    await execute(script(1));
    breaker.trip();
    twice();
    breaker.reset();
    breaker.isolate();
    end();
    end();
    breaker.reset();
  } finally {
    console.error = kept;
  }
  assert.deepEqual(states, ["open", "half_open", "closed", "open", "closed", "open"]);
  assert.equal(thrown(() => breaker.subscribe(7)).path, "circuitBreaker.subscribe");
});

test("subscribe gets a change that no hook of a policy sees", async () => {
  const breaker = new CircuitBreaker({ failureThreshold: 1 });
  const states = [];
  breaker.subscribe((state) => states.push(state));
  const policy = new Policy({ circuitBreaker: breaker });
  await rejection(policy.call(() => Promise.reject(failure(503))));
  assert.deepEqual(states, ["open"]);
  const keyed = new Keyed(CircuitBreaker, { capacity: 2, failureThreshold: 1 });
  keyed.entry("a").subscribe((state) => states.push(`a ${state}`));
  keyed.entry("a").trip();
  assert.deepEqual(states, ["open", "a open"]);
});

test("an error that a call threw has the outcome that execute would have given", async () => {
  const { call, execute } = stage({ retry: { strategy, maxAttempts: 3 } });
  const error = failure(503);
  assert.strictEqual(await rejection(call(script(error), { captureTimeline: true })), error);
  const outcome = outcomeOf(error);
  assert.deepEqual(
    [outcome.ok, outcome.stopReason, outcome.attempts, outcome.lastClass],
    [false, "MAX_ATTEMPTS_GLOBAL", 3, "SERVER_ERROR"],
  );
  assert.strictEqual(outcome.error, error);
  assert.lengthOf(outcome.timeline, 3);
  const { elapsedMs: _, ...told } = outcomeOf(await rejection(call(script(failure(404)))));
  const { elapsedMs: __, ...same } = await execute(script(failure(404)));
  delete told.error;
  delete told.lastError;
  delete same.error;
  delete same.lastError;
  assert.deepEqual(told, same);
  const sync = failure(401);
  assert.strictEqual(
    thrown(() =>
      callSync(new RetryPolicy({ strategy }), () => {
        throw sync;
      }),
    ),
    sync,
  );
  assert.equal(outcomeOf(sync).stopReason, "NON_RETRYABLE_CLASS");
  for (const other of [new Error("another"), "text", undefined, null, 7]) assert.isUndefined(outcomeOf(other));
});

test("an event has the error itself, which JSON and copies leave out", async () => {
  const { execute, events } = stage({ retry: { strategy, maxAttempts: 2 } });
  const error = failure(503);
  error.request = { error };
  const { timeline } = await execute(script(error), { captureTimeline: true });
  assert.deepEqual(
    events.map((event) => [event.event, event.error === error]),
    [
      ["retry", true],
      ["max_attempts_exceeded", true],
    ],
  );
  assert.isUndefined(json(timeline)[0].error);
  assert.notProperty({ ...timeline[0] }, "error");
  assert.equal(timeline[0].err, "Error");
});

test("an error has the caller in its asynchronous stack, after a retry, too", async ({ runtime }) => {
  const policy = new RetryPolicy({ strategy: backoff.constant(1), maxAttempts: 3 });
  async function theOperation({ attempt }) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    throw failure(503, { attempt });
  }
  async function theCaller() {
    return await policy.call(theOperation);
  }
  const { stack, attempt } = await rejection(theCaller());
  assert.equal(attempt, 3);
  // Other engines write no asynchronous stacks, or not through promises that others settle.
  if (!runtime.startsWith("node")) return;
  assert.include(stack, "theOperation");
  assert.include(stack, "async theCaller");
});

test("a time-out of the policy is told from the operation's own", async () => {
  const policy = new RetryPolicy({ strategy, maxAttempts: 1, attemptTimeoutMs: 5 });
  let reason;
  const error = await rejection(
    policy.call(({ signal }) => {
      signal.addEventListener("abort", () => (reason = signal.reason));
      return new Promise(() => {});
    }),
  );
  assert.instanceOf(error, AttemptTimeoutError);
  assert.deepEqual([error.name, error.code, error.timeoutMs], ["TimeoutError", "REDRESS_ATTEMPT_TIMEOUT", 5]);
  assert.strictEqual(reason, error);
  for (const classifier of [classify.default, classify.strict, classify.http]) {
    const verdict = classifier(error);
    assert.equal(verdict.class ?? verdict, "TRANSIENT");
  }
  const own = new DOMException("mine", "TimeoutError");
  const thrownOwn = await rejection(policy.call(() => Promise.reject(own)));
  assert.strictEqual(thrownOwn, own);
  assert.notInstanceOf(thrownOwn, AttemptTimeoutError);
});
