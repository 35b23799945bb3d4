// The hook before each further attempt, which renews what the next one needs.

import { AbortRetryError, backoff, begin, callSync, RetryPolicy } from "redress";
import { assert, describe, rejection, settle, test, thrown } from "./harness.js";
import { failure, script, stage } from "./stage.js";

const strategy = backoff.constant(10);

describe("beforeRetry");

test("runs after the delay and before each further attempt, and is awaited", async () => {
  const order = [];
  const { execute, time } = stage({ retry: { strategy, maxAttempts: 3 } });
  const operation = () => {
    order.push("attempt");
    throw failure(503);
  };
  const beforeRetry = async () => {
    await settle();
    order.push(`renewed at ${time.sleeps.length}`);
  };
  await execute(operation, { beforeRetry });
  assert.deepEqual(order, ["attempt", "renewed at 1", "attempt", "renewed at 2", "attempt"]);
});

test("knows the context and what the attempt left: an error, a value or a time-out", async () => {
  const seen = [];
  const beforeRetry = (context, last) =>
    void seen.push([context.attempt, context.class, context.previousSleepMs, last]);
  const error = failure(503);
  const { execute } = stage({
    retry: { strategy, resultClassifier: (value) => (value === "busy" ? "RATE_LIMIT" : null) },
  });
  await execute(script(error, "busy", 1), { beforeRetry });
  assert.deepEqual(seen, [
    [1, "SERVER_ERROR", 10, { kind: "error", error }],
    [2, "RATE_LIMIT", 10, { kind: "value", value: "busy" }],
  ]);
  assert.strictEqual(seen[0][3].error, error);
  seen.length = 0;
  const policy = new RetryPolicy({ strategy: backoff.constant(0), attemptTimeoutMs: 10, beforeRetry });
  await policy.call(({ attempt }) => (attempt === 1 ? new Promise(() => {}) : 1));
  assert.deepEqual([seen.length, seen[0][3].kind, seen[0][3].error.name], [1, "timeout", "TimeoutError"]);
});

test("abort ends the call as ABORTED, with the last error as the cause", async () => {
  const error = failure(503);
  for (const beforeRetry of [() => "abort", async () => "abort"]) {
    const { execute, call, names, breaker } = stage({ retry: { strategy }, breaker: { failureThreshold: 1 } });
    const outcome = await execute(script(error), { beforeRetry });
    assert.deepEqual([outcome.stopReason, outcome.attempts], ["ABORTED", 1]);
    assert.strictEqual(outcome.lastError, error);
    assert.deepEqual(names(), ["retry", "aborted"]);
    const aborted = await rejection(call(script(error), { beforeRetry }));
    assert.instanceOf(aborted, AbortRetryError);
    assert.strictEqual(aborted.cause, error);
    assert.equal(breaker.state, "closed");
  }
});

test("what it throws is reported once, and the attempt is made all the same", async () => {
  const bug = new Error("hook");
  for (const beforeRetry of [
    () => {
      throw bug;
    },
    () => Promise.reject(bug),
  ]) {
    const reported = [];
    const { execute } = stage({ retry: { strategy } });
    assert.equal(
      (await execute(script(failure(503), 1), { beforeRetry, onHookError: (error) => reported.push(error) })).value,
      1,
    );
    assert.deepEqual(reported, [bug]);
  }
});

test("the deadline ends it, and so does the caller's signal", async () => {
  const error = failure(503);
  const late = [];
  const beforeRetry = () => new Promise((_, reject) => late.push(reject));
  const policy = new RetryPolicy({ strategy: backoff.constant(0), deadlineMs: 20, beforeRetry });
  const outcome = await policy.execute(script(error));
  assert.deepEqual([outcome.stopReason, outcome.attempts], ["DEADLINE_EXCEEDED", 1]);
  assert.strictEqual(outcome.error, error);
  late[0](new Error("late"));
  await settle();

  const controller = new AbortController();
  const long = new RetryPolicy({
    strategy: backoff.constant(0),
    beforeRetry: () => (controller.abort("stop"), new Promise(() => {})),
  });
  assert.equal(await long.call(script(error), { signal: controller.signal }).catch((reason) => reason), "stop");
});

test("time that it took counts for the deadline", async () => {
  const { execute, time } = stage({ retry: { strategy, deadlineMs: 100 } });
  const outcome = await execute(script(failure(503)), { beforeRetry: () => time.advance(91) });
  assert.deepEqual([outcome.stopReason, outcome.attempts], ["DEADLINE_EXCEEDED", 1]);
});

test("callSync and a call that is walked run it where nothing waits", () => {
  const error = failure(503);
  const { policy } = stage({ retry: { strategy } });
  const seen = [];
  const beforeRetry = (_, last) => void seen.push(last.error);
  let calls = 0;
  const operation = () => {
    calls += 1;
    if (calls === 1) throw error;
    return calls;
  };
  assert.equal(callSync(policy, operation, { beforeRetry }), 2);
  const walked = begin(policy, { beforeRetry });
  walked.start();
  walked.fail(error);
  walked.onWake();
  walked.start();
  walked.succeed(1);
  assert.deepEqual(seen, [error, error]);

  const fails = () => {
    throw error;
  };
  assert.instanceOf(
    thrown(() => callSync(policy, fails, { beforeRetry: () => "abort" })),
    AbortRetryError,
  );
  const aborted = begin(policy, { beforeRetry: () => "abort" });
  aborted.start();
  aborted.fail(error);
  assert.instanceOf(
    thrown(() => aborted.onWake()),
    AbortRetryError,
  );
  assert.equal(aborted.outcome.stopReason, "ABORTED");
  assert.match(
    thrown(() => callSync(policy, fails, { beforeRetry: async () => {} })).message,
    /beforeRetry: it returned a promise/,
  );
});
