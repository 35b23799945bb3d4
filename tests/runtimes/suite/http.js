// Real HTTP against a server that fails: statuses, hints, resets, hangs, bodies.

import { backoff, CircuitBreaker, CircuitOpenError, classify, Policy, redressFetch } from "redress";
import { assert, describe, rejection, test } from "./harness.js";
import { flaky } from "./server.js";
import { Time } from "./stage.js";

describe("http");

/** A policy as a program would have it, only quicker. */
function upstream(more = {}, policy = {}) {
  return new Policy({
    retry: {
      resultClassifier: classify.http,
      strategy: backoff.decorrelatedJitter({ baseMs: 2, maxMs: 20 }),
      strategies: { RATE_LIMIT: backoff.retryAfterOr(backoff.constant(5), { jitterMs: 0 }) },
      maxAttempts: 4,
      deadlineMs: 20_000,
      ...more,
    },
    ...policy,
  });
}

const steps = async (log) => (await log()).map((entry) => entry.step);

test("a burst of 503 is retried until the server answers", async (context) => {
  const { url, log } = flaky(context, "503,503,200");
  const outcome = await upstream().execute(({ signal }) => fetch(url, { signal }));
  assert.equal(outcome.value.status, 200);
  assert.equal(await outcome.value.text(), "answered 200");
  assert.equal(outcome.attempts, 3);
  assert.deepEqual(await steps(log), ["503", "503", "200"]);
});

test("a 503 that stays is a RetryExhaustedError with the last Response", async (context) => {
  const { url, log } = flaky(context, "503");
  const error = await rejection(upstream().call(() => fetch(url)));
  assert.equal(error.name, "RetryExhaustedError");
  assert.equal(error.lastResult.status, 503);
  assert.equal((await log()).length, 4);
});

for (const [status, stopReason, lastClass] of [
  [404, "NON_RETRYABLE_CLASS", "PERMANENT"],
  [401, "NON_RETRYABLE_CLASS", "AUTH"],
  [403, "NON_RETRYABLE_CLASS", "PERMISSION"],
]) {
  test(`${status} is asked once`, async (context) => {
    const { url, log } = flaky(context, String(status));
    const outcome = await upstream().execute(() => fetch(url));
    assert.equal(outcome.stopReason, stopReason);
    assert.equal(outcome.lastClass, lastClass);
    assert.equal(outcome.lastResult.status, status);
    assert.equal((await log()).length, 1);
  });
}

test("Retry-After in seconds is waited for", async (context) => {
  const { url } = flaky(context, "429;retry-after=7,200");
  const { sleeps, clock, sleeper } = new Time();
  assert.equal((await upstream({ clock, sleeper }).call(() => fetch(url))).status, 200);
  assert.deepEqual(sleeps, [7_000]);
});

test("Retry-After as a date is waited for", async (context) => {
  const { url } = flaky(context, "429;retry-after-in=15,200");
  const { sleeps, clock, sleeper } = new Time();
  const asked = Date.now();
  assert.equal((await upstream({ clock, sleeper }).call(() => fetch(url))).status, 200);
  // The header and the core have whole seconds, and the answer was under way.
  const spent = Date.now() - asked;
  assert.lengthOf(sleeps, 1);
  assert.isAtLeast(sleeps[0], 14_000 - spent);
  assert.isAtMost(sleeps[0], 16_000);
});

test("a reset connection is TRANSIENT, by this runtime's own error, and retried", async (context) => {
  // Browsers repeat a request by themselves whose kept connection is reset, and keep up to six.
  const { url } = flaky(context, "reset,reset,reset,reset,reset,reset,reset,200");
  const classes = [];
  const response = await upstream({ maxAttempts: 8 }).call(() => fetch(url, { method: "POST", body: "x" }), {
    onEvent: (event) => event.event === "retry" && classes.push(event.class),
  });
  assert.equal(response.status, 200);
  assert.isNotEmpty(classes);
  assert.deepEqual([...new Set(classes)], ["TRANSIENT"]);
});

test("a server that is not there is TRANSIENT", async () => {
  const outcome = await upstream().execute(() => fetch("http://127.0.0.1:49151/"));
  assert.equal(outcome.ok, false);
  assert.equal(outcome.lastClass, "TRANSIENT");
  assert.equal(outcome.attempts, 4);
});

test("an attempt that hangs is ended by its timeout, and the server sees it gone", async (context) => {
  const { url, log } = flaky(context, "hang,200");
  const policy = upstream({ attemptTimeoutMs: 19_999 });
  const kept = globalThis.setTimeout;
  let over;
  // The time of the first attempt, or what is left of it once `fetch` returned, is over when the server has it.
  globalThis.setTimeout = (run, ms, ...more) => {
    if (!(ms > 10_000 && ms <= 19_999) || over !== undefined) return kept.call(globalThis, run, ms, ...more);
    over = run;
  };
  const pending = policy.execute(({ signal }) => fetch(url, { signal }));
  try {
    await log({ arrived: 1 });
    over();
    const outcome = await pending;
    assert.equal(outcome.value?.status, 200);
    assert.equal(outcome.attempts, 2);
  } finally {
    globalThis.setTimeout = kept;
  }
  assert.isTrue((await log({ closed: 1 }))[0].closedEarly);
});

test("a body that breaks off is a failure of the attempt that reads it", async (context) => {
  const { url } = flaky(context, "truncate,200");
  const text = await upstream().call(async () => (await fetch(url)).text());
  assert.equal(text, "answered 200");
});

test("a server that does not answer in time is TRANSIENT by the rules of HTTP, whoever holds the clock", async (context) => {
  for (const [limits, signalOf] of [
    [{}, () => AbortSignal.timeout(50)],
    [{ attemptTimeoutMs: 50 }, ({ signal }) => signal],
  ]) {
    const { url } = flaky(context, "hang,hang");
    const policy = upstream({ classifier: classify.http, maxAttempts: 2, maxUnknownAttempts: 0, ...limits });
    const outcome = await policy.execute((attempt) => fetch(url, { signal: signalOf(attempt) }));
    assert.equal(outcome.lastClass, "TRANSIENT");
    assert.equal(outcome.attempts, 2);
  }
});

test("the caller's abort ends the request on the wire", async (context) => {
  const { url, log } = flaky(context, "hang");
  const controller = new AbortController();
  const pending = upstream().call(({ signal }) => fetch(url, { signal }), { signal: controller.signal });
  await log({ arrived: 1 });
  controller.abort(new Error("closed the tab"));
  assert.equal((await rejection(pending)).message, "closed the tab");
  assert.isTrue((await log({ closed: 1 }))[0].closedEarly);
  assert.equal((await log()).length, 1);
});

test("a breaker spares a dead upstream, and says when to come back", async (context) => {
  const { url, log } = flaky(context, "503");
  const circuitBreaker = new CircuitBreaker({ failureThreshold: 3, windowMs: 60_000, recoveryTimeoutMs: 30_000 });
  const policy = upstream({ maxAttempts: 2 }, { circuitBreaker });
  const outcomes = [];
  for (let n = 0; n < 10; n += 1) outcomes.push(await policy.execute(() => fetch(url)));
  assert.equal((await log()).length, 6);
  const { error } = outcomes.at(-1);
  assert.instanceOf(error, CircuitOpenError);
  assert.isAtMost(error.retryAfterMs, 30_000);
  assert.isAbove(error.retryAfterMs, 25_000);
});

test("redressFetch is fetch with classes, hints and retries", async (context) => {
  const { url, log } = flaky(context, "503,429;retry-after=0,200");
  const get = redressFetch(upstream());
  const response = await get(url);
  assert.equal(await response.text(), "answered 200");
  assert.equal((await log()).length, 3);
});

test("redressFetch does not repeat a POST, unless it is idempotent or said to be", async (context) => {
  const get = redressFetch(upstream());
  const plain = flaky(context, "503,200");
  assert.equal((await get(plain.url, { method: "POST", body: "x" })).status, 503);
  assert.equal((await plain.log()).length, 1);

  const keyed = flaky(context, "503,200");
  const headers = { "idempotency-key": "7" };
  assert.equal((await get(keyed.url, { method: "POST", body: "same", headers })).status, 200);
  const bodies = (await keyed.log()).map((entry) => [entry.body, entry.idempotencyKey]);
  assert.deepEqual(bodies, [
    ["same", "7"],
    ["same", "7"],
  ]);

  const put = flaky(context, "503,200");
  assert.equal((await get(put.url, { method: "PUT", body: "whole" })).status, 200);
  assert.deepEqual(
    (await put.log()).map((entry) => entry.body),
    ["whole", "whole"],
  );
});

test("redressFetch sends a body that is used up but once", async (context) => {
  const get = redressFetch(upstream());
  const stream = () => new Blob(["streamed"]).stream();
  const { url, log } = flaky(context, "503,200");
  // Not every runtime streams what it sends; none of them sends it again.
  const answer = await get(url, { method: "PUT", body: stream(), duplex: "half" }).catch((error) => error);
  assert.isTrue(answer.status === 503 || answer instanceof Error, String(answer));
  const iterated = flaky(context, "503,200");
  const pieces = async function* () {
    yield new TextEncoder().encode("piece");
  };
  const second = await get(iterated.url, { method: "PUT", body: pieces(), duplex: "half" }).catch((error) => error);
  assert.isTrue(second.status === 503 || second instanceof Error, String(second));
  for (const entries of [await log(), await iterated.log()]) assert.isAtMost(entries.length, 1);
});

test("redressFetch cancels the body of a failed response before it asks again", async (context) => {
  const { url, log } = flaky(context, "trickle,200");
  const response = await redressFetch(upstream())(url);
  assert.equal(response.status, 200);
  await response.text();
  assert.isTrue((await log({ closed: 1 }))[0].closedEarly);
});

test("redressFetch returns the last Response of a failure, as fetch does", async (context) => {
  const { url } = flaky(context, "404");
  assert.equal((await redressFetch(upstream())(url)).status, 404);
  const gone = flaky(context, "503");
  assert.equal((await redressFetch(upstream())(gone.url)).status, 503);
});

test("redressFetch takes a Request, and sends its body again where that may be repeated", async (context) => {
  const get = redressFetch(upstream());
  const put = flaky(context, "503,200");
  assert.equal((await get(new Request(put.url, { method: "PUT", body: "whole" }))).status, 200);
  assert.deepEqual(
    (await put.log()).map((entry) => entry.body),
    ["whole", "whole"],
  );
  const post = flaky(context, "503,200");
  assert.equal((await get(new Request(post.url, { method: "POST", body: "once" }))).status, 503);
  assert.deepEqual(
    (await post.log()).map((entry) => entry.body),
    ["once"],
  );
});
