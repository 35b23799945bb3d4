// Delays that do not fit before the deadline, hints with bounds, and final classes that are retried.

import { Budget, backoff, begin, classify, Policy, RetryExhaustedError, RetryPolicy, redressFetch } from "redress";
import { assert, describe, rejection, test } from "./harness.js";
import { failure, script, stage } from "./stage.js";

const HOUR = 3_600_000;
const hinted = (retryAfterMs, status = 429) => failure(status, { retryAfterMs });
const followed = backoff.retryAfterOr(backoff.constant(5), { jitterMs: 0 });

describe("long delays");

test("a Retry-After of an hour within a deadline of ten seconds stops the call at once, with the hour", async () => {
  const budget = new Budget({ maxRetries: 5 });
  const { execute, call, names, time, policy } = stage({ retry: { strategy: followed, deadlineMs: 10_000, budget } });
  const error = hinted(HOUR);
  const outcome = await execute(script(error));
  assert.deepEqual([outcome.stopReason, outcome.nextSleepMs, outcome.attempts], ["DEADLINE_EXCEEDED", HOUR, 1]);
  assert.strictEqual(outcome.error, error);
  assert.deepEqual(names(), ["deadline_exceeded"]);
  assert.deepEqual(time.sleeps, []);
  assert.equal(budget.remaining(), 5);
  assert.strictEqual(await rejection(call(script(error))), error);
  assert.strictEqual(await rejection(policy.call(script(error))), error);
  const walked = begin(policy);
  walked.start();
  const decision = walked.fail(error);
  assert.deepEqual([decision.retry, decision.outcome.nextSleepMs], [false, HOUR]);
  const value = stage({
    retry: {
      strategy: followed,
      deadlineMs: 10_000,
      resultClassifier: () => ({ class: "RATE_LIMIT", retryAfterMs: HOUR }),
    },
  });
  const exhausted = await rejection(value.call(script("busy")));
  assert.instanceOf(exhausted, RetryExhaustedError);
  assert.deepEqual([exhausted.stopReason, exhausted.nextSleepMs], ["DEADLINE_EXCEEDED", HOUR]);
});

test("the handler is asked about the whole delay: it defers, for a token, aborts, or lets the call end", async () => {
  for (const [answer, stopReason, nextSleepMs, spent] of [
    ["defer", "SCHEDULED", HOUR, 1],
    ["sleep", "DEADLINE_EXCEEDED", HOUR, 0],
    ["abort", "ABORTED", null, 0],
  ]) {
    const asked = [];
    const sleep = (context, sleepMs) => {
      asked.push([context.remainingMs, sleepMs]);
      return answer;
    };
    const budget = new Budget({ maxRetries: 2 });
    const spentOwn = [];
    const own = { consume: () => (spentOwn.push(1), true) };
    for (const pool of [budget, own]) {
      const { execute, names, policy, time, events } = stage({
        retry: { strategy: followed, deadlineMs: 10_000, budget: pool },
      });
      const outcome = await execute(script(hinted(HOUR)), { sleep });
      assert.deepEqual([outcome.stopReason, outcome.nextSleepMs], [stopReason, nextSleepMs]);
      assert.notInclude(names(), "retry");
      assert.equal(events.at(-1).sleepMs, answer === "defer" ? HOUR : 0);
      const call = begin(policy, { sleep });
      call.start();
      assert.deepEqual(
        [call.fail(hinted(HOUR)).retry, call.outcome.stopReason, call.outcome.nextSleepMs],
        [false, stopReason, nextSleepMs],
      );
      assert.deepEqual(time.sleeps, []);
    }
    assert.deepEqual(
      asked,
      Array.from({ length: 4 }, () => [10_000, HOUR]),
    );
    assert.deepEqual([budget.remaining(), spentOwn.length], [2 - 2 * spent, 2 * spent]);
  }
});

test("a deferral without a token ends with BUDGET_EXHAUSTED", async () => {
  const sleep = () => "defer";
  for (const budget of [new Budget({ maxRetries: 0 }), { consume: () => false }, { consume: async () => false }]) {
    const { execute, names } = stage({ retry: { strategy: followed, deadlineMs: 10_000, budget } });
    const outcome = await execute(script(hinted(HOUR)), { sleep });
    assert.deepEqual([outcome.stopReason, outcome.nextSleepMs], ["BUDGET_EXHAUSTED", null]);
    assert.deepEqual(names(), ["budget_exhausted"]);
  }
});

test("a delay as long as what is left does not fit; a little less does, and so does any without a deadline", async () => {
  for (const [ms, deadlineMs, slept] of [
    [100, 100, []],
    [99.999, 100, [99.999]],
    [HOUR, null, [HOUR]],
  ]) {
    const { execute, time } = stage({ retry: { strategy: backoff.constant(ms), deadlineMs, maxAttempts: 2 } });
    const { stopReason } = await execute(script(failure(503)));
    assert.equal(stopReason, slept.length === 0 ? "DEADLINE_EXCEEDED" : "MAX_ATTEMPTS_GLOBAL");
    assert.deepEqual(time.sleeps, slept);
  }
});

test("with longDelay cut a delay is cut to the deadline, and one more attempt is made", async () => {
  const { execute, time, names } = stage({ retry: { strategy: followed, deadlineMs: 10_000, longDelay: "cut" } });
  const outcome = await execute(script(hinted(HOUR)));
  assert.deepEqual([outcome.stopReason, outcome.nextSleepMs, outcome.attempts], ["DEADLINE_EXCEEDED", null, 2]);
  assert.deepEqual(time.sleeps, [10_000]);
  assert.deepEqual(names(), ["retry", "deadline_exceeded"]);
});

test("redressFetch resolves to the response whose Retry-After does not fit", async ({ base }) => {
  const policy = new RetryPolicy({ strategy: followed, deadlineMs: 10_000, resultClassifier: classify.http });
  const response = await redressFetch(policy)(
    `${base}/flaky/${crypto.randomUUID()}?script=${encodeURIComponent("429;retry-after=3600")}`,
  );
  assert.equal(response.status, 429);
});

describe("hints");

test("a hint has a least and a most: a shorter one counts as the least, a longer one does not fit", async () => {
  const strategy = backoff.retryAfterOr(backoff.constant(7), { jitterMs: 0, atLeastMs: 20, atMostMs: 1_000 });
  const { execute, time } = stage({ retry: { strategy, deadlineMs: null, maxAttempts: 5 } });
  const outcome = await execute(script(hinted(0), hinted(19), hinted(1_000), failure(503), hinted(1_001)));
  assert.deepEqual(time.sleeps, [20, 20, 1_000, 7]);
  assert.equal(outcome.attempts, 5);
  const beyond = await execute(script(hinted(1_001)));
  assert.deepEqual([beyond.stopReason, beyond.nextSleepMs], ["DEADLINE_EXCEEDED", 1_001]);
  const deferred = await execute(script(hinted(1_001)), { sleep: () => "defer" });
  assert.deepEqual([deferred.stopReason, deferred.nextSleepMs], ["SCHEDULED", 1_001]);
});

test("a hint without end is the longest delay there is, and not none", async () => {
  for (const hint of [Infinity, 1e300, Number.MAX_VALUE]) {
    const { execute, events } = stage({ retry: { strategy: followed, deadlineMs: 10_000 } });
    const outcome = await execute(script(hinted(hint)));
    assert.deepEqual([outcome.stopReason, outcome.nextSleepMs], ["DEADLINE_EXCEEDED", Infinity]);
    const waited = stage({ retry: { strategy: followed, deadlineMs: null, maxAttempts: 2 } });
    await waited.execute(script(hinted(hint)));
    assert.deepEqual(waited.time.sleeps, [Infinity]);
    assert.equal(waited.events[0].retryAfterMs, hint);
    assert.equal(events.length, 1);
  }
  const { execute, time } = stage({ retry: { strategy: followed, maxAttempts: 2 } });
  await execute(script(hinted(NaN)));
  assert.deepEqual(time.sleeps, [5]);
});

describe("final classes");

test("retriable retries a final class so many times, and stops at the next failure of it", async () => {
  const settings = { strategy: backoff.constant(1), retriable: { AUTH: 1 } };
  const { execute, policy } = stage({ retry: settings });
  assert.equal((await execute(script(failure(401), "joined"))).value, "joined");
  assert.equal(await policy.call(script(failure(401), "joined")), "joined");
  const twice = await execute(script(failure(401)));
  assert.deepEqual([twice.stopReason, twice.attempts], ["MAX_ATTEMPTS_PER_CLASS", 2]);
  assert.equal((await execute(script(failure(403)))).stopReason, "NON_RETRYABLE_CLASS");
  const call = begin(policy);
  call.start();
  assert.isTrue(call.fail(failure(401)).retry);
  call.cancel();
  assert.equal(
    (await new Policy({ retry: { ...settings, retriable: {} }, sleeper: () => {} }).execute(script(failure(401))))
      .attempts,
    1,
  );
});
