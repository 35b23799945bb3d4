// What workerd alone can show: module scope, Durable Objects, queues.

import { CircuitBreaker, CircuitOpenError, Policy, backoff } from "redress";
import { DurableBudget, DurableCircuitBreaker, deferMessage } from "redress/durable";
import { assert, describe, rejection, test } from "./harness.js";
import { flaky } from "./server.js";
import { failure, script } from "./stage.js";

// At module scope a worker has no timers, no AbortController and no random values.
const atModuleScope = new Policy({
  circuitBreaker: new CircuitBreaker({ failureThreshold: 2, recoveryTimeoutMs: 50 }),
  retry: { strategy: backoff.decorrelatedJitter({ baseMs: 1, maxMs: 5 }), maxAttempts: 2, attemptTimeoutMs: 5_000 },
});

let count = 0;
const settings = { failureThreshold: 2, windowMs: 60_000, recoveryTimeoutMs: 300, leaseMs: 1_000 };

/** Two handles of one breaker, as two isolates have them. */
function twins({ BREAKERS }, more = {}) {
  const name = `breaker-${++count}-${Date.now()}`;
  const make = () => new DurableCircuitBreaker(BREAKERS, { name, ...settings, ...more });
  return [make(), make()];
}

const through = (circuitBreaker, more = {}) => new Policy({ circuitBreaker, ...more });
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

describe("edge");

test("a policy made at module scope works in requests, with jitter, timeout and breaker", async (context) => {
  const { url } = flaky(context, "503,200");
  const response = await atModuleScope.call(async ({ signal }) => {
    const answer = await fetch(url, { signal });
    if (!answer.ok) throw failure(answer.status);
    return answer;
  });
  assert.equal(response.status, 200);
});

test("an open breaker becomes half-open in a later request, without a timer", async () => {
  const circuitBreaker = new CircuitBreaker({ failureThreshold: 1, recoveryTimeoutMs: 30 });
  const policy = new Policy({ circuitBreaker });
  await policy.execute(script(failure(503)));
  assert.instanceOf(await rejection(policy.call(script(1))), CircuitOpenError);
  await pause(40);
  assert.equal(await policy.call(script("back")), "back");
});

test("what one isolate counts, the other knows", async ({ env }) => {
  const [one, two] = twins(env);
  await through(one).execute(script(failure(503)));
  await through(two).execute(script(failure(503)));
  const operation = script(1);
  const outcome = await through(one).execute(operation);
  assert.instanceOf(outcome.error, CircuitOpenError);
  assert.isAbove(outcome.error.retryAfterMs, 0);
  assert.isAtMost(outcome.error.retryAfterMs, 300);
  assert.equal(operation.calls, 0);
  assert.equal((await through(two).execute(operation)).error.name, "CircuitOpenError");
});

test("of many callers in two isolates one is the probe", async ({ env }) => {
  const [one, two] = twins(env);
  for (let n = 0; n < 2; n += 1) await through(one).execute(script(failure(503)));
  await pause(320);
  let reached = 0;
  const operation = async () => {
    reached += 1;
    await pause(50);
    return "alive";
  };
  const calls = Array.from({ length: 20 }, (_, n) => through(n % 2 ? one : two).execute(operation));
  const outcomes = await Promise.all(calls);
  assert.equal(reached, 1);
  assert.equal(outcomes.filter(({ ok }) => ok).length, 1);
});

test("a probe whose isolate is gone gives its place up when its lease ends", async ({ env }) => {
  const [one, two] = twins(env, { leaseMs: 200 });
  for (let n = 0; n < 2; n += 1) await through(one).execute(script(failure(503)));
  await pause(320);
  void through(one).execute(() => new Promise(() => {}));
  await pause(20);
  assert.equal((await through(two).execute(script(1))).ok, false);
  await pause(250);
  assert.equal((await through(two).execute(script("again"))).value, "again");
});

test("an object that cannot be reached means local state and an event", async () => {
  const unreachable = {
    idFromName: (name) => name,
    get: () => ({
      fetch: () => Promise.reject(new Error("unreachable")),
      admit: () => Promise.reject(new Error("unreachable")),
    }),
  };
  const heard = [];
  const breaker = new DurableCircuitBreaker(unreachable, {
    name: "x",
    ...settings,
    onUnreachable: (error) => heard.push(error.message),
  });
  const policy = through(breaker);
  assert.equal(await policy.call(script("local")), "local");
  assert.isNotEmpty(heard);
  for (let n = 0; n < 2; n += 1) await policy.execute(script(failure(503)));
  assert.instanceOf((await policy.execute(script(1))).error, CircuitOpenError);
});

test("an object that cannot be reached rejects, where that is asked for", async () => {
  const unreachable = { idFromName: (name) => name, get: () => ({ fetch: () => Promise.reject(new Error("unreachable")) }) };
  const breaker = new DurableCircuitBreaker(unreachable, { name: "x", ...settings, whenUnreachable: "reject" });
  const operation = script(1);
  assert.equal((await through(breaker).execute(operation)).ok, false);
  assert.equal(operation.calls, 0);
});

test("a budget is shared by isolates", async ({ env }) => {
  const name = `budget-${Date.now()}`;
  const make = () => new DurableBudget(env.BREAKERS, { name, maxRetries: 3, windowMs: 60_000 });
  const operation = script(failure(503));
  for (const budget of [make(), make()]) {
    const policy = new Policy({ retry: { strategy: backoff.constant(0), maxAttempts: 3, budget } });
    await policy.execute(operation);
  }
  // Two calls, and the three retries the budget had.
  assert.equal(operation.calls, 5);
});

test("a breaker and a budget of one name keep apart, in one object", async ({ env }) => {
  const name = `both-${Date.now()}`;
  const breaker = new DurableCircuitBreaker(env.BREAKERS, { name, ...settings, failureThreshold: 1 });
  const budget = new DurableBudget(env.BREAKERS, { name, maxRetries: 1, windowMs: 60_000 });
  assert.equal(await through(breaker).call(script("first")), "first");
  assert.deepEqual([await budget.consume(), await budget.consume()], [true, false]);
  await through(breaker).execute(script(failure(503)));
  assert.instanceOf((await through(breaker).execute(script(1))).error, CircuitOpenError);
  assert.isAtLeast(breaker.latencyMs, 0);
});

test("an object answers a request that is repeated as it did the first time", async ({ env }) => {
  const object = env.BREAKERS.get(env.BREAKERS.idFromName(`again-${Date.now()}`));
  const ask = async (body) => {
    const own = { settings: { failureThreshold: 2, windowMs: 60_000 }, ...body };
    return (await object.fetch("https://redress/", { method: "POST", body: JSON.stringify(own) })).json();
  };
  assert.deepEqual(await ask({ ask: "admit", id: "a" }), await ask({ ask: "admit", id: "a" }));
  // The failure of one permit counts once, however often it is told.
  for (let n = 0; n < 3; n += 1) await ask({ ask: "settle", id: "a", result: "TRANSIENT" });
  assert.equal((await ask({ ask: "admit", id: "b" })).ok, true);
  assert.equal((await ask({ ask: "settle", id: "b", result: "TRANSIENT" })).state, "open");
});

test("a deferred message comes back after its delay, rounded up to whole seconds", () => {
  for (const [nextSleepMs, delaySeconds] of [[1, 1], [1_000, 1], [1_001, 2], [10 ** 9, 43_200]]) {
    const asked = [];
    const message = { retry: (options) => asked.push(options), ack: () => asked.push("ack") };
    assert.isTrue(deferMessage(message, { ok: false, stopReason: "SCHEDULED", nextSleepMs }));
    assert.deepEqual(asked, [{ delaySeconds }]);
  }
  const untouched = { retry: () => assert.fail("retried") };
  assert.isFalse(deferMessage(untouched, { ok: false, stopReason: "MAX_ATTEMPTS_GLOBAL", nextSleepMs: null }));
});

test("a message that a policy defers is delivered again by the queue, after the delay", async (context) => {
  const { env } = context;
  const { url, log } = flaky(context, "429;retry-after=2,200");
  await env.JOBS.send({ url });
  const deadline = Date.now() + 15_000;
  while (Date.now() < deadline && (await log()).length < 2) await pause(100);
  const [first, second] = await log();
  assert.isAtLeast(second.atMs - first.atMs, 1_900);
});
