// State comes and goes with its objects.

import { Budget, backoff, CircuitBreaker, Policy, RetryPolicy } from "redress";
import { assert, describe, rejection, test, thrown } from "./harness.js";
import { failure, script } from "./stage.js";

describe("lifecycle");

const strategy = backoff.constant(0);

test("policies made and dropped by the hundred thousand still work afterwards", async () => {
  const kept = new CircuitBreaker({ failureThreshold: 2 });
  const policy = new Policy({ circuitBreaker: kept });
  await policy.execute(script(failure(503)));
  for (let n = 0; n < 100_000; n += 1) {
    void new Policy({ retry: { strategy }, circuitBreaker: new CircuitBreaker() });
    if (n % 10_000 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
  }
  assert.equal(kept.state, "closed");
  await policy.execute(script(failure(503)));
  assert.equal(kept.state, "open");
});

test("a thousand breakers keep their own states", async () => {
  const breakers = Array.from({ length: 1_000 }, () => new CircuitBreaker({ failureThreshold: 1 }));
  for (const [n, circuitBreaker] of breakers.entries()) {
    if (n % 3 === 0) await new Policy({ circuitBreaker }).execute(script(failure(503)));
  }
  breakers.forEach((breaker, n) => assert.equal(breaker.state, n % 3 === 0 ? "open" : "closed"));
});

test("what is disposed of says so when it is used", async () => {
  const breaker = new CircuitBreaker();
  const policy = new Policy({ circuitBreaker: breaker });
  breaker.dispose();
  breaker.dispose();
  assert.match((await rejection(policy.call(script(1)))).message, /dispose/);
  assert.match(thrown(() => breaker.state).message, /dispose/);
  const budget = new Budget({ maxRetries: 1, windowMs: 1 });
  budget.dispose();
  assert.match(thrown(() => budget.consume()).message, /dispose/);
});

test("calls in flight at once do not disturb one another", async () => {
  const policy = new RetryPolicy({ strategy, maxAttempts: 5 });
  const outcomes = await Promise.all(
    Array.from({ length: 500 }, (_, n) => {
      const failures = n % 5;
      return policy.execute(script(...Array.from({ length: failures }, () => failure(503)), n));
    }),
  );
  outcomes.forEach((outcome, n) => {
    assert.equal(outcome.value, n);
    assert.equal(outcome.attempts, (n % 5) + 1);
  });
});
