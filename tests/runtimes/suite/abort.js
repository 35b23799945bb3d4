// Aborting a call: signals, predicates, and what is left behind.

import { AbortRetryError, backoff, RetryPolicy } from "redress";
import { assert, describe, rejection, settle, test } from "./harness.js";
import { failure, script, stage } from "./stage.js";

const strategy = backoff.constant(10);

/** A signal that counts its listeners. */
function watched() {
  const controller = new AbortController();
  const { signal } = controller;
  let listeners = 0;
  const { addEventListener, removeEventListener } = signal;
  const known = new Set();
  signal.addEventListener = (type, listener, ...more) => {
    if (!known.has(listener)) listeners += 1;
    known.add(listener);
    return addEventListener.call(signal, type, listener, ...more);
  };
  signal.removeEventListener = (type, listener, ...more) => {
    if (known.delete(listener)) listeners -= 1;
    return removeEventListener.call(signal, type, listener, ...more);
  };
  return { controller, signal, listeners: () => listeners };
}

/** The timers that are running, while `body` runs and after. */
async function countTimers(body) {
  const kept = { setTimeout, clearTimeout, setInterval };
  const running = new Set();
  let intervals = 0;
  let started = 0;
  globalThis.setTimeout = (run, ms, ...more) => {
    started += 1;
    const timer = kept.setTimeout.call(
      globalThis,
      (...words) => {
        running.delete(timer);
        run(...words);
      },
      ms,
      ...more,
    );
    running.add(timer);
    return timer;
  };
  globalThis.clearTimeout = (timer) => {
    running.delete(timer);
    kept.clearTimeout.call(globalThis, timer);
  };
  globalThis.setInterval = (...words) => {
    intervals += 1;
    return kept.setInterval.call(globalThis, ...words);
  };
  try {
    await body();
  } finally {
    Object.assign(globalThis, kept);
  }
  return { started, running: running.size, intervals };
}

describe("abort");

test("a predicate that says so from the start makes no call", async () => {
  const operation = script(1);
  const { execute, call, names } = stage({ retry: { strategy } });
  const outcome = await execute(operation, { abortIf: () => true });
  assert.equal(operation.calls, 0);
  assert.equal(outcome.stopReason, "ABORTED");
  assert.equal(outcome.attempts, 0);
  assert.deepEqual(names(), ["aborted"]);
  assert.instanceOf(await rejection(call(operation, { abortIf: () => true })), AbortRetryError);
});

test("a predicate is asked after a failure, before any sleep", async () => {
  let asked = 0;
  const { execute, time } = stage({ retry: { strategy } });
  const operation = script(failure(503));
  const outcome = await execute(operation, { abortIf: () => ++asked > 1 });
  assert.equal(operation.calls, 1);
  assert.deepEqual(time.sleeps, []);
  assert.equal(outcome.stopReason, "ABORTED");
});

test("a predicate that throws means no, and is reported", async () => {
  const reported = [];
  const abortIf = () => {
    throw new Error("predicate");
  };
  const { policy } = stage({ retry: { strategy } });
  assert.equal(await policy.call(script(1), { abortIf, onHookError: (e) => reported.push(e.message) }), 1);
  assert.isNotEmpty(reported);
});

test("an operation that throws AbortRetryError is not run again", async () => {
  const operation = script(new AbortRetryError("enough"));
  const { execute, call, names } = stage({ retry: { strategy } });
  const outcome = await execute(operation);
  assert.equal(operation.calls, 1);
  assert.equal(outcome.stopReason, "ABORTED");
  assert.deepEqual(names(), ["aborted"]);
  assert.instanceOf(await rejection(call(operation)), AbortRetryError);
});

test("a breaker takes an abort as a cancellation, not as a failure", async () => {
  for (const retry of [undefined, { strategy }]) {
    const { execute, breaker } = stage({ retry, breaker: { failureThreshold: 1 } });
    await execute(script(new AbortRetryError("enough")));
    assert.equal(breaker.state, "closed");
  }
});

test("an abort during an attempt rejects at once with the caller's reason", async () => {
  const reasons = [new Error("mine"), "text", { any: "thing" }, undefined];
  for (const reason of reasons) {
    const controller = new AbortController();
    const { policy } = stage({ retry: { strategy } });
    let calls = 0;
    let inner;
    const pending = policy.call(
      ({ signal }) => {
        calls += 1;
        inner = signal;
        return new Promise(() => {});
      },
      { signal: controller.signal },
    );
    controller.abort(reason);
    const caught = await pending.then(
      () => "a value",
      (why) => why,
    );
    assert.strictEqual(caught, controller.signal.reason);
    assert.isTrue(inner.aborted);
    assert.strictEqual(inner.reason, controller.signal.reason);
    await settle();
    assert.equal(calls, 1);
  }
});

test("a signal that is aborted before makes no call and throws its reason", async () => {
  const { policy, execute } = stage({ retry: { strategy } });
  const operation = script(1);
  const signal = AbortSignal.abort("before");
  const caught = await policy.call(operation, { signal }).catch((reason) => reason);
  assert.equal(caught, "before");
  assert.equal(operation.calls, 0);
  assert.equal((await execute(operation, { signal })).stopReason, "ABORTED");
});

test("a value that was there before the abort is returned", async () => {
  const controller = new AbortController();
  const { policy } = stage({ retry: { strategy } });
  const pending = policy.call(
    async () => {
      queueMicrotask(() => {});
      return "value";
    },
    { signal: controller.signal },
  );
  await pending.then(() => controller.abort("late"));
  assert.equal(await pending, "value");
});

test("an abort during a delay settles at once, and the function is called no more", async () => {
  const controller = new AbortController();
  const policy = new RetryPolicy({ strategy: backoff.constant(60_000), deadlineMs: null });
  const operation = script(failure(503));
  const started = Date.now();
  const pending = policy.call(operation, { signal: controller.signal });
  await settle();
  assert.equal(operation.calls, 1);
  controller.abort("stop");
  assert.equal(await pending.catch((reason) => reason), "stop");
  assert.isBelow(Date.now() - started, 5_000);
  await settle();
  assert.equal(operation.calls, 1);
});

test("the caller's abort during an attempt is not a failure of the operation, also as AbortError", async () => {
  const controller = new AbortController();
  const { policy, breaker } = stage({ retry: { strategy }, breaker: { failureThreshold: 1 } });
  const pending = policy.call(
    ({ signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    { signal: controller.signal },
  );
  controller.abort();
  const error = await rejection(pending);
  assert.equal(error.name, "AbortError");
  assert.strictEqual(error, controller.signal.reason);
  assert.equal(breaker.state, "closed");
});

test("the caller's abort after the call still reaches what an attempt began, such as a body that is read", async () => {
  for (const settings of [{}, { deadlineMs: null }, { attemptTimeoutMs: 60_000 }]) {
    const controller = new AbortController();
    let inner;
    const policy = new RetryPolicy({ strategy, ...settings });
    assert.equal(await policy.call(async ({ signal }) => ((inner = signal), 1), { signal: controller.signal }), 1);
    assert.isFalse(inner.aborted);
    controller.abort("later");
    assert.deepEqual([inner.aborted, inner.reason], [true, "later"]);
  }
});

test("no listener is left on the signal, for no and many retries, success and failure and abort", async () => {
  for (const [operation, maxAttempts] of [
    [script(1), 1],
    [script(failure(503), failure(503), 1), 5],
    [script(failure(503)), 4],
    [script(failure(404)), 4],
  ]) {
    const { signal, listeners } = watched();
    const policy = new RetryPolicy({ strategy: backoff.constant(1), maxAttempts, attemptTimeoutMs: 5_000 });
    await policy.execute(operation, { signal });
    assert.equal(listeners(), 0);
  }
  const { signal, listeners, controller } = watched();
  const policy = new RetryPolicy({ strategy: backoff.constant(60_000), deadlineMs: null });
  const pending = policy.execute(script(failure(503)), { signal });
  await settle();
  controller.abort();
  await pending;
  assert.equal(listeners(), 0);
});

test("no timer is left behind by success, failure, timeout or abort", async () => {
  const counts = await countTimers(async () => {
    const policy = new RetryPolicy({ strategy: backoff.constant(2), maxAttempts: 3, attemptTimeoutMs: 60_000 });
    await policy.execute(script(1));
    await policy.execute(script(failure(503)));
    const short = new RetryPolicy({ strategy: backoff.constant(1), maxAttempts: 2, attemptTimeoutMs: 5 });
    await short.execute(() => new Promise(() => {}));
    const controller = new AbortController();
    const long = new RetryPolicy({ strategy: backoff.constant(60_000), deadlineMs: null, attemptTimeoutMs: 60_000 });
    const pending = long.execute(script(failure(503)), { signal: controller.signal });
    await settle();
    controller.abort();
    await pending;
  });
  assert.isAbove(counts.started, 0);
  assert.equal(counts.running, 0);
  assert.equal(counts.intervals, 0);
});

test("success, zero delays and rejections make no timer at all", async () => {
  const counts = await countTimers(async () => {
    const policy = new RetryPolicy({ strategy: backoff.constant(0) });
    await policy.call(script(1));
    await policy.call(script(failure(503), failure(503), failure(503), 1));
    const stand = stage({ breaker: { failureThreshold: 1 } });
    await stand.execute(script(failure(503)));
    await stand.execute(script(1));
    for (let n = 0; n < 100; n += 1) stage({ breaker: {} });
  });
  assert.deepEqual(counts, { started: 0, running: 0, intervals: 0 });
});

test("twenty thousand calls leave nothing on the signal they share", async () => {
  const { signal, listeners } = watched();
  const policy = new RetryPolicy({ strategy: backoff.constant(0), maxAttempts: 2 });
  const operation = async () => 1;
  for (let n = 0; n < 20_000; n += 1) await policy.call(operation, { signal });
  assert.equal(listeners(), 0);
});
