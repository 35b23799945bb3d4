// Sleeping, deferring, and attempt timeouts.

import { AbortRetryError, backoff, RetryExhaustedError, RetryPolicy } from "redress";
import { assert, describe, rejection, settle, test } from "./harness.js";
import { failure, script, stage } from "./stage.js";

const strategy = backoff.constant(10);

describe("sleep");

test("a handler sleeps, defers or aborts, and sees the context and the delay", async () => {
  const seen = [];
  const sleep = (context, sleepMs) => {
    seen.push([context.attempt, context.class, sleepMs]);
    return "sleep";
  };
  const { execute, time } = stage({ retry: { strategy } });
  assert.equal((await execute(script(failure(503), 1), { sleep })).value, 1);
  assert.deepEqual(seen, [[1, "SERVER_ERROR", 10]]);
  assert.deepEqual(time.sleeps, [10]);
});

test("a deferred call says when to come back, and does not sleep", async () => {
  const { execute, call, time, names, events } = stage({ retry: { strategy } });
  const sleep = () => "defer";
  const error = failure(503);
  const outcome = await execute(script(error), { sleep });
  assert.equal(outcome.stopReason, "SCHEDULED");
  assert.equal(outcome.nextSleepMs, 10);
  assert.strictEqual(outcome.lastError, error);
  assert.deepEqual(names(), ["retry", "scheduled"]);
  assert.equal(events[1].sleepMs, 10);
  assert.deepEqual(time.sleeps, []);
  const exhausted = await rejection(call(script(error), { sleep }));
  assert.instanceOf(exhausted, RetryExhaustedError);
  assert.equal(exhausted.stopReason, "SCHEDULED");
  assert.equal(exhausted.nextSleepMs, 10);
  assert.strictEqual(exhausted.cause, error);
});

test("an abort from the handler is an AbortRetryError", async () => {
  const { execute, call } = stage({ retry: { strategy } });
  const sleep = () => "abort";
  assert.equal((await execute(script(failure(503)), { sleep })).stopReason, "ABORTED");
  assert.instanceOf(await rejection(call(script(failure(503)), { sleep })), AbortRetryError);
});

test("a handler that answers nonsense ends the call with a clear error, its permit cancelled", async () => {
  const { call, breaker } = stage({ retry: { strategy }, breaker: { failureThreshold: 1 } });
  for (const answer of ["maybe", undefined, 7]) {
    const error = await rejection(call(script(failure(503)), { sleep: () => answer }));
    assert.match(error.message, /sleep/);
    assert.match(error.message, /defer/);
    assert.equal(breaker.state, "closed");
  }
});

test("a handler that throws ends the call with that error, its permit cancelled", async () => {
  const { call, breaker } = stage({ retry: { strategy }, breaker: { failureThreshold: 1 } });
  const bug = new Error("handler");
  const sleep = () => {
    throw bug;
  };
  assert.strictEqual(await rejection(call(script(failure(503)), { sleep })), bug);
  assert.equal(breaker.state, "closed");
});

test("a sleeper of your own replaces the sleep; one that throws ends the call", async () => {
  const slept = [];
  const sleeper = async (ms) => {
    slept.push(ms);
  };
  const { call } = stage({ retry: { strategy } });
  assert.equal(await call(script(failure(503), 1), { sleeper }), 1);
  assert.deepEqual(slept, [10]);
  const bug = new Error("sleeper");
  const broken = () => Promise.reject(bug);
  assert.strictEqual(await rejection(call(script(failure(503)), { sleeper: broken })), bug);
});

test("beforeSleep runs before an actual sleep alone, is awaited, and may fail", async () => {
  const order = [];
  const { execute } = stage({ retry: { strategy } });
  const sleeper = () => {
    order.push("sleep");
  };
  const beforeSleep = async (_context, sleepMs) => {
    await Promise.resolve();
    order.push(`before ${sleepMs}`);
    throw new Error("swallowed");
  };
  const onHookError = () => order.push("reported");
  await execute(script(failure(503), 1), { beforeSleep, sleeper, onHookError });
  assert.deepEqual(order, ["before 10", "reported", "sleep"]);
  order.length = 0;
  await execute(script(failure(503)), { beforeSleep, sleep: () => "defer" });
  await execute(script(failure(404)), { beforeSleep });
  assert.deepEqual(order, []);
});

test("a delay of zero costs no timer tick", async () => {
  const policy = new RetryPolicy({ strategy: backoff.constant(0), maxAttempts: 200 });
  const timed = async (body) => {
    const started = Date.now();
    await body();
    return Date.now() - started;
  };
  const delays = await timed(() => policy.execute(script(failure(503))));
  const ticks = await timed(async () => {
    for (let n = 1; n < 200; n += 1) await new Promise((resolve) => setTimeout(resolve, 1));
  });
  assert.isBelow(delays, ticks);
});

test("between two attempts without a delay an outer time-out and a signal have their turn", async () => {
  for (const options of [undefined, { onEvent: () => {} }]) {
    const policy = new RetryPolicy({ strategy: backoff.constant(0), maxAttempts: 2 ** 32 - 1, deadlineMs: null });
    let isOver = false;
    setTimeout(() => (isOver = true), 1);
    const operation = () => {
      if (isOver) return "had its turn";
      throw failure(503);
    };
    assert.equal(await policy.call(operation, options), "had its turn");

    const controller = new AbortController();
    setTimeout(() => controller.abort("enough"), 1);
    const endless = () => Promise.reject(failure(503));
    const { signal } = controller;
    assert.equal(await policy.call(endless, { ...options, signal }).catch((reason) => reason), "enough");
  }
});

test("without a delay, fifty attempts are the most before everything else has its turn", async ({ runtime }) => {
  const policy = new RetryPolicy({ strategy: backoff.constant(0), maxAttempts: 1_000, deadlineMs: null });
  let sinceTurn = 0;
  let most = 0;
  let isOver = false;
  // In workerd messages come before anything else.
  const turn = runtime === "workerd" ? () => scheduler.wait(0) : settle;
  const turns = async () => {
    while (!isOver) {
      await turn();
      sinceTurn = 0;
    }
  };
  const turning = turns();
  await policy.execute(() => {
    sinceTurn += 1;
    most = Math.max(most, sinceTurn);
    throw failure(503);
  });
  isOver = true;
  await turning;
  assert.isAtMost(most, 150);
});

test("a delay before the first attempt takes its part of the deadline, and ends with an abort", async () => {
  const { execute, time } = stage({ retry: { strategy: backoff.constant(5), initialDelayMs: 100, deadlineMs: 1_000 } });
  const left = [];
  const outcome = await execute(({ attempt, remainingMs }) => {
    left.push(remainingMs);
    if (attempt === 1) throw failure(503);
  });
  assert.deepEqual([outcome.ok, outcome.attempts, time.sleeps, left], [true, 2, [100, 5], [900, 895]]);
  const late = stage({ retry: { strategy: backoff.constant(5), initialDelayMs: 100, deadlineMs: 50 } });
  const stopped = await late.execute(script(1));
  assert.deepEqual([stopped.stopReason, stopped.attempts], ["DEADLINE_EXCEEDED", 0]);
  const controller = new AbortController();
  const policy = new RetryPolicy({ strategy: backoff.constant(5), initialDelayMs: 3_600_000, deadlineMs: null });
  const pending = policy.execute(script(1), { signal: controller.signal });
  controller.abort("enough");
  assert.deepEqual([(await pending).stopReason, (await pending).attempts], ["ABORTED", 0]);
});

test("a real delay is as long as it says", async () => {
  const policy = new RetryPolicy({ strategy: backoff.constant(60) });
  const started = Date.now();
  await policy.call(script(failure(503), 1));
  assert.isAtLeast(Date.now() - started, 55);
});

test("timers are taken from the globals when they are needed, so fake timers work", async () => {
  const policy = new RetryPolicy({ strategy: backoff.constant(60_000), deadlineMs: null });
  const kept = globalThis.setTimeout;
  let waited;
  globalThis.setTimeout = (run, ms, ...words) => {
    waited = ms;
    return kept(run, 0, ...words);
  };
  try {
    assert.equal(await policy.call(script(failure(503), "value")), "value");
  } finally {
    globalThis.setTimeout = kept;
  }
  assert.equal(waited, 60_000);
});

test("a delay longer than a timer can be is waited for in full", async () => {
  const month = 31 * 24 * 3_600_000;
  const policy = new RetryPolicy({ strategy: backoff.constant(month), deadlineMs: null });
  const kept = globalThis.setTimeout;
  const waits = [];
  globalThis.setTimeout = (run, ms, ...words) => {
    waits.push(ms);
    return kept(run, 0, ...words);
  };
  try {
    await policy.call(script(failure(503), 1));
  } finally {
    globalThis.setTimeout = kept;
  }
  assert.isAtMost(Math.max(...waits), 2 ** 31 - 1);
  assert.equal(
    waits.reduce((sum, ms) => sum + ms, 0),
    month,
  );
});

describe("attempt timeout");

test("an attempt over time fails as TRANSIENT, is aborted and retried", async () => {
  const reasons = [];
  const { execute } = stage({ retry: { strategy, attemptTimeoutMs: 20, maxAttempts: 2, clock: undefined } });
  const outcome = await execute(({ signal }) => {
    signal.addEventListener("abort", () => reasons.push(signal.reason));
    return new Promise(() => {});
  });
  assert.equal(outcome.attempts, 2);
  assert.equal(outcome.lastClass, "TRANSIENT");
  assert.equal(outcome.error.name, "TimeoutError");
  assert.deepEqual(
    reasons.map((reason) => reason.name),
    ["TimeoutError", "TimeoutError"],
  );
});

test("a result after the timeout is ignored, and a late rejection is no unhandled one", async () => {
  const late = [];
  const policy = new RetryPolicy({ strategy: backoff.constant(0), attemptTimeoutMs: 10, maxAttempts: 2 });
  const value = await policy.call(({ attempt }) =>
    attempt === 1 ? new Promise((resolve, reject) => late.push(resolve, reject)) : "second",
  );
  assert.equal(value, "second");
  late[0]("first");
  late[1](new Error("late"));
  await settle();
});

test("an attempt learns what is left, and its timeout is never longer than the deadline", async () => {
  const left = [];
  const { execute, time } = stage({ retry: { strategy, deadlineMs: 1_000, maxAttempts: 3 } });
  await execute(({ remainingMs }) => {
    left.push(remainingMs);
    time.advance(100);
    throw failure(503);
  });
  assert.deepEqual(left, [1_000, 890, 780]);

  const policy = new RetryPolicy({ strategy, attemptTimeoutMs: 60_000, deadlineMs: 30 });
  const started = Date.now();
  const outcome = await policy.execute(() => new Promise(() => {}));
  assert.isBelow(Date.now() - started, 10_000);
  assert.equal(outcome.ok, false);
});

test("an attempt has a signal of its own only where it is needed, and it is the same in an attempt", async () => {
  const policy = new RetryPolicy({ strategy });
  await policy.call((attempt) => {
    assert.instanceOf(attempt.signal, AbortSignal);
    assert.strictEqual(attempt.signal, attempt.signal);
    assert.isFalse(attempt.signal.aborted);
  });
  const kept = globalThis.AbortController;
  let made = 0;
  globalThis.AbortController = class extends kept {
    constructor() {
      super();
      made += 1;
    }
  };
  try {
    for (let n = 0; n < 10; n += 1) await policy.call(() => 1);
  } finally {
    globalThis.AbortController = kept;
  }
  assert.equal(made, 0);
});
