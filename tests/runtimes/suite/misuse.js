// Bad input is refused where it is written, naming path, value and range.

import { Budget, CircuitBreaker, Policy, Retry, backoff, rateOfCalls, rateOverTime } from "redress";
import { assert, describe, test, thrown } from "./harness.js";

describe("bad input");

const strategy = backoff.constant(1);
const retry = (more) => () => new Policy({ retry: { strategy, ...more } });

const TABLE = [
  [retry({ maxAttempts: 0 }), "retry.maxAttempts", "0"],
  [retry({ maxAttempts: -1 }), "retry.maxAttempts", "-1"],
  [retry({ maxAttempts: 1.5 }), "retry.maxAttempts", "1.5"],
  [retry({ maxAttempts: NaN }), "retry.maxAttempts", "NaN"],
  [retry({ maxAttempts: Infinity }), "retry.maxAttempts", "Infinity"],
  [retry({ maxAttempts: "4" }), "retry.maxAttempts", "4"],
  [retry({ maxAttempts: null }), "retry.maxAttempts", "null"],
  [retry({ deadlineMs: -1 }), "retry.deadlineMs", "-1"],
  [retry({ deadlineMs: NaN }), "retry.deadlineMs", "NaN"],
  [retry({ deadlineMs: "60s" }), "retry.deadlineMs", "60s"],
  [retry({ attemptTimeoutMs: 0 }), "retry.attemptTimeoutMs", "0"],
  [retry({ attemptTimeoutMs: -5 }), "retry.attemptTimeoutMs", "-5"],
  [retry({ maxUnknownAttempts: -1 }), "retry.maxUnknownAttempts", "-1"],
  [retry({ perClassMaxAttempts: { RATE_LIMIT: -1 } }), "retry.perClassMaxAttempts.RATE_LIMIT", "-1"],
  [retry({ perClassMaxAttempts: { RATELIMIT: 1 } }), "retry.perClassMaxAttempts", "RATELIMIT"],
  [retry({ strategies: { TRANSIENTS: strategy } }), "retry.strategies", "TRANSIENTS"],
  [retry({ strategy: 7 }), "retry.strategy", "7"],
  [retry({ classifier: "http" }), "retry.classifier", "http"],
  [retry({ maxAttemps: 3 }), "retry.maxAttemps", "maxAttempts"],
  [() => new CircuitBreaker({ window: { kind: "calls", size: 10, rate: 0.5, minCalls: 2 } }), "circuitBreaker.window", "rateOfCalls"],
  [() => new CircuitBreaker({ window: rateOfCalls({ size: 2_000, rate: 0.5, minCalls: 2 }) }), "circuitBreaker.window.size", "2000"],
  [() => new CircuitBreaker({ window: rateOfCalls({ size: 10, rate: 0.5, minCalls: 11 }) }), "circuitBreaker.window.minCalls", "11"],
  [() => new CircuitBreaker({ window: rateOverTime({ ms: 1, rate: 2, minCalls: 1 }) }), "circuitBreaker.window.rate", "2"],
  [() => new Policy({ retries: {} }), "retries", "retry"],
  [() => new Policy({ circuitBreaker: {} }), "circuitBreaker", ""],
  [() => new Policy(null), "", "null"],
  [() => new Policy("x"), "", "x"],
  [() => new CircuitBreaker({ failureThreshold: "5" }), "failureThreshold", "5"],
  [() => new CircuitBreaker({ failureTreshold: 5 }), "failureTreshold", "failureThreshold"],
  [() => new CircuitBreaker({ windowMs: Infinity }), "windowMs", "Infinity"],
  [() => new Budget({}), "maxRetries", ""],
  [() => new Budget({ ratio: 2 }), "ratio", "2"],
  [() => backoff.decorrelatedJitter({ baseMs: -1 }), "baseMs", "-1"],
  [() => backoff.equalJitter({ base: 1 }), "base", "baseMs"],
  [() => backoff.constant(NaN), "", "NaN"],
];

for (const [build, path, value] of TABLE) {
  const source = String(build).replace(/^\(\) => /, "");
  test(`${path || source} = ${value || "wrong"} is refused when it is built`, () => {
    const error = thrown(build);
    assert.isTrue(error instanceof TypeError || error instanceof RangeError, String(error));
    assert.include(error.message, path);
    assert.include(error.message, value);
  });
}

test("what is called must be a function", async () => {
  const policy = new Policy({ retry: { strategy } });
  for (const operation of [undefined, null, "fn", {}, Promise.resolve(1)]) {
    const error = await policy.call(operation).catch((why) => why);
    assert.instanceOf(error, TypeError);
  }
});

test("unknown options of a call are refused by name", async () => {
  const policy = new Policy({ retry: { strategy } });
  const error = await policy.call(() => 1, { singal: null }).catch((why) => why);
  assert.instanceOf(error, TypeError);
  assert.include(error.message, "singal");
});

test("a Retry may be shared by policies, and a wrong one is named", () => {
  const shared = new Retry({ strategy });
  new Policy({ retry: shared });
  new Policy({ retry: shared });
  assert.include(thrown(() => new Policy({ retry: 7 })).message, "retry");
});
