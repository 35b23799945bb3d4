// The deadline ends an attempt that is in flight, in every driver that can.

import { backoff, begin, CircuitBreaker, callSync, context, Policy, RetryPolicy } from "redress";
import { assert, describe, rejection, settle, test } from "./harness.js";
import { failure, stage } from "./stage.js";

const strategy = backoff.constant(0);
/** Takes so long that a timer has been made; its own is not counted. */
const takesLong = () => new Promise((resolve) => setTimeout(resolve, 10, "done"));
const hangs = () => new Promise(() => {});

/** Counts the timers that are made and that run at once, while `body` runs. */
async function timers(body) {
  const kept = { setTimeout, clearTimeout };
  const running = new Set();
  const seen = { made: 0, most: 0 };
  globalThis.setTimeout = (run, ms, ...more) => {
    if (more.length > 0) return kept.setTimeout.call(globalThis, run, ms, ...more);
    const fires = () => {
      running.delete(timer);
      run();
    };
    const timer = kept.setTimeout.call(globalThis, fires, ms);
    running.add(timer);
    seen.made += 1;
    seen.most = Math.max(seen.most, running.size);
    return timer;
  };
  globalThis.clearTimeout = (timer) => {
    running.delete(timer);
    kept.clearTimeout.call(globalThis, timer);
  };
  try {
    await body();
  } finally {
    Object.assign(globalThis, kept);
  }
  return { ...seen, left: running.size };
}

/** The drivers that end an attempt: the one without listeners, and the other with a listener or a signal. */
const DRIVERS = {
  "a plain call": (policy, operation) => policy.call(operation),
  "a call with a listener": (policy, operation) => policy.call(operation, { onEvent: () => {} }),
  "a call with a signal": (policy, operation) => policy.call(operation, { signal: new AbortController().signal }),
};

describe("deadline");

for (const [name, run] of Object.entries(DRIVERS)) {
  test(`${name} ends at the deadline with an attempt in flight, whose signal is aborted`, async () => {
    const policy = new RetryPolicy({ strategy, deadlineMs: 20, maxUnknownAttempts: null });
    let reason;
    let attempts = 0;
    const error = await rejection(
      run(policy, ({ signal }) => {
        attempts += 1;
        signal.addEventListener("abort", () => (reason = signal.reason));
        return hangs();
      }),
    );
    assert.equal(error.name, "TimeoutError");
    assert.strictEqual(reason, error);
    assert.equal(attempts, 1);
  });

  test(`${name} ends a later attempt with what is left of the deadline`, async () => {
    const { policy, time } = stage({ retry: { strategy, deadlineMs: 40, attemptTimeoutMs: 15, sleeper: undefined } });
    const left = [];
    const error = await rejection(
      run(policy, ({ remainingMs, signal }) => {
        left.push(remainingMs);
        signal.addEventListener("abort", () => time.advance(30));
        return hangs();
      }),
    );
    assert.equal(error.name, "TimeoutError");
    assert.include(error.message, "10 ms");
    assert.deepEqual(left, [40, 10]);
  });

  test(`${name} takes what an attempt returned before its time was over, however late it is looked at`, async () => {
    const { policy, time } = stage({ retry: { strategy, deadlineMs: 20, sleeper: undefined } });
    assert.equal(await run(policy, async () => (time.advance(50), "late")), "late");
    assert.equal(await run(policy, () => (time.advance(50), "late")), "late");
    const error = failure(503);
    assert.strictEqual(await rejection(run(policy, () => (time.advance(50), Promise.reject(error)))), error);
  });
}

test("an attempt that the deadline ends is TRANSIENT, and the call DEADLINE_EXCEEDED", async () => {
  const policy = new RetryPolicy({ strategy, deadlineMs: 10 });
  const events = [];
  const ends = [];
  const outcome = await policy.execute(hangs, {
    onEvent: (event) => events.push(event),
    onAttemptEnd: (end) => ends.push(end),
  });
  assert.deepEqual(
    [outcome.stopReason, outcome.lastClass, outcome.cause, outcome.attempts],
    ["DEADLINE_EXCEEDED", "TRANSIENT", "exception", 1],
  );
  assert.equal(outcome.nextSleepMs, null);
  assert.deepEqual(
    events.map(({ event, err }) => [event, err]),
    [["deadline_exceeded", "TimeoutError"]],
  );
  assert.deepEqual(
    ends.map(({ decision, class: name }) => [decision, name]),
    [["raise", "TRANSIENT"]],
  );
});

test("a result after the deadline is ignored, and a late rejection is no unhandled one", async () => {
  const late = [];
  const policy = new RetryPolicy({ strategy, deadlineMs: 10 });
  await rejection(policy.call(() => new Promise((_resolve, reject) => late.push(reject))));
  late[0](new Error("late"));
  await settle();
});

test("an operation is called first, also where no time is left at all", async () => {
  const policy = new RetryPolicy({ strategy, deadlineMs: 0 });
  assert.equal(await policy.call(() => "value"), "value");
  assert.equal(await policy.call(async () => "value"), "value");
  assert.equal((await policy.execute(hangs)).stopReason, "DEADLINE_EXCEEDED");
});

test("an attempt that returns a value makes no timer, and one in flight a single one", async () => {
  const policy = new RetryPolicy({ strategy, attemptTimeoutMs: 30_000 });
  const none = await timers(async () => {
    await policy.call(() => 1);
    await policy.execute(() => 1);
    await policy.call(async () => 1);
    await policy.call(async () => 1, { signal: new AbortController().signal });
  });
  assert.deepEqual(none, { made: 0, most: 0, left: 0 });
  const single = await timers(async () => {
    await policy.call(takesLong);
    await policy.execute(takesLong, { signal: new AbortController().signal });
  });
  assert.deepEqual(single, { made: 2, most: 1, left: 0 });
});

test("calls of a policy share a timer, which is stopped with the last of them", async ({ runtime }) => {
  const policy = new RetryPolicy({ strategy, deadlineMs: 60_000 });
  const ends = [];
  const seen = await timers(async () => {
    const calls = Array.from({ length: 100 }, () => policy.call(() => new Promise((end) => ends.push(end))));
    await takesLong();
    for (const end of ends) end();
    await Promise.all(calls);
  });
  // A worker's timers end with the request that made them.
  assert.deepEqual(seen, runtime === "workerd" ? { made: 100, most: 100, left: 0 } : { made: 1, most: 1, left: 0 });
});

test("each of them ends at its own time", async () => {
  // On a clock that stands still the timers alone tell the time, however long a turn takes.
  const policy = new RetryPolicy({ strategy, deadlineMs: 80, clock: () => 0 });
  const order = [];
  const one = (name, options) =>
    policy.execute(hangs, options).then(({ stopReason }) => order.push([name, stopReason]));
  const calls = [one("long"), one("longest", { deadlineMs: 120 }), one("short", { deadlineMs: 20 })];
  await settle();
  calls.push(one("late", { deadlineMs: 50 }));
  await Promise.all(calls);
  assert.deepEqual(
    order,
    ["short", "late", "long", "longest"].map((name) => [name, "DEADLINE_EXCEEDED"]),
  );
});

test("a deadline longer than a timer can be is waited for in parts", async () => {
  const kept = globalThis.setTimeout;
  const waits = [];
  const month = 31 * 24 * 3_600_000;
  const policy = new RetryPolicy({ strategy, deadlineMs: month, clock: () => 0 });
  globalThis.setTimeout = (run, ms, ...more) => {
    if (more.length === 0) waits.push(ms);
    return kept(run, more.length === 0 ? 0 : ms, ...more);
  };
  try {
    assert.equal((await policy.execute(hangs)).stopReason, "DEADLINE_EXCEEDED");
  } finally {
    globalThis.setTimeout = kept;
  }
  assert.isAtMost(Math.max(...waits), 2 ** 31 - 1);
  assert.equal(
    waits.reduce((sum, ms) => sum + ms, 0),
    month,
  );
});

test("a breaker counts an attempt that the policy's deadline ends, and not one that a shorter one of the call alone ends", async () => {
  const results = [];
  const own = {
    admit: () => ({ ok: true, permit: 1, halfOpened: false }),
    settle: (_, result) => void results.push(result),
  };
  for (const [deadlineMs, options, counted] of [
    [10, undefined, true],
    [null, { deadlineMs: 10 }, false],
    [1_000, { deadlineMs: 10 }, false],
    [5, { deadlineMs: 10 }, true],
  ]) {
    const circuitBreaker = new CircuitBreaker({ failureThreshold: 1 });
    const retry = { strategy, deadlineMs };
    const { stopReason } = await new Policy({ circuitBreaker, retry }).execute(hangs, options);
    assert.equal(stopReason, "DEADLINE_EXCEEDED");
    assert.equal(circuitBreaker.state, counted ? "open" : "closed");
    await new Policy({ circuitBreaker: own, retry }).execute(hangs, options);
    assert.equal(results.pop(), counted ? "TRANSIENT" : "cancelled");
  }
});

test("a call has a deadline of its own, longer, shorter or none, in every driver", async () => {
  const { policy, time } = stage({
    retry: { strategy: backoff.constant(100), deadlineMs: 50, longDelay: "cut", maxAttempts: 3 },
  });
  const left = async (options) => {
    const seen = [];
    await policy.execute(({ remainingMs }) => {
      seen.push(remainingMs);
      throw failure(503);
    }, options);
    return seen;
  };
  assert.deepEqual(await left(), [50, 0]);
  assert.deepEqual(await left({ deadlineMs: 120 }), [120, 20, 0]);
  assert.deepEqual(await left({ deadlineMs: null }), [null, null, null]);
  assert.deepEqual(await left({ deadlineMs: undefined }), [50, 0]);
  callSync(policy, ({ remainingMs }) => assert.equal(remainingMs, 7), { deadlineMs: 7 });
  const call = begin(policy, { deadlineMs: 8 });
  assert.deepEqual([call.start().remainingMs, time.sleeps.length > 0], [8, true]);
  call.cancel();
  await context(policy, { deadlineMs: 9 }).call(({ remainingMs }) => assert.equal(remainingMs, 9));
  await new Policy().call(({ remainingMs }) => assert.equal(remainingMs, 10), { deadlineMs: 10 });
});

test("a call that is walked stops with the attempt that the deadline ended", () => {
  const { policy, time } = stage({ retry: { strategy, deadlineMs: 100, attemptTimeoutMs: 80 } });
  const call = begin(policy);
  assert.equal(call.start().timeoutMs, 80);
  time.advance(80);
  assert.isTrue(call.timedOut(new Error("too slow")).retry);
  call.onWake();
  assert.equal(call.start().timeoutMs, 20);
  time.advance(20);
  const { retry, outcome } = call.timedOut(new Error("too slow"));
  assert.deepEqual([retry, outcome.stopReason, outcome.lastClass], [false, "DEADLINE_EXCEEDED", "TRANSIENT"]);
});

test("a final class stays what it is, however late it comes", async () => {
  for (const [status, name] of [
    [401, "AUTH"],
    [403, "PERMISSION"],
    [404, "PERMANENT"],
    [503, "TRANSIENT"],
  ]) {
    const { policy, time } = stage({ retry: { strategy, attemptTimeoutMs: 10, maxAttempts: 1 } });
    const late = () => {
      time.advance(11);
      throw failure(status);
    };
    assert.equal((await policy.execute(late)).lastClass, name);
    const call = begin(policy);
    call.start();
    time.advance(11);
    assert.equal(call.fail(failure(status)).outcome.lastClass, name);
  }
});
