// What `execute` returns, and the timeline.

import { Budget, backoff, CircuitOpenError } from "redress";
import { assert, describe, test } from "./harness.js";
import { failure, script, stage } from "./stage.js";

const strategy = backoff.constant(10);

describe("outcomes");

test("an outcome has everything there is to know", async () => {
  const error = failure(503);
  const { execute, time } = stage({ retry: { strategy, maxAttempts: 2 } });
  const outcome = await execute(async () => {
    time.advance(5);
    throw error;
  });
  assert.equal(outcome.ok, false);
  assert.strictEqual(outcome.error, error);
  assert.strictEqual(outcome.lastError, error);
  assert.equal(outcome.stopReason, "MAX_ATTEMPTS_GLOBAL");
  assert.equal(outcome.attempts, 2);
  assert.equal(outcome.lastClass, "SERVER_ERROR");
  assert.equal(outcome.cause, "exception");
  assert.equal(outcome.elapsedMs, 20);
  assert.equal(outcome.nextSleepMs, null);
});

test("a success after retries says how many attempts it took", async () => {
  for (const failures of [0, 1, 4]) {
    const { execute } = stage({ retry: { strategy } });
    const outcome = await execute(script(...Array.from({ length: failures }, () => failure(503)), "value"));
    assert.equal(outcome.ok, true);
    assert.equal(outcome.value, "value");
    assert.equal(outcome.attempts, failures + 1);
    assert.equal(outcome.stopReason, null);
  }
});

/** Every reason to stop: the settings, the operation, the options and the terminal event. */
const REASONS = {
  NON_RETRYABLE_CLASS: [{}, () => script(failure(404)), {}, "permanent_fail"],
  MAX_ATTEMPTS_PER_CLASS: [
    { perClassMaxAttempts: { SERVER_ERROR: 0 } },
    () => script(failure(503)),
    {},
    "max_attempts_exceeded",
  ],
  MAX_UNKNOWN_ATTEMPTS: [{}, () => script(new Error("x")), {}, "max_unknown_attempts_exceeded"],
  DEADLINE_EXCEEDED: [{ deadlineMs: 0 }, () => script(failure(503)), {}, "deadline_exceeded"],
  MAX_ATTEMPTS_GLOBAL: [{ maxAttempts: 1 }, () => script(failure(503)), {}, "max_attempts_exceeded"],
  NO_STRATEGY: [
    { strategy: undefined, strategies: { AUTH: strategy } },
    () => script(failure(503)),
    {},
    "no_strategy_configured",
  ],
  ABORTED: [{}, () => script(failure(503)), { abortIf: () => true }, "aborted"],
  BUDGET_EXHAUSTED: [
    { budget: new Budget({ maxRetries: 0, windowMs: 1 }) },
    () => script(failure(503)),
    {},
    "budget_exhausted",
  ],
  SCHEDULED: [{}, () => script(failure(503)), { sleep: () => "defer" }, "scheduled"],
};

for (const [reason, [settings, operation, options, event]] of Object.entries(REASONS)) {
  test(`${reason} is told by outcome, event and timeline`, async () => {
    const { execute, events } = stage({ retry: { strategy, ...settings } });
    const outcome = await execute(operation(), { ...options, captureTimeline: true });
    assert.equal(outcome.ok, false);
    assert.equal(outcome.stopReason, reason);
    assert.equal(events.at(-1).event, event);
    assert.equal(events.at(-1).stopReason, reason);
    const entries = [...outcome.timeline];
    assert.equal(entries.at(-1).event, event);
    assert.equal(entries.at(-1).stopReason, reason);
  });
}

test("a timeline has an entry for each event, and is absent unless asked for", async () => {
  const stand = stage({ retry: { strategy, maxAttempts: 3 } });
  const outcome = await stand.execute(script(failure(503), failure(429), 1), { captureTimeline: true });
  const entries = [...outcome.timeline];
  assert.deepEqual(
    entries.map((entry) => entry.event),
    ["retry", "retry", "success"],
  );
  assert.deepEqual(
    entries.map((entry) => entry.attempt),
    [1, 2, 3],
  );
  assert.deepEqual(
    entries.map((entry) => entry.elapsedMs),
    [0, 10, 20],
  );
  assert.equal(entries[0].class, "SERVER_ERROR");
  assert.equal(entries[0].cause, "exception");
  assert.equal(entries[0].sleepMs, 10);
  assert.isNotOk((await stand.execute(script(1))).timeline);
});

test("a timeline tells failing values from errors", async () => {
  const resultClassifier = (value) => (value === "bad" ? "TRANSIENT" : null);
  const { execute } = stage({ retry: { strategy, resultClassifier } });
  const outcome = await execute(script("bad", failure(503), 1), { captureTimeline: true });
  const causes = [...outcome.timeline].map((entry) => entry.cause ?? null);
  assert.deepEqual(causes, ["result", "exception", null]);
});

test("an open breaker gives an outcome without attempts", async () => {
  const { execute } = stage({ breaker: { failureThreshold: 1 } });
  await execute(script(failure(503)));
  const outcome = await execute(script(1));
  assert.equal(outcome.ok, false);
  assert.equal(outcome.attempts, 0);
  assert.instanceOf(outcome.error, CircuitOpenError);
});

test("without retry, success, failure and abort are outcomes, with the breaker's events", async () => {
  const { execute, names } = stage({ breaker: { failureThreshold: 1 } });
  assert.equal((await execute(script("value"))).value, "value");
  const aborted = await execute(script(1), { abortIf: () => true });
  assert.equal(aborted.stopReason, "ABORTED");
  const error = failure(503);
  const failed = await execute(script(error));
  assert.strictEqual(failed.error, error);
  assert.equal(failed.attempts, 1);
  assert.equal(names().at(-1), "circuit_opened");
});

test("execute never throws for what the operation throws, even when it is not async", async () => {
  const { execute } = stage({ retry: { strategy, maxAttempts: 2 } });
  const error = failure(503);
  const outcome = await execute(() => {
    throw error;
  });
  assert.strictEqual(outcome.error, error);
  assert.equal(outcome.attempts, 2);
});

test("an outcome is plain data for JSON", async () => {
  const { execute } = stage({ retry: { strategy, maxAttempts: 1 } });
  const text = JSON.stringify(await execute(script(failure(503)), { captureTimeline: true }));
  assert.include(text, "MAX_ATTEMPTS_GLOBAL");
});
