// What crosses into WebAssembly: sizes are checked, nothing that is too long hides what is short, and memory comes back.

import {
  Budget,
  backoff,
  CircuitBreaker,
  classify,
  Keyed,
  KeyedPolicy,
  Policy,
  rateOfCalls,
  restore,
  snapshot,
} from "redress";
import { assert, describe, rejection, test, thrown } from "./harness.js";
import { failure, script } from "./stage.js";

describe("boundary");

const strategy = backoff.constant(0);

test("a snapshot of any length but the right one is refused, and all that lives goes on", async () => {
  const breakers = Array.from({ length: 300 }, () => new CircuitBreaker({ failureThreshold: 1 }));
  const policies = breakers.map(
    (circuitBreaker) => new Policy({ retry: { strategy, maxAttempts: 1 }, circuitBreaker }),
  );
  for (const [n, policy] of policies.entries()) if (n % 2 === 0) await policy.execute(script(failure(503)));
  const budget = new Budget({ maxRetries: 3 });
  for (const state of [
    breakers[0],
    new CircuitBreaker({ window: rateOfCalls({ size: 8, rate: 0.5, minCalls: 2 }) }),
    budget,
  ]) {
    const right = snapshot(state);
    for (const length of [1, right.data.length / 2 - 1, right.data.length / 2 + 1, 70_000, 1_048_576]) {
      const error = thrown(() => restore(state, { ...right, data: "ff".repeat(length) }));
      assert.instanceOf(error, TypeError);
      assert.match(error.message, /snapshot has \d+ bytes: this state needs \d+/);
    }
    restore(state, right);
  }
  breakers.forEach((breaker, n) => assert.equal(breaker.state, n % 2 === 0 ? "open" : "closed"));
  assert.equal(await policies[1].call(script("value")), "value");
  assert.equal(budget.remaining(), 3);
});

const LONG = "it took too long and says so ".repeat(300);

test("a message of any length hides neither the code beside it nor the one at its beginning or end", () => {
  for (const [what, found] of Object.entries({
    sqlstate: classify.sqlstate({ name: "DatabaseError", message: LONG, code: "40001" }),
    "sqlstate as such": classify.sqlstate({ name: "DatabaseError", message: LONG, sqlstate: "40001" }),
    odbc: classify.odbc({ name: "OdbcError", message: LONG, sqlstate: "40001" }),
    "sqlstate at the beginning": classify.sqlstate({ name: "Error", message: `SQLSTATE[40001]: ${LONG}` }),
    "odbc at the end": classify.odbc({ name: "Error", message: `${LONG} [40001]` }),
  })) {
    assert.equal(found.class, "CONCURRENCY", what);
  }
  assert.equal(
    classify.grpc({ grpc: "UNAVAILABLE", message: LONG }).class,
    classify.grpc({ grpc: "UNAVAILABLE", message: "" }).class,
  );
  assert.equal(classify.aws({ name: "Error", Code: "ThrottlingException", message: LONG }).class, "RATE_LIMIT");
  assert.equal(
    classify.redis({ name: "ReplyError", message: `LOADING ${LONG}` }).class,
    classify.redis({ name: "ReplyError", message: "LOADING x" }).class,
  );
});

test("headers of any length hide neither the status nor those that come before", () => {
  const headers = { "retry-after": "7", "ratelimit-remaining": "9".repeat(5000) };
  const found = classify.http({ name: "Error", stack: "", status: 503, headers });
  assert.deepEqual(found, { class: "SERVER_ERROR", retryAfterMs: 7000 });
});

test("a budget of any size grants as many retries as it says, and its snapshot keeps them", () => {
  for (const maxRetries of [0, 1, 128, 129, 248, 249, 1016, 1017, 2040, 2041, 4096]) {
    const budget = new Budget({ maxRetries, clock: () => 1 });
    assert.equal(budget.consume(maxRetries + 1), false, `${maxRetries}`);
    assert.equal(budget.consume(maxRetries), true, `${maxRetries}`);
    assert.equal(budget.remaining(), 0, `${maxRetries}`);
    const other = new Budget({ maxRetries, clock: () => 1 });
    restore(other, snapshot(budget));
    assert.equal(other.remaining(), 0, `${maxRetries}`);
  }
});

test("a breaker that is disposed of ends its calls in flight: a success stands, a failure says so and keeps its error", async () => {
  const breaker = new CircuitBreaker();
  const policy = new Policy({ retry: { strategy, maxAttempts: 3 }, circuitBreaker: breaker });
  const held = deferred();
  const succeeding = policy.call(() => held.promise);
  let attempts = 0;
  const failing = [policy.call(fails), policy.execute(fails)].map((call) => rejection(call));
  async function fails() {
    attempts += 1;
    await held.promise;
    throw failure(503);
  }
  breaker.dispose();
  const others = Array.from({ length: 50 }, () => new CircuitBreaker());
  others.forEach((other) => assert.equal(other.state, "closed"));
  held.resolve("value");
  assert.equal(await succeeding, "value");
  for (const call of failing) {
    const error = await call;
    assert.equal(error.cause?.status, 503);
    assert.match(error.message, /circuitBreaker: it was disposed of/);
  }
  assert.equal(attempts, 2);
  others.forEach((other) => assert.equal(other.admit().ok, true));
});

test("a budget that is disposed of ends its calls in flight alike", async () => {
  const budget = new Budget({ maxRetries: 5 });
  const policy = new Policy({ retry: { strategy, maxAttempts: 3, budget } });
  const held = deferred();
  const calls = [
    policy.call(() => held.promise),
    rejection(policy.call(() => held.promise.then(() => Promise.reject(failure(503))))),
  ];
  budget.dispose();
  assert.equal(new Budget({ maxRetries: 9 }).remaining(), 9);
  held.resolve("value");
  assert.equal(await calls[0], "value");
  const error = await calls[1];
  assert.match(error.message, /budget: it was disposed of/);
  assert.equal(error.cause.status, 503);
});

test("a policy that is disposed of lets its calls in flight come to their end", async () => {
  const policy = new Policy({ retry: { strategy, maxAttempts: 3 } });
  const held = deferred();
  let attempts = 0;
  const call = policy.call(async () => {
    attempts += 1;
    if (attempts === 1) await held.promise;
    if (attempts < 3) throw failure(503);
    return attempts;
  });
  policy.dispose();
  policy.dispose();
  held.resolve();
  assert.equal(await call, 3);
  assert.match((await rejection(policy.call(script(1)))).message, /dispose/);
});

test("a strategy that disposes of the breaker of its own call ends the call alone", async () => {
  const breaker = new CircuitBreaker();
  const other = new CircuitBreaker({ failureThreshold: 1 });
  const disposing = () => {
    breaker.dispose();
    other.admit();
    return 0;
  };
  const policy = new Policy({ retry: { strategy: disposing, maxAttempts: 3 }, circuitBreaker: breaker });
  const error = await rejection(policy.call(script(failure(503))));
  assert.instanceOf(error, Error);
  await rejection(
    new Policy({ retry: { strategy, maxAttempts: 1 }, circuitBreaker: other }).call(script(failure(503))),
  );
  assert.equal(other.state, "open");
});

test("a probe succeeds also where the recovery time has jitter", async () => {
  let now = 0;
  const drawn = [];
  const random = () => drawn.push(now) * 0;
  const clock = () => now;
  const circuitBreaker = new CircuitBreaker({ failureThreshold: 1, recoveryTimeoutMs: 1, recoveryJitterMs: 1, clock });
  const policy = new Policy({ circuitBreaker, random });
  circuitBreaker.settle(circuitBreaker.admit().permit, "TRANSIENT");
  now = 10;
  assert.equal(await policy.call(() => 1), 1);
  assert.equal(circuitBreaker.state, "closed");
  assert.ok(drawn.length <= 1);
});

test("using disposes of breakers, budgets and policies", async () => {
  const dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");
  const breaker = new CircuitBreaker();
  const budget = new Budget({ maxRetries: 1 });
  const policy = new Policy();
  const keyed = new KeyedPolicy({ circuitBreaker: new Keyed(CircuitBreaker, { capacity: 2 }) });
  for (const made of [breaker, budget, policy, keyed]) made[dispose]();
  assert.match(thrown(() => breaker.state).message, /disposed/);
  assert.match(thrown(() => budget.remaining()).message, /disposed/);
  assert.match((await rejection(policy.execute(script(1)))).message, /disposed/);
  assert.match((await rejection(keyed.at("key").call(script(1)))).message, /disposed/);
});

test("a permit that came back is not taken for a later one", () => {
  const breaker = new CircuitBreaker();
  const { permit } = breaker.admit();
  breaker.settle(permit, "success");
  const later = breaker.admit().permit;
  assert.notEqual(permit, later);
  assert.instanceOf(
    thrown(() => breaker.settle(permit, "SERVER_ERROR")),
    TypeError,
  );
  assert.equal(breaker.settle(later, "success"), null);
});

function deferred() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}
