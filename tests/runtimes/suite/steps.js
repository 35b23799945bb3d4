// A call that is walked step by step, by a loop of one's own.

import { AbortRetryError, backoff, begin, CircuitOpenError, Policy, RetryExhaustedError, RetryPolicy } from "redress";
import { FakeCircuitBreaker } from "redress/testing";
import { assert, describe, test, thrown } from "./harness.js";
import { failure, stage } from "./stage.js";
import { runEngine } from "./vectors/vectors.js";

const strategy = backoff.constant(10);

/** The loop that a program would write, with everything that an outcome tells. */
async function walk(policy, operation, options) {
  let call;
  try {
    call = begin(policy, options);
  } catch (error) {
    return { ok: false, error };
  }
  while (call.outcome === undefined) {
    try {
      const attempt = call.start();
      await attempted(policy, call, () => operation(attempt));
      if (call.outcome === undefined) call.onWake();
    } catch (error) {
      assert.strictEqual(error, call.outcome?.error);
    }
  }
  return call.outcome;
}

async function attempted(policy, call, operation) {
  let value;
  try {
    value = await operation();
  } catch (error) {
    return call.fail(error);
  }
  const verdict = policy.retry.config.resultClassifier(value);
  return verdict === null ? call.succeed(value) : call.failByValue(value, verdict);
}

describe("steps");

test("every scenario of engine.json, walked step by step, has the digest of the host", async ({ base }) => {
  const read = async (file) => (await fetch(`${base}/${file}`)).json();
  const { passed, failures, digest } = await runEngine(await read("vectors/engine.json"), walk);
  assert.equal(failures.length, 0, failures.slice(0, 5).join("\n"));
  assert.isAbove(passed, 500);
  assert.equal(digest, (await read("host.json")).digest);
});

test("an attempt knows what is left and how long it may take; a delay is waited for by the caller", () => {
  const { policy, time } = stage({ retry: { strategy, deadlineMs: 1_000, attemptTimeoutMs: 400 } });
  const call = begin(policy, { operation: "read" });
  assert.deepEqual(call.start(), { attempt: 1, operation: "read", remainingMs: 1_000, timeoutMs: 400 });
  time.advance(100);
  assert.deepEqual(call.fail(failure(503)), { retry: true, sleepMs: 10 });
  assert.deepEqual(time.sleeps, []);
  time.advance(700);
  call.onWake();
  assert.deepEqual(call.start(), { attempt: 2, operation: "read", remainingMs: 200, timeoutMs: 200 });
  assert.equal(call.outcome, undefined);
  const outcome = call.succeed("value");
  assert.deepEqual([outcome.ok, outcome.value, outcome.attempts, outcome.elapsedMs], [true, "value", 2, 800]);
  assert.strictEqual(call.outcome, outcome);

  const unlimited = begin(new RetryPolicy({ strategy, deadlineMs: null }));
  const { remainingMs, timeoutMs } = unlimited.start();
  assert.deepEqual([remainingMs, timeoutMs], [null, null]);
  unlimited.cancel();
});

test("a failure after the attempt's time is TRANSIENT, and so is one that is said to be late", () => {
  const { policy, time } = stage({ retry: { strategy, attemptTimeoutMs: 400 } });
  const late = begin(policy);
  late.start();
  time.advance(401);
  assert.isTrue(late.fail(failure()).retry);
  assert.equal(late.onSleepDecision("abort").outcome.lastClass, "TRANSIENT");
  const stopped = begin(policy);
  stopped.start();
  const error = new Error("too slow");
  assert.isTrue(stopped.timedOut(error).retry);
  const { outcome } = stopped.onSleepDecision("abort");
  assert.deepEqual([outcome.stopReason, outcome.lastClass, outcome.lastError], ["ABORTED", "TRANSIENT", error]);
});

test("a decision that is not to retry ends the call with its outcome", () => {
  const { policy, events } = stage({ retry: { strategy } });
  const onEvent = (event) => events.push(event);
  const error = failure(404);
  const call = begin(policy, { onEvent });
  call.start();
  const { retry, outcome } = call.fail(error);
  assert.deepEqual([retry, outcome.stopReason, outcome.attempts], [false, "NON_RETRYABLE_CLASS", 1]);
  assert.strictEqual(outcome.error, error);
  assert.deepEqual(
    events.map(({ event }) => event),
    ["permanent_fail"],
  );
  const byValue = begin(policy);
  byValue.start();
  const ended = byValue.failByValue({ status: "gone" }, { class: "PERMANENT" });
  assert.instanceOf(ended.outcome.error, RetryExhaustedError);
  assert.deepEqual(ended.outcome.lastResult, { status: "gone" });
});

test("a deadline that passed during the delay is thrown as call throws it", () => {
  const { policy, time } = stage({ retry: { strategy, deadlineMs: 100 } });
  const call = begin(policy);
  call.start();
  const error = failure(503);
  call.fail(error);
  time.advance(101);
  assert.strictEqual(
    thrown(() => call.onWake()),
    error,
  );
  assert.equal(call.outcome.stopReason, "DEADLINE_EXCEEDED");
});

test("a retry may be deferred or aborted after it was decided, by the handler or later", () => {
  const { policy } = stage({ retry: { strategy } });
  for (const [options, choose] of [
    [{ sleep: () => "defer" }, undefined],
    [{}, "defer"],
  ]) {
    const call = begin(policy, options);
    call.start();
    const decision = call.fail(failure(503));
    const { outcome } = choose === undefined ? decision : call.onSleepDecision(choose);
    assert.deepEqual([outcome.stopReason, outcome.nextSleepMs], ["SCHEDULED", 10]);
  }
  const call = begin(policy);
  call.start();
  call.fail(failure(503));
  assert.deepEqual(call.onSleepDecision("sleep"), { retry: true, sleepMs: 10 });
  assert.match(thrown(() => call.onSleepDecision("maybe")).message, /"maybe" is not "sleep", "defer" or "abort"/);
  call.onWake();
  assert.equal(call.start().attempt, 2);
  call.cancel();
});

test("an abort ends it: by signal or predicate at the next step, by hand, by the operation's error", () => {
  const { policy } = stage({ retry: { strategy } });
  const controller = new AbortController();
  const bySignal = begin(policy, { signal: controller.signal });
  bySignal.start();
  controller.abort(new Error("enough"));
  assert.equal(bySignal.fail(failure(503)).outcome.error.message, "enough");
  assert.equal(bySignal.outcome.stopReason, "ABORTED");

  const byPredicate = begin(policy, { abortIf: () => true });
  assert.instanceOf(
    thrown(() => byPredicate.start()),
    AbortRetryError,
  );
  assert.equal(byPredicate.outcome.attempts, 0);

  const byHand = begin(policy);
  byHand.start();
  const reason = new Error("shutting down");
  assert.strictEqual(byHand.abort(reason).error, reason);

  const byOperation = begin(policy);
  byOperation.start();
  const stop = new AbortRetryError("no use");
  assert.strictEqual(byOperation.fail(stop).outcome.error, stop);
});

test("an open breaker throws from begin; cancel and using free a probe's place", async () => {
  const { policy, breaker, time } = stage({ breaker: { failureThreshold: 1, recoveryTimeoutMs: 50 } });
  const first = begin(policy);
  first.start();
  first.fail(failure(503));
  const error = thrown(() => begin(policy));
  assert.instanceOf(error, CircuitOpenError);
  assert.equal(error.retryAfterMs, 50);
  time.advance(50);
  const dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");
  for (const end of [(call) => call.cancel(), (call) => call[dispose]()]) {
    const probe = begin(policy);
    probe.start();
    assert.equal(thrown(() => begin(policy)).state, "half_open");
    end(probe);
    end(probe);
    assert.equal(probe.outcome, undefined);
  }
  const probe = begin(policy);
  probe.start();
  probe.succeed(1);
  assert.equal(breaker.state, "closed");
});

test("a breaker and a budget of one's own are asked, and must answer at once", () => {
  const circuit = new FakeCircuitBreaker(["allow", "reject"]);
  const budget = { consume: () => false };
  const policy = new Policy({ circuitBreaker: circuit, retry: { strategy, budget } });
  const call = begin(policy);
  call.start();
  assert.equal(call.fail(failure(503)).outcome.stopReason, "BUDGET_EXHAUSTED");
  assert.deepEqual(circuit.results, ["SERVER_ERROR"]);
  assert.instanceOf(
    thrown(() => begin(policy)),
    CircuitOpenError,
  );
  const slow = new Policy({ circuitBreaker: { admit: async () => ({ ok: true }), settle: () => null } });
  assert.match(thrown(() => begin(slow)).message, /circuitBreaker\.admit: it returned a promise/);
});

test("steps out of order, and after the end, are clear errors that change nothing", () => {
  const { policy } = stage({ retry: { strategy } });
  const call = begin(policy);
  assert.match(thrown(() => call.fail(new Error("x"))).message, /^fail: no attempt is under way/);
  assert.match(thrown(() => call.succeed(1)).message, /^succeed: no attempt is under way/);
  assert.match(thrown(() => call.onWake()).message, /^onWake: no attempt is under way/);
  call.start();
  assert.match(thrown(() => call.start()).message, /^start: attempt 1 is under way/);
  assert.match(thrown(() => call.failByValue(1, "TRANSIENTS")).message, /"TRANSIENTS" is no class/);
  assert.match(thrown(() => call.failByValue(1, null)).message, /undefined is no class/);
  call.fail(failure(503));
  assert.match(thrown(() => call.start()).message, /^start: a delay was decided/);
  call.onWake();
  call.start();
  call.succeed(1);
  for (const step of ["start", "succeed", "fail", "failByValue", "timedOut", "onSleepDecision", "onWake", "abort"]) {
    assert.equal(thrown(() => call[step](1, "TRANSIENT")).message, `${step}: the call is over`);
  }
  assert.equal(call.outcome.attempts, 2);
  for (const wrong of [undefined, null, 7, {}, () => 1]) {
    assert.match(thrown(() => begin(wrong)).message, /^begin: .* is not a policy$/);
  }
  assert.match(thrown(() => begin(policy, { singal: 1 })).message, /singal/);
});

test("a handler that throws ends the call with that error, its permit cancelled", () => {
  const { policy, breaker } = stage({ retry: { strategy }, breaker: { failureThreshold: 1 } });
  const bug = new Error("handler");
  const call = begin(policy, {
    sleep: () => {
      throw bug;
    },
  });
  call.start();
  assert.strictEqual(
    thrown(() => call.fail(failure(503))),
    bug,
  );
  assert.equal(breaker.state, "closed");
  assert.match(thrown(() => call.onWake()).message, /the call is over/);
});
