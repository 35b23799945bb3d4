// A policy bound to an operation: contexts, wrapped functions, decorators.

import { backoff, context as contextOf, Policy, Retry, RetryPolicy, retry } from "redress";
import { retry as decorate } from "redress/decorators";
import { assert, describe, rejection, test } from "./harness.js";
import { failure, script } from "./stage.js";

const strategy = backoff.constant(0);

describe("wrapping");

test("a context binds a name and hooks, and is used again", async () => {
  for (const owner of [
    new RetryPolicy({ strategy }),
    new Policy({ retry: { strategy } }),
    new Policy({}),
    new Retry({ strategy }),
  ]) {
    const heard = [];
    const onMetric = (event, _attempt, _sleepMs, tags) => heard.push([event, tags.operation]);
    const context = contextOf(owner, { operation: "read", onMetric });
    assert.equal(await context.call(script(1)), 1);
    assert.equal(await context.call(script(2)), 2);
    assert.deepEqual(heard, [
      ["success", "read"],
      ["success", "read"],
    ]);
  }
});

test("a context ends with `using`, and refuses calls after that", async () => {
  const context = contextOf(new RetryPolicy({ strategy }), { operation: "read" });
  const dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");
  assert.isFunction(context[dispose]);
  context[dispose]();
  assert.match((await rejection(context.call(script(1)))).message, /context|dispose/);
});

test("a wrapped function keeps arguments, this and its name as operation", async () => {
  const operations = [];
  const onMetric = (_event, _attempt, _sleepMs, tags) => operations.push(tags.operation);
  async function readIt(a, b) {
    this.calls += 1;
    if (this.calls < 3) throw failure(503);
    return this.base + a + b;
  }
  const gateway = { base: 10, calls: 0, read: retry({ strategy, onMetric })(readIt) };
  assert.equal(await gateway.read(1, 2), 13);
  // Bundlers that minify give functions shorter names.
  assert.deepEqual(operations, [readIt.name, readIt.name, readIt.name]);
});

test("a bare wrap has the default strategy; strategies alone add none", async () => {
  const bare = retry()(async () => "bare");
  assert.equal(await bare(), "bare");
  let calls = 0;
  const only = retry({ strategies: { RATE_LIMIT: strategy } })(async () => {
    calls += 1;
    throw failure(503);
  });
  await rejection(only());
  assert.equal(calls, 1);
});

test("a decorated method keeps this and arguments, named after itself", async () => {
  const operations = [];
  const onMetric = (_event, _attempt, _sleepMs, tags) => operations.push(tags.operation);
  class Gateway {
    calls = 0;
    async fetchIt(key) {
      this.calls += 1;
      if (this.calls < 2) throw failure(503);
      return `${key} ${this.calls}`;
    }
  }
  const context = { kind: "method", name: "fetchIt", static: false, private: false, addInitializer() {}, metadata: {} };
  Gateway.prototype.fetchIt = decorate({ strategy, onMetric })(Gateway.prototype.fetchIt, context);
  assert.equal(await new Gateway().fetchIt("a"), "a 2");
  assert.deepEqual(operations, ["fetchIt", "fetchIt"]);
  assert.equal(await decorate(async () => "bare", { ...context, name: "bare" })(), "bare");
});
