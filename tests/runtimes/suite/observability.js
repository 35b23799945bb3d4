// What hooks are told.

import { backoff } from "redress";
import { assert, describe, rejection, test } from "./harness.js";
import { failure, script, stage } from "./stage.js";

const strategy = backoff.constant(10);

describe("observability");

test("a metric has event, attempt, delay and tags; a log has the same as fields", async () => {
  const metrics = [];
  const logs = [];
  const { execute } = stage({ retry: { strategy, maxAttempts: 2 } });
  class GatewayError extends Error {
    name = "GatewayError";
    status = 503;
  }
  await execute(script(new GatewayError("x")), {
    operation: "read",
    onMetric: (...words) => metrics.push(words),
    onLog: (...words) => logs.push(words),
  });
  const tags = { class: "SERVER_ERROR", err: "GatewayError", cause: "exception", operation: "read" };
  assert.deepEqual(metrics[0], ["retry", 1, 10, tags]);
  assert.deepEqual(metrics[1], ["max_attempts_exceeded", 2, 0, { ...tags, stopReason: "MAX_ATTEMPTS_GLOBAL" }]);
  assert.equal(logs.length, 2);
  assert.equal(logs[0][0], "retry");
  assert.deepInclude(logs[0][1], { attempt: 1, sleepMs: 10, ...tags });
});

test("a tag is there where it is known and absent elsewhere", async () => {
  const heard = [];
  const onMetric = (_event, _attempt, _sleepMs, tags) => heard.push(tags);
  const { execute } = stage({ retry: { strategy, resultClassifier: (v) => (v ? null : "TRANSIENT") } });
  await execute(script(0, 1), { onMetric });
  assert.deepEqual(heard, [{ class: "TRANSIENT", cause: "result" }, {}]);
});

test("a success is told once, with the number of its attempt", async () => {
  for (const failures of [0, 2]) {
    const { execute, events } = stage({ retry: { strategy } });
    await execute(script(...Array.from({ length: failures }, () => failure(503)), 1));
    const successes = events.filter((event) => event.event === "success");
    assert.deepEqual(
      successes.map((event) => event.attempt),
      [failures + 1],
    );
  }
});

test("a hint is told on retry events alone", async () => {
  const logs = [];
  const { execute } = stage({
    retry: { strategy, maxAttempts: 2, classifier: () => ({ class: "RATE_LIMIT", retryAfterMs: 700 }) },
  });
  await execute(script(new Error("x")), { onLog: (event, fields) => logs.push([event, fields.retryAfterMs]) });
  assert.deepEqual(logs, [
    ["retry", 700],
    ["max_attempts_exceeded", undefined],
  ]);
});

test("an abort names the attempts that were completed", async () => {
  let asked = 0;
  const { execute, events } = stage({ retry: { strategy } });
  // Asked at the start, after the failure and before the sleep of each attempt.
  await execute(script(failure(503)), { abortIf: () => ++asked > 3 });
  const aborted = events.at(-1);
  assert.equal(aborted.event, "aborted");
  assert.equal(aborted.attempt, 1);
  assert.equal(aborted.stopReason, "ABORTED");
});

test("no hook that throws breaks a call, and each is reported", async () => {
  const reported = [];
  const bad = (name) => () => {
    throw new Error(name);
  };
  const { policy } = stage({ retry: { strategy } });
  const value = await policy.call(script(failure(503), "value"), {
    onEvent: bad("event"),
    onMetric: bad("metric"),
    onLog: bad("log"),
    onAttemptStart: bad("start"),
    onAttemptEnd: bad("end"),
    beforeSleep: bad("before"),
    onHookError: (error) => reported.push(error.message),
  });
  assert.equal(value, "value");
  assert.sameMembers([...new Set(reported)], ["event", "metric", "log", "start", "end", "before"]);
});

test("a hook that returns a rejected promise breaks nothing, and is reported", async () => {
  const reported = [];
  const { policy } = stage({ retry: { strategy } });
  const hook = async () => {
    throw new Error("later");
  };
  await policy.call(script(1), { onEvent: hook, onHookError: (error) => reported.push(error.message) });
  await Promise.resolve();
  assert.deepEqual(reported, ["later"]);
});

test("each attempt is told when it starts and how it ended", async () => {
  const log = [];
  const onAttemptStart = ({ attempt, operation }) => log.push(["start", attempt, operation]);
  const onAttemptEnd = ({ attempt, decision, sleepMs }) => log.push(["end", attempt, decision, sleepMs]);
  const hooks = { operation: "op", onAttemptStart, onAttemptEnd };
  const { execute } = stage({ retry: { strategy } });
  await execute(script(failure(503), 1), hooks);
  assert.deepEqual(
    log.map((entry) => entry.slice(0, 3)),
    [
      ["start", 1, "op"],
      ["end", 1, "retry"],
      ["start", 2, "op"],
      ["end", 2, "success"],
    ],
  );
  assert.equal(log[1][3], 10);

  log.length = 0;
  await stage({}).execute(script(failure(503)), hooks);
  assert.deepEqual(
    log.map((entry) => entry.slice(0, 3)),
    [
      ["start", 1, "op"],
      ["end", 1, "raise"],
    ],
  );
});

test("the end of an attempt knows its error or its value", async () => {
  const ends = [];
  const onAttemptEnd = (context) => ends.push({ ...context });
  const error = failure(503);
  const { execute } = stage({
    retry: { strategy, maxAttempts: 3, resultClassifier: (v) => (v === "bad" ? "TRANSIENT" : null) },
  });
  await execute(script(error, "bad", "good"), { onAttemptEnd });
  assert.strictEqual(ends[0].error, error);
  assert.equal(ends[0].class, "SERVER_ERROR");
  assert.equal(ends[1].result, "bad");
  assert.equal(ends[1].cause, "result");
  assert.equal(ends[2].decision, "success");
});

test("an observer may make calls itself", async () => {
  const stand = stage({ retry: { strategy }, breaker: {} });
  let inner;
  const onEvent = () => {
    inner ??= stand.policy.call(script("inner"));
  };
  assert.equal(await stand.policy.call(script("outer"), { onEvent }), "outer");
  assert.equal(await inner, "inner");
});

test("hooks of the policy and of the call both hear", async () => {
  const heard = [];
  const { policy } = stage({ retry: { strategy }, onEvent: () => heard.push("policy") });
  await policy.call(script(1), { onEvent: () => heard.push("call") });
  assert.sameMembers(heard, ["policy", "call"]);
});

test("without a hook for it, what a hook throws goes where a page's errors go, else to the console", async () => {
  const kept = globalThis.reportError;
  const log = console.error;
  const reported = [];
  const isPage = typeof document === "object";
  globalThis.reportError = (error) => reported.push(isPage ? error.message : "not here: it ends a process");
  console.error = (_, error) => reported.push(isPage ? "not here" : error.message);
  try {
    const { policy } = stage({ retry: { strategy } });
    const onEvent = () => {
      throw new Error("hook");
    };
    await policy.call(script(1), { onEvent });
    assert.deepEqual(reported, ["hook"]);
    assert.equal((await rejection(policy.call(script(failure(404)), { onEvent }))).status, 404);
  } finally {
    globalThis.reportError = kept;
    console.error = log;
  }
});
