// Snapshots, and windows of a rate: state of the core that a module of its own works on.

import { Budget, backoff, CircuitBreaker, rateOfCalls, rateOverTime, restore, snapshot } from "redress";
import { assert, describe, test, thrown } from "./harness.js";
import { failure, script, stage, Time } from "./stage.js";

describe("state");

const BREAKERS = {
  "of few failures": { failureThreshold: 4 },
  "of many failures": { failureThreshold: 250 },
  "of a rate of calls": { window: rateOfCalls({ size: 1_024, rate: 1, minCalls: 4 }) },
  "of a rate over time": { window: rateOverTime({ ms: 60_000, rate: 1, minCalls: 4 }) },
};

for (const [kind, settings] of Object.entries(BREAKERS)) {
  test(`a breaker ${kind} goes on from its snapshot where the other stood`, () => {
    const { clock } = new Time();
    const breaker = new CircuitBreaker({ ...settings, clock });
    const times = settings.failureThreshold ?? 4;
    const fail = (one) => one.settle(one.admit().permit, "SERVER_ERROR");
    for (let n = 1; n < times; n += 1) assert.equal(fail(breaker), null);
    const other = new CircuitBreaker({ ...settings, clock });
    restore(other, JSON.parse(JSON.stringify(snapshot(breaker))));
    assert.equal(other.state, "closed");
    assert.equal(fail(other), "open", "the failure before the last one was not forgotten");
    assert.equal(breaker.state, "closed", "they are two");
    restore(breaker, snapshot(other));
    assert.equal(breaker.state, "open");
  });
}

const BUDGETS = {
  "of few retries": { maxRetries: 100 },
  "of many retries": { maxRetries: 4_096 },
  "in proportion to calls": { ratio: 0.5, initial: 90, floorPerSec: 90 },
};

for (const [kind, settings] of Object.entries(BUDGETS)) {
  test(`a budget ${kind} goes on from its snapshot where the other stood`, () => {
    const { clock } = new Time();
    const budget = new Budget({ ...settings, clock });
    budget.consume(1);
    budget.consume(20);
    const other = new Budget({ ...settings, clock });
    restore(other, JSON.parse(JSON.stringify(snapshot(budget))));
    assert.equal(other.remaining(), budget.remaining());
    assert.equal(other.remaining(), (settings.maxRetries ?? 90) - 21);
  });
}

test("a snapshot is of its kind and its settings", () => {
  const rate = new CircuitBreaker({ window: rateOfCalls({ size: 10, rate: 0.5, minCalls: 2 }) });
  const longer = new CircuitBreaker({ window: rateOfCalls({ size: 11, rate: 0.5, minCalls: 2 }) });
  assert.match(thrown(() => restore(longer, snapshot(rate))).message, /settings/);
  assert.match(thrown(() => restore(new CircuitBreaker(), snapshot(rate))).message, /bytes|kind/);
  assert.match(thrown(() => restore(new Budget({ ratio: 0.1 }), snapshot(rate))).message, /budget/);
});

test("a rate over time opens by slow calls, and a slow probe opens anew", async () => {
  const window = rateOverTime({ ms: 10_000, rate: 1, minCalls: 3, slow: { afterMs: 500, rate: 0.5 } });
  const stand = stage({ breaker: { window, recoveryTimeoutMs: 1_000 }, retry: { strategy: backoff.constant(0) } });
  const slow = () => stand.time.advance(500);
  await stand.call(slow);
  await stand.call(script(1));
  assert.equal(stand.breaker.state, "closed");
  await stand.call(slow);
  assert.equal(stand.breaker.state, "open");
  stand.time.advance(1_000);
  await stand.call(slow);
  assert.equal(stand.breaker.state, "open");
  stand.time.advance(1_000);
  await stand.call(script(1));
  assert.equal(stand.breaker.state, "closed");
});

test("calls leave a rate over time with their slice", async () => {
  const window = rateOverTime({ ms: 10_000, rate: 0.5, minCalls: 2 });
  const stand = stage({ breaker: { window } });
  await stand.execute(script(failure(503)));
  stand.time.advance(10_000);
  await stand.execute(script(failure(503)));
  assert.equal(stand.breaker.state, "closed");
  await stand.execute(script(failure(503)));
  assert.equal(stand.breaker.state, "open");
});

test("breakers of all kinds live side by side and come back to where they were", () => {
  const { clock } = new Time();
  const kinds = Object.values(BREAKERS);
  const breakers = Array.from({ length: 400 }, (_, n) => new CircuitBreaker({ ...kinds[n % 4], clock }));
  for (const [n, breaker] of breakers.entries()) if (n % 3 === 0) breaker.isolate();
  for (const [n, breaker] of breakers.entries()) assert.equal(breaker.state, n % 3 === 0 ? "open" : "closed");
});
