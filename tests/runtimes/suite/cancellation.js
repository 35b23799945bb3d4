// Errors of cancellations: who cancelled decides what they are.

import { backoff, callSync } from "redress";
import { assert, describe, rejection, test } from "./harness.js";
import { failure, script, stage } from "./stage.js";

describe("cancellation");

const strategy = backoff.constant(0);

/** As an SDK has it, whose errors say what they are by their class alone; a bundler may rename that here. */
class UserAbort extends Error {
  static name = "APIUserAbortError";
}

/** Errors by which platforms and clients say that the program cancelled. */
const CANCELLED = {
  "an AbortError of the platform": () => new DOMException("aborted", "AbortError"),
  "an error of axios": () => Object.assign(new Error("canceled"), { name: "CanceledError", code: "ERR_CANCELED" }),
  "an error of Node": () => Object.assign(new Error("aborted"), { code: "ABORT_ERR" }),
  "an error of undici": () => Object.assign(new Error("aborted"), { code: "UND_ERR_ABORTED" }),
  "an error of an SDK": () => new UserAbort("aborted"),
};

for (const [what, make] of Object.entries(CANCELLED)) {
  test(`${what} ends the call as ABORTED, and its breaker counts nothing`, async () => {
    const settings = { failureThreshold: 1, tripOn: ["UNKNOWN", "TRANSIENT", "PERMANENT"] };
    const { breaker, execute, names } = stage({ retry: { strategy }, breaker: settings });
    const error = make();
    const operation = script(error);
    const outcome = await execute(operation);
    assert.equal(outcome.stopReason, "ABORTED");
    assert.strictEqual(outcome.error, error);
    assert.equal(operation.calls, 1);
    assert.deepEqual(names(), ["aborted"]);
    assert.equal(breaker.state, "closed");
  });
}

test("with abortErrors classify such an error is one as any other", async () => {
  const { policy } = stage({ retry: { strategy, abortErrors: "classify", maxUnknownAttempts: 1 } });
  const outcome = await policy.execute(script(new DOMException("aborted", "AbortError")));
  assert.equal(outcome.stopReason, "MAX_UNKNOWN_ATTEMPTS");
  assert.equal(outcome.attempts, 2);
});

test("a cancellation by a time-out is TRANSIENT", async () => {
  const { policy } = stage({ retry: { strategy, maxAttempts: 2 } });
  const cause = new DOMException("too long", "TimeoutError");
  const signal = AbortSignal.abort(cause);
  for (const more of [{ cause }, { signal }]) {
    const error = Object.assign(new Error("aborted"), { name: "AbortError" }, more);
    const outcome = await policy.execute(script(error));
    assert.equal(outcome.lastClass, "TRANSIENT");
    assert.equal(outcome.attempts, 2);
  }
});

test("the caller's own abort comes before whatever is thrown, with its own reason", async () => {
  const controller = new AbortController();
  const { execute } = stage({ retry: { strategy } });
  const outcome = await execute(
    () => {
      controller.abort("enough");
      throw new DOMException("aborted", "AbortError");
    },
    { signal: controller.signal },
  );
  assert.equal(outcome.stopReason, "ABORTED");
  assert.equal(outcome.error, "enough");
});

test("an aborted signal comes before an open breaker, and takes no permit", async () => {
  const { breaker, execute, names, time } = stage({ retry: { strategy }, breaker: { recoveryTimeoutMs: 10 } });
  breaker.trip();
  const outcome = await execute(script(1), { signal: AbortSignal.abort("gone") });
  assert.equal(outcome.error, "gone");
  assert.deepEqual(names(), ["aborted"]);
  time.advance(10);
  await execute(script(1), { signal: AbortSignal.abort("gone") });
  assert.equal(breaker.state, "open");
});

test("a hundred calls on one signal have one listener between them", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const added = [];
  const own = signal.addEventListener;
  signal.addEventListener = (type, ...more) => {
    added.push(type);
    return own.call(signal, type, ...more);
  };
  const { policy } = stage({ retry: { strategy } });
  const calls = Array.from({ length: 100 }, () => rejection(policy.call(() => new Promise(() => {}), { signal })));
  assert.deepEqual(added, ["abort"]);
  controller.abort("all");
  assert.deepEqual(new Set(await Promise.all(calls)), new Set(["all"]));
});

test("an abortIf that answers later is refused, and the call goes on", async () => {
  const errors = [];
  const { policy } = stage({ retry: { strategy } });
  const options = { abortIf: async () => true, onHookError: ({ message }) => errors.push(message) };
  assert.equal(await policy.call(script(failure(503), 1), options), 1);
  assert.match(errors[0], /^abortIf: it returned a promise/);
  assert.equal(
    callSync(policy, () => 2, options),
    2,
  );
});
