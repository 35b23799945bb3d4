// Breakers that are opened and closed by hand, that ask again before a retry, open for a hint, or add a random time.

import {
  backoff,
  begin,
  CircuitBreaker,
  CircuitOpenError,
  callSync,
  Keyed,
  KeyedPolicy,
  Policy,
  rateOfCalls,
} from "redress";
import { FakeCircuitBreaker } from "redress/testing";
import { assert, describe, rejection, test, thrown } from "./harness.js";
import { failure, script, stage } from "./stage.js";

const strategy = backoff.constant(10);
const windows = [undefined, rateOfCalls({ size: 10, rate: 0.5, minCalls: 1 })];

describe("by hand");

test("trip, isolate and reset say the new state, or null if it stayed the same", () => {
  let now = 0;
  for (const window of windows) {
    now = 0;
    const breaker = new CircuitBreaker({ recoveryTimeoutMs: 100, clock: () => now, window });
    assert.deepEqual([breaker.reset(), breaker.trip(), breaker.trip(), breaker.state], [null, "open", null, "open"]);
    assert.equal(breaker.admit().retryAfterMs, 100);
    now = 100;
    const { ok, permit } = breaker.admit();
    assert.isTrue(ok);
    assert.equal(breaker.settle(permit, "success"), "closed");
    assert.deepEqual([breaker.isolate(), breaker.isolate(), breaker.trip()], ["open", null, null]);
    now = 10 ** 9;
    assert.deepEqual(breaker.admit(), { ok: false, state: "open", retryAfterMs: undefined });
    assert.equal(breaker.reset(), "closed");
  }
});

test("an isolated breaker rejects without a time, in the error, its message and its JSON", async () => {
  const circuitBreaker = new CircuitBreaker();
  circuitBreaker.isolate();
  const policy = new Policy({ circuitBreaker, retry: { strategy } });
  for (const error of [
    await rejection(policy.call(() => 1)),
    thrown(() => callSync(policy, () => 1)),
    thrown(() => begin(policy)),
  ]) {
    assert.instanceOf(error, CircuitOpenError);
    assert.strictEqual(error.retryAfterMs, undefined);
    assert.notInclude(error.message, "Infinity");
    assert.notInclude(error.message, "NaN");
    assert.notInclude(JSON.stringify(error), "retryAfterMs");
  }
  assert.strictEqual(new CircuitOpenError({ state: "open", retryAfterMs: Infinity }).retryAfterMs, undefined);
});

test("a policy opens and closes its breaker, and its hooks get the events, without a class", () => {
  const events = [];
  const circuitBreaker = new CircuitBreaker();
  const policy = new Policy({ circuitBreaker, operation: "read", onEvent: (event) => events.push(event) });
  assert.deepEqual(
    [policy.trip(), policy.trip(), policy.reset(), policy.isolate(), policy.reset()],
    ["open", null, "closed", "open", "closed"],
  );
  const of = (event, state) => ({ event, attempt: 0, sleepMs: 0, elapsedMs: 0, state, operation: "read" });
  const [opened, closed] = [of("circuit_opened", "open"), of("circuit_closed", "closed")];
  assert.deepEqual(events, [opened, closed, opened, closed]);
  assert.deepEqual([new Policy().trip(), new Policy().isolate(), new Policy().reset()], [null, null, null]);
  const own = new Policy({ circuitBreaker: new FakeCircuitBreaker() });
  assert.match(thrown(() => own.isolate()).message, /policy\.isolate: its circuitBreaker is your own/);
});

test("a policy by key opens the breaker of that key alone", async () => {
  const breakers = new Keyed(CircuitBreaker, { capacity: 10 });
  const events = [];
  const policy = new KeyedPolicy({
    circuitBreaker: breakers,
    onEvent: ({ event, operation }) => events.push([event, operation]),
  });
  assert.equal(policy.at("a").isolate(), "open");
  assert.instanceOf(await rejection(policy.at("a").call(() => 1)), CircuitOpenError);
  assert.equal(await policy.at("b").call(() => 1), 1);
  assert.equal(policy.at("a").reset(), "closed");
  assert.deepEqual(
    events.filter(([event]) => event !== "success"),
    [
      ["circuit_opened", "a"],
      ["circuit_rejected", "a"],
      ["circuit_closed", "a"],
    ],
  );
  assert.equal(breakers.peek("a").state, "closed");
});

describe("breaker options");

test("halfOpenOn says which failures of a probe open it anew; any other counts like a success", async () => {
  for (const window of windows) {
    const breaker = {
      failureThreshold: window ? undefined : 1,
      window,
      recoveryTimeoutMs: 10,
      halfOpenOn: ["TRANSIENT", "SERVER_ERROR"],
    };
    for (const [status, state] of [
      [404, "closed"],
      [503, "open"],
    ]) {
      const { execute, time, breaker: shared } = stage({ breaker });
      shared.trip();
      time.advance(10);
      await execute(script(failure(status)));
      assert.equal(shared.state, state);
    }
  }
});

test("recoveryJitterMs adds a random time to each recovery; random numbers are drawn for nothing else", async () => {
  const { execute, time, breaker } = stage({
    retry: { strategy, maxAttempts: 1 },
    breaker: { failureThreshold: 1, recoveryTimeoutMs: 100, recoveryJitterMs: 50 },
  });
  let draws = 0;
  time.random = undefined;
  const random = () => ((draws += 1), 0.5);
  const policy = new Policy({
    circuitBreaker: breaker,
    retry: { strategy, maxAttempts: 1, clock: time.clock, random },
  });
  await policy.call(script(1));
  assert.equal(draws, 0);
  await rejection(policy.call(script(failure(503))));
  assert.equal(draws, 1);
  assert.equal((await execute(script(1))).error.retryAfterMs, 125);
  const without = new CircuitBreaker({ failureThreshold: 1, clock: time.clock });
  await rejection(
    new Policy({ circuitBreaker: without, retry: { strategy, maxAttempts: 1, clock: time.clock, random } }).call(
      script(failure(503)),
    ),
  );
  assert.equal(draws, 1);
  const byHand = new CircuitBreaker({
    failureThreshold: 1,
    recoveryTimeoutMs: 100,
    recoveryJitterMs: 50,
    clock: time.clock,
  });
  byHand.settle(byHand.admit().permit, "TRANSIENT");
  const { retryAfterMs } = byHand.admit();
  assert.isAtLeast(retryAfterMs, 100);
  assert.isBelow(retryAfterMs, 150);
});

test("with checkBeforeRetry a call stops as soon as the breaker has opened, in every driver", async () => {
  const error = failure(503);
  const make = (checkBeforeRetry) => {
    const set = stage({ retry: { strategy: backoff.constant(0) }, breaker: { checkBeforeRetry } });
    const operation = () => {
      if (set.breaker.state === "closed") set.breaker.trip();
      throw error;
    };
    return { ...set, operation };
  };
  const { execute, operation, events, policy, breaker } = make(true);
  const outcome = await execute(operation);
  assert.deepEqual([outcome.stopReason, outcome.attempts, outcome.lastClass], ["CIRCUIT_OPEN", 1, "SERVER_ERROR"]);
  assert.strictEqual(outcome.error, error);
  assert.deepEqual(
    events.map(({ event }) => event),
    ["retry", "circuit_rejected"],
  );
  assert.deepEqual([events[1].state, events[1].stopReason, events[1].class], ["open", "CIRCUIT_OPEN", "SERVER_ERROR"]);
  let calls = 0;
  const counted = () => {
    calls += 1;
    return operation();
  };
  for (const run of [() => rejection(policy.call(counted)), () => thrown(() => callSync(policy, counted))]) {
    breaker.reset();
    calls = 0;
    assert.strictEqual(await run(), error);
    assert.equal(calls, 1);
  }
  breaker.reset();
  const call = begin(policy);
  call.start();
  breaker.trip();
  call.fail(error);
  call.onWake();
  assert.strictEqual(
    thrown(() => call.start()),
    error,
  );
  assert.equal(call.outcome.stopReason, "CIRCUIT_OPEN");
  const without = make(undefined);
  assert.equal((await without.execute(without.operation)).attempts, 6);
});

test("a probe does not ask again", async () => {
  const { execute, time, breaker } = stage({
    retry: { strategy },
    breaker: { checkBeforeRetry: true, recoveryTimeoutMs: 10 },
  });
  breaker.trip();
  time.advance(10);
  assert.equal((await execute(script(failure(503), failure(503), 1))).attempts, 3);
  assert.equal(breaker.state, "closed");
});

test("with openForHintMs a hint opens the breaker for that long, at most for the option", async () => {
  const hinted = (status, retryAfterMs) => failure(status, { retryAfterMs });
  for (const [error, wait] of [
    [hinted(429, 5_000), 5_000],
    [hinted(503, 5_000), 5_000],
    [hinted(429, 3_600_000), 60_000],
    [hinted(429, Infinity), 60_000],
    [hinted(409, 5_000), null],
    [failure(429), null],
  ]) {
    for (const plain of [false, true]) {
      const { execute, policy, breaker, events, names } = stage({
        retry: { strategy, maxAttempts: 2 },
        breaker: { openForHintMs: 60_000 },
      });
      if (plain) await rejection(policy.call(script(error, failure(404))));
      else await execute(script(error, failure(404)));
      assert.equal(breaker.state, wait === null ? "closed" : "open");
      if (wait !== null) assert.equal(breaker.admit().retryAfterMs, wait - 10);
      if (plain || wait === null) continue;
      assert.deepEqual(names(), ["circuit_opened", "retry", "permanent_fail"]);
      assert.deepEqual(
        [events[0].class, events[0].state, events[0].attempt],
        [error.status === 429 ? "RATE_LIMIT" : "SERVER_ERROR", "open", 0],
      );
    }
  }
});

test("an attempt that was late says nothing by its hint", async () => {
  const { execute, time, breaker } = stage({
    retry: { strategy, attemptTimeoutMs: 10, maxAttempts: 1 },
    breaker: { openForHintMs: 60_000 },
  });
  await execute(() => {
    time.advance(11);
    throw failure(429, { retryAfterMs: 5_000 });
  });
  assert.equal(breaker.state, "closed");
});
