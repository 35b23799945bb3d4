// A deferred call goes on, in another process perhaps.

import { backoff, begin, CircuitBreaker, callSync, outcomeOf, Policy, RetryPolicy } from "redress";
import { assert, describe, rejection, test, thrown } from "./harness.js";
import { failure, script, stage } from "./stage.js";

const strategy = backoff.constant(1_000);
const defer = { sleep: () => "defer" };
/** As a queue carries it. */
const carried = (outcome) => JSON.parse(JSON.stringify(outcome.resume));

describe("resume");

test("what a deferred call has behind it is plain data; any other call has none", async () => {
  const { execute, call, time } = stage({ retry: { strategy, deadlineMs: 10_000 } });
  const operation = () => {
    time.advance(500);
    throw failure(503);
  };
  const outcome = await execute(operation, defer);
  assert.deepEqual(carried(outcome), {
    attempts: 1,
    failures: { SERVER_ERROR: 1 },
    previousSleepMs: 1_000,
    elapsedMs: 1_500,
    remainingMs: 8_500,
  });
  assert.isNull((await execute(script(failure(404)))).resume);
  assert.deepEqual(outcomeOf(await rejection(call(operation, defer))).resume, outcome.resume);
  const endless = stage({ retry: { strategy, deadlineMs: null } });
  assert.isNull((await endless.execute(script(failure(503)), defer)).resume.remainingMs);
});

test("attempts, failures by class, delays and the time count on", async () => {
  const seen = [];
  const own = ({ attempt, previousSleepMs, remainingMs }) => {
    seen.push([attempt, previousSleepMs, remainingMs]);
    return 1_000;
  };
  const settings = { retry: { strategy: own, maxAttempts: 3, deadlineMs: 10_000 } };
  const first = stage(settings);
  let outcome = await first.execute(script(failure(503)), defer);
  const second = stage(settings);
  const attempts = [];
  const fails = ({ attempt, remainingMs }) => {
    attempts.push([attempt, remainingMs]);
    throw failure(503);
  };
  outcome = await second.execute(fails, { ...defer, resume: carried(outcome) });
  assert.deepEqual([outcome.stopReason, outcome.attempts, outcome.elapsedMs], ["SCHEDULED", 2, 1_000]);
  outcome = await stage(settings).execute(fails, { ...defer, resume: carried(outcome) });
  assert.deepEqual([outcome.stopReason, outcome.attempts, outcome.elapsedMs], ["MAX_ATTEMPTS_GLOBAL", 3, 2_000]);
  assert.deepEqual(attempts, [
    [2, 9_000],
    [3, 8_000],
  ]);
  assert.deepEqual(seen, [
    [1, 0, 10_000],
    [2, 1_000, 9_000],
  ]);
});

test("limits by class count on, and so do those of UNKNOWN", async () => {
  const settings = { retry: { strategy, perClassMaxAttempts: { RATE_LIMIT: 1 } } };
  const outcome = await stage(settings).execute(script(failure(429)), defer);
  const next = await stage(settings).execute(script(failure(429)), { resume: carried(outcome) });
  assert.deepEqual([next.stopReason, next.attempts], ["MAX_ATTEMPTS_PER_CLASS", 2]);
  const unknown = new Error("what is it?");
  let last = await stage({ retry: { strategy } }).execute(script(unknown), defer);
  last = await stage({ retry: { strategy } }).execute(script(unknown), { ...defer, resume: carried(last) });
  last = await stage({ retry: { strategy } }).execute(script(unknown), { ...defer, resume: carried(last) });
  assert.deepEqual([last.stopReason, last.attempts], ["MAX_UNKNOWN_ATTEMPTS", 3]);
});

test("the deadline counts on, and a call may get its own anew", async () => {
  const settings = { retry: { strategy, deadlineMs: 2_500, maxAttempts: 9 } };
  const outcome = await stage(settings).execute(script(failure(503)), defer);
  const late = stage(settings);
  const slow = () => {
    late.time.advance(1_600);
    throw failure(503);
  };
  assert.equal((await late.execute(slow, { resume: carried(outcome) })).stopReason, "DEADLINE_EXCEEDED");
  const anew = stage(settings);
  const left = [];
  const sees = ({ remainingMs }) => left.push(remainingMs);
  await anew.call(sees, { resume: carried(outcome), deadlineMs: 7_000 });
  assert.deepEqual(left, [7_000]);
});

test("a delay that did not fit leaves what was left before it", async () => {
  const settings = { retry: { strategy: backoff.constant(60_000), deadlineMs: 10_000 } };
  const { execute, time } = stage(settings);
  const operation = () => {
    time.advance(4_000);
    throw failure(503);
  };
  const outcome = await execute(operation, defer);
  assert.deepEqual(
    [outcome.nextSleepMs, outcome.resume.elapsedMs, outcome.resume.remainingMs],
    [60_000, 64_000, 6_000],
  );
  assert.isTrue((await stage(settings).execute(script(1), { resume: carried(outcome) })).ok);
});

test("the breaker is asked again, and no delay is waited for", async () => {
  const policy = new Policy({
    retry: { strategy, initialDelayMs: 3_600_000 },
    circuitBreaker: new CircuitBreaker({ failureThreshold: 1 }),
  });
  const resume = { attempts: 2, failures: {}, previousSleepMs: 5, elapsedMs: 7, remainingMs: 100 };
  const outcome = await policy.execute(() => 1, { resume });
  assert.deepEqual([outcome.ok, outcome.attempts, policy.circuitBreaker.state], [true, 3, "closed"]);
  policy.trip();
  assert.equal((await policy.execute(() => 1, { resume })).error.name, "CircuitOpenError");
});

test("every driver goes on", async () => {
  const policy = new RetryPolicy({ strategy, maxAttempts: 3 });
  const resume = { attempts: 2, failures: { TRANSIENT: 2 }, previousSleepMs: 5, elapsedMs: 7, remainingMs: 100 };
  assert.equal(await policy.call(({ attempt }) => attempt, { resume }), 3);
  assert.equal(
    callSync(policy, ({ attempt }) => attempt, { resume }),
    3,
  );
  const call = begin(policy, { resume });
  assert.equal(call.start().attempt, 3);
  assert.equal(call.fail(failure(503)).outcome.stopReason, "MAX_ATTEMPTS_GLOBAL");
});

test("what is no resume is refused by path", async () => {
  const policy = new RetryPolicy({ strategy });
  const right = { attempts: 2, failures: {}, previousSleepMs: 5, elapsedMs: 7, remainingMs: null };
  assert.equal(await policy.call(() => 1, { resume: right }), 1);
  assert.equal(await policy.call(() => 1, { resume: null }), 1);
  for (const [wrong, path] of [
    [7, "resume"],
    [{ ...right, attempts: 0 }, "resume.attempts"],
    [{ ...right, attempts: 1.5 }, "resume.attempts"],
    [{ ...right, failures: { NONE: 1 } }, "resume.failures"],
    [{ ...right, failures: { AUTH: -1 } }, "resume.failures.AUTH"],
    [{ ...right, previousSleepMs: NaN }, "resume.previousSleepMs"],
    [{ ...right, elapsedMs: "7" }, "resume.elapsedMs"],
    [{ ...right, remainingMs: undefined }, "resume.remainingMs"],
    [{ ...right, remaining: 1 }, "resume.remaining"],
  ]) {
    const error = await rejection(policy.call(() => 1, { resume: wrong }));
    assert.equal(error.path, path);
  }
  assert.equal(thrown(() => new Policy({ resume: right })).path, "policy.resume");
});
