import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Budget,
  backoff,
  begin,
  CircuitBreaker,
  callSync,
  Keyed,
  KeyedPolicy,
  Policy,
  RetryPolicy,
  redressFetch,
} from "redress";
import { watch } from "redress/watch";
import { deferred, down, failing } from "../lab/faults.mjs";

const strategy = backoff.constant(0);

/** A watcher that keeps what it sees of each call, by call. */
function keeper() {
  const calls = [];
  let policy;
  return {
    calls,
    get policy() {
      return policy;
    },
    watch(of) {
      policy = of;
      return () => {
        const seen = [];
        calls.push(seen);
        return {
          onAttemptStart: ({ attempt }) => seen.push(`attempt ${attempt}`),
          onAttemptEnd: ({ decision }) => seen.push(`then ${decision}`),
          onEvent: ({ event }) => seen.push(event),
          run: (operation) => (seen.push("run"), operation()),
          onEnd: (error) => seen.push(error === undefined ? "end" : `end ${error.message}`),
        };
      };
    },
  };
}

const RETRIED = ["attempt 1", "run", "retry", "then retry", "attempt 2", "run", "then success", "success", "end"];

test("each call has its own watch, also where calls run at once", async () => {
  const seen = keeper();
  const policy = watch(new RetryPolicy({ strategy }), [seen]);
  const gate = deferred();
  const first = policy.call(() => gate.promise);
  assert.equal(await policy.call(failing(503)), "value");
  gate.resolve("late");
  assert.equal(await first, "late");
  assert.deepEqual(seen.calls, [["attempt 1", "run", "then success", "success", "end"], RETRIED]);
});

test("several watchers and the policy's own hooks see the same, in this order", async () => {
  const seen = [];
  const watcher = (name) => ({ watch: () => () => ({ onEvent: ({ event }) => seen.push(`${name} ${event}`) }) });
  const own = { onEvent: ({ event }) => seen.push(`own ${event}`) };
  const policy = watch(watch(new RetryPolicy({ strategy, ...own }), [watcher("a"), watcher("b")]), [watcher("c")]);
  await policy.call(() => 1, { onEvent: ({ event }) => seen.push(`call ${event}`) });
  assert.deepEqual(seen, ["own success", "a success", "b success", "c success", "call success"]);
});

test("a watcher that throws changes nothing, is reported, and the others see all", async () => {
  const errors = [];
  const seen = keeper();
  const broken = (words) => ({
    watch: () => () => ({
      onEvent: () => {
        throw new Error(words);
      },
    }),
  });
  const later = { watch: () => () => ({ onEvent: () => Promise.reject(new Error("later")) }) };
  const onHookError = (error) => errors.push(error.errors?.map(({ message }) => message) ?? error.message);
  const policy = watch(new RetryPolicy({ strategy, onHookError }), [broken("one"), later, seen]);
  assert.equal(await policy.call(failing(503)), "value");
  assert.deepEqual(seen.calls, [RETRIED]);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(errors, [
    ["one", "later"],
    ["one", "later"],
  ]);
});

test("execute, callSync, begin and redressFetch are watched, too", async () => {
  const seen = keeper();
  const policy = watch(new RetryPolicy({ strategy }), [seen]);
  assert.equal((await policy.execute(failing(503))).ok, true);
  assert.equal(
    callSync(policy, () => 1),
    1,
  );
  const call = begin(policy);
  call.start();
  call.succeed(1);
  await redressFetch(policy, { fetch: async () => new Response("ok") })("https://api.test/");
  await Promise.resolve();
  const plain = ["attempt 1", "then success", "success", "end"];
  assert.deepEqual(seen.calls, [RETRIED, plain, plain, plain]);
});

test("a call that is aborted, rejected by a breaker, or fails before it begins has its end", async () => {
  const seen = keeper();
  const circuitBreaker = new CircuitBreaker();
  const policy = watch(new Policy({ circuitBreaker, retry: { strategy } }), [seen]);
  const controller = new AbortController();
  const hangs = policy.call(() => new Promise(() => {}), { signal: controller.signal });
  controller.abort(new Error("enough"));
  await assert.rejects(hangs, { message: "enough" });
  await assert.rejects(
    policy.call(() => 1, { signal: controller.signal }),
    { message: "enough" },
  );
  circuitBreaker.isolate();
  await assert.rejects(
    policy.call(() => 1),
    { name: "CircuitOpenError" },
  );
  const circuit = { admit: () => Promise.reject(new Error("no answer")), settle: () => null };
  const other = keeper();
  await assert.rejects(
    watch(new Policy({ circuitBreaker: circuit }), [other]).call(() => 1),
    { message: "no answer" },
  );
  assert.deepEqual(
    seen.calls.map((call) => call.slice(-2)),
    [
      ["aborted", "end enough"],
      ["aborted", "end enough"],
      ["circuit_rejected", seen.calls[2].at(-1)],
    ],
  );
  assert.match(seen.calls[2].at(-1), /^end .*open/);
  assert.deepEqual(other.calls, [["end no answer"]]);
});

test("a call step by step that is cancelled or dropped has its end once it is collected", async () => {
  const seen = keeper();
  const policy = watch(new RetryPolicy({ strategy }), [seen]);
  (() => {
    begin(policy).start();
    const call = begin(policy);
    call.start();
    call.cancel();
  })();
  while (seen.calls.some((call) => call.at(-1) !== "end")) {
    globalThis.gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual(seen.calls, [
    ["attempt 1", "end"],
    ["attempt 1", "end"],
  ]);
});

test("a watcher knows the state of the breaker and what is left of the budget", async () => {
  const seen = keeper();
  const circuitBreaker = new CircuitBreaker({ failureThreshold: 1 });
  const budget = new Budget({ maxRetries: 3 });
  const policy = watch(new Policy({ circuitBreaker, retry: { strategy, maxAttempts: 2, budget } }), [seen], {
    upstream: "orders",
  });
  assert.equal(seen.policy.upstream, "orders");
  assert.deepEqual(seen.policy.circuits(), [{ key: undefined, state: "closed" }]);
  assert.equal(seen.policy.budgetRemaining(), 3);
  await policy.execute(down(503));
  assert.deepEqual(seen.policy.circuits(), [{ key: undefined, state: "open" }]);
  assert.equal(seen.policy.budgetRemaining(), 2);
  policy.reset();
  assert.deepEqual(seen.policy.circuits(), [{ key: undefined, state: "closed" }]);
});

test("of a policy by key every key is watched, and each breaker has its state", async () => {
  const seen = keeper();
  const circuitBreaker = new Keyed(CircuitBreaker, { capacity: 10, failureThreshold: 1 });
  const budget = new Keyed(Budget, { capacity: 10, ratio: 0.1 });
  const policy = watch(new KeyedPolicy({ circuitBreaker, retry: { strategy, maxAttempts: 2, budget } }), [seen]);
  assert.equal(await policy.at("a").call(failing(503)), "value");
  assert.deepEqual(seen.calls, [RETRIED]);
  await policy.at("b").execute(down(503));
  assert.deepEqual(seen.policy.circuits(), [{ key: "b", state: "open" }]);
  assert.equal(seen.policy.budgetRemaining(), undefined);
  const get = redressFetch(policy, { fetch: async () => new Response("no", { status: 500 }) });
  assert.equal((await get("https://api.test/items")).status, 500);
  assert.deepEqual(seen.policy.circuits(), [
    { key: "b", state: "open" },
    { key: "api.test", state: "open" },
  ]);
});

test("what is watched by mistake is refused by its path", () => {
  const policy = new RetryPolicy({ strategy });
  assert.throws(() => watch({}, []), { name: "TypeError", path: "watch" });
  assert.throws(() => watch(policy, {}), { path: "watch.watchers" });
  assert.throws(() => watch(policy, [{}]), { path: "watch.watchers[0]" });
  assert.throws(() => watch(policy, [], { upstream: 1 }), { path: "watch.upstream" });
  assert.throws(() => watch(policy, [], { name: "orders" }), { path: "watch.name" });
});
