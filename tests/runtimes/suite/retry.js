// What a policy retries, how often, and what comes back.

import { backoff, callSync, Policy, Retry, RetryConfig, RetryExhaustedError, RetryPolicy } from "redress";
import { assert, describe, rejection, test, thrown } from "./harness.js";
import { failure, STATUS, script, stage } from "./stage.js";

const strategy = backoff.constant(10);

describe("retry");

for (const name of ["PERMANENT", "AUTH", "PERMISSION"]) {
  test(`${name} is thrown at once, after one call`, async () => {
    const error = failure(STATUS[name]);
    const { call, names, events } = stage({ retry: { strategy } });
    const operation = script(error);
    assert.strictEqual(await rejection(call(operation)), error);
    assert.equal(operation.calls, 1);
    assert.deepEqual(names(), ["permanent_fail"]);
    assert.equal(events[0].stopReason, "NON_RETRYABLE_CLASS");
  });
}

test("a class is retried with the strategy of that class, else the default", async () => {
  const strategies = {
    TRANSIENT: backoff.constant(1),
    SERVER_ERROR: backoff.constant(2),
    RATE_LIMIT: backoff.constant(3),
  };
  const { call, time } = stage({ retry: { strategy: backoff.constant(4), strategies } });
  const classes = ["TRANSIENT", "SERVER_ERROR", "RATE_LIMIT", "CONCURRENCY"];
  const operation = script(...classes.map((name) => failure(STATUS[name])), "done");
  assert.equal(await call(operation), "done");
  assert.deepEqual(time.sleeps, [1, 2, 3, 4]);
});

test("attempts count calls, six by default, and the last error itself is thrown", async () => {
  const errors = Array.from({ length: 7 }, () => failure(503));
  const { call, names } = stage({ retry: { strategy } });
  const operation = script(...errors);
  assert.strictEqual(await rejection(call(operation)), errors[5]);
  assert.equal(operation.calls, 6);
  assert.equal(names().at(-1), "max_attempts_exceeded");
});

test("a thrown value that is no Error is thrown as it is", async () => {
  const values = ["text", null, undefined, 7, Symbol.for("it"), { deep: true }];
  for (const value of values) {
    const { call } = stage({ retry: { strategy, maxAttempts: 2 } });
    let caught = "nothing";
    await call(() => Promise.reject(value)).catch((error) => (caught = error));
    assert.strictEqual(caught, value);
  }
});

test("a class limit of n retries n failures of it and stops at the next", async () => {
  for (const [limit, calls] of [
    [0, 1],
    [1, 2],
    [3, 4],
  ]) {
    const { execute } = stage({
      retry: { strategy, maxAttempts: 10, perClassMaxAttempts: { RATE_LIMIT: limit } },
    });
    const operation = script(failure(429));
    const outcome = await execute(operation);
    assert.equal(operation.calls, calls);
    assert.equal(outcome.stopReason, "MAX_ATTEMPTS_PER_CLASS");
  }
});

test("a class limit is checked before everything else that stops", async () => {
  const { execute } = stage({ retry: { strategy, perClassMaxAttempts: { AUTH: 0 } } });
  assert.equal((await execute(script(failure(401)))).stopReason, "MAX_ATTEMPTS_PER_CLASS");
});

test("unknown failures have a limit of their own, two by default, or none", async () => {
  for (const [maxUnknownAttempts, calls, reason] of [
    [undefined, 3, "MAX_UNKNOWN_ATTEMPTS"],
    [0, 1, "MAX_UNKNOWN_ATTEMPTS"],
    [null, 6, "MAX_ATTEMPTS_GLOBAL"],
  ]) {
    const limit = maxUnknownAttempts === undefined ? {} : { maxUnknownAttempts };
    const { execute, names } = stage({ retry: { strategy, ...limit } });
    const operation = script(new Error("what?"));
    const outcome = await execute(operation);
    assert.equal(operation.calls, calls);
    assert.equal(outcome.stopReason, reason);
    assert.equal(outcome.lastClass, "UNKNOWN");
    if (maxUnknownAttempts !== null) assert.equal(names().at(-1), "max_unknown_attempts_exceeded");
  }
});

test("the deadline stops after a failure that comes too late, with the last error", async () => {
  const { call, time, names, events } = stage({ retry: { strategy, deadlineMs: 100 } });
  const error = failure(503);
  const caught = await rejection(
    call(async () => {
      time.advance(101);
      throw error;
    }),
  );
  assert.strictEqual(caught, error);
  assert.deepEqual(names(), ["deadline_exceeded"]);
  assert.equal(events[0].stopReason, "DEADLINE_EXCEEDED");
});

test("the deadline is a minute by default, and null is none", async () => {
  for (const [deadlineMs, reason] of [
    [undefined, "DEADLINE_EXCEEDED"],
    [null, "MAX_ATTEMPTS_GLOBAL"],
  ]) {
    const limit = deadlineMs === undefined ? {} : { deadlineMs };
    const { execute, time } = stage({ retry: { strategy, ...limit } });
    const outcome = await execute(async () => {
      time.advance(31_000);
      throw failure(503);
    });
    assert.equal(outcome.stopReason, reason);
  }
});

test("with longDelay cut a delay is cut to the deadline, which is checked again after it", async () => {
  const retry = { strategy: backoff.constant(500), deadlineMs: 120, longDelay: "cut" };
  const exact = stage({ retry });
  const operation = script(failure(503));
  await exact.execute(operation);
  assert.deepEqual(exact.time.sleeps, [120]);
  assert.equal(operation.calls, 2);

  const late = stage({ retry });
  const once = script(failure(503));
  const sleeper = (ms) => late.time.advance(ms + 1);
  const outcome = await late.execute(once, { sleeper });
  assert.equal(outcome.stopReason, "DEADLINE_EXCEEDED");
  assert.equal(once.calls, 1);
});

test("a class without a strategy is not retried", async () => {
  const { call, names, events } = stage({ retry: { strategies: { RATE_LIMIT: strategy } } });
  const operation = script(failure(503));
  await rejection(call(operation));
  assert.equal(operation.calls, 1);
  assert.deepEqual(names(), ["no_strategy_configured"]);
  assert.equal(events[0].stopReason, "NO_STRATEGY");
});

test("a retry without any strategy is refused when it is built", () => {
  const error = thrown(() => new Retry({}));
  assert.isTrue(error instanceof TypeError || error instanceof RangeError);
  assert.match(error.message, /strateg/);
});

test("a value may be a failure: it is retried, then succeeds", async () => {
  const resultClassifier = (value) => (value === "busy" ? "TRANSIENT" : null);
  const { call, time, events } = stage({ retry: { strategy, resultClassifier } });
  const operation = script("busy", "busy", "free");
  assert.equal(await call(operation), "free");
  assert.deepEqual(time.sleeps, [10, 10]);
  assert.equal(events[0].cause, "result");
});

test("a value that stays a failure is a RetryExhaustedError that carries everything", async () => {
  const resultClassifier = () => ({ class: "SERVER_ERROR" });
  const { call } = stage({ retry: { strategy, resultClassifier, maxAttempts: 3 } });
  const error = await rejection(call(script("a", "b", "c")));
  assert.instanceOf(error, RetryExhaustedError);
  assert.equal(error.name, "RetryExhaustedError");
  assert.equal(error.stopReason, "MAX_ATTEMPTS_GLOBAL");
  assert.equal(error.attempts, 3);
  assert.equal(error.lastClass, "SERVER_ERROR");
  assert.equal(error.lastResult, "c");
  assert.equal(error.nextSleepMs, null);
});

test("a value of a final class stops after one call", async () => {
  const { execute } = stage({ retry: { strategy, resultClassifier: () => "PERMANENT" } });
  const operation = script("no");
  const outcome = await execute(operation);
  assert.equal(operation.calls, 1);
  assert.equal(outcome.stopReason, "NON_RETRYABLE_CLASS");
  assert.equal(outcome.lastResult, "no");
});

test("values that are failures obey the limits of classes", async () => {
  const unknown = stage({ retry: { strategy, resultClassifier: () => "UNKNOWN" } });
  assert.equal((await unknown.execute(script(1))).stopReason, "MAX_UNKNOWN_ATTEMPTS");
  const limited = stage({
    retry: { strategy, resultClassifier: () => "RATE_LIMIT", perClassMaxAttempts: { RATE_LIMIT: 1 } },
  });
  const outcome = await limited.execute(script(1));
  assert.equal(outcome.stopReason, "MAX_ATTEMPTS_PER_CLASS");
  assert.equal(outcome.attempts, 2);
});

test("the last cause decides what surfaces", async () => {
  const resultClassifier = (value) => (value === "bad" ? "TRANSIENT" : null);
  const error = failure(503);
  const retry = { strategy, resultClassifier, maxAttempts: 2 };
  assert.strictEqual(await rejection(stage({ retry }).call(script("bad", error))), error);
  const last = await rejection(stage({ retry }).call(script(error, "bad")));
  assert.instanceOf(last, RetryExhaustedError);
  assert.equal(last.lastResult, "bad");
});

test("a policy without retry is one shot, and its breaker works", async () => {
  const { call, execute, breaker } = stage({ breaker: { failureThreshold: 2 } });
  assert.equal(await call(script("value")), "value");
  const error = failure(503);
  assert.strictEqual(await rejection(call(script(error))), error);
  assert.equal((await execute(script(error))).ok, false);
  assert.equal(breaker.state, "open");
});

test("RetryPolicy is a Policy with a retry and nothing else", async () => {
  const retry = { strategy, maxAttempts: 3, sleeper: () => {} };
  const seen = [];
  for (const policy of [new RetryPolicy(retry), new Policy({ retry }), new Policy({ retry: new Retry(retry) })]) {
    const events = [];
    const options = { operation: "same", onEvent: (event) => events.push([event.event, event.attempt]) };
    const outcome = await policy.execute(script(failure(503), "value"), options);
    seen.push({ events, value: outcome.value, attempts: outcome.attempts });
  }
  assert.deepEqual(seen[1], seen[0]);
  assert.deepEqual(seen[2], seen[0]);
});

test("a RetryConfig makes the same policy, and keeps a copy of what it was given", async () => {
  const perClassMaxAttempts = { RATE_LIMIT: 0 };
  const config = new RetryConfig({ strategy, perClassMaxAttempts });
  perClassMaxAttempts.RATE_LIMIT = 5;
  const { execute } = stage({ retry: config });
  assert.equal((await execute(script(failure(429)))).attempts, 1);
});

test("what is given with a call holds for that call alone", async () => {
  const { policy, time } = stage({ retry: { strategy } });
  const heard = [];
  const own = [];
  const options = {
    operation: "GET /x",
    onMetric: (event, _attempt, _sleepMs, tags) => heard.push([event, tags.operation]),
    sleeper: (ms) => {
      own.push(ms);
    },
  };
  await policy.call(script(failure(503), 1), options);
  await policy.call(script(failure(503), 1));
  assert.deepEqual(own, [10]);
  assert.deepEqual(time.sleeps, [10]);
  assert.deepEqual(heard, [
    ["retry", "GET /x"],
    ["success", "GET /x"],
  ]);
});

test("callSync takes the same decisions as call", async () => {
  const record = { async: [], sync: [] };
  for (const form of ["async", "sync"]) {
    const { policy, time } = stage({
      retry: { strategy: backoff.equalJitter({ baseMs: 100, maxMs: 1_000 }), maxAttempts: 4 },
    });
    time.draws = [0.1, 0.9, 0.4];
    const onEvent = (event) => record[form].push([event.event, event.attempt, event.sleepMs]);
    const error = failure(503);
    const caught =
      form === "async"
        ? await rejection(policy.call(() => Promise.reject(error), { onEvent }))
        : thrown(() =>
            callSync(
              policy,
              () => {
                throw error;
              },
              { onEvent },
            ),
          );
    assert.strictEqual(caught, error);
    record[form].push(time.sleeps);
  }
  assert.deepEqual(record.sync, record.async);
});

test("callSync without a sleeper refuses a delay with a clear error", () => {
  const policy = new Policy({ retry: { strategy } });
  const error = thrown(() =>
    callSync(policy, () => {
      throw failure(503);
    }),
  );
  assert.match(error.message, /sleeper/);
});
