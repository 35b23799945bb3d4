// A budget of retries, shared.

import { Budget, backoff, callSync, RetryExhaustedError, restore, snapshot } from "redress";
import { assert, describe, rejection, test, thrown } from "./harness.js";
import { failure, script, stage, Time } from "./stage.js";

const strategy = backoff.constant(1);

describe("budget");

test("tokens are spent up to the limit, and return when they leave the window", () => {
  const time = new Time();
  const budget = new Budget({ maxRetries: 2, windowMs: 1_000, clock: time.clock });
  assert.deepEqual([budget.consume(), budget.consume(), budget.consume()], [true, true, false]);
  time.advance(999);
  assert.equal(budget.remaining(), 0);
  time.advance(1);
  assert.equal(budget.remaining(), 2);
  assert.isTrue(budget.consume());
});

test("a cost is taken as a whole or not at all", () => {
  const budget = new Budget({ maxRetries: 3, windowMs: 1_000 });
  assert.isFalse(budget.consume(4));
  assert.equal(budget.remaining(), 3);
  assert.isTrue(budget.consume(3));
  assert.isFalse(budget.consume());
  assert.equal(new Budget({ maxRetries: 0, windowMs: 1_000 }).consume(), false);
});

test("settings out of range are refused by name", () => {
  for (const [settings, field] of [
    [{ maxRetries: -1, windowMs: 1_000 }, /maxRetries/],
    [{ maxRetries: 1.5, windowMs: 1_000 }, /maxRetries/],
    [{ maxRetries: 1, windowMs: 0 }, /windowMs/],
    [{ maxRetries: 1, windowMs: "1000" }, /windowMs/],
  ]) {
    assert.match(thrown(() => new Budget(settings)).message, field);
  }
});

test("the budget pays only for a retry that follows", async () => {
  const budget = new Budget({ maxRetries: 5, windowMs: 60_000 });
  const { call } = stage({ retry: { strategy, maxAttempts: 3, budget } });
  await rejection(call(script(failure(404))));
  assert.equal(budget.remaining(), 5);
  await rejection(call(script(failure(503))));
  assert.equal(budget.remaining(), 3);
});

test("an exhausted budget stops with the last error and an event", async () => {
  const budget = new Budget({ maxRetries: 1, windowMs: 60_000 });
  const { call, names, events } = stage({ retry: { strategy, budget } });
  const errors = [failure(503), failure(503)];
  assert.strictEqual(await rejection(call(script(...errors))), errors[1]);
  assert.deepEqual(names(), ["retry", "budget_exhausted"]);
  assert.equal(events[1].stopReason, "BUDGET_EXHAUSTED");
});

test("a value that ends by the budget is a RetryExhaustedError", async () => {
  const budget = new Budget({ maxRetries: 0, windowMs: 60_000 });
  const { call } = stage({ retry: { strategy, budget, resultClassifier: () => "TRANSIENT" } });
  const error = await rejection(call(script(1)));
  assert.instanceOf(error, RetryExhaustedError);
  assert.equal(error.stopReason, "BUDGET_EXHAUSTED");
});

test("one budget is shared by policies, by call and by callSync", async () => {
  const budget = new Budget({ maxRetries: 3, windowMs: 60_000 });
  const one = stage({ retry: { strategy, budget, maxAttempts: 3 } });
  const two = stage({ retry: { strategy, budget, maxAttempts: 3 } });
  await one.execute(script(failure(503)));
  assert.equal(budget.remaining(), 1);
  thrown(() =>
    callSync(two.policy, () => {
      throw failure(503);
    }),
  );
  assert.equal(budget.remaining(), 0);
});

test("in an outage a ratio budget adds its share of load and no more", async () => {
  const budget = new Budget({ ratio: 0.1, initial: 0, floorPerSec: 0 });
  const { policy } = stage({ retry: { strategy, budget, maxAttempts: 4 } });
  const operation = script(failure(503));
  for (let n = 0; n < 200; n += 1) await policy.execute(operation);
  assert.isAtMost(operation.calls, 220);
  assert.isAtLeast(operation.calls, 200);
});

test("a ratio budget lets the first calls retry, and a caller of few", () => {
  const time = new Time();
  const { clock } = time;
  // The retries at the start, and those five seconds after all are spent.
  for (const [own, first, later] of [
    [{}, 10, 5],
    [{ limit: 3 }, 3, 3],
    [{ initial: 2, floorPerSec: 0 }, 2, 0],
    [{ initial: 0, floorPerSec: 4 }, 0, 20],
  ]) {
    const budget = new Budget({ ratio: 0.1, clock, ...own });
    assert.isTrue(budget.consume(0));
    assert.equal(budget.remaining(), first);
    const other = new Budget({ ratio: 0.1, clock, ...own });
    budget.consume(first);
    // What was granted at the start is not granted again.
    restore(other, snapshot(budget));
    assert.equal(other.remaining(), 0);
    time.advance(5_000);
    assert.equal(budget.remaining(), later);
  }
});

test("a snapshot of a budget keeps what was spent, through JSON", () => {
  const time = new Time();
  const settings = { maxRetries: 3, windowMs: 1_000, clock: time.clock };
  const budget = new Budget(settings);
  budget.consume(2);
  const other = new Budget(settings);
  restore(other, JSON.parse(JSON.stringify(snapshot(budget))));
  assert.equal(other.remaining(), 1);
});
