// Two copies of the package in one program: `node copies.mjs INDEX OTHER` with the folders of both, each with index.js,
// lint.js and so on. Prints by title what went wrong, null if nothing did.

import assert from "node:assert/strict";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const load = async (folder, entry) => import(pathToFileURL(join(folder, `${entry}.js`)).href);
const [, , here, there] = process.argv;
const ours = await load(here, "index");
const theirs = await load(there, "index");
const { lint } = await load(here, "lint");
const { FakePolicy } = await load(there, "testing");
assert.notEqual(ours.Policy, theirs.Policy, "these are two copies");

const results = {};
async function shows(title, body) {
  try {
    await body();
    results[title] = null;
  } catch (error) {
    results[title] = String(error?.stack ?? error);
  }
}
const refused = (path, body) => {
  assert.throws(body, (error) => {
    assert.ok(error instanceof TypeError, error.stack);
    assert.ok(error.message.startsWith(`${path}: `), error.message);
    assert.match(error.message, /of another copy of redress is not /);
    return true;
  });
};
const busy = () => {
  throw Object.assign(new Error("busy"), { status: 503 });
};
const retry = { strategy: ours.backoff.constant(0), maxAttempts: 3 };
const theirRetry = { strategy: theirs.backoff.constant(0), maxAttempts: 3 };
// The other copy's memory has more in it, so that its addresses lead elsewhere here.
const filler = Array.from({ length: 50 }, () => new theirs.CircuitBreaker().state);
assert.equal(filler.length, 50);

for (const [kind, policy] of Object.entries({
  "a Policy": new theirs.Policy({ retry: theirRetry, circuitBreaker: new theirs.CircuitBreaker() }),
  "a RetryPolicy": new theirs.RetryPolicy(theirRetry),
  "a Retry": new theirs.Retry(theirRetry),
  "a policy of a key": new theirs.KeyedPolicy({
    retry: theirRetry,
    circuitBreaker: new theirs.Keyed(theirs.CircuitBreaker, { capacity: 4 }),
  }).at("key"),
})) {
  await shows(`callSync, begin and redressFetch refuse ${kind}`, () => {
    refused("callSync", () => ours.callSync(policy, () => 1));
    refused("begin", () => ours.begin(policy));
    refused("redressFetch", () => ours.redressFetch(policy));
  });
  await shows(`context takes ${kind}, which runs by its own methods`, async () => {
    let calls = 0;
    const context = ours.context(policy, { operation: "read" });
    assert.equal(await context.call(() => (++calls < 3 ? busy() : "value")), "value");
    assert.equal((await context.execute(() => 2)).value, 2);
  });
  await shows(`lint looks at ${kind}`, () => {
    if (kind !== "a policy of a key") assert.deepEqual(lint(policy), []);
  });
}
await shows("redressFetch refuses a KeyedPolicy", () => {
  const circuitBreaker = new theirs.Keyed(theirs.CircuitBreaker, { capacity: 4 });
  const policy = new theirs.KeyedPolicy({ retry: theirRetry, circuitBreaker });
  refused("redressFetch", () => ours.redressFetch(policy));
  assert.deepEqual(lint(policy), []);
});
await shows("a fake policy of the other copy answers by itself", async () => {
  const policy = new FakePolicy({ result: 7 });
  assert.equal(
    ours.callSync(policy, () => 1),
    7,
  );
  assert.equal(await ours.context(policy).call(() => 1), 7);
});
await shows("snapshot and restore refuse a breaker and a budget", () => {
  const saved = ours.snapshot(new ours.CircuitBreaker());
  refused("snapshot", () => ours.snapshot(new theirs.CircuitBreaker()));
  refused("snapshot", () => ours.snapshot(new theirs.Budget({ ratio: 0.1 })));
  refused("restore", () => ours.restore(new theirs.CircuitBreaker(), saved));
  refused("restore", () => ours.restore(new theirs.Budget({ ratio: 0.1 }), saved));
});
await shows("a snapshot is data: the other copy restores it", () => {
  const breaker = new ours.CircuitBreaker({ failureThreshold: 1, clock: () => 0 });
  breaker.settle(breaker.admit().permit, "TRANSIENT");
  const other = new theirs.CircuitBreaker({ failureThreshold: 1, clock: () => 0 });
  theirs.restore(other, ours.snapshot(breaker));
  assert.equal(other.state, "open");
});
await shows("a policy refuses a Retry, and strategies of all kinds", () => {
  refused("retry", () => new ours.Policy({ retry: new theirs.Retry(theirRetry) }));
  refused("retry", () => new ours.RetryPolicy(new theirs.Retry(theirRetry)));
  refused("retry", () => new ours.RetryPolicy(new theirs.RetryPolicy(theirRetry)));
  for (const one of [
    theirs.backoff.constant(5),
    theirs.backoff.sequence([1, 2]),
    theirs.backoff.adaptive(theirs.backoff.constant(5)),
    theirs.backoff.retryAfterOr(() => 5),
  ]) {
    refused("retry.strategy", () => new ours.RetryPolicy({ strategy: one }));
    refused("retry.strategies.TRANSIENT", () => new ours.Policy({ retry: { strategies: { TRANSIENT: one } } }));
    refused("backoff.retryAfterOr", () => ours.backoff.retryAfterOr(one));
    refused("backoff.adaptive", () => ours.backoff.adaptive(one));
  }
  refused("retry.strategy", () => new ours.RetryPolicy(new theirs.RetryConfig(theirRetry)));
});
await shows("a RetryConfig without strategies of the core is options, and is taken", async () => {
  const config = new theirs.RetryConfig({ strategy: () => 0, maxAttempts: 2 });
  assert.equal((await new ours.RetryPolicy(config).execute(busy)).attempts, 2);
});
await shows("a breaker refuses a window", () => {
  for (const window of [
    theirs.rateOfCalls({ size: 10, rate: 0.5, minCalls: 5 }),
    theirs.rateOverTime({ ms: 1_000, rate: 0.5, minCalls: 5 }),
  ]) {
    refused("circuitBreaker.window", () => new ours.CircuitBreaker({ window }));
  }
});
await shows("a policy takes a breaker and a budget, which work by their own methods", async () => {
  const circuitBreaker = new theirs.CircuitBreaker({ failureThreshold: 2 });
  const budget = new theirs.Budget({ maxRetries: 3 });
  const policy = new ours.Policy({ retry: { ...retry, budget }, circuitBreaker });
  assert.equal((await policy.execute(busy)).attempts, 3);
  assert.equal(budget.remaining(), 1);
  assert.equal((await policy.execute(busy)).stopReason, "BUDGET_EXHAUSTED");
  assert.equal(circuitBreaker.state, "open");
  const { attempts, error } = await policy.execute(() => 1);
  assert.deepEqual([attempts, error instanceof ours.CircuitOpenError], [0, true]);
  assert.throws(() => ours.callSync(policy, () => 1), ours.CircuitOpenError);
});
await shows("a breaker refuses the permit of the other's", () => {
  const permit = new theirs.CircuitBreaker().admit().permit;
  assert.throws(() => new ours.CircuitBreaker().settle(permit, "success"), /permit/);
});
await shows("Keyed and KeyedPolicy refuse a class and a map", () => {
  refused("keyed", () => new ours.Keyed(theirs.CircuitBreaker, { capacity: 4 }));
  refused("keyed", () => new ours.Keyed(theirs.Budget, { capacity: 4, ratio: 0.1 }));
  const breakers = new theirs.Keyed(theirs.CircuitBreaker, { capacity: 4 });
  const budgets = new theirs.Keyed(theirs.Budget, { capacity: 4, ratio: 0.1 });
  refused("policy.circuitBreaker", () => new ours.KeyedPolicy({ circuitBreaker: breakers }));
  refused("policy.circuitBreaker", () => new ours.Policy({ circuitBreaker: breakers }));
  refused("retry.budget", () => new ours.KeyedPolicy({ retry: { ...retry, budget: budgets } }));
});
await shows("errors and classifiers of the other copy say what they are", async () => {
  let calls = 0;
  const aborting = async () => {
    calls += 1;
    throw new theirs.AbortRetryError("enough");
  };
  assert.equal((await new ours.RetryPolicy(retry).execute(aborting)).stopReason, "ABORTED");
  assert.equal(calls, 1);
  const { lastClass } = await new ours.RetryPolicy(retry).execute(() =>
    Promise.reject(new theirs.PermanentError("no")),
  );
  assert.equal(lastClass, "PERMANENT");
  const classified = new ours.RetryPolicy({ ...retry, classifier: theirs.classify.http });
  assert.equal((await classified.execute(busy)).lastClass, "SERVER_ERROR");
  assert.ok(ours.isRedressError(new theirs.ServerError("down")));
});
await shows("objects of one's own are called by no other name", () => {
  assert.throws(
    () => new ours.Policy({ retry: new ours.CircuitBreaker() }),
    (error) => !/another copy/.test(error.message),
  );
  assert.throws(
    () => ours.begin(new ours.CircuitBreaker()),
    (error) => !/another copy/.test(error.message),
  );
  assert.throws(() => ours.snapshot(new ours.Policy()), /snapshot: an object is not a CircuitBreaker or a Budget/);
});
console.log(JSON.stringify(results));
