// Breakers and budgets by key.

import {
  Budget,
  backoff,
  begin,
  CircuitBreaker,
  CircuitOpenError,
  callSync,
  classify,
  context,
  Keyed,
  KeyedPolicy,
  Policy,
  Retry,
  rateOverTime,
  redressFetch,
} from "redress";
import { lint } from "redress/lint";
import { assert, describe, rejection, test, thrown } from "./harness.js";
import { flaky } from "./server.js";
import { failure, script, Time } from "./stage.js";

const strategy = backoff.constant(0);
const hosts = (capacity, more = {}) => new Keyed(CircuitBreaker, { capacity, failureThreshold: 1, ...more });

function fail(breaker) {
  breaker.settle(breaker.admit().permit, "TRANSIENT");
}

describe("keyed");

test("each key has an entry of its own, new at first use", () => {
  const map = hosts(8);
  fail(map.entry("a"));
  assert.equal(map.peek("a").state, "open");
  assert.equal(map.entry("b").state, "closed");
  assert.equal(map.peek("c"), undefined);
  assert.strictEqual(map.entry("a"), map.peek("a"));
  assert.deepEqual([map.size, map.capacity, [...map.keys()]], [2, 8, ["b", "a"]]);
});

test("the least recently used closed breaker makes room", () => {
  const map = hosts(2);
  for (const key of ["1", "2", "1", "3"]) assert.instanceOf(map.entry(key), CircuitBreaker);
  assert.deepEqual([...map.keys()], ["1", "3"]);
  // To look is no use of it.
  map.peek("1");
  map.entry("4");
  assert.deepEqual([...map.keys()], ["3", "4"]);
});

test("an open breaker is never evicted for a closed one; a key without room runs without, and is counted", async () => {
  const time = new Time();
  const map = hosts(2, { clock: time.clock, recoveryTimeoutMs: 1_000 });
  const policy = new KeyedPolicy({ circuitBreaker: map, retry: { strategy, maxAttempts: 1, clock: time.clock } });
  await policy.at("dead").execute(script(failure(503)));
  for (let n = 0; n < 50; n += 1) assert.equal(await policy.at(`host ${n}`).call(script(n)), n);
  assert.instanceOf(await rejection(policy.at("dead").call(script(1))), CircuitOpenError);
  await policy.at("host 49").execute(script(failure(503)));
  assert.deepEqual([map.size, map.refused], [2, 0]);
  for (let n = 0; n < 3; n += 1) await policy.at("no room").execute(script(failure(503)));
  assert.equal(await policy.at("no room").call(script("without")), "without");
  assert.deepEqual([map.size, map.refused, map.peek("no room")], [2, 4, undefined]);
  // A probe in flight keeps its place; a breaker that would let a call through goes, as nothing else may.
  time.advance(1_000);
  const probe = begin(policy.at("dead"));
  probe.start();
  assert.instanceOf(map.entry("another"), CircuitBreaker);
  assert.deepEqual([...map.keys()], ["dead", "another"]);
  await policy.at("another").execute(script(failure(503)));
  assert.equal(map.entry("no room"), undefined);
  probe.succeed(1);
  assert.instanceOf(map.entry("room"), CircuitBreaker);
  assert.deepEqual([...map.keys()], ["another", "room"]);
});

test("a result of an evicted breaker's call does not fit its successor", async () => {
  const map = hosts(1);
  const policy = new KeyedPolicy({ circuitBreaker: map });
  let settle;
  const pending = policy.at("a").execute(() => new Promise((_, reject) => (settle = reject)));
  map.entry("b");
  assert.equal(map.entry("a").state, "closed");
  settle(failure(503));
  assert.equal((await pending).lastClass, "SERVER_ERROR");
  assert.equal(map.peek("a").state, "closed");
});

test("a budget by key: one host's outage leaves the others their retries", async () => {
  const budgets = new Keyed(Budget, { capacity: 4, maxRetries: 2 });
  const settings = { strategy, maxAttempts: 4 };
  for (const policy of [
    new KeyedPolicy({ retry: { ...settings, budget: budgets } }),
    new KeyedPolicy({ retry: settings, budget: budgets }),
    new KeyedPolicy({ retry: new Retry(settings), budget: budgets }),
  ]) {
    const key = String(Math.random());
    const down = script(failure(503));
    const { stopReason } = await policy.at(key).execute(down);
    assert.deepEqual([stopReason, down.calls], ["BUDGET_EXHAUSTED", 3]);
    assert.equal(budgets.peek(key).remaining(), 0);
    assert.equal((await policy.at(`${key}, another`).execute(script(failure(503), 1))).attempts, 2);
  }
  // Full of budgets, the idlest goes: none of them must stay.
  assert.deepEqual([budgets.size, budgets.refused], [4, 0]);
});

test("a ratio budget by key earns from the calls of its key", async () => {
  const budgets = new Keyed(Budget, { capacity: 4, ratio: 0.5, initial: 0 });
  const policy = new KeyedPolicy({ retry: { strategy, maxAttempts: 2, budget: budgets } });
  for (let n = 0; n < 4; n += 1) await policy.at("busy").call(script(n));
  await policy.at("calm").call(script(1));
  assert.deepEqual([budgets.peek("busy").remaining(), budgets.peek("calm").remaining()], [2, 0]);
});

test("a ratio budget by key begins with one retry and earns none by time, unless it is set", () => {
  const time = new Time();
  const { clock } = time;
  for (const [own, first, later] of [
    [{}, 1, 1],
    [{ initial: 3 }, 3, 3],
    [{ floorPerSec: 2 }, 1, 21],
    [{ initial: undefined, floorPerSec: undefined }, 1, 1],
  ]) {
    const budget = new Keyed(Budget, { capacity: 4, ratio: 0.5, clock, ...own }).entry("host");
    assert.isTrue(budget.consume(0));
    assert.equal(budget.remaining(), first);
    time.advance(10_000);
    assert.equal(budget.remaining(), later);
  }
});

test("slow calls count, a deadline stays the policy's, and events bear the key unless they are named", async () => {
  const time = new Time();
  const window = rateOverTime({ ms: 10_000, rate: 1, minCalls: 2, slow: { afterMs: 500, rate: 0.5 } });
  const map = new Keyed(CircuitBreaker, { capacity: 4, window, clock: time.clock });
  const heard = [];
  const onEvent = ({ event, operation }) => heard.push([event, operation]);
  const policy = new KeyedPolicy({ circuitBreaker: map, clock: time.clock, onEvent });
  for (let n = 0; n < 2; n += 1) await policy.at("slow.host").call(() => time.advance(600));
  assert.equal(map.peek("slow.host").state, "open");
  assert.deepEqual(heard.at(-1), ["circuit_opened", "slow.host"]);
  await context(policy.at("other"), { operation: "named" }).call(script(1));
  assert.deepEqual(heard.at(-1), ["success", "named"]);
});

test("callSync and steps take the key's entries, too", () => {
  const map = hosts(4);
  const policy = new KeyedPolicy({ circuitBreaker: map });
  thrown(() =>
    callSync(policy.at("sync"), () => {
      throw failure(503);
    }),
  );
  assert.equal(map.peek("sync").state, "open");
  assert.instanceOf(
    thrown(() => begin(policy.at("sync"))),
    CircuitOpenError,
  );
  const other = begin(policy.at("other"));
  other.start();
  other.succeed(1);
  policy.dispose();
  assert.match(thrown(() => callSync(policy.at("other"), () => 1)).message, /dispose/);
});

test("redressFetch takes the breaker of the URL's host", async (context) => {
  const map = hosts(4);
  const get = redressFetch(
    new KeyedPolicy({ circuitBreaker: map, retry: { strategy, maxAttempts: 1, resultClassifier: classify.http } }),
  );
  const dead = flaky(context, "503");
  const { host } = new URL(dead.url);
  assert.equal((await get(dead.url)).status, 503);
  assert.deepEqual([...map.keys()], [host]);
  assert.equal(map.peek(host).state, "open");
  assert.instanceOf(await rejection(get(new Request(dead.url))), CircuitOpenError);
  assert.equal((await dead.log()).length, 1);
  // No server listens there: another host, whose breaker is another.
  const elsewhere = await rejection(get("http://127.0.0.1:49151/"));
  assert.notInstanceOf(elsewhere, CircuitOpenError);
  assert.deepEqual([...map.keys()], [host, "127.0.0.1:49151"]);
});

test("a policy by key is linted by its template", () => {
  const policy = (settings) => new KeyedPolicy({ circuitBreaker: hosts(4, settings), retry: { strategy } });
  assert.deepEqual(lint(policy({})), []);
  assert.deepEqual(
    lint(policy({ tripOn: [] })).map(({ field }) => field),
    ["circuitBreaker.tripOn"],
  );
});

for (const [build, path, value] of [
  [() => new Keyed(CircuitBreaker), "keyed", "undefined"],
  [() => new Keyed(CircuitBreaker, {}), "keyed.capacity", "undefined"],
  [() => new Keyed(CircuitBreaker, { capacity: 0 }), "keyed.capacity", "0"],
  [() => new Keyed(CircuitBreaker, { capacity: 1.5 }), "keyed.capacity", "1.5"],
  [() => new Keyed(CircuitBreaker, { capacity: Infinity }), "keyed.capacity", "Infinity"],
  [() => new Keyed(CircuitBreaker, { capacity: "8" }), "keyed.capacity", "8"],
  [() => new Keyed(CircuitBreaker, { capacity: 8, windowMs: -1 }), "circuitBreaker.windowMs", "-1"],
  [() => new Keyed(CircuitBreaker, { capacity: 8, capcity: 1 }), "circuitBreaker.capcity", "no option"],
  [() => new Keyed(Budget, { capacity: 8 }), "budget.maxRetries", "undefined"],
  [() => new Keyed(Policy, { capacity: 8 }), "keyed", "is not CircuitBreaker or Budget"],
  [() => new Keyed("breaker", { capacity: 8 }), "keyed", "breaker"],
  [() => hosts(8).entry(7), "keyed.key", "7"],
  [() => hosts(8).entry(), "keyed.key", "undefined"],
  [() => new KeyedPolicy(), "policy", "undefined"],
  [() => new KeyedPolicy({ circuitBreaker: new CircuitBreaker() }), "policy.circuitBreaker", "Keyed"],
  [
    () => new KeyedPolicy({ circuitBreaker: new Keyed(Budget, { capacity: 8, maxRetries: 1 }) }),
    "policy.circuitBreaker",
    "CircuitBreaker",
  ],
  [
    () => new KeyedPolicy({ circuitBreaker: hosts(8), retry: { strategy, budget: hosts(8) } }),
    "retry.budget",
    "Budget",
  ],
  [() => new KeyedPolicy({ circuitBreaker: hosts(8) }).at(undefined), "policy.at", "undefined"],
  [() => new Policy({ circuitBreaker: hosts(8) }), "policy.circuitBreaker", "CircuitBreaker"],
  [() => redressFetch(7), "redressFetch", "7"],
  [() => redressFetch(null), "redressFetch", "null"],
  [() => redressFetch(new Policy(), 7), "redressFetch", "7"],
  [() => redressFetch(new Policy(), { repeatAnyMethod: "yes" }), "redressFetch.repeatAnyMethod", "yes"],
  [() => redressFetch(new Policy(), { repeatAnyMethods: true }), "redressFetch.repeatAnyMethods", "no option"],
  [() => redressFetch(new Policy(), { signal: "x" }), "redressFetch.signal", "x"],
]) {
  const source = String(build).replace(/^\(\) => /, "");
  test(`${source} is refused by name`, () => {
    const error = thrown(build);
    assert.isTrue(error instanceof TypeError || error instanceof RangeError, String(error));
    assert.include(error.message, path);
    assert.include(error.message, value);
  });
}
