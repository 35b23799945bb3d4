// redressFetch against a server that fails: what is no failure, what is sent once, aborts, and the time of a body.

import {
  Budget,
  backoff,
  CircuitBreaker,
  CircuitOpenError,
  classify,
  Keyed,
  KeyedPolicy,
  outcomeOf,
  Policy,
  redressFetch,
} from "redress";
import { assert, describe, rejection, test, thrown } from "./harness.js";
import { flaky } from "./server.js";

describe("fetch");

const strategy = backoff.constant(2);

/** A policy that says nothing of HTTP. */
function plain(retry = {}, policy = {}) {
  return new Policy({ retry: { strategy, maxAttempts: 4, ...retry }, ...policy });
}

const steps = async (log) => (await log()).map((entry) => entry.step);

test("without a policy it retries, and follows Retry-After", async (context) => {
  const { url, log } = flaky(context, "503;retry-after=0,200");
  const response = await redressFetch()(url);
  assert.equal(await response.text(), "answered 200");
  assert.deepEqual(await steps(log), ["503;retry-after=0", "200"]);
  const heard = [];
  const other = flaky(context, "404");
  const get = redressFetch({ onEvent: ({ event, class: kind }) => heard.push([event, kind]) });
  assert.equal((await get(other.url)).status, 404);
  assert.deepEqual(heard, [["permanent_fail", "PERMANENT"]]);
});

test("a policy that says nothing of HTTP classifies by it; one that does is asked", async (context) => {
  const { url, log } = flaky(context, "503,503,200");
  assert.equal((await redressFetch(plain())(url)).status, 200);
  assert.equal((await log()).length, 3);
  const other = flaky(context, "503,200");
  const own = plain({ resultClassifier: () => null });
  assert.equal((await redressFetch(own)(other.url)).status, 503);
  assert.equal((await other.log()).length, 1);
});

test("outcomeOf knows the call of an error that it throws", async () => {
  const circuitBreaker = new CircuitBreaker({ failureThreshold: 1 });
  const get = redressFetch(plain({ maxAttempts: 2 }, { circuitBreaker }));
  const refused = await rejection(get("http://127.0.0.1:49151/"));
  const { attempts, stopReason, lastClass } = outcomeOf(refused);
  assert.deepEqual([attempts, stopReason, lastClass], [2, "MAX_ATTEMPTS_GLOBAL", "TRANSIENT"]);
  const rejected = await rejection(get("http://127.0.0.1:49151/"));
  assert.instanceOf(rejected, CircuitOpenError);
  assert.equal(outcomeOf(rejected).attempts, 0);
});

test("a 304 and a redirect that is not followed are no failures", async (context) => {
  const circuitBreaker = new CircuitBreaker({ failureThreshold: 1, tripOn: ["UNKNOWN", "PERMANENT", "TRANSIENT"] });
  const get = redressFetch(plain({}, { circuitBreaker }));
  const same = flaky(context, "304");
  assert.equal((await get(same.url, { headers: { "if-none-match": '"1"' } })).status, 304);
  const moved = flaky(context, "302;location=/flaky/elsewhere");
  assert.include([0, 302], (await get(moved.url, { redirect: "manual" })).status);
  for (const { log } of [same, moved]) assert.equal((await log()).length, 1);
  assert.equal(circuitBreaker.state, "closed");
  const opaque = { status: 0, ok: false, type: "opaque", headers: new Headers() };
  assert.isNull(classify.http(opaque));
});

test("a request that is sent once spends no token, has no retry event, and fails as fetch does", async (context) => {
  const budget = new Budget({ maxRetries: 5 });
  const events = [];
  const circuitBreaker = new CircuitBreaker({ failureThreshold: 2 });
  const get = redressFetch(plain({ budget }, { circuitBreaker, onEvent: ({ event }) => events.push(event) }));
  const { url, log } = flaky(context, "503");
  assert.equal((await get(url, { method: "POST", body: "x" })).status, 503);
  assert.equal((await log()).length, 1);
  const reset = flaky(context, "reset");
  const error = await rejection(get(reset.url, { method: "POST", body: "x" }));
  const own = await rejection(fetch(flaky(context, "reset").url, { method: "POST", body: "x" }));
  assert.equal(error.name, own.name);
  assert.equal(error.message, own.message);
  assert.equal(budget.remaining(), 5);
  assert.notInclude(events, "retry");
  assert.notInclude(events, "scheduled");
  assert.equal(circuitBreaker.state, "open");
});

test("an abort while it waits rejects with the caller's reason, not with the response before", async (context) => {
  const { url } = flaky(context, "503");
  const controller = new AbortController();
  const get = redressFetch(plain({ strategy: backoff.constant(60_000), deadlineMs: null }), {
    beforeSleep: () => controller.abort("the user left"),
  });
  assert.equal(await rejection(get(url, { signal: controller.signal })), "the user left");
  const deferred = redressFetch(plain(), { sleep: () => "abort" });
  assert.equal((await rejection(deferred(url))).name, "AbortRetryError");
  let asked = 0;
  const predicate = redressFetch(plain(), { abortIf: () => (asked += 1) > 1 });
  assert.equal((await rejection(predicate(url))).name, "AbortRetryError");
});

test("a signal of null is none, also where a Request has one", async (context) => {
  const { url } = flaky(context, "200");
  const controller = new AbortController();
  const request = new Request(url, { signal: controller.signal });
  controller.abort("not meant");
  assert.equal((await redressFetch(plain())(request, { signal: null })).status, 200);
  assert.equal(await rejection(redressFetch(plain())(request)), "not meant");
});

test("a body may stream for longer than an attempt may take, unless the time covers the body", async (context) => {
  const limited = { attemptTimeoutMs: 1_000, maxAttempts: 2 };
  const { url } = flaky(context, "drip=75");
  const response = await redressFetch(plain(limited))(url);
  assert.equal(await response.text(), "line\n".repeat(75));
  const whole = redressFetch(plain(limited), { timeoutCovers: "body" });
  const other = flaky(context, "drip=75");
  assert.equal((await rejection(whole(other.url))).name, "TimeoutError");
  const short = flaky(context, "truncate,drip=2");
  const kept = await whole(short.url);
  assert.equal(await kept.text(), "line\nline\n");
  assert.equal(kept.url, short.url);
  assert.equal((await short.log()).length, 2);
});

test("the operation is method and host, or the key of a KeyedPolicy, which its circuit events keep", async (context) => {
  const { url } = flaky(context, "503");
  const { host } = new URL(url);
  const operations = [];
  const onEvent = ({ event, operation }) => operations.push([event, operation]);
  await redressFetch(plain({ maxAttempts: 1 }, { onEvent }))(`${url}&token=secret`);
  assert.deepEqual(operations.splice(0), [["max_attempts_exceeded", `GET ${host}`]]);
  const circuitBreaker = new Keyed(CircuitBreaker, { capacity: 4, failureThreshold: 1 });
  const keyed = new KeyedPolicy({ retry: { strategy, maxAttempts: 1 }, circuitBreaker, onEvent });
  await redressFetch(keyed)(url);
  assert.deepEqual(operations.splice(0), [
    ["max_attempts_exceeded", host],
    ["circuit_opened", host],
  ]);
  await rejection(redressFetch(keyed, { operation: "list items" })(url));
  assert.deepEqual(operations, [["circuit_rejected", host]]);
});

test("a fetch of one's own is used, and no body that was cloned is waited for", async () => {
  const answers = [503, 200].map((status) => new Response(new ReadableStream({ pull() {} }), { status }));
  const cloned = answers[0].clone();
  const seen = [];
  const own = async (input, init) => {
    seen.push([String(input), init.method]);
    return answers[seen.length - 1];
  };
  const get = redressFetch(plain(), { fetch: own });
  assert.equal((await get("https://api.example.com/items", { method: "PUT" })).status, 200);
  assert.equal(seen.length, 2);
  assert.isFalse(cloned.bodyUsed);
  assert.match(thrown(() => redressFetch(plain(), { fetch: 5 })).message, /^redressFetch\.fetch: 5 is not a function/);
  assert.match(thrown(() => redressFetch({ timeoutCovers: "all" })).message, /^redressFetch\.timeoutCovers: "all"/);
});
