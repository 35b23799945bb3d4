// Classifiers of one's own: what they get, and when they may answer.

import { backoff, begin, callSync, Policy, RetryPolicy, redressFetch } from "redress";
import { assert, describe, settle, test, thrown } from "./harness.js";
import { failure, script, stage } from "./stage.js";

const strategy = backoff.constant(0);

describe("classifiers");

test("get the error or the value, and the attempt", async () => {
  const seen = [];
  const error = failure(503);
  const { execute } = stage({
    retry: {
      strategy,
      maxAttempts: 3,
      classifier: (thrownError, { attempt, operation }) => {
        seen.push([thrownError, attempt, operation]);
        return "TRANSIENT";
      },
      resultClassifier: (value, { attempt, operation }) => {
        seen.push([value, attempt, operation]);
        return value === "busy" ? "RATE_LIMIT" : null;
      },
    },
  });
  assert.isTrue((await execute(script(error, "busy", 1), { operation: "read" })).ok);
  assert.deepEqual(seen, [
    [error, 1, "read"],
    ["busy", 2, "read"],
    [1, 3, "read"],
  ]);
});

test("may answer later: a call waits for them", async () => {
  const classifier = async (error) => {
    await settle();
    return error.status === 503 ? { class: "RATE_LIMIT", retryAfterMs: 7 } : "PERMANENT";
  };
  const resultClassifier = async (value) => {
    await settle();
    return value === "busy" ? "CONCURRENCY" : null;
  };
  const { execute, events } = stage({ retry: { strategy, classifier, resultClassifier } });
  const outcome = await execute(script(failure(503), "busy", "done"));
  assert.deepEqual([outcome.ok, outcome.value, outcome.attempts], [true, "done", 3]);
  assert.deepEqual(
    events.map((event) => [event.event, event.class, event.cause, event.retryAfterMs]),
    [
      ["retry", "RATE_LIMIT", "exception", 7],
      ["retry", "CONCURRENCY", "result", undefined],
      ["success", undefined, undefined, undefined],
    ],
  );
  assert.equal((await execute(script(failure(404)))).stopReason, "NON_RETRYABLE_CLASS");
});

test("that reject are reported, and the failure is UNKNOWN", async () => {
  const reported = [];
  const broken = new Error("the classifier broke");
  const rejects = () => Promise.reject(broken);
  const policy = (own) => new RetryPolicy({ strategy, maxUnknownAttempts: 0, ...own });
  const onHookError = (error) => reported.push(error);
  const byError = await policy({ classifier: rejects }).execute(script(failure(503)), { onHookError });
  assert.deepEqual([byError.lastClass, byError.cause], ["UNKNOWN", "exception"]);
  const byValue = await policy({ resultClassifier: rejects }).execute(() => 1, { onHookError });
  assert.deepEqual([byValue.lastClass, byValue.cause, byValue.lastResult], ["UNKNOWN", "result", 1]);
  assert.deepEqual(reported, [broken, broken]);
});

test("that never answer end with the deadline, or with the caller's abort", async () => {
  const never = () => new Promise(() => {});
  const policy = new RetryPolicy({ strategy, classifier: never, deadlineMs: 15 });
  const outcome = await policy.execute(script(failure(503)));
  assert.deepEqual([outcome.stopReason, outcome.attempts, outcome.error.status], ["DEADLINE_EXCEEDED", 1, 503]);
  const values = new RetryPolicy({ strategy, resultClassifier: never, deadlineMs: 15 });
  const value = await values.execute(() => 7);
  assert.deepEqual([value.stopReason, value.cause, value.lastResult], ["DEADLINE_EXCEEDED", "result", 7]);
  const controller = new AbortController();
  const endless = new RetryPolicy({ strategy, classifier: never, deadlineMs: null });
  const pending = endless.execute(script(failure(503)), { signal: controller.signal });
  await settle();
  controller.abort("enough");
  assert.deepEqual([(await pending).stopReason, (await pending).error], ["ABORTED", "enough"]);
});

test("what they take is no time of the attempt", async () => {
  let now = 0;
  const classifier = async () => {
    now += 50;
    return "CONCURRENCY";
  };
  const policy = new RetryPolicy({ strategy, maxAttempts: 1, attemptTimeoutMs: 10, clock: () => now, classifier });
  assert.equal((await policy.execute(script(failure(503)))).lastClass, "CONCURRENCY");
});

test("that answer later are refused where nothing can wait", () => {
  const policy = new RetryPolicy({ strategy, classifier: async () => "TRANSIENT" });
  const fails = () => {
    throw failure(503);
  };
  assert.match(thrown(() => callSync(policy, fails)).message, /^classifier: it returned a promise/);
  const call = begin(policy);
  call.start();
  assert.match(thrown(() => call.fail(failure(503))).message, /^classifier: it returned a promise/);
  const values = new RetryPolicy({ strategy, resultClassifier: async () => null });
  assert.match(thrown(() => callSync(values, () => 1)).message, /^resultClassifier: it returned a promise/);
});

test("are not asked where a step says the class itself", () => {
  const asked = [];
  const policy = new RetryPolicy({ strategy, classifier: (error) => void asked.push(error) });
  const error = failure(404);
  const call = begin(policy);
  call.start();
  assert.deepEqual(call.fail(error, { class: "RATE_LIMIT", retryAfterMs: 5 }), { retry: true, sleepMs: 0 });
  call.onWake();
  call.start();
  const { outcome } = call.fail(error, "AUTH");
  assert.deepEqual([outcome.stopReason, outcome.lastClass, asked.length], ["NON_RETRYABLE_CLASS", "AUTH", 0]);
  assert.strictEqual(outcome.error, error);
  const next = begin(policy);
  next.start();
  assert.match(thrown(() => next.fail(error, "NONE")).message, /fail/);
  assert.isTrue(next.fail(error, "TRANSIENT").retry);
});

test("a strategy sees the error or the value", async () => {
  const seen = [];
  const own = ({ error, result }) => {
    seen.push([error, result]);
    return 0;
  };
  const error = failure(503);
  const policy = new RetryPolicy({
    strategy: own,
    resultClassifier: (value) => (value === "busy" ? "TRANSIENT" : null),
  });
  await policy.call(script(error, "busy", 1));
  assert.deepEqual(seen, [
    [error, undefined],
    [undefined, "busy"],
  ]);
});

test("of a request may read its body", async () => {
  const answers = [{ state: "building" }, { state: "ready" }];
  const fetch = async () => Response.json(answers.shift());
  const resultClassifier = async (response) => ((await response.clone().json()).state === "ready" ? null : "TRANSIENT");
  const get = redressFetch(new Policy({ retry: { strategy, resultClassifier } }), { fetch });
  assert.deepEqual(await (await get("https://example.com/")).json(), { state: "ready" });
});
