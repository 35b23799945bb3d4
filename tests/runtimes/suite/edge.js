// What workerd alone can show: module scope, Durable Objects, queues.

import { backoff, CircuitBreaker, CircuitOpenError, Policy } from "redress";
import { DurableBudget, DurableCircuitBreaker, deferMessage, RedressState } from "redress/durable";
import { assert, describe, rejection, test, thrown } from "./harness.js";
import { flaky } from "./server.js";
import { failure, script, Time } from "./stage.js";

// At module scope a worker has no timers, no AbortController and no random values.
const atModuleScope = new Policy({
  circuitBreaker: new CircuitBreaker({ failureThreshold: 2, recoveryTimeoutMs: 50 }),
  retry: { strategy: backoff.decorrelatedJitter({ baseMs: 1, maxMs: 5 }), maxAttempts: 2, attemptTimeoutMs: 5_000 },
});

let count = 0;
const settings = { failureThreshold: 2, windowMs: 60_000, recoveryTimeoutMs: 300, leaseMs: 1_000 };

/** Two handles of one breaker, as two isolates have them, what moves the clock of its object, and how often that wrote. */
function twins({ CLOCKED }, more = {}) {
  const name = fresh("breaker");
  const make = () => new DurableCircuitBreaker(CLOCKED, { name, ...settings, ...more });
  const object = CLOCKED.get(CLOCKED.idFromName(name));
  const advance = (ms) => object.fetch(`https://clock/advance?ms=${ms}`);
  const writes = async () => (await object.fetch("https://clock/writes")).json();
  return [make(), make(), advance, writes];
}

const fresh = (kind) => `${kind}-${++count}-${Date.now()}`;
const through = (circuitBreaker, more = {}) => new Policy({ circuitBreaker, ...more });

/** A namespace none of whose objects can be reached. */
const unreachable = {
  idFromName: (name) => name,
  get: () => ({ fetch: () => Promise.reject(new Error("unreachable")) }),
};

describe("edge");

test("a policy made at module scope works in requests, with jitter, timeout and breaker", async (context) => {
  const { url } = flaky(context, "503,200");
  const response = await atModuleScope.call(async ({ signal }) => {
    const answer = await fetch(url, { signal });
    if (!answer.ok) throw failure(answer.status);
    return answer;
  });
  assert.equal(response.status, 200);
});

test("an open breaker becomes half-open in a later request, without a timer", async () => {
  const time = new Time();
  const circuitBreaker = new CircuitBreaker({ failureThreshold: 1, recoveryTimeoutMs: 30_000, clock: time.clock });
  const policy = new Policy({ circuitBreaker });
  await policy.execute(script(failure(503)));
  assert.instanceOf(await rejection(policy.call(script(1))), CircuitOpenError);
  time.advance(30_000);
  assert.equal(await policy.call(script("back")), "back");
});

test("a deadline ends a call although the request is over in which another call of its policy began", async ({
  env,
}) => {
  // Its timers end with the request: each call has its own.
  const asks = async (ms) => (await env.SELF.fetch(`http://worker/hurried?ms=${ms}`)).json();
  const [first, second] = await Promise.all([asks(30), asks(0)]);
  assert.deepEqual([first, second], [null, "DEADLINE_EXCEEDED"]);
});

test("what one isolate counts, the other knows", async ({ env }) => {
  const [one, two] = twins(env);
  await through(one).execute(script(failure(503)));
  await through(two).execute(script(failure(503)));
  const operation = script(1);
  const outcome = await through(one).execute(operation);
  assert.instanceOf(outcome.error, CircuitOpenError);
  assert.isAbove(outcome.error.retryAfterMs, 0);
  assert.isAtMost(outcome.error.retryAfterMs, 300);
  assert.equal(operation.calls, 0);
  assert.equal((await through(two).execute(operation)).error.name, "CircuitOpenError");
});

test("of many callers in two isolates one is the probe", async ({ env }) => {
  const [one, two, advance] = twins(env);
  for (let n = 0; n < 2; n += 1) await through(one).execute(script(failure(503)));
  await advance(300);
  let reached = 0;
  let rejected = 0;
  let answer;
  const operation = () => {
    reached += 1;
    return new Promise((resolve) => (answer = resolve));
  };
  const calls = Array.from({ length: 20 }, async (_, n) => {
    const outcome = await through(n % 2 ? one : two).execute(operation);
    if (!outcome.ok && ++rejected === 19) answer("alive");
    return outcome;
  });
  const outcomes = await Promise.all(calls);
  assert.equal(reached, 1);
  assert.equal(outcomes.filter(({ ok }) => ok).length, 1);
});

test("a probe whose isolate is gone gives its place up when its lease ends", async ({ env }) => {
  const [one, two, advance] = twins(env, { leaseMs: 200 });
  for (let n = 0; n < 2; n += 1) await through(one).execute(script(failure(503)));
  await advance(300);
  await new Promise((admitted) => {
    void through(one).execute(() => {
      admitted();
      return new Promise(() => {});
    });
  });
  await advance(199);
  assert.equal((await through(two).execute(script(1))).ok, false);
  await advance(1);
  assert.equal((await through(two).execute(script("again"))).value, "again");
});

test("an object that cannot be reached means local state and an event", async () => {
  const heard = [];
  const breaker = new DurableCircuitBreaker(unreachable, {
    name: "x",
    ...settings,
    onUnreachable: (error) => heard.push(error.message),
  });
  const policy = through(breaker);
  assert.equal(await policy.call(script("local")), "local");
  assert.isNotEmpty(heard);
  for (let n = 0; n < 2; n += 1) await policy.execute(script(failure(503)));
  assert.instanceOf((await policy.execute(script(1))).error, CircuitOpenError);
});

test("an object that cannot be reached rejects, where that is asked for", async () => {
  const breaker = new DurableCircuitBreaker(unreachable, { name: "x", ...settings, whenUnreachable: "reject" });
  const operation = script(1);
  assert.equal((await through(breaker).execute(operation)).ok, false);
  assert.equal(operation.calls, 0);
  assert.deepEqual(breaker.latency, { count: 0, lastMs: 0, minMs: 0, maxMs: 0, meanMs: 0, unreachable: 1 });
  const budget = new DurableBudget(unreachable, { name: "x", maxRetries: 9, whenUnreachable: "reject" });
  assert.isFalse(await budget.consume());
});

for (const whenUnreachable of ["local", "reject"]) {
  test(`an object that hangs counts as unreachable after its time: ${whenUnreachable}`, async (context) => {
    const { url } = flaky(context, "hang");
    const { HUNG } = context.env;
    // Its question goes on to a server that never answers: nothing else hangs in workerd.
    const signals = [];
    const hung = {
      idFromName: (name) => HUNG.idFromName(name),
      get: (id) => ({
        fetch: (_, init) => {
          signals.push(init.signal);
          return HUNG.get(id).fetch(url, init);
        },
      }),
    };
    const heard = [];
    const onUnreachable = (error) => heard.push(error);
    const breaker = new DurableCircuitBreaker(hung, {
      name: "hung",
      ...settings,
      timeoutMs: 40,
      whenUnreachable,
      onUnreachable,
    });
    const operation = script("local");
    const outcome = await through(breaker).execute(operation);
    assert.deepEqual([outcome.ok, operation.calls], whenUnreachable === "local" ? [true, 1] : [false, 0]);
    assert.equal(heard[0].name, "TimeoutError");
    assert.match(heard[0].message, /hung: the object did not answer within 40 ms/);
    assert.equal(breaker.latency.unreachable, heard.length);
    assert.isTrue(
      signals.every(({ aborted }) => aborted),
      "a question is taken back",
    );
  });
}

test("a time limit holds for an object that is deaf to signals", async () => {
  const deaf = { idFromName: (name) => name, get: () => ({ fetch: () => new Promise(() => {}) }) };
  const budget = new DurableBudget(deaf, { name: "deaf", maxRetries: 1, timeoutMs: 5 });
  assert.deepEqual([await budget.consume(), await budget.consume()], [true, false]);
  assert.equal(budget.latency.unreachable, 2);
});

test("an object decides by the time of day, which stays while it is moved", () => {
  assert.isAtMost(Math.abs(new RedressState({ storage: {} }).now() - Date.now()), 1_000);
});

test("what asking adds is measured over all answers", async ({ env }) => {
  const breaker = new DurableCircuitBreaker(env.BREAKERS, { name: fresh("latency"), ...settings });
  for (let n = 0; n < 5; n += 1) await through(breaker).call(script(n));
  const { count, lastMs, minMs, maxMs, meanMs, unreachable: lost } = breaker.latency;
  assert.deepEqual([count, lost], [10, 0]);
  for (const ms of [lastMs, meanMs]) assert.isTrue(minMs <= ms && ms <= maxMs, `${minMs} ${ms} ${maxMs}`);
  assert.isAbove(maxMs, 0);
});

test("a budget is shared by isolates", async ({ env }) => {
  const name = `budget-${Date.now()}`;
  const make = () => new DurableBudget(env.BREAKERS, { name, maxRetries: 3, windowMs: 60_000 });
  const operation = script(failure(503));
  for (const budget of [make(), make()]) {
    const policy = new Policy({ retry: { strategy: backoff.constant(0), maxAttempts: 3, budget } });
    await policy.execute(operation);
  }
  // Two calls, and the three retries the budget had.
  assert.equal(operation.calls, 5);
});

test("a ratio budget is shared by isolates, and gets the number of calls with the next question", async ({ env }) => {
  const name = fresh("ratio");
  const make = () => new DurableBudget(env.BREAKERS, { name, ratio: 0.1, initial: 0, floorPerSec: 0 });
  const [one, two] = [make(), make()];
  const policy = (budget) => new Policy({ retry: { strategy: backoff.constant(0), maxAttempts: 9, budget } });
  for (let n = 0; n < 29; n += 1) await policy(one).call(script(n));
  assert.equal(one.latency.count, 0);
  const down = script(failure(503));
  assert.equal((await policy(one).execute(down)).stopReason, "BUDGET_EXHAUSTED");
  // Thirty calls earn three retries, here or there.
  assert.deepEqual([down.calls, one.latency.count], [4, 4]);
  assert.isFalse(await two.consume());
  for (let n = 0; n < 10; n += 1) await policy(two).call(script(n));
  assert.isTrue(await two.consume());
  assert.isFalse(await one.consume());
});

test("a ratio budget that cannot reach its object earns here", async () => {
  const budget = new DurableBudget(unreachable, { name: "x", ratio: 0.5, initial: 0, floorPerSec: 0 });
  for (let n = 0; n < 4; n += 1) budget.deposit();
  assert.deepEqual([await budget.consume(2), await budget.consume()], [true, false]);
});

test("a breaker and a budget of one name keep apart, in one object", async ({ env }) => {
  const name = `both-${Date.now()}`;
  const breaker = new DurableCircuitBreaker(env.BREAKERS, { name, ...settings, failureThreshold: 1 });
  const budget = new DurableBudget(env.BREAKERS, { name, maxRetries: 1, windowMs: 60_000 });
  assert.equal(await through(breaker).call(script("first")), "first");
  assert.deepEqual([await budget.consume(), await budget.consume()], [true, false]);
  await through(breaker).execute(script(failure(503)));
  assert.instanceOf((await through(breaker).execute(script(1))).error, CircuitOpenError);
});

test("an object answers a request that is repeated as it did the first time", async ({ env }) => {
  const object = env.BREAKERS.get(env.BREAKERS.idFromName(`again-${Date.now()}`));
  const ask = async (body) => {
    const own = { settings: { failureThreshold: 2, windowMs: 60_000 }, ...body };
    return (await object.fetch("https://redress/", { method: "POST", body: JSON.stringify(own) })).json();
  };
  assert.deepEqual(await ask({ ask: "admit", id: "a" }), await ask({ ask: "admit", id: "a" }));
  // The failure of one permit counts once, however often it is told.
  for (let n = 0; n < 3; n += 1) await ask({ ask: "settle", id: "a", result: "TRANSIENT" });
  assert.equal((await ask({ ask: "admit", id: "b" })).ok, true);
  assert.equal((await ask({ ask: "settle", id: "b", result: "TRANSIENT" })).state, "open");
});

test("an object refuses what no handle asks, by name, and a handle takes that for unreachable", async ({ env }) => {
  const object = env.BREAKERS.get(env.BREAKERS.idFromName(fresh("wrong")));
  for (const [body, words] of [
    ["{", /JSON/i],
    ["null", /ask: undefined is not "admit", "settle" or "consume"/],
    [{ ask: "open", id: "a" }, /ask: "open" is not/],
    [{ ask: "admit", settings: {} }, /id: undefined is not a string/],
    [{ ask: "admit", id: "a", settings: { windowMs: -1 } }, /circuitBreaker.windowMs: -1/],
    [{ ask: "consume", id: "a", settings: { ratio: 0.1 }, cost: 1, calls: -1 }, /calls: -1/],
    [{ ask: "consume", id: "a", settings: { ratio: 0.1 }, cost: "1", calls: 0 }, /cost: "1"/],
  ]) {
    const sent = typeof body === "string" ? body : JSON.stringify(body);
    const response = await object.fetch("https://redress/", { method: "POST", body: sent });
    assert.equal(response.status, 400);
    assert.match((await response.json()).error, words);
  }
  const refusing = {
    idFromName: (name) => name,
    get: () => ({ fetch: async () => Response.json({ error: "no" }, { status: 400 }) }),
  };
  const heard = [];
  const breaker = new DurableCircuitBreaker(refusing, {
    name: "x",
    onUnreachable: (error) => heard.push(error.message),
  });
  assert.isTrue((await breaker.admit()).ok);
  assert.match(heard[0], /x: the object answered 400: \{"error":"no"\}/);
});

for (const [name, more, words] of [
  ["a namespace", [{}], "a namespace of Durable Objects"],
  ["options", [unreachable], "undefined is not an object of options"],
  ["name", [unreachable, { name: 7 }], "name: 7 is not a string"],
  ["whenUnreachable", [unreachable, { whenUnreachable: "wait" }], 'whenUnreachable: "wait" is not "local" or "reject"'],
  [
    "timeoutMs",
    [unreachable, { timeoutMs: 0 }],
    "timeoutMs: 0 is out of range: a number of at least 1, at most 2147483647",
  ],
  ["timeoutMs", [unreachable, { timeoutMs: "1s" }], 'timeoutMs: "1s" is not a number'],
  ["timeoutMs", [unreachable, { timeoutMs: -Infinity }], "timeoutMs: -Infinity is out of range"],
  ["onUnreachable", [unreachable, { onUnreachable: 7 }], "onUnreachable: 7 is not a function"],
  ["clock", [unreachable, { clock: () => 1 }], "clock: "],
  ["what does not exist", [unreachable, { ratios: 1 }], "ratios is no option"],
]) {
  test(`a handle refuses a wrong ${name}: ${words}`, () => {
    for (const [Handle, own] of [
      [DurableCircuitBreaker, {}],
      [DurableBudget, { maxRetries: 1 }],
    ]) {
      const [namespace, given] = more;
      const right = given === undefined && words.includes("options") ? undefined : { name: "x", ...own, ...given };
      const error = thrown(() => new Handle(namespace, right));
      assert.isTrue(error instanceof TypeError || error instanceof RangeError);
      assert.include(error.message, words);
    }
  });
}

test("an object writes down what has changed, and nothing else", async ({ env }) => {
  const [one, two, advance, writes] = twins(env);
  for (let n = 0; n < 5; n += 1) await through(one).call(script(n));
  assert.equal(await writes(), 1);
  for (let n = 0; n < 2; n += 1) await through(two).execute(script(failure(503)));
  assert.equal(await writes(), 3);
  for (let n = 0; n < 5; n += 1) {
    await advance(50);
    assert.isFalse((await through(one).execute(script(n))).ok);
  }
  assert.equal(await writes(), 3);
  await advance(50);
  assert.equal(await through(one).call(script("probe")), "probe");
  assert.equal(await writes(), 5);
});

test("permits of isolates that are gone do not pile up in an object", async () => {
  const kept = new Map();
  const storage = { get: async (key) => kept.get(key), put: async (key, value) => kept.set(key, value) };
  const object = new RedressState({ storage });
  const ask = async (body) => {
    const sent = JSON.stringify({ settings: { failureThreshold: 1 }, ...body });
    return (await object.fetch(new Request("https://redress/", { method: "POST", body: sent }))).json();
  };
  for (let n = 0; n <= 10_000; n += 1) await ask({ ask: "admit", id: String(n) });
  // The first of so many is taken back, as if it had been cancelled; the next one still counts.
  assert.deepEqual(await ask({ ask: "settle", id: "0", result: "TRANSIENT" }), { state: null });
  assert.deepEqual(await ask({ ask: "settle", id: "1", result: "TRANSIENT" }), { state: "open" });
});

test("a deferred message comes back after its delay, rounded up to whole seconds", () => {
  for (const [nextSleepMs, delaySeconds] of [
    [1, 1],
    [1_000, 1],
    [1_001, 2],
    [10 ** 9, 43_200],
    [Infinity, 43_200],
  ]) {
    const asked = [];
    const message = { retry: (options) => asked.push(options), ack: () => asked.push("ack") };
    assert.isTrue(deferMessage(message, { ok: false, stopReason: "SCHEDULED", nextSleepMs }));
    assert.deepEqual(asked, [{ delaySeconds }]);
  }
  const untouched = { retry: () => assert.fail("retried") };
  assert.isFalse(deferMessage(untouched, { ok: false, stopReason: "MAX_ATTEMPTS_GLOBAL", nextSleepMs: null }));
});

test("a message that carries a deferred call is sent before the old one is acknowledged", async () => {
  const outcome = await through(undefined, {
    retry: { strategy: backoff.constant(1_500), deadlineMs: 60_000 },
  }).execute(script(failure(503)), { sleep: () => "defer" });
  const order = [];
  const message = { ack: () => order.push("ack"), retry: () => order.push("retry") };
  const sends = async (resume, options) => void order.push([resume.attempts, options]);
  assert.isTrue(await deferMessage(message, outcome, sends));
  assert.deepEqual(order, [[1, { delaySeconds: 2 }], "ack"]);
  order.length = 0;
  const fails = () => Promise.reject(new Error("the queue is full"));
  assert.equal((await rejection(deferMessage(message, outcome, fails))).message, "the queue is full");
  const other = { stopReason: "MAX_ATTEMPTS_GLOBAL", nextSleepMs: null, resume: null };
  assert.isFalse(await deferMessage(message, other, sends));
  assert.deepEqual(order, []);
});

test("a message that a policy defers is delivered again by the queue, after the delay", async (context) => {
  const { env } = context;
  const { url, log } = flaky(context, "429;retry-after=2,200");
  await env.JOBS.send({ url });
  const [first, second] = await log({ arrived: 2 });
  assert.isAtLeast(second.atMs - first.atMs, 1_900);
});

test("a message whose Retry-After is longer than the deadline is delivered again by the queue after all of it", async (context) => {
  const { env } = context;
  const { url, log } = flaky(context, "429;retry-after=2,200");
  await env.JOBS.send({ url, deadlineMs: 1_000 });
  const [first, second] = await log({ arrived: 2 });
  assert.isAtLeast(second.atMs - first.atMs, 1_900);
});

test("a breaker in a Durable Object takes no option that asks in the middle of a call", (context) => {
  const { BREAKERS } = context.env;
  for (const more of [{ checkBeforeRetry: true }, { openForHintMs: 1_000 }]) {
    assert.match(
      thrown(() => new DurableCircuitBreaker(BREAKERS, { name: "x", ...more })).message,
      /^durableCircuitBreaker\.\w+: (true|1000) is not an option here: /,
    );
  }
});
