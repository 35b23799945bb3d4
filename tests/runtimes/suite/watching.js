// Watching calls, on every runtime; the libraries that are reported to are in tests/telemetry.

import { backoff, CircuitBreaker, callSync, Keyed, KeyedPolicy, Policy, RetryPolicy, redressFetch } from "redress";
import { log } from "redress/log";
import { watch } from "redress/watch";
import { assert, describe, rejection, settle, test } from "./harness.js";
import { failure, script } from "./stage.js";

const strategy = backoff.constant(0);

/** A watcher that keeps what it sees of each call, by call. */
function keeper() {
  const calls = [];
  const begin = () => {
    const seen = [];
    calls.push(seen);
    return {
      onEvent: ({ event }) => seen.push(event),
      run: (operation) => (seen.push("run"), operation()),
      onEnd: () => seen.push("end"),
    };
  };
  return { calls, watch: () => begin };
}

describe("watching");

test("each call has a watch of its own, also where calls run at once, and each has its end", async () => {
  const seen = keeper();
  const circuitBreaker = new CircuitBreaker();
  const policy = watch(new Policy({ circuitBreaker, retry: { strategy } }), [seen]);
  const calls = [policy.call(script(failure(503), 1)), policy.call(() => 2), policy.execute(script(failure(401)))];
  await Promise.all(calls);
  callSync(policy, () => 3);
  circuitBreaker.isolate();
  await rejection(policy.call(() => 4));
  await settle();
  assert.deepEqual(seen.calls, [
    ["run", "retry", "run", "success", "end"],
    ["run", "success", "end"],
    ["run", "permanent_fail", "end"],
    ["success", "end"],
    ["circuit_rejected", "end"],
  ]);
});

test("several watchers, hooks of a policy and hooks of a call see the same events", async () => {
  const seen = [];
  const named = (name) => ({ onEvent: ({ event }) => seen.push(`${name} ${event}`) });
  const watcher = (name) => ({ watch: () => () => named(name) });
  const policy = watch(new RetryPolicy({ strategy, ...named("policy") }), [watcher("first"), watcher("second")]);
  await policy.call(() => 1, named("call"));
  assert.deepEqual(seen, ["policy success", "first success", "second success", "call success"]);
});

test("a watcher that throws changes nothing and is reported", async () => {
  const errors = [];
  const broken = {
    watch: () => () => ({
      onEvent: () => {
        throw new Error("broken");
      },
    }),
  };
  const policy = new RetryPolicy({ strategy, onHookError: ({ message }) => errors.push(message) });
  assert.equal(await watch(policy, [broken]).call(() => 1), 1);
  assert.deepEqual(errors, ["broken"]);
});

test("the log has a line for each event, with the words first or the fields first", async () => {
  const lines = [];
  const write = (...words) => lines.push(words.map((word) => word.event ?? word));
  const logger = { debug: write, info: write, warn: write };
  const policy = watch(new RetryPolicy({ strategy }), [log(logger), log({ ...logger, child() {} }, { level: "warn" })]);
  await policy.call(script(failure(503), 1));
  assert.deepEqual(lines, [
    ["redress: retry", "retry"],
    ["retry", "redress: retry"],
    ["redress: success", "success"],
  ]);
});

test("redressFetch and every key of a policy by key are watched", async () => {
  const seen = keeper();
  const circuitBreaker = new Keyed(CircuitBreaker, { capacity: 4 });
  const policy = watch(new KeyedPolicy({ circuitBreaker, retry: { strategy } }), [seen]);
  await policy.at("tenant").call(() => 1);
  await redressFetch(policy, { fetch: async () => new Response("ok") })("https://api.test/items");
  await settle();
  assert.deepEqual(seen.calls, [
    ["run", "success", "end"],
    ["success", "end"],
  ]);
});
