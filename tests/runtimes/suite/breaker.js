// The circuit breaker: when it opens, whom it lets through, what it tells.

import { backoff, CircuitBreaker, CircuitOpenError, Policy, rateOfCalls, restore, snapshot } from "redress";
import { assert, describe, rejection, test, thrown } from "./harness.js";
import { failure, STATUS, script, stage } from "./stage.js";

const FIVE = { failureThreshold: 5, windowMs: 60_000, recoveryTimeoutMs: 30_000 };
const TWO = { ...FIVE, failureThreshold: 2 };
const strategy = backoff.constant(1);

async function fail(stand, times, error = failure(503)) {
  for (let n = 0; n < times; n += 1) await stand.execute(script(error));
}

describe("breaker");

test("opens after five failures within a minute of classes that trip it", async () => {
  for (const settings of [FIVE, {}]) {
    const stand = stage({ breaker: settings });
    await fail(stand, 4);
    assert.equal(stand.breaker.state, "closed");
    await fail(stand, 1, failure(408));
    assert.equal(stand.breaker.state, "open");
    assert.equal(stand.names().at(-1), "circuit_opened");
  }
});

test("a class that does not trip is ignored, until half-open", async () => {
  const stand = stage({ breaker: TWO });
  await fail(stand, 10, failure(STATUS.RATE_LIMIT));
  assert.equal(stand.breaker.state, "closed");
  await fail(stand, 2);
  stand.time.advance(30_000);
  await fail(stand, 1, failure(STATUS.PERMANENT));
  assert.equal(stand.breaker.state, "open");
});

test("a class with a threshold of its own trips by it alone", async () => {
  const stand = stage({ breaker: { ...FIVE, classThresholds: { RATE_LIMIT: 2, TRANSIENT: 9 } } });
  await fail(stand, 6, failure(STATUS.TRANSIENT));
  await fail(stand, 1, failure(STATUS.RATE_LIMIT));
  assert.equal(stand.breaker.state, "closed");
  await fail(stand, 1, failure(STATUS.RATE_LIMIT));
  assert.equal(stand.breaker.state, "open");
});

test("a failure leaves the window at exactly its end", async () => {
  for (const [age, state] of [
    [59_999, "open"],
    [60_000, "closed"],
  ]) {
    const stand = stage({ breaker: TWO });
    await fail(stand, 1);
    stand.time.advance(age);
    await fail(stand, 1);
    assert.equal(stand.breaker.state, state);
  }
});

test("half-open comes by asking after the recovery time, not by a timer", async () => {
  const stand = stage({ breaker: TWO });
  await fail(stand, 2);
  stand.time.advance(29_999);
  const early = await rejection(stand.call(script(1)));
  assert.instanceOf(early, CircuitOpenError);
  assert.equal(early.retryAfterMs, 1);
  stand.time.advance(1);
  assert.equal(stand.breaker.state, "open");
  stand.events.length = 0;
  assert.equal(await stand.call(script("back")), "back");
  assert.deepEqual(stand.names(), ["circuit_half_open", "success", "circuit_closed"]);
});

test("of fifty callers that ask at once, one is the probe and no caller waits behind it", async () => {
  const stand = stage({ breaker: TWO });
  await fail(stand, 2);
  stand.time.advance(30_000);
  let answer;
  let reached = 0;
  const operation = () => {
    reached += 1;
    return new Promise((resolve) => (answer = resolve));
  };
  const calls = Array.from({ length: 50 }, () => stand.execute(operation));
  const rejected = await Promise.all(calls.slice(1));
  assert.equal(reached, 1);
  for (const outcome of rejected) assert.instanceOf(outcome.error, CircuitOpenError);
  assert.equal(rejected[0].error.state, "half_open");
  answer("alive");
  assert.equal((await calls[0]).value, "alive");
  assert.equal(stand.breaker.state, "closed");
});

test("a failing probe opens anew for the whole recovery time; closing forgets all failures", async () => {
  const stand = stage({ breaker: TWO });
  await fail(stand, 2);
  stand.time.advance(30_000);
  await fail(stand, 1);
  stand.time.advance(29_999);
  assert.instanceOf(await rejection(stand.call(script(1))), CircuitOpenError);
  stand.time.advance(1);
  await stand.call(script(1));
  await fail(stand, 1);
  assert.equal(stand.breaker.state, "closed");
});

test("an aborted probe frees its place and decides nothing", async () => {
  const stand = stage({ breaker: TWO });
  await fail(stand, 2);
  stand.time.advance(30_000);
  const controller = new AbortController();
  const probe = stand.call(() => new Promise(() => {}), { signal: controller.signal });
  controller.abort(new Error("enough"));
  assert.equal((await rejection(probe)).message, "enough");
  assert.equal(stand.breaker.state, "half_open");
  assert.equal(await stand.call(script("next")), "next");
  assert.equal(stand.breaker.state, "closed");
});

test("a hung probe gives its place up when its lease ends, and its late result changes nothing", async () => {
  const stand = stage({ breaker: { ...TWO, leaseMs: 5_000 } });
  await fail(stand, 2);
  stand.time.advance(30_000);
  let late;
  const hung = stand.execute(() => new Promise((_, reject) => (late = reject)));
  stand.time.advance(4_999);
  assert.instanceOf(await rejection(stand.call(script(1))), CircuitOpenError);
  stand.time.advance(1);
  assert.equal(await stand.call(script("again")), "again");
  assert.equal(stand.breaker.state, "closed");
  late(failure(503));
  await hung;
  assert.equal(stand.breaker.state, "closed");
});

test("a call counts once, however many attempts it made", async () => {
  const stand = stage({ retry: { strategy, maxAttempts: 4 }, breaker: TWO });
  await fail(stand, 1);
  assert.equal(stand.breaker.state, "closed");
  await fail(stand, 1);
  assert.equal(stand.breaker.state, "open");
});

test("an open breaker rejects without calling, and the rejection is no failure", async () => {
  const stand = stage({ retry: { strategy }, breaker: TWO });
  await fail(stand, 2);
  stand.events.length = 0;
  const operation = script(1);
  const outcome = await stand.execute(operation);
  assert.equal(operation.calls, 0);
  assert.equal(outcome.ok, false);
  assert.equal(outcome.attempts, 0);
  assert.instanceOf(outcome.error, CircuitOpenError);
  assert.equal(outcome.error.name, "CircuitOpenError");
  assert.equal(outcome.error.state, "open");
  assert.equal(outcome.error.retryAfterMs, 30_000);
  assert.deepEqual(stand.names(), ["circuit_rejected"]);

  const outer = stage({ breaker: { ...TWO, failureThreshold: 1 } });
  await outer.execute(() => stand.call(operation));
  assert.equal(outer.breaker.state, "closed");
});

test("a breaker's events carry its state, attempt 0, no delay, and the operation", async () => {
  const stand = stage({ breaker: { ...TWO, failureThreshold: 1 } });
  const heard = [];
  const onMetric = (...words) => heard.push(words);
  await stand.execute(script(failure(503)), { operation: "read", onMetric });
  const [name, attempt, sleepMs, tags] = heard.at(-1);
  assert.deepEqual([name, attempt, sleepMs], ["circuit_opened", 0, 0]);
  assert.equal(tags.state, "open");
  assert.equal(tags.class, "SERVER_ERROR");
  assert.equal(tags.operation, "read");
});

test("a hook that throws on a breaker's event changes nothing", async () => {
  const stand = stage({ breaker: { ...TWO, failureThreshold: 1 } });
  const error = failure(503);
  const reported = [];
  const onEvent = () => {
    throw new Error("hook");
  };
  const options = { onEvent, onHookError: (why) => reported.push(why.message) };
  assert.strictEqual(await rejection(stand.policy.call(script(error), options)), error);
  assert.equal(stand.breaker.state, "open");
  assert.include(reported, "hook");
});

test("a breaker without retry counts values that are failures", async () => {
  const stand = stage({
    breaker: { ...TWO, failureThreshold: 1 },
    resultClassifier: (value) => (value === "bad" ? "SERVER_ERROR" : null),
  });
  await stand.execute(script("bad"));
  assert.equal(stand.breaker.state, "open");
});

test("settings out of range are refused by name", () => {
  for (const [settings, field] of [
    [{ failureThreshold: 0 }, /failureThreshold/],
    [{ windowMs: 0 }, /windowMs/],
    [{ recoveryTimeoutMs: 0 }, /recoveryTimeoutMs/],
    [{ recoveryTimeoutMs: -1 }, /recoveryTimeoutMs/],
    [{ classThresholds: { RATE_LIMIT: 0 } }, /classThresholds\.RATE_LIMIT/],
    [{ tripOn: ["RATE_LIMITS"] }, /tripOn/],
  ]) {
    assert.match(thrown(() => new CircuitBreaker(settings)).message, field);
  }
});

test("half-open keeps the caller's signal", async () => {
  const stand = stage({ breaker: TWO });
  await fail(stand, 2);
  stand.time.advance(30_000);
  const controller = new AbortController();
  let inner;
  const probe = stand.call(
    ({ signal }) => {
      inner = signal;
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    },
    { signal: controller.signal },
  );
  controller.abort("stop");
  assert.equal(await probe.catch((reason) => reason), "stop");
  assert.isTrue(inner.aborted);
});

test("a snapshot keeps when it opened, through JSON", async () => {
  const stand = stage({ breaker: TWO });
  await fail(stand, 2);
  stand.time.advance(10_000);
  const saved = JSON.parse(JSON.stringify(snapshot(stand.breaker)));
  const later = stage({ breaker: TWO });
  restore(later.breaker, saved);
  assert.equal(later.breaker.state, "open");
  const error = await rejection(later.call(script(1)));
  assert.equal(error.retryAfterMs, 20_000);
});

test("a damaged or newer snapshot is refused, and nothing is changed", async () => {
  const stand = stage({ breaker: TWO });
  await fail(stand, 2);
  const saved = snapshot(stand.breaker);
  const text = JSON.stringify(saved);
  for (const damaged of [
    null,
    7,
    "",
    {},
    [],
    JSON.parse(text.replace(/[1-9]/, (digit) => (digit === "9" ? "1" : "9"))),
  ]) {
    assert.isNotEmpty(thrown(() => restore(stand.breaker, damaged)).message);
    assert.equal(stand.breaker.state, "open");
  }
  const other = new CircuitBreaker({ ...TWO, windowMs: 1_000 });
  assert.isNotEmpty(thrown(() => restore(other, saved)).message);
  assert.equal(other.state, "closed");
});

test("a rate window slides: it opens after fifty failures whatever came before", async () => {
  const stand = stage({ breaker: { window: rateOfCalls({ size: 100, rate: 0.5, minCalls: 10 }) } });
  for (let n = 0; n < 1_000; n += 1) await stand.call(script(1));
  await fail(stand, 49);
  assert.equal(stand.breaker.state, "closed");
  await fail(stand, 1);
  assert.equal(stand.breaker.state, "open");
});

test("a breaker that many policies use is one breaker", async () => {
  const breaker = new CircuitBreaker(TWO);
  const one = new Policy({ circuitBreaker: breaker });
  const two = new Policy({ circuitBreaker: breaker });
  await one.execute(script(failure(503)));
  await two.execute(script(failure(503)));
  assert.equal(breaker.state, "open");
  assert.instanceOf((await one.execute(script(1))).error, CircuitOpenError);
});

test("a rejection has a stack trace where it is asked for, and pays for none elsewhere", async () => {
  const { call } = stage({ breaker: { failureThreshold: 1 } });
  await rejection(call(script(failure(503))));
  const frames = (error) =>
    String(error.stack ?? "")
      .split("\n")
      .filter((line) => /^\s+at |@/.test(line)).length;
  const plain = await rejection(call(script(1)));
  const traced = await rejection(call(script(1), { stackTrace: true }));
  assert.equal(traced.name, "CircuitOpenError");
  assert.isAbove(frames(traced), 0);
  // Firefox has no switch for it.
  if ("stackTraceLimit" in Error) assert.equal(frames(plain), 0);
  assert.match((await rejection(call(script(1), { stackTrace: "yes" }))).message, /stackTrace/);
});
