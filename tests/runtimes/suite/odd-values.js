// Values that misbehave: an outcome all the same, never a synchronous throw or a call that never ends.

import { backoff, CircuitBreaker, Policy, retry } from "redress";
import { assert, describe, rejection, test } from "./harness.js";
import { failure, script, stage } from "./stage.js";

describe("odd values");

const strategy = backoff.constant(0);

function revoked() {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

test("a proxy that was revoked is a value, or an error of class UNKNOWN", async () => {
  const { policy, breaker } = stage({ retry: { strategy, maxUnknownAttempts: 1 }, breaker: {} });
  const returned = await policy.execute(() => revoked());
  assert.isTrue(returned.ok);
  const thrown = await policy.execute(() => {
    throw revoked();
  });
  assert.equal(thrown.lastClass, "UNKNOWN");
  assert.equal(thrown.attempts, 2);
  assert.instanceOf(await rejection(policy.call(() => revoked())), TypeError);
  assert.equal(breaker.state, "closed");
});

test("a class that extends Promise and breaks in its constructor fails the attempt", async () => {
  class Odd extends Promise {
    constructor(executor, isMine) {
      if (isMine !== true) throw new Error("not mine");
      super(executor);
    }
  }
  const { policy } = stage({ retry: { strategy, maxUnknownAttempts: 0 }, breaker: {} });
  const outcome = await policy.execute(() => new Odd((resolve) => resolve(1), true));
  assert.equal(outcome.error.message, "not mine");
  assert.equal(outcome.stopReason, "MAX_UNKNOWN_ATTEMPTS");
});

test("a thenable that resolves to a promise which never settles ends with the attempt's time", async () => {
  const policy = new Policy({ retry: { strategy, maxAttempts: 1, attemptTimeoutMs: 5 } });
  const endless = { then: (resolve) => resolve(new Promise(() => {})) };
  assert.equal((await rejection(policy.call(() => endless))).name, "TimeoutError");
});

test("an error whose type has a name that is no text is UNKNOWN, and frozen ones and getters stay as they are", async () => {
  const { policy } = stage({ retry: { strategy, maxUnknownAttempts: 0 } });
  const odd = Object.assign(Object.create({ constructor: { name: { toString: null } } }), { message: "odd" });
  const frozen = Object.freeze(failure(503));
  const getter = {
    get status() {
      throw new Error("no");
    },
  };
  for (const [error, expected] of [
    [odd, "UNKNOWN"],
    [frozen, "SERVER_ERROR"],
    [getter, "UNKNOWN"],
  ]) {
    const own = await policy.execute(() => {
      throw error;
    });
    assert.equal(own.lastClass, expected);
    assert.strictEqual(own.error, error);
  }
});

test("a key on Object.prototype breaks no options", async () => {
  Object.prototype.foreign = () => "foreign";
  try {
    const circuitBreaker = new CircuitBreaker({ failureThreshold: 2 });
    const policy = new Policy({ retry: { strategy, strategies: { TRANSIENT: strategy } }, circuitBreaker });
    assert.equal(await policy.call(script(failure(503), 1), { operation: "named" }), 1);
  } finally {
    delete Object.prototype.foreign;
  }
});

test("after dispose a call rejects, and throws nothing at once", async () => {
  const policy = new Policy({ retry: { strategy } });
  policy.dispose();
  for (const run of ["call", "execute"]) assert.match((await rejection(policy[run](() => 1))).message, /disposed/);
});

test("null and Infinity are no limit, alike", async () => {
  for (const none of [null, Infinity]) {
    const growing = backoff.exponential({ baseMs: 1, maxMs: none });
    const limits = { maxAttempts: none, deadlineMs: none, attemptTimeoutMs: none, maxUnknownAttempts: none };
    const { policy, time } = stage({ retry: { strategy: growing, ...limits } });
    const operation = script(...Array.from({ length: 30 }, () => failure(503)), "value");
    assert.equal(await policy.call(operation), "value");
    assert.equal(time.sleeps.at(-1), 2 ** 29);
    assert.equal(await policy.call(script(failure(503), 1), { deadlineMs: none }), 1);
  }
});

test("retry runs an operation at once, with nothing configured or with options", async () => {
  const seen = [];
  const value = await retry(({ attempt }) => {
    seen.push(attempt);
    return "value";
  });
  assert.equal(value, "value");
  assert.deepEqual(seen, [1]);
  const controller = new AbortController();
  const options = { strategy, maxAttempts: 2, signal: controller.signal };
  const operation = script(failure(503));
  assert.equal((await rejection(retry(operation, options))).status, 503);
  assert.equal(operation.calls, 2);
  controller.abort("enough");
  assert.equal(await rejection(retry(operation, options)), "enough");
  assert.match((await rejection(retry(operation, { strategi: 1 }))).message, /^retry\.strategi is no option/);
});
